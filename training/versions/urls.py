"""The URLs of model versions: pages, evaluations, imports and promotion."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from training.versions import views
from training.versions.api import EvaluationViewSet, ImportViewSet, PromotionViewSet

router = SimpleRouter(use_regex_path=False)
router.register("model-imports", ImportViewSet, basename="api-import")
router.register("evaluations", EvaluationViewSet, basename="api-evaluation")

urlpatterns = [
    path("models/", views.version_list, name="models"),
    path("models/compare/", views.compare, name="model-compare"),
    path("models/compare/photo/", views.compare_on_photo, name="model-compare-photo"),
    path("models/import/", views.import_version, name="model-import"),
    path("models/roll-back/", views.roll_back, name="model-roll-back"),
    path("models/<int:number>/", views.version_detail, name="model-version"),
    path("models/<int:number>/archive/", views.archive, name="model-archive"),
    path("models/<int:number>/<str:kind>/", views.download, name="model-download"),
]
api_urlpatterns = [
    *router.urls,
    path(
        "models/<int:number>/promote/",
        PromotionViewSet.as_view({"post": "promote"}),
        name="api-model-promote",
    ),
]
