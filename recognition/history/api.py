"""/api/v1/exports/: faces of the history as files, made in the background."""

import json
from typing import Any, TypedDict

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import describe
from recognition.api.filters import LONGEST_TEXT
from recognition.api.pages import NewestFirst
from recognition.api.people import person_of
from recognition.api.private_files import serve_download
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders
from recognition.history import export_requests, exports, statistics
from recognition.history.codebook import table_schema
from recognition.history.table_files import FILES
from recognition.jobs import work
from recognition.models import EMOTION_CHOICES, Analysis, Export
from recognition.programs import idempotency
from recognition.programs.repeats import IDEMPOTENCY_KEY, answer_once

VIDEO, EVERYTHING = Export.Format.MP4, Export.Format.ZIP
MEDIA = {name: (kind.content_type, kind.extension) for name, kind in FILES.items()}
MEDIA |= {VIDEO: ("video/mp4", "mp4"), EVERYTHING: ("application/zip", "zip")}
NAMES = {VIDEO: "annotated", EVERYTHING: "everything"}  # the others: faces
BINARY = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind, _extension in MEDIA.values()}


class ExportSerializer(StateSerializer):
    """An export and its progress."""

    state = describe.ExportState

    def to_representation(self, instance: Export) -> describe.ExportState:
        return describe.describe_export(instance)


class FiltersSerializer(serializers.Serializer):
    """The filters of `analyses/`, plus `since` and `until`: whole days in UTC, inclusive."""

    id = serializers.ListField(child=serializers.UUIDField(), required=False)
    status = serializers.ChoiceField(Analysis.Status.choices, required=False)
    kind = serializers.ChoiceField(Analysis.Kind.choices, required=False)
    emotion = serializers.ChoiceField(EMOTION_CHOICES, required=False)
    model_version = serializers.IntegerField(required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    min_seconds = serializers.FloatField(required=False)
    max_seconds = serializers.FloatField(required=False)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    text = serializers.CharField(max_length=LONGEST_TEXT, required=False)


@extend_schema_field(FiltersSerializer)
class FiltersField(serializers.DictField):
    """Filters by name, checked by export_requests."""


class NewExportSerializer(serializers.Serializer):
    """The request: the faces of all entries that match the filters, in one file."""

    format = serializers.ChoiceField(Export.Format.choices)
    filters = FiltersField(default=dict)


class ExportViewSet(
    RateHeaders,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The exports of the signed-in person. They change nothing, so a key only needs `read`."""

    queryset = Export.objects.none()
    scope = "read"
    serializer_class = ExportSerializer
    pagination_class = NewestFirst
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Any]:
        return Export.objects.filter(owner=person_of(self.request))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewExportSerializer,
        responses={202: ExportSerializer},
    )
    def create(self, request: Request) -> Response:
        """Queue an export. Without filters it covers everything; entries without faces have no row.

        `mp4` is one video, given by `id`, with its faces drawn onto it; `zip` is everything that is
        yours, with all pictures.
        The file is kept for seven days. With an `Idempotency-Key` you can repeat the request for
        24 hours, and it runs once.
        """
        wanted = NewExportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        same = [b"exports", json.dumps(values, sort_keys=True).encode()]
        status, body = answer_once(request, lambda: same, lambda name: self.accept(values, name))
        response = Response(body, status)
        response["Location"] = self.reverse_action("detail", args=[body["id"]])
        return response

    def accept(self, values: dict, name: str) -> tuple[int, dict]:
        """Queue an export, unless the request of this name has; raises the Problem otherwise."""
        owner, pk = person_of(self.request), idempotency.key_of(name)
        try:
            export = self.get_queryset().filter(pk=pk).first() if name else None
            export = export or export_requests.request_export(owner, pk=pk, **values)
        except export_requests.FiltersRefused as refusal:
            raise serializers.ValidationError({"filters": details(refusal.trouble)}) from None
        except export_requests.TooManyExports as refusal:
            raise Problem(409, "too_many_exports", str(refusal)) from None
        return 202, self.get_serializer(export).data

    def perform_destroy(self, instance: Export) -> None:
        exports.delete(instance)

    @extend_schema(request=None, responses=ExportSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Cancel a queued or running export."""
        export = self.get_object()
        if not work.cancel(export):
            raise Problem(409, "not_cancelable", f"This export is {export.status} already.")
        return Response(self.get_serializer(export).data)

    @extend_schema(request=None, responses={202: ExportSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        """Retry a failed or canceled export."""
        export = self.get_object()
        try:
            queued = export_requests.retry(export)
        except export_requests.TooManyExports as refusal:
            raise Problem(409, "too_many_exports", str(refusal)) from None
        if not queued:
            detail = "Only a failed or canceled export can be retried."
            raise Problem(409, "not_retryable", detail)
        return Response(self.get_serializer(export).data, 202)

    @extend_schema(responses=BINARY)
    @action(detail=True)
    def file(self, request: Request, pk: Any = None) -> HttpResponseBase:
        """The file, once the export has succeeded."""
        export = self.get_object()
        if not export.file:
            raise Problem(404, "no_file", f"This export is {export.status}: it has no file.")
        kind, extension = MEDIA[export.format]
        what = NAMES.get(export.format, "faces")
        name = f"mien-{what}-{export.created_at:%Y-%m-%d-%H%M}.{extension}"
        return serve_download(export.file, kind, name)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def codebook(self, request: Request, pk: Any = None) -> Response:
        """The meaning of the columns as a Table Schema (Frictionless), for other programs."""
        export = self.get_object()
        if export.format in NAMES:
            raise Problem(404, "no_codebook", "This export isn't a table, so it has no columns.")
        name = f"mien-faces-{export.created_at:%Y-%m-%d-%H%M}.schema.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(table_schema(), headers=headers)


def details(trouble: export_requests.Trouble) -> dict[str, list[serializers.ErrorDetail]]:
    return {
        name: [serializers.ErrorDetail(message, code) for code, message in errors]
        for name, errors in trouble.items()
    }


MOST_DAYS = 366


class Stats(TypedDict):
    """Photos and faces by day."""

    days: list[statistics.Day]


class DaysSerializer(serializers.Serializer):
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=30)


class StatsSerializer(StateSerializer):
    state = Stats


class StatsView(RateHeaders, APIView):
    """Statistics of a person's photos."""

    @extend_schema(
        parameters=[OpenApiParameter("days", int, description="1 to 366, default 30")],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Photos and faces of the last days by expression, newest last."""
        asked = DaysSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        days = statistics.days(person_of(request), asked.validated_data["days"])
        return Response({"days": days})
