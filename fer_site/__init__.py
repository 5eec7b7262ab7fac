"""The site: settings, addresses and the entry points of the processes."""

from fer_site.celery import app as celery_app

__all__ = ["celery_app"]  # importing any part of the site makes it the app that tasks are sent with
