"""What is kept of a photo: the picture, one with blurred faces, or its numbers alone."""

import io

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from recognition.accounts import tasks as account_tasks
from recognition.jobs import work
from recognition.models import Analysis
from recognition.photos import analyses, tasks
from tests.recognition.uploads import picture, submit

FOLDERS = ("incoming", "photos", "thumbnails")


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def stored() -> list[str]:
    """The folders in which there is a file."""
    found = [f for f in FOLDERS if default_storage.exists(f)]
    return [folder for folder in found for _name in default_storage.listdir(folder)[1]]


def analyzed(user, content, **options) -> Analysis:
    analysis = submit(user, content, **options)
    tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


def face_of(analysis: Analysis, file) -> np.ndarray:
    """The pixels of the first face in a stored picture."""
    with file.open() as opened:
        rgb = np.asarray(Image.open(opened).convert("RGB"))
    face, scale = analysis.faces.first(), rgb.shape[1] / analysis.width
    x, y, right, bottom = (
        round(side * scale) for side in (face.x, face.y, face.x + face.width, face.y + face.height)
    )
    return rgb[y:bottom, x:right]


def detail(rgb: np.ndarray) -> float:
    """How much neighboring pixels differ, on average."""
    return float(np.abs(np.diff(rgb.astype(int), axis=1)).mean())


def test_numbers_alone(user, astronaut):
    analysis = analyzed(user, astronaut, keep="numbers")
    assert (analysis.status, analysis.face_count, analysis.emotion) == ("succeeded", 1, "happy")
    assert stored() == []
    assert (analysis.photo.name, analysis.thumbnail.name, analysis.stored_bytes) == ("", "", 0)
    assert analysis.faces.get().mesh is None


def test_blurred_from_the_start(user, astronaut):
    sharp, blurred = analyzed(user, astronaut), analyzed(user, astronaut, keep="blurred")
    assert blurred.faces.get().probabilities == sharp.faces.get().probabilities
    assert blurred.faces.get().mesh is None
    assert detail(face_of(blurred, blurred.photo)) < detail(face_of(sharp, sharp.photo)) / 2
    assert detail(face_of(blurred, blurred.thumbnail)) < detail(face_of(sharp, sharp.thumbnail)) / 2


@pytest.mark.parametrize("keep", ["blurred", "numbers"])
def test_an_upload_that_failed_does_not_wait_for_a_retry(user, astronaut, keep):
    analysis = submit(user, astronaut, keep=keep)
    work.cancel(analysis)
    analysis.refresh_from_db()
    assert not analysis.is_retryable
    other = submit(user, astronaut)
    work.cancel(other)
    account_tasks.erase_closed_accounts()
    analysis.refresh_from_db()
    assert analysis.source.name == ""
    assert stored() == ["incoming"]  # the other's


def test_an_upload_that_waits_for_its_worker_stays(user, astronaut):
    submit(user, astronaut, keep="numbers")
    account_tasks.erase_closed_accounts()
    assert stored() == ["incoming"]


def test_the_api_takes_the_wish(signed_in, user, astronaut):
    upload = io.BytesIO(astronaut)
    upload.name = "a.jpg"
    answer = signed_in.post("/api/v1/analyses/", {"photos": upload, "keep": "numbers"})
    assert answer.json()["analyses"][0]["keep"] == "numbers"
    upload.seek(0)
    answer = signed_in.post("/api/v1/analyses/", {"photos": upload, "keep": "everything"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "keep"


def test_faces_are_blurred_afterwards(signed_in, user, astronaut):
    analysis = analyzed(user, astronaut)
    before, old = detail(face_of(analysis, analysis.photo)), analysis.photo.name
    answer = signed_in.post(f"/api/v1/analyses/{analysis.pk}/blur/")
    assert (answer.status_code, answer.json()["keep"]) == (202, "blurred")
    version = {"model_version": analysis.model_version.number}
    again = signed_in.post(
        f"/api/v1/analyses/{analysis.pk}/rerun/", version, content_type="application/json"
    )
    assert again.status_code == 409  # a mosaic shows nothing
    analysis.refresh_from_db()
    assert analysis.photo.name != old
    assert detail(face_of(analysis, analysis.photo)) < before / 2
    assert analysis.faces.get().mesh is None
    assert sorted(stored()) == ["photos", "thumbnails"]  # the sharp ones are gone
    assert analysis.stored_bytes == analysis.photo.size + analysis.thumbnail.size


def test_a_picture_is_forgotten_afterwards(signed_in, user, astronaut):
    analysis = analyzed(user, astronaut)
    answer = signed_in.post(f"/api/v1/analyses/{analysis.pk}/forget/")
    assert (answer.status_code, answer.json()["photo_url"]) == (200, None)
    assert stored() == []
    assert analysis.faces.count() == 1
    for again in ("forget", "blur"):
        answer = signed_in.post(f"/api/v1/analyses/{analysis.pk}/{again}/")
        assert (answer.status_code, answer.json()["code"]) == (409, "no_picture")
    assert signed_in.get(f"/analyses/{analysis.pk}/photo/").status_code == 404
    page = signed_in.get(f"/analyses/{analysis.pk}/").content.decode()
    assert "The photo wasn't kept" in page.replace("&#x27;", "'")


@pytest.mark.parametrize("action", ["blur", "forget"])
def test_what_is_not_finished_is_not_changed(signed_in, user, astronaut, action):
    analysis = submit(user, astronaut)
    answer = signed_in.post(f"/api/v1/analyses/{analysis.pk}/{action}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "unfinished")


def test_a_photo_that_was_replaced_meanwhile_stays(user, astronaut):
    analysis = analyzed(user, astronaut)
    stale = Analysis.objects.get(pk=analysis.pk)
    assert analyses.forget_picture(analysis)
    assert not analyses.forget_picture(stale)
    assert not analyses.blur(Analysis.objects.get(pk=analysis.pk))


def test_a_photo_without_faces_can_be_blurred(signed_in, user):
    analysis = analyzed(user, picture(200, 100, "JPEG"), face_mode="detect")
    assert signed_in.post(f"/api/v1/analyses/{analysis.pk}/blur/").status_code == 202
