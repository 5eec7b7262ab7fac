"""manage.py backup: everything that the site stores, in one file."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition.backup import encryption, places, writing
from recognition.backup.contents import BackupError


class Command(BaseCommand):
    help = "Write everything that this site stores into one file, while it runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "output", nargs="?", help="the file, s3://bucket/name, or - for standard output"
        )
        closed = parser.add_mutually_exclusive_group()
        closed.add_argument(
            "--recipient",
            action="append",
            default=[],
            help="encrypt for this age public key; can be repeated",
        )
        closed.add_argument(
            "--passphrase-file",
            type=Path,
            help="encrypt by the passphrase in this file; - reads it",
        )
        parser.add_argument(
            "--without-media",
            action="store_true",
            help="only list photos, videos and models: their storage is backed up in its own way",
        )
        parser.add_argument("--make-key", type=Path, help="write a new secret key there, and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if path := options["make_key"]:
            try:
                self.stdout.write(encryption.make_key(path))
            except OSError as error:
                raise CommandError(f"The key was not written: {error}") from error
            self.stderr.write(f"Keep {path} away from this machine. Nothing opens a backup but it.")
            return
        if not options["output"]:
            raise CommandError(
                "Name the file of the backup, s3://bucket/name, or - for standard output."
            )
        began = time.monotonic()
        try:
            passphrase = places.passphrase(options["passphrase_file"])
            with places.written(options["output"]) as file:
                summary = writing.write(
                    file,
                    options["recipient"],
                    passphrase=passphrase,
                    files=not options["without_media"],
                )
        except BackupError as error:
            raise CommandError(error.message, returncode=2) from error
        except OSError as error:
            raise CommandError(f"The backup was not written: {error}") from error
        self.stderr.write(
            f"{sum(summary.rows.values())} rows of {len(summary.rows)} tables, {summary.files} "
            f"files, {summary.bytes / 1e6:.1f} MB in {time.monotonic() - began:.1f} s"
        )
        for name in summary.missing:
            self.stderr.write(f"deleted meanwhile: {name}")
