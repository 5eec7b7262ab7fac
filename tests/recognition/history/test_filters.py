"""The history's filters, for people and for programs."""

from datetime import UTC, datetime

import pytest

from recognition.history import paging
from recognition.models import Analysis, Video
from recognition.photos import analyses
from recognition.registry import registry

HISTORY = "/analyses/"


@pytest.fixture
def entries(user):
    """Two entries on two days; one is happy and tagged, the other failed."""
    version = registry.register_shipped_model()
    common = {"owner": user, "model_version": version}
    happy = Analysis.objects.create(
        title="Beach.jpg", status="succeeded", emotion="happy", tags=["summer"], **common
    )
    failed = Analysis.objects.create(title="Broken.jpg", status="failed", **common)
    days = {
        happy: datetime(2026, 3, 1, 23, 59, tzinfo=UTC),
        failed: datetime(2026, 3, 2, tzinfo=UTC),
    }
    for entry, moment in days.items():
        Analysis.objects.filter(pk=entry.pk).update(created_at=moment)
    return {"happy": happy, "failed": failed}


def titles(client, query: str) -> list[str]:
    return [analysis.title for analysis in client.get(f"{HISTORY}?{query}").context["page"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Broken.jpg", "Beach.jpg"]),
        ("status=failed", ["Broken.jpg"]),
        ("emotion=happy", ["Beach.jpg"]),
        ("kind=webcam", []),
        ("text=summer", ["Beach.jpg"]),
        ("text=beach", ["Beach.jpg"]),
        ("model_version=1", ["Broken.jpg", "Beach.jpg"]),
        ("since=2026-03-02", ["Broken.jpg"]),
        ("until=2026-03-01", ["Beach.jpg"]),
        ("since=2026-03-01&until=2026-03-02", ["Broken.jpg", "Beach.jpg"]),
    ],
)
def test_the_address_narrows_the_history(signed_in, entries, query, expected):
    assert titles(signed_in, query) == expected


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Übung", "übung"),
        ("übung", "ÜBUNG"),
        ("u\u0308bung", "Übung"),  # decomposed characters, as in macOS file names
        ("Straße", "STRASSE"),
        ("Лето", "лето"),
        ("100 %_", "0 %_"),
    ],
)
@pytest.mark.parametrize("place", ["title", "notes", "tags"])
def test_text_is_found_whatever_its_case_and_letters(signed_in, entries, written, asked, place):
    value = ["sea", written] if place == "tags" else f"by the {written}"
    analyses.edit(entries["failed"], {place: value})
    found = signed_in.get(HISTORY, {"text": asked}).context["page"]
    assert [entry.title for entry in found] == [entries["failed"].title]
    results = signed_in.get("/api/v1/analyses/", {"text": asked}).json()["results"]
    assert [result["id"] for result in results] == [str(entries["failed"].pk)]


def test_what_was_written_before_is_found_no_longer(signed_in, entries):
    analyses.edit(entries["happy"], {"tags": ["winter"], "title": "Snow.jpg"})
    assert titles(signed_in, "text=summer") == titles(signed_in, "text=beach") == []
    assert titles(signed_in, "text=winter") == titles(signed_in, "text=snow") == ["Snow.jpg"]


def test_a_filter_that_makes_no_sense_is_left_out_and_told(signed_in, entries):
    response = signed_in.get(f"{HISTORY}?until=yesterday")
    assert len(response.context["page"]) == 2
    assert "This filter was left out." in response.content.decode()


def test_pages_keep_the_filters(signed_in, user):
    Analysis.objects.bulk_create(
        Analysis(owner=user, title=f"{number}.jpg", status="failed") for number in range(30)
    )
    page = signed_in.get(f"{HISTORY}?status=failed").content.decode()
    assert "?status=failed&amp;page=2" in page
    assert len(titles(signed_in, "status=failed&page=2")) == 6


