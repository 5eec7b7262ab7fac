"""/api/v1/analyses/: upload photos, and read, edit, export and delete results."""

import json
import logging
import re
import time
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from recognition import describe, face_states
from recognition.api.access import key_of
from recognition.api.filters import AnalysisFilter
from recognition.api.pages import NewestFirst
from recognition.api.people import check_consent, person_of
from recognition.api.private_files import JPEG, serve_picture
from recognition.api.problems import Problem, Unavailable
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders
from recognition.engine.errors import MediaError
from recognition.jobs import broker, work
from recognition.jobs.kinds import kind_of
from recognition.models import Analysis, ModelVersion
from recognition.photos import analyses, submissions
from recognition.photos.annotation import annotate
from recognition.photos.bodies import (
    EncodedUploadSerializer,
    OptionsSerializer,
    PhotoJSONParser,
    PhotoParser,
    UploadSerializer,
    options_of,
    parts_of,
    uploads_of,
)
from recognition.programs import idempotency
from recognition.programs.repeats import IDEMPOTENCY_KEY, answer_once

logger = logging.getLogger(__name__)
MAX_WAIT_SECONDS = 20
LOOK_SECONDS = 0.04  # a query each; a client that sends one photo after the other waits for it


# The status if nothing was accepted, by the first error's code.
REFUSED = {"empty_file": 400, "file_too_large": 413, "not_an_image": 415}
UNREADABLE = 422  # a photo, but an unreadable one
STORAGE_TROUBLE = (OSError, OperationalError, InterfaceError)


NOT_STORED = {
    "code": "unavailable",
    "message": "This photo couldn't be stored. Send it again.",
}


class NoPicture(Problem):
    """There is nothing to blur or to forget."""

    def __init__(self) -> None:
        super().__init__(409, "no_picture", "No photo or video is stored of this entry.")


class AnalysisSerializer(StateSerializer):
    """An analysis without its faces, for lists and events."""

    state = describe.AnalysisSummary

    def to_representation(self, instance: Analysis) -> describe.AnalysisSummary:
        return describe.describe_analysis(instance)


class AnalysisDetailSerializer(StateSerializer):
    """An analysis with its faces, or its tracks for a session."""

    state = describe.AnalysisState

    def to_representation(self, instance: Analysis) -> describe.AnalysisState:
        return describe.describe_in_full(instance)


class MeshesSerializer(StateSerializer):
    """The meshes of an analysis."""

    state = face_states.MeshesState

    def to_representation(self, instance: Analysis) -> face_states.MeshesState:
        return face_states.describe_meshes(instance)


class EditSerializer(serializers.Serializer):
    """The fields of an analysis that its owner can change."""

    title = serializers.CharField(max_length=200, required=False)
    notes = serializers.CharField(max_length=5000, allow_blank=True, required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=20, required=False
    )


