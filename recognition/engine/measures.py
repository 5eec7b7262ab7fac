"""What a face does, as geometry: head pose, eyes, mouth, brows, gaze, measured on its mesh.

Nothing here names an expression. Lengths are in parts of the distance between the outer corners of
the eyes, measured in three dimensions, so that they change little when the head turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .covers import COVERED
from .mesh import EYE_CORNERS, Mesh

Values = NDArray[np.float64]

FACE_SCORE = 0.5
"""Below this score of the mesh nothing is measured: there may be no face under it."""

TURNED = 30.0
"""Degrees of yaw or pitch from which a reading counts as one of a turned head."""

CLOSED = 0.25
"""Openness below which an eye counts as closed."""

MEASURES = (
    *("yaw", "pitch", "roll"),
    *("eye_left", "eye_right", "mouth_open", "mouth_corners", "brows"),
    *("gaze_x", "gaze_y"),
)
"""The names of the measures, in the order in which they are stored."""

NEUTRAL = {
    "eye_left": 0.55,
    "eye_right": 0.55,
    "mouth_open": 0.02,
    "mouth_corners": 0.55,
    "brows": 0.54,
}
"""What faces at rest show: medians of 12 neutral portraits."""


@dataclass(frozen=True, slots=True)
class Measures:
    """One face's measures; left means left in the picture.

    `yaw`, `pitch` and `roll` are degrees: positive when the head turns to the right in the
    picture, nods down, and tilts clockwise; 0 faces the camera. `eye_left`, `eye_right` and
    `mouth_open` run from 0, closed, to 1, wide open; `mouth_corners` from 0, drawn down, to 1,
    drawn up; `brows` from 0, lowered, to 1, raised; NEUTRAL has what is usual. `gaze_x` and
    `gaze_y` are degrees from straight ahead of the head, to the right in the picture and down, and
    rough: a few pixels of iris decide. They are None if irises were not read.
    """

    yaw: float
    pitch: float
    roll: float
    eye_left: float
    eye_right: float
    mouth_open: float
    mouth_corners: float
    brows: float
    gaze_x: float | None = None
    gaze_y: float | None = None

    def to_list(self) -> list[float | None]:
        """The values in the order of MEASURES: degrees to a tenth, the rest to a thousandth."""
        return [
            None if (value := getattr(self, name)) is None else round(value, digits_of(name))
            for name in MEASURES
        ]


def digits_of(name: str) -> int:
    """How many digits after the point of a measure mean something."""
    return 1 if name in DEGREES else 3


DEGREES = frozenset({"yaw", "pitch", "roll", "gaze_x", "gaze_y"})


def measure(mesh: Mesh) -> Measures | None:
    """The measures of a face; None if the mesh has no face under it."""
    if mesh.score < FACE_SCORE:
        return None
    points = mesh.points.astype(np.float64)
    rotation = rotation_of(points)
    yaw, pitch, roll = angles_of(rotation)
    # As seen from the front, in parts of the distance between the outer corners of the eyes.
    upright = (points - points[_EYE_LINE].mean(axis=0)) @ rotation
    upright /= max(float(np.linalg.norm(upright[263] - upright[33])), 1e-6)
    left, right = (_part(_openness(upright, lids), *_EYE_RANGE) for lids in _LIDS)
    corners = upright[[61, 291], 1].mean() - upright[[13, 14, 0, 17], 1].mean()
    brows = np.mean([upright[eye, 1].mean() - upright[brow, 1].mean() for brow, eye in _BROWS])
    x, y = _gaze(mesh, rotation) if mesh.irises is not None else (None, None)
    return Measures(
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        eye_left=left,
        eye_right=right,
        mouth_open=_part(float(np.linalg.norm(upright[13] - upright[14])), *_MOUTH_RANGE),
        mouth_corners=_part(-float(corners), *_CORNER_RANGE),
        brows=_part(float(brows), *_BROW_RANGE),
        gaze_x=x,
        gaze_y=y,
    )


def rotation_of(points: Values) -> Values:
    """The rotation [3, 3] of a head from the x, y of its mesh [468, 3], against RIGID.

    Least squares under scaled orthographic projection, the first step of POSIT (DeMenthon & Davis
    1995, "Model-based object pose in 25 lines of code", IJCV 15): no focal length is needed, which
    crops and zoomed pictures don't have. Its columns are the face's axes right, down and away from
    the camera, in the picture.
    """
    seen = points[_RIGID_POINTS, :2]
    model = _RIGID_PLACES - _RIGID_PLACES.mean(axis=0)
    rows = np.linalg.lstsq(model, seen - seen.mean(axis=0), rcond=None)[0].T
    # The nearest pair of orthogonal rows of one length.
    u, _scales, vt = np.linalg.svd(rows, full_matrices=False)
    first, second = u @ vt
    return np.stack([first, second, np.cross(first, second)])


def angles_of(rotation: Values) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, as Measures counts them."""
    # Where the face looks: against its axis away from the camera.
    x, y, z = -rotation[:, 2]
    yaw = np.degrees(np.arctan2(x, -z))
    pitch = np.degrees(np.arctan2(y, np.hypot(x, z)))
    across = rotation[:, 0]
    roll = np.degrees(np.arctan2(across[1], np.hypot(across[0], across[2]) * np.sign(across[0])))
    return float(yaw), float(pitch), float(roll)


