"""One program that reads expressions, in its own process: python benchmarks/peers.py NAME

Prints "ready", or why it can't start. Then answers each file name on standard input with the
expression of the largest face (null without one) and the processor time in seconds, as JSON, and at
the end with its peak memory in MB. It runs with the Python that has that program.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[str], str | None]

# How others name the seven.
NAMES = {
    "anger": "angry",
    "happiness": "happy",
    "happines": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


def mien() -> Read:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from recognition.engine.detectors import open_detector
    from recognition.engine.lines import open_classifier
    from recognition.engine.pipeline import analyze_photo

    detector, classifier = open_detector(), open_classifier()

    def read(name: str) -> str | None:
        faces = analyze_photo(Path(name), detector, classifier).faces
        return faces[0].prediction.emotion if faces else None

    return read


def fer() -> Read:
    import cv2
    from fer.fer import FER

    reader = FER(mtcnn=False)

    def read(name: str) -> str | None:
        faces = reader.detect_emotions(cv2.imread(name))
        return largest(faces, lambda face: face["box"][2] * face["box"][3], "emotions")

    return read


def deepface() -> Read:
    from deepface import DeepFace

    def read(name: str) -> str | None:
        try:
            faces = DeepFace.analyze(name, actions=("emotion",), silent=True)
        except ValueError:  # no face
            return None
        return largest(faces, lambda face: face["region"]["w"] * face["region"]["h"], "emotion")

    DeepFace.build_model("Emotion", task="facial_attribute")
    return read


def pyfeat() -> Read:
    from feat import Detector

    detector = Detector(device="cpu")

    def read(name: str) -> str | None:
        found = detector.detect(name, data_type="image", progress_bar=False)
        found = found.dropna(subset=["FaceRectWidth"])
        if found.empty:
            return None
        sizes = found["FaceRectWidth"] * found["FaceRectHeight"]
        return str(found.emotions.loc[sizes.idxmax()].idxmax())

    return read


def libreface() -> Read:
    from libreface import get_facial_attributes_image

    def read(name: str) -> str | None:
        try:
            return str(get_facial_attributes_image(name)["facial_expression"])
        except Exception:  # it raises what its steps raise where no face is found
            return None

    return read


def emotiefflib() -> Read:
    """It reads faces that others have cut out: here OpenCV's cascade, as fer does."""
    import cv2
    from emotiefflib.facial_analysis import EmotiEffLibRecognizer

    reader = EmotiEffLibRecognizer(engine="onnx", model_name="enet_b0_8_best_vgaf", device="cpu")
    folder = Path(cv2.data.haarcascades)
    cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))

    def read(name: str) -> str | None:
        rgb = cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB)
        boxes = cascade.detectMultiScale(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 1.1, 5)
        if not len(boxes):
            return None
        x, y, width, height = max(boxes, key=lambda box: box[2] * box[3])
        labels, _scores = reader.predict_emotions(rgb[y : y + height, x : x + width])
        return str(labels[0])

    return read


def largest(faces: list[Any], size: Callable[[Any], float], field: str) -> str | None:
    """The most probable expression of the largest face; `field` holds its probabilities."""
    if not faces:
        return None
    probabilities = max(faces, key=size)[field]
    return str(max(probabilities, key=probabilities.get))


PROGRAMS: dict[str, Callable[[], Read]] = {
    "mien": mien,
    "fer": fer,
    "deepface": deepface,
    "py-feat": pyfeat,
    "libreface": libreface,
    "emotiefflib": emotiefflib,
}


def main(name: str) -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keep what libraries print out of the answers
    try:
        read = PROGRAMS[name]()
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split())[:200], file=replies, flush=True)
        return
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        started = time.process_time()
        said = read(line.strip())
        seconds = time.process_time() - started
        emotion = NAMES.get(said.lower(), said.lower()) if said else None
        print(json.dumps([emotion, seconds]), file=replies, flush=True)
    unit = 1024**2 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps(round(peak)), file=replies, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