class VersionField(serializers.SlugRelatedField):
    """A model version by its number."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except OverflowError:  # 1e400 is a number, but not a version
            self.fail("invalid")


class RerunSerializer(serializers.Serializer):
    """The model version to analyze the photo with."""

    model_version = VersionField(slug_field="number", queryset=ModelVersion.objects.all())


class UploadErrorSerializer(serializers.Serializer):
    file = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()


class AcceptedSerializer(serializers.Serializer):
    """The outcome of an upload."""

    analyses = AnalysisSerializer(many=True)
    errors = UploadErrorSerializer(many=True)  # type: ignore[assignment]  # a field, as DRF has it


class AnalysisViewSet(
    RateHeaders,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The analyses of the signed-in person."""

    queryset = Analysis.objects.none()
    scope = "analyze"
    parser_classes = [MultiPartParser, PhotoJSONParser, PhotoParser]
    pagination_class = NewestFirst
    filterset_class = AnalysisFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Any]:
        own = Analysis.objects.filter(owner=person_of(self.request))
        own = own.select_related("model_version", "video")
        return own.defer("model_version__card")  # long, and parsed for each analysis

    def get_serializer_class(self) -> type[Any]:
        return AnalysisSerializer if self.action == "list" else AnalysisDetailSerializer

    @extend_schema(
        parameters=[
            OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="wait=N, N ≤ 20"),
            IDEMPOTENCY_KEY,
            OptionsSerializer,
        ],
        request={
            "multipart/form-data": UploadSerializer,
            "application/json": EncodedUploadSerializer,
            "image/*": OpenApiTypes.BINARY,
        },
        responses={200: AcceptedSerializer, 202: AcceptedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload photos. Returns them queued (202), or with `Prefer: wait=N` their results (200).

        Send one or many as multipart form data in the field `photos` (or `photo`, `file`, `files`,
        `files[]`, `image`, `images`), one as the raw body, or as base64 in JSON. With an
        `Idempotency-Key` you can repeat the request for 24 hours, and it runs once.
        """
        uploads, options = uploads_of(request), options_of(request)
        status, body = answer_once(
            request,
            lambda: [*parts_of(uploads), json.dumps(options, sort_keys=True).encode()],
            lambda name: self.accept(uploads, options, name),
        )
        waited = wait_seconds(request.headers.get("Prefer", ""))
        response = Response(body, status)
        ids = [analysis["id"] for analysis in body["analyses"]]
        if waited and (done := self.results(ids, waited)):
            response = Response({**body, "analyses": done}, 200)
        if waited:
            response["Preference-Applied"] = f"wait={waited}"
        if len(ids) == 1:
            response["Location"] = request.build_absolute_uri(f"{request.path}{ids[0]}/")
        return response

    def accept(self, uploads: list, options: dict[str, Any], name: str) -> tuple[int, dict]:
        """Queue what can be accepted; raises a Problem if nothing can.

        `name` is that of a request that may have been accepted in part before (see `answer_once`).
        """
        if not broker.broker_answers():
            raise Unavailable("The queue")
        key = key_of(self.request)
        accepted, errors = [], []
        owner = person_of(self.request)
        for number, upload in enumerate(uploads):
            pk = idempotency.key_of(name, number)
            try:
                analysis = Analysis.objects.filter(pk=pk, owner=owner).first() if name else None
                accepted.append(
                    analysis or submissions.submit_image(owner, upload, key, pk=pk, **options)
                )
            except IntegrityError:  # a process that was slow, not killed, has just stored it
                accepted.append(Analysis.objects.get(pk=pk, owner=owner))
            except MediaError as error:
                errors.append({"file": upload.name, "code": error.code, "message": error.message})
            except STORAGE_TROUBLE:
                if not accepted:
                    raise
                logger.exception("Could not store a photo")
                errors.append({"file": upload.name, **NOT_STORED})
        if not accepted:
            status, code = REFUSED.get(errors[0]["code"], UNREADABLE), errors[0]["code"]
            raise Problem(status, code, errors[0]["message"], errors=errors)
        return 202, {"analyses": AnalysisSerializer(accepted, many=True).data, "errors": errors}

    def results(self, ids: list[str], seconds: int) -> list | None:
        """The results of these analyses, if all finish within this many seconds."""
        deadline = time.monotonic() + seconds
        own = self.get_queryset().filter(pk__in=ids)
        unfinished = own.filter(status__in=[Analysis.Status.QUEUED, Analysis.Status.RUNNING])
        while unfinished.exists():
            if time.monotonic() > deadline:
                return None
            time.sleep(LOOK_SECONDS)
        states = {str(one.pk): AnalysisDetailSerializer(one).data for one in own}
        return [states[pk] for pk in ids if pk in states]

    def perform_destroy(self, instance: Analysis) -> None:
        analyses.delete_analysis(instance)

    @extend_schema(request=EditSerializer, responses=AnalysisDetailSerializer)
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        """Change title, notes or tags."""
        analysis = self.get_object()
        edit = EditSerializer(data=request.data)
        edit.is_valid(raise_exception=True)
        analyses.edit(analysis, edit.validated_data)
        return Response(AnalysisDetailSerializer(analysis).data)

    @extend_schema(request=None, responses=AnalysisDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Cancel a queued or running analysis."""
        analysis = self.get_object()
        if not work.cancel(analysis):
            raise Problem(409, "not_cancelable", f"This analysis is {analysis.status} already.")
        return Response(AnalysisDetailSerializer(analysis).data)

    @extend_schema(request=None, responses={202: AnalysisDetailSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        """Retry a failed or canceled analysis while its upload is kept."""
        analysis = self.get_object()
        if not work.retry(analysis):
            detail = "Only a failed or canceled analysis whose upload is still kept can be retried."
            raise Problem(409, "not_retryable", detail)
        return Response(AnalysisDetailSerializer(analysis).data, 202)

    @extend_schema(request=RerunSerializer, responses={202: AnalysisDetailSerializer})
    @action(detail=True, methods=["post"])
    def rerun(self, request: Request, pk: Any = None) -> Response:
        """Analyze the stored photo or video with another model version, as a new analysis."""
        analysis = self.get_object()
        wanted = RerunSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        check_consent(request)
        rerun = kind_of(analysis).rerun
        again = rerun(analysis, wanted.validated_data["model_version"]) if rerun else None
        if again is None:
            message = "There is no stored photo or video with its faces to analyze again."
            raise Problem(409, "no_photo", message)
        response = Response(AnalysisDetailSerializer(again).data, 202)
        response["Location"] = self.reverse_action("detail", args=[again.pk])
        return response

    @extend_schema(request=None, responses={202: AnalysisDetailSerializer})
    @action(detail=True, methods=["post"])
    def blur(self, request: Request, pk: Any = None) -> Response:
        """Make the faces in the stored photo or video unrecognizable. There is no way back.

        A photo is blurred at once; of a video, `keep` becomes `blurred` when it is done.
        """
        analysis = self.with_picture()
        blur = kind_of(analysis).blur
        if not blur or not blur(analysis):
            raise NoPicture
        analysis.refresh_from_db()
        return Response(AnalysisDetailSerializer(analysis).data, 202)

    @extend_schema(request=None, responses=AnalysisDetailSerializer)
    @action(detail=True, methods=["post"])
    def forget(self, request: Request, pk: Any = None) -> Response:
        """Delete the stored photo or video and keep the numbers."""
        analysis = self.with_picture()
        if not analyses.forget_picture(analysis):
            raise NoPicture
        return Response(AnalysisDetailSerializer(analysis).data)

    def with_picture(self) -> Analysis:
        """The analysis of the request, which has ended. Raises Problem: unfinished."""
        analysis = self.get_object()
        if not analysis.is_finished:
            raise Problem(409, "unfinished", f"This analysis is {analysis.status}. Wait for it.")
        return analysis

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def photo(self, request: Request, pk: Any = None) -> HttpResponse:
        """The stored photo, upright and without metadata."""
        return serve_picture(request, self.get_object().photo)

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def thumbnail(self, request: Request, pk: Any = None) -> HttpResponse:
        """The photo scaled to a longest side of 320 pixels."""
        return serve_picture(request, self.get_object().thumbnail)

    @extend_schema(responses=MeshesSerializer)
    @action(detail=True)
    def mesh(self, request: Request, pk: Any = None) -> Response:
        """The meshes of a photo's faces: 468 points each, numbered as MediaPipe does."""
        return Response(MeshesSerializer(self.get_object()).data)

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def annotated(self, request: Request, pk: Any = None) -> HttpResponse:
        """The photo with a box and the most probable expression for each face."""
        analysis = self.get_object()
        if not analysis.photo:
            raise Problem(404, "no_photo", "There is no stored photo.")
        response = HttpResponse(annotate(analysis), content_type="image/jpeg")
        response["Cache-Control"] = "private, no-cache"
        return response


def wait_seconds(prefer: str) -> int:
    """How long a `Prefer` header (RFC 7240) asks to wait, at most MAX_WAIT_SECONDS."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", prefer, re.IGNORECASE)
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0