@pytest.mark.parametrize("page", [3, 99])
def test_the_last_page_holds_the_rest(signed_in, user, page):
    Analysis.objects.bulk_create(Analysis(owner=user, title=f"{at}.jpg") for at in range(60))
    shown = signed_in.get(f"{HISTORY}?page={page}").context["page"]
    assert (shown.number, shown.paginator.count) == (3, 60)
    assert len(shown) == 12
    everything = [one for at in (1, 2, 3) for one in titles(signed_in, f"page={at}")]
    assert len(set(everything)) == 60


def test_a_long_history_is_counted_to_a_limit(signed_in, user, monkeypatch):
    monkeypatch.setattr(paging, "MOST_COUNTED", 48)
    Analysis.objects.bulk_create(Analysis(owner=user, title=f"{at}.jpg") for at in range(49))
    response = signed_in.get(f"{HISTORY}?page=9")
    shown, page = response.context["page"], response.content.decode()
    assert (shown.number, shown.paginator.num_pages, len(shown)) == (2, 2, 24)
    assert "More than 48 entries" in page
    assert "choose dates to see older entries" in page
    assert not shown.has_next()
    Analysis.objects.filter(title="0.jpg").delete()
    page = signed_in.get(HISTORY).content.decode()
    assert "48 entries" in page
    assert "More than" not in page


def test_programs_ask_for_several_by_id(signed_in, entries, other_user):
    foreign = Analysis.objects.create(owner=other_user, title="Not yours")
    ids = ",".join(str(entry.pk) for entry in (entries["happy"], foreign))
    results = signed_in.get(f"/api/v1/analyses/?id={ids}").json()["results"]
    assert [result["title"] for result in results] == ["Beach.jpg"]
    assert signed_in.get("/api/v1/analyses/?id=nonsense").status_code == 400


def test_a_text_that_no_database_would_look_for_is_refused(signed_in):
    answer = signed_in.post(
        "/api/v1/exports/",
        {"format": "csv", "filters": {"text": "x" * 201}},
        content_type="application/json",
    )
    assert answer.status_code == 400
    too_long = {"text": "é" * 201}
    assert signed_in.get("/api/v1/analyses/", too_long).status_code == 400
    assert signed_in.get(HISTORY, too_long).status_code == 200


@pytest.mark.parametrize("kind", ["analyses", "faces"])
@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-03-01T23:59:00-21:28", 200),  # an offset that PostgreSQL rejects
        ("0749-11-05T10:32:43-21:28", 200),
        ("0001-01-01T00:00:00+01:00", 400),  # before year 1
        ("9999-12-31T23:59:00-01:00", 400),
        ("yesterday", 400),
    ],
)
def test_a_moment_has_any_offset(signed_in, entries, kind, moment, status):
    for name in ("created_after", "created_before"):
        answer = signed_in.get(f"/api/v1/{kind}/", {name: moment})
        assert answer.status_code == status


def test_a_moment_of_another_offset_is_the_same_moment(signed_in, entries):
    answer = signed_in.get("/api/v1/analyses/", {"created_after": "2026-03-01T02:31:00-21:29"})
    assert [entry["title"] for entry in answer.json()["results"]] == ["Broken.jpg"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("min_seconds=60", ["Long"]),
        ("max_seconds=60", ["Short"]),
        ("kind=video", ["Long", "Short"]),
        ("min_seconds=5&max_seconds=20", ["Short"]),
    ],
)
def test_videos_are_found_by_their_length(signed_in, entries, user, query, expected):
    for title, seconds in (("Short", 10.0), ("Long", 3600.0)):
        video = Analysis.objects.create(owner=user, kind="video", title=title, seconds=seconds)
        Video.objects.create(analysis=video)
    assert titles(signed_in, query) == expected
    found = signed_in.get(f"/api/v1/analyses/?{query}").json()["results"]
    assert [one["title"] for one in found] == expected
