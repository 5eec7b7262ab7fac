"""Exports for the screenshots, one in each state. `fill` runs inside the site."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from recognition.models import Export

GAVE_UP = "The export failed three times. Retry it later."
MADE_UP = [
    {"format": "csv", "status": "canceled", "rows_total": 51_200},
    {
        "format": "jsonl",
        "status": "failed",
        "error_code": "gave_up",
        "error_message": GAVE_UP,
        "filters": {"kind": "webcam"},
    },
    {
        "format": "parquet",
        "status": "succeeded",
        "rows_done": 100_000,
        "size": 12_300_000,
        "file": "exports/made-up.parquet",
        "filters": {
            "emotion": "happy",
            "since": "2026-01-01",
            "text": "what people look for",
        },
    },
    {
        "format": "csv",
        "status": "succeeded",
        "rows_done": 1,
        "size": 412,
        "file": "exports/made-up.csv",
        "filters": {"id": "a,b,c,d"},
    },
    {"format": "csv", "status": "running", "rows_done": 38_000, "rows_total": 100_000},
    {"format": "jsonl", "status": "queued", "filters": {"status": "succeeded"}},
]


def fill() -> None:
    owner = get_user_model().objects.get(is_superuser=True)
    for values in MADE_UP:
        ended = values["status"] not in ("queued", "running")
        finished_at = timezone.now() - timedelta(hours=3) if ended else None
        Export.objects.create(owner=owner, finished_at=finished_at, **values)
