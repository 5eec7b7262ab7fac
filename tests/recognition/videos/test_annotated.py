"""Annotated videos: an export of one video, made where videos are read."""

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import ImageColor

from recognition.engine.emotions import COLORS
from recognition.jobs import work
from recognition.models import Analysis, Export, Marker
from recognition.videos import annotated, tasks
from tests.recognition import histories

Status = Export.Status


@pytest.fixture
def read(submit, read_now, clip) -> Analysis:
    return read_now(submit(clip))


def files() -> list[str]:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


def request(client, *ids, **filters):
    body = {"format": "mp4", "filters": {"id": [str(pk) for pk in ids], **filters}}
    return client.post("/api/v1/exports/", body, content_type="application/json")


@pytest.fixture
def made(signed_in, read) -> Export:
    """An annotated video, requested and made."""
    answer = request(signed_in, read.pk)
    assert answer.status_code == 202, answer.json()
    tasks.annotate_video(answer.json()["id"])
    return Export.objects.get()


def test_every_frame_is_there_and_has_its_box(made, signed_in, tmp_path):
    assert (made.status, made.rows_done, made.rows_total) == (Status.SUCCEEDED, 40, 40)
    answer = signed_in.get(f"/api/v1/exports/{made.pk}/file/")
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Disposition"].endswith('.mp4"')
    path = tmp_path / "made.mp4"
    path.write_bytes(b"".join(answer.streaming_content))
    assert path.stat().st_size == made.size
    happy = np.array(ImageColor.getrgb(COLORS["happy"]))
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(frames) == 40
    for frame in frames:
        assert (np.abs(frame.astype(int) - happy).max(axis=-1) < 40).sum() > 200
    assert signed_in.get(f"/api/v1/exports/{made.pk}/codebook/").status_code == 404


def test_names_are_drawn_and_what_is_no_face_is_left_out(read, signed_in):
    read.tracks.update(not_a_face=True)
    pk = request(signed_in, read.pk).json()["id"]
    tasks.annotate_video(pk)
    happy = np.array(ImageColor.getrgb(COLORS["happy"]))
    with av.open(default_storage.path(Export.objects.get().file.name)) as file:
        frame = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert (np.abs(frame.astype(int) - happy).max(axis=-1) < 40).sum() < 200


def test_an_excluded_span_has_no_boxes(read, signed_in):
    Marker.objects.create(analysis=read, start=0.0, end=2.0, excluded=True)
    tasks.annotate_video(request(signed_in, read.pk).json()["id"])
    happy = np.array(ImageColor.getrgb(COLORS["happy"]))
    with av.open(default_storage.path(Export.objects.get().file.name)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    counts = [(np.abs(one.astype(int) - happy).max(axis=-1) < 40).sum() for one in frames]
    assert max(counts[:20]) < 200 < min(counts[23:])


def test_only_one_video_that_has_been_read_can_be_asked_for(user, other_user, signed_in, read):
    photo = histories.photo(user)
    theirs = Analysis.objects.create(
        owner=other_user, kind="video", status="succeeded", media="videos/theirs.mp4"
    )
    unread = Analysis.objects.create(owner=user, kind="video", media="")
    for ids in ([], [photo.pk], [theirs.pk], [unread.pk], [read.pk, photo.pk]):
        answer = request(signed_in, *ids)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] in {"one_video", "empty"}
    assert request(signed_in, read.pk, kind="video").status_code == 400
    assert not Export.objects.exists()


def test_a_video_that_was_deleted_meanwhile_fails_with_a_reason(read, signed_in):
    pk = request(signed_in, read.pk).json()["id"]
    read.delete()
    tasks.annotate_video(pk)
    export = Export.objects.get()
    assert (export.status, export.error_code) == (Status.FAILED, "no_video")


def test_a_canceled_one_leaves_nothing_behind(read, signed_in, monkeypatch):
    pk = request(signed_in, read.pk).json()["id"]
    ask = annotated.readers.ask

    def canceled_meanwhile(*arguments, **options):
        work.cancel(Export.objects.get())
        yield from ask(*arguments, **options)

    before = files()
    monkeypatch.setattr(annotated.readers, "CHECK_EVERY", 0)
    monkeypatch.setattr(annotated.readers, "ask", canceled_meanwhile)
    tasks.annotate_video(pk)
    assert Export.objects.get().status == Status.CANCELED
    assert files() == before
