"""Videos as people send them: containers, codecs, times, rotation, damage."""

import subprocess
import sys
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from recognition.engine import libav
from recognition.engine.clips import divide
from recognition.engine.errors import MediaError
from recognition.engine.video import inspect_video, read_frames, sniff
from tests.recognition.engine.clips import number_in, numbered, write

HD = ["mp4", "mov", "mkv", "avi", "mpg", "ts", "webm"]


def code_of(path) -> str:
    with pytest.raises(MediaError) as caught:
        inspect_video(path)
    assert len(caught.value.message) > 15
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "libx264", "yuv420p"),
        ("a.mkv", "libx265", "yuv420p"),
        ("deep.mp4", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx", "yuv420p"),
        ("b.webm", "libvpx-vp9", "yuv420p"),
        ("c.webm", "libsvtav1", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("b.avi", "mjpeg", "yuvj420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.ts", "mpeg2video", "yuv420p"),
    ],
)
def test_every_frame_of_every_format_is_read(tmp_path, name, codec, pixels):
    clip = write(tmp_path / name, map(numbered, range(30)), codec=codec, pixels=pixels)
    header = inspect_video(clip)
    assert (header.width, header.height, header.frames) == (320, 240, 30)
    assert header.seconds == pytest.approx(1, abs=0.05)
    frames = list(read_frames(clip, None))
    assert [number_in(frame.rgb) for frame in frames] == list(range(30))
    assert [frame.number for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(30) / 30, abs=0.002)


def test_frames_are_sampled_by_time(tmp_path):
    clip = write(tmp_path / "a.mp4", map(numbered, range(60)))
    assert [number_in(f.rgb) for f in read_frames(clip, 5)] == list(range(0, 60, 6))
    assert [number_in(f.rgb) for f in read_frames(clip, 0.5)] == [0]
    assert [number_in(f.rgb) for f in read_frames(clip, 5, 0.6, 1.4)] == [18, 24, 30, 36]


def test_parts_join_without_a_gap(tmp_path):
    clip = write(tmp_path / "a.mp4", map(numbered, range(90)), options={"g": "13", "bf": "2"})
    whole = [(f.number, number_in(f.rgb)) for f in read_frames(clip, None)]
    parts = [
        (f.number, number_in(f.rgb))
        for start, end in [(0, 0.7), (0.7, 1.9), (1.9, None)]
        for f in read_frames(clip, None, start, end)
    ]
    assert parts == whole == [(n, n) for n in range(90)]


