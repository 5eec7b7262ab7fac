"""The REST API: uploads, lists, one analysis, deletion."""

import io
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis, IdempotentRequest
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from tests.recognition.jobs.sweeping import claim
from tests.recognition.uploads import picture, submit

URL = "/api/v1/analyses/"


def post(client, *files: tuple[str, bytes]):
    uploads = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(URL, {"photos": uploads})


def test_an_upload_is_accepted_and_described(signed_in, astronaut):
    response = post(signed_in, ("launch.jpg", astronaut))

    assert response.status_code == 202
    (analysis,) = response.json()["analyses"]
    assert analysis["title"] == "launch.jpg"
    assert analysis["status"] == "queued"
    assert analysis["url"] == f"/analyses/{analysis['id']}/"
    assert response.json()["errors"] == []


def test_a_bad_file_among_good_ones_is_named_and_the_others_go_on(signed_in, astronaut):
    response = post(signed_in, ("a.jpg", astronaut), ("b.jpg", b"no picture"), ("c.jpg", astronaut))

    assert response.status_code == 202
    assert [analysis["title"] for analysis in response.json()["analyses"]] == ["a.jpg", "c.jpg"]
    (error,) = response.json()["errors"]
    assert (error["file"], error["code"]) == ("b.jpg", "not_an_image")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"plain text", 415, "not_an_image"),
        (picture(1, 1, "PNG"), 422, "too_small"),
        (picture(64, 64, "JPEG")[:80], 422, "truncated_image"),
    ],
)
def test_if_nothing_is_accepted_the_status_says_why(signed_in, content, status, code):
    response = post(signed_in, ("photo.jpg", content))

    assert response.status_code == status
    assert [error["code"] for error in response.json()["errors"]] == [code]
    assert not Analysis.objects.exists()


def test_a_file_over_the_limit_is_counted_while_it_streams(signed_in, settings, astronaut):
    settings.MAX_UPLOAD_BYTES = 200_000
    response = post(signed_in, ("large.jpg", b"x" * 200_001), ("good.jpg", astronaut))

    assert [error["code"] for error in response.json()["errors"]] == ["file_too_large"]
    assert [analysis["title"] for analysis in response.json()["analyses"]] == ["good.jpg"]


