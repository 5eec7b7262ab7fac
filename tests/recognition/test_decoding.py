"""Photos are decoded in a confined child, which may crash, hang or be taken over."""

import os
import signal
import sys
import threading

import numpy as np
import psutil
import pytest
from PIL import Image

from recognition import decoding
from recognition.engine import confinement, media
from recognition.engine.errors import MediaError
from tests.recognition.uploads import picture

needs_confinement = pytest.mark.skipif(bool(confinement.missing()), reason="not on this host")


@pytest.fixture
def hostile(monkeypatch):
    """Helpers whose children do what photos say."""
    command = [sys.executable, "-m", "tests.recognition.hostile_decoder"]
    monkeypatch.setattr(decoding, "COMMAND", command)
    monkeypatch.setattr(decoding, "_own", threading.local())
    yield
    if helper := getattr(decoding._own, "helper", None):
        helper.close()


def decode(content: bytes, whose: object = "anna"):
    return decoding.decode_photo(content, whose)


def hostile_photo(word: str) -> bytes:
    return b"\0hostile:" + word.encode()


def outcome(content: bytes, whose: object = "anna") -> tuple[str, str]:
    with pytest.raises(MediaError) as raised:
        decode(content, whose)
    return raised.value.code, raised.value.message


GOOD = hostile_photo("good")


def process_of(whose: str = "anna") -> int:
    return decoding._own.helper._children[whose].pid


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "JPEG2000"])
def test_a_photo_is_the_same_as_if_it_was_decoded_here(kind):
    content = picture(400, 300, kind)
    rgb, header = decode(content)
    expected, same_header = media.decode_photo(content)
    assert np.array_equal(rgb, expected)
    assert header == same_header == decoding.inspect_photo(content, "anna")


def test_a_large_photo_comes_whole(monkeypatch):
    monkeypatch.setattr(decoding, "KEPT_BYTES", 1000)
    content = picture(640, 480, "JPEG")
    for _ in range(2):
        assert np.array_equal(decode(content)[0], media.decode_photo(content)[0])


def test_a_small_photo_after_a_larger_one():
    decode(picture(640, 480, "PNG"))
    assert decode(picture(64, 48, "PNG"))[0].shape == (48, 64, 3)


def test_a_frame_is_the_same_as_if_it_was_decoded_here():
    content = picture(320, 240, "WEBP")
    assert np.array_equal(decoding.decode_frame(content, 1), media.decode_frame(content, 10**6))


@pytest.mark.parametrize("damage", [b"", b"no photo", picture(64, 64, "PNG")[:60]])
def test_bad_files_have_the_errors_they_have_here(damage):
    with pytest.raises(MediaError) as raised:
        media.decode_photo(damage)
    assert outcome(damage) == (raised.value.code, raised.value.message)


def test_headers_that_python_reads_start_no_process(hostile):
    header = decoding.inspect_photo(picture(64, 48, "JPEG"), "anna")
    assert (header.width, header.height) == (64, 48)
    assert not hasattr(decoding._own, "helper")


def test_pixel_limits_hold_in_the_child(settings):
    settings.MAX_PIXELS = 1000
    assert outcome(picture(64, 48, "PNG"))[0] == "too_many_pixels"


@needs_confinement
@pytest.mark.parametrize(
    "attempt",
    [
        *("socket", "unix socket", "read", "read settings", "write", "delete", "fork"),
        *("execute", "signal", "other process", "memory"),
    ],
)
def test_the_child_can_reach_nothing(hostile, attempt):
    assert outcome(hostile_photo(attempt)) == ("refused", "PermissionError")


def test_a_crash_is_an_error_of_that_photo_only(hostile):
    assert outcome(hostile_photo("crash"))[0] == "decoder_crashed"
    assert decode(GOOD)[0].shape == (20, 30, 3)


def test_a_decoder_that_loops_is_stopped_by_its_processor_time(hostile, settings, monkeypatch):
    settings.ANALYSIS_SECONDS = 2
    assert outcome(hostile_photo("loop"))[0] == "decoding_timed_out"
    assert decode(GOOD)[0].shape == (20, 30, 3)


