"""The size limit of request bodies: administrators' data sets may be larger than anything else."""

import io
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.urls import reverse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from recognition import administrators
from recognition.api.access import KeyAuthentication


async def limit_of(scope: dict[str, Any]) -> int:
    """The largest body in bytes for this request.

    The user is looked up before the body is read, so nobody else can fill the disk.
    """
    path = scope["path"].rstrip("/") + "/"
    is_dataset = scope["method"] == "POST" and path == reverse("api-dataset-list")
    if is_dataset and await is_administrator(scope):
        # One data set, with its votes and the rest of the form.
        return max(
            settings.MAX_DATASET_BYTES + settings.MAX_UPLOAD_BYTES, settings.MAX_REQUEST_BYTES
        )
    return settings.MAX_REQUEST_BYTES


@database_sync_to_async
def is_administrator(scope: dict[str, Any]) -> bool:
    """Whether the request carries an administrator's session or key."""
    request = ASGIRequest(scope, io.BytesIO())
    try:
        user = (KeyAuthentication().authenticate(Request(request)) or [None])[0]
    except AuthenticationFailed:
        return False
    if user is None:
        store = import_module(settings.SESSION_ENGINE).SessionStore
        request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        user = get_user(request)
    return administrators.may_administrate(user)
