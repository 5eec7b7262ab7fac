"""Expressions over time: series for charts, boxes for the player, summaries of tracks."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypedDict

import numpy as np
from django.db.models import Q

from recognition.engine.emotions import EMOTIONS
from recognition.engine.measures import MEASURES, digits_of, movement_of
from recognition.engine.timeline import Floats, episodes, relative_to, resting, smooth, step_of
from recognition.models import Analysis, Track

MOST_POINTS = 4000
THRESHOLD = 0.5  # an episode lasts while an expression is at least this probable


@dataclass(frozen=True)
class TrackRows:
    """A track's samples in order: times [n] in seconds, raw probabilities [n, 7].

    `measures` [n, 10] are in the order of MEASURES, NaN where nothing was measured.
    """

    track: Track
    times: Floats
    raw: Floats
    measures: Floats

    @property
    def relative(self) -> Floats:
        """The probabilities relative to the track's baseline, or as they are without one."""
        return relative_to(self.raw, (self.track.baseline or {}).get("log_probabilities"))


class SeriesState(TypedDict):
    """A track's probabilities over time; each list has one value for each of `times`."""

    track: int
    times: list[float]
    probabilities: dict[str, list[float]]
    smoothed: dict[str, list[float]]
    measures: dict[str, list[float | None]]


class MovementState(TypedDict):
    """What a track's face did over time, as geometry (engine.measures.Movement).

    `blinks` are null where fewer than 10 frames a second were read; `measures` are medians.
    """

    seconds: float
    blinks: int | None
    blinks_per_minute: float | None
    mouth: float
    turned: float
    measures: dict[str, float | None]


class Episode(TypedDict):
    """A stretch in which an expression is at least as probable as the threshold; in seconds."""

    start: float
    end: float


class ExpressionSummary(TypedDict):
    """How an expression fared in a track: its share of the time, its mean, its episodes."""

    share: float
    mean: float
    episodes: list[Episode]


class TrackSummary(TypedDict):
    """A track, without its series; times in seconds."""

    number: int
    name: str
    not_a_face: bool
    baseline: dict[str, Any] | None
    first: float
    last: float
    frames: int
    seconds: float
    emotion: str
    probabilities: dict[str, float]
    expressions: dict[str, ExpressionSummary]
    movement: MovementState | None
    picture_url: str | None


def load(
    analysis: Analysis,
    start: float | None = None,
    end: float | None = None,
    numbers: Sequence[int] = (),
    excluded: bool = False,
) -> list[TrackRows]:
    """The samples of each track within [start, end); spans excluded by the owner only if wanted."""
    source, shift = source_of(analysis)
    rows = source.faces.filter(track__isnull=False)
    if start is not None or shift:
        rows = rows.filter(time__gte=(start or 0.0) + shift)
    if end is not None:
        rows = rows.filter(time__lt=end + shift)
    if numbers:
        rows = rows.filter(track__number__in=numbers)
    if not excluded:
        rows = rows.exclude(excluded_spans(analysis))
    found: dict[int, tuple[list[float], list[list[float]], list[Any]]] = {}
    for track, time, probabilities, values in rows.order_by("time", "pk").values_list(
        "track_id", "time", "probabilities", "measures"
    ):
        times, raw, measures = found.setdefault(track, ([], [], []))
        times.append(round((time or 0.0) - shift, 4))
        raw.append(probabilities)
        measures.append(values or _UNMEASURED)
    tracks = {track.pk: track for track in source.tracks.defer("picture")}
    ordered = sorted(found.keys() & tracks.keys(), key=lambda pk: tracks[pk].number)
    return [
        TrackRows(tracks[pk], *(np.array(part, dtype=float) for part in found[pk]))
        for pk in ordered
    ]


_UNMEASURED = [None] * len(MEASURES)


