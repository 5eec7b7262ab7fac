"""A data set is read once and then cached, with the votes beside it and framings if wanted."""

import io
import time
import zipfile

import cv2
import numpy as np
import pytest

from tests.training.drawing import write_csv, write_votes
from training.core.data.datasets import load
from training.core.data.faces import DatasetError


def test_it_refuses_what_does_not_exist(tmp_path):
    with pytest.raises(DatasetError, match="nothing at"):
        load(tmp_path / "nowhere.csv", tmp_path / "cache")


def test_the_second_start_reads_the_cache(tmp_path):
    path = write_csv(tmp_path / "faces.csv")
    first = load(path, tmp_path / "cache")
    started = time.perf_counter()
    second = load(path, tmp_path / "cache")
    assert time.perf_counter() - started < 2
    assert isinstance(second.images, np.memmap)
    assert np.array_equal(first.images, second.images)


def test_framings_are_measured_once_and_only_when_asked_for(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "faces.csv")
    assert load(path, tmp_path / "cache").framings is None
    first = load(path, tmp_path / "cache", framings=True)
    assert first.framings.shape == (14, 2, 3)

    monkeypatch.setattr("training.core.data.datasets.measure_framings", None)
    second = load(path, tmp_path / "cache", framings=True)
    assert np.array_equal(second.framings, first.framings)


def test_a_changed_file_is_read_again(tmp_path):
    path = write_csv(tmp_path / "faces.csv", count=14)
    load(path, tmp_path / "cache")
    write_csv(path, count=21)
    assert len(load(path, tmp_path / "cache")) == 21


def test_votes_beside_the_csv_are_found(tmp_path):
    path = write_csv(tmp_path / "faces.csv", count=1)
    write_votes(tmp_path / "fer2013new.csv", ["Training,a.png,10,0,0,0,0,0,0,0,0,0"])
    assert load(path, tmp_path / "cache").votes[0, 6] == 1


def test_votes_beside_it_that_are_of_other_faces_are_left_alone(tmp_path):
    write_votes(tmp_path / "fer2013new.csv", ["Training,a.png,10,0,0,0,0,0,0,0,0,0"])
    path = write_csv(tmp_path / "faces.csv", count=14)
    faces = load(path, tmp_path / "cache")
    assert (len(faces), faces.votes.any(), list(faces.sources)) == (14, False, ["faces.csv"])
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.writestr(
            "happy/a.png", cv2.imencode(".png", np.zeros((48, 48), np.uint8))[1].tobytes()
        )
    assert not load(tmp_path / "faces.zip", tmp_path / "cache").votes.any()


def test_votes_that_are_not_there_are_named(tmp_path):
    path = write_csv(tmp_path / "faces.csv")
    with pytest.raises(DatasetError, match=r"nothing at .*votes\.csv"):
        load(path, tmp_path / "cache", tmp_path / "votes.csv")


def test_a_zip_of_folders_is_not_taken_for_a_csv(tmp_path):
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", io.StringIO("no faces here").getvalue())
    with pytest.raises(DatasetError, match="no images in folders"):
        load(path, tmp_path / "cache")
