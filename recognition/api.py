"""The REST API: thin views over submissions and analyses."""

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from rest_framework import mixins, status, viewsets
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from recognition import analyses
from recognition.engine.errors import MediaError
from recognition.models import Analysis
from recognition.serializers import AnalysisDetailSerializer, AnalysisSerializer
from recognition.submissions import submit_image

# The status of a request in which nothing was accepted, by the code of its first error.
REFUSED = {
    "file_too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "not_an_image": status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
}
TOO_MANY_FILES = {
    "file": None,
    "code": "too_many_files",
    "message": f"Send at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} photos in a request.",
}
NO_FILES = {
    "file": None,
    "code": "no_files",
    "message": 'Send one or more photos as multipart form data in the field "photos".',
}


class AnalysisPagination(CursorPagination):
    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ("-created_at", "-id")


class AnalysisViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The analyses of the signed-in person."""

    parser_classes = [MultiPartParser]
    pagination_class = AnalysisPagination

    def get_queryset(self):
        return Analysis.objects.filter(owner=self.request.user).select_related("model_version")

    def get_serializer_class(self):
        return AnalysisDetailSerializer if self.action == "retrieve" else AnalysisSerializer

    def create(self, request: Request) -> Response:
        """Accept photos: 202 with what was queued and what was refused, each with its reason."""
        accepted, errors = [], []
        try:
            uploads = request.FILES.getlist("photos")
        except TooManyFilesSent:
            return Response({"analyses": [], "errors": [TOO_MANY_FILES]}, status=400)
        for upload in uploads:
            try:
                accepted.append(submit_image(request.user, upload))
            except MediaError as error:
                entry = {"file": upload.name, "code": error.code, "message": error.message}
                errors.append(entry)
        if not accepted and not errors:
            errors.append(NO_FILES)
        body = {"analyses": self.get_serializer(accepted, many=True).data, "errors": errors}
        if accepted:
            return Response(body, status=status.HTTP_202_ACCEPTED)
        refused = REFUSED.get(errors[0]["code"], status.HTTP_400_BAD_REQUEST)
        return Response(body, status=refused)

    def perform_destroy(self, instance: Analysis) -> None:
        analyses.delete_analysis(instance)
