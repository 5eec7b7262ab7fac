"""ONNX Runtime sessions that use little memory and one core."""

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ModelError

if TYPE_CHECKING:
    import onnxruntime


WEIGHTS = Path(__file__).parent / "weights"
"""Where the networks lie that come with Mien."""


def open_session(
    model: Path | bytes, threads: int = 1, *, arena: bool = False
) -> "onnxruntime.InferenceSession":
    """A CPU session for a network from a file or its bytes.

    With an `arena` it keeps the memory of its largest batch, for networks that need many megabytes
    each time: given back and taken again, they would scatter over the heap, and it would grow.
    Raises ModelError: missing_file, or invalid_file if ONNX Runtime can't run it.
    """
    if isinstance(model, Path) and not model.is_file():
        raise ModelError("missing_file", f"{name_of(model)} does not exist.")
    # Imported here: few of the processes that import this module ever read a face.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Otherwise waiting threads spin on the core that another worker needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Idle workers should be small.
    options.enable_cpu_mem_arena = arena
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exception classes share no other base
        raise ModelError("invalid_file", f"{name_of(model)} can't be run: {error}") from error


def name_of(model: Path | bytes) -> str:
    """How a sentence about this model begins."""
    return f"The model file {model.name}" if isinstance(model, Path) else "The model file"
