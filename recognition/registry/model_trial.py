"""`python -m recognition.registry.model_trial < FILE`: tries an imported ONNX file.

No other process parses such a file or pays for the parser's memory; model_files starts it.
"""

import json
import resource
import sys
from dataclasses import asdict
from time import perf_counter

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.errors import ModelError
from recognition.registry.model_files import (
    TRIAL_BYTES,
    TRIAL_SECONDS,
    Trial,
    check_answers,
    draw_faces,
)

MOST_NODES = 5000

# The operators of networks that classify small images. None loops, branches, draws random numbers
# or touches text, sequences or files.
_OPERATORS = """
    Conv QLinearConv MatMul QLinearMatMul Gemm QuantizeLinear DequantizeLinear
    BatchNormalization InstanceNormalization LayerNormalization GroupNormalization
    LpNormalization MeanVarianceNormalization LRN Dropout
    MaxPool AveragePool LpPool GlobalMaxPool GlobalAveragePool GlobalLpPool
    Relu LeakyRelu PRelu ThresholdedRelu Elu Selu Celu Gelu Mish HardSwish
    Sigmoid HardSigmoid Softplus Softsign Softmax LogSoftmax Tanh Erf Clip
    Add Sub Mul Div Neg Abs Sign Floor Ceil Round Sqrt Reciprocal Exp Log Pow Min Max Mean Sum
    ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSumExp
    Equal Greater GreaterOrEqual Less LessOrEqual And Or Not Where
    Shape Reshape Flatten Transpose Squeeze Unsqueeze Concat Slice Split Gather Pad Resize
    Expand Tile Range Constant ConstantOfShape DepthToSpace SpaceToDepth Cast Identity
"""
OPERATORS = frozenset(_OPERATORS.split())

# Types that may be computed from pixels. Integers of 16 bits and more are sizes, indices and
# divisors: a network that takes them from the image could pass every trial and still exhaust the
# memory, or crash, on a later photo.
PIXEL_TYPES = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
    | {TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8}
)
# Attributes that hold numbers or text.
PLAIN = (
    *(onnx.AttributeProto.FLOAT, onnx.AttributeProto.INT, onnx.AttributeProto.STRING),
    *(onnx.AttributeProto.FLOATS, onnx.AttributeProto.INTS, onnx.AttributeProto.STRINGS),
)
# Operators that also take fractional sizes, and their first such input.
FRACTIONS_AS_SIZES = {"Resize": 1, "Range": 0}


def inspect(content: bytes) -> ModelProto:
    """Parse an ONNX file without running any of it.

    Raises ModelError for anything that a feed-forward network doesn't need: invalid_file,
    foreign_content, external_data, unknown_operator, too_many_nodes, sizes_from_picture,
    wrong_output.
    """
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise ModelError("invalid_file", f"This isn't an ONNX file: {error}") from error
    graph = model.graph
    if not graph.node:
        raise ModelError("invalid_file", "This isn't an ONNX file, or its network is empty.")
    if model.functions or model.training_info or graph.sparse_initializer:
        raise ModelError(
            "foreign_content",
            "The file has functions, training or sparse parts; export it for inference only.",
        )
    if len(graph.node) > MOST_NODES:
        raise ModelError("too_many_nodes", f"The network has more than {MOST_NODES} nodes.")
    for tensor in graph.initializer:
        _refuse_external(tensor)
    for node in graph.node:
        _inspect_node(node)
    if [value.name for value in graph.output] != ["probabilities"]:
        raise ModelError(
            "wrong_output", 'The network must have exactly one output, "probabilities".'
        )
    _refuse_sizes_from_picture(onnx.shape_inference.infer_shapes(model).graph)
    return model


def _inspect_node(node: NodeProto) -> None:
    if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
        name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        raise ModelError(
            "unknown_operator",
            f"The operator {name[:100]} is not accepted; only standard operators of "
            "feed-forward networks are.",
        )
    for attribute in node.attribute:
        if attribute.type not in (*PLAIN, onnx.AttributeProto.TENSOR):
            raise ModelError(
                "foreign_content",
                f"A {node.op_type} holds a network or sparse weights, not just numbers.",
            )
        _refuse_external(attribute.t)


def _refuse_external(tensor: TensorProto) -> None:
    if tensor.external_data or tensor.data_location:
        raise ModelError(
            "external_data", "The weights must be inside the file, not in external files."
        )


def _refuse_sizes_from_picture(graph: GraphProto) -> None:
    values = (*graph.input, *graph.value_info, *graph.output)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    from_picture = {value.name for value in graph.input}
    from_picture -= {tensor.name for tensor in graph.initializer}
    for node in graph.node:  # sorted topologically; ONNX Runtime refuses anything else
        if node.op_type == "Shape" or not from_picture.intersection(node.input):
            continue
        from_picture.update(filter(None, node.output))
        sizes = node.input[FRACTIONS_AS_SIZES.get(node.op_type, len(node.input)) :]
        made = {types.get(name, TensorProto.UNDEFINED) for name in node.output if name}
        if from_picture.intersection(sizes) or not made <= PIXEL_TYPES:
            raise ModelError(
                "sizes_from_picture",
                f"A {node.op_type} turns pixels into whole numbers or sizes; only the number "
                "of faces may decide those.",
            )


def measure(content: bytes) -> Trial:
    """Inspect a file, then run it on synthetic faces. Raises ModelError."""
    graph = inspect(content).graph
    classifier = EmotionClassifier(content)
    check_answers(classifier, (1, 2, 3, 8, 32))  # up to the largest batch in use
    face = draw_faces(4)[3:]
    seconds = []
    for _repeat in range(15):
        started = perf_counter()
        classifier.predict(face)
        seconds.append(perf_counter() - started)
    operators = sorted({node.op_type for node in graph.node})
    return Trial(round(float(np.median(seconds)) * 1000, 3), operators, len(graph.node))


def main() -> None:
    """Try the file from standard input under limits; print JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (TRIAL_BYTES, TRIAL_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (TRIAL_SECONDS, TRIAL_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = asdict(measure(sys.stdin.buffer.read()))
    except ModelError as error:
        outcome = {"code": error.code, "message": error.message}
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
