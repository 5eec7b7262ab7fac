"""How sharp a face is at the size at which the classifier reads it."""

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

BLURRED = 0.025
"""Below this a face counts as blurred: accuracy begins to drop (`make bench-blur`)."""

# Pixels: otherwise noise and JPEG blocks would count as sharp edges.
_SMOOTHING = 0.7


def measure_sharpness(face: NDArray[np.uint8]) -> float:
    """The variance of a gray face's Laplacian as a share of the face's own variance; from 0 up.

    The ratio makes dark and pale photos comparable. It is measured on the aligned face [48, 48]:
    blur that disappears when a large face is scaled down does no harm and doesn't count. 0.07 to
    0.32 is usual, the table in docs/model-card.md has more. Source of the measure: Pech-Pacheco
    et al. 2000, ICPR, "Diatom autofocusing in brightfield microscopy".
    """
    smooth = cv2.GaussianBlur(face.astype(np.float32), (0, 0), _SMOOTHING)
    # OpenCV's: NumPy's takes several times as long for so few pixels.
    spread = float(cv2.meanStdDev(smooth)[1][0, 0])
    edges = float(cv2.meanStdDev(cv2.Laplacian(smooth, cv2.CV_32F))[1][0, 0])
    return (edges / spread) ** 2 if spread > 0 else 0.0
