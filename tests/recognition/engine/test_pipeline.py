"""A photo becomes faces with expressions, in pixels of the upright original."""

from io import BytesIO

import numpy as np
import pytest
import skimage.data
from PIL import ExifTags, Image

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.emotions import EMOTIONS
from recognition.engine.errors import MediaError
from recognition.engine.pipeline import analyze_frame, analyze_image, analyze_photo
from recognition.engine.types import BoundingBox, ImageAnalysis, Prediction


@pytest.fixture(scope="module")
def classifier() -> EmotionClassifier:
    return EmotionClassifier()


def jpeg(rgb: np.ndarray, size: tuple[int, int] | None = None, orientation: int = 1) -> bytes:
    image = Image.fromarray(rgb)
    if size:
        image = image.resize(size)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = BytesIO()
    image.save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def box_of(analysis: ImageAnalysis) -> list[float]:
    (face,) = analysis.faces
    box = face.detection.box
    return [box.x, box.y, box.width, box.height]


def test_an_image_gives_faces_with_probabilities(detector, classifier, portrait):
    analysis = analyze_image(portrait, detector, classifier)
    assert (analysis.width, analysis.height) == (512, 512)
    (face,) = analysis.faces
    assert len(face.prediction.probabilities) == len(EMOTIONS)
    assert sum(face.prediction.probabilities) == pytest.approx(1, abs=1e-5)
    assert set(analysis.milliseconds) == {"decode", "detect", "classify", "measure"}


def test_a_photo_without_a_face_is_a_normal_result(detector, classifier):
    analysis = analyze_photo(jpeg(skimage.data.coffee()), detector, classifier)
    assert analysis.faces == ()
    assert (analysis.width, analysis.height) == (600, 400)


def test_a_large_photo_is_answered_in_its_own_pixels(detector, classifier, portrait):
    small = analyze_photo(jpeg(portrait), detector, classifier)
    large = analyze_photo(jpeg(portrait, (4096, 4096)), detector, classifier)
    assert (large.width, large.height) == (4096, 4096)
    assert np.allclose(np.divide(box_of(large), 8), box_of(small), atol=4)
    nose = large.faces[0].detection.landmarks.nose
    assert np.allclose(np.divide(nose, 8), small.faces[0].detection.landmarks.nose, atol=2)


def test_a_photo_that_needs_turning_is_answered_upright(detector, classifier, portrait):
    lying = jpeg(np.rot90(portrait), orientation=6)
    upright = analyze_photo(jpeg(portrait), detector, classifier)
    assert np.allclose(box_of(analyze_photo(lying, detector, classifier)), box_of(upright), atol=3)


def test_a_face_on_its_side_is_read_like_the_upright_one(detector, classifier, portrait):
    upright = analyze_image(portrait, detector, classifier)
    turned = analyze_image(np.ascontiguousarray(np.rot90(portrait)), detector, classifier)
    (expected,), (face,) = upright.faces, turned.faces
    assert np.allclose(face.prediction.probabilities, expected.prediction.probabilities, atol=0.1)


def test_a_bad_photo_raises(detector, classifier):
    with pytest.raises(MediaError):
        analyze_photo(b"no photo", detector, classifier)


def test_a_frame_without_hints_is_searched(detector, classifier, portrait):
    frame, image = (
        analyze(portrait, detector, classifier) for analyze in (analyze_frame, analyze_image)
    )
    assert frame.faces == image.faces
    assert set(frame.milliseconds) == {"decode", "detect", "classify", "measure"}


def test_a_frame_with_hints_is_read_like_a_searched_one(detector, classifier, portrait):
    searched = analyze_frame(portrait, detector, classifier)
    hints = [face.detection.box for face in searched.faces]
    followed = analyze_frame(portrait, detector, classifier, hints)
    assert np.allclose(box_of(followed), box_of(searched), atol=4)
    (expected,), (face,) = searched.faces, followed.faces
    assert np.allclose(face.prediction.probabilities, expected.prediction.probabilities, atol=0.1)


