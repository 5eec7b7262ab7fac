"""Accepts a video: looks at its first bytes, stores it, queues the analysis."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from django.contrib.auth.models import User
from django.db import transaction

from recognition import describe, storage
from recognition.api import allowances
from recognition.engine import video as video_files
from recognition.engine.errors import MediaError
from recognition.engine.types import Detail, DetectorName
from recognition.jobs import work
from recognition.jobs.files import clean_name, delete_files
from recognition.models import Analysis, ModelVersion, Video

NOT_A_VIDEO = "This isn't a video that Mien can read. Send MP4, MOV, WebM, MKV, AVI or MPEG."


def check_size(owner: User, size: int) -> None:
    """Raises MediaError: empty_file, file_too_large."""
    limit = allowances.video_bytes(owner)
    if size == 0:
        raise MediaError("empty_file", "This file is empty.")
    if size > limit:
        raise MediaError(
            "file_too_large",
            f"This file has {size / 1024**2:.1f} MB; up to {limit // 1024**2} MB are accepted.",
        )


def check_head(head: bytes) -> str:
    """The container that a file's first bytes show. Raises MediaError: not_a_video."""
    container = video_files.sniff(head)
    if container is None:
        raise MediaError("not_a_video", NOT_A_VIDEO)
    return container


def submit_video(
    owner: User,
    path: Path,
    name: str,
    *,
    fps: float | None = 5.0,
    start: float = 0.0,
    end: float | None = None,
    audio: bool = True,
    recorded: bool = False,
    session: str = "",
    session_start: float = 0.0,
    detail: Detail = "normal",
    detector: DetectorName = "fast",
    title: str = "",
    tags: Sequence[str] = (),
    keep: str = Analysis.Keep.PICTURE,
    along: Callable[[Analysis], None] = lambda analysis: None,
) -> Analysis:
    """Accept a complete video file: moves it, creates a queued analysis and sends the task.

    Raises MediaError: empty_file, file_too_large, not_a_video; the file stays where it is then.
    What only reading finds becomes the error of the analysis. `session` is the id of the owner's
    live session during which the video was recorded, from `session_start` seconds on. `along`
    writes rows in the same transaction; if it raises, nothing is stored.
    """
    check_size(owner, path.stat().st_size)
    with path.open("rb") as file:
        container = check_head(file.read(video_files.HEAD_BYTES))
    name = clean_name(name, "video")
    analysis = Analysis(
        owner=owner,
        kind=Analysis.Kind.VIDEO,
        title=title or name,
        tags=list(tags),
        notices=_notices(name, container),
        detail=detail,
        detector=detector,
        keep=keep,
    )
    asked = {"fps": fps, "start": start, "end": end}
    video = Video(analysis=analysis, keep_audio=audio, recorded=recorded, **asked)
    if session:
        sessions = owner.analyses.filter(kind=Analysis.Kind.WEBCAM)
        video.session, video.session_start = sessions.filter(pk=session).first(), session_start
    _queue(video, path, along=along)
    return analysis


def rerun(analysis: Analysis, version: ModelVersion) -> Analysis | None:
    """A new analysis of the player's copy with this model version; None without faces in one."""
    if not analysis.media or analysis.keep == Analysis.Keep.BLURRED:
        return None
    kept = ("owner", "kind", "title", "tags", "detail", "detector", "keep")
    again = Analysis(requested_version=version, **{name: getattr(analysis, name) for name in kept})
    asked = ("fps", "start", "end", "keep_audio", "recorded")
    video = Video(analysis=again, **{name: getattr(analysis.video, name) for name in asked})
    with storage.local(str(analysis.media.name)) as copy:
        _queue(video, copy, keep=True)
    return again


def _queue(
    video: Video,
    upload: Path,
    *,
    keep: bool = False,
    along: Callable[[Analysis], None] = lambda analysis: None,
) -> None:
    """Store the upload, which stays where it was if `keep`, and the rows, all or none."""
    analysis = video.analysis
    stored = f"incoming/{analysis.pk}.upload"
    try:
        storage.put(upload, stored, keep=keep)
        with transaction.atomic():
            analysis.source = stored
            analysis.save(force_insert=True)
            video.save(force_insert=True)
            work.submit(analysis)
            along(analysis)
    except BaseException:
        delete_files([stored])
        raise


def _notices(name: str, container: str) -> list[describe.Message]:
    extension = PurePath(name).suffix.lower()
    promised = video_files.EXTENSIONS.get(extension, extension.removeprefix(".").upper())
    if not extension or promised == container or container in video_files.ANIMATIONS:
        return []
    message = f"The name ends in {extension}, but this is a {container} video."
    return [{"code": "extension_mismatch", "message": message}]
