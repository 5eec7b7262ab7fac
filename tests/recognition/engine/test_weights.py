"""The shipped detector networks compute what the package they come from computes."""

import json
import subprocess
import sys

import numpy as np
import pytest

from recognition.engine.detector import WEIGHTS
from recognition.engine.sessions import open_session

from .conftest import ROOT

# Keep TensorFlow out of the other tests' process.
REFERENCE = """
import json, sys
import numpy as np
from mtcnn.network.onet import ONet
from mtcnn.network.pnet import PNet
from mtcnn.network.rnet import RNet
from mtcnn.utils.tensorflow import load_weights

answers = {}
for name, network in (("pnet", PNet), ("rnet", RNet), ("onet", ONet)):
    model = network()
    model.build()
    model.set_weights(load_weights(name + ".lz4"))
    images = np.load(sys.argv[1] + "/" + name + ".npy").astype(np.float32)
    answers[name] = [np.asarray(part).tolist() for part in model((images - 127.5) / 128)]
json.dump(answers, open(sys.argv[1] + "/answers.json", "w"))
"""

SHAPES = {"pnet": (2, 61, 74, 3), "rnet": (4, 24, 24, 3), "onet": (4, 48, 48, 3)}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The outputs of the package's own networks for some images."""
    pytest.importorskip("joblib", reason="the package mtcnn is not installed")
    folder = tmp_path_factory.mktemp("mtcnn")
    random = np.random.default_rng(0)
    images = {
        name: random.integers(0, 256, shape, dtype=np.uint8) for name, shape in SHAPES.items()
    }
    for name, batch in images.items():
        np.save(folder / f"{name}.npy", batch)
    command = [sys.executable, "-c", REFERENCE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("the package mtcnn or TensorFlow is not installed")
    assert done.returncode == 0, done.stderr
    answers = json.loads((folder / "answers.json").read_text())
    return images, {name: [np.array(part) for part in parts] for name, parts in answers.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_a_network_agrees_with_its_package(reference, name):
    images, answers = reference
    session = open_session(WEIGHTS / f"{name}.onnx")
    outputs = [node.name for node in session.get_outputs()]
    ours = dict(zip(outputs, session.run(outputs, {"images": images[name]}), strict=True))
    if name == "pnet":
        ours = {key: value.transpose(0, 2, 3, 1) for key, value in ours.items()}
    offsets, *landmarks, classes = answers[name]
    assert np.allclose(ours["offsets"], offsets, atol=1e-4)
    assert np.allclose(ours["scores"][..., 0], classes[..., 1], atol=1e-4)
    if landmarks:
        assert np.allclose(ours["landmarks"], landmarks[0], atol=1e-4)
