"""A video from its upload to its tracks."""

import base64

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from recognition.jobs import lease, work
from recognition.models import Analysis, Face, Track, Video, VideoPart
from recognition.photos import analyses
from recognition.videos import parts, readers, tasks, tracks
from tests.recognition.engine.clips import astronaut, numbered, write
from tests.recognition.videos.rows import make_video

Status = Analysis.Status


def test_a_video_becomes_tracks(submit, read_now, clip):
    analysis = read_now(submit(clip))
    assert (analysis.status, analysis.kind) == (Status.SUCCEEDED, "video"), analysis.error_message
    assert (analysis.face_count, analysis.frame_count, analysis.emotion) == (1, 20, "happy")
    assert (analysis.width, analysis.height, analysis.seconds) == (640, 360, pytest.approx(4))
    assert (analysis.video.planned, analysis.video.missing) == (20, {})
    faces = analysis.faces.order_by("time")
    assert [face.time for face in faces] == pytest.approx([n / 5 for n in range(20)])
    assert [face.frame for face in faces] == list(range(0, 40, 2))
    track = analysis.tracks.get()
    assert (track.number, track.picture[:2], track.emotion) == (1, b"\xff\xd8", "happy")
    assert analysis.notices == []
    assert not analysis.source
    assert analysis.media.size > 1000
    assert analysis.thumbnail.size > 500
    assert analysis.stored_bytes == analysis.media.size + analysis.thumbnail.size


def test_segments_make_one_track(submit, read_now, clip, settings):
    settings.VIDEO_SEGMENT_SAMPLES = 5
    analysis = read_now(submit(clip))
    reads = analysis.parts.filter(task="read")
    assert [(part.start, part.end) for part in reads] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [face.time for face in analysis.faces.order_by("time")] == pytest.approx(
        [n / 5 for n in range(20)]
    )
    assert analysis.tracks.get().number == 1


def test_every_frame_can_be_read(submit, read_now, clip, settings):
    settings.VIDEO_SEGMENT_SAMPLES = 10
    analysis = read_now(submit(clip, fps=None))
    assert analysis.parts.filter(task="read").count() == 4
    assert list(analysis.faces.order_by("time").values_list("frame", flat=True)) == list(range(40))


def test_a_part_of_a_video_can_be_read(submit, read_now, clip):
    analysis = read_now(submit(clip, start=1.0, end=2.0))
    times = analysis.faces.order_by("time").values_list("time", flat=True)
    assert list(times) == pytest.approx([1, 1.2, 1.4, 1.6, 1.8])


def test_a_worker_goes_on_where_another_stopped(submit, read_now, clip):
    """As if a worker had died after it had stored 8 of 20 frames."""
    analysis = submit(clip)
    tasks.prepare_video(str(analysis.pk))
    part = lease.claim(VideoPart.objects.filter(analysis=analysis, task="read"))
    rows = parts._Rows(part)
    face = [1, 230.0, 40.0, 60.0, 80.0, 0.99, None, [0, 0, 0, 1, 0, 0, 0], None, 0.1]
    for n in range(8):
        look = base64.b64encode(bytes(24 * 24 * 3)).decode()
        rows.add({"number": 2 * n, "time": n / 5, "cut": False, "faces": [face], "look": look})
    rows.store()
    VideoPart.objects.filter(pk=part.pk).update(lease_expires_at=timezone.now())
    work.sweep(tasks.PART)
    read_now(analysis)
    times = list(analysis.faces.order_by("time").values_list("time", flat=True))
    assert times == pytest.approx([n / 5 for n in range(20)])
    analysis.refresh_from_db()
    assert (analysis.status, analysis.frame_count) == (Status.SUCCEEDED, 20)


def test_tracks_that_meet_are_joined_unless_they_are_two_faces(submit, read_now, clip):
    analysis = read_now(submit(clip))
    first = analysis.tracks.get()
    later = Track.objects.create(analysis=analysis, number=2)
    analysis.faces.filter(time__gte=2).update(track=later)
    tracks.join(analysis, 2.0)
    assert analysis.tracks.get() == first
    far = Track.objects.create(analysis=analysis, number=2)
    analysis.faces.filter(time__gte=2).update(track=far, x=5000.0)
    tracks.join(analysis, 2.0)
    assert analysis.tracks.count() == 2


