"""Sends private files, only after a permission check."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import IO, Any, cast
from urllib.parse import quote

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes


def serve_picture(request: HttpRequest, picture: FieldFile) -> HttpResponse:
    """The response with a stored JPEG; call it only after the permission check.

    Behind nginx, nginx sends the file. Browsers may cache the picture but must revalidate each
    time, so it isn't shown after signing out. Raises Http404 if there is none (yet).
    """
    if not picture:
        raise Http404
    etag = quote_etag(str(picture.name))
    response = get_conditional_response(request, etag=etag)
    if response is None and settings.SENDFILE == "nginx":
        response = HttpResponse(content_type="image/jpeg")
        response["X-Accel-Redirect"] = f"/private/{quote(str(picture.name))}"
    elif response is None:
        with picture.open() as file:
            response = HttpResponse(file.read(), content_type="image/jpeg")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


class Download(FileResponse):
    """A file sent piece by piece, also by an ASGI server: there Django reads all of it at once."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        file = cast(IO[bytes], self.file_to_stream)
        while piece := await asyncio.to_thread(file.read, self.block_size):
            yield piece


def serve_download(file: FieldFile, content_type: str, name: str) -> HttpResponseBase:
    """A stored file to be saved under `name`, for a request that was found to be permitted.

    Behind nginx the file itself is sent by nginx. Raises Http404 if there is none (any more).
    """
    if not file:
        raise Http404
    response: HttpResponseBase
    if settings.SENDFILE == "nginx":
        response = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = f"/private/{quote(str(file.name))}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    else:
        try:
            content = file.open()
        except FileNotFoundError:  # deleted since the row was read
            raise Http404 from None
        response = Download(content, as_attachment=True, filename=name, content_type=content_type)
    response["Cache-Control"] = "private, no-store"
    return response


def serve_media(request: HttpRequest, media: FieldFile) -> HttpResponseBase:
    """A stored video for a player, which asks for ranges of it (RFC 9110); after the check.

    Behind nginx, nginx sends the file. Raises Http404 if there is none (yet).
    """
    if not media:
        raise Http404
    kind = f"video/{str(media.name).rpartition('.')[2]}"
    etag = quote_etag(str(media.name))
    response: HttpResponseBase
    if settings.SENDFILE == "nginx":
        response = HttpResponse(content_type=kind)
        response["X-Accel-Redirect"] = f"/private/{quote(str(media.name))}"
    else:
        try:
            file, size = media.open(), media.size
        except FileNotFoundError:
            raise Http404 from None
        wanted = request.headers.get("Range", "")
        if request.headers.get("If-Range", etag) != etag:
            wanted = ""
        response = _ranged(file, size, wanted, kind)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _ranged(file: Any, size: int, wanted: str, kind: str) -> HttpResponseBase:
    """The whole file, or the one range that is wanted; several ranges get the whole file."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.strip())
    if not found or not any(found.groups()):
        return Download(file, content_type=kind)
    first, last = found.groups()
    if first:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
    else:
        begin, end = max(0, size - int(last)), size - 1
    if begin >= size or begin > end:
        file.close()
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    file.seek(begin)
    response = Download(_Part(file, end - begin + 1), status=206, content_type=kind)
    response["Content-Length"] = str(end - begin + 1)
    response["Content-Range"] = f"bytes {begin}-{end}/{size}"
    return response


class _Part:
    """The next `left` bytes of a file, as a file."""

    def __init__(self, file: Any, left: int) -> None:
        self.file, self.left = file, left

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        piece: bytes = self.file.read(wanted)
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        self.file.close()


JPEG = {(200, "image/jpeg"): OpenApiTypes.BINARY}
