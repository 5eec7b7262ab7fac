"""The address of the page of live sessions; its WebSocket is in recognition/routing.py."""

from django.urls import path

from recognition.live import views

urlpatterns = [path("live/", views.live, name="live")]