Hint = Literal["turned", "eyes_closed", "partly_covered"]


def hints_of(measures: Sequence[float | None] | None, covered: float | None) -> list[Hint]:
    """What to know before trusting a reading; from measures in their order, None if not measured.

    `covered` is the probability that something hides a part of the face.
    """
    hints: list[Hint] = []
    if measures:
        values = dict(zip(MEASURES, measures, strict=True))
        if max(abs(values["yaw"] or 0), abs(values["pitch"] or 0)) >= TURNED:
            hints.append("turned")
        if max(values["eye_left"] or 0, values["eye_right"] or 0) < CLOSED:
            hints.append("eyes_closed")
    if covered is not None and covered >= COVERED:
        hints.append("partly_covered")
    return hints


@dataclass(frozen=True, slots=True)
class Movement:
    """What a face did over time: `seconds` it was measured for, and counts and rates over them.

    A blink is seen only if a sample falls into it: it lasts a fifth of a second, so from 10 samples
    a second on the count means something, and `blinks` is None below. `mouth` is how fast the mouth
    opened and closed on average, in its whole range a second.
    """

    seconds: float
    blinks: int | None
    blinks_per_minute: float | None
    mouth: float
    turned: float
    """The share of the time in which the head was turned away by TURNED degrees or more."""


def movement_of(times: Values, values: Values) -> Movement | None:
    """What samples of measures [n, 10] at `times` [n] show; None if fewer than two were measured.

    Rows of NaN were not measured.
    """
    known = ~np.isnan(values[:, 0])
    times, values = times[known], values[known]
    if len(times) < 2:
        return None
    steps = np.diff(times)
    together = steps <= _PAUSE
    seconds = float(steps[together].sum())
    usual = float(np.median(steps))
    left, right, mouth = (MEASURES.index(name) for name in ("eye_left", "eye_right", "mouth_open"))
    blinks = None
    if usual <= _BLINK_STEP + 1e-6:
        eyes = values[:, [left, right]].mean(axis=1)
        blinks = count_blinks(times, eyes)
    opening = np.abs(np.diff(values[:, mouth]))[together]
    away = np.abs(values[:, :2]).max(axis=1) >= TURNED
    return Movement(
        seconds=round(seconds, 2),
        blinks=blinks,
        blinks_per_minute=None
        if blinks is None or not seconds
        else round(60 * blinks / seconds, 1),
        mouth=round(float(opening.sum() / seconds), 3) if seconds else 0.0,
        turned=round(float(away.mean()), 4),
    )


def count_blinks(times: Values, openness: Values) -> int:
    """How often eyes [n] close and open again within half a second.

    Closed is less than 60 % of what is usual for this face: eyes differ.
    """
    closed = np.concatenate([[False], openness < _CLOSING * np.median(openness), [False]])
    edges = np.flatnonzero(np.diff(closed.astype(int)))
    begins, ends = edges[::2], edges[1::2] - 1
    inside = (begins > 0) & (ends < len(times) - 1)  # one that is cut off may be anything
    return int((times[ends[inside]] - times[begins[inside]] <= _LONGEST_BLINK).sum())


