"""All URLs of recognition, joined from the rooms' own."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from recognition import health, metrics
from recognition.accounts import urls as accounts
from recognition.api.handler import NothingHere
from recognition.api.views import DocsPage
from recognition.audit import urls as audit
from recognition.history import urls as history
from recognition.imports import urls as imports
from recognition.jobs import urls as jobs
from recognition.live import urls as live
from recognition.photos import urls as photos
from recognition.programs import urls as programs
from recognition.registry import urls as registry
from recognition.videos import urls as videos

api_urlpatterns = [
    *photos.api_urlpatterns,
    *videos.api_urlpatterns,
    *history.api_urlpatterns,
    *registry.api_urlpatterns,
    *programs.api_urlpatterns,
    *accounts.api_urlpatterns,
    *jobs.api_urlpatterns,
    *imports.api_urlpatterns,
    path("schema/", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("docs/", DocsPage.as_view(url_name="api-schema"), name="api-docs"),
    re_path("", NothingHere.as_view()),
]
urlpatterns = [
    *photos.urlpatterns,
    *videos.urlpatterns,
    *history.urlpatterns,
    *live.urlpatterns,
    *programs.urlpatterns,
    *accounts.urlpatterns,
    *audit.urlpatterns,
    *jobs.urlpatterns,
    path("health/", health.healthy, name="health"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("metrics", metrics.scrape, name="metrics"),
    path("api/v1/", include(api_urlpatterns)),
]
