"""The pages: what they show and to whom."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from recognition.models import Analysis, Export
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from tests.recognition.uploads import submit


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.mark.parametrize("address", ["/dashboard/", "/account/keys/", "/account/webhooks/"])
def test_pages_of_a_person_ask_to_sign_in(client, user, address):
    assert client.get(address).url.startswith("/accounts/login/")


@pytest.mark.parametrize("address", ["/account/keys/", "/account/webhooks/"])
def test_account_pages_open(signed_in, address):
    page = signed_in.get(address).content.decode()
    assert 'aria-current="page"' in page
    assert "<style" not in page


def test_only_administrators_are_offered_the_training_scope(signed_in, user):
    assert "scope-train" not in signed_in.get("/account/keys/").content.decode()
    user.is_staff = True
    user.save()
    assert "scope-train" in signed_in.get("/account/keys/").content.decode()


def test_the_dashboard_counts_today(signed_in, analysis):
    context = signed_in.get("/dashboard/").context
    assert (context["entries_today"], context["faces_today"]) == (1, 1)
    assert context["days"][-1]["emotions"][analysis.emotion] == 1
    assert len(context["days"]) == 30
    assert context["usage"]["stored_bytes"] == analysis.stored_bytes


def test_the_dashboard_tells_how_fast_photos_are_read(signed_in, user):
    now = timezone.now()
    waits = {1: 3.0, 30: 5.0, 50: 60.0, 62: 999.0}  # seconds waited, by the minutes since
    for minutes, seconds in waits.items():
        done = now - timedelta(minutes=minutes - 0.5)
        one = Analysis.objects.create(owner=user, status="succeeded", finished_at=done)
        Analysis.objects.filter(pk=one.pk).update(created_at=done - timedelta(seconds=seconds))
    response = signed_in.get("/dashboard/")
    assert response.context["throughput"] == {
        "last_hour": 3,
        "last_minute": 1,
        "median_seconds": 5.0,
    }
    assert "3 photos in the last hour" in response.content.decode()


def test_days_begin_at_midnight_utc(signed_in, user):
    midnight = datetime.combine(timezone.now().date(), time.min, UTC)
    for moment in (midnight, midnight - timedelta(microseconds=1)):
        one = Analysis.objects.create(owner=user, status="succeeded")
        Analysis.objects.filter(pk=one.pk).update(created_at=moment)
    *_, yesterday, today = signed_in.get("/api/v1/stats/").json()["days"]
    assert (yesterday["analyses"], today["analyses"]) == (1, 1)


def test_the_dashboard_names_what_runs_and_what_failed(signed_in, user, astronaut):
    waiting = submit(user, astronaut, "waiting.jpg")
    failed = Analysis.objects.create(
        owner=user, title="bad.jpg", status="failed", error_code="x", error_message="It is cut off."
    )
    canceled = submit(user, astronaut, "again.jpg")
    Analysis.objects.filter(pk=canceled.pk).update(status="failed", error_code="gave_up")
    page = signed_in.get("/dashboard/").content.decode()
    assert f'data-cancel="{waiting.pk}"' in page
    assert "It is cut off." in page
    assert f'data-retry-failed="{canceled.pk}"' in page
    assert f'data-retry-failed="{failed.pk}"' not in page


def test_the_dashboard_counts_exports_that_run_or_failed(signed_in, user):
    for status in ("queued", "running", "failed", "succeeded"):
        Export.objects.create(owner=user, format="csv", status=status)
    page = signed_in.get("/dashboard/").content.decode()
    assert page.index("2 exports</a>") < page.index("1 export</a>")


def test_the_dashboard_knows_only_ones_own(client, other_user, analysis):
    client.force_login(other_user)
    context = client.get("/dashboard/").context
    assert context["usage"] == {"analyses": 0, "faces": 0, "stored_bytes": 0}
    assert context["entries_today"] == 0


def test_faces_come_as_a_file(signed_in, analysis):
    response = signed_in.get(f"/analyses/{analysis.pk}/faces.csv")
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    assert analysis.emotion in response.content.decode()


def test_the_state_tells_whether_it_can_be_retried(signed_in, user, astronaut):
    analysis = submit(user, astronaut)
    address = f"/api/v1/analyses/{analysis.pk}/"
    assert signed_in.get(address).json()["retryable"] is False
    assert signed_in.post(f"{address}cancel/").json()["retryable"] is True


def test_the_history_shows_tags(signed_in, analysis):
    analyses.edit(analysis, {"tags": ["<b>holiday & sea</b>"]})
    page = signed_in.get("/analyses/").content.decode()
    assert "&lt;b&gt;holiday &amp; sea&lt;/b&gt;" in page
    assert "?text=%3Cb%3Eholiday%20%26%20sea%3C%2Fb%3E" in page


def test_the_documentation_of_the_api_has_no_style_that_the_policy_refuses(signed_in):
    page = signed_in.get("/api/v1/docs/").content.decode()
    assert "<style" not in page
    assert "css/programs/api-docs" in page
