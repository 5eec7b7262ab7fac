"""The rules of a live session: one reply per frame, in order; the newest frame wins."""

import pytest

from recognition.engine.emotions import EMOTIONS
from recognition.engine.types import Landmarks
from recognition.live.session import LiveSession, LiveSettings, SettingError


def frame(sequence: int, picture: bytes = b"picture") -> bytes:
    return sequence.to_bytes(4) + picture


def answer(sequence: int, left: float | None = 100.0, happy: float = 0.9) -> dict:
    """A worker's answer with one face at `left`, or with none."""
    rest = (1 - happy) / 6
    face = {
        "box": {"x": left, "y": 80.0, "width": 100.0, "height": 120.0},
        "score": 0.99,
        "landmarks": dict.fromkeys(Landmarks.__slots__, (1.0, 2.0)),
        "probabilities": [happy if name == "happy" else rest for name in EMOTIONS],
        "measures": [-40.0, 1.0, 2.0, 0.5, 0.5, 0.1, 0.6, 0.5, None, None],
        "covered": 0.9,
        "mesh": None,
    }
    return {
        "sequence": sequence,
        "width": 640,
        "height": 480,
        "model_version": 1,
        "faces": [] if left is None else [face],
        "milliseconds": {
            "queue": 1.0,
            "decode": 2.0,
            "detect": 3.0,
            "classify": 4.0,
            "measure": 2.0,
        },
    }


def kinds(session: LiveSession) -> list[tuple]:
    return [(reply["sequence"], reply["type"]) for reply in session.take_replies()]


def test_a_frame_is_answered_with_its_faces():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    assert session.start_next(0.0).picture == b"picture"
    session.finish(answer(1), 0.02)

    (reply,) = session.take_replies()
    assert reply["type"] == "frame.result"
    assert reply["faces"][0]["track"] == 1
    assert reply["faces"][0]["emotion"] == "happy"
    assert reply["milliseconds"]["total"] == 20
    assert session.is_done


def test_a_face_comes_with_its_measures_and_what_to_know_about_them():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    session.finish(answer(1), 0.02)

    (face,) = session.take_replies()[0]["faces"]
    assert (face["measures"]["yaw"], face["measures"]["gaze_x"]) == (-40.0, None)
    assert (face["covered"], face["quality"]) == (0.9, ["turned", "partly_covered"])
    assert face["mesh"] is None


def test_an_answer_of_a_worker_that_measures_nothing_is_understood():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    old = answer(1)
    for name in ("measures", "covered", "mesh"):
        del old["faces"][0][name]
    session.finish(old, 0.02)

    (face,) = session.take_replies()[0]["faces"]
    assert (face["measures"], face["covered"], face["quality"]) == (None, None, [])


def test_only_one_frame_is_in_flight():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    session.receive(frame(2), 0.1)
    assert session.start_next(0.1) is None
    session.finish(answer(1), 0.2)
    assert session.start_next(0.2).sequence == 2


def test_the_newest_frame_wins_and_replies_keep_the_order():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    for sequence in (2, 3, 4):
        session.receive(frame(sequence), sequence / 10)
    assert session.take_replies() == []  # skipped ones wait for the first one's reply
    session.finish(answer(1), 0.5)
    assert kinds(session) == [(1, "frame.result"), (2, "frame.skipped"), (3, "frame.skipped")]
    assert session.start_next(0.5).sequence == 4


def test_frames_above_the_rate_are_too_fast():
    session = LiveSession(0)
    session.update({"rate": 10})
    for sequence in range(30):  # a second at 30 frames
        session.receive(frame(sequence), sequence / 30)
        if session.start_next(sequence / 30):
            session.finish(answer(sequence), sequence / 30)
    replies = session.take_replies()
    assert len(replies) == 30
    too_fast = [reply for reply in replies if reply.get("reason") == "too_fast"]
    assert 17 <= len(too_fast) <= 20


def test_frames_at_the_rate_are_taken_though_they_come_unevenly():
    session = LiveSession(0)
    session.update({"rate": 15})
    for sequence in range(150):
        now = sequence / 15 + (0.03 if sequence % 2 else 0)
        session.receive(frame(sequence), now)
        session.start_next(now)
        session.finish(answer(sequence), now)
    assert {kind for _, kind in kinds(session)} == {"frame.result"}


