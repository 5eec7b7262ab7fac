"""The addresses of the pages and of the API of trainings."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from training import version_views, views
from training.api import (
    DatasetViewSet,
    EvaluationViewSet,
    ImportViewSet,
    PromotionViewSet,
    RunViewSet,
)
from training.jobs_api import JobViewSet

router = SimpleRouter(use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="api-dataset")
router.register("training-runs", RunViewSet, basename="api-run")
router.register("model-imports", ImportViewSet, basename="api-import")
router.register("evaluations", EvaluationViewSet, basename="api-evaluation")


def jobs(method: str, action: str):
    return JobViewSet.as_view({method: action})


job_patterns = [
    path("", jobs("get", "overview"), name="api-jobs"),
    path("workers/", jobs("get", "workers"), name="api-job-workers"),
    path("retry/", jobs("post", "retry_failed"), name="api-jobs-retry"),
    path("queues/<str:queue>/pause/", jobs("post", "pause"), name="api-queue-pause"),
    path("queues/<str:queue>/resume/", jobs("post", "resume"), name="api-queue-resume"),
    path("<str:kind>/<uuid:pk>/retry/", jobs("post", "retry"), name="api-job-retry"),
    path("<str:kind>/<uuid:pk>/cancel/", jobs("post", "cancel"), name="api-job-cancel"),
]

urlpatterns = [
    path("training/", views.run_list, name="training"),
    path("training/runs/<uuid:pk>/", views.run_detail, name="training-run"),
    path("training/datasets/", views.dataset_list, name="training-datasets"),
    path("jobs/", views.jobs, name="jobs"),
    path("models/", version_views.version_list, name="models"),
    path("models/compare/", version_views.compare, name="model-compare"),
    path("models/compare/photo/", version_views.compare_on_photo, name="model-compare-photo"),
    path("models/import/", version_views.import_version, name="model-import"),
    path("models/roll-back/", version_views.roll_back, name="model-roll-back"),
    path("models/<int:number>/", version_views.version_detail, name="model-version"),
    path("models/<int:number>/archive/", version_views.archive, name="model-archive"),
    path("models/<int:number>/<str:kind>/", version_views.download, name="model-download"),
    path("api/v1/", include(router.urls)),
    path(
        "api/v1/models/<int:number>/promote/",
        PromotionViewSet.as_view({"post": "promote"}),
        name="api-model-promote",
    ),
    path("api/v1/jobs/", include(job_patterns)),
]
