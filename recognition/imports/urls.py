"""The addresses of imports."""

from rest_framework.routers import SimpleRouter

from recognition.imports.api import MediaImportViewSet

router = SimpleRouter(use_regex_path=False)
router.register("media-imports", MediaImportViewSet, basename="api-media-import")

api_urlpatterns = router.urls
