"""Faces over the frames of a video: sampled, followed, divided."""

from itertools import pairwise

import numpy as np
import pytest

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.clips import divide, sample_faces
from recognition.engine.detector import MtcnnDetector
from recognition.engine.video import VideoHeader, inspect_video
from tests.recognition.engine.clips import astronaut, numbered, write


@pytest.fixture(scope="module")
def networks():
    return MtcnnDetector(max_side=1280, second_look=False), EmotionClassifier()


def header_of(times, keys, seconds) -> VideoHeader:
    return VideoHeader("mov", "h264", 8, 8, seconds, np.array(times), np.array(keys))


def test_a_face_keeps_its_track(tmp_path, networks):
    clip = write(tmp_path / "a.mp4", (astronaut(n / 10) for n in range(40)), rate=10)
    samples = list(sample_faces(clip, inspect_video(clip), *networks, fps=5))
    assert len(samples) == 20
    assert {tracked.track for sample in samples for tracked in sample.faces} == {1}
    face = samples[0].faces[0]
    assert sum(face.smoothed) == pytest.approx(1, abs=1e-5)
    assert not any(sample.cut for sample in samples)
    # In pixels of the video: the face moves with the picture.
    lefts = [sample.faces[0].face.detection.box.x for sample in samples]
    assert max(lefts) - min(lefts) > 40


def test_a_cut_ends_tracks(tmp_path, networks):
    def pictures():
        for n in range(10):
            yield astronaut(n / 10)
        for n in range(10):
            yield 255 - numbered(n, 640, 360)
        for n in range(10):
            yield astronaut(n / 10)

    clip = write(tmp_path / "a.mp4", pictures(), rate=10)
    samples = list(sample_faces(clip, inspect_video(clip), *networks, fps=10))
    assert [sample.number for sample in samples if sample.cut] == [10, 20]
    assert [{t.track for t in samples[n].faces} for n in (5, 25)] == [{1}, {2}]


def test_boxes_are_in_pixels_of_large_videos(tmp_path, networks):
    clip = write(tmp_path / "a.mp4", [astronaut(0, 1920, 1080)] * 2, options={"preset": "veryfast"})
    small = write(tmp_path / "b.mp4", [astronaut(0, 640, 360)] * 2)
    (large_one,) = next(sample_faces(clip, inspect_video(clip), *networks)).faces
    (small_one,) = next(sample_faces(small, inspect_video(small), *networks)).faces
    assert large_one.face.detection.box.x == pytest.approx(
        3 * small_one.face.detection.box.x, rel=0.05
    )


@pytest.mark.parametrize("fps", [None, 5, 0.2, 24, 7.3])
def test_parts_have_every_instant_once(fps):
    times = np.sort(np.random.default_rng(1).uniform(0, 200, 5000))
    times[0] = 0.0
    header = header_of(times, times[::97], 200.0)
    parts = divide(header, fps, samples=50)
    assert parts[0].start == 0
    assert parts[-1].end == 200
    assert all(one.end == other.start for one, other in pairwise(parts))
    whole = divide(header, fps, samples=10**9)
    assert len(whole) == 1
    assert sum(part.present for part in parts) == whole[0].present
    assert sum(part.planned for part in parts) == whole[0].planned
    assert len(parts) > (10 if fps is None or fps > 5 else 1 if fps > 1 else 0)


def test_instants_without_a_frame_are_planned_too():
    (part,) = divide(header_of([0, 0.1, 5.0, 9.9], [0], 10.0), 5)
    assert (part.planned, part.present) == (50, 3)


def test_a_part_of_a_video():
    header = header_of(np.arange(100) / 10, [0, 5], 10.0)
    (part,) = divide(header, 5, 2.0, 4.0)
    assert (part.start, part.end, part.first_number) == (2, 4, 20)
    assert (part.planned, part.present) == (10, 10)
    assert divide(header, None, 2.0, 99.0)[-1].end == 10
