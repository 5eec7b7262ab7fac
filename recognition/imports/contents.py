"""The content of one file of an import: read, hashed, handed over as a photo or a video.

Loads what decodes pictures, and the kinds of jobs that photos and videos are: `imports` loads this
when it carries one out, since the worker of exports never needs it otherwise.
"""

import hashlib
import io
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

import recognition.photos.tasks
import recognition.videos.tasks  # noqa: F401 as above: they register their kinds
from recognition.api import allowances
from recognition.engine import video
from recognition.engine.errors import MediaError
from recognition.imports.sources import Entry, SourceError
from recognition.models import Analysis
from recognition.photos.submissions import submit_image
from recognition.photos.uploads import LimitedUpload
from recognition.videos import submissions

PIECE_BYTES = 1 << 20
SPARE_BYTES = 512 * 1024**2  # of the disk, for everything else

READ_ERRORS = (OSError, RuntimeError, ValueError, NotImplementedError)  # such as a password
PACKED_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)  # one file of many


@dataclass(frozen=True)
class Content:
    """A photo in memory, or a video as a file that is deleted unless it is submitted."""

    sha256: str
    photo: bytes = b""
    video: Path | None = None


@contextmanager
def read(entry: Entry, owner: User) -> Iterator[Content]:
    """The content of a file while the block lasts; of a photo, one byte beyond the limit at most.

    Raises MediaError for a file that can't be read and for a video that is too large, SourceError
    (disk_full) if there is no room for a video.
    """
    with _readable():
        file = entry.open()
    with file:
        with _readable():
            head = file.read(video.HEAD_BYTES)
        if video.is_video(head):
            with _copied(entry, owner, head, file) as content:
                yield content
            return
        limit = settings.MAX_UPLOAD_BYTES
        with _readable():
            rest = b"" if entry.size > limit else file.read(limit + 1 - len(head))
    photo = head + rest if entry.size <= limit else b" " * (limit + 1)
    yield Content(hashlib.sha256(photo).hexdigest(), photo)


@contextmanager
def _copied(entry: Entry, owner: User, head: bytes, file: IO[bytes]) -> Iterator[Content]:
    submissions.check_size(owner, entry.size)
    if shutil.disk_usage(settings.INCOMING_DIR).free < entry.size + SPARE_BYTES:
        message = f"The disk is too full for {entry.path}. Make room, then retry the import."
        raise SourceError("disk_full", message)
    handle, name = tempfile.mkstemp(dir=settings.INCOMING_DIR, prefix="import-")
    path, limit = Path(name), allowances.video_bytes(owner)
    try:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(handle, "wb") as copy:
            piece = head
            while piece and size <= limit:  # what a zip says about sizes need not be true
                digest.update(piece)
                copy.write(piece)
                size += len(piece)
                with _readable():
                    piece = file.read(PIECE_BYTES)
        yield Content(digest.hexdigest(), video=path)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (*READ_ERRORS, *PACKED_ERRORS) as error:
        raise MediaError("unreadable_file", f"This file can't be read: {error}.") from error


def submit(
    owner: User,
    entry: Entry,
    content: Content,
    options: dict[str, Any],
    along: Callable[[Analysis], None],
) -> None:
    """Submit a photo or video; `along` is called in the transaction that stores it.

    Raises MediaError.
    """
    if content.video:
        known = {name: value for name, value in options.items() if name != "face_mode"}
        submissions.submit_video(owner, content.video, entry.path, **known, along=along)
        return
    upload = LimitedUpload(io.BytesIO(content.photo), entry.path, size=len(content.photo))
    with transaction.atomic():
        along(submit_image(owner, upload, **options))
