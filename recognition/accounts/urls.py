"""The URLs of accounts."""

from django.urls import path

from recognition.accounts import views
from recognition.accounts.api import MeView

urlpatterns = [
    path("setup/", views.setup, name="setup"),
    path("privacy/", views.privacy, name="privacy"),
    path("privacy/sign/", views.sign, name="privacy-sign"),
    path("account/consent/", views.agreements, name="account_consent"),
    path("account/confirm/", views.confirm, name="account_confirm_sign_on"),
    path("account/data/", views.data, name="account_data"),
    path("account/delete/", views.close, name="account_close"),
]
api_urlpatterns = [path("me/", MeView.as_view(), name="api-me")]
