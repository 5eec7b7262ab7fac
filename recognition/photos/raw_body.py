"""A photo as the raw body of a request."""

import io
import re
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import BaseParser, DataAndFiles

from recognition.photos.uploads import LimitedUpload


class PhotoParser(BaseParser):
    """`Content-Type: image/…`: the body is one photo; `Content-Disposition` may name it."""

    media_type = "image/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.MAX_UPLOAD_BYTES
        content = stream.read(limit + 1)
        too_large = len(content) > limit
        size = len(content)
        while too_large and (rest := stream.read(2**16)):
            size += len(rest)
        name = file_name(parser_context["request"].headers.get("Content-Disposition", ""))
        upload = LimitedUpload(io.BytesIO(content), name, media_type, size)
        upload.too_large = too_large
        return DataAndFiles({}, MultiValueDict({"photos": [upload]}))


def file_name(disposition: str) -> str:
    """The file name of a Content-Disposition header (RFC 6266), or "photo"."""
    if extended := re.search(r"filename\*=UTF-8''([^;]+)", disposition, re.IGNORECASE):
        return unquote(extended[1])
    plain = re.search(r'filename="([^"]+)"|filename=([^;\s]+)', disposition, re.IGNORECASE)
    return (plain[1] or plain[2]) if plain else "photo"
