"""Jobs for the screenshots: a paused queue, jobs of all kinds, failures.

`fill` runs inside the site, by `manage.py shell`.
"""

from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth import get_user_model
from django.utils import timezone

from recognition.jobs import pauses, tracebacks
from recognition.models import Analysis
from recognition.registry import registry
from tests.browser.trainings import add_dataset, add_import, add_run
from tests.training.drawing import write_csv
from training.models import Evaluation

GAVE_UP = "This photo could not be analyzed in 3 attempts. The photo itself may be fine."


def fill() -> None:
    user = get_user_model().objects.get(is_superuser=True)
    version = registry.register_shipped_model()
    dataset = add_dataset(user, "faces.csv", write_csv)
    for queue in ("analyses", "training"):
        pauses.switch(queue, True, user)
    for minutes in (3, 2):
        add_photo(user, waiting_since=ago(minutes=minutes))
    for minutes in (61, 45):
        add_failure(user, ago(minutes=minutes))
    message = "The file ends too early: a part of the picture is missing."
    values = {"error_code": "truncated_image", "error_message": message, "source": ""}
    add_photo(user, status="failed", finished_at=ago(hours=3), **values)
    worker = {"worker": "trainer-1:4711", "started_at": ago(minutes=42)}
    add_run(user, dataset, 4, status="running", phase="training", **worker)
    add_run(user, dataset, 0)
    add_import(user, "weights.npz")
    Evaluation.objects.create(
        version=version,
        dataset=dataset,
        split="PublicTest",
        status="running",
        worker="worker-2:88",
        started_at=ago(minutes=1),
        lease_expires_at=ago(seconds=20),
    )


def ago(**time: float) -> datetime:
    return timezone.now() - timedelta(**time)


def add_photo(user, **values) -> None:
    values = {"source": "incoming/gone.upload", "title": "private", **values}
    Analysis.objects.create(owner=user, **values)


def add_failure(user, finished_at) -> None:
    """A photo that could not be stored, with a real traceback."""
    try:
        Path("/proc/1/nothing-here").read_bytes()
    except OSError as error:
        traceback = tracebacks.describe(error)
    values = {"error_code": "gave_up", "error_message": GAVE_UP, "attempts": 3}
    add_photo(
        user, status="failed", finished_at=finished_at, traceback=traceback, worker="a:12", **values
    )
