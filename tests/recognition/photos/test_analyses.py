"""The life cycle of an analysis: claims, leases, results, failures, sweeper, deletion."""

from datetime import timedelta

import numpy as np
import pytest
import skimage.data
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.utils import timezone
from PIL import Image

from recognition.engine.emotions import EMOTIONS
from recognition.engine.sharpness import BLURRED
from recognition.jobs import files, lease
from recognition.models import Analysis, Face
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from tests.conftest import encode
from tests.processes import wait_until
from tests.recognition.jobs.sweeping import claim, sweep
from tests.recognition.uploads import picture, submit

pytestmark = pytest.mark.django_db

Status = Analysis.Status


def analyzed(owner, content: bytes, name: str = "photo.jpg") -> Analysis:
    analysis = submit(owner, content, name)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


def test_a_face_is_found_and_its_expression_read(user, astronaut):
    analysis = analyzed(user, astronaut)

    assert analysis.status == Status.SUCCEEDED
    assert (analysis.width, analysis.height, analysis.face_count) == (512, 512, 1)
    face = analysis.faces.get()
    # The astronaut's face, as anyone can see it in the picture.
    assert 150 < face.x < 220
    assert 50 < face.y < 110
    assert 50 < face.width < 120
    assert len(face.probabilities) == len(EMOTIONS)
    assert sum(face.probabilities) == pytest.approx(1, abs=1e-4)
    assert face.emotion == EMOTIONS[int(np.argmax(face.probabilities))] == analysis.emotion
    assert face.sharpness > 2 * BLURRED


def test_the_result_names_its_model_version_and_times(user, astronaut):
    analysis = analyzed(user, astronaut)

    assert analysis.model_version.number == 1
    assert set(analysis.milliseconds) == {"decode", "detect", "classify", "measure"}


def test_no_face_is_a_normal_result(user, coffee):
    analysis = analyzed(user, coffee)

    assert (analysis.status, analysis.face_count, analysis.emotion) == (Status.SUCCEEDED, 0, "")


def test_several_faces_are_stored_largest_first(user):
    small = np.asarray(Image.fromarray(skimage.data.astronaut()).resize((300, 300)))
    collage = np.full((600, 1024, 3), 200, dtype=np.uint8)
    collage[:512, :512] = skimage.data.astronaut()
    collage[100:400, 600:900] = small
    analysis = analyzed(user, encode(collage))

    widths = [face.width for face in analysis.faces.all()]
    assert len(widths) == 2
    assert widths == sorted(widths, reverse=True)


def test_the_stored_photo_is_upright_and_without_metadata(user):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # GPS latitude
    analysis = analyzed(user, picture(120, 80, "JPEG", exif=exif))

    for stored in (analysis.photo, analysis.thumbnail):
        with Image.open(stored) as image:
            assert not image.getexif()
            assert image.size == (80, 120)


def test_the_upload_as_it_came_is_not_kept(user, astronaut):
    analysis = submit(user, astronaut)
    name = analysis.source.name
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()

    assert not analysis.source
    assert not default_storage.exists(name)


def test_a_truncated_photo_fails_with_a_sentence(user, astronaut):
    analysis = analyzed(user, astronaut[: len(astronaut) // 2])

    assert (analysis.status, analysis.error_code) == (Status.FAILED, "truncated_image")
    assert analysis.error_message.endswith(".")
    assert not analysis.source


def test_a_second_delivery_does_nothing(user, astronaut):
    analysis = analyzed(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))

    again = Analysis.objects.get(pk=analysis.pk)
    assert (again.attempts, again.faces.count()) == (1, 1)
    assert again.sequence == analysis.sequence


def test_only_one_worker_gets_a_claim(user, astronaut):
    analysis = submit(user, astronaut)

    assert claim(analysis) is not None
    assert claim(analysis) is None


def test_an_unexpected_trouble_puts_it_back_into_the_queue(user, astronaut, monkeypatch):
    def full_disk(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(analyses, "analyze_source", full_disk)
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))

    analysis.refresh_from_db()
    assert (analysis.status, analysis.attempts) == (Status.QUEUED, 1)


def test_after_three_attempts_it_fails_with_a_reason(user):
    analysis = Analysis.objects.create(owner=user, title="photo.jpg", source="incoming/missing")
    for _attempt in range(3):
        photo_tasks.analyze(str(analysis.pk))

    analysis.refresh_from_db()
    assert (analysis.status, analysis.error_code) == (Status.FAILED, "gave_up")