def test_a_video_without_a_face_is_a_result(submit, read_now, tmp_path):
    clip = write(tmp_path / "a.mp4", map(numbered, range(30)))
    analysis = read_now(submit(clip))
    assert (analysis.status, analysis.face_count, analysis.frame_count) == ("succeeded", 0, 5)


def test_instants_without_a_frame_are_counted(submit, read_now, tmp_path):
    times = [0, 0.2, 3.0, 3.2]
    clip = write(tmp_path / "a.mp4", (astronaut(0) for _ in times), times=times.__getitem__)
    analysis = read_now(submit(clip))
    assert analysis.frame_count == 4
    video = analysis.video
    assert video.planned == analysis.frame_count + sum(video.missing.values())
    assert video.missing == {"no_frame": video.planned - 4}


def test_a_video_whose_end_is_missing_gives_what_is_there(submit, read_now, tmp_path):
    clip = write(tmp_path / "a.mkv", (astronaut(n / 10) for n in range(60)), rate=10)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    analysis = read_now(submit(clip))
    assert analysis.status == Status.SUCCEEDED
    assert "incomplete_video" in [notice["code"] for notice in analysis.notices]
    assert 5 < analysis.frame_count < 29
    missing = sum(analysis.video.missing.values())
    assert analysis.frame_count + missing == analysis.video.planned


def test_a_broken_video_fails_and_is_not_kept(submit, read_now, tmp_path):
    path = tmp_path / "bad.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(2000))
    analysis = submit(path)
    source = analysis.source.name
    analysis = read_now(analysis)
    assert (analysis.status, analysis.error_code) == (Status.FAILED, "broken_video")
    assert not default_storage.exists(source)
    assert not analysis.is_retryable


def test_a_start_after_the_end_says_so(submit, read_now, clip):
    analysis = read_now(submit(clip, start=60.0))
    assert (analysis.status, analysis.error_code) == (Status.FAILED, "start_after_end")


def test_a_canceled_video_stops_all_its_parts(submit, read_now, clip, settings):
    settings.VIDEO_SEGMENT_SAMPLES = 5
    analysis = submit(clip)
    tasks.prepare_video(str(analysis.pk))
    assert work.cancel(analysis)
    assert {part.status for part in analysis.parts.all()} == {"canceled"}
    read_now(analysis)
    assert not Face.objects.exists()
    assert analysis.status == Status.CANCELED
    # The upload is kept, so it can be retried.
    assert work.retry(analysis)
    assert read_now(analysis).status == Status.SUCCEEDED
    assert analysis.faces.count() == 20


def test_a_video_with_a_part_that_fails_keeps_the_rest(submit, read_now, clip, settings):
    settings.VIDEO_SEGMENT_SAMPLES = 5
    analysis = submit(clip)
    tasks.prepare_video(str(analysis.pk))
    part = lease.claim(VideoPart.objects.filter(analysis=analysis, start=2))
    VideoPart.objects.filter(pk=part.pk).update(
        attempts=tasks.MOST_ATTEMPTS, lease_expires_at=timezone.now()
    )
    work.sweep(tasks.PART)
    analysis = read_now(analysis)
    assert analysis.status == Status.SUCCEEDED
    assert analysis.video.missing == {"part_failed": 5}
    assert [notice["code"] for notice in analysis.notices] == ["parts_missing"]
    assert analysis.frame_count == 15


def test_deleting_a_video_deletes_its_files(
    submit, read_now, clip, django_capture_on_commit_callbacks
):

    analysis = read_now(submit(clip))
    names = [analysis.media.name, analysis.thumbnail.name]
    assert all(map(default_storage.exists, names))
    with django_capture_on_commit_callbacks(execute=True):
        analyses.delete_analysis(analysis)
    assert not any(map(default_storage.exists, names))
    assert not VideoPart.objects.exists()


