"""/api/v1/media-imports/: photos and videos on the server into a history, for administrators."""

import csv
import itertools
from typing import Any, TypedDict

from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.access import HasScope, IsAdministrator
from recognition.api.pages import NewestFirst
from recognition.api.people import person_of
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders
from recognition.describe import Message
from recognition.engine.types import DETAILS, DETECTORS, FACE_MODES
from recognition.history.tables import as_cells
from recognition.imports import imports
from recognition.imports.sources import SourceError
from recognition.jobs import work
from recognition.models import Analysis, MediaImport


class _Lines:
    """Where a csv.writer writes what its `writerow` gives back."""

    def write(self, line: str) -> str:
        return line


class MediaImportState(TypedDict):
    """An import: files `seen` so far are imported, repeated (known content) or refused."""

    id: str
    status: str
    owner: str
    source: str
    seen: int
    imported: int
    repeated: int
    refused: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: Message | None


class MediaImportSerializer(StateSerializer):
    state = MediaImportState

    def to_representation(self, instance: MediaImport) -> MediaImportState:
        error: Message | None = None
        if instance.error_code:
            error = {"code": instance.error_code, "message": instance.error_message}
        return {
            "id": str(instance.pk),
            "status": instance.status,
            "owner": instance.owner.email,
            "source": instance.source,
            "seen": instance.seen,
            "imported": instance.imported,
            "repeated": instance.repeated,
            "refused": instance.refused,
            "created_at": instance.created_at.isoformat(),
            "started_at": instance.started_at.isoformat() if instance.started_at else None,
            "finished_at": instance.finished_at.isoformat() if instance.finished_at else None,
            "error": error,
        }


class NewMediaImportSerializer(serializers.Serializer):
    """A folder or zip in the server's folder for imports, or s3://bucket/folder or s3://bucket/zip
    in a bucket that MIEN_IMPORT_BUCKETS names; `owner` is an e-mail address."""

    source = serializers.CharField()  # type: ignore[assignment]  # a field, as DRF has it
    owner = serializers.EmailField(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False)
    face_mode = serializers.ChoiceField(FACE_MODES, required=False)
    detail = serializers.ChoiceField(DETAILS, required=False)
    detector = serializers.ChoiceField(DETECTORS, required=False)
    keep = serializers.ChoiceField(Analysis.Keep.choices, required=False)


class MediaImportViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """Imports of photos and videos that are on the server. Administrators only."""

    queryset = MediaImport.objects.select_related("owner")
    serializer_class = MediaImportSerializer
    permission_classes = [IsAdministrator, HasScope]
    scope = "analyze"
    pagination_class = NewestFirst
    lookup_value_converter = "uuid"

    @extend_schema(request=NewMediaImportSerializer, responses={202: MediaImportSerializer})
    def create(self, request: Request) -> Response:
        """Import a folder, zip or part of a bucket into the history of `owner`, or your own.

        A file whose content the owner has already is not imported again.
        """
        wanted = NewMediaImportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        options: dict[str, Any] = dict(wanted.validated_data)
        source, email = options.pop("source"), options.pop("owner", None)
        owner = person_of(request)
        if email:
            owner = User.objects.filter(email__iexact=email, is_active=True).first() or owner
            if owner.email.lower() != email.lower():
                message = "Nobody here has this e-mail address."
                raise serializers.ValidationError({"owner": [message]}, "unknown_person")
        try:
            begun = imports.request(person_of(request), owner, source.replace("\0", ""), options)
        except SourceError as error:
            errors = [{"field": "source", "code": error.code, "message": error.message}]
            raise Problem(400, error.code, error.message, errors=errors) from error
        response = Response(self.get_serializer(begun).data, 202)
        response["Location"] = self.reverse_action("detail", args=[begun.pk])
        return response

    @extend_schema(request=None, responses=MediaImportSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Stop an import. What it has imported stays."""
        begun = self.get_object()
        if not work.cancel(begun):
            raise Problem(409, "not_cancelable", f"This import is {begun.status} already.")
        begun.refresh_from_db()
        return Response(self.get_serializer(begun).data)

    @extend_schema(request=None, responses={202: MediaImportSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        """Go on with a failed or canceled import where it stopped."""
        begun = self.get_object()
        if not work.retry(begun):
            raise Problem(409, "not_retryable", f"This import is {begun.status}.")
        begun.refresh_from_db()
        return Response(self.get_serializer(begun).data, 202)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"], url_path="failures.csv", url_name="failures")
    def failures(self, request: Request, pk: Any = None) -> StreamingHttpResponse:
        """The files that were refused, or whose analysis failed, with the reasons, as CSV."""
        rows = imports.failures(self.get_object())
        table = csv.writer(_Lines())
        return StreamingHttpResponse(
            map(table.writerow, itertools.chain([imports.FAILURE_COLUMNS], map(as_cells, rows))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="failures.csv"'},
        )