def test_a_decoder_that_sleeps_is_stopped_too(hostile, settings):
    settings.ANALYSIS_SECONDS = 2
    assert outcome(hostile_photo("sleep"))[0] == "decoding_timed_out"
    assert decode(GOOD)[0].shape == (20, 30, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no such limit")
def test_a_decoder_that_takes_too_much_memory_is_refused_it(hostile):
    assert outcome(hostile_photo("allocate"))[0] == "photo_too_large"
    assert decode(GOOD)[0].shape == (20, 30, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no such limit")
def test_a_real_photo_within_the_pixel_limit_can_take_too_much_memory(settings, monkeypatch):
    monkeypatch.setattr(decoding, "_own", threading.local())
    settings.PHOTO_MEMORY_BYTES = 400 * 1024**2
    content = picture(8000, 6000, "PNG")
    assert outcome(content)[0] == "photo_too_large"
    assert decode(picture(64, 48, "PNG"))[0].shape == (48, 64, 3)
    decoding._own.helper.close()


def test_a_child_killed_from_outside_is_no_fault_of_the_photo(hostile):
    with pytest.raises(decoding.DecoderLost):
        decode(hostile_photo("killed"))
    assert decode(GOOD)[0].shape == (20, 30, 3)


def test_a_child_or_helper_that_ended_meanwhile_is_replaced(hostile):
    decode(GOOD)
    first = process_of()
    helper = decoding._own.helper._process
    os.kill(helper.pid, signal.SIGKILL)
    helper.wait()
    assert decode(GOOD)[0].shape == (20, 30, 3)
    assert process_of() != first


def test_a_helper_that_does_not_answer_is_replaced(hostile, monkeypatch):
    decode(GOOD)
    helper = decoding._own.helper
    helper.control.settimeout(1)
    os.kill(helper._process.pid, signal.SIGSTOP)
    assert decode(GOOD, "berta")[0].shape == (20, 30, 3)
    assert decoding._own.helper is not helper
    assert not helper.is_alive


def test_a_child_that_always_ends_is_given_up(hostile):
    with pytest.raises(decoding.DecoderLost):
        decode(hostile_photo("exit"))


def test_what_a_child_says_is_not_trusted(hostile):
    assert outcome(hostile_photo("liar"))[0] == "decoder_crashed"


@pytest.mark.parametrize(
    "answer",
    [
        *("{}", "[]", "7", "no JSON", '{"error": 7}', '{"shape": [1, 1, 3], "bytes": "3"}'),
        *('{"shape": [9, 9, 3], "bytes": 3}', '{"shape": [1, 1, 3], "bytes": 99999}'),
        *('{"shape": [1, 1, 3], "bytes": -3}', '{"shape": 7, "header": 7, "bytes": 0}'),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_crash(monkeypatch, answer):
    monkeypatch.setattr(decoding, "_own", threading.local())
    code = f"""
import sys
from recognition.engine import decoder
decoder._send = lambda connection, _: connection.sendall({answer.encode()!r} + bytes([10]))
sys.exit(decoder.main())
"""
    monkeypatch.setattr(decoding, "COMMAND", [sys.executable, "-c", code])
    assert outcome(picture(64, 48, "PNG"))[0] == "decoder_crashed"
    decoding._own.helper.close()


def test_nobody_shares_a_child(hostile):
    decode(GOOD, "anna")
    assert outcome(hostile_photo("seen"), "anna") == ("seen", "2")
    assert outcome(hostile_photo("seen"), "berta") == ("seen", "1")


def test_only_so_many_children_live(hostile):
    for number in range(decoding.MOST_CHILDREN + 3):
        decode(GOOD, number)
    helper = psutil.Process(decoding._own.helper._process.pid)
    assert len(helper.children()) == decoding.MOST_CHILDREN


def test_everything_ends_with_its_owner(hostile):
    decode(GOOD)
    helper = psutil.Process(decoding._own.helper._process.pid)
    processes = [helper, *helper.children()]
    decoding._own.helper.control.close()  # as when the worker dies
    _gone, alive = psutil.wait_procs(processes, timeout=20)
    assert not alive


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing seals")
def test_pixels_cannot_be_taken_away_while_they_are_read(hostile):
    rgb, _header = decode(GOOD)
    target = decoding._own.helper._children["anna"].target
    with pytest.raises(PermissionError):
        os.ftruncate(target, 0)
    assert rgb.sum() == 20 * 30 * 3 * 7


def test_the_decoder_loads_neither_django_nor_networks():
    decode(picture(64, 48, "PNG"))
    maps = psutil.Process(process_of()).memory_maps()
    assert not any("onnxruntime" in one.path for one in maps)
    assert Image.MAX_IMAGE_PIXELS is None
