"""/api/v1/analyses/ID/{tracks,series,boxes,markers}/: videos and kept sessions over time."""

from typing import Any, TypedDict

from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognition import events
from recognition.api.people import person_of
from recognition.api.private_files import JPEG
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders
from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis, Marker, Track
from recognition.videos import files, series, tracks

MOST_BOXES_SECONDS = 120  # in one answer
MOST_MARKERS = 2000


class OfAnalysis(RateHeaders, viewsets.ViewSet):
    """What belongs to one video or session of the signed-in person."""

    scope = "analyze"
    lookup_value_converter = "int"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        own = Analysis.objects.filter(owner=person_of(request))
        timed = own.exclude(kind=Analysis.Kind.IMAGE)
        self.found = get_object_or_404(timed, pk=self.kwargs["analysis"])

    def analysis(self) -> Analysis:
        return self.found

    def changed(self, analysis: Analysis) -> None:
        """Count and tell a change of what belongs to an analysis."""
        Analysis.objects.filter(pk=analysis.pk).update(sequence=F("sequence") + 1)
        analysis.refresh_from_db()
        transaction.on_commit(lambda: events.publish_change(analysis), robust=True)


class TrackSummarySerializer(StateSerializer):
    state = series.TrackSummary


class TrackListSerializer(serializers.Serializer):
    tracks = TrackSummarySerializer(many=True)


class TrackEditSerializer(serializers.Serializer):
    """What the owner can say about a track."""

    name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    not_a_face = serializers.BooleanField(required=False)


class TrackNumber(serializers.IntegerField):
    """A number that a database can look for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**53, **options)


class MergeSerializer(serializers.Serializer):
    track = TrackNumber(help_text="the number of the track that is the same face")


class SplitSerializer(serializers.Serializer):
    time = serializers.FloatField(min_value=0, help_text="seconds")


class BaselineSerializer(serializers.Serializer):
    """A moment, or a span from `start` to `end`, in which the face is neutral; in seconds."""

    start = serializers.FloatField(min_value=0)
    end = serializers.FloatField(min_value=0, required=False)


class ThresholdSerializer(serializers.Serializer):
    threshold = serializers.FloatField(min_value=0, max_value=1, default=series.THRESHOLD)


class TrackViewSet(OfAnalysis):
    """The faces of a video or session over time."""

    @extend_schema(
        parameters=[OpenApiParameter("threshold", float, description="of episodes; default 0.5")],
        responses=forced_singular_serializer(TrackListSerializer),
    )
    def list(self, request: Request, analysis: Any = None) -> Response:
        """Each track with its summary; excluded spans are left out."""
        asked = ThresholdSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = series.summarize(self.analysis(), asked.validated_data["threshold"])
        return Response({"tracks": found})

    @extend_schema(request=TrackEditSerializer, responses=TrackListSerializer)
    def partial_update(self, request: Request, analysis: Any = None, pk: Any = None) -> Response:
        """Name a track, or mark it as no face."""
        edit = TrackEditSerializer(data=request.data)
        edit.is_valid(raise_exception=True)
        return self.answer(lambda track: self.rows(track).update(**edit.validated_data))

    @extend_schema(request=MergeSerializer, responses=TrackListSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, analysis: Any = None, pk: Any = None) -> Response:
        """Make one track of two that are the same face."""
        wanted = MergeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)

        def change(track: Track) -> None:
            other = get_object_or_404(
                Track, analysis=track.analysis_id, number=wanted.validated_data["track"]
            )
            if other.pk == track.pk:
                raise Problem(409, "same_track", "A track can't be merged with itself.")
            tracks.merge(track, other)

        return self.answer(change)

    @extend_schema(request=SplitSerializer, responses=TrackListSerializer)
    @action(detail=True, methods=["post"])
    def split(self, request: Request, analysis: Any = None, pk: Any = None) -> Response:
        """Make a new track of what comes from a time on."""
        wanted = SplitSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)

        def change(track: Track) -> None:
            if tracks.split(track, wanted.validated_data["time"]) is None:
                message = "The track has no face before this time, or none after it."
                raise Problem(409, "nothing_to_split", message)

        return self.answer(change)

    @extend_schema(methods=["put"], request=BaselineSerializer, responses=TrackListSerializer)
    @extend_schema(methods=["delete"], request=None, responses={200: TrackListSerializer})
    @action(detail=True, methods=["put", "delete"])
    def baseline(self, request: Request, analysis: Any = None, pk: Any = None) -> Response:
        """Set what is neutral for this face, or forget it; raw values are kept."""
        if request.method == "DELETE":
            return self.answer(lambda track: self.rows(track).update(baseline=None))
        wanted = BaselineSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        start = wanted.validated_data["start"]
        end = wanted.validated_data.get("end", start)

        def change(track: Track) -> None:
            baseline = series.baseline_of(track, start, end)
            if baseline is None:
                raise Problem(409, "no_face_there", "The track has no face at this time.")
            self.rows(track).update(baseline=baseline)

        return self.answer(change)

    @extend_schema(responses=JPEG)
    @action(detail=True)
    def picture(self, request: Request, analysis: Any = None, pk: Any = None) -> HttpResponse:
        """The track's face, 96 x 96 pixels."""
        track = self.track(self.analysis())
        if not track.picture:
            raise Http404
        response = HttpResponse(bytes(track.picture), content_type="image/jpeg")
        response["Cache-Control"] = "private, no-cache"
        return response

    def track(self, analysis: Analysis) -> Track:
        return get_object_or_404(analysis.tracks, number=self.kwargs["pk"])

    def rows(self, track: Track) -> Any:
        return Track.objects.filter(pk=track.pk)

    def answer(self, change: Any) -> Response:
        """Change a track of a finished analysis; all tracks as they are then."""
        analysis = self.analysis()
        if not analysis.is_finished:
            message = "Wait until this video has been read: its tracks still change."
            raise Problem(409, "not_finished", message)
        with transaction.atomic():
            change(self.track(analysis))
            self.changed(analysis)
        return Response({"tracks": series.summarize(analysis)})


