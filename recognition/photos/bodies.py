"""Photos in the bodies of requests: raw, in JSON, or in the fields of a form."""

import base64
import binascii
import io
import re
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.parsers import BaseParser, DataAndFiles, JSONParser
from rest_framework.request import Request

from recognition.api.problems import Problem
from recognition.api.uploading import UploadOptions, agreed
from recognition.engine.types import DETAILS, DETECTORS, FACE_MODES
from recognition.photos.uploads import LimitedUpload

FIELDS = ("photos", "photo", "file", "files", "files[]", "image", "images")
"""The names under which forms and JSON carry photos; other services use one or another."""


class PhotoParser(BaseParser):
    """`Content-Type: image/…`: the body is one photo; `Content-Disposition` may name it."""

    media_type = "image/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.MAX_UPLOAD_BYTES
        content = stream.read(limit + 1)
        size = len(content)
        while size > limit and (rest := stream.read(2**16)):
            size += len(rest)
        name = file_name(parser_context["request"].headers.get("Content-Disposition", ""))
        upload = upload_of(content, name, media_type, size)
        return DataAndFiles({}, MultiValueDict({"photos": [upload]}))


class PhotoJSONParser(JSONParser):
    """JSON whose fields may hold photos: base64 or a `data:` address, one or a list of them.

    An entry can also be an object with `data` and `name`. Raises Problem request_too_large, and
    invalid_base64 with the name of the field.
    """

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        # In base64 a photo takes a third more; the whole text has to be in memory.
        limit = 2 * settings.MAX_UPLOAD_BYTES
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise Problem(
                413,
                "request_too_large",
                f"This JSON is larger than {limit // 1024**2} MB. "
                "Send large photos as multipart form data or as the raw body.",
            )
        data = super().parse(io.BytesIO(content), media_type, parser_context)
        if not isinstance(data, dict):
            return data
        photos = [
            _decode(entry, field)
            for field in FIELDS
            for entry in (data[field] if isinstance(data.get(field), list) else [data.get(field)])
            if entry is not None
        ]
        rest = {name: value for name, value in data.items() if name not in FIELDS}
        return DataAndFiles(rest, MultiValueDict({"photos": photos}))


def _decode(entry: Any, field: str) -> LimitedUpload:
    name = "photo"
    if isinstance(entry, dict):
        name, entry = str(entry.get("name") or name), entry.get("data")
    if not isinstance(entry, str):
        raise _invalid(field)
    head, comma, text = entry.partition(",") if entry[:5].lower() == "data:" else ("", "", entry)
    try:
        if comma and not head.lower().endswith(";base64"):
            content = unquote_to_bytes(text)
        else:
            # Line breaks are common in base64; anything else that is strange is a mistake.
            content = base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid(field) from error
    return upload_of(content, name, "application/octet-stream", len(content))


def _invalid(field: str) -> Problem:
    message = f'"{field}" must hold photos as base64 or as data: addresses.'
    errors = [{"field": field, "code": "invalid_base64", "message": message}]
    return Problem(400, "invalid_base64", message, errors=errors)


def upload_of(content: bytes, name: str, media_type: str, size: int) -> LimitedUpload:
    """An upload of `size` bytes of which `content` may hold only the first ones."""
    limit = settings.MAX_UPLOAD_BYTES
    # Django refuses names that are no file's, such as "..".
    name = "photo" if name in {"", ".", ".."} else name
    upload = LimitedUpload(io.BytesIO(content[:limit]), name, media_type, size)
    upload.too_large = size > limit
    return upload


def file_name(disposition: str) -> str:
    """The file name of a Content-Disposition header (RFC 6266), or "photo"."""
    if extended := re.search(r"filename\*=UTF-8''([^;]+)", disposition, re.IGNORECASE):
        return unquote(extended[1])
    plain = re.search(r'filename="([^"]+)"|filename=([^;\s]+)', disposition, re.IGNORECASE)
    return (plain[1] or plain[2]) if plain else "photo"


class OptionsSerializer(UploadOptions):
    """How photos are analyzed: form fields, or query parameters beside a raw body."""

    faces = serializers.ChoiceField(
        FACE_MODES,
        default="auto",
        help_text="auto: a small picture without a detected face is read as one face; "
        "whole: every picture is; detect: none is",
    )
    detail = serializers.ChoiceField(
        DETAILS, default="normal", help_text="high: search large photos for small faces too"
    )
    detector = serializers.ChoiceField(
        DETECTORS,
        default=None,
        allow_null=True,
        help_text="fast, balanced (finds masked and turned faces too), thorough (slowest); "
        "without it the site's own",
    )


class UploadSerializer(OptionsSerializer):
    """One or many photos; used only in the API's description."""

    photos = serializers.ListField(child=serializers.FileField())


class EncodedUploadSerializer(OptionsSerializer):
    """Photos in JSON; used only in the API's description."""

    image = serializers.CharField(required=False, help_text="base64, or a data: address")
    images = serializers.ListField(child=serializers.CharField(), required=False)


def uploads_of(request: Request) -> list:
    """The photos of a request; returns a Problem if there are none or too many."""
    try:
        uploads = [upload for field in FIELDS for upload in request.FILES.getlist(field)]
    except TooManyFilesSent:
        limit = settings.DATA_UPLOAD_MAX_NUMBER_FILES
        problem = ("too_many_files", f"Send at most {limit} photos in a request.")
    else:
        if uploads:
            return uploads
        problem = (
            "no_files",
            "This request has no photo. Send photos as multipart form data in the field "
            '"photos", one as the raw body, or as base64 in the field "image" of a JSON object.',
        )
    code, message = problem
    errors = [{"file": None, "code": code, "message": message}]
    raise Problem(400, code, message, errors=errors)


def options_of(request: Request) -> dict[str, Any]:
    """How to analyze the photos; raises ValidationError for values that don't exist, or Problem."""
    given: dict[str, Any] = {}
    for source in (request.query_params, request.data):
        if isinstance(source, QueryDict):
            given |= source.dict()
            if "tags" in source:
                given["tags"] = source.getlist("tags")
        elif isinstance(source, dict):
            given |= source
    wanted = OptionsSerializer(data=given)
    wanted.is_valid(raise_exception=True)
    options = agreed(request, dict(wanted.validated_data))
    return {"face_mode": options.pop("faces"), **options}


def parts_of(uploads: list) -> list[bytes]:
    """A hash of names and contents that tells whether two uploads are the same."""
    parts = []
    for upload in uploads:
        parts += [upload.name.encode(), upload.read()]
        upload.seek(0)
    return parts
