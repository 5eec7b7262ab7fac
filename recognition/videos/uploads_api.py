"""/api/v1/uploads/: videos in pieces that can be resumed, by tus 1.0 (https://tus.io)."""

import base64
import binascii
from io import BytesIO
from typing import Any, TypedDict
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition.api import allowances
from recognition.api.people import person_of
from recognition.api.problems import Problem, Unavailable
from recognition.api.states import StateSerializer
from recognition.api.uploading import agreed
from recognition.api.views import RateHeaders
from recognition.engine.errors import MediaError
from recognition.jobs import broker
from recognition.models import Upload
from recognition.videos import uploads
from recognition.videos.api import STATUSES, options_of

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"
PIECE = "application/offset+octet-stream"
BINARY = {PIECE: OpenApiTypes.BINARY}


class PieceParser(BaseParser):
    """The body as a file; Django has it on disk by then."""

    media_type = PIECE

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class UploadState(TypedDict):
    """An upload; `length` is null until it is known, `analysis` until the file is complete."""

    id: str
    name: str
    length: int | None
    offset: int
    expires_at: str
    url: str
    analysis: str | None


class UploadStateSerializer(StateSerializer):
    state = UploadState

    def to_representation(self, instance: Upload) -> UploadState:
        return {
            "id": str(instance.pk),
            "name": instance.name,
            "length": instance.length,
            "offset": instance.offset,
            "expires_at": instance.expires_at.isoformat(),
            "url": f"/api/v1/uploads/{instance.pk}/",
            "analysis": str(instance.analysis_id) if instance.analysis_id else None,
        }


class UploadsSerializer(serializers.Serializer):
    uploads = UploadStateSerializer(many=True)


class RecordingSerializer(serializers.Serializer):
    """What the live page says of a recording: the kept session beside it, and where it begins."""

    recorded = serializers.BooleanField(default=False)
    session = serializers.UUIDField(default=None, allow_null=True)
    session_start = serializers.FloatField(min_value=0, default=0.0, help_text="seconds")

    def validate_session(self, value: UUID | None) -> str:
        return str(value or "")


class TusView(RateHeaders, APIView):
    """What both addresses of uploads have in common."""

    scope = "analyze"
    parser_classes = [PieceParser, JSONParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.look_up()
        told = request.headers.get("Tus-Resumable")
        if request.method in {"POST", "PATCH", "HEAD"} and told != VERSION:
            message = f"Send the header Tus-Resumable: {VERSION}."
            raise Problem(412, "wrong_protocol_version", message)

    def look_up(self) -> None:
        """Find what the address names before anything else is said about the request."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        if response.status_code == 412:
            response["Tus-Version"] = VERSION
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The protocol's version, extensions and limits."""
        return Response(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(allowances.video_bytes(request.user)),
                "Tus-Checksum-Algorithm": ",".join(uploads.ALGORITHMS),
            },
        )

    def append(self, upload: Upload, offset: int, length: int | None = None) -> None:
        """Write the body, or raise a Problem."""
        if not broker.broker_answers():
            raise Unavailable("The queue")
        body: Any = self.request.data
        piece = body if hasattr(body, "read") else BytesIO()
        checksum = self.request.headers.get("Upload-Checksum", "")
        try:
            uploads.append(upload, offset, piece, checksum, length)
        except uploads.UploadError as error:
            raise Problem(error.status, error.code, error.message) from None
        except MediaError as error:
            raise _refused(error) from None


