"""What is kept of a video: the video, one with blurred faces, or its numbers alone."""

import av
import numpy as np
import pytest

from recognition.models import Analysis, VideoPart
from recognition.photos import analyses
from recognition.videos import parts
from recognition.videos import tasks as video_tasks


def face_detail(analysis) -> list[float]:
    """How much neighboring pixels differ in the first face's box, in each frame."""
    face = analysis.faces.order_by("time").first()
    x, y, w, h = (round(side) for side in (face.x, face.y, face.width, face.height))
    with analysis.media.open() as opened, av.open(opened) as file:
        return [
            float(
                np.abs(
                    np.diff(
                        frame.to_ndarray(format="rgb24")[y : y + h, x : x + w].astype(int), axis=1
                    )
                ).mean()
            )
            for frame in file.decode(video=0)
        ]


def test_numbers_alone(submit, read_now, clip):
    analysis = read_now(submit(clip, keep="numbers"))
    assert (analysis.status, analysis.frame_count, analysis.notices) == ("succeeded", 20, [])
    assert [analysis.media.name, analysis.thumbnail.name, analysis.source.name] == ["", "", ""]
    assert analysis.tracks.get().picture is None


def test_every_frame_is_blurred_from_the_start(submit, read_now, clip):
    sharp = read_now(submit(clip))
    blurred = read_now(submit(clip, keep="blurred"))
    assert (blurred.status, blurred.notices, blurred.frame_count) == ("succeeded", [], 20)
    assert not blurred.thumbnail
    assert blurred.tracks.get().picture is None
    before, after = face_detail(sharp), face_detail(blurred)
    assert len(after) == len(before) == 40
    assert max(after) < min(before) / 2
    assert blurred.stored_bytes == blurred.media.size


def test_a_video_is_blurred_afterwards(
    signed_in, submit, read_now, clip, django_capture_on_commit_callbacks
):
    analysis = read_now(submit(clip))
    before, old = face_detail(analysis), analysis.media.name
    for _click in range(2):
        answer = signed_in.post(f"/api/v1/analyses/{analysis.pk}/blur/")
        assert (answer.status_code, answer.json()["keep"]) == (202, "picture")
    part = VideoPart.objects.get(analysis=analysis, status="queued")
    with django_capture_on_commit_callbacks(execute=True):
        video_tasks.carry_out_part(str(part.pk))
    analysis.refresh_from_db()
    assert (analysis.status, analysis.keep, analysis.thumbnail.name) == ("succeeded", "blurred", "")
    assert max(face_detail(analysis)) < min(before) / 2
    assert analysis.media.name != old
    assert not analysis.media.storage.exists(old)
    assert analysis.tracks.get().picture is None
    assert analysis.stored_bytes == analysis.media.size


def test_what_is_forgotten_while_it_is_being_blurred_does_not_come_back(
    submit, read_now, clip, monkeypatch, django_capture_on_commit_callbacks
):
    analysis = read_now(submit(clip))
    parts.ask_for_blur(analysis)
    part = VideoPart.objects.get(analysis=analysis, status="queued")
    write_places = parts._write_places

    def forget_first(*arguments):
        write_places(*arguments)
        assert analyses.forget_picture(Analysis.objects.get(pk=analysis.pk))

    monkeypatch.setattr(parts, "_write_places", forget_first)
    monkeypatch.setattr("recognition.photos.analyses.delete_files", lambda names: None)
    with django_capture_on_commit_callbacks(execute=True):
        video_tasks.carry_out_part(str(part.pk))
    analysis.refresh_from_db()
    assert (analysis.keep, analysis.media.name, analysis.thumbnail.name) == ("numbers", "", "")
    assert not analysis.media.storage.exists(f"videos/{analysis.pk}-blurred.mp4")


def test_what_was_forgotten_before_ends_the_blurring(submit, read_now, clip):
    analysis = read_now(submit(clip))
    parts.ask_for_blur(analysis)
    assert analyses.forget_picture(analysis)
    part = VideoPart.objects.get(analysis=analysis, status="queued")
    video_tasks.carry_out_part(str(part.pk))
    part.refresh_from_db()
    assert (part.status, part.error_code) == ("failed", "no_video")


def test_a_video_is_forgotten_afterwards(signed_in, submit, read_now, clip):
    analysis = read_now(submit(clip))
    media = analysis.media.name
    answer = signed_in.post(f"/api/v1/analyses/{analysis.pk}/forget/")
    assert answer.json()["video"]["media_url"] is None
    assert not analysis.media.storage.exists(media)
    analysis.refresh_from_db()
    assert (analysis.frame_count, analysis.tracks.get().picture) == (20, None)


def test_without_a_copy_there_is_nothing_to_blur(submit, read_now, clip):
    assert not parts.ask_for_blur(read_now(submit(clip, keep="numbers")))


@pytest.mark.parametrize("keep", ["blurred", "numbers"])
def test_a_video_that_nobody_could_read_has_no_copy(submit, read_now, tmp_path, keep):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(500))
    analysis = read_now(submit(broken, keep=keep))
    assert analysis.status == "failed"
    assert not analysis.media
