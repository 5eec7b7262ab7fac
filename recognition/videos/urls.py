"""The addresses of videos."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from recognition.videos import views
from recognition.videos.api import VideosView
from recognition.videos.timeline_api import (
    BoxesViewSet,
    FilesViewSet,
    MarkerViewSet,
    SeriesViewSet,
    TrackViewSet,
)
from recognition.videos.uploads_api import UploadsView, UploadView

router = SimpleRouter(use_regex_path=False)
router.register("tracks", TrackViewSet, basename="api-track")
router.register("series", SeriesViewSet, basename="api-series")
router.register("boxes", BoxesViewSet, basename="api-boxes")
router.register("files", FilesViewSet, basename="api-file")
router.register("markers", MarkerViewSet, basename="api-marker")

urlpatterns = [
    path("analyses/<uuid:pk>/media/", views.analysis_media, name="analysis-media"),
]
api_urlpatterns = [
    path("videos/", VideosView.as_view(), name="api-video-list"),
    path("uploads/", UploadsView.as_view(), name="api-upload-list"),
    path("uploads/<uuid:pk>/", UploadView.as_view(), name="api-upload-detail"),
    path("analyses/<uuid:analysis>/", include(router.urls)),
]
