"""manage.py import_media: photos and videos of a folder, zip or bucket into somebody's history."""

import csv
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recognition.engine.types import DETAILS, DETECTORS, FACE_MODES
from recognition.history.tables import as_cells
from recognition.imports import imports, tasks
from recognition.jobs import work
from recognition.models import Analysis, MediaImport
from recognition.objects import is_address


class Command(BaseCommand):
    help = (
        "Import the photos and videos of a folder, a zip or a bucket, at the pace at which the "
        "workers analyze them. "
        "What was imported before is skipped, so it can be run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a folder, a zip, or s3://bucket/folder")
        parser.add_argument("--owner", required=True, help="whose history: an e-mail address")
        parser.add_argument("--tag", action="append", default=[], help="can be repeated")
        parser.add_argument("--face-mode", choices=FACE_MODES)
        parser.add_argument("--detail", choices=DETAILS)
        parser.add_argument("--detector", choices=DETECTORS)
        parser.add_argument("--keep", choices=Analysis.Keep.values, help="what is stored of them")
        parser.add_argument("--report", type=Path, help="a CSV of the files that were refused")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(email__iexact=options["owner"]).first()
        if owner is None:
            raise CommandError(f"Nobody here has the e-mail address {options['owner']}.")
        wanted = {name: options[name] for name in ("face_mode", "detail", "detector", "keep")}
        source = options["source"]
        job = MediaImport.objects.create(
            owner=owner,
            source=source if is_address(source) else str(Path(source).absolute()),
            options={name: value for name, value in wanted.items() if value}
            | ({"tags": options["tag"]} if options["tag"] else {}),
        )
        with tqdm(unit=" files", disable=not sys.stderr.isatty()) as bar:

            def tell(job: MediaImport) -> None:
                bar.update(job.seen - bar.n)

            try:
                work.run(tasks.KIND, str(job.pk), lambda job: imports.carry_out(job, tell))
            except KeyboardInterrupt:
                work.cancel(job)
                self.stderr.write("Stopped. Run it again to go on: what was imported is skipped.")
        job.refresh_from_db()
        if options["report"]:
            with options["report"].open("w", newline="", encoding="utf-8") as file:
                table = csv.writer(file)
                table.writerow(imports.FAILURE_COLUMNS)
                table.writerows(map(as_cells, imports.failures(job)))
        self.stdout.write(
            f"{job.seen} files: {job.imported} imported, {job.repeated} were there already, "
            f"{job.refused} refused"
        )
        if job.error_code:
            raise CommandError(job.error_message, returncode=2)
        if job.status != job.Status.SUCCEEDED:
            raise CommandError(f"The import is {job.status}: see the page of jobs.", returncode=3)