def test_only_a_file_over_the_limit_is_413(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    response = post(signed_in, ("large.jpg", b"x" * 1001))

    assert response.status_code == 413


def test_a_request_without_files_says_what_to_send(signed_in):
    response = signed_in.post(URL, {})

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "no_files"


def test_too_many_files_in_a_request_are_refused_in_words(signed_in, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = post(signed_in, *[(f"{number}.jpg", b"x") for number in range(3)])

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "too_many_files"


def test_one_analysis_comes_with_its_faces(signed_in, user, astronaut):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    body = signed_in.get(f"{URL}{analysis.pk}/").json()

    assert body["status"] == "succeeded"
    assert body["photo_url"] == f"/analyses/{analysis.pk}/photo/"
    (face,) = body["faces"]
    assert set(face["box"]) == {"x", "y", "width", "height"}
    assert set(face["landmarks"]) == {"left_eye", "right_eye", "nose", "mouth_left", "mouth_right"}
    assert tuple(face["probabilities"]) == EMOTIONS
    assert face["emotion"] == max(face["probabilities"], key=face["probabilities"].get)


def test_the_list_goes_from_the_newest_to_the_oldest_in_pages(signed_in, user, astronaut):
    newest_first = [str(submit(user, astronaut).pk) for _ in range(3)][::-1]
    first = signed_in.get(f"{URL}?page_size=2").json()
    second = signed_in.get(first["next"]).json()

    assert [one["id"] for one in first["results"] + second["results"]] == newest_first
    assert second["next"] is None


def test_deleting(signed_in, user, astronaut):
    analysis = submit(user, astronaut)

    assert signed_in.delete(f"{URL}{analysis.pk}/").status_code == 204
    assert signed_in.get(f"{URL}{analysis.pk}/").status_code == 404


@pytest.mark.django_db
def test_nobody_gets_in_without_signing_in(client, user, astronaut):
    assert client.get(URL).status_code == 401
    assert post(client, ("photo.jpg", astronaut)).status_code == 401


def test_an_upload_says_where_its_analysis_is(signed_in, astronaut):
    response = post(signed_in, ("launch.jpg", astronaut))
    (analysis,) = response.json()["analyses"]

    assert response["Location"] == f"http://testserver{URL}{analysis['id']}/"


def test_a_photo_can_be_the_raw_body(signed_in, astronaut):
    response = signed_in.post(
        URL,
        astronaut,
        content_type="image/jpeg",
        headers={"content-disposition": 'attachment; filename="moon.jpg"'},
    )

    assert response.status_code == 202
    assert response.json()["analyses"][0]["title"] == "moon.jpg"


def test_a_raw_body_over_the_limit_is_413(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    response = signed_in.post(URL, b"x" * 5000, content_type="image/png")

    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")


def test_another_type_of_body_is_415(signed_in):
    response = signed_in.post(URL, "photo", content_type="text/plain")

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_with_200_and_the_faces(client, user, astronaut, worker):
    worker()
    client.force_login(user)
    upload = SimpleUploadedFile("a.jpg", astronaut)
    response = client.post(URL, {"photos": [upload]}, headers={"prefer": "respond-async, wait=20"})

    assert response.status_code == 200
    assert response["Preference-Applied"] == "wait=20"
    assert len(response.json()["analyses"][0]["faces"]) == 1


def test_waiting_in_vain_ends_with_202(signed_in, astronaut):
    upload = SimpleUploadedFile("a.jpg", astronaut)  # no worker runs
    response = signed_in.post(URL, {"photos": [upload]}, headers={"prefer": "wait=1"})

    assert response.status_code == 202
    assert response.json()["analyses"][0]["status"] == "queued"


def test_without_a_queue_nothing_is_stored_and_the_answer_is_503(
    signed_in, astronaut, redis_server
):
    redis_server.stop()
    try:
        response = post(signed_in, ("a.jpg", astronaut))
    finally:
        redis_server.start()

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"] == "5"
    assert not Analysis.objects.exists()


def send_with_key(client, key: str, name: str, content: bytes):
    upload = SimpleUploadedFile(name, content)
    return client.post(URL, {"photos": [upload]}, headers={"idempotency-key": key})


def test_the_same_request_with_a_key_is_done_once(signed_in, astronaut):
    first, second = (send_with_key(signed_in, "k1", "a.jpg", astronaut) for _ in range(2))

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert Analysis.objects.count() == 1


def test_a_key_for_another_request_is_a_conflict(signed_in, astronaut, coffee):
    send_with_key(signed_in, "k1", "a.jpg", astronaut)
    response = send_with_key(signed_in, "k1", "a.jpg", coffee)

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert Analysis.objects.count() == 1


def test_a_request_that_was_refused_may_be_sent_again_with_its_key(signed_in, astronaut):
    assert send_with_key(signed_in, "k1", "a.jpg", b"no photo").status_code == 415
    assert send_with_key(signed_in, "k1", "a.jpg", astronaut).status_code == 202


def test_the_same_key_of_another_person_is_another_key(signed_in, other_user, astronaut):
    send_with_key(signed_in, "k1", "a.jpg", astronaut)
    client = Client()
    client.force_login(other_user)

    assert send_with_key(client, "k1", "a.jpg", astronaut).status_code == 202
    assert Analysis.objects.count() == 2


def test_a_key_whose_request_was_never_answered_is_free_after_a_while(signed_in, user, astronaut):
    # A process was killed while handling the request with this key.
    assert send_with_key(signed_in, "k1", "a.jpg", astronaut).status_code == 202
    IdempotentRequest.objects.update(status=None, body=None)
    assert send_with_key(signed_in, "k1", "a.jpg", astronaut).status_code == 409
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    assert send_with_key(signed_in, "k1", "a.jpg", astronaut).status_code == 202
    assert Analysis.objects.count() == 1


@pytest.mark.parametrize("stored", [0, 1, 2])
def test_a_request_whose_process_was_killed_goes_on_where_it_was(
    signed_in, astronaut, coffee, stored
):
    """Killed after so many of two photos were stored, and before the response was."""

    def send():
        photos = [SimpleUploadedFile("a.jpg", astronaut), SimpleUploadedFile("b.jpg", coffee)]
        return signed_in.post(URL, {"photos": photos}, headers={"idempotency-key": "k1"})

    first = [one["id"] for one in send().json()["analyses"]]
    Analysis.objects.filter(pk__in=first[stored:]).delete()
    IdempotentRequest.objects.update(status=None, body=None)
    assert send().json()["code"] == "request_in_progress"

    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    again = send()
    assert again.status_code == 202
    assert [one["id"] for one in again.json()["analyses"]] == first
    assert Analysis.objects.count() == 2
    assert send().json() == again.json()


def test_a_key_is_forgotten_after_a_day(signed_in, astronaut, coffee):
    send_with_key(signed_in, "k1", "a.jpg", astronaut)
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert send_with_key(signed_in, "k1", "a.jpg", coffee).status_code == 202


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut, "moon landing.jpg")
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("status=succeeded", 1),
        ("status=failed", 0),
        ("kind=webcam", 0),
        ("text=LANDING", 1),
        ("text=sea", 0),
        ("created_after=2020-01-01", 1),
        ("created_before=2020-01-01T00:00:00Z", 0),
        ("model_version=1", 1),
        ("model_version=99", 0),
    ],
)
def test_the_list_can_be_narrowed(signed_in, analysis, query, found):
    assert len(signed_in.get(f"{URL}?{query}").json()["results"]) == found


def test_the_list_by_emotion(signed_in, analysis):
    others = [emotion for emotion in EMOTIONS if emotion != analysis.emotion]
    found = signed_in.get(f"{URL}?emotion={analysis.emotion}").json()["results"]

    assert len(found) == 1
    assert signed_in.get(f"{URL}?emotion={others[0]}").json()["results"] == []


