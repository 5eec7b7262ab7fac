"""/api/v1/videos/: a video in one request."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import describe
from recognition.api.people import person_of
from recognition.api.problems import Problem, Unavailable
from recognition.api.states import StateSerializer
from recognition.api.uploading import UploadOptions, agreed
from recognition.api.views import RateHeaders
from recognition.engine.errors import MediaError
from recognition.engine.types import DETAILS, DETECTORS
from recognition.jobs import broker
from recognition.models import Analysis
from recognition.videos import submissions

FIELDS = ("video", "file", "videos", "files")
STATUSES = {"empty_file": 400, "file_too_large": 413, "not_a_video": 415}


class SamplingSerializer(UploadOptions):
    """How a video is read."""

    fps = serializers.CharField(
        default="5", help_text="frames to read a second, from 0.2 on, or `all`"
    )
    start = serializers.FloatField(min_value=0, default=0.0, help_text="seconds")
    end = serializers.FloatField(min_value=0, allow_null=True, default=None, help_text="seconds")
    audio = serializers.BooleanField(default=True, help_text="keep the sound in the stored copy")
    detail = serializers.ChoiceField(
        DETAILS, default="normal", help_text="high: search for small faces too"
    )
    detector = serializers.ChoiceField(
        DETECTORS,
        default="fast",
        help_text="balanced and thorough find masked and turned faces too, and take longer",
    )

    def validate_fps(self, value: str) -> float | None:
        if value == "all":
            return None
        try:
            fps = float(value)
        except ValueError:
            fps = 0.0
        if not 0.2 <= fps <= 1000:
            raise serializers.ValidationError("Give a number from 0.2 to 1000, or all.")
        return fps

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["end"] is not None and attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": "The end must be after the start."})
        return attrs


class VideoUploadSerializer(SamplingSerializer):
    """One video; used only in the API's description."""

    video = serializers.FileField()


class VideoSerializer(StateSerializer):
    """An analysis of a video, without its tracks."""

    state = describe.AnalysisSummary

    def to_representation(self, instance: Analysis) -> describe.AnalysisSummary:
        return describe.describe_analysis(instance)


class VideosView(RateHeaders, APIView):
    """Videos in one request. Larger ones are sent in pieces: see uploads/."""

    scope = "analyze"
    parser_classes = [MultiPartParser]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        # Straight into a file; the site's limit on requests holds.
        request.upload_handlers = [TemporaryFileUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": VideoUploadSerializer}, responses={202: VideoSerializer}
    )
    def post(self, request: Request) -> Response:
        """Upload one video. Returns its analysis queued.

        A request can have as many bytes as the site allows (by default 200 MB); send larger videos
        by tus at `uploads/`.
        """
        if not broker.broker_answers():
            raise Unavailable("The queue")
        upload = next((request.FILES[name] for name in FIELDS if name in request.FILES), None)
        if upload is None:
            raise Problem(400, "no_files", 'Send a video as multipart form data, field "video".')
        options = agreed(request, options_of(request.data))
        with tempfile.NamedTemporaryFile(dir=settings.UPLOADS_DIR, delete=False) as file:
            path = Path(file.name)
            for piece in upload.chunks():
                file.write(piece)
        try:
            analysis = submissions.submit_video(person_of(request), path, upload.name, **options)
        except MediaError as error:
            raise Problem(STATUSES.get(error.code, 422), error.code, error.message) from None
        finally:
            path.unlink(missing_ok=True)
        response = Response(VideoSerializer(analysis).data, 202)
        response["Location"] = request.build_absolute_uri(f"/api/v1/analyses/{analysis.pk}/")
        return response


def options_of(given: Any) -> dict[str, Any]:
    """Sampling options from a form or from metadata. Raises ValidationError."""
    names = map(str, SamplingSerializer().fields)
    values = {name: given[name] for name in names if name in given}
    if "tags" in given:
        tags = given.getlist("tags") if hasattr(given, "getlist") else str(given["tags"]).split(",")
        values["tags"] = [tag.strip() for tag in tags if tag.strip()]
    wanted = SamplingSerializer(data=values)
    wanted.is_valid(raise_exception=True)
    return dict(wanted.validated_data)
