"""`manage.py models`: the model registry on the command line."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from recognition.engine.errors import ModelError
from recognition.jobs import pauses
from recognition.models import ModelVersion
from recognition.registry import registry
from recognition.registry.comparison import describe_event, describe_version
from recognition.registry.version_files import (
    card_file,
    read_keras,
    read_onnx,
    read_weights,
    zip_file,
)
from training.core.config import ARCHITECTURES
from training.versions import intake, promotion, tasks


class Command(BaseCommand):
    help = "Lists, shows, promotes, rolls back, archives, exports and imports model versions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

        def add(name: str, help: str, *parts: ArgumentParser) -> ArgumentParser:
            return commands.add_parser(name, help=help, parents=parts)

        # Filled before use as a parent: the options that subcommands share.
        number, audit, as_json = (ArgumentParser(add_help=False) for _part in range(3))
        number.add_argument("number", type=int, metavar="NUMBER")
        audit.add_argument("--user", metavar="EMAIL", help="your account, for the audit trail")
        audit.add_argument(
            "--reason", default="", metavar="TEXT", help="the reason, for the audit trail"
        )
        as_json.add_argument("--json", action="store_true", help="print only JSON")

        add("list", "list all versions, newest first", as_json)
        add("show", "show a version, its metrics and its history", number, as_json)
        promoting = add("promote", "make a version active on all workers", number, audit)
        promoting.add_argument(
            "--confirm",
            action="store_true",
            help="promote even if it is less accurate than the active one, or not comparable",
        )
        add("rollback", "go back to the previously active version", audit)
        add("archive", "archive a version that isn't active", number, audit)
        exporting = add("export", "write a version's files", number)
        exporting.add_argument(
            "output",
            type=Path,
            metavar="PATH",
            help="an .onnx, .keras, .npz (weights), .json or .zip file",
        )
        importing = add("import", "register an ONNX file or weights from elsewhere", audit)
        importing.add_argument("file", type=Path, metavar="FILE", help="an .onnx or .npz file")
        importing.add_argument("--card", type=Path, metavar="JSON", help="its model card")
        importing.add_argument(
            "--architecture",
            default="",
            help=f"for weights whose file doesn't name it: {', '.join(ARCHITECTURES)}",
        )

    def handle(self, *, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(options)
        except (ModelError, registry.PromotionRefused) as error:
            hint = ""
            if error.code in ("worse", "not_comparable"):
                hint = " Add --confirm to promote it anyway."
            raise CommandError(error.message + hint) from error
        except OSError as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        versions = [describe_version(one) for one in ModelVersion.objects.all()]
        if options["json"]:
            self.stdout.write(json.dumps(versions))
            return
        self.stdout.write(
            f"{'':8} {'state':10} {'origin':9} {'architecture':16} accuracy, mean recall"
        )
        for one in versions:
            accuracy = ", ".join(
                f"{name} {value:.2%}, {one['mean_recall'][name]:.2%}"
                for name, value in one["accuracy"].items()
            )
            self.stdout.write(
                f"{one['number']:8} {one['state']:10} {one['origin']:9} "
                f"{one['architecture']:16} {accuracy or 'unknown'}"
            )

    def _show(self, options: dict[str, Any]) -> None:
        version = find_version(options["number"])
        events = version.events.select_related("version", "previous", "user")
        state: dict[str, Any] = dict(describe_version(version))
        state["events"] = [describe_event(event) for event in events]
        if options["json"]:
            self.stdout.write(json.dumps(state | {"card": version.card}))
            return
        events = state.pop("events")
        for figure in ("accuracy", "mean_recall"):
            words = figure.replace("_", " ")
            state |= {f"{words} on {split}": f"{on:.2%}" for split, on in state.pop(figure).items()}
        for name, value in state.items():
            if value not in (None, ""):
                self.stdout.write(f"{name.replace('_', ' '):22} {value}")
        for event in events:
            by = f" by {event['user']}" if event["user"] else ""
            instead = f", instead of {event['previous']}" if event["previous"] else ""
            why = f": {event['reason']}" if event["reason"] else ""
            action = event["action"].replace("_", " ")
            self.stdout.write(f"{event['created_at'][:19]}  {action}{instead}{by}{why}")

    def _promote(self, options: dict[str, Any]) -> None:
        version = find_version(options["number"])
        user, reason = find_user(options["user"]), options["reason"]
        promotion.promote(version, user, confirmed=options["confirm"], reason=reason)
        self.stdout.write(f"In use now: {version}")

    def _rollback(self, options: dict[str, Any]) -> None:
        version = registry.roll_back(find_user(options["user"]), reason=options["reason"])
        self.stdout.write(f"Active again: {version}")

    def _archive(self, options: dict[str, Any]) -> None:
        version = find_version(options["number"])
        registry.archive(version, find_user(options["user"]), reason=options["reason"])
        self.stdout.write(f"Archived: {version}")

    def _export(self, options: dict[str, Any]) -> None:
        version, output = find_version(options["number"]), options["output"]
        if output.suffix not in EXPORTS:
            raise CommandError("The file name must end in .onnx, .keras, .npz, .json or .zip.")
        content = EXPORTS[output.suffix](version)
        if content is None:
            raise CommandError(f"There is no {output.suffix} file of {version}, only an ONNX file.")
        output.write_bytes(content)
        self.stdout.write(f"Wrote {output}")

    def _import(self, options: dict[str, Any]) -> None:
        card = options["card"].read_bytes() if options["card"] else None
        found = intake.add(
            find_user(options["user"]),
            options["file"].name,
            options["file"].read_bytes(),
            card=card,
            architecture=options["architecture"],
            note=options["reason"],
            enqueue=False,
        )
        if not found.is_finished:
            if pauses.is_paused(found.queue):
                raise CommandError(f"It waits: the queue {found.queue!r} is paused (see /jobs/).")
            self.stdout.write("Building the network; this takes about half a minute ...")
            tasks.import_weights(str(found.pk))
            found.refresh_from_db()
        if found.model_version is None:
            raise CommandError(found.error_message or tasks.IMPORT.gave_up)
        self.stdout.write(f"Registered: {found.model_version}")


EXPORTS = {
    ".onnx": read_onnx,
    ".keras": read_keras,
    ".npz": read_weights,
    ".json": card_file,
    ".zip": zip_file,
}


def find_version(number: int) -> ModelVersion:
    """The version with this number. Raises CommandError."""
    version = ModelVersion.objects.filter(number=number).first()
    if version is None:
        numbers = ModelVersion.objects.order_by("number").values_list("number", flat=True)
        there = ", ".join(map(str, numbers)) or "none"
        raise CommandError(f"There is no version {number}; there are: {there}.")
    return version


def find_user(email: str | None) -> Any:
    """The account with this address; None without an address. Raises CommandError."""
    if email is None:
        return None
    user = get_user_model().objects.filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"There is no account {email}.")
    return user
