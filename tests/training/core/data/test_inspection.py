"""The report about a data set names all that is wrong with it."""

import gzip
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.training.drawing import draw_faces, write_csv
from training.core.data.inspection import MOST_PROBLEMS, draw_samples, encode_jpeg, inspect


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def zip_of(path, members: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


def test_it_counts_classes_and_splits(tmp_path):
    report, faces = inspect(write_csv(tmp_path / "faces.csv.gz", count=28), None, tmp_path)

    assert report.faces == len(faces) == 28
    assert {split: sum(counts.values()) for split, counts in report.counts.items()} == {
        "Training": 21,
        "PublicTest": 7,
    }
    assert report.sizes == {"48x48": 28}
    assert list(report.sources) == ["faces.csv.gz"]


def test_it_lists_every_malformed_row_with_its_line(tmp_path):
    path = write_csv(tmp_path / "faces.csv")
    lines = path.read_text().splitlines()
    lines[3] = "9" + lines[3][1:]
    lines[7] = "1,1 2 3,Training"
    path.write_text("\n".join(lines))
    report, faces = inspect(path, None, tmp_path)

    assert faces is None
    assert (report.problem_count, report.faces) == (2, 12)
    assert report.problems[0].startswith("faces.csv, line 4: the emotion is")
    assert report.problems[1] == "faces.csv, line 8: 3 pixels instead of 2304 (48 x 48)."


def test_it_counts_the_problems_beyond_the_first_hundred(tmp_path):
    path = tmp_path / "faces.csv"
    path.write_text("emotion,pixels\n" + "7,1\n" * 130)
    report, _faces = inspect(path, None, tmp_path)

    assert (len(report.problems), report.problem_count) == (MOST_PROBLEMS, 130)


def test_it_finds_faces_that_two_splits_share(tmp_path):
    face = png(draw_faces(1)[0][0])
    data = zip_of(tmp_path / "faces.zip", {"train/angry/1.png": face, "test/angry/2.png": face})
    report, _faces = inspect(data, None, tmp_path)

    assert report.duplicates == 1
    assert report.across_splits == {"Training/PublicTest": 2}


def test_it_reads_the_sizes_of_images(tmp_path):
    large = np.zeros((60, 90), np.uint8)
    data = zip_of(
        tmp_path / "faces.zip",
        {"happy/1.png": png(draw_faces(1)[0][0]), "sad/1.png": png(large)},
    )
    report, _faces = inspect(data, None, tmp_path)

    assert report.sizes == {"48x48": 1, "90x60": 1}


def test_it_lists_files_that_are_no_images(tmp_path):
    data = zip_of(tmp_path / "faces.zip", {"happy/1.png": b"no", "somewhere/2.png": b"no"})
    report, faces = inspect(data, None, tmp_path)

    assert faces is None
    assert report.problems == [
        "faces.zip: happy/1.png can't be read as an image.",
        "Some folders are named after other classes: somewhere (1) images. Leave them out, or "
        "rename the folders to angry, disgust, fear, happy, sad, surprise, neutral.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("happy/bomb.png", bytes(5_000_000), "packed more tightly than an image can be"),
        ("happy/large.png", bytes(9_000_000), "too large when unpacked"),
        ("../happy/1.png", b"", "points outside the archive"),
        (link("happy/1.png"), b"/etc/passwd", "is a link"),
    ],
)
def test_it_refuses_archives_that_break_a_rule(tmp_path, name, content, reason):
    report, faces = inspect(zip_of(tmp_path / "faces.zip", {name: content}), None, tmp_path)

    assert faces is None
    assert reason in report.problems[0]


def test_an_image_that_claims_too_many_pixels_is_not_decoded(tmp_path):
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    report, _faces = inspect(
        zip_of(tmp_path / "faces.zip", {"happy/1.png": file.getvalue()}), None, tmp_path
    )

    assert report.problem_count == 1


def test_a_packed_file_without_an_end_is_refused(tmp_path):
    path = tmp_path / "faces.csv.gz"
    path.write_bytes(gzip.compress(bytes(3_000_000)))
    report, _faces = inspect(path, None, tmp_path)

    assert "not a table of faces" in report.problems[0]


def test_the_samples_have_a_row_for_each_class(tmp_path):
    _report, faces = inspect(write_csv(tmp_path / "faces.csv", count=28), None, tmp_path)
    picture = draw_samples(faces)

    assert picture.shape == (7 * 48, 12 * 48)
    assert np.array_equal(picture[:48, :48], faces.images[0])
    assert encode_jpeg(picture)[:2] == b"\xff\xd8"
