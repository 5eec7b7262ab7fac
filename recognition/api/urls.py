"""The addresses of the API."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from recognition.api.account import MeView, StatsView
from recognition.api.analyses import AnalysisViewSet
from recognition.api.exports import ExportViewSet
from recognition.api.faces import FaceViewSet
from recognition.api.hooks import DeliveryViewSet, WebhookViewSet
from recognition.api.keys import KeyViewSet
from recognition.api.versions import ModelViewSet


class NothingHere(APIView):
    """Any other address below /api/."""

    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None

    def initial(self, request, *args, **kwargs):
        raise NotFound("There is nothing at this address of the API.")


router = SimpleRouter(use_regex_path=False)
router.register("analyses", AnalysisViewSet, basename="api-analysis")
router.register("faces", FaceViewSet, basename="api-face")
router.register("exports", ExportViewSet, basename="api-export")
router.register("models", ModelViewSet, basename="api-model")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
router.register("keys", KeyViewSet, basename="api-key")

urlpatterns = [
    *router.urls,
    path("me/", MeView.as_view(), name="api-me"),
    path("stats/", StatsView.as_view(), name="api-stats"),
    path("schema/", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    re_path("", NothingHere.as_view()),
]
