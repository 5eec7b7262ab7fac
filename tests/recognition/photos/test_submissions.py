"""Submitted photos: accepted ones, and those refused at once, with their messages."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from recognition.engine.errors import MediaError
from recognition.models import Analysis
from recognition.photos.submissions import clean_name, submit_image
from tests.recognition.uploads import animation, bomb, picture, submit, upload_of

pytestmark = pytest.mark.django_db


def test_a_photo_becomes_a_queued_analysis(user, astronaut):
    analysis = submit(user, astronaut, "launch.jpg")

    assert analysis.status == Analysis.Status.QUEUED
    assert analysis.owner == user
    assert analysis.title == "launch.jpg"
    assert analysis.source.read() == astronaut


def test_its_message_is_sent_when_the_row_is_there(
    user, astronaut, redis_server, django_capture_on_commit_callbacks
):
    redis_server.client.delete("mien:analyses")
    with django_capture_on_commit_callbacks(execute=True):
        analysis = submit(user, astronaut)

    (message,) = redis_server.client.lrange("mien:analyses", 0, -1)
    assert str(analysis.pk) in message.decode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"hello, this is no picture", "not_an_image"),
        (b"%PDF-1.7 neither is this", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (picture(1, 1, "PNG"), "too_small"),
        (bomb(), "too_many_pixels"),
    ],
    ids=["empty", "text", "pdf", "svg", "1x1", "bomb"],
)
def test_a_bad_file_is_refused_at_once_and_nothing_is_stored(user, content, code, settings):
    with pytest.raises(MediaError) as refusal:
        submit(user, content)

    assert refusal.value.code == code
    assert refusal.value.message.endswith(".")
    assert not Analysis.objects.exists()


def test_a_file_over_the_limit_is_refused_with_both_sizes(user, settings):
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    upload = upload_of(b"x" * 2 * 1024 * 1024)
    upload.too_large = True
    with pytest.raises(MediaError, match=r"2\.0 MB; up to 1 MB") as refusal:
        submit_image(user, upload)

    assert refusal.value.code == "file_too_large"


def test_an_animation_is_accepted_with_a_notice(user):
    analysis = submit(user, animation(), "dance.gif")

    assert [notice["code"] for notice in analysis.notices] == ["first_frame_only"]


def test_a_wrong_extension_is_accepted_with_a_notice(user):
    analysis = submit(user, picture(64, 64, "PNG"), "photo.jpg")

    assert [notice["code"] for notice in analysis.notices] == ["extension_mismatch"]


def test_a_right_extension_needs_no_notice(user, astronaut):
    assert submit(user, astronaut, "LAUNCH.JPEG").notices == []


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\ada\\me.jpg", "me.jpg"),
        ("line\nbreak\x00.jpg", "linebreak.jpg"),
        ("x" * 300, "x" * 200),
        ("Grüße 🙂.jpg", "Grüße 🙂.jpg"),
    ],
)
def test_the_title_is_a_clean_file_name(user, astronaut, name, title):
    assert clean_name(name) == title


def test_without_a_broker_the_photo_stays_queued(
    user, astronaut, redis_server, django_capture_on_commit_callbacks
):
    redis_server.stop()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            analysis = submit(user, astronaut)
    finally:
        redis_server.start()

    assert Analysis.objects.get(pk=analysis.pk).status == Analysis.Status.QUEUED


def test_a_photo_that_another_process_stored_keeps_its_file(user, astronaut):
    first = submit(user, astronaut, pk=uuid4())
    with pytest.raises(IntegrityError), transaction.atomic():
        submit(user, astronaut, pk=first.pk)

    with first.source.open() as file:
        assert file.read() == astronaut
