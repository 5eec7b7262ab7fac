"""manage.py restore: a site from a backup."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition.backup import places, restoring
from recognition.backup.contents import BackupError


class Command(BaseCommand):
    help = "Fill this empty site from a backup. Stop the site first."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", help="the file, s3://bucket/name, or - for standard input")
        parser.add_argument("--identity", type=Path, help="the file of the age secret key")
        parser.add_argument("--passphrase-file", type=Path, help="the file of the passphrase")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            identities = self._identities(options["identity"])
            passphrase = places.passphrase(options["passphrase_file"])
            with places.read(options["backup"]) as file:
                summary = restoring.restore(file, identities, passphrase=passphrase)
        except BackupError as error:
            raise CommandError(error.message, returncode=2) from error
        except OSError as error:
            raise CommandError(f"The backup was not read: {error}") from error
        self.stdout.write(
            f"restored {sum(summary.rows.values())} rows of {len(summary.rows)} tables and "
            f"{summary.files} files, {summary.bytes / 1e6:.1f} MB, in "
            f"{time.monotonic() - began:.1f} s; all checksums are right"
        )
        if summary.missing:
            self.stderr.write(f"{len(summary.missing)} files are missing in the storage, such as")
            self.stderr.write(summary.missing[0].removeprefix("files/media/"))

    def _identities(self, path: Path | None) -> list[str]:
        lines = path.read_text().splitlines() if path else []
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
