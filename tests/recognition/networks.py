"""Model files for tests: tiny networks that meet the contract, and cards with metrics."""

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from recognition.engine.classifier import SHIPPED_MODEL
from recognition.engine.emotions import EMOTIONS


def network(
    seed: int = 0,
    *,
    before: list[onnx.NodeProto] = (),
    source: str = "faces",
    constants: dict[str, np.ndarray] | None = None,
    change=lambda model: None,
) -> bytes:
    """One linear layer. The nodes `before` compute its input, `source`."""
    weights = np.random.default_rng(seed).normal(size=(48 * 48, 7)).astype(np.float32) / 5000
    nodes = [
        *before,
        helper.make_node("Flatten", [source], ["pixels"]),
        helper.make_node("Gemm", ["pixels", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    arrays = {"weights": weights, **(constants or {})}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 48, 48, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])],
        [numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opset)
    change(model)
    return model.SerializeToString()


def shipped_twin(text: str) -> bytes:
    """The shipped network with a different text in its file: same outputs, different SHA-256."""
    model = onnx.load(str(SHIPPED_MODEL))
    model.doc_string = text
    return model.SerializeToString()


def figures(accuracy: float, support: int = 10) -> dict[str, Any]:
    """Metrics of a split with `support` faces per class."""
    one = {"precision": accuracy, "recall": accuracy, "f1": accuracy, "support": support}
    return {
        "faces": 7 * support,
        "accuracy": accuracy,
        "macro_f1": accuracy,
        "ece": 0.02,
        "log_loss": 0.9,
        "per_class": dict.fromkeys(EMOTIONS, one),
        "confusion": (np.eye(7, dtype=int) * round(accuracy * support)).tolist(),
        "reliability": [{"confidence": 0.9, "accuracy": accuracy, "count": 7 * support}],
    }


def card(accuracy: float, **changes) -> dict[str, Any]:
    """A card of a model evaluated on the PublicTest split of one file."""
    return {
        "architecture": "tiny",
        "config": {"seed": 7, "validation": 0.1},
        "data": {"faces.csv": "a" * 64},
        "figures": {"PublicTest": figures(accuracy)},
        **changes,
    }


def shipped_card(**changes) -> dict[str, Any]:
    """The shipped model's card, so both can be compared."""
    return {**json.loads(SHIPPED_MODEL.with_suffix(".json").read_text()), **changes}
