"""The networks that browsers run themselves, so that no picture leaves the device."""

import functools
import hashlib
from typing import Any

from django.http import Http404
from django.templatetags.static import static
from django.urls import reverse

from recognition.engine.sessions import WEIGHTS
from recognition.models import ModelVersion
from recognition.registry import registry, version_files

# By what the scripts call them (static/js/live/on-device/networks.js).
SHIPPED = {"proposal": "pnet", "refinement": "rnet", "output": "onet", "covered": "covered"}
RUNTIME = "vendor/onnxruntime-web/"


def manifest() -> dict[str, Any]:
    """The addresses of the program and of the networks, and the active version's number."""
    version = registry.active_version()
    digests = {name: digest for digest, name in _shipped().items()}
    digests["expression"] = version.int8_sha256 or version.sha256
    return {
        "model_version": version.number,
        "networks": {
            name: reverse("live-network", args=[digest]) for name, digest in digests.items()
        },
        "worker": static("js/live/on-device/worker.js"),
        "runtime": {
            "module": static(f"{RUNTIME}ort.wasm.min.mjs"),
            "loader": static(f"{RUNTIME}ort-wasm-simd-threaded.mjs"),
            "binary": static(f"{RUNTIME}ort-wasm-simd-threaded.wasm"),
        },
    }


def read_network(sha256: str) -> bytes:
    """A network that browsers may load: one of the detector's, or a registered version.

    Raises Http404, and ModelError if a version's file is missing or was changed.
    """
    if name := _shipped().get(sha256):
        return (WEIGHTS / f"{SHIPPED[name]}.onnx").read_bytes()
    if version := ModelVersion.objects.filter(int8_sha256=sha256).first():
        return version_files.read_int8(version)
    if version := ModelVersion.objects.filter(sha256=sha256).first():
        return version_files.read_onnx(version)
    raise Http404


@functools.cache
def _shipped() -> dict[str, str]:
    """The names of the networks that come with Mien, by SHA-256."""
    contents = {name: (WEIGHTS / f"{file}.onnx").read_bytes() for name, file in SHIPPED.items()}
    return {hashlib.sha256(content).hexdigest(): name for name, content in contents.items()}
