"""Imported model files: valid ones are tried, others are refused safely."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from recognition.engine.classifier import SHIPPED_MODEL
from recognition.engine.errors import ModelError
from recognition.registry import model_files
from recognition.registry.model_files import read_weights, try_onnx
from recognition.registry.model_trial import inspect
from tests.recognition.networks import network

LIMIT = 64 * 1024**2
node = helper.make_node


def code_of(function, *arguments) -> str:
    with pytest.raises(ModelError) as caught:
        function(*arguments)
    assert caught.value.message.endswith(".") or ":" in caught.value.message
    return caught.value.code


def sizes(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_the_shipped_network_passes_and_is_measured():
    trial = try_onnx(SHIPPED_MODEL.read_bytes(), LIMIT)

    assert trial.milliseconds > 0
    assert "Conv" in trial.operators


def test_a_file_above_the_limit_is_not_even_read():
    assert code_of(try_onnx, b"x" * 1025, 1024) == "too_large"


@pytest.mark.parametrize("content", [b"", b"no network at all", SHIPPED_MODEL.read_bytes()[:5000]])
def test_what_is_no_onnx_file_is_refused(content):
    assert code_of(inspect, content) == "invalid_file"


def test_a_trial_tells_what_was_wrong():
    assert code_of(try_onnx, b"no network at all", LIMIT) == "invalid_file"


def branch() -> bytes:
    taken = helper.make_graph(
        [node("Identity", ["faces"], ["out"])],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    choose = node("If", ["condition"], ["chosen"], then_branch=taken, else_branch=taken)
    return network(before=[choose], source="chosen", constants={"condition": np.array(True)})


@pytest.mark.parametrize(
    "content",
    [
        branch(),
        network(before=[node("Gelu", ["faces"], ["x"], domain="com.microsoft")], source="x"),
        network(before=[node("RandomNormalLike", ["faces"], ["x"])], source="x"),
        network(before=[node("StringNormalizer", ["faces"], ["x"])], source="x"),
        network(before=[node("NonZero", ["faces"], ["x"])], source="x"),
        network(before=[node("Steal", ["faces"], ["x"])], source="x"),
    ],
    ids=["If", "custom domain", "random", "text", "NonZero", "unknown"],
)
def test_only_operators_of_the_list_are_accepted(content):
    assert code_of(inspect, content) == "unknown_operator"


def test_a_network_inside_an_attribute_is_refused():
    inner = helper.make_graph([], "inner", [], [])
    relu = node("Relu", ["faces"], ["x"], body=inner)
    assert code_of(inspect, network(before=[relu], source="x")) == "foreign_content"


def test_functions_in_the_file_are_refused():
    def define(model):
        function = helper.make_function(
            "here", "Twice", ["x"], ["y"], [node("Add", ["x", "x"], ["y"])], []
        )
        model.functions.append(function)

    assert code_of(inspect, network(change=define)) == "foreign_content"


def external(tensor: TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"


def test_weights_beside_the_file_are_refused():
    def move(model):
        external(model.graph.initializer[0])

    assert code_of(inspect, network(change=move)) == "external_data"


def test_a_constant_beside_the_file_is_refused():
    value = numpy_helper.from_array(np.float32([1]), "value")
    external(value)
    add = [node("Constant", [], ["one"], value=value), node("Add", ["faces", "one"], ["x"])]
    assert code_of(inspect, network(before=add, source="x")) == "external_data"


def test_more_nodes_than_any_such_network_has_are_refused():
    chain = [node("Relu", ["faces"], ["x0"])]
    chain += [node("Relu", [f"x{i}"], [f"x{i + 1}"]) for i in range(5000)]
    assert code_of(inspect, network(before=chain, source="x5000")) == "too_many_nodes"


@pytest.mark.parametrize(
    "before",
    [
        [node("Cast", ["faces"], ["x"], to=TensorProto.INT64)],
        [node("ReduceMax", ["faces"], ["scale"]), node("Resize", ["faces", "", "scale"], ["x"])],
        [
            node("Greater", ["faces", "limit"], ["bright"]),
            node("Where", ["bright", "many", "few"], ["x"]),
        ],
    ],
    ids=["cast", "fraction", "choice"],
)
def test_sizes_computed_from_pixels_are_refused(before):
    constants = {"limit": np.float32([100]), "many": sizes(10**6), "few": sizes(1)}
    content = network(before=before, source="x", constants=constants)
    assert code_of(inspect, content) == "sizes_from_picture"


def test_sizes_computed_from_the_number_of_faces_are_fine():
    before = [
        node("Shape", ["faces"], ["shape"]),
        node("Slice", ["shape", "zero", "one"], ["count"]),
        node("Concat", ["count", "rest"], ["flat"], axis=0),
        node("Reshape", ["faces", "flat"], ["x"]),
    ]
    constants = {"zero": sizes(0), "one": sizes(1), "rest": sizes(48 * 48)}
    content = network(before=before, source="x", constants=constants)
    assert try_onnx(content, LIMIT).nodes == 7


def test_a_second_output_is_refused():
    def add(model):
        model.graph.output.append(
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 7])
        )

    assert code_of(inspect, network(change=add)) == "wrong_output"


def test_the_contract_of_inputs_is_kept():
    def rename(model):
        model.graph.input[0].name = "images"
        model.graph.node[0].input[0] = "images"

    assert code_of(try_onnx, network(change=rename), LIMIT) == "wrong_input"


@pytest.mark.parametrize(
    "last",
    [node("Log", ["logits"], ["probabilities"]), node("Relu", ["logits"], ["probabilities"])],
)
def test_rows_that_are_no_probabilities_are_refused(last):
    def replace(model):
        model.graph.node[-1].CopyFrom(last)

    assert code_of(try_onnx, network(change=replace), LIMIT) == "wrong_probabilities"


def test_a_division_by_a_flat_faces_spread_is_found():
    before = [
        node("ReduceMean", ["faces"], ["mean"], axes=[1, 2, 3]),
        node("Sub", ["faces", "mean"], ["rest"]),
        node("ReduceL2", ["rest"], ["spread"], axes=[1, 2, 3]),
        node("Div", ["rest", "spread"], ["x"]),
    ]
    content = network(before=before, source="x")
    assert code_of(try_onnx, content, LIMIT) == "wrong_probabilities"


def test_a_network_that_unfolds_into_more_than_the_memory_is_refused():
    before = [
        node("ConstantOfShape", ["huge"], ["zeros"]),
        node("ReduceMax", ["zeros"], ["nothing"]),
        node("Add", ["faces", "nothing"], ["x"]),
    ]
    content = network(before=before, source="x", constants={"huge": sizes(10**6, 10**6)})
    refused = code_of(try_onnx, content, LIMIT)
    assert refused in {"invalid_file", "cannot_run", "too_demanding"}


def test_a_trial_without_an_answer_is_refused(monkeypatch):
    died = subprocess.CompletedProcess([], -9, stdout=b"")
    monkeypatch.setattr(model_files.subprocess, "run", lambda *args, **options: died)
    assert code_of(try_onnx, network(), LIMIT) == "too_demanding"


def test_the_parser_is_loaded_only_by_the_trial():
    code = "import sys, recognition.registry.model_files; print('onnx' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def test_weights_are_read_as_plain_arrays():
    arrays = read_weights(npz(kernel=np.ones((3, 3), np.float32), facts=np.array("{}")), LIMIT)
    assert arrays["kernel"].shape == (3, 3)
    assert str(arrays["facts"]) == "{}"


def test_pickled_weights_are_refused():
    assert code_of(read_weights, npz(kernel=np.array([{}], object)), LIMIT) == "invalid_file"


def test_weights_that_unpack_to_too_much_are_refused():
    content = npz(kernel=np.zeros(10**6, np.float32))
    assert len(content) < 10**5
    assert code_of(read_weights, content, 10**6) == "too_large"


def test_what_is_no_npz_file_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("kernel.npy", b"no array")
    assert code_of(read_weights, b"no zip", LIMIT) == "invalid_file"
    assert code_of(read_weights, file.getvalue(), LIMIT) == "invalid_file"
    assert code_of(read_weights, npz(kernel=np.ones(9))[:-30], LIMIT) == "invalid_file"
