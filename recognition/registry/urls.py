"""The URLs of model versions in the API; their pages are in training."""

from rest_framework.routers import SimpleRouter

from recognition.registry.api import ModelViewSet

router = SimpleRouter(use_regex_path=False)
router.register("models", ModelViewSet, basename="api-model")
api_urlpatterns = router.urls
