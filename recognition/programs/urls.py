"""The URLs of keys and webhooks."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from recognition.programs import views
from recognition.programs.keys_api import KeyViewSet
from recognition.programs.webhooks_api import DeliveryViewSet, WebhookViewSet

router = SimpleRouter(use_regex_path=False)
router.register("webhooks", WebhookViewSet, basename="api-webhook")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
router.register("keys", KeyViewSet, basename="api-key")

urlpatterns = [
    path("account/keys/", views.account_keys, name="account-keys"),
    path("account/webhooks/", views.account_webhooks, name="account-webhooks"),
]
api_urlpatterns = router.urls
