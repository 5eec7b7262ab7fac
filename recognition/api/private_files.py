"""Sends private files, only after a permission check."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import IO, cast
from urllib.parse import quote

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes

from recognition import storage


def serve_picture(request: HttpRequest, picture: FieldFile) -> HttpResponse:
    """The response with a stored JPEG; call it only after the permission check.

    Behind nginx, nginx sends the file. Browsers may cache the picture but must revalidate each
    time, so it isn't shown after signing out. Raises Http404 if there is none (yet).
    """
    if not picture:
        raise Http404
    etag = quote_etag(str(picture.name))
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = _elsewhere(str(picture.name), "image/jpeg")
    if response is None:
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
    disposition = f'attachment; filename="{name}"'
    response: HttpResponseBase | None = _elsewhere(str(file.name), content_type, disposition)
    if response is None:
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
    response: HttpResponseBase | None = _elsewhere(str(media.name), kind)
    if response is None:
        wanted = request.headers.get("Range", "")
        if request.headers.get("If-Range", etag) != etag:
            wanted = ""
        try:
            response = _ranged(str(media.name), media.size, wanted, kind)
        except FileNotFoundError:
            raise Http404 from None
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _ranged(name: str, size: int, wanted: str, kind: str) -> HttpResponseBase:
    """The whole file, or the one range that is wanted; several ranges get the whole file."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.strip())
    if not found or not any(found.groups()):
        whole = Download(storage.open_range(name, 0, size - 1), content_type=kind)
        whole["Content-Length"] = str(size)
        return whole
    first, last = found.groups()
    if first:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
    else:
        begin, end = max(0, size - int(last)), size - 1
    if begin >= size or begin > end:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    part = storage.open_range(name, begin, end)
    response = Download(part, status=206, content_type=kind)
    response["Content-Length"] = str(end - begin + 1)
    response["Content-Range"] = f"bytes {begin}-{end}/{size}"
    return response


def _elsewhere(name: str, content_type: str, disposition: str = "") -> HttpResponse | None:
    """What lets nginx or the object storage send the file, by MIEN_SENDFILE; None for neither."""
    if settings.SENDFILE == "redirect":
        return HttpResponseRedirect(storage.signed_url(name, content_type, disposition))
    if settings.SENDFILE != "nginx":
        return None
    response = HttpResponse(content_type=content_type)
    if disposition:
        response["Content-Disposition"] = disposition
    if storage.is_remote():
        scheme, _, rest = storage.signed_url(name, content_type, disposition).partition("://")
        response["X-Accel-Redirect"] = f"/stored/{scheme}/{rest}"
    else:
        response["X-Accel-Redirect"] = f"/private/{quote(name)}"
    return response


JPEG = {(200, "image/jpeg"): OpenApiTypes.BINARY}
