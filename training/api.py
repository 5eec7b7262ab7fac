"""Base classes of the training API; only administrators can see it."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework import mixins, viewsets
from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition.api.access import HasScope, IsAdministrator, key_of
from recognition.api.pages import NewestFirst
from recognition.api.problems import Problem
from recognition.api.views import RateHeaders
from recognition.engine.errors import CodedError
from training.models import Dataset


class TrainingViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """The base view: access for administrators, and errors as problem documents."""

    scope = read_scope = "train"
    permission_classes = [IsAdministrator, HasScope]
    pagination_class = NewestFirst
    parser_classes = [JSONParser, FormParser]
    lookup_value_converter = "uuid"

    @property
    def fields(self) -> Mapping:
        """The request's data, by name."""
        data = self.request.data
        if not isinstance(data, Mapping):
            raise ParseError("Send a JSON object.")
        return data

    def text(self, name: str, default: str = "") -> str:
        """One of the fields, without NUL characters, which databases refuse."""
        return str(self.fields.get(name, default)).replace("\0", "")

    def handle_exception(self, exception: Exception) -> Response:
        if isinstance(exception, CodedError):
            status = 413 if exception.code in ("file_too_large", "too_large") else 400
            code, message, field = exception.code, exception.message, exception.field
            errors = [{"field": field, "code": code, "message": message}] if field else None
            exception = Problem(status, code, message, errors=errors)
        return super().handle_exception(exception)

    def answer(self, changed: bool, message: str) -> Response:
        """The state after a change, or 409 if there was nothing to change."""
        if not changed:
            raise Problem(409, "not_possible", message)
        return Response(self.get_serializer(self.get_object()).data)


class LargerUploads(APIView):
    """View mixin that accepts larger files from administrators."""

    upload_handler: type[FileUploadHandler]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Before anything reads the body; everyone else keeps the limits of photos.
        # Only generating the API's description has requests without a user.
        if getattr(request, "user", None) and request.user.is_staff:
            request.upload_handlers = [self.upload_handler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def perform_authentication(self, request: Any) -> None:
        super().perform_authentication(request)
        # A key is known only now; with one, nothing has read the body yet.
        if key_of(request) and request.user.is_staff:
            request._request.upload_handlers = [self.upload_handler(request._request)]


def find_dataset(data: Mapping) -> Dataset:
    """The data set named in a request. Raises CodedError."""
    try:
        return Dataset.objects.get(pk=data["dataset"])
    except (Dataset.DoesNotExist, KeyError, ValueError, TypeError, ValidationError):
        raise CodedError("unknown_dataset", "There is no such data set.", "dataset") from None
