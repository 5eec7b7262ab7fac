"""Faces are cut into parts that share no picture."""

import numpy as np
import pytest

from tests.training.drawing import make_faces
from training.core.faces import split_off
from training.core.problems import DatasetError


def test_the_held_out_part_shares_no_picture_with_the_rest():
    faces = make_faces(70)
    copies = np.repeat(np.arange(35), 2)
    faces = type(faces)(**{**vars(faces), "images": faces.images[copies], "groups": copies})
    rest, held_out = split_off(faces, np.arange(70), share=0.2, seed=1)
    assert len(held_out) == 14
    assert sorted([*rest, *held_out]) == list(range(70))
    assert not set(faces.groups[rest]) & set(faces.groups[held_out])


def test_an_unknown_split_is_refused():
    with pytest.raises(DatasetError, match="no split 'Sunday'"):
        make_faces(7).rows("Sunday")


def test_a_small_set_still_holds_out_a_group():
    rest, held_out = split_off(make_faces(7), np.arange(7), share=0.05, seed=1)
    assert (len(rest), len(held_out)) == (6, 1)


def test_copies_of_one_picture_cannot_be_cut():
    faces = make_faces(7)
    faces = type(faces)(**{**vars(faces), "groups": np.zeros(7, np.int64)})
    with pytest.raises(DatasetError, match="too few different faces"):
        split_off(faces, np.arange(7), share=0.05, seed=1)
