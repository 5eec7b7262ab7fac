"""The URLs of the audit log."""

from django.urls import path

from recognition.audit import views

urlpatterns = [
    path("account/activity/", views.activity, name="account_activity"),
    path("account/activity.csv", views.activity_file, name="account_activity_file"),
]
