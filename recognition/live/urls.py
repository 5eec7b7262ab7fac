"""The URL of the live page; its WebSocket is in recognition/routing.py."""

from django.urls import path

from recognition.live import views

urlpatterns = [path("live/", views.live, name="live")]
