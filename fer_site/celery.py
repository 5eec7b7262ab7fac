"""The Celery application of all workers and of beat.

The apps import their tasks when Django is set up, see settings.TASK_ROOMS.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")
# Setting up has made Django's checks, and they would load the URLs, which workers do without.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("mien")
app.config_from_object("django.conf:settings", namespace="CELERY")
