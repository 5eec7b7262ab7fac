"""Everything that is somebody's, in one zip: the right to a copy (GDPR, Articles 15 and 20)."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePath
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder

from recognition import describe, face_states
from recognition.audit import trail
from recognition.history.tables import COLUMNS, as_cells, read_rows
from recognition.models import Analysis, Consent, Face, Retention, Upload

README = """\
Everything that this site holds of your account.

account.json    who you are here, your keys, webhooks, consents and settings; keys and secrets
                themselves are left out, because this file is passed on more easily than they are
entries.jsonl   one photo, video or webcam session per line, with its title, tags and notes, its
                faces (of a photo), or tracks and markers (of a video or session)
faces.csv       one face of one picture per line, with its box and probabilities
photos/         the stored photos, named by entry
videos/         the stored videos, and below tracks/ the picture of each face
uploads/        videos that are still being uploaded
activity.csv    what you and programs with your keys did and looked at
"""

PIECE = 1 << 20  # bytes of a file
# Compressed already.
AS_IT_IS = {".jpg", ".mp4", ".webm"}


def write(owner: User, path: Path, tell: Callable[[int], bool]) -> None:
    """Write the archive; `tell` hears how many entries are in it, and says whether to go on."""
    entries = Analysis.objects.filter(owner=owner).select_related("model_version", "video")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("account.json", _as_json(about(owner), indent=2))
        with archive.open("activity.csv", "w") as file:
            for line in trail.as_csv(trail.entries_of(owner.pk)):
                file.write(line.encode())
        with archive.open("entries.jsonl", "w", force_zip64=True) as file:
            for entry in entries.order_by("created_at", "pk").iterator(200):
                file.write(f"{_as_json(_in_full(entry))}\n".encode())
        with archive.open("faces.csv", "w", force_zip64=True) as file:
            _write_faces(owner, file)
        for done, entry in enumerate(entries.order_by("created_at", "pk").iterator(200), 1):
            _add_files(archive, entry)
            if not tell(done):
                return
        for upload in Upload.objects.filter(owner=owner, analysis=None):
            waiting = settings.UPLOADS_DIR / str(upload.pk)
            if waiting.exists():
                archive.write(waiting, f"uploads/{upload.pk}-{PurePath(upload.name).name}")


def about(owner: User) -> dict[str, Any]:
    """Who somebody is here."""
    key_facts = ("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at")
    consents = Consent.objects.filter(user=owner).select_related("text")
    retention = Retention.objects.filter(user=owner).first()
    return {
        "email": owner.email,
        "joined": owner.date_joined,
        "last_sign_in": owner.last_login,
        "administrator": owner.is_staff,
        "entries_are_kept_for_days": retention.days if retention else None,
        "keys": list(owner.api_keys.values(*key_facts, "revoked_at")),
        "webhooks": list(owner.webhooks.values("url", "active", "created_at")),
        "consents": [
            {
                "project": consent.text.project,
                "version": consent.text.version,
                "text": consent.text.body,
                "accepted_at": consent.accepted_at,
                "withdrawn_at": consent.withdrawn_at,
            }
            for consent in consents
        ],
    }


def _in_full(entry: Analysis) -> dict[str, Any]:
    found: dict[str, Any] = dict(describe.describe_analysis(entry))
    if entry.kind == Analysis.Kind.IMAGE:
        found["faces"] = [face_states.describe_face(face) for face in entry.faces.defer("mesh")]
        found["meshes"] = face_states.describe_meshes(entry)["meshes"]
    else:
        facts = ("number", "name", "not_a_face", "emotion", "baseline")
        found["tracks"] = list(entry.tracks.values(*facts))
        found["markers"] = list(entry.markers.values("label", "start", "end", "excluded"))
    return found


def _write_faces(owner: User, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    with closing(read_rows(Face.objects.filter(owner_id=owner.pk))) as rows:
        table.writerows(map(as_cells, rows))
    text.detach()


def _add_files(archive: zipfile.ZipFile, entry: Analysis) -> None:
    for folder, stored in (("photos", entry.photo), ("videos", entry.media)):
        if stored:
            name = f"{folder}/{entry.pk}{PurePath(str(stored.name)).suffix}"
            _add(archive, name, _pieces(str(stored.name)))
    for track in entry.tracks.exclude(picture=None) if entry.kind == Analysis.Kind.VIDEO else ():
        name = f"videos/tracks/{entry.pk}-{track.number}.jpg"
        _add(archive, name, [bytes(track.picture or b"")])


def _pieces(stored: str) -> Iterator[bytes]:
    try:
        with default_storage.open(stored) as file:
            while piece := file.read(PIECE):
                yield piece
    except FileNotFoundError:  # deleted since the row was read
        return


def _add(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    info = zipfile.ZipInfo(name)
    stored = PurePath(name).suffix in AS_IT_IS
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)


def _as_json(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder, **options)
