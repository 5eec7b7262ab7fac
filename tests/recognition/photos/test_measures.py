"""What a photo's faces do, from the worker to the API, and only for their owner."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from recognition import face_states, networks
from recognition.engine.media import encode_jpeg
from recognition.photos import tasks as photo_tasks
from tests.recognition.engine.test_detectors import masked
from tests.recognition.uploads import submit

pytestmark = pytest.mark.django_db


def run(user, rgb: np.ndarray, **options):
    analysis = submit(user, encode_jpeg(rgb, 92), "a.jpg", **options)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.fixture
def fresh():
    """Networks that are opened with the test's settings."""
    caches = (networks.photo_detector, networks.examiner)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_a_face_tells_its_pose_eyes_mouth_and_gaze(user):
    face = run(user, skimage.data.astronaut()).faces.get()

    measures = face_states.describe_face(face)["measures"]
    assert abs(measures["yaw"]) < 10
    assert measures["eye_left"] > 0.35
    assert measures["mouth_corners"] > 0.65  # she smiles
    assert measures["gaze_x"] is not None
    assert face.covered < 0.5


def test_a_masked_face_is_found_and_marked_as_partly_covered(user):
    face = run(user, masked(skimage.data.astronaut())).faces.get()

    assert "partly_covered" in face_states.describe_face(face)["quality"]


def test_the_mesh_of_each_face_is_in_pixels_of_the_photo(user, signed_in):
    large = np.asarray(Image.fromarray(skimage.data.astronaut()).resize((2048, 2048)))
    analysis = run(user, large)

    (mesh,) = signed_in.get(f"/api/v1/analyses/{analysis.pk}/mesh/").json()["meshes"]

    face = analysis.faces.get()
    assert mesh["face"] == face.pk
    assert (len(mesh["points"]), len(mesh["irises"])) == (468, 10)
    assert mesh["points"][4] == pytest.approx(face.landmarks["nose"], abs=25)


def test_another_person_sees_no_mesh(user, client, django_user_model):
    analysis = run(user, skimage.data.astronaut())
    client.force_login(django_user_model.objects.create_user("other", password="x"))

    assert client.get(f"/api/v1/analyses/{analysis.pk}/mesh/").status_code == 404


def test_the_mesh_can_be_turned_off(user, settings, fresh):
    settings.MESH = "off"

    face = run(user, skimage.data.astronaut()).faces.get()

    assert (face.measures, face.mesh) == (None, None)
    assert face.covered is not None


def test_the_mesh_can_be_left_to_large_faces(user, settings, fresh):
    settings.MESH = "300"

    assert run(user, skimage.data.astronaut()).faces.get().measures is None


def test_gaze_can_be_turned_off(user, settings, fresh):
    settings.GAZE = "off"

    assert run(user, skimage.data.astronaut()).faces.get().measures[-2:] == [None, None]


def test_a_photo_from_before_the_measures_says_nothing_of_them(user, signed_in):
    analysis = run(user, skimage.data.astronaut())
    analysis.faces.update(measures=None, covered=None, mesh=None)

    (face,) = signed_in.get(f"/api/v1/analyses/{analysis.pk}/").json()["faces"]

    assert (face["measures"], face["covered"]) == (None, None)
    assert signed_in.get(f"/api/v1/analyses/{analysis.pk}/mesh/").json() == {"meshes": []}
