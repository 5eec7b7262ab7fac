"""The addresses of the history."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from recognition.history import views
from recognition.history.api import ExportViewSet, StatsView

router = SimpleRouter(use_regex_path=False)
router.register("exports", ExportViewSet, basename="api-export")

urlpatterns = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("analyses/", views.analysis_list, name="analysis-list"),
    path("analyses/<uuid:pk>/faces.csv", views.analysis_faces, name="analysis-faces"),
    path("exports/", views.export_list, name="export-list"),
    path("exports/everything/", views.export_everything, name="export-everything"),
]
api_urlpatterns = [*router.urls, path("stats/", StatsView.as_view(), name="api-stats")]
