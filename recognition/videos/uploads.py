"""Files that arrive in pieces: created, written, resumed, finished, swept (tus 1.0)."""

import base64
import binascii
import fcntl
import hashlib
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognition.api import allowances
from recognition.engine.errors import CodedError, MediaError
from recognition.engine.video import HEAD_BYTES
from recognition.jobs.files import clean_name
from recognition.models import Analysis, Upload
from recognition.videos import submissions

logger = logging.getLogger(__name__)

MOST_UNFINISHED = 20  # of a person
ALGORITHMS = ("sha1", "sha256", "md5")
RECORDING_PAUSE = timedelta(seconds=60)  # without a piece a recording has ended
SPARE_BYTES = 512 * 1024**2  # of the disk, for everything else


class UploadError(CodedError):
    """A request that does not fit the upload; `status` is that of HTTP."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


def create(
    owner: User, length: int | None, metadata: Mapping[str, str], options: dict[str, Any]
) -> Upload:
    """A new upload of `length` bytes, None if that is not known yet.

    Raises UploadError: too_many_uploads, insufficient_storage, and MediaError for the size.
    """
    delete_expired(owner)
    if length is not None:
        submissions.check_size(owner, length)
    open_ones = Upload.objects.filter(owner=owner, analysis=None)
    if open_ones.count() >= MOST_UNFINISHED:
        message = f"You have {MOST_UNFINISHED} unfinished uploads: finish or delete one first."
        raise UploadError(409, "too_many_uploads", message)
    if shutil.disk_usage(settings.UPLOADS_DIR).free < (length or 0) + SPARE_BYTES:
        message = "The server's disk is too full for this file. Tell its administrator."
        raise UploadError(507, "insufficient_storage", message)
    upload = Upload(
        owner=owner,
        name=clean_name(metadata.get("filename", ""), "video"),
        length=length,
        metadata=dict(metadata),
        options=options,
    )
    upload.keep()
    path_of(upload).touch(mode=0o600)
    upload.save(force_insert=True)
    return upload


def path_of(upload: Upload) -> Path:
    return Path(settings.UPLOADS_DIR) / str(upload.pk)


def append(
    upload: Upload, offset: int, piece: IO[bytes], checksum: str = "", length: int | None = None
) -> None:
    """Write a piece at `offset`, and submit the video if it was the last one.

    Raises UploadError: wrong_offset, upload_busy, checksum_mismatch, unknown_algorithm,
    upload_too_long, upload_finished; MediaError if the file is no video, and nothing of it is kept.
    """
    with _locked(upload) as file:
        upload.refresh_from_db()
        if upload.analysis_id:
            raise UploadError(409, "upload_finished", "This upload is complete.")
        if length is not None and upload.length is None:
            submissions.check_size(upload.owner, length)
            upload.length = length
        if offset != upload.offset:
            message = f"The next byte of this upload is number {upload.offset}, not {offset}."
            raise UploadError(409, "wrong_offset", message)
        limit = allowances.video_bytes(upload.owner)
        limit = limit if upload.length is None else upload.length
        size = _write(file, offset, piece, limit, checksum)
        if offset < HEAD_BYTES:
            file.seek(0)
            head = file.read(HEAD_BYTES)
            if len(head) == HEAD_BYTES or offset + size == upload.length:
                _refuse_what_is_no_video(upload, head)
        upload.offset = offset + size
        upload.keep()
        upload.save(update_fields=["offset", "length", "expires_at"])
    if upload.offset == upload.length:
        finish(upload)


def finish(upload: Upload) -> Analysis:
    """Submit the video of a complete upload. Raises MediaError, and nothing of it is kept."""
    _compare_whole(upload)
    try:
        analysis = submissions.submit_video(
            upload.owner, path_of(upload), upload.name, **upload.options
        )
    except MediaError:
        delete(upload)
        raise
    Upload.objects.filter(pk=upload.pk).update(analysis=analysis)
    upload.analysis = analysis
    return analysis


def delete(upload: Upload) -> None:
    """Delete an upload and what has arrived of it; a video that came of it stays."""
    path = path_of(upload)
    with transaction.atomic():
        upload.delete()
        transaction.on_commit(lambda: path.unlink(missing_ok=True))


def finish_abandoned() -> None:
    """Submit recordings whose page has been closed: what had arrived is a video."""
    quiet_since = timezone.now() + Upload.KEPT - RECORDING_PAUSE
    waiting = Upload.objects.filter(
        analysis=None, length=None, options__recorded=True, expires_at__lt=quiet_since
    )
    for upload in waiting.exclude(offset=0):
        if not Upload.objects.filter(pk=upload.pk, length=None, offset=upload.offset).update(
            length=upload.offset
        ):
            continue  # a piece has just come
        upload.length = upload.offset
        try:
            finish(upload)
        except CodedError:
            logger.warning("The recording %s is no video", upload.pk, exc_info=True)


def delete_expired(owner: User) -> None:
    """Delete what this person has abandoned, so that it stands in the way of nothing."""
    for upload in Upload.objects.filter(owner=owner, expires_at__lt=timezone.now()):
        delete(upload)


def delete_old() -> None:
    """Delete what was abandoned, and files that no row names any more."""
    for upload in Upload.objects.filter(expires_at__lt=timezone.now()):
        delete(upload)
    kept = {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}
    before = (timezone.now() - Upload.KEPT).timestamp()
    for path in Path(settings.UPLOADS_DIR).iterdir():
        if path.name not in kept and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(upload: Upload) -> Iterator[IO[bytes]]:
    """The file of an upload, for one request at a time."""
    try:
        file = path_of(upload).open("r+b")
    except FileNotFoundError as error:
        raise UploadError(410, "upload_gone", "What had arrived of this upload is gone.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "Another request is writing to this upload. Try again in a moment."
            raise UploadError(423, "upload_busy", message) from error
        yield file


def _write(file: IO[bytes], offset: int, piece: IO[bytes], limit: int, checksum: str) -> int:
    """Write the piece; gives its bytes. If it does not fit or match, nothing is written."""
    algorithm, _, expected = checksum.partition(" ")
    if checksum and algorithm not in ALGORITHMS:
        message = f"Upload-Checksum can be {', '.join(ALGORITHMS)}."
        raise UploadError(400, "unknown_algorithm", message)
    digest = hashlib.new(algorithm) if checksum else None
    file.seek(offset)
    size = 0
    try:
        while part := piece.read(2**18):
            size += len(part)
            if offset + size > limit:
                message = f"This piece goes beyond the {limit} bytes of the upload."
                raise UploadError(413, "upload_too_long", message)
            file.write(part)
            if digest:
                digest.update(part)
        if digest and digest.digest() != _decoded(expected):
            message = "The checksum of this piece is another one. Send it again."
            raise UploadError(460, "checksum_mismatch", message)
    except BaseException:
        file.truncate(offset)
        raise
    file.flush()
    return size


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refuse_what_is_no_video(upload: Upload, head: bytes) -> None:
    try:
        submissions.check_head(head)
    except MediaError:
        delete(upload)
        raise


def _compare_whole(upload: Upload) -> None:
    """Raises UploadError if the file is not the one whose SHA-256 was told at the beginning."""
    expected = upload.metadata.get("sha256")
    if not expected:
        return
    with path_of(upload).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected.lower():
        delete(upload)
        message = "What arrived is another file: its checksum differs. Send it again."
        raise UploadError(460, "checksum_mismatch", message)
