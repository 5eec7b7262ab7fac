"""/api/v1/datasets/: data sets, for administrators."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.people import person_of
from recognition.api.private_files import JPEG, serve_picture
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from training.api import LargerUploads, TrainingViewSet
from training.core.data.classes import ORDERS
from training.datasets import events
from training.datasets import intake as dataset_intake
from training.models import Dataset


class ClassesSerializer(serializers.Serializer):
    """What to do with folders whose names are none of the seven classes."""

    leave_out_unknown = serializers.BooleanField(default=False)
    class_order = serializers.ChoiceField(
        ORDERS,
        allow_blank=True,
        default="",
        help_text="of folders named 0 to 6: fer2013 or alphabetical",
    )


class NewDatasetSerializer(ClassesSerializer):
    """A data set as files."""

    data = serializers.FileField()  # type: ignore[assignment]  # a field, as DRF has it
    votes = serializers.FileField(required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)


class ServerFileSerializer(ClassesSerializer):
    """A data set in the server's folder."""

    path = serializers.CharField()
    votes = serializers.CharField(allow_blank=True, required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)


class ServerFilesSerializer(serializers.Serializer):
    """The files in the server's folder."""

    files = serializers.ListField(child=serializers.CharField())


class DatasetSerializer(StateSerializer):
    state = events.DatasetState

    def to_representation(self, instance: Dataset) -> events.DatasetState:
        return events.describe_dataset(instance)


class DatasetViewSet(LargerUploads, TrainingViewSet):
    """Data sets to train on, uploaded or in the server's folder. Administrators only."""

    queryset = Dataset.objects.all()
    serializer_class = DatasetSerializer
    parser_classes = [MultiPartParser, JSONParser, FormParser]
    upload_handler = dataset_intake.DatasetUploadHandler

    @extend_schema(
        request={
            "multipart/form-data": NewDatasetSerializer,
            "application/json": ServerFileSerializer,
        },
        responses={200: DatasetSerializer, 201: DatasetSerializer},
    )
    def create(self, request: Request) -> Response:
        """Add a data set. Returns 201, or 200 with an existing one that has the same content.

        Upload it as multipart form data (`data` or `file`, `votes`), or name a file on the server
        (`path`, `votes`).
        """
        name, classes = self.text("name"), self.classes()
        if upload := request.FILES.get("data") or request.FILES.get("file"):
            votes = request.FILES.get("votes")
            dataset, created = dataset_intake.add_upload(
                person_of(request), upload, votes, name, **classes
            )
        elif path := self.text("path"):
            votes = self.text("votes")
            dataset, created = dataset_intake.add_path(
                person_of(request), path, votes, name, **classes
            )
        else:
            raise dataset_intake.DatasetRefused(
                "missing_data",
                'Upload a file in the field "data" or "file", or name one on the server in "path".',
                "data",
            )
        return Response(self.get_serializer(dataset).data, status=201 if created else 200)

    def classes(self) -> dict[str, Any]:
        """The options about folders' names. Raises ValidationError."""
        given = {
            name: self.fields[name] for name in ClassesSerializer().fields if name in self.fields
        }
        wanted = ClassesSerializer(data=given)
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)

    @extend_schema(request=ClassesSerializer, responses={202: DatasetSerializer})
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Check a failed data set again, with other options about its folders' names."""
        dataset = self.get_object()
        if not dataset_intake.check_again(dataset, **self.classes()):
            raise Problem(409, "not_retryable", "Only a failed data set can be checked again.")
        return Response(self.get_serializer(dataset).data, status=202)

    def destroy(self, request: Request, pk: str) -> Response:
        dataset_intake.remove(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses={200: DatasetSerializer, 201: DatasetSerializer})
    @action(detail=False, methods=["post"])
    def corrections(self, request: Request) -> Response:
        """Add the faces that you have corrected as a data set."""
        dataset, created = dataset_intake.add_corrections(person_of(request))
        return Response(self.get_serializer(dataset).data, status=201 if created else 200)

    @extend_schema(responses=ServerFilesSerializer)
    @action(detail=False, pagination_class=None)
    def files(self, request: Request) -> Response:
        """The files in the server's folder."""
        return Response({"files": dataset_intake.server_files()})

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def sheet(self, request: Request, pk: str) -> HttpResponse:
        """The contact sheet: samples of each class."""
        return serve_picture(request, self.get_object().sheet)