def test_times_are_those_of_presentation(tmp_path):
    times = [0, 0.1, 0.15, 2.0, 2.05, 7.5]
    clip = write(tmp_path / "a.mp4", map(numbered, range(6)), times=times.__getitem__)
    assert [frame.time for frame in read_frames(clip, None)] == pytest.approx(times, abs=0.002)
    # Intervals without a frame give none.
    sampled = [(f.time, number_in(f.rgb)) for f in read_frames(clip, 5)]
    assert sampled == [(0, 0), (2, 3), (7.5, 5)]


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_phones_are_held_upright(tmp_path, rotation):
    picture = np.full((240, 320, 3), 90, np.uint8)
    picture[:80, :80] = (250, 20, 20)  # the red corner
    clip = write(tmp_path / "a.mp4", [picture] * 5, rotation=rotation)
    header = inspect_video(clip)
    upright = np.rot90(picture, rotation // 90)
    assert (header.height, header.width) == upright.shape[:2]
    frame = next(read_frames(clip, 5)).rgb
    assert frame.shape == upright.shape
    assert np.abs(frame.astype(int) - upright).mean() < 6


def test_pixels_that_are_not_square_are_stretched(tmp_path):
    def anamorphic(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    clip = write(tmp_path / "a.mp4", map(numbered, range(5)), prepare=anamorphic)
    header = inspect_video(clip)
    assert (header.width, header.height) == (427, 240)
    assert next(read_frames(clip, 5)).rgb.shape == (240, 427, 3)


def test_odd_sizes_are_read(tmp_path):
    pictures = [numbered(n, 321, 241) for n in range(5)]
    clip = write(tmp_path / "a.mp4", pictures, pixels="yuv444p")
    assert [number_in(f.rgb) for f in read_frames(clip, None)] == list(range(5))
    assert inspect_video(clip).width == 321


def test_interlaced_lines_are_not_mixed(tmp_path):
    comb = np.full((240, 320, 3), 20, np.uint8)
    comb[1::2] = 235  # two moments, each in its field

    def interlace(stream):
        stream.codec_context.flags |= 1 << 18 | 1 << 29  # interlaced DCT and motion

    clip = write(tmp_path / "a.mpg", [comb] * 10, codec="mpeg2video", prepare=interlace)
    with av.open(str(clip)) as file:
        assert next(file.decode(video=0)).interlaced_frame
    rgb = next(read_frames(clip, None)).rgb
    assert np.abs(np.diff(rgb[..., 0].astype(int), axis=0)).max() < 60


@pytest.mark.parametrize(
    ("transfer", "face", "white"),
    [
        # About 100 and 203 nits, a face and white paper. As they stand they'd look gray.
        pytest.param(16, 130, 148, id="pq"),
        pytest.param(18, 150, 191, id="hlg"),
    ],
)
def test_hdr_is_toned_to_the_usual_range(tmp_path, transfer, face, white):
    def wide(stream):
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9

    picture = np.full((240, 320, 3), face, np.uint8)
    picture[:, 160:] = white
    clip = write(
        tmp_path / "a.mkv", [picture] * 5, codec="libx265", pixels="yuv420p10le", prepare=wide
    )
    rgb = next(read_frames(clip, 5)).rgb
    assert 150 < rgb[120, 40].mean() < 235
    assert rgb[120, 280].mean() > 225


def test_frames_that_nobody_needs_are_not_decoded(tmp_path, monkeypatch):
    options = {"g": "50", "bf": "3", "b_strategy": "0"}
    clip = write(tmp_path / "a.mp4", map(numbered, range(120)), options=options)
    decoded = []
    plain = libav.decode

    def counted(*arguments, **options):
        for frame in plain(*arguments, **options):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(libav, "decode", counted)
    for start, end in [(0.0, None), (1.4, 3.0)]:
        decoded.clear()
        frames = [(f.number, number_in(f.rgb)) for f in read_frames(clip, 5, start, end)]
        wanted = range(round(30 * start), round(30 * (end or 4)), 6)
        assert frames == [(number, number) for number in wanted]
        assert len(frames) < len(decoded) < 0.7 * 30 * ((end or 4) - start) + 50


def test_a_frame_that_is_broken_is_replaced_by_the_next_of_its_interval(tmp_path):
    clip = write(tmp_path / "a.mkv", map(numbered, range(60)), codec="mjpeg", pixels="yuvj420p")
    with av.open(str(clip)) as file:
        packets = [bytes(packet) for packet in file.demux(video=0) if packet.size]
    content = clip.read_bytes()
    clip.write_bytes(content.replace(packets[12], bytes(len(packets[12]))))
    numbers = [(f.number, number_in(f.rgb)) for f in read_frames(clip, 5)]
    assert numbers == [(n, n) for n in (0, 6, 13, 18, 24, 30, 36, 42, 48, 54)]


def test_the_largest_frames_are_read_and_larger_ones_refused(tmp_path):
    clip = write(tmp_path / "8k.mp4", [numbered(5, 7680, 4320)], options={"preset": "ultrafast"})
    header = inspect_video(clip)
    assert (header.width, header.height, header.frames) == (7680, 4320, 1)
    frame = next(read_frames(clip, 5)).rgb
    assert (frame.shape, number_in(frame)) == ((720, 1280, 3), 5)
    wide = np.zeros((4400, 8256, 3), np.uint8)
    assert code_of(write(tmp_path / "9k.avi", [wide], codec="mjpeg", pixels="yuvj420p")) == (
        "too_many_pixels"
    )


def test_hours_of_black_are_read(tmp_path):
    """3 hours at one frame in 10 seconds, as a screen recorder writes it."""
    black = np.zeros((72, 128, 3), np.uint8)
    clip = write(tmp_path / "a.mp4", [black] * 1080, times=lambda n: 10.0 * n)
    header = inspect_video(clip)
    assert (header.seconds, header.frames) == (pytest.approx(10_800), 1080)
    parts = divide(header, 5)
    assert (parts[0].start, parts[-1].end) == (0, pytest.approx(10_800))
    assert sum(part.planned for part in parts) == 54_000
    assert sum(part.present for part in parts) == 1080
    assert [f.number for f in read_frames(clip, 5, 10_700)] == list(range(1070, 1080))


def test_what_the_header_claims_is_not_believed(tmp_path):
    clip = write(tmp_path / "a.mkv", map(numbered, range(30)))
    content = bytearray(clip.read_bytes())
    at = content.index(b"\x44\x89\x88")  # the duration: a float of 8 bytes
    content[at + 3 : at + 11] = np.array([3_600_000.0], ">f8").tobytes()
    clip.write_bytes(content)
    header = inspect_video(clip)
    assert (header.frames, header.incomplete) == (30, True)
    assert header.seconds == pytest.approx(1, abs=0.05)


def test_a_file_that_was_cut_gives_what_is_there(tmp_path):
    whole = write(tmp_path / "a.mkv", map(numbered, range(300)), options={"g": "30"}).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    header = inspect_video(cut)
    assert header.incomplete
    assert 60 < header.frames < 240
    frames = [number_in(frame.rgb) for frame in read_frames(cut, None)]
    # The last ones may refer to others that are missing.
    assert frames[:-4] == list(range(len(frames) - 4))
    assert len(frames) >= header.frames - 4


def test_damage_in_the_middle_costs_only_what_it_hit(tmp_path):
    clip = write(tmp_path / "a.mkv", map(numbered, range(300)), options={"g": "30"})
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    clip.write_bytes(content)
    found = {frame.number for frame in read_frames(clip, None)}
    last = max(number_in(frame.rgb) for frame in read_frames(clip, None))
    assert last == 299
    assert len(found) > 200


def test_one_frame_is_a_video(tmp_path):
    clip = write(tmp_path / "a.mp4", [numbered(7)])
    header = inspect_video(clip)
    assert (header.frames, header.seconds > 0) == (1, True)
    assert [number_in(frame.rgb) for frame in read_frames(clip)] == [7]


def test_ten_thousand_frames_a_second(tmp_path):
    clip = write(
        tmp_path / "a.mkv", map(numbered, range(50)), codec="mjpeg", pixels="yuvj420p", rate=10_000
    )
    header = inspect_video(clip)
    assert header.frames == 50
    assert header.seconds < 0.2
    assert len(list(read_frames(clip, None))) >= 5  # its container counts milliseconds


def test_tiny_frames(tmp_path):
    clip = write(tmp_path / "a.mp4", [np.full((16, 16, 3), 90, np.uint8)] * 5)
    assert inspect_video(clip).width == 16
    assert len(list(read_frames(clip, None))) == 5


def test_animations_on_request(tmp_path):
    pictures = [Image.fromarray(numbered(n)) for n in range(4)]
    for name in ("a.gif", "a.webp", "a.avif"):
        clip = tmp_path / name
        pictures[0].save(clip, save_all=True, append_images=pictures[1:], duration=250)
        header = inspect_video(clip)
        assert (header.frames, header.seconds) == (4, pytest.approx(1, abs=0.02))
        assert [number_in(frame.rgb) for frame in read_frames(clip, None)] == [0, 1, 2, 3]


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        voice = file.add_stream("aac", rate=16_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 16_000
        file.mux(voice.encode(silence))
        file.mux(voice.encode())
    assert code_of(path) == "no_video_stream"


def test_an_encrypted_video_says_so(tmp_path):
    protect = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "0" * 32,
        "encryption_kid": "1" * 32,
    }
    clip = write(tmp_path / "a.mp4", map(numbered, range(5)), container_options=protect)
    assert code_of(clip) == "encrypted_video"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"just a text\n" * 50, "not_a_video"),
        (b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n", "not_a_video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_a_video"),
        (b"\0\0\0\x18ftypmp42" + bytes(200), "broken_video"),
        (b"\x1a\x45\xdf\xa3" + bytes(200), "broken_video"),
        (b"RIFF\x20\0\0\0AVI LIST" + bytes(100), "broken_video"),
        (b"GIF89a" + bytes(30), "broken_video"),
    ],
)
def test_what_is_no_video_gets_a_coded_error(tmp_path, content, code):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert code_of(path) == code


