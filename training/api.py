"""The API of trainings, for administrators; for anybody else it is not there."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework import mixins, permissions, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.access import HasScope, RateHeaders
from recognition.api.pages import NewestFirst
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.engine.errors import ModelError
from recognition.models import ModelVersion
from recognition.private_files import serve_picture
from training import events, intake, launch, model_intake
from training.models import Dataset, Evaluation, ModelImport, TrainingRun


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

    schema = None  # what is not there for most people is not described to them
    scope = "train"
    permission_classes = [IsAdministrator, HasScope]
    pagination_class = NewestFirst
    parser_classes = [JSONParser, FormParser]
    lookup_value_converter = "uuid"

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
    """Data sets: uploaded as multipart form data (`data`, `votes`), or named (`path`, `votes`)."""

    queryset = Dataset.objects.all()
    serializer_class = DatasetSerializer
    parser_classes = [MultiPartParser, JSONParser, FormParser]
    upload_handler = intake.DatasetUploadHandler

    def create(self, request: Request) -> Response:
        """201 with a new data set, 200 with the one that has the same content already."""
        name = str(request.data.get("name", ""))
        if upload := request.FILES.get("data"):
            votes = request.FILES.get("votes")
            dataset, created = intake.add_upload(request.user, upload, votes, name)
        else:
            path, votes = (str(request.data.get(key, "")) for key in ("path", "votes"))
            dataset, created = intake.add_path(request.user, path, votes, name)
        return Response(self.get_serializer(dataset).data, status=201 if created else 200)

    def destroy(self, request: Request, pk: str) -> Response:
        intake.remove(self.get_object())
        return Response(status=204)

    @action(detail=False, methods=["post"])
    def corrections(self, request: Request) -> Response:
        """The same of the faces that the administrator who asks has corrected."""
        dataset, created = intake.add_corrections(request.user)
        return Response(self.get_serializer(dataset).data, status=201 if created else 200)

    @action(detail=False)
    def files(self, request: Request) -> Response:
        """What lies in the server's folder."""
        return Response({"files": intake.server_files()})

    @action(detail=True)
    def sheet(self, request: Request, pk: str) -> HttpResponse:
        return serve_picture(request, self.get_object().sheet)


class ImportViewSet(LargerUploads, TrainingViewSet):
    """Model files made elsewhere: multipart form data with `file` (ONNX or npz), and optionally
    `card`, `architecture`, `dataset` (to be scored on) and `note`."""

    queryset = ModelImport.objects.select_related("created_by", "model_version")
    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]
    upload_handler = model_intake.ModelUploadHandler

    def create(self, request: Request) -> Response:
        """201 with an ONNX file's version, 202 while a worker makes a model of weights."""
        files = request.FILES
        found = model_intake.add_upload(
            request.user, files.get("file"), files.get("card"), request.data
        )
        status = 201 if found.is_finished else 202
        return Response(self.get_serializer(found).data, status=status)

    def destroy(self, request: Request, pk: str) -> Response:
        model_intake.remove(self.get_object())
        return Response(status=204)


class RunViewSet(TrainingViewSet):
    """Runs: started with `dataset`, `preset`, `note`, and the options of launch.OPTIONS."""

    queryset = TrainingRun.objects.select_related(
        "dataset", "created_by", "model_version"
    ).prefetch_related("epochs")

    def get_serializer_class(self):
        return RunSerializer if self.action == "list" else RunDetailSerializer

    def create(self, request: Request) -> Response:
        changes = _options(request.data)
        run = launch.start(
            request.user,
            _dataset(request.data),
            str(request.data.get("preset", "balanced")),
            changes,
            str(request.data.get("note", "")),
        )
        return Response(self.get_serializer(run).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        launch.remove(self.get_object())
        return Response(status=204)

    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        """Seconds that such a run takes; null while the speed is being measured."""
        preset = str(request.data.get("preset", "balanced"))
        config, _patience = launch.read_config(preset, _options(request.data))
        dataset = _dataset(request.data)
        launch.check_dataset(dataset, config)
        return Response({"seconds": launch.estimate(dataset, config)})

    @action(detail=False)
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

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return self.answer(launch.cancel(self.get_object()), "This training has ended already.")

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        return self.answer(
            launch.resume(self.get_object()),
            "Only a training that failed or was canceled can go on.",
        )

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        run = launch.retry(request.user, self.get_object())
        return Response(self.get_serializer(run).data, status=201)


class EvaluationViewSet(TrainingViewSet):
    """Evaluations: asked for with `version` (its number), `dataset` and `split`."""

    queryset = Evaluation.objects.select_related("version", "dataset")
    serializer_class = EvaluationSerializer

    def create(self, request: Request) -> Response:
        number = str(request.data.get("version", ""))
        version = get_object_or_404(ModelVersion, number=number if number.isdecimal() else 0)
        split = str(request.data.get("split", ""))
        evaluation = launch.ask_evaluation(request.user, version, _dataset(request.data), split)
        return Response(self.get_serializer(evaluation).data, status=202)

    @action(detail=True)
    def picture(self, request: Request, pk: str) -> HttpResponse:
        return serve_picture(request, self.get_object().picture)


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
