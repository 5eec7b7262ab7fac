"""Why the reading of a face may be less certain than its numbers look."""

import math

from recognition.engine.sharpness import BLURRED
from recognition.models import Face

SMALL = 48  # pixels: the classifier reads 48 x 48, so anything smaller is enlarged
TURNED = 0.55  # of half the distance between the eyes: a face in profile reaches 1


def hints(face: Face) -> list[str]:
    """Which of "small", "blurred" and "turned" apply, by what is stored of the face.

    The sharpness of faces that were analyzed before it was measured is not known.
    """
    found = []
    if min(face.width, face.height) < SMALL:
        found.append("small")
    if face.sharpness is not None and face.sharpness < BLURRED:
        found.append("blurred")
    if face.landmarks and turn(face.landmarks) > TURNED:
        found.append("turned")
    return found


def turn(landmarks: dict[str, list[float]]) -> float:
    """How far the nose lies beside the middle of the eyes: 0 from the front, about 1 in profile.

    Measured along the line through the eyes, so that a tilted head is not taken for a turned one.
    """
    (left_x, left_y), (right_x, right_y) = landmarks["left_eye"], landmarks["right_eye"]
    nose_x, nose_y = landmarks["nose"]
    across_x, across_y = right_x - left_x, right_y - left_y
    half = math.hypot(across_x, across_y) / 2
    if half == 0:
        return 1.0
    beside_x, beside_y = nose_x - (left_x + right_x) / 2, nose_y - (left_y + right_y) / 2
    return abs(beside_x * across_x + beside_y * across_y) / (2 * half * half)