def source_of(analysis: Analysis) -> tuple[Analysis, float]:
    """Whose rows are shown, and how many seconds earlier their clock began.

    Until a recording has been read, those of the live session beside it.
    """
    video = analysis.video if analysis.kind == Analysis.Kind.VIDEO else None
    if video and video.session and analysis.status != Analysis.Status.SUCCEEDED:
        return video.session, video.session_start
    return analysis, 0.0


def excluded_spans(analysis: Analysis, field: str = "time") -> Q:
    """The rows in spans that the owner has excluded; of the table that `field` leads to."""
    spans = analysis.markers.filter(excluded=True, end__isnull=False)
    which = Q(pk__in=[])
    for start, end in spans.values_list("start", "end"):
        which |= Q(**{f"{field}__gte": start, f"{field}__lte": end})
    return which


def describe_series(
    analysis: Analysis,
    *,
    start: float | None = None,
    end: float | None = None,
    points: int = 1000,
    numbers: Sequence[int] = (),
    relative: bool = True,
) -> list[SeriesState]:
    """The series of each track within [start, end), each with at most about `points` points."""
    return [
        _describe(rows, rows.relative if relative else rows.raw, points)
        for rows in load(analysis, start, end, numbers, excluded=True)
    ]


def _describe(rows: TrackRows, values: Floats, points: int) -> SeriesState:
    times, measures = rows.times, rows.measures
    smoothed = smooth(times, values)
    if len(times) > points:
        # Equal intervals of time, so that a pause stays one.
        span = max(times[-1] - times[0], 1e-9)
        place = np.minimum(((times - times[0]) / span * points).astype(int), points - 1)
        _, begin = np.unique(place, return_index=True)
        counts = np.diff(begin, append=len(times))[:, None]
        times = np.add.reduceat(times, begin) / counts[:, 0]
        values = np.add.reduceat(values, begin) / counts
        smoothed = np.add.reduceat(smoothed, begin) / counts
        measures = np.add.reduceat(measures, begin) / counts
    return {
        "track": rows.track.number,
        "times": times.round(3).tolist(),
        "probabilities": _named(values),
        "smoothed": _named(smoothed),
        "measures": {
            name: _known(measures[:, at].round(digits_of(name))) for at, name in enumerate(MEASURES)
        },
    }


