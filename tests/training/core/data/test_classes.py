"""Folders' names become classes: misspelled ones by themselves, others as somebody decides."""

import pytest

from recognition.engine.emotions import EMOTIONS
from training.core.data.classes import SYNONYMS, ClassOptions, UnknownClass, find_class
from training.core.data.datasets import load
from training.core.data.faces import DatasetError
from training.core.data.inspection import inspect

from .test_folders import png, write_zip

STRICT = ClassOptions()


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        *(("happy", "happy"), ("Happy", "happy"), (" HAPPINESS ", "happy"), ("anger", "angry")),
        *(("suprise", "surprise"), ("Surprised", "surprise"), ("sadness", "sad")),
        *(("fearful", "fear"), ("disgusted", "disgust"), ("nuetral", "neutral")),
    ],
)
def test_usual_names_stand_for_a_class(name, emotion):
    assert find_class(name, STRICT) == emotion


@pytest.mark.parametrize("name", ["contempt", "", "7", "00", "unknown", "happy faces"])
def test_others_do_not(name):
    with pytest.raises(UnknownClass) as caught:
        find_class(name, ClassOptions(order="fer2013"))
    assert caught.value.name == name


def test_no_synonym_is_itself_a_class():
    assert not set(SYNONYMS) & set(EMOTIONS)
    assert set(SYNONYMS.values()) == set(EMOTIONS)


@pytest.mark.parametrize(("order", "emotion"), [("fer2013", "sad"), ("alphabetical", "neutral")])
def test_numbers_follow_the_order_that_was_chosen(order, emotion):
    assert find_class("4", ClassOptions(order=order)) == emotion


def test_numbers_are_never_guessed():
    with pytest.raises(UnknownClass):
        find_class("4", STRICT)


def zip_of(tmp_path, *folders: str):
    members = {
        f"{folder}/{number}.png": png(level=40 + 9 * at + number)
        for at, folder in enumerate(folders)
        for number in range(3)
    }
    return write_zip(tmp_path / "faces.zip", members)


def test_the_report_lists_the_names_that_were_mapped(tmp_path):
    report, faces = inspect(zip_of(tmp_path, "happy", "suprise"), None, tmp_path / "cache")
    assert len(faces) == 6
    assert report.mapped == [{"name": "suprise", "emotion": "surprise", "images": 3}]
    assert (report.unknown, report.left_out) == ({}, False)


def test_unknown_classes_are_listed_with_their_counts(tmp_path):
    path = zip_of(tmp_path, "happy", "sad", "contempt")
    report, faces = inspect(path, None, tmp_path / "cache")
    assert faces is None
    assert (report.code, report.problem_count) == ("unknown_classes", 1)
    assert report.unknown == {"contempt": 3}
    assert "contempt (3)" in report.problems[0]


def test_they_are_left_out_on_request(tmp_path):
    path = zip_of(tmp_path, "happy", "sad", "contempt")
    options = ClassOptions(leave_out_unknown=True)
    report, faces = inspect(path, None, tmp_path / "cache", options)
    assert (len(faces), report.faces, report.left_out) == (6, 6, True)
    assert report.unknown == {"contempt": 3}


def test_a_cache_of_one_decision_is_not_used_for_another(tmp_path):
    path = zip_of(tmp_path, "0", "4")
    labels = {
        order: set(load(path, tmp_path, classes=ClassOptions(order=order)).labels.tolist())
        for order in ("fer2013", "alphabetical")
    }
    assert labels == {"fer2013": {0, 4}, "alphabetical": {0, 6}}
    with pytest.raises(DatasetError):
        load(path, tmp_path)


def test_numbered_folders_ask_for_their_order(tmp_path):
    report, faces = inspect(zip_of(tmp_path, *"0123456"), None, tmp_path / "cache")
    assert faces is None
    assert report.code == "numbered_classes"
    assert "FER2013" in report.problems[0]
    assert "alphabetical" in report.problems[0]


def test_numbers_are_not_left_out_with_unknown_classes(tmp_path):
    path = zip_of(tmp_path, "happy", "3")
    options = ClassOptions(leave_out_unknown=True)
    report, faces = inspect(path, None, tmp_path / "cache", options)
    assert (faces, report.code) == (None, "numbered_classes")


def test_a_zip_of_unknown_classes_alone_is_not_a_data_set(tmp_path):
    path = zip_of(tmp_path, "cats", "dogs")
    options = ClassOptions(leave_out_unknown=True)
    report, faces = inspect(path, None, tmp_path / "cache", options)
    assert (faces, report.code) == (None, "unknown_classes")
