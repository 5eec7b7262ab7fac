"""The addresses of photos and of their results."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from recognition.photos import views
from recognition.photos.api import AnalysisViewSet
from recognition.photos.faces_api import FaceViewSet

router = SimpleRouter(use_regex_path=False)
router.register("analyses", AnalysisViewSet, basename="api-analysis")
router.register("faces", FaceViewSet, basename="api-face")

urlpatterns = [
    path("", views.home, name="home"),
    path("analyses/<uuid:pk>/", views.analysis_detail, name="analysis-detail"),
    path("analyses/<uuid:pk>/photo/", views.analysis_photo, name="analysis-photo"),
    path("analyses/<uuid:pk>/thumbnail/", views.analysis_thumbnail, name="analysis-thumbnail"),
]
api_urlpatterns = router.urls
