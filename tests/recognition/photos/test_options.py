"""Formats of laboratories, crops, large photos and broken ones, from upload to result."""

import io
import json

import numpy as np
import pytest
import skimage.data
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from recognition import face_states
from recognition.engine.media import decode_photo
from recognition.models import Analysis, ModelVersion
from recognition.photos import annotation, corrections, submissions
from recognition.photos import tasks as photo_tasks
from tests.recognition.uploads import submit, upload_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/analyses/"
PORTRAIT = Image.fromarray(skimage.data.astronaut())


def saved(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def run(analysis: Analysis) -> Analysis:
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


def crop() -> bytes:
    """A face alone, as small as those of FER2013."""
    return saved(PORTRAIT.crop((187, 76, 256, 164)).convert("L").resize((48, 48)), "PNG")


@pytest.mark.parametrize(
    ("name", "format", "mode", "options"),
    [
        ("a.tiff", "TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("a.tif", "TIFF", "CMYK", {}),
        ("a.pgm", "PPM", "L", {}),
        ("a.jp2", "JPEG2000", "RGB", {}),
    ],
)
def test_formats_of_laboratories_are_read(user, name, format, mode, options):
    analysis = run(submit(user, saved(PORTRAIT.convert(mode), format, **options), name))
    assert (analysis.status, analysis.face_count, analysis.notices) == ("succeeded", 1, [])
    assert Image.open(analysis.photo).format == "JPEG"


def test_the_first_of_several_pages_is_read_with_a_notice(user):
    blank = Image.new("RGB", (200, 200), "gray")
    tiff = saved(blank, "TIFF", save_all=True, append_images=[PORTRAIT])
    analysis = run(submit(user, tiff, "two.tif"))
    assert (analysis.width, analysis.face_count) == (200, 0)
    (notice,) = analysis.notices
    assert notice["code"] == "first_page_only"
    assert "2 pages" in notice["message"]


def test_a_face_crop_is_read_whole_and_says_so(user):
    analysis = run(submit(user, crop(), "crop.png", detector="fast"))
    face = analysis.faces.get()
    assert (face.x, face.y, face.width, face.height) == (0, 0, 48, 48)
    assert "whole_picture" in face_states.describe_face(face)["quality"]


def test_the_quality_of_a_detected_face_says_nothing_of_the_whole_picture(user, astronaut):
    face = run(submit(user, astronaut)).faces.get()
    assert face_states.describe_face(face)["quality"] == []


def test_the_api_takes_options_as_form_fields(signed_in):
    photo = SimpleUploadedFile("crop.png", crop())
    options = {"faces": "detect", "detail": "high", "detector": "fast"}
    response = signed_in.post(URL, {"photos": photo, **options})
    (state,) = response.json()["analyses"]
    assert [state[name] for name in ("face_mode", "detail", "detector")] == [*options.values()]
    assert run(Analysis.objects.get()).face_count == 0


def test_a_small_face_is_found_by_the_balanced_detector_and_not_by_the_fast_one(signed_in):
    small = saved(PORTRAIT.resize((140, 140)), "PNG")  # its face has 23 by 29 pixels
    for detector, count in (("balanced", 1), ("fast", 0)):
        photo = SimpleUploadedFile("small.png", small)
        signed_in.post(URL, {"photos": photo, "faces": "detect", "detector": detector})
        assert run(Analysis.objects.latest("created_at")).face_count == count


def test_without_a_wish_the_detector_is_the_one_of_the_site(signed_in, coffee, settings):
    settings.DETECTOR = "thorough"
    response = signed_in.post(URL, {"photos": SimpleUploadedFile("a.jpg", coffee)})
    assert response.json()["analyses"][0]["detector"] == "thorough"


def test_the_api_takes_options_beside_a_raw_body(signed_in, coffee):
    response = signed_in.post(f"{URL}?faces=whole", coffee, content_type="image/jpeg")
    assert response.status_code == 202
    assert run(Analysis.objects.get()).face_count == 1


def test_an_option_that_does_not_exist_is_named(signed_in, coffee):
    response = signed_in.post(URL, {"photos": SimpleUploadedFile("a.jpg", coffee), "faces": "all"})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == ("faces", "invalid_choice")
    assert not Analysis.objects.exists()


def test_the_same_photo_with_other_options_is_another_request(signed_in, coffee):
    for faces, status in (("auto", 202), ("whole", 409), ("auto", 202)):
        photo = SimpleUploadedFile("a.jpg", coffee)
        response = signed_in.post(
            URL, {"photos": photo, "faces": faces}, headers={"Idempotency-Key": "one"}
        )
        assert response.status_code == status
    assert Analysis.objects.count() == 1


def test_a_photo_that_lacks_its_end_is_read_with_a_notice(user, astronaut):
    analysis = run(submit(user, astronaut[: int(len(astronaut) * 0.97)]))
    assert (analysis.status, analysis.face_count) == ("succeeded", 1)
    assert [notice["code"] for notice in analysis.notices] == ["incomplete_photo"]


@pytest.fixture
def large(user, settings) -> Analysis:
    """An analysis of a photo that is stored at a quarter of its size."""
    settings.STORED_SIDE = 512
    return run(submit(user, saved(PORTRAIT.resize((2048, 2048)), "JPEG")))


def test_a_large_photo_is_stored_smaller_but_its_boxes_are_in_original_pixels(large):
    assert (large.width, large.height) == (2048, 2048)
    assert max(Image.open(large.photo).size) == 512
    face = large.faces.get()
    assert 4 * 150 < face.x < 4 * 220
    assert 4 * 50 < face.width < 4 * 120


def test_a_photo_stored_smaller_is_annotated_in_the_right_place(large):
    face = large.faces.get()
    with large.photo.open() as file:
        plain = np.asarray(Image.open(file)).astype(int)
    picture = np.asarray(Image.open(io.BytesIO(annotation.annotate(large)))).astype(int)
    changed = np.abs(picture - plain).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert columns.min() == pytest.approx(face.x / 4, abs=4)
    assert rows.max() == pytest.approx((face.y + face.height) / 4, abs=4)


def test_faces_of_a_photo_stored_smaller_are_aligned_in_the_right_place(large, user, settings):
    corrections.correct(large.faces.get(), "sad")
    ((_face, small),) = corrections.aligned(corrections.labeled(user))
    settings.STORED_SIDE = 4096
    whole = run(submit(user, saved(PORTRAIT, "PNG"), "whole.png"))
    corrections.correct(whole.faces.get(), "sad")
    *_others, (_face, full) = corrections.aligned(corrections.labeled(user).filter(analysis=whole))
    assert np.abs(small.astype(int) - full).mean() < 20


def test_analyzed_again_a_photo_stored_smaller_keeps_its_pixels(large):
    before = large.faces.get()
    again = run(submissions.rerun(large, ModelVersion.objects.get()))
    after = again.faces.get()
    assert (again.width, again.height) == (2048, 2048)
    assert after.x == pytest.approx(before.x, abs=0.1 * before.width)
    assert after.width == pytest.approx(before.width, rel=0.15)


def test_options_are_kept_when_it_is_analyzed_again(user, coffee):
    upload = upload_of(coffee)
    analysis = submissions.submit_image(user, upload, face_mode="whole", detail="high")
    again = submissions.rerun(run(analysis), ModelVersion.objects.get())
    assert (again.face_mode, again.detail) == ("whole", "high")


def test_the_upload_page_offers_the_camera_of_a_phone(signed_in):
    page = signed_in.get("/").content.decode()
    assert 'capture="user"' in page
    assert ".tiff" in page


def test_a_photo_for_a_comparison_is_not_decoded_by_rare_decoders(admin_client):
    photo = SimpleUploadedFile("a.tif", saved(PORTRAIT, "TIFF"))
    response = admin_client.post("/models/compare/photo/?versions=1,2", {"photo": photo})
    assert response.status_code == 400
    assert json.loads(response.content)["code"] == "not_an_image"
    assert decode_photo(saved(PORTRAIT, "TIFF"))[0].shape == (512, 512, 3)
