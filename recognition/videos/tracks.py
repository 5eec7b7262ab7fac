"""Tracks of a video while it is read: joined where one reading ends and the next begins."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Count, F, Max, Min

from recognition.engine.tracker import FORGET_AFTER, Tracker
from recognition.engine.types import BoundingBox, Detection, Landmarks, Prediction
from recognition.engine.types import Face as SeenFace
from recognition.models import Analysis, Face, Track

_NOWHERE = Landmarks(*[(0.0, 0.0)] * 5)  # the tracker looks at boxes alone
_FREE = 10**15  # above every provisional number


def join(analysis: Analysis, time: float) -> dict[int, int]:
    """Make one track of two that meet at this time, if they are one face.

    Two readings that meet there have each numbered their own tracks. The faces of the last moments
    before and the first after it are followed once more; the caller knows that no shot ends there.
    Gives the keys of the tracks that are gone, each with that of the track that it belongs to.
    """
    time -= 1e-3  # stored times are rounded
    near = analysis.faces.filter(
        track__isnull=False, time__gte=time - FORGET_AFTER, time__lt=time + FORGET_AFTER
    )
    frames: dict[float, list[Face]] = defaultdict(list)
    for face in near.order_by("time", "pk").only(
        "time", "x", "y", "width", "height", "track_id", "analysis_id"
    ):
        frames[face.time or 0.0].append(face)
    same: dict[int, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
    tracker = Tracker(smoothing=0)
    for moment, faces in frames.items():
        followed = tracker.update([_seen(face) for face in faces], moment)
        for tracked, face in zip(followed, faces, strict=True):
            same[tracked.track][moment >= time].add(face.track_id or 0)
    gone: dict[int, int] = {}
    for before, after in same.values():
        if before and after:
            kept = min(before)
            _merge(kept, after - before)
            gone |= dict.fromkeys(after - before, kept)
    return gone


def _seen(face: Face) -> SeenFace:
    box = BoundingBox(face.x, face.y, face.width, face.height)
    return SeenFace(Detection(box, 1.0, _NOWHERE), Prediction((1.0,)))


def _merge(into: int, others: Iterable[int]) -> None:
    for other in others:
        Face.objects.filter(track_id=other).update(track_id=into)
        Track.objects.filter(pk=other).delete()


def merge(into: Track, other: Track) -> None:
    """Make one track of two that are one face, says the owner."""
    if not into.name and other.name:
        Track.objects.filter(pk=into.pk).update(name=other.name)
    _merge(into.pk, [other.pk])
    into.analysis.sum_up_tracks()


def split(track: Track, time: float) -> Track | None:
    """A new track for what comes from `time` on; None if nothing does, or nothing is before."""
    later = track.faces.filter(time__gte=time)
    if not later.exists() or not track.faces.filter(time__lt=time).exists():
        return None
    last = Track.objects.filter(analysis=track.analysis_id).aggregate(last=Max("number"))["last"]
    new = Track.objects.create(
        analysis_id=track.analysis_id, number=last + 1, picture=track.picture
    )
    later.update(track=new)
    track.analysis.sum_up_tracks()
    return new


def number(analysis: Analysis) -> None:
    """Number the tracks in the order in which they appear; those without a face go."""
    analysis.tracks.filter(faces=None).delete()
    analysis.tracks.update(number=F("number") + _FREE)
    appeared = analysis.tracks.annotate(first=Min("faces__time"), size=Max("faces__width"))
    for place, track in enumerate(appeared.order_by("first", "-size"), 1):
        Track.objects.filter(pk=track.pk).update(number=place)
    analysis.sum_up_tracks()


def main_emotion(analysis: Analysis) -> str:
    """The expression that the longest track shows most often."""
    counted = analysis.tracks.filter(not_a_face=False).annotate(length=Count("faces"))
    longest = counted.order_by("-length", "number").first()
    return longest.emotion if longest else ""
