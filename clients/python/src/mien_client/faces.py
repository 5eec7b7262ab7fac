"""The faces of a history, page by page, and as a table."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import pandas

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
MEASURES = (
    *("yaw", "pitch", "roll", "eye_left", "eye_right"),
    *("mouth_open", "mouth_corners", "brows", "gaze_x", "gaze_y"),
)
COLUMNS = [
    *("analysis", "kind", "title", "tags", "created_at", "model_version"),
    *("face", "track", "track_name", "seconds", "frame", "x", "y", "width", "height", "score"),
    *("emotion", "probability", *EMOTIONS, "quality", "correction"),
    *(*MEASURES, "covered"),
]
"""Those of the server's exports, without what only exports have: markers and relative values."""

Get = Callable[[str, Mapping[str, Any]], dict[str, Any]]


class Faces:
    """Faces as the API describes them; each iteration asks the server anew, page by page."""

    def __init__(self, get: Get, filters: Mapping[str, Any]) -> None:
        self._get = get
        self._filters = dict(filters)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        page: Mapping[str, Any] = {"page_size": 200, **self._filters}
        while True:
            answer = self._get("faces/", page)
            yield from answer["results"]
            if not answer["next"]:
                return
            page = _query_of(answer["next"])

    def to_pandas(self) -> "pandas.DataFrame":
        """A DataFrame with the columns of the server's exports, but markers. Needs pandas.

        Reads each entry that has such a face once, for its title, tags and the faces' numbers.
        """
        import pandas

        entries: dict[str, dict[str, Any]] = {}
        rows = []
        for face in self:
            if face["analysis"] not in entries:
                entries[face["analysis"]] = self._get(f"analyses/{face['analysis']}/", {})
            rows.append(_row(face, entries[face["analysis"]]))
        table = pandas.DataFrame(rows, columns=COLUMNS)
        table["created_at"] = pandas.to_datetime(table["created_at"], utc=True)
        return table


def _row(face: dict[str, Any], entry: dict[str, Any]) -> list[Any]:
    numbers = {one["id"]: number for number, one in enumerate(entry.get("faces", ()), 1)}
    box, probabilities = face["box"], face["probabilities"]
    measures = face.get("measures") or {}
    return [
        *(entry["id"], entry["kind"], entry["title"], entry["tags"], entry["created_at"]),
        *(entry["model_version"], numbers.get(face["id"])),
        *(face["track"], face.get("track_name"), face["time"], face.get("frame")),
        *(box["x"], box["y"], box["width"], box["height"], face["score"], face["emotion"]),
        *(probabilities[face["emotion"]], *(probabilities[name] for name in EMOTIONS)),
        *(face["quality"], face["correction"]),
        *(measures.get(name) for name in MEASURES),
        face.get("covered"),
    ]


def _query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
