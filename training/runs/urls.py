"""The addresses of training runs."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from training.runs import views
from training.runs.api import RunViewSet

router = SimpleRouter(use_regex_path=False)
router.register("training-runs", RunViewSet, basename="api-run")

urlpatterns = [
    path("training/", views.run_list, name="training"),
    path("training/runs/<uuid:pk>/", views.run_detail, name="training-run"),
]
api_urlpatterns = router.urls
