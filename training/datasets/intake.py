"""Adds data sets: uploads, corrections, or files on the server; recognizes known ones."""

import hashlib
import io
import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from recognition.engine.errors import CodedError
from recognition.jobs import work
from recognition.jobs.files import clean_name
from recognition.photos import corrections
from recognition.photos.uploads import LimitedUpload, LimitedUploadHandler
from training import files
from training.datasets import events
from training.models import Dataset

TABLES = (".csv", ".csv.gz", ".csv.xz")
KINDS = (*TABLES, ".zip")
VOTES_BESIDE = "fer2013new.csv"
VOTES = tuple(VOTES_BESIDE.replace(".csv", kind) for kind in TABLES)


UNDECIDED = ("unknown_classes", "numbered_classes")
"""Failures of the check that end once somebody has decided about the folders' names."""


class DatasetRefused(CodedError):
    """A data set was refused."""


class DatasetUploadHandler(LimitedUploadHandler):
    """The upload handler for files larger than photos."""

    @property
    def limit(self) -> int:
        return settings.MAX_DATASET_BYTES


def add_upload(
    user: User,
    data: LimitedUpload,
    votes: LimitedUpload | None = None,
    name: str = "",
    **classes: Any,
) -> tuple[Dataset, bool]:
    """Add uploaded files. Returns the data set and whether it is new. Raises DatasetRefused.

    `classes` are leave_out_unknown and class_order, as stored in the row.
    """
    pk = uuid.uuid4()
    folder = files.folder_of(Dataset(pk=pk))
    folder.mkdir(mode=0o700, parents=True)
    try:
        path = _store(data, folder / _safe_name(data.name, KINDS))
        votes_path = None
        if votes is not None:
            votes_path = _store(votes, folder / f"votes-{_safe_name(votes.name, TABLES)}")
        for stored in filter(None, (path, votes_path)):
            files.share(stored)
        dataset, created = _add(
            user, path, votes_path, name or clean_name(data.name), classes, pk=pk, uploaded=True
        )
    except BaseException:
        files.delete(folder)
        raise
    if not created:
        files.delete(folder)
    return dataset, created


def add_corrections(user: User) -> tuple[Dataset, bool]:
    """Add the faces that this person has corrected, as in the zip that they can download.

    The data set is a copy: it stays when photos are deleted. Raises DatasetRefused.
    """
    if not corrections.labeled(user).exists():
        raise DatasetRefused("no_corrections", "You haven't corrected any face in a photo yet.")
    content = corrections.make_data_set(user)
    upload = LimitedUpload(io.BytesIO(content), "corrections.zip", size=len(content))
    upload.too_large = len(content) > settings.MAX_DATASET_BYTES
    return add_upload(user, upload, name=f"Corrections of {user.email or user}")


def add_path(
    user: User, path: str, votes: str = "", name: str = "", **classes: Any
) -> tuple[Dataset, bool]:
    """Add a file or folder on the server. Returns the data set and whether it is new.

    Paths are absolute or relative to DATASETS_DIR; links are followed, and anything outside that
    folder is refused. Raises DatasetRefused.
    """
    data = _inside(path)
    if data.is_file():
        _safe_name(data.name, KINDS)
    votes_path = _inside(votes) if votes else None
    beside = data.parent / VOTES_BESIDE
    if votes_path is None and data.name.lower().endswith(TABLES) and beside.is_file():
        votes_path = _inside(str(beside))
    return _add(user, data, votes_path, name or clean_name(data.name), classes, uploaded=False)


def server_files() -> list[str]:
    """The names in the server's folder that `add_path` accepts, except FER+'s votes."""
    return [
        path.name
        for path in _listed()
        if path.is_dir() or (path.name.lower().endswith(KINDS) and path.name.lower() not in VOTES)
    ]


def server_votes() -> list[str]:
    """The tables in the server's folder, which may hold votes for a data set."""
    return [path.name for path in _listed() if path.name.lower().endswith(TABLES)]