_PAUSE = 1.0  # seconds between samples after which they don't belong together
_BLINK_STEP = 0.1
_CLOSING = 0.6
_LONGEST_BLINK = 0.5

# Indices of the mesh and their places on a face that looks at the camera: x right, y down, z away,
# in parts of the distance between the outer corners of the eyes. The average of 24 portraits'
# meshes, made symmetric; points that hardly move with the expression.
RIGID: dict[int, tuple[float, float, float]] = {
    10: (0.0, -0.581, -0.196),
    151: (0.0, -0.413, -0.235),
    9: (0.0, -0.245, -0.261),
    8: (0.0, -0.148, -0.246),
    168: (0.0, -0.059, -0.244),
    6: (0.0, 0.031, -0.292),
    197: (0.0, 0.109, -0.348),
    195: (0.0, 0.180, -0.409),
    5: (0.0, 0.256, -0.472),
    4: (0.0, 0.351, -0.497),
    1: (0.0, 0.424, -0.473),
    33: (-0.5, 0.0, 0.0),
    263: (0.5, 0.0, 0.0),
    133: (-0.191, 0.017, -0.061),
    362: (0.191, 0.017, -0.061),
    127: (-0.763, 0.049, 0.555),
    356: (0.763, 0.049, 0.555),
    234: (-0.753, 0.202, 0.608),
    454: (0.753, 0.202, 0.608),
    50: (-0.542, 0.350, -0.063),
    280: (0.542, 0.350, -0.063),
}
_RIGID_POINTS = list(RIGID)
_RIGID_PLACES = np.array(list(RIGID.values()))
_EYE_LINE = [33, 263]

# Outer corner, two points of the upper lid, inner corner, two of the lower lid: the six points of
# the eye aspect ratio (Soukupová & Čech 2016, "Real-time eye blink detection using facial
# landmarks").
_LIDS = ((33, 160, 158, 133, 153, 144), (263, 387, 385, 362, 380, 373))
_BROWS = (([105, 66, 107], [33, 133]), ([334, 296, 336], [263, 362]))

# What becomes 0 and 1. Between them lies what faces do; beyond them values are cut off.
_EYE_RANGE = (0.05, 0.45)
_MOUTH_RANGE = (0.0, 0.6)
_CORNER_RANGE = (-0.12, 0.12)
_BROW_RANGE = (0.1, 0.45)

# An eyeball's radius and an eye's width in millimeters: usual values of adults.
_EYEBALL = 12.0
_LEVEL = -4.0  # degrees at which the irises of people who look at the camera lie
_EYE_WIDTH = 30.0


def _part(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _openness(points: Values, lids: tuple[int, ...]) -> float:
    """The eye aspect ratio: the lids' distance as a part of the eye's width."""
    outer, upper, upper_in, inner, lower_in, lower = points[list(lids)]
    height = np.linalg.norm(upper - lower) + np.linalg.norm(upper_in - lower_in)
    return float(height / (2 * max(float(np.linalg.norm(outer - inner)), 1e-6)))


def _gaze(mesh: Mesh, rotation: Values) -> tuple[float, float]:
    """Degrees to the right and down at which the irises lie off the middle of the eyes."""
    assert mesh.irises is not None
    angles = []
    for iris, corners in zip(mesh.irises, EYE_CORNERS, strict=True):
        ends = mesh.points[list(corners)].astype(np.float64)
        width = max(float(np.linalg.norm(ends[0] - ends[1])), 1e-6)
        offset = np.zeros(3)
        offset[:2] = iris[0, :2] - ends.mean(axis=0)[:2]
        seen = (offset @ rotation)[:2] * _EYE_WIDTH / width
        angles.append(np.degrees(np.arcsin(np.clip(seen / _EYEBALL, -1, 1))))
    x, y = np.mean(angles, axis=0)
    return float(x), float(y) - _LEVEL
