"""Trains the small network that tells covered faces: a mask, a scarf, sunglasses, a hand.

    python -m training.core.covered --data fer2013.csv.gz

FER2013's training faces, framed as the engine does, get covers drawn where a face has its eyes and
its mouth; half of them stay as they are. Writes recognition/engine/weights/covered.onnx and prints
the share of covered and of plain validation faces that it tells rightly.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import onnx
from keras import layers
from numpy.typing import NDArray

from recognition.engine.align import SIDE, TEMPLATE
from recognition.engine.covers import COVERED, CoverNetwork
from recognition.engine.sessions import WEIGHTS

from .architectures import Standardize
from .augment import augment, frame
from .data.datasets import load
from .data.faces import AS_IT_IS, split_off
from .export import OPSET

Pixels = NDArray[np.uint8]
Random = np.random.Generator

_EYES, _MOUTH = TEMPLATE[:2].mean(axis=0), TEMPLATE[3:].mean(axis=0)
_ACROSS, _DOWN = TEMPLATE[1, 0] - TEMPLATE[0, 0], _MOUTH[1] - _EYES[1]
_FINE = 4
"""Covers are drawn at this multiple of the face's size and averaged, for smooth edges."""


def build() -> keras.Model:
    """Faces float32 [n, 48, 48, 1], 0 to 255, to the probability [n, 1] that one is covered."""
    inputs = keras.Input((SIDE, SIDE, 1), name="faces")
    values = Standardize()(inputs)
    for filters in (16, 24, 32, 48):
        values = layers.Conv2D(filters, 3, 2, "same", use_bias=False)(values)
        values = layers.BatchNormalization()(values)
        values = layers.Activation("relu")(values)
    values = layers.Conv2D(48, 3, padding="same", activation="relu")(values)
    values = layers.GlobalAveragePooling2D()(layers.Dropout(0.2)(values))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="covered")(values))


def cover(face: Pixels, others: Pixels, random: Random) -> Pixels:
    """A gray face [48, 48] behind something; `others` [n, 48, 48] lend their texture."""
    draw = _COVERS[random.choice(len(_COVERS), p=_SHARES)]
    mask = np.zeros((SIDE * _FINE, SIDE * _FINE), np.uint8)
    draw(mask, random)
    alpha = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., None] / 255
    stuff = _dark(random) if draw is _sunglasses else _stuff(face, others, random)
    mixed = face[..., None] * (1 - alpha) + stuff[..., None] * alpha
    return np.asarray(mixed[..., 0].clip(0, 255), np.uint8)


