"""Targets mix labels, votes and teachers; epochs leave out rows without a face."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.drawing import make_faces
from training.core.config import TrainingConfig
from training.core.data.faces import DatasetError
from training.core.data.targets import epoch_rows, read_taught, soft_targets, write_taught


def test_targets_mix_label_votes_and_smoothing():
    faces = make_faces(7)
    faces.votes[3] = [0.5, 0, 0, 0.5, 0, 0, 0]
    config = TrainingConfig(votes=0.2, smoothing=0.07)
    with_votes, without = soft_targets(faces, np.array([3, 4]), config)
    assert with_votes == pytest.approx([0.11, 0.01, 0.01, 0.84, 0.01, 0.01, 0.01], abs=1e-6)
    assert without == pytest.approx([0.01, 0.01, 0.01, 0.01, 0.94, 0.01, 0.01], abs=1e-6)


def test_teachers_have_a_share_where_they_have_labeled():
    taught = np.zeros((7, 7), np.float32)
    taught[3] = [0, 0, 0, 0.25, 0, 0, 0.75]
    faces = replace(make_faces(7), taught=taught)
    config = TrainingConfig(votes=0.0, smoothing=0.0, taught=0.4)
    labeled, unknown = soft_targets(faces, np.array([3, 4]), config)
    assert labeled == pytest.approx([0, 0, 0, 0.7, 0, 0, 0.3], abs=1e-6)
    assert unknown == pytest.approx([0, 0, 0, 0, 1, 0, 0], abs=1e-6)


def test_targets_without_the_teachers_that_are_asked_for():
    with pytest.raises(ValueError, match="without the teachers' labels"):
        soft_targets(make_faces(7), np.arange(7), TrainingConfig(taught=0.4))


def test_an_epoch_repeats_rare_classes_and_skips_what_is_no_face():
    faces = make_faces(7)
    faces.is_face[0] = False
    rows = epoch_rows(faces, np.arange(7), TrainingConfig(repeats=(1, 2, 1, 1, 1, 1, 1)))
    assert rows.tolist() == [1, 1, 2, 3, 4, 5, 6]


def test_only_so_many_faces_are_trained_on_and_always_the_same():
    faces = make_faces(70)
    few = TrainingConfig(faces=20, repeats=(1,) * 7)
    rows = epoch_rows(faces, np.arange(70), few)
    assert len(set(rows.tolist())) == len(rows) == 20
    assert rows.tolist() == epoch_rows(faces, np.arange(70), few).tolist()
    assert len(epoch_rows(faces, np.arange(70), replace(few, faces=100))) == 70
    assert rows.tolist() != epoch_rows(faces, np.arange(70), replace(few, seed=8)).tolist()


def test_labels_are_found_again_by_the_image(tmp_path):
    faces = make_faces(20)
    shares = np.eye(7, dtype=np.float32)[np.arange(15) % 7] * 0.8 + 0.2 / 7
    write_taught(faces, np.arange(15), shares, tmp_path / "taught.npz")
    order = np.random.default_rng(3).permutation(20)
    read = read_taught(tmp_path / "taught.npz", replace(faces, images=faces.images[order]))
    assert read[order < 15] == pytest.approx(shares[order[order < 15]], abs=0.01)
    assert not read[order >= 15].any()
    assert read[order < 15].sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_damaged_file_is_named(tmp_path, kept):
    path = tmp_path / "taught.npz"
    write_taught(make_faces(99), np.arange(99), np.eye(7)[np.arange(99) % 7], path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))] or b"nothing of the kind")
    with pytest.raises(DatasetError, match=r"taught\.npz can't be read"):
        read_taught(tmp_path / "taught.npz", make_faces(3))
