"""Of boxes that overlap the best stays."""

import numpy as np

from recognition.engine.boxes import suppress, suppress_nested


def test_suppression_of_nothing_is_nothing():
    nothing = np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.5
    assert suppress(*nothing).tolist() == suppress_nested(*nothing).tolist() == []


def test_suppression_keeps_the_best_of_an_overlap():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]], dtype=np.float32)
    kept = suppress(boxes, np.array([0.7, 0.9, 0.8], dtype=np.float32), 0.5)
    assert kept.tolist() == [1, 2]


def test_suppression_by_the_smaller_box_drops_what_lies_inside():
    boxes = np.array([[0, 0, 40, 40], [10, 10, 20, 20]], dtype=np.float32)
    scores = np.array([0.9, 0.8], dtype=np.float32)
    assert suppress(boxes, scores, 0.7).tolist() == [0, 1]
    assert suppress_nested(boxes, scores, 0.7).tolist() == [0]
