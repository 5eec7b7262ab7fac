"""Images in class-named folders, on disk or zipped, become labeled faces."""

import zipfile

import cv2
import numpy as np
import pytest

from training.core.data.datasets import load
from training.core.data.faces import DatasetError


def png(side: int = 48, level: int = 120) -> bytes:
    return cv2.imencode(".png", np.full((side, side, 3), level, np.uint8))[1].tobytes()


def write_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


MEMBERS = {
    "train/happy/1.png": png(),
    "train/anger/2.png": png(96, 60),
    "test/Sad/3.png": png(30, 200),
    "test/readme.txt": b"not an image",
}


def check(faces):
    assert faces.labels.tolist() == [4, 0, 3]
    assert faces.splits.tolist() == [1, 0, 0]
    assert faces.images.shape == (3, 48, 48)
    assert [int(image.mean()) for image in faces.images] == [200, 60, 120]


def test_it_reads_a_zip(tmp_path):
    check(load(write_zip(tmp_path / "faces.zip", MEMBERS), tmp_path / "cache"))


def test_it_reads_a_folder(tmp_path):
    for name, content in MEMBERS.items():
        (tmp_path / "faces" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "faces" / name).write_bytes(content)
    check(load(tmp_path / "faces", tmp_path / "cache"))


def test_it_refuses_a_folder_that_names_no_class(tmp_path):
    path = write_zip(tmp_path / "faces.zip", {"train/grumpy/1.png": png()})
    with pytest.raises(DatasetError, match=r"train/grumpy/1.png: grumpy is none of the classes"):
        load(path, tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"GIF89a but not really"])
def test_it_names_the_file_that_is_no_image(tmp_path, content):
    path = write_zip(tmp_path / "faces.zip", {"happy/broken.png": content})
    with pytest.raises(DatasetError, match=r"happy/broken.png can't be read as an image"):
        load(path, tmp_path / "cache")


def test_it_refuses_a_member_that_unpacks_to_too_much(tmp_path):
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("happy/bomb.png", bytes(20_000_000))
    with pytest.raises(DatasetError, match=r"happy/bomb.png is too large when unpacked"):
        load(path, tmp_path / "cache")
