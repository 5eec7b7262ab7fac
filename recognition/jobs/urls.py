"""The addresses of the page of jobs and of its API."""

from typing import Any

from django.urls import path

from recognition.jobs import views
from recognition.jobs.api import JobViewSet


def jobs(method: str, action: str) -> Any:
    return JobViewSet.as_view({method: action})


urlpatterns = [path("jobs/", views.jobs, name="jobs")]
api_urlpatterns = [
    path("jobs/", jobs("get", "overview"), name="api-jobs"),
    path("jobs/workers/", jobs("get", "workers"), name="api-job-workers"),
    path("jobs/retry/", jobs("post", "retry_failed"), name="api-jobs-retry"),
    path("jobs/queues/<str:queue>/pause/", jobs("post", "pause"), name="api-queue-pause"),
    path("jobs/queues/<str:queue>/resume/", jobs("post", "resume"), name="api-queue-resume"),
    path("jobs/<str:kind>/<uuid:pk>/retry/", jobs("post", "retry"), name="api-job-retry"),
    path("jobs/<str:kind>/<uuid:pk>/cancel/", jobs("post", "cancel"), name="api-job-cancel"),
]
