"""The web process: HTTP to Django, WebSockets to Channels."""

import gc
import os
import tempfile

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")
get_asgi_application()

# These need the apps that the call above has loaded.
from django.conf import settings  # noqa: E402

from fer_site import production  # noqa: E402
from fer_site.body_limit import MeasuringHandler, limit_body  # noqa: E402
from fer_site.upload_limit import limit_of  # noqa: E402
from recognition.live.access import key_or_session  # noqa: E402
from recognition.routing import websocket_urlpatterns  # noqa: E402

production.refuse_unsafe_start()

# Where Django stores incoming bodies: on many machines /tmp is in memory, and small.
tempfile.tempdir = str(settings.INCOMING_DIR)

application = ProtocolTypeRouter(
    {
        "http": limit_body(MeasuringHandler(), limit_of),
        "websocket": key_or_session(URLRouter(websocket_urlpatterns)),
    }
)

# What is loaded now stays. A full garbage collection over all of it would stop the process for
# 100 ms now and then.
gc.collect()
gc.freeze()
