"""Every address of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

sign_on = (
    [
        path("accounts/connections/", include("allauth.socialaccount.urls")),
        path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    ]
    if settings.OIDC_ISSUER
    else []
)
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    *sign_on,
    path("", include("training.urls")),
    path("", include("recognition.urls")),  # last: it answers for every other address of the API
]