def _known(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _movement(rows: TrackRows) -> MovementState | None:
    found = movement_of(rows.times, rows.measures)
    if found is None:
        return None
    measured = rows.measures[~np.isnan(rows.measures[:, 0])]
    # Gaze is NaN throughout where irises were not read.
    middle = [np.median(column) for column in measured.T]
    return {
        "seconds": found.seconds,
        "blinks": found.blinks,
        "blinks_per_minute": found.blinks_per_minute,
        "mouth": found.mouth,
        "turned": found.turned,
        "measures": {
            name: None if np.isnan(value) else round(float(value), digits_of(name))
            for name, value in zip(MEASURES, middle, strict=True)
        },
    }


def _named(values: Floats) -> dict[str, list[float]]:
    rounded = values.round(3)
    return {emotion: rounded[:, at].tolist() for at, emotion in enumerate(EMOTIONS)}


def summarize(analysis: Analysis, threshold: float = THRESHOLD) -> list[TrackSummary]:
    """Each track's summary, relative to its baseline; excluded spans are left out."""
    found = {rows.track.pk: rows for rows in load(analysis)}
    source, _shift = source_of(analysis)
    pictured = set(source.tracks.exclude(picture=None).values_list("pk", flat=True))
    summaries = []
    for track in source.tracks.defer("picture"):
        rows = found.get(track.pk)
        if rows is not None:
            summaries.append(_summarize(analysis, rows, threshold, track.pk in pictured))
    return summaries


def _summarize(
    analysis: Analysis, rows: TrackRows, threshold: float, pictured: bool
) -> TrackSummary:
    track, times = rows.track, rows.times
    values = smooth(times, rows.relative)
    step = step_of(times)
    mean, top = values.mean(axis=0), values.argmax(axis=1)
    return {
        "number": track.number,
        "name": track.name,
        "not_a_face": track.not_a_face,
        "baseline": track.baseline,
        "first": float(times[0]),
        "last": float(times[-1]),
        "frames": len(times),
        "seconds": round(len(times) * step, 2),
        "emotion": EMOTIONS[int(mean.argmax())],
        "probabilities": dict(zip(EMOTIONS, mean.round(4).tolist(), strict=True)),
        "expressions": {
            emotion: {
                "share": round(float((top == at).mean()), 4),
                "mean": round(float(mean[at]), 4),
                "episodes": [
                    {"start": span.start, "end": span.end}
                    for span in episodes(times, values[:, at], threshold)
                ],
            }
            for at, emotion in enumerate(EMOTIONS)
        },
        "movement": _movement(rows),
        "picture_url": (
            f"/api/v1/analyses/{analysis.pk}/tracks/{track.number}/picture/" if pictured else None
        ),
    }


def boxes(analysis: Analysis, start: float, end: float) -> list[list[Any]]:
    """For the player: [time, track, x, y, width, height, expression, probability] of each face.

    Expressions by their place in EMOTIONS; smoothed and relative like the charts.
    """
    before = max(0.0, start - 1.0)  # for the averages to settle
    shown: dict[tuple[int, float], tuple[int, float]] = {}
    for rows in load(analysis, before, end, excluded=True):
        values = smooth(rows.times, rows.relative)
        tops, highest = values.argmax(axis=1).tolist(), values.max(axis=1).tolist()
        for time, top, value in zip(rows.times.tolist(), tops, highest, strict=True):
            shown[rows.track.number, time] = top, round(value, 3)
    source, shift = source_of(analysis)
    scale = (analysis.width or 1) / (source.width or 1) if source is not analysis else 1.0
    faces = source.faces.filter(
        time__gte=start + shift, time__lt=end + shift, track__not_a_face=False
    )
    places: Any = faces.order_by("time", "pk").values_list(
        "time", "track__number", "x", "y", "width", "height"
    )
    found = ((round(time - shift, 4), track, box) for time, track, *box in places)
    return [
        [time, track, *(round(side * scale, 1) for side in box), *shown[track, time]]
        for time, track, box in found
        if (track, time) in shown
    ]


def marks(analysis: Analysis) -> Iterator[tuple[float, dict[str, list[Any]]]]:
    """For engine.annotate: the faces of each sample, as [name, box, probabilities] by track.

    Smoothed and relative like the charts; faces that are none and excluded spans are left out.
    """
    values: dict[tuple[int, float], list[float]] = {}
    names: dict[int, str] = {}
    for rows in load(analysis):
        number = rows.track.number
        names[number] = rows.track.name
        smoothed = smooth(rows.times, rows.relative).round(4).tolist()
        values |= zip(((number, time) for time in rows.times.tolist()), smoothed, strict=True)
    faces: Any = analysis.faces.filter(track__not_a_face=False)
    faces = faces.exclude(excluded_spans(analysis)).order_by("time", "pk")
    places = faces.values_list("time", "track__number", "x", "y", "width", "height")
    for time, group in itertools.groupby(places.iterator(), key=itemgetter(0)):
        yield (
            time,
            {str(track): [names[track], box, values[track, time]] for _time, track, *box in group},
        )


def baseline_of(track: Track, start: float, end: float) -> dict[str, Any] | None:
    """What is neutral for a track: its mean log probabilities from `start` to `end`.

    A moment is the sample closest to it. None if the track has no sample there.
    """
    rows = track.faces.filter(time__gte=start, time__lte=end)
    found = list(rows.values_list("probabilities", flat=True))
    if not found:
        near = track.faces.filter(time__gte=start - 1, time__lte=end + 1).values_list(
            "time", "probabilities"
        )
        closest = min(near, key=lambda row: abs((row[0] or 0.0) - start), default=None)
        found = [closest[1]] if closest else []
    if not found:
        return None
    return {"start": start, "end": end, "log_probabilities": resting(np.array(found))}
