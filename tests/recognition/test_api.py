"""The REST API: uploads, lists, one analysis, deletion."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recognition import analyses
from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis
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
        (picture(1, 1, "PNG"), 400, "too_small"),
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
    analyses.run_analysis(str(analysis.pk))
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
    assert client.get(URL).status_code == 403
    assert post(client, ("photo.jpg", astronaut)).status_code == 403


def test_an_upload_needs_the_csrf_token(user, astronaut):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    assert post(client, ("photo.jpg", astronaut)).status_code == 403
