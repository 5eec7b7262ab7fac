"""`python -m tests.proof.access`: everything is requested by those whom it doesn't belong to.

A person owns one of everything. Then an anonymous visitor, another person, another person's key and
the administrator ask a running site for every address of its resolver with every method, for every
stored file and every socket. Nothing of the person's may come back, and nothing may change. The
owner asks too: a wrong address would keep every promise. A pattern that nobody asks for breaks the
proof.
"""

import hashlib
import importlib
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import skimage.data
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import encode
from tests.proof.report import Report, options_of
from tests.proof.site import ProofSite, proof_site, wait_for

OWNER, OTHER = "owner-of-it-all@example.org", "someone-else@example.org"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
NOWHERE = {"admin/(?P<url>.*)$": "admin/nothing/", "api/v1/": "api/v1/nothing/"}
"""Patterns for what matches no other one."""
STAFF = re.compile(
    r"(admin/|training/|models/|jobs/|api/v1/(datasets|training-runs|model-imports|evaluations"
    r"|jobs|media-imports)/|api/v1/models/<int:number>/promote/)"
)
OPEN = ("accounts/confirm", "accounts/^", "api/v1/models/")
"""What begins the patterns with a parameter that names nobody's own."""
ENDS_SESSION = {"accounts/logout/", "admin/logout/", "account/delete/"}
CLOSED = {302, 401, 403, 404, 405, 415}  # 415 is said before anyone is let in
TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}


def concrete(route: str, own: dict[str, Any], rows: ModuleType) -> str:
    """An address of this pattern, of existing objects. Raises KeyError if there is no way."""
    if route in NOWHERE:
        return f"/{NOWHERE[route]}"
    keys = dict(own)
    if route.endswith("/media/") or "<uuid:analysis>" in route:
        keys["analyses"] = own["videos"]
    if "/webauthn/" in route:
        keys["keys"] = own["passkeys"]
    path = route.replace("^", "").removesuffix("$")
    path = path.replace("training/runs/<uuid:pk>", f"training/runs/{own['training-runs']}")
    path = path.replace("<path:content_type_id>/<path:object_id>", "1/1").replace("<id>", "1")
    if found := re.match(r"admin/(\w+/\w+)/<path:object_id>", path):
        path = path.replace("<path:object_id>", str(rows.first_of(found[1])))
    path = re.sub(r"\(\?P<app_label>[^)]*\)", "recognition", path)
    path = re.sub(r"\(\?P<(uidb36|key)>[^)]*\)", "1", path)
    path = path.replace(r"([0-9a-f]{64})\.onnx", f"{'0' * 64}.onnx")  # of no network
    path = re.sub(r"jobs/<str:kind>/<uuid:pk>", f"jobs/analysis/{own['analyses']}", path)
    words = {"<str:queue>": "frames", "<str:kind>": "onnx", "<int:number>": "1"}
    for name, value in words.items():
        path = path.replace(name, value)
    return "/" + re.sub(r"([\w-]+)/<[^>]*>", lambda word: f"{word[1]}/{keys[word[1]]}", path)


class Stranger:
    """Somebody whom nothing belongs to, and what came back."""

    def __init__(self, name: str, client: httpx.Client, forbidden: list[str], digests: set[str]):
        self.name, self.client, self.forbidden, self.digests = name, client, forbidden, digests
        self.asked: Counter[int] = Counter()
        self.leaks: list[str] = []
        self.let_in: list[str] = []
        self.errors: list[str] = []

    def ask(self, method: str, address: str, owned: bool = False) -> None:
        body: dict[str, Any] = {}
        if method in ("POST", "PUT", "PATCH"):
            body = {"json": {}}
            if "/uploads/" in address:
                kind = {"Content-Type": "application/offset+octet-stream"}
                body = {"content": b"stolen", "headers": {**TUS, **kind}}
        elif "/uploads/" in address:
            body = {"headers": TUS}
        with self.client.stream(method, address, **body) as answer:
            content = b"".join(answer.iter_bytes())
        what = f"{self.name}: {method} {address} -> {answer.status_code}"
        self.asked[answer.status_code] += 1
        if answer.status_code >= 500:
            self.errors.append(what)
        text = content.decode("utf-8", "replace") + str(answer.headers.raw)
        if any(word in text for word in self.forbidden):
            self.leaks.append(what)
        if content and hashlib.sha256(content).hexdigest() in self.digests:
            self.leaks.append(f"{what}, a stored file")
        if owned and answer.status_code not in CLOSED:
            self.let_in.append(what)


