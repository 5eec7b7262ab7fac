"""Faces that a browser sends are checked before anything is made of them."""

import copy
import json

import jsonschema
import pytest

from recognition.live import numbers
from tests.recognition.live.live_client import SCHEMAS

FACE = {
    "box": {"x": 200.0, "y": 90.5, "width": 180.0, "height": 230.0},
    "score": 0.99,
    "landmarks": {
        "left_eye": [251.1, 180.4],
        "right_eye": [330.0, 179.2],
        "nose": [290.7, 226.0],
        "mouth_left": [258.3, 270.9],
        "mouth_right": [326.6, 270.1],
    },
    "probabilities": [0.01, 0.0, 0.01, 0.9, 0.01, 0.02, 0.05],
    "covered": 0.0123,
}


def message(**changes) -> dict:
    """A message with one face, as the page sends it."""
    return {
        "sequence": 7,
        "width": 640,
        "height": 480,
        "model_version": 1,
        "faces": [copy.deepcopy(FACE)],
        "milliseconds": {"detect": 9.5, "classify": 4.0},
        **changes,
    }


def face(**changes) -> dict:
    return message(faces=[copy.deepcopy(FACE) | changes])


def test_a_message_becomes_what_a_worker_would_answer():
    answer = numbers.read(message())

    (found,) = answer["faces"]
    assert answer["sequence"] == 7
    assert found["probabilities"] == FACE["probabilities"]
    assert found["landmarks"]["nose"] == (290.7, 226.0)
    assert (found["measures"], found["covered"], found["mesh"]) == (None, 0.012, None)
    assert answer["milliseconds"] == {
        "queue": 0.0,
        "decode": 0.0,
        "measure": 0.0,
        "detect": 9.5,
        "classify": 4.0,
    }


def test_a_frame_may_show_nobody():
    assert numbers.read(message(faces=[]))["faces"] == []


def test_the_schema_describes_the_same():
    jsonschema.validate({"type": "frame.faces", **message()}, SCHEMAS["frame.faces"])
    assert SCHEMAS["frame.faces"]["properties"]["faces"]["maxItems"] == numbers.MOST_FACES
    assert SCHEMAS["frame.faces"]["properties"]["width"]["maximum"] == numbers.LARGEST_SIDE


BAD = {
    "no faces": {"sequence": 7},
    "faces that are no list": message(faces={}),
    "a face that is no object": message(faces=[3]),
    "too many faces": message(faces=[FACE] * 33),
    "a width of zero": message(width=0),
    "a broken width": message(width=640.5),
    "a width that is true": message(width=True),
    "a huge height": message(height=10**9),
    "no version": message(model_version=None),
    "a version beyond the database": message(model_version=2**40),
    "no times": message(milliseconds=None),
    "a time that is not a number": message(milliseconds={"detect": float("nan"), "classify": 1}),
    "a box outside": face(box=FACE["box"] | {"x": 600}),
    "a negative box": face(box=FACE["box"] | {"x": -1}),
    "an infinite box": face(box=FACE["box"] | {"width": float("inf")}),
    "half a box": face(box={"x": 1, "y": 2}),
    "a score above one": face(score=1.5),
    "a score in words": face(score="high"),
    "six probabilities": face(probabilities=[0.1] * 6),
    "probabilities above one together": face(probabilities=[0.5] * 7),
    "a negative probability": face(probabilities=[-0.1, 1.1, 0, 0, 0, 0, 0]),
    "a probability that is not a number": face(probabilities=[float("nan")] * 7),
    "an unbounded number": face(probabilities=[10**400] * 7),
    "a landmark far away": face(landmarks=FACE["landmarks"] | {"nose": [1e9, 0]}),
    "a landmark in three dimensions": face(landmarks=FACE["landmarks"] | {"nose": [1, 2, 3]}),
    "a landmark that is missing": face(landmarks={}),
    "a cover that is missing": face(covered=None),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused_with_its_frame(name):
    with pytest.raises(numbers.NumbersError) as caught:
        numbers.read(BAD[name])
    assert caught.value.sequence == 7
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("sequence", [None, -1, 2**32, 1.0, "1", True])
def test_a_message_needs_the_number_of_its_frame(sequence):
    with pytest.raises(numbers.NumbersError) as caught:
        numbers.read(message(sequence=sequence))
    assert caught.value.sequence is None


@pytest.mark.parametrize("name", BAD)
def test_the_schema_refuses_it_too(name):
    if name in {
        "a box outside",
        "a version beyond the database",
        "a landmark far away",
        "probabilities above one together",
    }:
        pytest.skip("a schema can't say that")
    text = json.dumps({"type": "frame.faces", **BAD[name]})
    bad = json.loads(text, parse_constant=lambda _: "not a number in JSON")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, SCHEMAS["frame.faces"])
