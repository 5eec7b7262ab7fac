"""manage.py move_storage: all stored files from the folder to object storage, or back."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recognition import storage


class Command(BaseCommand):
    help = (
        "Copy every stored file to the other storage and compare checksums. Stop the site first, "
        "or run it again afterwards: what is there already is skipped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("to", choices=["s3", "folder"])
        parser.add_argument("--delete", action="store_true", help="then delete what was copied")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.S3:
            raise CommandError(
                "Set MIEN_S3_BUCKET and its keys first: see docs/how-to/scale-out.md."
            )
        copied = skipped = size = 0
        try:
            moved = [
                (name, source, target)
                for source, target in self._places(options["to"])
                for name in storage.names(source, without=(storage.BACKUPS, storage.TRAINING))
            ]
            for name, source, target in tqdm(moved, unit=" files", disable=not sys.stderr.isatty()):
                bytes_copied = storage.copy(name, source, target)
                size += bytes_copied or 0
                copied, skipped = (
                    copied + (bytes_copied is not None),
                    skipped + (bytes_copied is None),
                )
                if options["delete"]:
                    source.delete(name)
        except Exception as error:
            if not isinstance(error, OSError) and not storage.is_trouble(error):
                raise
            message = f"Stopped after {copied} files: {error}. Run it again to go on."
            raise CommandError(message) from error
        self.stdout.write(
            f"{copied} files copied ({size / 1e6:.1f} MB), {skipped} were there already; "
            "all checksums agree"
        )

    def _places(self, to: str) -> list[tuple[Storage, Storage]]:
        """From where to where: the stored files, and those of trainings."""
        found = [
            (storage.folder(Path(settings.MEDIA_ROOT)), storage.bucket(settings.S3)),
            (
                storage.folder(settings.TRAINING_DIR),
                storage.bucket(settings.S3 | {"location": storage.TRAINING}),
            ),
        ]
        return found if to == "s3" else [(remote, folder) for folder, remote in found]
