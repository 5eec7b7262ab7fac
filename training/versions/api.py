"""/api/v1/evaluations/, model-imports/ and models/…/promote/, for administrators."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.people import person_of
from recognition.api.private_files import JPEG, serve_picture
from recognition.api.problems import Problem
from recognition.api.reauthentication import require_reauthentication
from recognition.api.states import StateSerializer
from recognition.models import ModelVersion
from recognition.registry import registry
from recognition.registry.api import ModelVersionSerializer
from training import describe
from training.api import LargerUploads, TrainingViewSet, find_dataset
from training.models import Evaluation, ModelImport
from training.versions import evaluations, events, promotion
from training.versions import intake as version_intake


class NewEvaluationSerializer(serializers.Serializer):
    """A version on a split of a data set."""

    version = serializers.IntegerField(min_value=1)
    dataset = serializers.UUIDField()
    split = serializers.CharField()


class NewImportSerializer(serializers.Serializer):
    """A model file: ONNX, or weights as npz; `dataset` to be scored on."""

    file = serializers.FileField()
    card = serializers.FileField(required=False)
    architecture = serializers.CharField(required=False)
    dataset = serializers.UUIDField(required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class PromotionSerializer(serializers.Serializer):
    """`confirmed`: promote even if it is worse than the active version on the same data."""

    confirmed = serializers.BooleanField(default=False)


class EvaluationSerializer(StateSerializer):
    state = describe.EvaluationState

    def to_representation(self, instance: Evaluation) -> describe.EvaluationState:
        return describe.describe_evaluation(instance)


class ImportSerializer(StateSerializer):
    state = events.ImportState

    def to_representation(self, instance: ModelImport) -> events.ImportState:
        return events.describe_import(instance)


class ImportViewSet(LargerUploads, TrainingViewSet):
    """Imports of model files from elsewhere. Administrators only."""

    queryset = ModelImport.objects.select_related("created_by", "model_version")
    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]
    upload_handler = version_intake.ModelUploadHandler

    @extend_schema(
        request={"multipart/form-data": NewImportSerializer},
        responses={201: ImportSerializer, 202: ImportSerializer},
    )
    def create(self, request: Request) -> Response:
        """Import a model file: 201 with an ONNX file's version, 202 while weights are converted."""
        files = request.FILES
        about = {name: self.text(name) for name in ("architecture", "dataset", "note")}
        found = version_intake.add_upload(
            person_of(request), files.get("file"), files.get("card"), about
        )
        status = 201 if found.is_finished else 202
        return Response(self.get_serializer(found).data, status=status)

    def destroy(self, request: Request, pk: str) -> Response:
        version_intake.remove(self.get_object())
        return Response(status=204)


class EvaluationViewSet(TrainingViewSet):
    """Evaluations of model versions on data sets. Administrators only."""

    queryset = Evaluation.objects.select_related("version", "dataset")
    serializer_class = EvaluationSerializer

    @extend_schema(request=NewEvaluationSerializer, responses={202: EvaluationSerializer})
    def create(self, request: Request) -> Response:
        """Request an evaluation; returns the existing one or queues a new one."""
        number = self.text("version")
        version = get_object_or_404(ModelVersion, number=number if number.isdecimal() else 0)
        dataset, split = find_dataset(self.fields), self.text("split")
        evaluation = evaluations.ask_evaluation(person_of(request), version, dataset, split)
        return Response(self.get_serializer(evaluation).data, status=202)

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def picture(self, request: Request, pk: str) -> HttpResponse:
        """The most confident mistakes as a picture."""
        return serve_picture(request, self.get_object().picture)


class PromotionViewSet(TrainingViewSet):
    """The active model version. Administrators only."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
    lookup_field = "number"

    @extend_schema(request=PromotionSerializer, responses=ModelVersionSerializer)
    def promote(self, request: Request, number: int) -> Response:
        """Make this version active on all workers.

        403 `reauthentication_needed` for a signed-in person who entered neither password nor
        second factor lately. Keys aren't asked.
        """
        version = self.get_object()
        wanted = PromotionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        require_reauthentication(request)
        try:
            promotion.promote(version, request.user, **wanted.validated_data)
        except registry.PromotionRefused as refusal:
            raise Problem(409, refusal.code, refusal.message) from None
        version.refresh_from_db()
        return Response(self.get_serializer(version).data)
