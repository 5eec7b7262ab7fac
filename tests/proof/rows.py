"""Django on the database of the running site: import it once MIEN_DATA names that.

Makes what a person can own, with a word in it that nothing else contains, and takes pictures of it
all, before and after strangers have tried everything.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.db.models import FileField, Model  # noqa: E402
from django.urls import URLPattern, get_resolver  # noqa: E402

from recognition.api import keys  # noqa: E402
from recognition.live import recordings  # noqa: E402
from recognition.models import Analysis, ApiKey, Export, Face, Marker, Track, Webhook  # noqa: E402
from recognition.registry import registry  # noqa: E402
from tests.processes import wait_until  # noqa: E402
from tests.recognition.api.rows import Rows, rows_of, rows_of_training  # noqa: E402
from tests.recognition.live.test_recordings import tracked  # noqa: E402
from training.models import Dataset  # noqa: E402

WORD = "zephyrquartz"
"""In every text of the owner's, and nowhere else."""
NAME = "quartzzephyr"
"""What the owner's keys and passkeys are called; administrators see that."""
NOT_OWNED = {"session", "contenttype", "permission", "logentry", "modelevent"}


def person(email: str) -> Any:
    return get_user_model().objects.get(email=email)


def make_all(owner: Any, photo: bytes) -> dict[str, Any]:
    """One of everything that a person can own; its keys by the word that addresses name it with."""
    rows = rows_of(owner, photo)
    for _model, make in rows.values():
        make()
    # The site's own workers may have been faster than the calls above.
    unfinished = Analysis.objects.filter(owner=owner, status__in=("queued", "running"))
    wait_until(lambda: not unfinished.exists(), "the analyses")
    recorder = recordings.Recorder(owner.pk, 0.0)
    recorder.note([tracked(1)], 0.1, (640, 480), registry.active_version().number)
    recorder.finish(1.0)
    Authenticator.objects.create(user=owner, type="webauthn", data={"name": NAME})
    Analysis.objects.filter(owner=owner).update(
        title=f"{WORD}.jpg", notes=WORD, tags=[WORD], search_text=WORD
    )
    Track.objects.filter(analysis__owner=owner).update(name=WORD)
    Marker.objects.filter(analysis__owner=owner).update(label=WORD)
    ApiKey.objects.filter(owner=owner).update(name=NAME)
    Webhook.objects.filter(owner=owner).update(url=f"https://{WORD}.example.org/", secret=WORD)
    own = {name: _first(model, owner) for name, (model, _make) in rows.items()}
    photos = Analysis.objects.filter(owner=owner, photo__gt="")
    own["analyses"] = photos.values_list("pk", flat=True)[0]
    own["faces"] = Face.objects.get(analysis_id=own["analyses"]).pk
    own["passkeys"] = Authenticator.objects.get(user=owner).pk
    own |= {"tracks": 1, "files": "webvtt"}
    return own


def _first(model: type[Model], owner: Any) -> Any:
    owned = {"owner", "analysis", "webhook"} & {field.name for field in model._meta.fields}
    path = next(
        name if name == "owner" else f"{name}__owner" for name in sorted(owned, reverse=True)
    )
    return (
        model._default_manager.filter(**{path: owner})
        .order_by("pk")
        .values_list("pk", flat=True)[0]
    )


def make_training(administrator: Any) -> dict[str, Any]:
    """One of everything that administrators see; its keys by the word in addresses."""
    settings.DATASETS_DIR.mkdir(exist_ok=True)
    rows: Rows = rows_of_training(administrator)
    unfinished = Dataset.objects.filter(status__in=("queued", "running"))
    own = {}
    for name, (model, make) in rows.items():
        if not model._default_manager.exists():
            make()
        # A worker of the site may be reading the file that the next one writes again.
        wait_until(lambda: not unfinished.exists(), "the check of the data")
        own[name] = model._default_manager.values_list("pk", flat=True)[0]
    return own


def key_for(owner: Any, scopes: list[str]) -> str:
    return keys.create(owner, "another's", scopes)[1]


def routes() -> Iterator[str]:
    """Every address pattern of the site."""
    return _routes(get_resolver().url_patterns, "")


def _routes(patterns: list, before: str) -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from _routes(pattern.url_patterns, route)


def first_of(table: str) -> Any:
    """The key of some row of APP/MODEL; 1 if there is none."""
    return (
        apps.get_model(*table.split("/"))._default_manager.values_list("pk", flat=True).first() or 1
    )


def picture_of(owner: Any) -> dict[str, str]:
    """Each row that belongs to a person, as text, by table and key."""
    found = {}
    for model in apps.get_models():
        if model._meta.model_name in NOT_OWNED:
            continue
        for path in ("owner", "user", "analysis__owner", "webhook__owner"):
            if path.split("__")[0] in {field.name for field in model._meta.fields}:
                rows = model._default_manager.filter(**{path: owner}).values()
                found |= {
                    f"{model.__name__} {row[model._meta.pk.attname]}": _text(row) for row in rows
                }
                break
    account = get_user_model().objects.filter(pk=owner.pk).values()[0]
    found["account"] = _text(account)
    return found


def _text(row: dict[str, Any]) -> str:
    return json.dumps({name: str(value) for name, value in row.items()}, sort_keys=True)


def files_of(owner: Any) -> dict[str, Path]:
    """The stored files of a person, by their names."""
    found = {}
    for model in (Analysis, Export):
        fields = [field.name for field in model._meta.fields if isinstance(field, FileField)]
        for row in model._default_manager.filter(owner=owner):
            names = filter(None, (getattr(row, field).name for field in fields))
            found |= {name: Path(settings.MEDIA_ROOT) / name for name in names}
    return found


def digests(files: dict[str, Path]) -> dict[str, str]:
    """What each file contains, as a hash, by its name."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def administrator() -> Any:
    return get_user_model().objects.get(is_superuser=True)
