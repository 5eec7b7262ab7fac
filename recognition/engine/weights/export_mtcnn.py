"""Write pnet.onnx, rnet.onnx and onet.onnx from the weights that the PyPI package mtcnn carries.

Needs the packages mtcnn (for its weight files; TensorFlow is not imported), joblib, lz4 and onnx:

    python recognition/engine/weights/export_mtcnn.py

The networks are those of Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask
Cascaded Convolutional Networks" (arXiv 1604.02878), with changes that don't alter the results:

- The input is uint8 RGB [n, height, width, 3]; (x - 127.5) / 128 is folded into the first layer.
- The softmax over "no face" and "face" is the sigmoid of the difference, one output instead of two.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = list[NDArray[np.float32]]

OPSET = 17
IR_VERSION = 8


class Graph:
    """Collects one network's nodes and constants; `tip` is the value that the next layer reads."""

    def __init__(self, weights: Weights) -> None:
        self.weights = iter(weights)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.tip = "images"

    def constant(self, name: str, value: NDArray[np.float32]) -> str:
        self.constants.append(
            numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name)
        )
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def read_images(self) -> None:
        """uint8 [n, height, width, 3] to float32 [n, 3, height, width]."""
        planes = self.node("Transpose", ["images"], "planes", perm=[0, 3, 1, 2])
        self.tip = self.node("Cast", [planes], "pixels", to=TensorProto.FLOAT)

    def convolve(self, name: str, pool: int = 0, same: bool = False, first: bool = False) -> None:
        """Convolution, PReLU and, for pool > 0, a max-pool of that size with stride 2."""
        kernel, bias, slope = (next(self.weights) for _ in range(3))
        kernel = kernel.transpose(3, 2, 0, 1)
        if first:
            bias = bias - kernel.sum(axis=(1, 2, 3)) * np.float32(127.5 / 128)
            kernel = kernel / np.float32(128)
        inputs = [self.tip, self.constant(f"{name}_kernel", kernel)]
        inputs.append(self.constant(f"{name}_bias", bias))
        self.tip = self.node("Conv", inputs, name)
        self.rectify(name, slope.reshape(-1, 1, 1))
        if pool:
            self.pool(name, pool, same)

    def pool(self, name: str, size: int, same: bool) -> None:
        # TensorFlow's "same" padding puts the odd pixel at the end.
        auto_pad = "SAME_UPPER" if same else "VALID"
        shape = {"kernel_shape": [size, size], "strides": [2, 2], "auto_pad": auto_pad}
        self.tip = self.node("MaxPool", [self.tip], f"{name}_pool", **shape)

    def rectify(self, name: str, slope: NDArray[np.float32]) -> None:
        """PReLU, in operators that ONNX Runtime runs many times faster than its own PRelu."""
        sloped = self.node(
            "Mul", [self.tip, self.constant(f"{name}_slope", slope)], f"{name}_sloped"
        )
        if slope.max() <= 1:
            self.tip = self.node("Max", [self.tip, sloped], f"{name}_prelu")
            return
        positive = self.node("Relu", [self.tip], f"{name}_positive")
        rest = self.constant(f"{name}_rest", 1 - slope)
        added = self.node("Mul", [positive, rest], f"{name}_added")
        self.tip = self.node("Add", [sloped, added], f"{name}_prelu")

    def flatten(self) -> None:
        # The weights come from column-major Matlab code: width before height before channels.
        columns_first = self.node("Transpose", [self.tip], "columns_first", perm=[0, 3, 2, 1])
        self.tip = self.node("Flatten", [columns_first], "features")

    def connect(self, name: str) -> None:
        """A fully connected layer with PReLU."""
        kernel, bias, slope = (next(self.weights) for _ in range(3))
        inputs = [self.tip, self.constant(f"{name}_kernel", kernel)]
        inputs.append(self.constant(f"{name}_bias", bias))
        self.tip = self.node("Gemm", inputs, name)
        self.rectify(name, slope)

    def regress(self, name: str) -> None:
        """A linear output."""
        kernel, bias = next(self.weights), next(self.weights)
        self._output(name, kernel, bias)

    def score(self) -> None:
        """The probability of a face."""
        kernel, bias = next(self.weights), next(self.weights)
        logit = self._output("logits", kernel[..., 1:] - kernel[..., :1], bias[1:] - bias[:1])
        self.node("Sigmoid", [logit], "scores")

    def _output(self, name: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        convolution = kernel.ndim == 4
        weights = kernel.transpose(3, 2, 0, 1) if convolution else kernel
        inputs = [self.tip, self.constant(f"{name}_kernel", weights)]
        inputs.append(self.constant(f"{name}_bias", bias))
        return self.node("Conv" if convolution else "Gemm", inputs, name)

    def model(self, name: str, side: int | None, outputs: dict[str, int]) -> onnx.ModelProto:
        """The finished network; without `side` any image size; `outputs` gives channels."""
        size = ["height", "width"] if side is None else [side, side]
        images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", *size, 3])
        grid = ["rows", "columns"] if side is None else []
        values = [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, ["n", channels, *grid])
            for key, channels in outputs.items()
        ]
        graph = helper.make_graph(self.nodes, name, [images], values, self.constants)
        model = helper.make_model(
            graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def build_pnet(weights: Weights) -> onnx.ModelProto:
    """Proposals: scores [n, 1, rows, columns], offsets [n, 4, rows, columns]; stride 2, cell 12."""
    graph = Graph(weights)
    graph.read_images()
    graph.convolve("conv1", pool=2, same=True, first=True)
    graph.convolve("conv2")
    graph.convolve("conv3")
    graph.regress("offsets")
    graph.score()
    return graph.model("pnet", None, {"scores": 1, "offsets": 4})


def build_rnet(weights: Weights) -> onnx.ModelProto:
    """Refinement of 24x24 crops: scores [n, 1] and offsets [n, 4]."""
    graph = Graph(weights)
    graph.read_images()
    graph.convolve("conv1", pool=3, same=True, first=True)
    graph.convolve("conv2", pool=3)
    graph.convolve("conv3")
    graph.flatten()
    graph.connect("dense4")
    graph.regress("offsets")
    graph.score()
    return graph.model("rnet", 24, {"scores": 1, "offsets": 4})


def build_onet(weights: Weights) -> onnx.ModelProto:
    """Output on 48x48 crops: scores [n, 1], offsets [n, 4], landmarks [n, 10] (x, then y)."""
    graph = Graph(weights)
    graph.read_images()
    graph.convolve("conv1", pool=3, same=True, first=True)
    graph.convolve("conv2", pool=3)
    graph.convolve("conv3", pool=2, same=True)
    graph.convolve("conv4")
    graph.flatten()
    graph.connect("dense5")
    graph.regress("offsets")
    graph.regress("landmarks")
    graph.score()
    return graph.model("onet", 48, {"scores": 1, "offsets": 4, "landmarks": 10})


BUILDERS = {"pnet": build_pnet, "rnet": build_rnet, "onet": build_onet}


def find_package_weights() -> Path:
    """The folder of the installed mtcnn package that holds its weight files."""
    # find_spec does not run the package, which would load TensorFlow.
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or spec.origin is None:
        sys.exit("The package mtcnn is not installed: pip install mtcnn joblib lz4 onnx")
    return Path(spec.origin).parent / "assets" / "weights"


def main() -> None:
    """Write the three networks beside this script."""
    folder = find_package_weights()
    for name, build in BUILDERS.items():
        target = Path(__file__).parent / f"{name}.onnx"
        onnx.save(build(joblib.load(folder / f"{name}.lz4")), str(target))
        print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