def test_as_long_as_all_are_there_no_other_is_looked_for(detector, classifier, portrait):
    pair = np.hstack([portrait, portrait])
    first = detector.detect(portrait)[0].box
    assert len(analyze_frame(pair, detector, classifier, [first]).faces) == 1


def test_if_a_face_is_lost_the_whole_frame_is_searched(detector, classifier, portrait):
    pair = np.hstack([portrait, portrait])
    first = detector.detect(portrait)[0].box
    nowhere = BoundingBox(420, 380, first.width, first.height)
    assert len(analyze_frame(pair, detector, classifier, [first, nowhere]).faces) == 2


def test_a_frame_that_everyone_has_left_is_a_normal_result(detector, classifier, portrait):
    hints = [detector.detect(portrait)[0].box]
    assert analyze_frame(skimage.data.coffee(), detector, classifier, hints).faces == ()


def test_a_prediction_names_its_top():
    prediction = Prediction((0.1, 0.1, 0.05, 0.5, 0.1, 0.1, 0.05))
    assert prediction.emotion == "happy"
    assert prediction.probability == 0.5


def crop_of(portrait, detector, side: int) -> np.ndarray:
    """The portrait's face alone, framed like FER2013's, in a small picture."""
    (found,) = detector.detect(portrait)
    x, y = round(found.box.x + 0.1 * found.box.width), round(found.box.y + 0.1 * found.box.height)
    width, height = round(0.8 * found.box.width), round(0.8 * found.box.height)
    face = Image.fromarray(portrait[y : y + height, x : x + width])
    return np.asarray(face.convert("L").convert("RGB").resize((side, side)))


def test_a_small_crop_without_a_detected_face_is_read_whole(detector, classifier, portrait):
    (face,) = analyze_image(crop_of(portrait, detector, 48), detector, classifier).faces
    assert face.whole_picture
    assert box_of(analyze_image(crop_of(portrait, detector, 48), detector, classifier)) == [
        *(0, 0, 48, 48)
    ]
    assert face.detection.score == 0
    assert face.prediction.emotion == "happy"


def test_crops_are_not_read_whole_if_only_detected_faces_are_wanted(detector, classifier, portrait):
    crop = crop_of(portrait, detector, 48)
    assert analyze_image(crop, detector, classifier, "detect").faces == ()


def test_any_picture_is_read_whole_on_request(detector, classifier):
    (face,) = analyze_image(skimage.data.coffee(), detector, classifier, "whole").faces
    assert (face.whole_picture, face.detection.box.width) == (True, 600)


@pytest.mark.parametrize(
    "picture",
    [
        skimage.data.coffee(),
        skimage.data.rocket(),
        np.full((200, 200, 3), 128, np.uint8),
        np.asarray(Image.fromarray(skimage.data.coffee()).resize((320, 120))),
        np.asarray(Image.fromarray(skimage.data.coffee()).resize((330, 330))),
    ],
    ids=["photo", "landscape", "flat", "wide", "over 320 pixels"],
)
def test_no_other_picture_gains_a_face(detector, classifier, picture):
    assert analyze_image(picture, detector, classifier).faces == ()


def test_high_detail_finds_small_faces_in_a_large_photo(detector, classifier, portrait):
    panorama = np.full((1500, 5000, 3), 120, np.uint8)
    small = np.asarray(Image.fromarray(portrait).resize((230, 230)))
    for x in (200, 2400, 4600):
        panorama[600:830, x : x + 230] = small
    photo = jpeg(panorama)
    assert analyze_photo(photo, detector, classifier).faces == ()
    found = analyze_photo(photo, detector, classifier, detail="high")
    assert (found.width, found.height) == (5000, 1500)
    centers = sorted(face.detection.box.x for face in found.faces)
    assert centers == pytest.approx([200 + 80, 2400 + 80, 4600 + 80], abs=30)
