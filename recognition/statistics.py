"""What a person has stored and what it shows, counted."""

from collections import defaultdict
from datetime import timedelta
from typing import TypedDict

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from recognition import registry
from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis, Export, Face, ModelVersion

DAYS = 30
FAILED_WITHIN = timedelta(days=7)
LISTED = 5


class Day(TypedDict):
    """One day in UTC; `emotions` counts the faces in its photos by expression."""

    date: str
    analyses: int
    emotions: dict[str, int]


class Usage(TypedDict):
    """What a person has stored, exports included."""

    analyses: int
    faces: int
    stored_bytes: int


class Overview(TypedDict):
    """What the dashboard shows; `days` are the last DAYS, faces those in photos."""

    days: list[Day]
    entries_today: int
    faces_today: int
    usage: Usage
    model: ModelVersion
    unfinished: list[Analysis]
    unfinished_count: int
    failed: list[Analysis]
    failed_count: int


def overview(owner) -> Overview:
    """The dashboard of a person: at most LISTED analyses that are unfinished, and that failed."""
    status = Analysis.Status
    own = Analysis.objects.filter(owner=owner)
    unfinished = own.filter(status__in=[status.QUEUED, status.RUNNING])
    failed = own.filter(status=status.FAILED, created_at__gte=timezone.now() - FAILED_WITHIN)
    recent = days(owner, DAYS)
    return {
        "days": recent,
        "entries_today": recent[-1]["analyses"],
        "faces_today": sum(recent[-1]["emotions"].values()),
        "usage": usage(owner),
        "model": registry.active_version(),
        "unfinished": list(unfinished[:LISTED]),
        "unfinished_count": unfinished.count(),
        "failed": list(failed[:LISTED]),
        "failed_count": failed.count(),
    }


def days(owner, count: int) -> list[Day]:
    """The last `count` days, today last; days without photos have zeros."""
    today = timezone.now().date()
    first = today - timedelta(days=count - 1)
    recent = Analysis.objects.filter(owner=owner, created_at__date__gte=first)
    analyses = dict(
        recent.annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(number=Count("pk"))
        .order_by()
    )
    faces: dict = defaultdict(lambda: dict.fromkeys(EMOTIONS, 0))
    photos = Face.objects.filter(
        analysis__owner=owner,
        analysis__created_at__date__gte=first,
        analysis__kind=Analysis.Kind.IMAGE,
    )
    counted = (
        photos.annotate(day=TruncDate("analysis__created_at"))
        .values_list("day", "emotion")
        .annotate(number=Count("pk"))
        .order_by()
    )
    for day, emotion, number in counted:
        faces[day][emotion] = number
    every = [first + timedelta(days=offset) for offset in range(count)]
    return [
        {"date": day.isoformat(), "analyses": analyses.get(day, 0), "emotions": faces[day]}
        for day in every
    ]


def usage(owner) -> Usage:
    own, exports = Analysis.objects.filter(owner=owner), Export.objects.filter(owner=owner)
    pictures = own.aggregate(sum=Sum("stored_bytes"))["sum"] or 0
    return {
        "analyses": own.count(),
        "faces": Face.objects.filter(analysis__owner=owner).count(),
        "stored_bytes": pictures + (exports.aggregate(sum=Sum("size"))["sum"] or 0),
    }
