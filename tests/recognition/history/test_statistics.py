"""What a person has stored, by day."""

import pytest

from recognition.history import statistics
from recognition.models import Track
from recognition.videos import tracks
from tests.recognition import histories
from tests.recognition.videos.rows import make_video

pytestmark = pytest.mark.django_db


def today(user) -> dict[str, int]:
    (day,) = statistics.days(user, 1)
    return {emotion: count for emotion, count in day["emotions"].items() if count}


def test_a_track_counts_once_however_long_it_is(user, other_user):
    histories.photo(user, emotion="sad")
    video = make_video(user, seconds=6.0)
    video.faces.filter(time__lt=4).update(emotion="surprise")
    video.sum_up_tracks()
    make_video(other_user).sum_up_tracks()
    assert today(user) == {"sad": 1, "surprise": 1}


def test_what_is_no_face_does_not_count(user):
    video = make_video(user)
    video.sum_up_tracks()
    video.tracks.update(not_a_face=True)
    assert today(user) == {}


def test_a_split_and_a_merge_are_counted_anew(user):
    video = make_video(user)  # happy, and from the middle on sad
    video.sum_up_tracks()
    track = video.tracks.get()
    new = tracks.split(track, 2.0)
    assert today(user) == {"happy": 1, "sad": 1}
    tracks.merge(Track.objects.get(pk=track.pk), new)
    assert sum(today(user).values()) == 1