@pytest.mark.parametrize("message", [b"", b"ab", frame(5), frame(4)])
def test_a_sequence_number_must_grow(message):
    session = LiveSession(0)
    session.receive(frame(5), 0.0)
    session.receive(message, 0.1)
    session.start_next(0.1)
    session.finish(answer(5), 0.2)
    _, reply = session.take_replies()
    assert reply["code"] == "bad_sequence"


def test_a_frame_without_a_picture_is_an_error():
    session = LiveSession(0)
    session.receive(frame(1, b""), 0.0)
    assert session.take_replies()[0]["code"] == "empty_frame"


def test_five_bad_frames_in_a_row_spoil_the_session():
    session = LiveSession(0)
    for sequence in range(4):
        session.receive(frame(sequence, b""), 0.0)
    assert not session.is_spoiled
    session.receive(frame(4, b""), 0.0)
    assert session.is_spoiled


def test_a_good_frame_starts_the_count_of_bad_ones_anew():
    session = LiveSession(0)
    for sequence in range(4):
        session.receive(frame(sequence, b""), 0.0)
    session.receive(frame(4), 0.1)
    session.start_next(0.1)
    session.finish(answer(4), 0.2)
    session.receive(frame(5, b""), 0.3)
    assert not session.is_spoiled


def test_trouble_of_the_server_does_not_count_as_a_bad_frame():
    session = LiveSession(0)
    for sequence in range(6):
        session.receive(frame(sequence), sequence)
        session.start_next(sequence)
        session.give_up("unavailable", "No queue.")
    assert not session.is_spoiled
    assert session.counts["failed"] == 6


def test_a_silent_worker_costs_a_frame_and_not_the_session():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    session.receive(frame(2), 1.0)
    session.expire(1.9, 2)
    assert session.take_replies() == []
    session.expire(2.1, 2)
    assert session.take_replies()[0]["code"] == "timeout"
    assert session.start_next(2.1).sequence == 2