@pytest.mark.parametrize(
    "query", ["order=title", "status=done", "created_after=soon", "emotion=joy", "cursor=x"]
)
def test_a_filter_that_makes_no_sense_is_an_error(signed_in, user, query):
    response = signed_in.get(f"{URL}?{query}")

    assert response.status_code in {400, 404}
    assert response["Content-Type"] == "application/problem+json"


def test_the_list_from_the_oldest_to_the_newest(signed_in, user, astronaut):
    oldest_first = [str(submit(user, astronaut).pk) for _ in range(3)]
    first = signed_in.get(f"{URL}?order=created_at&page_size=2").json()
    second = signed_in.get(first["next"]).json()

    assert [one["id"] for one in first["results"] + second["results"]] == oldest_first


def test_title_notes_and_tags_can_be_written(signed_in, analysis):
    edit = {"title": "Moon", "notes": "1969", "tags": ["space", "old"]}
    response = signed_in.patch(f"{URL}{analysis.pk}/", edit, content_type="application/json")

    assert response.status_code == 200
    assert response.json() | edit == response.json()
    assert response.json()["sequence"] == analysis.sequence + 1
    assert len(signed_in.get(f"{URL}?text=space").json()["results"]) == 1


@pytest.mark.parametrize(
    ("edit", "field"),
    [({"title": ""}, "title"), ({"tags": "x"}, "tags"), ({"notes": "x" * 5001}, "notes")],
)
def test_a_bad_edit_names_its_field(signed_in, analysis, edit, field):
    response = signed_in.patch(f"{URL}{analysis.pk}/", edit, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == field


def test_a_queued_analysis_can_be_canceled_and_retried(signed_in, user, astronaut):
    analysis = submit(user, astronaut)
    assert signed_in.post(f"{URL}{analysis.pk}/cancel/").json()["status"] == "canceled"
    photo_tasks.analyze(str(analysis.pk))  # its message arrives later and does nothing
    assert signed_in.post(f"{URL}{analysis.pk}/cancel/").status_code == 409

    response = signed_in.post(f"{URL}{analysis.pk}/retry/")
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    photo_tasks.analyze(str(analysis.pk))
    assert signed_in.get(f"{URL}{analysis.pk}/").json()["status"] == "succeeded"


def test_a_result_that_comes_after_the_cancel_is_thrown_away(signed_in, user, astronaut):
    analysis = submit(user, astronaut)
    running = claim(analysis)
    signed_in.post(f"{URL}{analysis.pk}/cancel/")
    analyses.analyze_source(running)

    assert signed_in.get(f"{URL}{analysis.pk}/").json()["status"] == "canceled"


def test_an_unreadable_photo_cannot_be_retried(signed_in, user, astronaut):
    analysis = submit(user, astronaut[: len(astronaut) // 2])
    photo_tasks.analyze(str(analysis.pk))
    response = signed_in.post(f"{URL}{analysis.pk}/retry/")

    assert (response.status_code, response.json()["code"]) == (409, "not_retryable")


def test_a_photo_can_be_read_again_by_another_version(signed_in, analysis):
    response = signed_in.post(
        f"{URL}{analysis.pk}/rerun/", {"model_version": 1}, content_type="application/json"
    )
    assert response.status_code == 202
    again = response.json()["id"]
    assert response["Location"].endswith(f"{URL}{again}/")
    photo_tasks.analyze(again)
    state = signed_in.get(f"{URL}{again}/").json()
    assert (state["status"], state["model_version"]) == ("succeeded", 1)
    assert len(state["faces"]) == 1


@pytest.mark.parametrize("number", ["7", "1e400", "[]"])
def test_a_rerun_by_a_version_that_does_not_exist_is_an_error(signed_in, analysis, number):
    body = f'{{"model_version": {number}}}'
    response = signed_in.post(f"{URL}{analysis.pk}/rerun/", body, content_type="application/json")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "model_version")


def test_json_that_is_nested_too_deeply_is_an_error(signed_in, analysis):
    response = signed_in.patch(
        f"{URL}{analysis.pk}/", "[" * 100_000, content_type="application/json"
    )
    assert (response.status_code, response.json()["code"]) == (400, "malformed_request")


def test_the_annotated_photo_differs_where_the_face_is(signed_in, analysis):
    plain, drawn = (
        np.asarray(Image.open(io.BytesIO(signed_in.get(f"{URL}{analysis.pk}/{name}/").content)))
        for name in ("photo", "annotated")
    )
    assert plain.shape == drawn.shape
    face = analysis.faces.get()
    changed = np.abs(plain.astype(int) - drawn).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert columns.min() == pytest.approx(face.x, abs=6)
    assert rows.max() == pytest.approx(face.y + face.height, abs=6)


def test_an_upload_needs_the_csrf_token(user, astronaut):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    assert post(client, ("photo.jpg", astronaut)).status_code == 403
