"""Fixtures: detectors and real photos of faces."""

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from recognition.engine.detector import MtcnnDetector

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def detector() -> MtcnnDetector:
    return MtcnnDetector()


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """One face in the middle of 512x512 pixels (public domain, from scikit-image)."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def different_faces() -> list[np.ndarray]:
    """Photos of six people, 300x300 pixels, one face in the middle of each."""
    folder = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    files = sorted(folder.glob("neutral_*.jpg"))[:6]
    if len(files) < 6:
        pytest.skip("no face photos: MIEN_TEST_FACES names no folder with neutral_*.jpg")
    return [np.asarray(Image.open(file).resize((300, 300))) for file in files]


@pytest.fixture(scope="session")
def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    """Twelve people, neutral and smiling, 640x640 pixels."""
    folder = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    both = [sorted(folder.glob(f"{kind}_*.jpg")) for kind in ("neutral", "smiling")]
    if not both[0]:
        pytest.skip("no face photos: MIEN_TEST_FACES names no folder with neutral_*.jpg")
    return [
        (
            np.asarray(Image.open(neutral).resize((640, 640))),
            np.asarray(Image.open(smiling).resize((640, 640))),
        )
        for neutral, smiling in zip(*both, strict=True)
    ]
