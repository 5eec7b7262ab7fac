"""The Celery application of all workers and of beat.

The apps import their tasks when Django is set up, see settings.TASK_ROOMS.
"""

import os

from celery import Celery
from django.conf import settings

from fer_site.observability import start_tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")
# Django's checks would load the URLs, which workers don't need; the set-up has run them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("mien")
app.config_from_object("django.conf:settings", namespace="CELERY")

if settings.OTLP_ENDPOINT:
    start_tracing(settings.OTLP_ENDPOINT, settings.ROLE)