def test_a_picture_by_the_name_of_a_video(tmp_path):
    path = tmp_path / "a.mp4"
    Image.fromarray(numbered(1)).save(path, "PNG")
    assert code_of(path) == "not_a_video"


def test_the_content_tells_the_container(tmp_path):
    clip = write(tmp_path / "a.mkv", map(numbered, range(5)))
    renamed = clip.rename(tmp_path / "a.mp4")
    assert inspect_video(renamed).container == "matroska"
    assert sniff(b"\0\0\0\x18ftypheic") is None


def test_a_movie_opens_no_other_file(tmp_path):
    """A QuickTime file can name another file that holds its frames."""
    other = write(tmp_path / "other.mov", map(numbered, range(5)))
    content = other.read_bytes()
    at = content.index(b"url ")
    changed = bytearray(content)
    changed[at : at + 4] = b"alis"
    changed[at + 7] = 0  # not in this file
    path = tmp_path / "a.mov"
    path.write_bytes(changed)
    assert inspect_video(path).frames == 5  # those in the file itself


def test_time_and_memory_do_not_grow_with_the_length(tmp_path):
    clip = write(tmp_path / "a.mp4", map(numbered, range(600)))
    tracemalloc.start()
    for _frame in read_frames(clip, None):
        pass
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * 1024**2


def test_pyav_is_not_loaded_without_a_video():
    code = "import sys, recognition.engine.video; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