def test_the_sweeper_requeues_a_row_whose_lease_ran_out(user, astronaut):
    claimed = claim(submit(user, astronaut))
    expired = timezone.now() - timedelta(seconds=1)
    Analysis.objects.filter(pk=claimed.pk).update(lease_expires_at=expired)
    sent = sweep("analysis", waiting=5)

    assert sent == [str(claimed.pk)]
    assert Analysis.objects.get(pk=claimed.pk).status == Status.QUEUED
    assert not lease.owned(claimed).exists()  # the late worker's result is dropped


def test_the_sweeper_leaves_a_row_alone_whose_lease_is_held(user, astronaut):
    claimed = claim(submit(user, astronaut))
    sent = sweep("analysis", waiting=0)

    assert sent == []
    assert lease.owned(claimed).exists()


@pytest.mark.parametrize(
    ("minutes", "waiting", "resent"),
    [(1, 0, True), (1, 1, False), (5, 1, True)],
    ids=["nothing waits", "messages wait", "too old to wait"],
)
def test_the_sweeper_resends_the_message_of_an_old_row(user, astronaut, minutes, waiting, resent):
    analysis = submit(user, astronaut)
    enqueued_at = timezone.now() - timedelta(minutes=minutes)
    Analysis.objects.filter(pk=analysis.pk).update(enqueued_at=enqueued_at)
    sent = sweep("analysis", waiting=waiting)

    assert sent == ([str(analysis.pk)] if resent else [])


def test_a_result_that_cannot_be_stored_leaves_the_row_as_it_was(user, astronaut, monkeypatch):
    def refuse(*args):
        raise DatabaseError("disk full")

    monkeypatch.setattr(Face.objects, "bulk_create", refuse)
    analysis = analyzed(user, astronaut)

    assert (analysis.status, analysis.face_count) == (Status.QUEUED, 0)
    assert analysis.source
    assert not analysis.photo


def test_the_lease_is_renewed_while_the_work_goes_on(user, astronaut, settings, monkeypatch):
    settings.LEASE_SECONDS = 0.3
    analysis = claim(submit(user, astronaut))
    renewed = []
    monkeypatch.setattr(lease, "owned", lambda row: Renewals(renewed))
    with lease.held(analysis, 0, lambda begun: None):
        wait_until(lambda: len(renewed) >= 2, "two renewals")

    assert renewed == sorted(renewed)


class Renewals:
    """Stands in for a lease: threads can't share SQLite's test database."""

    def __init__(self, renewed: list):
        self.renewed = renewed

    def update(self, lease_expires_at):
        self.renewed.append(lease_expires_at)


def test_deleting_removes_rows_and_on_commit_files(
    user, astronaut, django_capture_on_commit_callbacks
):
    analysis = analyzed(user, astronaut)
    names = [analysis.photo.name, analysis.thumbnail.name]
    with django_capture_on_commit_callbacks(execute=True):
        analyses.delete_analysis(analysis)
        assert not Analysis.objects.exists()
        assert all(default_storage.exists(name) for name in names)

    assert not any(default_storage.exists(name) for name in names)


def test_what_was_finished_meanwhile_is_deleted_with_its_files(
    user, astronaut, django_capture_on_commit_callbacks
):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    done = Analysis.objects.get()
    names = [done.photo.name, done.thumbnail.name]
    with django_capture_on_commit_callbacks(execute=True):
        analyses.delete_analysis(analysis)  # as it was read before

    assert not Analysis.objects.exists()
    assert not any(default_storage.exists(name) for name in names)


def test_a_result_for_a_deleted_analysis_leaves_nothing_behind(user, astronaut):
    claimed = claim(submit(user, astronaut))
    claimed.source.open()
    Analysis.objects.filter(pk=claimed.pk).delete()
    analyses.analyze_source(claimed)

    assert not default_storage.exists(f"photos/{claimed.pk}.jpg")
    assert not default_storage.exists(f"thumbnails/{claimed.pk}.jpg")


def test_files_without_a_row_are_deleted_after_a_while(user, astronaut, monkeypatch):
    kept = analyzed(user, astronaut)
    orphan = analyzed(user, astronaut)
    names = [orphan.photo.name, orphan.thumbnail.name]
    orphan.delete()  # only the row, like a database cascade
    monkeypatch.setattr(files, "ORPHANED_AFTER", timedelta(0))
    files.delete_orphans()

    assert not any(default_storage.exists(name) for name in names)
    assert default_storage.exists(kept.photo.name)
