"""Videos: sent in pieces that resume after a lost connection (tus 1.0)."""

import base64
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO

import httpx

PIECE_BYTES = 7 * 1024**2  # below the limits of usual proxies
VERSION = {"Tus-Resumable": "1.0.0"}
VIDEOS = {
    *(".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".mkv", ".avi"),
    *(".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts"),
}
"""The usual endings of videos' names."""

Send = Callable[[Callable[[], httpx.Response]], httpx.Response]


def send_video(
    http: httpx.Client, sit_out: Send, path: Path, options: Mapping[str, str]
) -> Iterator[int | str]:
    """Send a file; gives the bytes sent so far, and at last the id of its analysis.

    `sit_out` repeats a request until it succeeds. Nothing is sent twice but a piece that was
    interrupted.
    """
    metadata = {"filename": path.name, **options}
    pairs = (
        f"{name} {base64.b64encode(value.encode(errors='replace')).decode()}"
        for name, value in metadata.items()
    )
    size = path.stat().st_size
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
    address = sit_out(lambda: http.post("uploads/", headers=headers)).headers["Location"]
    offset, analysis = 0, ""
    with path.open("rb") as file:
        while not analysis:
            response = sit_out(partial(_append, http, address, offset, file))
            offset = int(response.headers["Upload-Offset"])
            analysis = response.headers.get("Mien-Analysis", "")
            yield offset
    yield analysis


def _append(http: httpx.Client, address: str, offset: int, file: IO[bytes]) -> httpx.Response:
    file.seek(offset)
    headers = {
        **VERSION,
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    response = http.patch(address, content=file.read(PIECE_BYTES), headers=headers)
    if response.status_code == 409:  # it had arrived, only the answer was lost
        return http.head(address, headers=VERSION)
    return response
