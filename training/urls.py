"""The addresses of the API of trainings."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from training.api import DatasetViewSet, EvaluationViewSet, RunViewSet

router = SimpleRouter(use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="api-dataset")
router.register("runs", RunViewSet, basename="api-run")
router.register("evaluations", EvaluationViewSet, basename="api-evaluation")

urlpatterns = [path("api/v1/training/", include(router.urls))]