def _listed() -> list[Path]:
    folder = settings.DATASETS_DIR
    return sorted(folder.iterdir()) if folder.is_dir() else []


def check_again(dataset: Dataset, **classes: Any) -> bool:
    """Queue a failed data set's check again, for example after fixing its file.

    `classes`, if given, are stored first: what to do with folders whose names are no class.
    """
    failed = Dataset.objects.filter(pk=dataset.pk, status=Dataset.Status.FAILED)
    if classes and failed.update(**classes):
        dataset.refresh_from_db()
    return work.retry(dataset)


def remove(dataset: Dataset) -> None:
    """Delete a data set, and its files if they were uploaded. Raises DatasetRefused if runs
    have used it."""
    pk, sheet, folder = str(dataset.pk), dataset.sheet, files.folder_of(dataset)
    evaluations = [evaluation.picture for evaluation in dataset.evaluations.all()]
    try:
        dataset.delete()
    except ProtectedError:
        raise DatasetRefused(
            "in_use", "This data set can't be deleted because trainings have used it."
        ) from None
    for picture in filter(None, [sheet, *evaluations]):
        picture.storage.delete(str(picture.name))
    if dataset.uploaded:
        files.delete(folder)
    events.publish_dataset_deletion(pk)


def _add(
    user: User,
    data: Path,
    votes: Path | None,
    name: str,
    classes: dict[str, Any],
    **values: Any,
) -> tuple[Dataset, bool]:
    sha256, size = digest([data, votes] if votes else [data])
    if known := Dataset.objects.filter(sha256=sha256).first():
        if known.error_code == "gave_up":
            check_again(known)
        elif known.error_code in UNDECIDED and any(classes.values()):
            check_again(known, **classes)
        return known, False
    dataset = Dataset(
        **values,
        **classes,
        name=name[:200],
        path=str(data),
        votes_path=str(votes or ""),
        size=size,
        sha256=sha256,
        created_by=user,
    )
    try:
        with transaction.atomic():
            dataset.save(force_insert=True)
            work.submit(dataset)
    except IntegrityError:  # another visitor was faster
        return Dataset.objects.get(sha256=sha256), False
    return dataset, True


def digest(paths: Iterable[Path]) -> tuple[str, int]:
    """SHA-256 and size of all files; for folders, of their files by name."""
    total, size = hashlib.sha256(), 0
    for path in paths:
        members = sorted(path.rglob("*")) if path.is_dir() else [path]
        for member in members:
            if not member.is_file():
                continue
            with member.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            name = member.relative_to(path).as_posix() if path.is_dir() else ""
            total.update(name.encode() + b"\0" + content)
            size += member.stat().st_size
    return total.hexdigest(), size


def _inside(text: str) -> Path:
    folder = settings.DATASETS_DIR.resolve()
    try:
        path = (folder / text).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        path = None
    if path is None or not path.is_relative_to(folder) or path == folder:
        raise DatasetRefused(
            "not_in_folder", f"There is no {text[:200]!r} in the server's folder for data sets."
        )
    return path


def _safe_name(name: str, kinds: tuple[str, ...]) -> str:
    safe = re.sub(r"[^\w.-]", "_", clean_name(name), flags=re.ASCII).lstrip(".")[-100:]
    if not safe.lower().endswith(kinds):
        raise DatasetRefused(
            "wrong_kind", f"{name[:200]!r} has the wrong type. Choose {', '.join(kinds)}."
        )
    return safe


def _store(upload: LimitedUpload, path: Path) -> Path:
    if upload.too_large:
        raise DatasetRefused(
            "file_too_large",
            f"{upload.name} has {upload.size / 1024**2:.0f} MB; up to "
            f"{settings.MAX_DATASET_BYTES // 1024**2} MB are accepted. Compress it, or put it into "
            "the server's folder for data sets.",
        )
    with path.open("xb") as file:
        for chunk in upload.chunks():
            file.write(chunk)
    return path
