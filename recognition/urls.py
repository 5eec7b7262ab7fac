"""The addresses of pages, private pictures and the REST API."""

from django.urls import include, path

from recognition import views

urlpatterns = [
    path("", views.home, name="home"),
    path("setup/", views.setup, name="setup"),
    path("health/", views.healthy, name="health"),
    path("dashboard/", views.dashboard, name="dashboard"),
    path("account/keys/", views.account_keys, name="account-keys"),
    path("account/webhooks/", views.account_webhooks, name="account-webhooks"),
    path("live/", views.live, name="live"),
    path("analyses/", views.analysis_list, name="analysis-list"),
    path("analyses/<uuid:pk>/", views.analysis_detail, name="analysis-detail"),
    path("analyses/<uuid:pk>/faces.csv", views.analysis_faces, name="analysis-faces"),
    path("analyses/<uuid:pk>/photo/", views.analysis_photo, name="analysis-photo"),
    path("analyses/<uuid:pk>/thumbnail/", views.analysis_thumbnail, name="analysis-thumbnail"),
    path("exports/", views.export_list, name="export-list"),
    path("api/v1/", include("recognition.api.urls")),
]
