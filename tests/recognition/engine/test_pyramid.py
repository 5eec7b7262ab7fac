"""The pieces of a picture contain the same as the whole."""

import numpy as np

from recognition.engine.pyramid import strips


def test_pieces_of_a_large_photo_hold_every_cell_once(detector):
    level = np.random.default_rng(0).integers(0, 256, (333, 402, 3), dtype=np.uint8)
    outputs = detector._proposals.run(["scores"], {"images": level[None]})[0]
    pieces = [
        (top, detector._proposals.run(["scores"], {"images": strip[None]})[0])
        for top, strip in strips(level)
    ]
    assert len(pieces) > 2
    assert [top // 2 for top, _ in pieces[1:]] == np.cumsum(
        [scores.shape[2] for _, scores in pieces[:-1]]
    ).tolist()
    assert np.allclose(np.concatenate([scores for _, scores in pieces], axis=2), outputs, atol=1e-5)