class UploadsView(TusView):
    """Uploads under way."""

    @extend_schema(operation_id="uploads_list", responses=UploadsSerializer)
    def get(self, request: Request) -> Response:
        """Your unfinished uploads, newest first."""
        rows = Upload.objects.filter(owner=person_of(request), analysis=None)
        return Response({"uploads": UploadStateSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="uploads_create",
        parameters=[
            OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER),
            OpenApiParameter("Upload-Defer-Length", int, OpenApiParameter.HEADER),
            OpenApiParameter("Upload-Metadata", str, OpenApiParameter.HEADER),
        ],
        request=BINARY,
        responses={201: None},
    )
    def post(self, request: Request) -> Response:
        """Begin an upload; `Location` tells where its pieces go.

        `Upload-Metadata` has `filename` and the options of `videos/`: fps, start, end, audio,
        detail, title, tags, keep, project; and `sha256` to have the whole file checked.
        """
        metadata = _metadata(request.headers.get("Upload-Metadata", ""))
        options = agreed(request, options_of(metadata))
        recording = RecordingSerializer(data=metadata)
        recording.is_valid(raise_exception=True)
        options |= recording.validated_data
        length = _number(request, "Upload-Length")
        if length is None and request.headers.get("Upload-Defer-Length") != "1":
            message = "Send Upload-Length, or Upload-Defer-Length: 1 if it isn't known yet."
            raise Problem(400, "no_length", message)
        try:
            upload = uploads.create(person_of(request), length, metadata, options)
        except uploads.UploadError as error:
            raise Problem(error.status, error.code, error.message) from None
        except MediaError as error:
            raise _refused(error) from None
        if request.content_type == PIECE:
            self.append(upload, 0)
        response = Response(status=201)
        response["Location"] = request.build_absolute_uri(f"/api/v1/uploads/{upload.pk}/")
        return _described(response, upload)


class UploadView(TusView):
    """One upload."""

    def look_up(self) -> None:
        own = Upload.objects.filter(owner=person_of(self.request))
        self.upload = get_object_or_404(own, pk=self.kwargs["pk"])

    @extend_schema(operation_id="uploads_retrieve", responses=UploadStateSerializer)
    def get(self, request: Request, pk: Any) -> Response:
        """The state of an upload, and the analysis that came of it."""
        return Response(UploadStateSerializer(self.upload).data)

    @extend_schema(exclude=True)
    def head(self, request: Request, pk: Any) -> Response:
        """How many bytes have arrived: where to resume."""
        return _described(Response(status=200), self.upload)

    @extend_schema(
        operation_id="uploads_append",
        parameters=[
            OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER),
            OpenApiParameter("Upload-Checksum", str, OpenApiParameter.HEADER),
        ],
        request=BINARY,
        responses={204: None},
    )
    def patch(self, request: Request, pk: Any) -> Response:
        """Append a piece. After the last one, `Mien-Analysis` names the analysis."""
        upload = self.upload
        offset = _number(request, "Upload-Offset")
        if request.content_type != PIECE or offset is None:
            message = f"Send a piece as {PIECE} with the header Upload-Offset."
            raise Problem(415 if offset is not None else 400, "not_a_piece", message)
        self.append(upload, offset, _number(request, "Upload-Length"))
        return _described(Response(status=204), upload)

    @extend_schema(operation_id="uploads_destroy", responses={204: None})
    def delete(self, request: Request, pk: Any) -> Response:
        """Give an upload up; an analysis that came of it stays."""
        uploads.delete(self.upload)
        return Response(status=204)


def _described(response: Response, upload: Upload) -> Response:
    response["Upload-Offset"] = str(upload.offset)
    response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    if upload.length is None:
        response["Upload-Defer-Length"] = "1"
    else:
        response["Upload-Length"] = str(upload.length)
    if upload.analysis_id:
        response["Mien-Analysis"] = str(upload.analysis_id)
    return response


def _refused(error: MediaError) -> Problem:
    return Problem(STATUSES.get(error.code, 422), error.code, error.message)


def _number(request: Request, header: str) -> int | None:
    text = request.headers.get(header)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Problem(400, "bad_header", f"{header} must be a number.")
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """Upload-Metadata: names and base64 values, separated by commas."""
    found = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            raise Problem(400, "bad_header", "Upload-Metadata must hold base64.") from None
    return found
