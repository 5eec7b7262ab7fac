"""Objects by their addresses: streams in both directions, with a server that fails now and then."""

import io
import zipfile

import pytest
from botocore.exceptions import IncompleteReadError
from django.core.management import CommandError, call_command

from recognition import objects
from recognition.objects import address_of
from tests.recognition.object_store import *  # noqa: F403 the server and its bucket
from tests.recognition.object_store import keys_in, use

CONTENT = bytes(range(256)) * 100_000  # 25.6 MB


@pytest.mark.parametrize("text", ["mien/a.tar", "s3://", "s3:///a", "https://mien/a", "s3:/mien/a"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="s3://bucket/name"):
        address_of(text)


def test_an_address_has_bucket_and_key():
    address = address_of("s3://mien/a/b c.tar")
    assert (address.bucket, address.key) == ("mien", "a/b c.tar")
    assert str(address) == "s3://mien/a/b c.tar"


@pytest.mark.parametrize("size", [0, 1, 6 << 20, 25_600_000])
def test_what_was_written_is_read(bucket, server, monkeypatch, size):
    monkeypatch.setattr(objects, "PART_BYTES", 6 << 20)  # S3 wants 5 MB at least
    server.flaky.fails = True
    address = address_of("s3://mien/folder/file")
    with objects.writing(address) as file:
        for begin in range(0, size, 100_000):
            file.write(CONTENT[begin : min(begin + 100_000, size)])
    assert keys_in(bucket) == ["folder/file"]
    with objects.reading(address) as file:
        assert file.read() == CONTENT[:size]


def test_what_is_broken_off_is_not_there(bucket, monkeypatch):
    monkeypatch.setattr(objects, "PART_BYTES", 6 << 20)

    def break_off():
        with objects.writing(address_of("s3://mien/a")) as file:
            file.write(CONTENT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert keys_in(bucket) == []
    assert not bucket.list_multipart_uploads(Bucket="mien").get("Uploads")


def test_memory_holds_one_part(bucket, monkeypatch):
    monkeypatch.setattr(objects, "PART_BYTES", 6 << 20)
    with objects.writing(address_of("s3://mien/a")) as file:
        for _ in range(20):
            file.write(CONTENT[: 1 << 20])
            assert len(file.waiting) < 6 << 20


def test_a_zip_is_read_in_place(bucket, monkeypatch):
    monkeypatch.setattr(objects, "READ_BYTES", 4096)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(50):
            archive.writestr(f"{number}.bin", CONTENT[number : number + 3000])
    bucket.put_object(Bucket="mien", Key="a.zip", Body=packed.getvalue())
    with objects.reading(address_of("s3://mien/a.zip")) as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.read("7.bin") == CONTENT[7:3007]


def test_a_connection_that_breaks_is_made_again(bucket):
    bucket.put_object(Bucket="mien", Key="a", Body=CONTENT)

    class Breaking:
        """The client, whose answers break off twice."""

        broken = 0
        exceptions = bucket.exceptions

        def head_object(self, **arguments):
            return bucket.head_object(**arguments)

        def get_object(self, **arguments):
            if self.broken < 2:
                self.broken += 1
                raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
            return bucket.get_object(**arguments)

    server = Breaking()
    found = objects.find(server, address_of("s3://mien/a"))
    assert objects.Reading(server, found).read() == CONTENT
    assert server.broken == 2


def test_an_object_that_is_replaced_meanwhile_is_an_error(bucket, monkeypatch):
    monkeypatch.setattr(objects, "READ_BYTES", 1000)
    bucket.put_object(Bucket="mien", Key="a", Body=b"a" * 5000)
    found = objects.find(bucket, address_of("s3://mien/a"))
    file = objects.Reading(bucket, found)
    assert file.read(500) == b"a" * 500
    bucket.put_object(Bucket="mien", Key="a", Body=b"b" * 5000)
    with pytest.raises(FileNotFoundError, match="replaced meanwhile"):
        file.read()


def test_objects_are_listed_in_order(bucket):
    for key in ("study/b", "study/a/1", "studies", "study"):
        bucket.put_object(Bucket="mien", Key=key, Body=b"x" * len(key))
    found = list(objects.listed(bucket, address_of("s3://mien/study/")))
    assert [(one.address.key, one.size) for one in found] == [("study/a/1", 9), ("study/b", 7)]


def test_what_is_missing_is_said(bucket):
    with pytest.raises(FileNotFoundError, match="There is no s3://mien/none"):
        objects.reading(address_of("s3://mien/none")).__enter__()


def test_a_bucket_is_made_once(s3, settings, monkeypatch, capsys):
    use(settings, settings.S3 | {"bucket_name": "another"})
    for said in ("another was made", "another was there already"):
        call_command("make_bucket")
        assert said in capsys.readouterr().out
    assert "another" in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    settings.S3 = {}
    with pytest.raises(CommandError, match="MIEN_S3_BUCKET"):
        call_command("make_bucket")
