"""The addresses of data sets."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from training.datasets import views
from training.datasets.api import DatasetViewSet

router = SimpleRouter(use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="api-dataset")

urlpatterns = [path("training/datasets/", views.dataset_list, name="training-datasets")]
api_urlpatterns = router.urls
