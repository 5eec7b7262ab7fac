"""The connection to a server: idempotent uploads, waiting and retries."""

import contextlib
import email.utils
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from mien_client.faces import Faces
from mien_client.videos import send_video

logger = logging.getLogger(__name__)

FINISHED = {"succeeded", "failed", "canceled"}
TEMPORARY = {429, 502, 503, 504}
WAIT_SECONDS = 20
RETRY_SECONDS = 120
POLL_SECONDS = 0.5


class MienError(Exception):
    """An error: a sentence, the server's stable `code`, and the HTTP status (0 without one)."""

    def __init__(self, message: str, code: str = "error", status: int = 0) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Face:
    """A face: its box (x, y, width, height in pixels) and its expression probabilities.

    `quality` lists why the prediction may be less reliable (small, blurred, turned, eyes_closed,
    partly_covered); `correction` is the owner's correction, an expression or not_a_face. `measures`
    is what the face does as geometry: head pose in degrees, eyes, mouth and brows from 0 to 1; None
    if it was not measured. `covered` is the probability that something hides a part of the face.
    """

    box: dict[str, float]
    score: float
    emotion: str
    probabilities: dict[str, float]
    quality: tuple[str, ...] = ()
    correction: str | None = None
    measures: dict[str, float | None] | None = None
    covered: float | None = None


@dataclass(frozen=True)
class Track:
    """A face across the frames of a video: from when to when in seconds, and mean probabilities."""

    number: int
    first: float
    last: float
    frames: int
    emotion: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Analysis:
    """The result of a photo or video; `error` is {code, message} if it failed.

    Photos have `faces`, videos and sessions `tracks`; `raw` is the full JSON.
    """

    id: str
    status: str
    title: str
    width: int | None
    height: int | None
    model_version: int | None
    faces: tuple[Face, ...]
    error: dict[str, str] | None
    raw: dict[str, Any] = field(repr=False, compare=False)
    tracks: tuple[Track, ...] = ()

    @classmethod
    def read(cls, state: dict[str, Any]) -> Self:
        faces = (
            Face(
                face["box"],
                face["score"],
                face["emotion"],
                face["probabilities"],
                tuple(face["quality"]),
                face["correction"],
                face.get("measures"),
                face.get("covered"),
            )
            for face in state.get("faces", ())
        )
        return cls(
            id=state["id"],
            status=state["status"],
            title=state["title"],
            width=state["width"],
            height=state["height"],
            model_version=state["model_version"],
            faces=tuple(faces),
            error=state["error"],
            raw=state,
            tracks=tuple(
                Track(*(track[name] for name in Track.__dataclass_fields__))
                for track in state.get("tracks", ())
            ),
        )


