"""Copies that browsers play."""

import av
import numpy as np
import pytest

from recognition.engine.playable import copy_playable, media_type_of
from recognition.engine.video import inspect_video, read_frames
from tests.recognition.engine.clips import number_in, numbered, write


def copied(clip, audio=True):
    kind = media_type_of(clip).removeprefix("video/")
    target = clip.with_name(f"copy.{kind}")
    shares = list(copy_playable(clip, target, audio=audio))
    assert shares[-1] == 1
    assert shares == sorted(shares)
    return target


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "kind"),
    [
        ("a.mp4", "libx264", "yuv420p", "mp4"),
        ("a.mkv", "libx264", "yuv420p", "mp4"),
        ("a.webm", "libvpx", "yuv420p", "webm"),
        ("b.webm", "libvpx-vp9", "yuv420p", "webm"),
        ("a.avi", "mpeg4", "yuv420p", "mp4"),
        ("b.mp4", "libx265", "yuv420p10le", "mp4"),
        ("c.mp4", "libx264", "yuv444p", "mp4"),
    ],
)
def test_every_frame_is_in_the_copy_at_its_time(tmp_path, name, codec, pixels, kind):
    clip = write(tmp_path / name, map(numbered, range(60)), codec=codec, pixels=pixels)
    copy = copied(clip)
    assert copy.suffix == f".{kind}"
    with av.open(str(copy)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name in {"h264", "vp8", "vp9"}, stream.format.name) == (
            True,
            "yuv420p",
        )
        times = [float(frame.time) for frame in file.decode(stream)]
    assert times == pytest.approx(np.arange(60) / 30, abs=0.002)
    assert [number_in(frame.rgb) for frame in read_frames(copy, None)] == list(range(60))


def test_sound_stays_unless_it_is_unwanted(tmp_path):
    clip = write(tmp_path / "a.mp4", map(numbered, range(60)), sound=True)
    assert inspect_video(clip).audio_codec == "aac"
    assert inspect_video(copied(clip)).audio_codec == "aac"
    assert inspect_video(copied(clip, audio=False)).audio_codec == ""


def test_sound_is_encoded_where_browsers_cannot_play_it(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as file:
        video = file.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        voice = file.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in range(50):
            file.mux(video.encode(av.VideoFrame.from_ndarray(numbered(number), "rgb24")))
            quiet = av.AudioFrame.from_ndarray(np.zeros((1, 640), np.int16), "s16", "mono")
            quiet.sample_rate, quiet.pts = 16_000, 640 * number
            file.mux(voice.encode(quiet))
        file.mux(video.encode())
        file.mux(voice.encode())
    header = inspect_video(copied(path))
    assert (header.codec, header.audio_codec, header.frames) == ("h264", "aac", 50)


@pytest.mark.parametrize(("codec", "rotation"), [("libx264", 90), ("mpeg4", -90)])
def test_phones_are_held_upright_in_the_copy(tmp_path, codec, rotation):
    picture = np.full((240, 320, 3), 90, np.uint8)
    picture[:80, :80] = (250, 20, 20)
    clip = write(tmp_path / "a.mp4", [picture] * 5, codec=codec, rotation=rotation)
    upright = next(read_frames(clip, None)).rgb
    again = next(read_frames(copied(clip), None)).rgb
    assert again.shape == upright.shape
    assert np.abs(again.astype(int) - upright).mean() < 6


def test_nothing_of_the_metadata_is_kept(tmp_path):
    clip = tmp_path / "a.mp4"
    with av.open(str(clip), "w") as file:
        file.metadata.update({"location": "+48.2+016.3/", "comment": "a secret", "title": "secret"})
        stream = file.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.metadata["title"] = "secret"
        for number in range(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "rgb24")))
        file.mux(stream.encode())
    assert b"secret" in clip.read_bytes()
    content = copied(clip).read_bytes()
    assert b"secret" not in content
    assert b"48.2" not in content


def test_a_video_that_begins_late_begins_at_zero(tmp_path):
    clip = write(
        tmp_path / "a.mkv", map(numbered, range(30)), times=lambda n: 5 + n / 30, codec="libx264"
    )
    with av.open(str(copied(clip))) as file:
        assert float(next(file.decode(video=0)).time) == pytest.approx(0, abs=0.002)


def test_animations_become_videos(tmp_path):
    from PIL import Image

    pictures = [Image.fromarray(numbered(n)) for n in range(4)]
    clip = tmp_path / "a.gif"
    pictures[0].save(clip, save_all=True, append_images=pictures[1:], duration=250)
    assert [number_in(frame.rgb) for frame in read_frames(copied(clip), None)] == [0, 1, 2, 3]
