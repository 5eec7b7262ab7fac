"""Imports of folders and zips: what is taken, what is refused, and that nothing comes twice."""

import csv
import io
import os
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.test import Client

from recognition.api import keys
from recognition.imports import contents, imports
from recognition.imports.sources import SourceError
from recognition.jobs import work
from recognition.models import Analysis, ImportedFile, MediaImport
from recognition.photos import tasks as photo_tasks
from tests.processes import wait_until
from tests.recognition.imports.conftest import counts
from tests.recognition.uploads import picture

Status = MediaImport.Status


def test_a_folder_is_imported(user, folder, run):
    options = {"tags": ["study"], "detector": "fast", "keep": "numbers"}
    job = run(imports.request(None, user, "study", options))
    assert (job.status, counts(job)) == (Status.SUCCEEDED, (6, 3, 1, 2))
    found = Analysis.objects.filter(owner=user)
    assert sorted(found.values_list("title", flat=True)) == ["moving.gif", "one.jpg", "two.png"]
    assert {(a.detector, a.keep, *a.tags) for a in found} == {("fast", "numbers", "study")}
    refused = dict(job.files.exclude(error_code="").values_list("path", "error_code"))
    assert set(refused) == {"empty.jpg", "notes.txt"}
    assert refused["notes.txt"] == "not_an_image"


def test_what_fails_is_reported(user, folder, run):
    broken = picture(64, 48, "PNG")
    (folder / "=broken.png").write_bytes(broken[:60] + b"?" * 40)
    job = run(imports.request(None, user, "study", {}))
    for pk in Analysis.objects.values_list("pk", flat=True):
        photo_tasks.analyze(str(pk))
    found = {path: code for path, code, _message in imports.failures(job)}
    assert set(found) == {"=broken.png", "empty.jpg", "notes.txt"}
    assert all(found.values())
    # The photos that are fine were analyzed all the same.
    assert Analysis.objects.filter(status="succeeded").count() == 3


def test_a_second_import_takes_what_is_new(user, other_user, folder, run):
    run(imports.request(None, user, "study", {}))
    (folder / "new.jpg").write_bytes(picture(80, 48, "JPEG"))
    again = run(imports.request(None, user, "study", {}))
    assert counts(again) == (7, 1, 4, 2)
    # What another person has is none of this one's.
    assert run(imports.request(None, other_user, "study", {})).imported == 4
    # What was deleted since comes back.
    Analysis.objects.get(owner=user, title="new.jpg").delete()
    assert run(imports.request(None, user, "study", {})).imported == 1


def test_a_zip_is_imported(user, folder, run):
    archive = folder.parent / "study.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in ("day 1/one.jpg", "two.png", "notes.txt"):
            file.write(folder / path, f"öffentlich/{path}")
        file.writestr("__MACOSX/öffentlich/._two.png", b"x")
        file.writestr("large.jpg", b" " * (26 << 20), zipfile.ZIP_DEFLATED)
    job = run(imports.request(None, user, "study.zip", {}))
    assert counts(job) == (4, 2, 0, 2)
    assert job.files.get(path="large.jpg").error_code == "file_too_large"
    assert job.files.filter(path="öffentlich/day 1/one.jpg", error_code="").exists()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("../elsewhere", "outside"),
        ("/etc", "outside"),
        ("link", "outside"),
        ("missing", "not_found"),
        ("\0", "outside"),
    ],
)
def test_a_source_elsewhere_is_refused(user, folder, source, code):
    (folder.parent / "link").symlink_to("/etc")
    with pytest.raises(SourceError) as refusal:
        imports.request(None, user, source, {})
    assert refusal.value.code == code
    assert not MediaImport.objects.exists()


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x05\x06" + b"\0" * 18 + b"PK\x03"])
def test_a_file_that_is_no_archive_fails(user, folder, run, content):
    (folder.parent / "odd.zip").write_bytes(content)
    job = run(imports.request(None, user, "odd.zip", {}))
    if job.status == Status.FAILED:
        assert job.error_code in ("not_a_source", "unreadable")
        assert job.error_message
    assert counts(job) == (0, 0, 0, 0)


def test_a_locked_zip_tells_of_each_file(user, folder, run, monkeypatch):
    archive = folder.parent / "locked.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(folder / "two.png", "two.png")
    content = bytearray(archive.read_bytes())
    for at in (6, content.index(b"PK\x01\x02") + 8):  # the flag of a password
        content[at] |= 1
    archive.write_bytes(content)
    job = run(imports.request(None, user, "locked.zip", {}))
    assert (job.status, counts(job)) == (Status.SUCCEEDED, (1, 0, 0, 1))
    assert job.files.get().error_code == "unreadable_file"


def test_a_damaged_file_in_a_zip_is_refused_alone(user, folder, run):
    archive = folder.parent / "study.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(folder / "day 1" / "one.jpg", "one.jpg")
        file.write(folder / "two.png", "two.png")
    content = bytearray(archive.read_bytes())
    content[100] ^= 1  # within one.jpg, whose checksum is wrong now
    archive.write_bytes(content)
    job = run(imports.request(None, user, "study.zip", {}))
    assert (job.status, counts(job)) == (Status.SUCCEEDED, (2, 1, 0, 1))
    assert job.files.get(path="one.jpg").error_code == "unreadable_file"


def test_names_that_are_no_text(user, folder, run):
    name = os.fsencode(str(folder)) + b"/caf\xe9.jpg"
    with open(name, "wb") as file:
        file.write(picture(90, 48, "JPEG"))
    job = run(imports.request(None, user, "study", {}))
    assert job.files.filter(path="caf\N{REPLACEMENT CHARACTER}.jpg", error_code="").exists()


