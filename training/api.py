"""The API of trainings, for administrators; for anybody else it is not there."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, permissions, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from recognition import registry
from recognition.api.access import HasScope, RateHeaders
from recognition.api.pages import NewestFirst
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.api.versions import ModelVersionSerializer
from recognition.engine.errors import ModelError
from recognition.models import ModelVersion
from recognition.private_files import serve_picture
from training import events, intake, launch, model_intake, promotion
from training.api_requests import (
    EstimateSerializer,
    NewDatasetSerializer,
    NewEvaluationSerializer,
    NewImportSerializer,
    NewRunSerializer,
    PresetsSerializer,
    PromotionSerializer,
    ServerFileSerializer,
    ServerFilesSerializer,
)
from training.models import Dataset, Evaluation, ModelImport, TrainingRun

JPEG = {(200, "image/jpeg"): OpenApiTypes.BINARY}


class IsAdministrator(permissions.BasePermission):
    def has_permission(self, request: Request, view) -> bool:
        if not request.user.is_staff:
            raise Http404
        return True


class DatasetSerializer(StateSerializer):
    state = events.DatasetState

    def to_representation(self, instance: Dataset) -> events.DatasetState:
        return events.describe_dataset(instance)


class RunSerializer(StateSerializer):
    state = events.RunState

    def to_representation(self, instance: TrainingRun) -> events.RunState:
        return events.describe_run(instance)


class RunDetailSerializer(StateSerializer):
    state = events.RunDetail

    def to_representation(self, instance: TrainingRun) -> events.RunDetail:
        return events.describe_run_detail(instance)


class EvaluationSerializer(StateSerializer):
    state = events.EvaluationState

    def to_representation(self, instance: Evaluation) -> events.EvaluationState:
        return events.describe_evaluation(instance)


class ImportSerializer(StateSerializer):
    state = events.ImportState

    def to_representation(self, instance: ModelImport) -> events.ImportState:
        return events.describe_import(instance)


class TrainingViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """What all have in common: who is let in, and how a refusal is answered."""

    scope = read_scope = "train"
    permission_classes = [IsAdministrator, HasScope]
    pagination_class = NewestFirst
    parser_classes = [JSONParser, FormParser]
    lookup_value_converter = "uuid"

    @property
    def fields(self) -> Mapping:
        """What was sent, by name."""
        data = self.request.data
        if not isinstance(data, Mapping):
            raise ParseError("Send a JSON object.")
        return data

    def text(self, name: str, default: str = "") -> str:
        """One of the fields; a database may refuse a zero character."""
        return str(self.fields.get(name, default)).replace("\0", "")

    def handle_exception(self, exception: Exception) -> Response:
        if isinstance(exception, (intake.DatasetRefused, launch.LaunchRefused, ModelError)):
            status = 413 if exception.code in ("file_too_large", "too_large") else 400
            field = getattr(exception, "field", "")
            entry = {"field": field, "code": exception.code, "message": exception.message}
            exception = Problem(
                status, exception.code, exception.message, errors=[entry] if field else None
            )
        return super().handle_exception(exception)

    def answer(self, changed: bool, message: str) -> Response:
        """The state after a change, or 409 where there was nothing to change."""
        if not changed:
            raise Problem(409, "not_possible", message)
        return Response(self.get_serializer(self.get_object()).data)


class LargerUploads:
    """A mixin of views that take larger files from administrators."""

    def initialize_request(self, request, *args, **kwargs):
        # Before anything reads the body; whoever is no administrator keeps the limits of photos.
        # Only the description of the API is made from requests of nobody at all.
        if getattr(request, "user", None) and request.user.is_staff:
            request.upload_handlers = [self.upload_handler(request)]
        return super().initialize_request(request, *args, **kwargs)


class DatasetViewSet(LargerUploads, TrainingViewSet):
    """Data sets to train on: uploaded, or named in the server's folder. Administrators only."""

    queryset = Dataset.objects.all()
    serializer_class = DatasetSerializer
    parser_classes = [MultiPartParser, JSONParser, FormParser]
    upload_handler = intake.DatasetUploadHandler

    @extend_schema(
        request={
            "multipart/form-data": NewDatasetSerializer,
            "application/json": ServerFileSerializer,
        },
        responses={200: DatasetSerializer, 201: DatasetSerializer},
    )
    def create(self, request: Request) -> Response:
        """201 with a new data set, 200 with the one that has the same content already.

        Uploaded as multipart form data (`data`, `votes`), or named (`path`, `votes`).
        """
        name = self.text("name")
        if upload := request.FILES.get("data"):
            votes = request.FILES.get("votes")
            dataset, created = intake.add_upload(request.user, upload, votes, name)
        else:
            path, votes = self.text("path"), self.text("votes")
            dataset, created = intake.add_path(request.user, path, votes, name)
        return Response(self.get_serializer(dataset).data, status=201 if created else 200)

    def destroy(self, request: Request, pk: str) -> Response:
        intake.remove(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses={200: DatasetSerializer, 201: DatasetSerializer})
    @action(detail=False, methods=["post"])
    def corrections(self, request: Request) -> Response:
        """The same of the faces that the administrator who asks has corrected."""
        dataset, created = intake.add_corrections(request.user)
        return Response(self.get_serializer(dataset).data, status=201 if created else 200)

    @extend_schema(responses=ServerFilesSerializer)
    @action(detail=False, pagination_class=None)
    def files(self, request: Request) -> Response:
        """What lies in the server's folder."""
        return Response({"files": intake.server_files()})

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def sheet(self, request: Request, pk: str) -> HttpResponse:
        """The contact sheet: samples of each class."""
        return serve_picture(request, self.get_object().sheet)


