"""Requesting an export: checks the filters and limits, and queues the job."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from recognition.history.filters import HistoryFilter
from recognition.jobs import work
from recognition.jobs.lease import Status
from recognition.models import Analysis, Export

MOST_AT_ONCE = 3  # queued or running, of a person
MOST_KEPT = 30  # per person, in total
MOST_IDS = 1000  # selected entries

Trouble = dict[str, list[tuple[str, str]]]
"""Problems with filters: pairs of a code and a sentence, by the filter's name."""


class FiltersRefused(Exception):
    """Filters with invalid values or unknown names."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class TooManyExports(Exception):
    """The person has reached a limit; the text says what to do."""


def request_export(
    owner: User, format: str, filters: Mapping[str, Any], pk: UUID | None = None
) -> Export:
    """A queued export, with the key `pk` if given, and the message for its worker.

    Raises FiltersRefused or TooManyExports.
    """
    checked = check_filters(filters)
    if format == Export.Format.MP4:
        check_video(owner, checked)
    if format == Export.Format.ZIP and checked:
        message = "A zip holds everything that is yours: send it without filters."
        name = next(iter(checked))
        raise FiltersRefused({name: [("no_filters", message)]})
    with transaction.atomic():
        check_room(owner)
        if Export.objects.filter(owner=owner).count() >= MOST_KEPT:
            raise TooManyExports(f"You keep {MOST_KEPT} exports already: delete some first.")
        export = Export(pk=pk or uuid4(), owner=owner, format=format, filters=checked)
        export.save(force_insert=True)
        work.submit(export)
    return export


def retry(export: Export) -> bool:
    """Queue a failed or canceled export again; False if it is neither. Raises TooManyExports."""
    with transaction.atomic():
        check_room(export.owner)
        return work.retry(export)


def check_room(owner: User) -> None:
    """Raises TooManyExports if as many as allowed are being made. Call in a transaction."""
    # Two requests at once must not both pass the limit.
    get_user_model().objects.select_for_update().get(pk=owner.pk)
    unfinished = Export.objects.filter(owner=owner, status__in=[Status.QUEUED, Status.RUNNING])
    if unfinished.count() >= MOST_AT_ONCE:
        raise TooManyExports(
            f"{MOST_AT_ONCE} exports are being made already: wait for one or cancel it."
        )


def check_video(owner: User, filters: Mapping[str, str]) -> None:
    """Raises FiltersRefused unless the filters name one video that can be annotated."""
    chosen = HistoryFilter({"id": filters.get("id", ",")}, Analysis.objects.filter(owner=owner))
    one = "," not in filters.get("id", ",") and chosen.is_valid() and set(filters) == {"id"}
    if not one or not chosen.qs.filter(status=Status.SUCCEEDED).exclude(media="").exists():
        message = "Choose one video that has been read, by its id: this format shows one."
        raise FiltersRefused({"id": [("one_video", message)]})


def check_filters(filters: Mapping[str, Any]) -> dict[str, str]:
    """The filters as names and texts, without empty ones. Raises FiltersRefused.

    `id` may also be a list.
    """
    texts, trouble = {}, Trouble()
    for name, value in filters.items():
        if name not in HistoryFilter.base_filters:
            trouble[name] = [("unknown", "There is no such filter.")]
        elif isinstance(value, list) and name == "id":
            texts[name] = _printable(",".join(map(str, value)))
        elif value is None or isinstance(value, str | int | float):
            texts[name] = _printable("" if value is None else str(value))
        else:
            trouble[name] = [("invalid", "Give a text or a number.")]
    if texts.get("id") == "":  # nothing selected surely doesn't mean everything
        trouble["id"] = [("empty", "Choose at least one entry.")]
    elif texts.get("id", "").count(",") >= MOST_IDS:
        trouble["id"] = [("too_many", f"Choose at most {MOST_IDS} entries.")]
    if not trouble:
        form = HistoryFilter(texts, Analysis.objects.none()).form
        for name, errors in form.errors.get_json_data().items():
            trouble[name] = [(error["code"] or "invalid", error["message"]) for error in errors]
    if trouble:
        raise FiltersRefused(trouble)
    return {name: text for name, text in texts.items() if text}


def _printable(text: str) -> str:
    """Replaces lone surrogates, which JSON can carry but no database accepts, by question marks."""
    return text.encode(errors="replace").decode()