def decoy(face: Pixels, random: Random) -> Pixels:
    """A plain face with what covers nothing: the frames of glasses, or a thing at its edge."""
    drawn = cv2.resize(face, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_LINEAR)
    tone = int(random.integers(0, 120))
    if random.random() < 0.5:
        radius = float(random.uniform(0.3, 0.42)) * _ACROSS
        for eye in TEMPLATE[:2]:
            axes = _at(radius * random.uniform(1, 1.2), radius * random.uniform(0.8, 1))
            cv2.ellipse(drawn, _at(*eye), axes, 0, 0, 360, tone, int(random.integers(2, 6)))
    else:
        edge = int(random.integers(0, 7 * _FINE))
        np.rot90(drawn, int(random.integers(4)))[:edge] = tone
    return np.asarray(cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _at(x: float, y: float) -> tuple[int, int]:
    return round(float(x) * _FINE), round(float(y) * _FINE)


def _fill(mask: Pixels, points: list[tuple[float, float]], random: Random) -> None:
    """A polygon, its corners in eye distances right and eye-to-mouth distances below the eyes."""
    shaken = np.array(points) + random.normal(0, 0.05, (len(points), 2))
    places = _EYES + shaken * [_ACROSS, _DOWN]
    cv2.fillPoly(mask, [np.array([_at(*place) for place in places])], 255)


def _mask(mask: Pixels, random: Random) -> None:
    top = float(random.uniform(0.25, 0.6))
    sides = [(-1.1, top + 0.1), (-0.4, top + 0.05), (0.0, top - 0.1), (0.4, top + 0.05)]
    chin = float(random.uniform(1.5, 1.9))
    bottom = [(1.1, top + 0.1), (1.0, 1.1), (0.6, chin), (0.0, chin + 0.15), (-0.6, chin)]
    _fill(mask, [*sides, *bottom, (-1.0, 1.1)], random)


def _scarf(mask: Pixels, random: Random) -> None:
    top = float(random.uniform(0.35, 0.7))
    _fill(mask, [(-2, top), (0, top - 0.05), (2, top), (2, 3), (-2, 3)], random)


def _sunglasses(mask: Pixels, random: Random) -> None:
    glass = np.array([random.uniform(0.36, 0.52), random.uniform(0.26, 0.45)]) * _ACROSS
    left, right = TEMPLATE[:2] + np.array([0, random.uniform(-0.03, 0.12) * _DOWN])
    for middle in (left, right):
        if random.random() < 0.5:
            cv2.ellipse(mask, _at(*middle), _at(*glass), 0, 0, 360, 255, -1)
        else:
            cv2.rectangle(mask, _at(*(middle - glass)), _at(*(middle + glass)), 255, -1)
    beside = np.array([1.6 * glass[0], 0])
    cv2.line(mask, _at(*(left - beside)), _at(*(right + beside)), 255, _FINE)


def _hand(mask: Pixels, random: Random) -> None:
    over = [(0.0, 1.0), (-0.5, 0.1), (0.5, 0.1), (-0.4, 0.9), (0.4, 0.9)][random.integers(5)]
    place = _EYES + np.array(over) * [_ACROSS, _DOWN]
    angle = float(random.uniform(0, np.pi))
    along, beside = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    width = float(random.uniform(3, 5.5))
    for finger in range(int(random.integers(3, 6))):
        middle = place + beside * (finger - 1.5) * width * 1.05
        half = along * float(random.uniform(9, 17))
        cv2.line(mask, _at(*(middle - half)), _at(*(middle + half)), 255, round(width * _FINE))


def _thing(mask: Pixels, random: Random) -> None:
    over = _EYES + np.array([random.uniform(-0.5, 0.5), random.uniform(0, 1.1)]) * [_ACROSS, _DOWN]
    axes = _at(random.uniform(0.5, 0.9) * _ACROSS, random.uniform(0.5, 0.9) * _ACROSS)
    cv2.ellipse(mask, _at(*over), axes, float(random.uniform(0, 180)), 0, 360, 255, -1)


_COVERS: list[Callable[[Pixels, Random], None]] = [_mask, _scarf, _sunglasses, _hand, _thing]
_SHARES = [0.35, 0.15, 0.2, 0.2, 0.1]


def _dark(random: Random) -> NDArray[np.float32]:
    shade = np.linspace(0, float(random.uniform(0, 50)), SIDE)[:, None]
    return np.asarray(float(random.uniform(0, 55)) + shade + np.zeros((1, SIDE)), np.float32)


def _stuff(face: Pixels, others: Pixels, random: Random) -> NDArray[np.float32]:
    """Cloth, skin or any surface: a tone with a slope, folds, and a texture."""
    kind = random.integers(3)
    level = float(np.median(face[20:30, 14:34])) if kind == 0 else float(random.uniform(10, 245))
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    surface = level + random.normal(0, 14) * x + random.normal(0, 14) * y
    waves = random.uniform(0, 14) * np.sin(y * random.uniform(6, 25) + x * random.uniform(-4, 4))
    surface = surface + (waves if random.random() < 0.6 else 0)
    if kind == 2:
        texture = others[random.integers(len(others))].astype(np.float32)
        zoom = cv2.resize(texture, None, fx=3, fy=3)[SIDE : 2 * SIDE, SIDE : 2 * SIDE]
        surface = surface + random.uniform(0.1, 0.6) * (zoom - zoom.mean())
    return np.asarray(surface + random.normal(0, random.uniform(0, 5), surface.shape), np.float32)


class Batches(keras.utils.PyDataset):
    """Faces, half of them covered, all varied as in trainings of the classifier."""

    def __init__(self, faces: Pixels, size: int = 128) -> None:
        super().__init__()
        self.faces, self.size, self.epoch = faces, size, 0

    def __len__(self) -> int:
        return len(self.faces) // self.size

    def on_epoch_end(self) -> None:
        self.epoch += 1

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        random = np.random.default_rng((7, self.epoch, number))
        return make_batch(self.faces, self.size, random)


def make_batch(faces: Pixels, size: int, random: Random, strength: float = 0.7) -> tuple[Any, Any]:
    """Faces float32 [size, 48, 48, 1] and 1 for covered ones, float32 [size, 1]."""
    rows = random.choice(len(faces), size, replace=False)
    covered = random.random(size) < 0.5
    made = [
        cover(face, faces, random)
        if hidden
        else decoy(face, random)
        if random.random() < 0.3
        else face
        for face, hidden in zip(faces[rows], covered, strict=True)
    ]
    # Without erasing, which would be a cover.
    varied = augment(np.stack(made), random, strength, erase=False)
    return varied[..., None].astype(np.float32), covered[:, None].astype(np.float32)


def write(model: keras.Model, path: Path) -> None:
    """The network as ONNX: "faces" as the classifier's, "covered" float32 [n, 1]."""
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "covered.onnx"
        model.export(
            str(exported),
            format="onnx",
            verbose=False,
            input_signature=[keras.InputSpec("float32", (None, SIDE, SIDE, 1), name="faces")],
            opset_version=OPSET,
        )
        network = onnx.load(str(exported))
    last = network.graph.output[0].name
    for node in network.graph.node:
        node.output[:] = ["covered" if name == last else name for name in node.output]
    network.graph.output[0].name = "covered"
    onnx.checker.check_model(network)
    onnx.save(network, str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("var/cache/datasets"))
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=Path, default=WEIGHTS / "covered.onnx")
    options = parser.parse_args()
    data = load(options.data, options.cache, framings=True)
    training, validation = split_off(data, data.rows("Training"), 0.05, 7)

    def framed(rows: NDArray[np.int64]) -> Pixels:
        rows = rows[data.is_face[rows]]
        framings = data.framings_of(rows)
        found = (framings != AS_IT_IS).any(axis=(1, 2))
        return frame(data.images[rows[found]], framings[found])

    keras.utils.set_random_seed(7)
    model, faces, held_out = build(), framed(training), framed(validation)
    steps = options.epochs * (len(faces) // 128)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(keras.optimizers.AdamW(rate), "binary_crossentropy", metrics=["accuracy"])
    model.fit(Batches(faces), epochs=options.epochs, verbose=2)
    write(model, options.output)
    network = CoverNetwork(options.output)
    images, labels = make_batch(held_out, len(held_out), np.random.default_rng(8), 0.3)
    told = network.predict(images[..., 0].astype(np.uint8)) >= COVERED
    for name, label in (("covered", 1), ("plain", 0)):
        chosen = labels[:, 0] == label
        print(
            f"{name}: {100 * (told[chosen] == label).mean():.1f} % of {chosen.sum()} told rightly"
        )


if __name__ == "__main__":
    main()