def test_faces_on_both_sides_of_a_cut_are_two_where_segments_meet(
    submit, read_now, tmp_path, settings
):
    """Encoders set key frames at cuts, so segments often meet there."""
    settings.VIDEO_SEGMENT_SAMPLES = 10
    pictures = [astronaut(0)] * 20 + [255 - astronaut(0)[:, ::-1] // 2] * 20
    for place in range(20, 40):  # the same face at the same place, in another shot
        pictures[place] = pictures[place].copy()
        pictures[place][20:160, 200:330] = astronaut(0)[20:160, 200:330]
    clip = write(tmp_path / "a.mp4", pictures, rate=10, options={"g": "20", "sc_threshold": "0"})
    analysis = read_now(submit(clip))
    assert analysis.parts.filter(task="read").count() == 2
    spans = sorted(
        (min(times), max(times))
        for times in (
            list(track.faces.values_list("time", flat=True)) for track in analysis.tracks.all()
        )
    )
    assert all(last < 2 or first >= 2 for first, last in spans)
    assert len(spans) >= 2


def test_a_reader_that_is_busy_is_replaced(submit, read_now, clip):
    """Someone stopped listening in the middle of an answer."""
    analysis = submit(clip)
    lines = readers.ask("read", path=analysis.source.path, model=None, width=640, height=360)
    next(lines)
    assert read_now(analysis).frame_count == 20
    lines.close()


def test_a_video_is_read_again_with_another_model(submit, read_now, clip, signed_in):
    analysis = read_now(submit(clip, fps=2.0, start=1.0, tags=["pilot"]))
    url = f"/api/v1/analyses/{analysis.pk}/rerun/"
    answer = signed_in.post(url, {"model_version": 1}, content_type="application/json")
    assert answer.status_code == 202, answer.json()
    again = read_now(Analysis.objects.get(pk=answer.json()["id"]))
    assert (again.status, again.title, again.tags) == (Status.SUCCEEDED, "clip.mp4", ["pilot"])
    assert again.model_version.number == 1
    assert list(again.faces.values_list("time", "frame").order_by("time")) == list(
        analysis.faces.values_list("time", "frame").order_by("time")
    )
    assert again.media.name != analysis.media.name
    analysis.refresh_from_db()
    assert analysis.media.size > 1000


def test_without_a_copy_nothing_can_be_read_again(shipped, user, signed_in):
    analysis = Analysis.objects.create(owner=user, kind="video", status=Status.SUCCEEDED)
    Video.objects.create(analysis=analysis)
    url = f"/api/v1/analyses/{analysis.pk}/rerun/"
    answer = signed_in.post(url, {"model_version": 1}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_photo")


def test_a_recording_shows_the_live_numbers_until_it_has_been_read(
    submit, read_now, clip, user, signed_in
):
    session = make_video(user)
    Analysis.objects.filter(pk=session.pk).update(kind="webcam", width=320, height=180)
    analysis = submit(clip, recorded=True, session=str(session.pk), session_start=1.0)
    Analysis.objects.filter(pk=analysis.pk).update(width=640, height=360, seconds=4.0)
    url = f"/api/v1/analyses/{analysis.pk}/"

    assert signed_in.get(url).json()["video"]["live"]
    (track,) = signed_in.get(f"{url}tracks/").json()["tracks"]
    assert (track["first"], track["last"], track["frames"]) == (0.0, 2.8, 15)
    (series,) = signed_in.get(f"{url}series/").json()["series"]
    assert series["times"][:2] == [0.0, 0.2]
    boxes = signed_in.get(f"{url}boxes/?start=0.5&end=0.7").json()["boxes"]
    # 1.6 s into the session, whose frames were half as wide.
    assert [box[:4] for box in boxes] == [[0.6, 1, 2 * 108.0, 100.0]]

    read_now(analysis)
    assert not signed_in.get(url).json()["video"]["live"]
    (track,) = signed_in.get(f"{url}tracks/").json()["tracks"]
    assert (track["first"], track["frames"]) == (0.0, 20)


def test_nobody_sees_the_live_numbers_of_somebody_else(submit, clip, other_user, signed_in):
    theirs = make_video(other_user)
    Analysis.objects.filter(pk=theirs.pk).update(kind="webcam")
    analysis = submit(clip, session=str(theirs.pk))
    assert analysis.video.session is None
    tracks = signed_in.get(f"/api/v1/analyses/{analysis.pk}/tracks/").json()["tracks"]
    assert tracks == []
