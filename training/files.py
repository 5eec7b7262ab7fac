"""Files of trainings: uploaded data sets, weights on their way in, checkpoints.

Each is worked with in TRAINING_DIR. If the site's files are in object storage, they are there as
well, at training/ and the same path, so that each host finds what another one has made. Files that
an administrator put into DATASETS_DIR are not Mien's: each host must see them itself.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from recognition import storage
from training.models import Dataset


def share(path: Path) -> None:
    """Let other hosts find a file of this one; it replaces an earlier one at once."""
    if storage.is_remote():
        storage.replace(path, name_of(path))


def fetch(path: Path) -> Path:
    """A file that any host shared, which is here afterwards. Raises FileNotFoundError if it is in
    object storage on no host."""
    if storage.is_remote() and not path.exists():
        download(path, path)
    return path


def download(path: Path, target: Path) -> None:
    """What was shared of `path`, at another place of this host. Raises FileNotFoundError."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        storage.download(name_of(path), part)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def delete(folder: Path) -> None:
    """Delete a folder of TRAINING_DIR, here and in object storage."""
    shutil.rmtree(folder, ignore_errors=True)
    if storage.is_remote():
        for name in list(storage.names(folder=f"{name_of(folder)}/")):
            default_storage.delete(name)


def is_shared(path: Path) -> bool:
    """Whether a file is in object storage."""
    return storage.is_shared(path.relative_to(settings.TRAINING_DIR).as_posix())


def shared(kind: str) -> Iterator[Path]:
    """The files of this kind in object storage, as paths of this host."""
    if storage.is_remote():
        for name in storage.names(folder=f"{storage.TRAINING}{kind}/"):
            yield settings.TRAINING_DIR / name.removeprefix(storage.TRAINING)


def name_of(path: Path) -> str:
    """What a path in TRAINING_DIR is called in object storage."""
    return storage.TRAINING + path.relative_to(settings.TRAINING_DIR).as_posix()


def folder_of(dataset: Dataset) -> Path:
    """Where the files of an uploaded data set are."""
    return settings.TRAINING_DIR / "datasets" / str(dataset.pk)


def data_of(dataset: Dataset) -> tuple[Path, Path | None]:
    """Data and votes of a data set, on this host. Raises FileNotFoundError as `fetch`."""
    found = [Path(path) for path in (dataset.path, dataset.votes_path) if path]
    if dataset.uploaded:
        found = [fetch(folder_of(dataset) / path.name) for path in found]
    return found[0], found[1] if len(found) > 1 else None
