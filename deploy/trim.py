"""Deletes from an image's packages what no process of Mien opens: `python trim.py FOLDER`.

Tests, headers, translations, and parts of large packages: half of pyarrow moves tables over
networks, botocore describes some 400 services of which one is used. The image of the trainer, which
quantizes and converts networks, keeps everything. tests/deploy/test_trim.py runs without them.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# Paths in site-packages, with wildcards.
UNUSED = (
    "**/tests",
    "**/*.h",
    "**/*.hpp",
    "**/*.pxd",
    "**/*.pyx",
    "**/*.pxi",
    "**/*.pyi",
    "**/*.a",
    "*/locale/*/",
    "*/*/locale/*/",
    "*/*/*/locale/*/",
    "onnx/backend/test",
    "onnxruntime/capi/libonnxruntime.so*",  # the same again, for programs in C
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/*flight*",
    "pyarrow/*s3*",
    "pyarrow/*azurefs*",
    "pyarrow/*gcsfs*",
    "pyarrow/_pyarrow_cpp_tests*",
)
KEPT = (
    "**/locale/en",
    "numpy/_core/tests",  # numpy.testing imports one of them
    "botocore/data/s3",
    "botocore/data/sts",
    "botocore/data/sso*",
    "botocore/data/signin",
)


def unused(packages: Path) -> Iterator[Path]:
    """What can go, folders before what is in them."""
    kept = {path for pattern in KEPT for path in packages.glob(pattern)}
    services = (path for path in (packages / "botocore/data").glob("*/"))
    for pattern in UNUSED:
        yield from (path for path in packages.glob(pattern) if path not in kept)
    yield from (path for path in services if path.is_dir() and path not in kept)


def trim(packages: Path) -> int:
    """Delete it; gives the bytes that were freed."""
    freed = 0
    for path in list(unused(packages)):
        if path.is_dir() and not path.is_symlink():
            freed += sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            freed += path.lstat().st_size
            path.unlink()
    return freed


if __name__ == "__main__":
    print(f"{trim(Path(sys.argv[1])) / 1e6:.0f} MB freed")
