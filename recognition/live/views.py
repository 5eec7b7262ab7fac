"""The page of live sessions, and what it loads to read faces in the browser."""

from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

from recognition.api.people import after_consent
from recognition.engine.errors import ModelError
from recognition.live import on_device
from recognition.live.session import limits as live_limits


@login_required
# Only this page runs WebAssembly: ONNX Runtime.
@csp_update({"script-src": ["'self'", "'wasm-unsafe-eval'"], "worker-src": ["'self'"]})
@after_consent
def live(request: HttpRequest) -> HttpResponse:
    return render(request, "live/live.html", {"live_limits": live_limits()})


@require_safe
@cache_control(private=True, no_cache=True)
@login_required
def networks(request: HttpRequest) -> HttpResponse:
    """What to load for reading faces in the browser, as JSON."""
    return JsonResponse(on_device.manifest())


@require_safe
@login_required
@cache_control(private=True, max_age=365 * 24 * 3600, immutable=True)
@etag(lambda request, sha256: f'"{sha256}"')
def network(request: HttpRequest, sha256: str) -> HttpResponse:
    """The file of a network, by its SHA-256."""
    try:
        content = on_device.read_network(sha256)
    except ModelError as error:
        return JsonResponse({"detail": str(error)}, status=503)
    return HttpResponse(content, content_type="application/octet-stream")