class Mien:
    """A Mien server, used with an API key. All methods raise MienError with a helpful sentence."""

    def __init__(
        self,
        server: str,
        key: str,
        *,
        retry_seconds: float = RETRY_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`retry_seconds`: how long to retry after network or server errors."""
        if not server.startswith(("http://", "https://")):
            raise MienError(
                f"The server's address must start with http:// or https://, not {server!r}.",
                "bad_server",
            )
        if not (key.isascii() and key.isprintable()):
            raise MienError("This isn't a complete key. Copy it again.", "bad_key")
        self.retry_seconds = retry_seconds
        self._http = httpx.Client(
            base_url=server.rstrip("/") + "/api/v1/",
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(30, read=WAIT_SECONDS + 30),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def analyze(
        self,
        photo: str | Path | bytes,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        faces: str = "auto",
        detail: str = "normal",
        detector: str | None = None,
        keep: str = "picture",
        timeout: float = 300,
        idempotency_key: str | None = None,
    ) -> Analysis:
        """Upload a photo and wait for its result, at most `timeout` seconds.

        `faces`, `detail` and `detector` are as in the API: `whole` reads the picture as one face,
        `high` looks for small faces in large photos; fast, balanced or thorough, None for what the
        server does. `keep` is what it stores: picture, blurred or numbers. Calls with the same
        `idempotency_key` analyze the photo once; without one, each call is a new request.
        """
        deadline = time.monotonic() + timeout
        content = photo if isinstance(photo, bytes) else Path(photo).read_bytes()
        name = title or ("photo" if isinstance(photo, bytes) else Path(photo).name)
        quoted = quote(name, errors="replace")  # file names may not be UTF-8
        answer = self._request(
            "POST",
            "analyses/",
            content=content,
            params={
                "faces": faces,
                "detail": detail,
                "tags": list(tags),
                "keep": keep,
                **({"detector": detector} if detector else {}),
            },
            headers={
                "Content-Type": "image/*",
                "Content-Disposition": f"attachment; filename*=UTF-8''{quoted}",
                "Idempotency-Key": idempotency_key or str(uuid.uuid4()),
                "Prefer": f"wait={min(WAIT_SECONDS, int(timeout))}",
            },
        )
        state = answer["analyses"][0]
        while state["status"] not in FINISHED:
            if time.monotonic() > deadline:
                raise MienError(
                    f"{name} was not analyzed within {timeout:.0f} seconds; it stays queued.",
                    "timeout",
                )
            time.sleep(POLL_SECONDS)
            state = self._request("GET", f"analyses/{state['id']}/")
        return self.get(state["id"]) if "faces" not in state else Analysis.read(state)

    def analyze_video(
        self,
        path: str | Path,
        *,
        fps: float | None = 5,
        start: float = 0,
        end: float | None = None,
        audio: bool = True,
        title: str = "",
        detail: str = "normal",
        detector: str = "fast",
        keep: str = "picture",
        timeout: float = 24 * 3600,
        on_progress: Callable[[float], object] = lambda share: None,
    ) -> Analysis:
        """Send a video in pieces and wait until it has been read, at most `timeout` seconds.

        `fps` are the frames to read a second, None for all, between `start` and `end` in seconds;
        without `audio` the server keeps a silent copy. `on_progress` is called with the share that
        is done: the first tenth is the upload.
        """
        deadline, file = time.monotonic() + timeout, Path(path)
        options = {
            "fps": "all" if fps is None else f"{fps:g}",
            "start": f"{start:g}",
            **({} if end is None else {"end": f"{end:g}"}),
            "audio": str(audio).lower(),
            "detail": detail,
            "detector": detector,
            "keep": keep,
            **({"title": title} if title else {}),
        }
        analysis, size = "", max(1, file.stat().st_size)
        for step in send_video(self._http, self._sit_out, file, options):
            if isinstance(step, str):
                analysis = step
            else:
                on_progress(step / size / 10)
        while True:
            found = self._request("GET", "analyses/", params={"id": analysis})["results"]
            if not found:
                raise MienError(f"{file.name} was deleted meanwhile.", "not_found", 404)
            if found[0]["status"] in FINISHED:
                return self.get(analysis)
            if time.monotonic() > deadline:
                message = f"{file.name} was not read within {timeout:.0f} seconds; it goes on."
                raise MienError(message, "timeout")
            on_progress(0.1 + 0.9 * found[0]["video"]["share"])
            time.sleep(POLL_SECONDS)

    def get(self, analysis_id: str) -> Analysis:
        """One analysis with its faces or tracks."""
        return Analysis.read(self._request("GET", f"analyses/{analysis_id}/"))

    def faces(self, **filters: Any) -> Faces:
        """The faces of the history, newest first, page by page; `filters` are those of the API.

        for face in mien.faces(emotion="happy", min_probability=0.9): ...
        table = mien.faces().to_pandas()
        """
        return Faces(lambda address, query: self._request("GET", address, params=query), filters)

    def delete(self, analysis_id: str) -> None:
        """Delete an analysis and its photo."""
        self._request("DELETE", f"analyses/{analysis_id}/")

    def export(
        self,
        path: str | Path,
        *,
        format: str = "csv",
        filters: Mapping[str, str | int | list[str]] | None = None,
        timeout: float = 600,
    ) -> dict[str, Any]:
        """Export the faces of the history to a local file; returns the export's state.

        `format` is csv, csv_excel, xlsx, jsonl, parquet or zip, or mp4 for one video with its faces
        drawn onto it; `filters` are those of the API. Waits for the server to make the file, and
        deletes its copy after the download. `path` is complete or untouched; a codebook of a
        table's columns (Table Schema) is written beside it.
        """
        deadline = time.monotonic() + timeout
        wanted = {"format": format, "filters": dict(filters or {})}
        once = {"Idempotency-Key": str(uuid.uuid4())}  # however often it is retried
        state: dict[str, Any] = self._request("POST", "exports/", json=wanted, headers=once)
        address = f"exports/{state['id']}/"
        try:
            while state["status"] not in FINISHED:
                if time.monotonic() > deadline:
                    message = f"The export was not finished within {timeout:.0f} seconds."
                    raise MienError(message, "timeout")
                time.sleep(POLL_SECONDS)
                state = self._request("GET", address)
            if state["status"] != "succeeded":
                error = state["error"] or {"message": "Canceled.", "code": "canceled"}
                raise MienError(error["message"], error["code"])
            self._fetch(f"{address}file/", Path(path))
            if state.get("codebook_url"):  # a table, and no server of before codebooks
                self._fetch(f"{address}codebook/", Path(path).with_suffix(".schema.json"))
        finally:
            # Also if nobody waits any more: their number is limited.
            with contextlib.suppress(MienError):
                self._request("DELETE", address)
        return state

    def me(self) -> dict[str, Any]:
        """The key's owner, limits and usage."""
        me: dict[str, Any] = self._request("GET", "me/")
        return me

    def _fetch(self, address: str, path: Path) -> None:
        """Stream a response to a file; retries from the start like _request."""
        partial = path.with_name(f"{path.name}.partial")
        try:
            self._sit_out(lambda: self._write(address, partial))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _write(self, address: str, path: Path) -> httpx.Response:
        with path.open("wb") as file, self._http.stream("GET", address) as response:
            if not response.is_success:
                response.read()  # the problem document
                return response
            for piece in response.iter_bytes():
                file.write(piece)
        return response

    def _request(self, method: str, path: str, **options: Any) -> Any:
        response = self._sit_out(lambda: self._http.request(method, path, **options))
        return _body(response)

    def _sit_out(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until it succeeds. Raises MienError when giving up."""
        deadline, pause = time.monotonic() + self.retry_seconds, 0.5
        told = False
        while True:
            try:
                response = send()
            except httpx.TransportError as error:
                problem = MienError(f"{self._http.base_url} can't be reached: {error}.", "network")
            else:
                if response.is_success:
                    return response
                problem = _problem(response)
                in_progress = problem.code == "request_in_progress"
                if response.status_code not in TEMPORARY and not in_progress:
                    raise problem
                pause = max(pause, _seconds(response.headers.get("Retry-After", "0")))
            if time.monotonic() + pause > deadline:
                raise problem
            if not told:
                logger.warning("%s Trying again.", problem)
            told = True
            time.sleep(pause)
            pause = min(2 * pause, 10)


def _body(response: httpx.Response) -> Any:
    """The JSON of a successful response; MienError if it isn't from Mien."""
    try:
        return response.json() if response.content else None
    except ValueError:
        message = f"At {response.url.host} isn't a Mien server."
        raise MienError(message, "not_mien", response.status_code) from None


def _seconds(retry_after: str) -> float:
    """How long a Retry-After header, in seconds or as a date, asks to wait."""
    try:
        if retry_after.strip().isdecimal():
            return float(retry_after)
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0


def _problem(response: httpx.Response) -> MienError:
    """The error from a problem document, or from any other response."""
    try:
        body = response.json()
        first = (body.get("errors") or [body])[0]
        message = first.get("message") or body["detail"]
        return MienError(message, first.get("code") or body["code"], response.status_code)
    except (ValueError, KeyError, AttributeError, TypeError):
        message = f"The server answered {response.status_code} {response.reason_phrase}."
        return MienError(message, f"http_{response.status_code}", response.status_code)
