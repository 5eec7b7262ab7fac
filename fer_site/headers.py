"""Headers that tell browsers what a page may do, and who may embed what the site answers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# What no page needs; only the Live page needs the camera.
UNUSED = (
    *("accelerometer", "bluetooth", "browsing-topics", "display-capture", "geolocation"),
    *("gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb"),
)
NO_CAMERA = ", ".join(f"{feature}=()" for feature in ("camera", *UNUSED))
CAMERA = NO_CAMERA.replace("camera=()", "camera=(self)")
CAMERA_PAGES = {"live"}
# Kept apart from all other sites, a page may share memory among threads: WebAssembly's need it.
ISOLATED_PAGES = {"live"}
# What these pages show, such as recovery codes, must not come back from a browser's cache.
UNSTORED_PAGES = ("account_", "mfa_", "socialaccount_", "openid_connect_")


class PolicyHeadersMiddleware:
    """Adds Permissions-Policy and Cross-Origin-Resource-Policy to every response, and keeps pages
    of accounts out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match  # None for static files
        page = (match.url_name if match else None) or ""
        response.headers["Permissions-Policy"] = CAMERA if page in CAMERA_PAGES else NO_CAMERA
        if page.startswith(UNSTORED_PAGES):
            response.headers["Cache-Control"] = "private, no-store"
        if page in ISOLATED_PAGES:
            response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response
