"""Objects of the S3 server by their addresses, s3://bucket/key: read, written, listed as streams.

The server and its keys are those of MIEN_S3_*, whether or not the site's own files are there.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, cast

from django.conf import settings

SCHEME = "s3://"
# Of one upload, which may have 10,000: 640 GB. Some servers want all parts to have one size.
PART_BYTES = 64 * 1024**2
READ_BYTES = 8 * 1024**2  # in one request, so that none stays open while the reader is busy
READ_ATTEMPTS = 4


@dataclass(frozen=True)
class Address:
    """A bucket and the key of an object, or the beginning of many keys."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Found:
    """An object as a list of the server names it; `size` in bytes."""

    address: Address
    size: int
    etag: str


def is_address(text: str) -> bool:
    return text.startswith(SCHEME)


def address_of(text: str) -> Address:
    """Raises ValueError unless the text is s3://bucket or s3://bucket/key."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not is_address(text) or not bucket:
        raise ValueError(f"{text!r} is no address such as s3://bucket/name.")
    return Address(bucket, key)


def client() -> Any:
    """A client of the configured server."""
    import boto3  # only those who use S3 need it
    from botocore.config import Config

    server = settings.S3_SERVER
    return boto3.client(
        "s3",
        endpoint_url=server["endpoint_url"],
        region_name=server["region_name"],
        aws_access_key_id=server["access_key"],
        aws_secret_access_key=server["secret_key"],
        config=Config(**server["config"]),
    )


def make_bucket(name: str) -> bool:
    """Make a bucket; False if these keys have it already."""
    server = client()
    try:
        server.head_bucket(Bucket=name)
    except server.exceptions.ClientError as error:
        if _status(error) != 404:
            raise
        server.create_bucket(Bucket=name)
        return True
    return False


def find(server: Any, address: Address) -> Found:
    """One object. Raises FileNotFoundError, and errors that `storage.is_trouble` knows."""
    try:
        head = server.head_object(Bucket=address.bucket, Key=address.key)
    except server.exceptions.ClientError as error:
        if _status(error) != 404:
            raise
        raise FileNotFoundError(f"There is no {address}.") from error
    return Found(address, head["ContentLength"], head["ETag"])


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def listed(server: Any, prefix: Address) -> Iterator[Found]:
    """The objects whose keys begin like this, in the order of their keys, page by page."""
    pages = server.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key):
        for one in page.get("Contents", []):
            yield Found(Address(prefix.bucket, one["Key"]), one["Size"], one["ETag"])


class Reading(io.RawIOBase):
    """An object as a file that can be read and sought; a broken connection is made again.

    It is of one version: reading raises FileNotFoundError if the object is replaced meanwhile.
    """

    def __init__(self, server: Any, found: Found) -> None:
        self.server, self.found = server, found
        self.at = 0
        self.piece, self.piece_at = b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.found.size}[whence]
        self.at = max(0, start + offset)
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        if self.at >= self.found.size:
            return 0
        if not self.piece_at <= self.at < self.piece_at + len(self.piece):
            self.piece, self.piece_at = b"", self.at  # not two at once in memory
            self.piece = self._fetch(self.at, min(self.at + READ_BYTES, self.found.size))
        begin = self.at - self.piece_at
        content = self.piece[begin : begin + len(buffer)]
        buffer[: len(content)] = content
        self.at += len(content)
        return len(content)

    def _fetch(self, begin: int, end: int) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError

        for attempt in range(READ_ATTEMPTS):
            try:
                answer = self.server.get_object(
                    Bucket=self.found.address.bucket,
                    Key=self.found.address.key,
                    Range=f"bytes={begin}-{end - 1}",
                    IfMatch=self.found.etag,
                )
                return cast(bytes, answer["Body"].read())
            except ClientError as error:
                if _status(error) not in (404, 412):
                    raise
                message = f"{self.found.address} was deleted or replaced meanwhile"
                raise FileNotFoundError(message) from error
            except BotoCoreError:  # such as an answer that breaks off
                if attempt == READ_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")


@contextmanager
def reading(address: Address) -> Iterator[IO[bytes]]:
    """Raises FileNotFoundError, and errors that `storage.is_trouble` knows."""
    server = client()
    with Reading(server, find(server, address)) as raw:
        yield cast(IO[bytes], io.BufferedReader(raw, 1 << 20))


@contextmanager
def writing(address: Address) -> Iterator[IO[bytes]]:
    """What is written becomes the object when the block ends well, and nothing otherwise.

    Holds one part in memory. Raises errors that `storage.is_trouble` knows.
    """
    upload = _Upload(client(), address)
    try:
        yield cast(IO[bytes], upload)
        upload.complete()
    except BaseException:
        with suppress(Exception):  # what went wrong first is what counts
            upload.abort()
        raise


class _Upload:
    """An object that is sent part by part while it is written."""

    def __init__(self, server: Any, address: Address) -> None:
        self.server = server
        self.name = {"Bucket": address.bucket, "Key": address.key}
        self.waiting = bytearray()
        self.parts: list[dict[str, Any]] = []
        self.upload_id = ""

    def write(self, content: Any) -> int:
        self.waiting += content
        while len(self.waiting) >= PART_BYTES:
            with memoryview(self.waiting) as waiting:
                part = bytes(waiting[:PART_BYTES])
            del self.waiting[:PART_BYTES]
            self._send(part)
        return len(content)

    def flush(self) -> None:
        """What waits for the rest of its part can't be sent yet."""

    def _send(self, part: bytes) -> None:
        if not self.upload_id:
            self.upload_id = self.server.create_multipart_upload(**self.name)["UploadId"]
        number = len(self.parts) + 1
        answer = self.server.upload_part(
            **self.name, UploadId=self.upload_id, PartNumber=number, Body=part
        )
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def complete(self) -> None:
        if not self.upload_id:
            self.server.put_object(**self.name, Body=bytes(self.waiting))
            return
        if self.waiting:
            self._send(bytes(self.waiting))
        self.server.complete_multipart_upload(
            **self.name, UploadId=self.upload_id, MultipartUpload={"Parts": self.parts}
        )

    def abort(self) -> None:
        if self.upload_id:
            self.server.abort_multipart_upload(**self.name, UploadId=self.upload_id)
