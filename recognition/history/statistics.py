"""Statistics of what a person has stored."""

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from statistics import median
from typing import TypedDict

from django.contrib.auth.models import User
from django.db.models import Count, TextField
from django.db.models.functions import Cast, Left
from django.utils import timezone

from recognition.api.allowances import Usage, usage
from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis, Export, Face, ModelVersion, Track
from recognition.registry import registry

DAYS = 30
FAILED_WITHIN = timedelta(days=7)
LISTED = 5
TIMED = 200
"""The median covers at most this many of the latest photos."""


class Day(TypedDict):
    """One day in UTC; `emotions` counts faces by expression.

    A face of a photo counts once, and so does a track of a video or session, by the expression that
    it shows most often.
    """

    date: str
    analyses: int
    emotions: dict[str, int]


class Throughput(TypedDict):
    """Analyzed photos, and the seconds from upload to result; None without any."""

    last_hour: int
    last_minute: int
    median_seconds: float | None


class Overview(TypedDict):
    """The dashboard's figures; `days` are the last DAYS."""

    days: list[Day]
    entries_today: int
    faces_today: int
    usage: Usage
    throughput: Throughput
    model: ModelVersion
    unfinished: list[Analysis]
    unfinished_count: int
    failed: list[Analysis]
    failed_count: int
    exports_unfinished: int
    exports_failed: int


def overview(owner: User) -> Overview:
    """A person's dashboard: at most LISTED unfinished and LISTED failed analyses."""
    status = Analysis.Status
    own = Analysis.objects.filter(owner=owner)
    unfinished = own.filter(status__in=[status.QUEUED, status.RUNNING])
    failed = own.filter(status=status.FAILED, created_at__gte=timezone.now() - FAILED_WITHIN)
    exports = Export.objects.filter(owner=owner)  # ended ones are kept for a week
    recent = days(owner, DAYS)
    return {
        "days": recent,
        "entries_today": recent[-1]["analyses"],
        "faces_today": sum(recent[-1]["emotions"].values()),
        "usage": usage(owner),
        "throughput": throughput(owner),
        "model": registry.active_version(),
        "unfinished": list(unfinished[:LISTED]),
        "unfinished_count": unfinished.count(),
        "failed": list(failed[:LISTED]),
        "failed_count": failed.count(),
        "exports_unfinished": exports.filter(status__in=[status.QUEUED, status.RUNNING]).count(),
        "exports_failed": exports.filter(status=status.FAILED).count(),
    }


def days(owner: User, count: int) -> list[Day]:
    """The last `count` days, newest last; days without entries have zeros."""
    today = timezone.now().date()
    first = today - timedelta(days=count - 1)
    since = datetime.combine(first, time.min, UTC)
    recent = Analysis.objects.filter(owner=owner, created_at__gte=since)
    analyses = dict(
        recent.values_list(day_of("created_at")).annotate(number=Count("pk")).order_by()
    )
    photos = Face.objects.filter(
        analysis__owner=owner,
        analysis__created_at__gte=since,
        analysis__kind=Analysis.Kind.IMAGE,
    )
    tracks = Track.objects.filter(
        analysis__owner=owner, analysis__created_at__gte=since, not_a_face=False
    ).exclude(emotion="")
    faces: dict = defaultdict(lambda: dict.fromkeys(EMOTIONS, 0))
    for found in (photos, tracks):
        counted = found.values_list(day_of("analysis__created_at"), "emotion")
        for day, emotion, number in counted.annotate(number=Count("pk")).order_by():
            faces[day][emotion] += number
    every = [(first + timedelta(days=offset)).isoformat() for offset in range(count)]
    return [
        {"date": day, "analyses": analyses.get(day, 0), "emotions": faces[day]} for day in every
    ]


def day_of(field: str) -> Left:
    """The day in UTC as text, cut from the time as the database stores it.

    TruncDate would call back into Python for each row in SQLite.
    """
    return Left(Cast(field, TextField()), len("2026-01-31"))


def throughput(owner: User) -> Throughput:
    """How many photos were finished lately, and how long the latest took."""
    now = timezone.now()
    done = Analysis.objects.filter(
        owner=owner,
        kind=Analysis.Kind.IMAGE,
        status=Analysis.Status.SUCCEEDED,
        finished_at__gt=now - timedelta(hours=1),
    )
    latest = done.order_by("-finished_at").values_list("created_at", "finished_at")[:TIMED]
    seconds = [(finished - created).total_seconds() for created, finished in latest if finished]
    return {
        "last_hour": done.count(),
        "last_minute": done.filter(finished_at__gt=now - timedelta(minutes=1)).count(),
        "median_seconds": median(seconds) if seconds else None,
    }