def test_an_import_waits_while_many_photos_wait(user, folder, run, monkeypatch):
    monkeypatch.setattr(imports, "MOST_WAITING", 2)
    waits = []

    def analyze_one(seconds):
        waits.append(seconds)
        pk = Analysis.objects.filter(status="queued").values_list("pk", flat=True).first()
        photo_tasks.analyze(str(pk))

    monkeypatch.setattr(imports.time, "sleep", analyze_one)
    job = run(imports.request(None, user, "study", {}))
    assert (job.status, job.imported) == (Status.SUCCEEDED, 3)
    assert waits


def test_a_canceled_import_stops_and_goes_on(user, folder, run, monkeypatch):
    job = imports.request(None, user, "study", {})
    original = contents.read

    def cancel_and_read(entry, owner):
        work.cancel(MediaImport.objects.get(pk=job.pk))
        return original(entry, owner)

    monkeypatch.setattr(contents, "read", cancel_and_read)
    run(job)
    assert (job.status, job.imported, Analysis.objects.count()) == (Status.CANCELED, 0, 0)
    monkeypatch.setattr(contents, "read", original)
    assert work.retry(job)
    assert counts(run(job)) == (6, 3, 1, 2)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_import_goes_on_without_repeating(user, folder, worker):
    for index in range(150):
        (folder / f"more-{index:03}.jpg").write_bytes(picture(64, 48, "JPEG") + bytes([index, 7]))
    job = imports.request(None, user, "study", {})
    worker(queues="analyses,maintenance")
    killed = worker(queues="exports")
    wait_until(lambda: ImportedFile.objects.count() > 20, "some files")
    killed.kill()
    worker(queues="exports")
    wait_until(
        lambda: MediaImport.objects.get().status == Status.SUCCEEDED or work.sweep_all(),
        "the rest of the import",
        120,
    )
    job.refresh_from_db()
    assert counts(job) == (156, 153, 1, 2)
    assert Analysis.objects.count() == 153
    twice = job.files.values("path").annotate(count=Count("pk")).filter(count__gt=1)
    assert not twice


# --- The API and the command ------------------------------------------------------------------


@pytest.fixture
def administrator(user, django_user_model):
    return django_user_model.objects.get(is_staff=True)


@pytest.fixture
def api(administrator):
    client = Client()
    client.force_login(administrator)
    return client


def post(client, **body):
    return client.post("/api/v1/media-imports/", body, content_type="application/json")


def test_an_administrator_imports_for_somebody(api, user, folder, run):
    answer = post(api, source="study", owner="ADA@example.org", tags=["study"])
    assert answer.status_code == 202
    begun = answer.json()
    assert (begun["status"], begun["owner"]) == ("queued", "ada@example.org")
    run(MediaImport.objects.get())
    done = api.get(answer["Location"]).json()
    assert (done["status"], done["imported"], done["repeated"], done["refused"]) == (
        *("succeeded", 3, 1, 2),
    )
    report = api.get(f"{answer['Location']}failures.csv")
    assert report["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(report.getvalue().decode())))
    assert rows[0] == ["path", "code", "message"]
    assert [row[0] for row in rows[1:]] == ["empty.jpg", "notes.txt"]
    assert api.post(f"{answer['Location']}cancel/").json()["code"] == "not_cancelable"
    assert api.post(f"{answer['Location']}retry/").json()["code"] == "not_retryable"


def test_an_import_is_canceled_and_tried_again(api, folder):
    answer = post(api, source="study")
    assert api.post(f"{answer['Location']}cancel/").json()["status"] == "canceled"
    assert api.post(f"{answer['Location']}retry/").json()["status"] == "queued"
    assert [job["id"] for job in api.get("/api/v1/media-imports/").json()["results"]] == [
        answer.json()["id"]
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "source"),
        ({"source": "../x"}, "source"),
        ({"source": "study", "owner": "nobody@example.org"}, "owner"),
        ({"source": "study", "owner": "x"}, "owner"),
        ({"source": "study", "detector": "best"}, "detector"),
        ({"source": ["study"]}, "source"),
    ],
)
def test_a_bad_request_says_what_is_wrong(api, folder, body, field):
    answer = post(api, **body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not MediaImport.objects.exists()


def test_others_find_nothing(user, signed_in, folder):
    assert post(signed_in, source="study").status_code == 404
    job = imports.request(None, user, "study", {})
    for path in ("", f"{job.pk}/", f"{job.pk}/failures.csv"):
        assert signed_in.get(f"/api/v1/media-imports/{path}").status_code == 404


def test_a_key_needs_its_scope(administrator, folder):
    _key, text = keys.create(administrator, "key", ["read"])
    client = Client(headers={"authorization": f"Bearer {text}"})
    assert post(client, source="study").status_code == 403
    assert client.get("/api/v1/media-imports/").status_code == 200


def test_the_command_imports_and_reports(user, folder, tmp_path, capsys):
    report = tmp_path / "report.csv"
    arguments = [str(folder), "--owner", "ada@example.org", "--tag", "a", "--report", str(report)]
    call_command("import_media", *arguments)
    said = capsys.readouterr().out
    assert "6 files: 3 imported, 1 were there already, 2 refused" in said
    assert "notes.txt" in report.read_text()
    call_command("import_media", *arguments)
    assert "0 imported, 4 were there already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "owner", "said"),
    [
        ("study", "nobody@example.org", "Nobody here"),
        ("missing", "ada@example.org", "There is no"),
        ("study/notes.txt", "ada@example.org", "neither a folder nor a zip"),
    ],
)
def test_the_command_says_what_is_wrong(user, folder, source, owner, said):
    with pytest.raises(CommandError, match=said):
        call_command("import_media", str(folder.parent / source), "--owner", owner)
