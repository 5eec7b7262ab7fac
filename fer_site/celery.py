"""The Celery application of all workers and of beat."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")

app = Celery("mien")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