def addresses(rows: ModuleType, own: dict[str, Any], report: Report) -> dict[str, str]:
    """An address for each pattern; a pattern without one breaks a promise."""
    from django.urls import Resolver404, resolve  # needs the settings of the site that runs now

    found, missed = {}, []
    for route in rows.routes():
        try:
            address = concrete(route, own, rows)
            match = resolve(address)
        except (KeyError, Resolver404) as error:
            missed.append(f"{route}: {error!r}")
            continue
        # Django leaves out the ^ of a part that follows another one.
        if match.route not in (route, route.replace("/^", "/")):
            missed.append(f"{route}: {address} belongs to {match.route}")
        found[route] = address
    report.figure("patterns of the resolver", len(found) + len(missed))
    report.promise("each pattern has an address that belongs to it", missed)
    return dict(sorted(found.items(), key=lambda pair: pair[0] in ENDS_SESSION))


def is_owned(route: str) -> bool:
    """Whether an address of this pattern is of one person's object, or for administrators."""
    return bool(STAFF.match(route)) or (
        "<" in route and not route.startswith(("accounts/", "api/v1/models/"))
    )


def methods_of(route: str, one: Stranger) -> Sequence[str]:
    """How somebody asks for an address of this pattern."""
    if one.name == "administrator":  # may delete accounts, for example: only looks here
        return METHODS[:1]
    if route in ENDS_SESSION and one.name == "another":
        return METHODS[:2]
    # Django's admin is behind one door, and pages answer to forms alone.
    return METHODS if is_owned(route) and not route.startswith("admin/") else ("GET", "POST")


def files_asked(names: dict[str, Path]) -> Iterator[str]:
    for name in names:
        for prefix in ("media", "private", "static", "data/media", "static/..%2f..%2fmedia", "."):
            yield f"/{prefix}/{name}"


def check_filters(
    site: ProofSite, other: httpx.Client, own: dict[str, Any], word: str
) -> list[str]:
    """What another person gets when filters, searches and bodies name what isn't theirs."""
    leaks = []
    api = "/api/v1"
    one = own["analyses"]
    for query in (
        *(f"analyses/?id={one}", f"analyses/?q={word}", f"analyses/?tag={word}"),
        *(f"faces/?analysis={one}", f"faces/?q={word}", "faces/", "stats/", "uploads/"),
        *("exports/", "keys/", "webhooks/", "me/", "media-imports/"),
    ):
        text = other.get(f"{api}/{query}").text
        if word in text.replace(f"q={word}", "") or str(one) in text:
            leaks.append(f"{query}: {text[:200]}")
    for filters in ({}, {"id": str(own["analyses"])}, {"q": word}):
        wanted = {"format": "jsonl", "filters": filters}
        made = other.post(f"{api}/exports/", json=wanted)
        if not made.is_success:
            leaks += [f"export {filters}: {made.status_code}"] * (made.status_code >= 500)
            continue
        address = f"{api}/exports/{made.json()['id']}/"
        done = wait_for(lambda a=address: other.get(a).json()["status"] == "succeeded", "it", 60)
        content = other.get(f"{address}file/").text
        if not done or content.strip():
            leaks.append(f"export {filters}: {content[:200]}")
        other.delete(address)
    video = other.post(
        f"{api}/exports/", json={"format": "mp4", "filters": {"id": str(own["videos"])}}
    )
    if video.is_success:
        leaks.append(f"an annotated video of another person: {video.text[:200]}")
    return leaks


def close_code(address: str, **options: Any) -> int:
    """How a socket ends that may not be opened: its close code, or the status; 0 if it stays."""
    try:
        with connect(address, compression=None, **options) as socket:
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                socket.recv(max(0.1, deadline - time.monotonic()))
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006
    except InvalidStatus as refused:
        return refused.response.status_code
    except TimeoutError:
        return 0
    return 0