class ImportViewSet(LargerUploads, TrainingViewSet):
    """Model files made elsewhere on their way into the registry. Administrators only."""

    queryset = ModelImport.objects.select_related("created_by", "model_version")
    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]
    upload_handler = model_intake.ModelUploadHandler

    @extend_schema(
        request={"multipart/form-data": NewImportSerializer},
        responses={201: ImportSerializer, 202: ImportSerializer},
    )
    def create(self, request: Request) -> Response:
        """201 with an ONNX file's version, 202 while a worker makes a model of weights."""
        files = request.FILES
        about = {name: self.text(name) for name in ("architecture", "dataset", "note")}
        found = model_intake.add_upload(request.user, files.get("file"), files.get("card"), about)
        status = 201 if found.is_finished else 202
        return Response(self.get_serializer(found).data, status=status)

    def destroy(self, request: Request, pk: str) -> Response:
        model_intake.remove(self.get_object())
        return Response(status=204)


class RunViewSet(TrainingViewSet):
    """Trainings. Administrators only."""

    queryset = TrainingRun.objects.select_related(
        "dataset", "created_by", "model_version"
    ).prefetch_related("epochs")

    def get_serializer_class(self):
        return RunSerializer if self.action == "list" else RunDetailSerializer

    @extend_schema(request=NewRunSerializer, responses={201: RunDetailSerializer})
    def create(self, request: Request) -> Response:
        """Queue a training: a data set, a preset, and what differs from the preset."""
        run = launch.start(
            request.user,
            _dataset(self.fields),
            self.text("preset", "balanced"),
            _options(self.fields),
            self.text("note"),
        )
        return Response(self.get_serializer(run).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        launch.remove(self.get_object())
        return Response(status=204)

    @extend_schema(request=NewRunSerializer, responses=EstimateSerializer)
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        """Seconds that such a run takes; null while the speed is being measured."""
        preset = self.text("preset", "balanced")
        config, _patience = launch.read_config(preset, _options(self.fields))
        dataset = _dataset(self.fields)
        launch.check_dataset(dataset, config)
        return Response({"seconds": launch.estimate(dataset, config)})

    @extend_schema(responses=PresetsSerializer)
    @action(detail=False, pagination_class=None)
    def presets(self, request: Request) -> Response:
        """What can be chosen: presets with their values, options with their ranges."""
        return Response(
            {
                "presets": {name: config.to_dict() for name, config in launch.PRESETS.items()},
                "choices": launch.CHOICES,
                "options": {
                    name: {
                        "title": option.title,
                        "whole": option.kind is int,
                        "lowest": option.lowest,
                        "highest": option.highest,
                    }
                    for name, option in launch.OPTIONS.items()
                },
            }
        )

    @extend_schema(request=None, responses=RunDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Take it out of the queue, or stop it within seconds; what it has learned is kept."""
        return self.answer(launch.cancel(self.get_object()), "This training has ended already.")

    @extend_schema(request=None, responses=RunDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let a training that failed or was canceled go on from its last epoch."""
        return self.answer(
            launch.resume(self.get_object()),
            "Only a training that failed or was canceled can go on.",
        )

    @extend_schema(request=None, responses={201: RunDetailSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Queue a new training with the choices of this one."""
        run = launch.retry(request.user, self.get_object())
        return Response(self.get_serializer(run).data, status=201)


class EvaluationViewSet(TrainingViewSet):
    """How well a model version reads the faces of a data set. Administrators only."""

    queryset = Evaluation.objects.select_related("version", "dataset")
    serializer_class = EvaluationSerializer

    @extend_schema(request=NewEvaluationSerializer, responses={202: EvaluationSerializer})
    def create(self, request: Request) -> Response:
        """Ask for an evaluation: the one there is, or a new one."""
        number = self.text("version")
        version = get_object_or_404(ModelVersion, number=number if number.isdecimal() else 0)
        dataset, split = _dataset(self.fields), self.text("split")
        evaluation = launch.ask_evaluation(request.user, version, dataset, split)
        return Response(self.get_serializer(evaluation).data, status=202)

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def picture(self, request: Request, pk: str) -> HttpResponse:
        """The worst mistakes as a picture."""
        return serve_picture(request, self.get_object().picture)


class PromotionViewSet(TrainingViewSet):
    """Which model version is in use. Administrators only."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
    lookup_field = "number"

    @extend_schema(request=PromotionSerializer, responses=ModelVersionSerializer)
    def promote(self, request: Request, number: int) -> Response:
        """Make this version the one that all workers use."""
        version = self.get_object()
        wanted = PromotionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            promotion.promote(version, request.user, **wanted.validated_data)
        except registry.PromotionRefused as refusal:
            raise Problem(409, refusal.code, refusal.message) from None
        version.refresh_from_db()
        return Response(self.get_serializer(version).data)


def _dataset(data: Mapping) -> Dataset:
    try:
        return Dataset.objects.get(pk=data.get("dataset"))
    except (Dataset.DoesNotExist, ValueError, TypeError, ValidationError):
        raise launch.LaunchRefused(
            "unknown_dataset", "There is no such data set.", "dataset"
        ) from None


def _options(data: Mapping) -> dict:
    """What was sent besides the names of things."""
    named = ("dataset", "preset", "note")
    return {name: data[name] for name in data if name not in named}
