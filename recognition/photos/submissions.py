"""Accepts a photo: checks its header, stores it, queues the analysis."""

from collections.abc import Sequence
from pathlib import PurePath
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile, File
from django.db import IntegrityError, transaction

from recognition import decoding, describe
from recognition.api import allowances
from recognition.engine import formats, video
from recognition.engine.errors import MediaError
from recognition.engine.types import Detail, DetectorName, FaceMode, PhotoHeader
from recognition.jobs import work
from recognition.jobs.files import clean_name, delete_files
from recognition.models import Analysis, ApiKey, ModelVersion
from recognition.photos.uploads import LimitedUpload


def submit_image(
    owner: User,
    upload: LimitedUpload,
    key: ApiKey | None = None,
    *,
    face_mode: FaceMode = "auto",
    detail: Detail = "normal",
    detector: DetectorName | None = None,
    title: str = "",
    tags: Sequence[str] = (),
    keep: str = Analysis.Keep.PICTURE,
    pk: UUID | None = None,
) -> Analysis:
    """Accept one uploaded photo: creates a queued analysis and sends the task.

    `key` is the API key of the program that sends it, `pk` the key of the new row; `face_mode` and
    `detail` are those of engine.pipeline, `keep` is one of Analysis.Keep; without a `detector` it
    is the site's, without a `title` the file's name. Raises MediaError for what size and header
    tell (file_too_large, and those of decoding.inspect_photo); nothing is stored then. Errors that
    only decoding finds become the error of the analysis.
    """
    limit = allowances.upload_bytes(owner, key)
    if upload.too_large or upload.size > limit:
        raise MediaError(
            "file_too_large",
            f"This file has {upload.size / 1024**2:.1f} MB; up to "
            f"{limit // 1024**2} MB are accepted.",
        )
    content = upload.read()
    if video.is_video(content[: video.HEAD_BYTES]):
        message = (
            "This is a video. Send videos to /api/v1/videos/ or, in pieces, to /api/v1/uploads/."
        )
        raise MediaError("not_an_image", message)
    header = decoding.inspect_photo(content, owner.pk)
    name = clean_name(upload.name)
    analysis = Analysis(
        pk=pk or uuid4(),
        owner=owner,
        title=clean_name(title) if title else name,
        tags=list(tags),
        notices=notices_for(header, name),
        face_mode=face_mode,
        detail=detail,
        detector=detector or settings.DETECTOR,
        keep=keep,
    )
    store(analysis, ContentFile(content))
    return analysis


def rerun(analysis: Analysis, version: ModelVersion) -> Analysis | None:
    """A new analysis of the stored photo with this model version; None without faces in one."""
    if not analysis.photo or analysis.keep == Analysis.Keep.BLURRED:
        return None
    kept = ("owner", "title", "tags", "face_mode", "detail", "detector", "width", "height", "keep")
    again = Analysis(requested_version=version, **{name: getattr(analysis, name) for name in kept})
    with analysis.photo.open() as photo:
        store(again, photo)
    return again


def store(analysis: Analysis, upload: File) -> None:
    """Store the upload and the row of a new analysis, both or neither, and queue it."""
    name = f"{analysis.pk}.upload"
    try:
        with transaction.atomic():
            analysis.source.save(name, upload, save=False)
            analysis.save(force_insert=True)
            work.submit(analysis)
    except IntegrityError:  # a row with this key is there, and so is its file
        raise
    except BaseException:
        # If the disk is full, the start of the file may be there.
        delete_files([f"{analysis.source.field.upload_to}/{name}"])
        raise


def notices_for(header: PhotoHeader, title: str) -> list[describe.Message]:
    """Notices about an accepted photo."""
    notices: list[describe.Message] = []
    if header.animated:
        message = "This picture is animated. Only its first frame is analyzed."
        notices.append({"code": "first_frame_only", "message": message})
    if header.pages > 1:
        many = "more than " if header.pages == formats.MOST_PAGES else ""
        message = f"This file has {many}{header.pages} pages. Only the first one is analyzed."
        notices.append({"code": "first_page_only", "message": message})
    extension = PurePath(title).suffix.lower()
    if extension and formats.EXTENSIONS.get(extension) != header.format:
        message = f"The name ends in {extension}, but this is a {header.format} picture."
        notices.append({"code": "extension_mismatch", "message": message})
    return notices