def cookies_of(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def check_sockets(site: ProofSite, owner: httpx.Client, other: httpx.Client, key: str) -> list[str]:
    """Every socket, opened by those who may not; and what others hear of the owner's upload."""
    from recognition.routing import websocket_urlpatterns  # needs the settings, as above

    wrong = []
    base = site.url.replace("http", "ws", 1)
    wanted = {
        "ws/analyses/": {"anonymous": 4401, "with a key": 4401},
        "ws/training/": {"anonymous": 4401, "another": 4401, "with a key": 4401},
        "ws/live/": {"anonymous": 4401, "with a key": 4401},
    }
    for pattern in websocket_urlpatterns:
        route = str(pattern.pattern)
        people = {
            "anonymous": {"origin": site.url},
            "another": {"origin": site.url, "additional_headers": cookies_of(other)},
            "with a key": {"additional_headers": {"Authorization": f"Bearer {key}"}},
            "another site's page": {
                "origin": "http://evil.example.org",
                "additional_headers": cookies_of(owner),
            },
        }
        for name, options in people.items():
            expected = {**wanted.get(route, {}), "another site's page": 403}.get(name)
            if expected is None and route in wanted:
                continue
            code = close_code(f"{base}/{route}", **options)
            # Without an origin, a page's socket is refused before it opens.
            if code not in {expected, 403, 4401}:
                wrong.append(f"{name} at {route}: {code}")
    address, heard = f"{base}/ws/analyses/", {}
    with (
        connect(address, additional_headers=cookies_of(owner), origin=site.url) as own,
        connect(address, additional_headers=cookies_of(other), origin=site.url) as others,
    ):
        photo = encode(skimage.data.astronaut())
        owner.post("/api/v1/analyses/", content=photo, headers={"Content-Type": "image/jpeg"})
        for name, socket in (("owner", own), ("another", others)):
            try:
                heard[name] = json.loads(socket.recv(15 if name == "owner" else 5))
            except TimeoutError:
                heard[name] = None
    if heard["owner"] is None:
        wrong.append("the owner heard nothing of an upload")
    if heard["another"] is not None:
        wrong.append(f"another person heard {heard['another']}")
    return wrong


def access(report: Report) -> None:
    with proof_site(MIEN_LIVE_SESSIONS_PER_USER="9") as site:
        administrator = site.administrator()
        owner, other = site.person(OWNER), site.person(OTHER)
        os.environ.update(site.environment, DJANGO_SETTINGS_MODULE="fer_site.settings")
        rows: Any = importlib.import_module("tests.proof.rows")  # reads that environment
        person, admin = rows.person(OWNER), rows.administrator()
        own = rows.make_all(person, encode(skimage.data.astronaut()))
        own |= rows.make_training(admin)
        report.say(f"the owner has {len(own)} kinds of things")
        keys = {
            scopes: rows.key_for(rows.person(OTHER), scopes.split())
            for scopes in ("read analyze train", "read")
        }
        places = addresses(rows, own, report)
        before, files = rows.picture_of(person), rows.files_of(person)
        digests = rows.digests(files)
        report.figure("rows and files of the owner", [len(before), len(files)])

        bearer = {"Authorization": f"Bearer {keys['read analyze train']}"}
        hidden = [rows.WORD, rows.NAME, OWNER]
        contents = set(digests.values())
        strangers = [
            Stranger("anonymous", httpx.Client(base_url=site.url, timeout=60), hidden, contents),
            Stranger("another", other, hidden, contents),
            Stranger(
                "another's key",
                httpx.Client(base_url=site.url, headers=bearer, timeout=60),
                *(hidden, contents),
            ),
            # Sees who there is, but nothing of what they have.
            Stranger("administrator", administrator, [rows.WORD], contents),
        ]
        for one in strangers:
            for route, address in places.items():
                for method in methods_of(route, one):
                    owned = is_owned(route) and one.name != "administrator"
                    one.ask(method, address, owned)
            for address in files_asked(files):
                one.ask("GET", address)
            report.figure(f"requests of {one.name}", dict(sorted(one.asked.items())))
        report.promise("nothing of the owner's came back", [x for s in strangers for x in s.leaks])
        report.promise("what is owned stays closed", [x for s in strangers for x in s.let_in])
        report.promise("no request is a server error", [x for s in strangers for x in s.errors])
        report.promise(
            "filters, searches, exports and bodies open nothing",
            check_filters(site, other, own, rows.WORD),
        )
        after = rows.picture_of(person)
        report.promise("no row of the owner's has changed", differing(before, after))
        kept = rows.digests(rows.files_of(person))
        report.promise("no file of the owner's has changed", differing(digests, kept))
        report.promise("sockets tell nobody else", check_sockets(site, owner, other, keys["read"]))
        theirs = {route: place for route, place in places.items() if not STAFF.match(route)}
        report.promise("the owner gets in", refused(owner, theirs))
        # Django's admin sends those on who ask for a row that isn't there.
        staff = {
            route: place
            for route, place in places.items()
            if STAFF.match(route) and not route.startswith("admin/")
        }
        report.promise("the administrator gets in", refused(administrator, staff))
        report.promise("no other machine was asked for", site.asked_for())


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]


def refused(client: httpx.Client, places: dict[str, str]) -> list[str]:
    """The owned addresses that don't even open for those whom they belong to."""
    found = []
    for route, address in places.items():
        if is_owned(route):
            status = client.get(address, headers=TUS).status_code
            if status not in {200, 302, 400, 405}:  # 400: parameters are missing
                found.append(f"{route}: {address} -> {status}")
    return found


def main() -> int:
    parser = options_of(__doc__)
    options = parser.parse_args()
    report = Report("access", vars(options))
    access(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