class SeriesSerializer(StateSerializer):
    state = series.SeriesState


class SeriesListSerializer(serializers.Serializer):
    series = SeriesSerializer(many=True)


class SeriesQuery(serializers.Serializer):
    start = serializers.FloatField(required=False, default=None, allow_null=True)
    end = serializers.FloatField(required=False, default=None, allow_null=True)
    points = serializers.IntegerField(min_value=2, max_value=series.MOST_POINTS, default=1000)
    track = serializers.ListField(child=TrackNumber(), max_length=100, default=list)
    raw = serializers.BooleanField(default=False)


class SeriesViewSet(OfAnalysis):
    """Probabilities over time."""

    @extend_schema(
        parameters=[
            OpenApiParameter("start", float, description="seconds"),
            OpenApiParameter("end", float, description="seconds"),
            OpenApiParameter("points", int, description="at most so many for each track"),
            OpenApiParameter("track", int, many=True, description="only these tracks"),
            OpenApiParameter("raw", bool, description="without regard to baselines"),
        ],
        responses=forced_singular_serializer(SeriesListSerializer),
    )
    def list(self, request: Request, analysis: Any = None) -> Response:
        """The series of each track, averaged over equal intervals where there are more points."""
        asked = SeriesQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        found = series.describe_series(
            self.analysis(),
            start=values["start"],
            end=values["end"],
            points=values["points"],
            numbers=values["track"],
            relative=not values["raw"],
        )
        return Response({"series": found})


class Boxes(TypedDict):
    """Rows of [time, track, x, y, width, height, expression, probability].

    The expression is its place in `emotions`.
    """

    emotions: list[str]
    boxes: list[list[float]]


class BoxesSerializer(StateSerializer):
    state = Boxes


class BoxesQuery(serializers.Serializer):
    start = serializers.FloatField(min_value=0, default=0.0)
    end = serializers.FloatField(min_value=0)


