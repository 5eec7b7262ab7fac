"""Faces are split into parts that share no picture, and the part a model held out is known."""

import numpy as np
import pytest

from recognition.engine.emotions import EMOTIONS
from tests.training.drawing import make_faces
from training.core.config import TrainingConfig
from training.core.data.faces import DatasetError, rows_of, split_off


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


CONFIG = TrainingConfig(validation=0.2)


@pytest.fixture
def faces():
    return make_faces(70)


def held_out(faces) -> list[int]:
    return split_off(faces, faces.rows("Training"), CONFIG.validation, CONFIG.seed)[1].tolist()


def counts(faces) -> dict[str, int]:
    labels = faces.labels[held_out(faces)].tolist()
    return {name: labels.count(label) for label, name in enumerate(EMOTIONS)}


def card(**changes) -> dict:
    return {"config": CONFIG.to_dict(), "data": {"other.csv": "another file"}, **changes}


def figures(support: dict[str, int]) -> dict:
    per_class = {emotion: {"support": count} for emotion, count in support.items()}
    return {"validation": {"per_class": per_class}}


def test_a_file_that_it_was_trained_on(faces):
    own = card(data=faces.sources)

    assert rows_of("validation", faces, own).tolist() == held_out(faces)


def test_the_same_faces_packed_otherwise(faces):
    own = card(figures=figures(counts(faces)))

    assert rows_of("validation", faces, own).tolist() == held_out(faces)


def test_other_faces(faces):
    support = counts(faces)
    support["happy"] += 1

    for foreign in (card(), card(figures=figures(support)), {"data": faces.sources}):
        with pytest.raises(DatasetError, match="trained on other data"):
            rows_of("validation", faces, foreign)


def test_any_other_split_is_that_of_the_data(faces):
    assert len(rows_of("Training", faces, {})) == 70
