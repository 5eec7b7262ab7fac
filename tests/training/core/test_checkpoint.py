"""Weights are read in the right order, bad files give errors, and nothing heavy is imported."""

import json
import subprocess
import sys

import numpy as np
import pytest

from recognition.engine.errors import ModelError
from training.core.checkpoint import check_fit, in_order, read_facts


def code_of(function, *arguments) -> str:
    with pytest.raises(ModelError) as caught:
        function(*arguments)
    assert caught.value.message.endswith(".")
    return caught.value.code


def test_arrays_are_taken_by_the_numbers_in_their_names():
    arrays = {f"arr_{number}": np.full(1, number, np.float64) for number in (10, 2, 0, 1)}
    ordered = in_order(arrays)

    assert [array.item() for array in ordered] == [0, 1, 2, 10]
    assert {array.dtype for array in ordered} == {np.dtype(np.float32)}


def test_of_a_checkpoint_of_ours_the_best_epoch_counts():
    arrays = {
        "facts": np.array("{}"),
        "optimizer/0000": np.zeros(2),
        "best/0001": np.ones(1),
        "best/0000": np.zeros(1),
    }
    assert [array.tolist() for array in in_order(arrays)] == [[0.0], [1.0]]


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({}, "no_weights"),
        ({"facts": np.array("{}")}, "no_weights"),
        ({"a": np.arange(3)}, "wrong_type"),
        ({"a": np.array(["text"])}, "wrong_type"),
        ({"a": np.array([np.nan])}, "not_finite"),
        ({"a": np.array([1e300])}, "not_finite"),  # too large for float32
    ],
)
def test_what_are_no_weights_is_refused(arrays, code):
    assert code_of(in_order, arrays) == code


def test_facts_are_read_where_there_are_any():
    facts = {"config": {"architecture": "simple_cnn"}}

    assert read_facts({"facts": np.array(json.dumps(facts))}) == facts
    assert read_facts({"a": np.zeros(1)}) == {}


@pytest.mark.parametrize("text", ["[]", "no json", '{"config": 3}'])
def test_facts_that_are_none_are_refused(text):
    assert code_of(read_facts, {"facts": np.array(text)}) == "invalid_file"


def test_weights_that_do_not_fit_are_named():
    wanted = [("stem/kernel", (3, 3, 1, 8)), ("stem/bias", (8,))]
    check_fit("tiny", wanted, [np.zeros((3, 3, 1, 8)), np.zeros(8)])

    with pytest.raises(ModelError, match="tiny has 2 arrays of weights; the file has 1"):
        check_fit("tiny", wanted, [np.zeros(8)])
    with pytest.raises(
        ModelError, match=r"number 2 \(stem/bias\) must be 8 and is 7 × 1\."
    ) as caught:
        check_fit("tiny", wanted, [np.zeros((3, 3, 1, 8)), np.zeros((7, 1))])
    assert caught.value.code == "wrong_shapes"


def test_not_every_weight_that_does_not_fit_is_named():
    wanted = [(f"layer_{number}", (1,)) for number in range(40)]

    with pytest.raises(ModelError, match="and 37 more"):
        check_fit("tiny", wanted, [np.zeros(2)] * 40)


def test_web_processes_can_import_it_without_anything_heavy():
    modules = ("checkpoint", "config", "duration", "data.faces", "data.targets")
    code = "import sys; print(*sys.modules)\n"
    code = "\n".join(f"import training.core.{name}" for name in modules) + "\n" + code
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"keras", "matplotlib", "onnx", "onnxruntime", "pandas", "tensorflow", "PIL"}
    assert not heavy & set(ran.stdout.split())