def test_an_answer_that_comes_too_late_is_ignored():
    session = LiveSession(0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    session.expire(3.0, 2)
    session.receive(frame(2), 3.1)
    session.start_next(3.1)
    assert session.finish(answer(1), 3.2) is None
    assert session.finish(answer(2), 3.3) is not None


def test_faces_are_followed_between_searches():
    session = LiveSession(0)
    assert session.hints(0.0) == []
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    session.finish(answer(1), 0.02)
    (box,) = session.hints(0.1)
    assert (box.width, box.height) == pytest.approx((100, 120))
    assert session.hints(0.5) == []  # time to look for new faces


def test_where_no_face_is_the_whole_frame_is_searched():
    session = LiveSession(0)
    session.hints(0.0)
    session.receive(frame(1), 0.0)
    session.start_next(0.0)
    session.finish(answer(1, left=None), 0.02)
    assert session.hints(0.1) == []


def test_smoothing_follows_slowly_and_raw_values_stay():
    session = LiveSession(0)
    session.update({"smoothing": 1})
    for sequence, happy in ((1, 0.9), (2, 0.1)):
        session.receive(frame(sequence), sequence / 10)
        session.start_next(sequence / 10)
        session.finish(answer(sequence, happy=happy), sequence / 10)
    face = session.take_replies()[-1]["faces"][0]
    assert face["probabilities"]["happy"] == pytest.approx(0.1)
    assert 0.7 < face["smoothed"]["happy"] < 0.9


@pytest.mark.parametrize(
    "values",
    [
        {"rate": 0},
        {"rate": 31},
        {"rate": "15"},
        {"rate": True},
        {"rate": float("nan")},
        {"min_face": 10},
        {"smoothing": -1},
        {"keep": 1},
        {"color": "red"},
        {"rate": 10, "smoothing": 9},
    ],
)
def test_a_bad_setting_changes_nothing(values):
    session = LiveSession(0)
    with pytest.raises(SettingError):
        session.update(values)
    assert session.settings == LiveSettings()


def test_a_client_that_reads_no_replies_is_noticed():
    session = LiveSession(0)
    for sequence in range(1001):
        session.receive(frame(sequence), 0.0)
    assert session.is_unread


def test_the_summary_counts_every_frame_once():
    session = LiveSession(0)
    for sequence in (1, 2, 3):
        session.receive(frame(sequence), sequence / 10)
        session.start_next(sequence / 10)
    session.finish(answer(1), 0.5)
    session.drop_waiting()
    session.receive(b"", 0.6)
    summary = session.summary(1.0)
    assert summary["frames"] == {"received": 4, "analyzed": 1, "skipped": 2, "failed": 1}
    assert summary["tracks"] == 1


def run_frames(session: LiveSession, now: float, left: float | None, size: float = 100.0) -> int:
    """Send a frame at `now` and answer it; the smallest face that was looked for."""
    sequence = session.counts["received"] + 1
    session.receive(frame(sequence), now)
    session.start_next(now)
    looked_for = session.min_face(now)
    reply = answer(sequence, left)
    for face in reply["faces"]:
        face["box"] |= {"width": size, "height": size}
    session.finish(reply, now)
    session.take_replies()
    return looked_for


def test_with_nobody_in_view_smaller_faces_are_looked_for_once_a_second():
    session = LiveSession(0)
    sizes = [run_frames(session, tenths / 10, None) for tenths in range(25)]
    assert [tenths for tenths, size in enumerate(sizes) if size == 24] == [10, 20]
    assert set(sizes) == {24, session.settings.min_face}


def test_a_small_face_that_was_found_is_followed():
    session = LiveSession(0)
    assert run_frames(session, 0.0, 100.0, size=30.0) == 60
    assert run_frames(session, 0.1, 100.0, size=30.0) == 24
    assert session.min_face(0.2) == 24


def test_a_large_face_does_not_make_the_search_slower():
    session = LiveSession(0)
    run_frames(session, 0.0, 100.0, size=150.0)
    assert session.min_face(0.1) == 60


def test_the_set_size_is_the_limit_if_it_is_the_smallest():
    session = LiveSession(0)
    session.update({"min_face": 24})
    assert {run_frames(session, seconds, None) for seconds in range(5)} == {24}


def test_faces_are_followed_and_smoothed_like_those_of_workers():
    session = LiveSession(0)
    session.take_faces(answer(1, happy=0.9), 0.0)
    session.take_faces(answer(2, left=105.0, happy=0.5), 0.1)

    first, second = session.take_replies()
    assert [reply["faces"][0]["track"] for reply in (first, second)] == [1, 1]
    assert 0.5 < second["faces"][0]["smoothed"]["happy"] < 0.9
    assert session.counts == {"received": 2, "analyzed": 2, "skipped": 0, "failed": 0}


def test_faces_that_come_faster_than_wanted_are_skipped():
    session = LiveSession(0)
    session.update({"rate": 1})
    for number in range(1, 5):
        session.take_faces(answer(number), 0.01 * number)

    replies = session.take_replies()
    assert [reply["type"] for reply in replies] == ["frame.result"] * 2 + ["frame.skipped"] * 2
    assert replies[-1]["reason"] == "too_fast"


def test_many_faces_count_as_more_than_one_frame():
    session = LiveSession(0)
    crowd = {**answer(1), "faces": answer(1)["faces"] * 32}
    assert session.take_faces(crowd, 0.0) is not None
    assert session.take_faces(answer(2), 0.001) is None
    assert session.take_faces(answer(3), 0.1) is not None


def test_numbers_grow_from_frames_to_faces():
    session = LiveSession(0)
    session.receive(frame(5), 0.0)
    session.take_faces(answer(5), 0.1)
    session.start_next(0.1)
    session.finish(answer(5), 0.2)

    replies = session.take_replies()
    assert [reply["type"] for reply in replies] == ["frame.result", "frame.error"]
    assert replies[1]["code"] == "bad_sequence"


def test_faces_keep_a_session_from_timing_out():
    session = LiveSession(0)
    session.take_faces(answer(1), 100.0)

    assert session.last_frame_at == 100.0