class BoxesViewSet(OfAnalysis):
    """Where faces are, for a player."""

    @extend_schema(
        parameters=[
            OpenApiParameter("start", float, description="seconds"),
            OpenApiParameter("end", float, required=True, description="at most 120 s later"),
        ],
        responses=forced_singular_serializer(BoxesSerializer),
    )
    def list(self, request: Request, analysis: Any = None) -> Response:
        """The boxes of all faces within [start, end)."""
        asked = BoxesQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        start, end = asked.validated_data["start"], asked.validated_data["end"]
        end = min(end, start + MOST_BOXES_SECONDS)
        rows = series.boxes(self.analysis(), start, end)
        return Response({"emotions": list(EMOTIONS), "boxes": rows})


class FilesViewSet(OfAnalysis):
    """Files for other programs."""

    lookup_value_converter = "slug"

    @extend_schema(
        parameters=[
            OpenApiParameter("id", str, OpenApiParameter.PATH, enum=list(files.FORMATS)),
        ],
        responses={(200, kind): OpenApiTypes.BINARY for kind in files.TYPES},
    )
    def retrieve(self, request: Request, analysis: Any = None, pk: Any = None) -> HttpResponse:
        """The tracks as WebVTT, ELAN, BORIS, OpenFace or py-feat have them; or their summaries."""
        found = self.analysis()
        kind = files.FORMATS.get(self.kwargs["pk"])
        if kind is None:
            raise Http404
        response = HttpResponse(kind.make(found), content_type=kind.content_type)
        name = f"mien-{found.pk}.{kind.extension}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


class MarkerSerializer(serializers.ModelSerializer):
    """A label at a time, or over a span; an excluded span is left out of summaries and exports."""

    label = serializers.CharField(  # type: ignore[assignment]  # a field, as DRF has it
        max_length=200, allow_blank=True, default=""
    )
    start = serializers.FloatField(min_value=0)
    end = serializers.FloatField(min_value=0, allow_null=True, default=None)

    class Meta:
        model = Marker
        fields = ["id", "label", "start", "end", "excluded"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start = attrs.get("start", getattr(self.instance, "start", 0.0))
        end = attrs.get("end", getattr(self.instance, "end", None))
        if end is not None and end < start:
            raise serializers.ValidationError({"end": "The end must not be before the start."})
        if attrs.get("excluded", getattr(self.instance, "excluded", False)) and end is None:
            raise serializers.ValidationError({"end": "An excluded span needs an end."})
        return attrs


class MarkerViewSet(OfAnalysis):
    """Labels on the timeline of a video or session."""

    @extend_schema(responses=MarkerSerializer(many=True))
    def list(self, request: Request, analysis: Any = None) -> Response:
        """All markers in order of time."""
        return Response(MarkerSerializer(self.analysis().markers.all(), many=True).data)

    @extend_schema(request=MarkerSerializer, responses={201: MarkerSerializer})
    def create(self, request: Request, analysis: Any = None) -> Response:
        """Add a marker."""
        found = self.analysis()
        if found.markers.count() >= MOST_MARKERS:
            raise Problem(409, "too_many_markers", f"There are {MOST_MARKERS} markers already.")
        wanted = MarkerSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        marker = wanted.save(analysis=found)
        self.changed(found)
        return Response(MarkerSerializer(marker).data, 201)

    @extend_schema(request=MarkerSerializer, responses=MarkerSerializer)
    def partial_update(self, request: Request, analysis: Any = None, pk: Any = None) -> Response:
        """Change a marker."""
        found = self.analysis()
        marker = get_object_or_404(found.markers, pk=pk)
        wanted = MarkerSerializer(marker, data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        wanted.save()
        self.changed(found)
        return Response(wanted.data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, analysis: Any = None, pk: Any = None) -> Response:
        """Delete a marker."""
        found = self.analysis()
        get_object_or_404(found.markers, pk=pk).delete()
        self.changed(found)
        return Response(status=204)
