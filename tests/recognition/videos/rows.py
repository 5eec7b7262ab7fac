"""A video that has been read, as rows: no file is decoded for it."""

from django.core.files.base import ContentFile
from django.utils import timezone

from recognition.models import Analysis, Face, Marker, Track, Upload, Video
from recognition.registry import registry
from recognition.videos import uploads

HAPPY = [0.02, 0.02, 0.02, 0.8, 0.02, 0.02, 0.1]
SAD = [0.05, 0.05, 0.05, 0.05, 0.6, 0.05, 0.15]


def make_video(owner, seconds: float = 4.0, fps: float = 5.0) -> Analysis:
    """One face for the whole time, happy and from the middle on sad; and a marker."""
    now = timezone.now()
    analysis = Analysis(
        owner=owner,
        kind=Analysis.Kind.VIDEO,
        status=Analysis.Status.SUCCEEDED,
        title="clip.mp4",
        width=640,
        height=360,
        seconds=seconds,
        face_count=1,
        frame_count=round(seconds * fps),
        emotion="happy",
        model_version=registry.active_version(),
        started_at=now,
        finished_at=now,
    )
    analysis.media.save(f"{analysis.pk}.mp4", ContentFile(bytes(range(256)) * 40), save=False)
    analysis.save()
    Video.objects.create(
        analysis=analysis, fps=fps, codec="h264", frame_rate=30.0, frames=round(seconds * 30)
    )
    track = Track.objects.create(analysis=analysis, number=1, picture=b"\xff\xd8 a picture")
    Face.objects.bulk_create(
        Face(
            analysis=analysis,
            track=track,
            time=number / fps,
            frame=round(number * 30 / fps),
            x=100.0 + number,
            y=50.0,
            width=80.0,
            height=100.0,
            score=0.99,
            probabilities=probabilities,
            emotion="happy" if probabilities is HAPPY else "sad",
            probability=max(probabilities),
            measures=[10.0, -5.0, number, 0.5, 0.5, 0.1 * (number % 2), 0.6, 0.5, None, None],
            covered=0.1,
        )
        for number in range(round(seconds * fps))
        for probabilities in [HAPPY if number < seconds * fps / 2 else SAD]
    )
    Marker.objects.create(analysis=analysis, label="a word", start=1.0)
    return analysis


def make_upload(owner) -> Upload:
    return uploads.create(owner, 5000, {"filename": "clip.mp4"}, {})


def waiting_video(owner) -> Analysis:
    """A queued video."""
    analysis = Analysis(owner=owner, kind=Analysis.Kind.VIDEO, title="clip.mp4")
    analysis.source.save(f"{analysis.pk}.upload", ContentFile(b"a video"), save=False)
    analysis.save()
    Video.objects.create(analysis=analysis)
    return analysis
