"""Which code has trained a model."""

import hashlib
from pathlib import Path

from recognition.engine import align, detector


def code_digest() -> str:
    """The version of the code: a digest of all that decides what a run gives, besides its config
    and its data: this package, the labels and weights in it, and how the engine frames faces."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files() -> list[Path]:
    framing = [Path(str(module.__file__)) for module in (align, detector)]
    package = Path(__file__).parent
    return [*sorted(package.glob("*.py")), *sorted(package.glob("*.npz")), *framing]
