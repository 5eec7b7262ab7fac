"""Faces are sampled without aliasing and framed as FER2013 frames them."""

import cv2
import numpy as np
import pytest

from recognition.engine.align import TEMPLATE, align_face, align_faces, estimate_similarity, warp
from recognition.engine.types import Landmarks

NOTHING = np.array([[1.0, 0, 0], [0, 1, 0]])


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def similarity(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    a, b = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[a, -b, x], [b, a, y]])


def landmarks_at(matrix: np.ndarray) -> Landmarks:
    """The template's landmarks in an image that `matrix` maps to the face."""
    back = cv2.invertAffineTransform(matrix)
    points = TEMPLATE @ back[:, :2].T + back[:, 2]
    return Landmarks(*(tuple(point) for point in points.tolist()))


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3)])
def test_the_identity_changes_nothing(shape):
    image = noise(*shape)
    assert (warp(image, NOTHING) == image).all()


def test_a_flip_is_exact():
    image = noise(48, 48)
    assert (warp(image, np.array([[-1.0, 0, 47], [0, 1, 0]])) == image[:, ::-1]).all()


@pytest.mark.parametrize("scale", [0.9, 0.6, 0.3, 0.1, 0.04])
def test_shrinking_averages_instead_of_picking(scale):
    side = round(48 / scale)
    shrunk = warp(noise(side, side), similarity(scale, 0, 0, 0))
    expected = cv2.resize(noise(side, side), (48, 48), interpolation=cv2.INTER_AREA)
    # Averaged noise gets weaker; sampled pixels would stay as noisy.
    assert shrunk.std() < 1.15 * expected.std() + 2


@pytest.mark.parametrize("degrees", [0, 25, -120])
@pytest.mark.parametrize("scale", [2.5, 1.0, 0.8, 0.45, 0.2, 0.07])
def test_a_smooth_picture_lands_where_the_matrix_says(scale, degrees):
    y, x = np.mgrid[:900, :1100]

    def picture(x, y):
        return 127 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)

    image = picture(x, y).astype(np.uint8)
    matrix = similarity(scale, degrees, 0, 0)
    matrix[:, 2] = [23.5, 23.5] - matrix[:, :2] @ [550, 450]
    back = cv2.invertAffineTransform(matrix)
    rows, columns = np.mgrid[:48, :48]
    source = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ back.T
    expected = picture(source[..., 0], source[..., 1])
    inside = ((source >= 0) & (source <= [1099, 899])).all(axis=-1)
    assert np.abs(warp(image, matrix) - expected)[inside].max() < 6


def test_what_lies_outside_repeats_the_edge():
    image = np.full((30, 30, 3), 200, dtype=np.uint8)
    for matrix in (similarity(1, 0, 500, -500), similarity(0.01, 0, 60, 0)):
        assert (warp(image, matrix) == 200).all()


def test_a_similarity_is_recovered():
    truth = similarity(0.31, 17, -4, 9)
    source = noise(5, 2).astype(float)
    found = estimate_similarity(source, source @ truth[:, :2].T + truth[:, 2])
    assert np.allclose(found, truth)


def test_points_in_one_place_give_a_finite_similarity():
    assert np.isfinite(estimate_similarity(np.ones((5, 2)), TEMPLATE)).all()


def test_a_face_is_framed_by_its_landmarks():
    matrix = similarity(0.5, -20, 3, 30)
    marker = np.zeros((200, 200, 3), np.uint8)
    nose = landmarks_at(matrix).nose
    cv2.circle(marker, (round(nose[0]), round(nose[1])), 4, (255, 255, 255), -1)
    face = align_face(marker, landmarks_at(matrix)).astype(float)
    rows, columns = np.mgrid[:48, :48]
    center = (face * columns).sum() / face.sum(), (face * rows).sum() / face.sum()
    assert np.allclose(center, TEMPLATE[2], atol=0.5)


def test_gray_follows_itu_601():
    rgb = np.full((60, 60, 3), (200, 100, 50), dtype=np.uint8)
    assert (align_face(rgb, landmarks_at(NOTHING)) == 124).all()


def test_faces_come_as_one_batch():
    image = noise(100, 100, 3)
    faces = align_faces(image, [landmarks_at(NOTHING), landmarks_at(similarity(0.5, 5, 0, 0))])
    assert (faces.shape, faces.dtype) == ((2, 48, 48), np.uint8)


def test_no_faces_are_an_empty_batch():
    assert align_faces(noise(100, 100, 3), []).shape == (0, 48, 48)
