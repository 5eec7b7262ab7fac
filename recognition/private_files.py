"""Private files on their way out: only after a permission check, never by their own address."""

from urllib.parse import quote

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag


def serve_picture(request: HttpRequest, picture: FieldFile) -> HttpResponse:
    """A stored JPEG as the answer to a request that was found to be permitted.

    Behind nginx the file itself is sent by nginx. A browser may keep the picture but asks each
    time, so that it is not shown after signing out. Raises Http404 if there is none (yet).
    """
    if not picture:
        raise Http404
    etag = quote_etag(picture.name)
    response = get_conditional_response(request, etag=etag)
    if response is None and settings.SENDFILE == "nginx":
        response = HttpResponse(content_type="image/jpeg")
        response["X-Accel-Redirect"] = f"/private/{quote(picture.name)}"
    elif response is None:
        with picture.open() as file:
            response = HttpResponse(file.read(), content_type="image/jpeg")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
