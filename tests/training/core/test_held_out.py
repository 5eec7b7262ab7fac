"""The validation part of a model is known for the data that it was trained on, and for no other."""

import pytest

from recognition.engine.emotions import EMOTIONS
from tests.training.drawing import make_faces
from training.core.config import TrainingConfig
from training.core.faces import split_off
from training.core.held_out import rows_of
from training.core.problems import DatasetError

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
