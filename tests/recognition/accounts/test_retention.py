"""Entries are deleted when their time is over: the site's, or their owner's."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from recognition.accounts import retention
from recognition.accounts.tasks import delete_expired
from recognition.models import Analysis, IdempotentRequest, Retention

pytestmark = pytest.mark.django_db


def entry(owner, age: float, status: str = "succeeded") -> Analysis:
    """An entry that was made so many days ago, with a thumbnail."""
    analysis = Analysis(owner=owner, status=status, title=f"{age} days old")
    analysis.thumbnail.save(f"{analysis.pk}.jpg", ContentFile(b"x"), save=False)
    analysis.save()
    Analysis.objects.filter(pk=analysis.pk).update(created_at=timezone.now() - timedelta(days=age))
    return analysis


def ages(owner) -> set[str]:
    return set(Analysis.objects.filter(owner=owner).values_list("title", flat=True))


def test_by_default_nothing_goes(user):
    entry(user, 5000)
    delete_expired()
    assert ages(user) == {"5000 days old"}


def test_the_site_deletes_what_is_old(user, other_user, settings):
    settings.RETENTION_DAYS = 30
    old, _young, running = entry(user, 31), entry(user, 29), entry(user, 40, "running")
    failed = entry(other_user, 31, "failed")
    IdempotentRequest.objects.create(
        owner=user, key="k", fingerprint="f", body={"analyses": [{"id": str(old.pk)}]}
    )
    delete_expired()
    assert ages(user) == {"29 days old", "40 days old"}
    assert ages(other_user) == set()
    assert Analysis.objects.filter(pk=running.pk).exists()
    for gone in (old, failed):
        assert not default_storage.exists(gone.thumbnail.name)
    assert str(old.pk) not in str(list(IdempotentRequest.objects.values()))


def test_people_choose_for_themselves(user, other_user):
    retention.choose(user, 7)
    for owner in (user, other_user):
        entry(owner, 8)
        entry(owner, 6)
    delete_expired()
    assert ages(user) == {"6 days old"}
    assert ages(other_user) == {"6 days old", "8 days old"}
    retention.choose(user, 0)
    assert not Retention.objects.exists()


def test_many_go_in_parts(user, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for _ in range(5):
        entry(user, 3)
    retention.choose(user, 1)
    assert retention.delete_expired() == 5


def test_the_page_says_what_would_go(user, signed_in):
    for age in (0.5, 2, 40):
        entry(user, age)
    page = signed_in.get("/account/data/").content.decode()
    assert "after 1 day (2 entries go now)" in page
    assert "after 30 days (1 entry goes now)" in page
    assert "after 90 days (none goes now)" in page
    answer = signed_in.post("/account/data/", {"days": "30"}, follow=True)
    assert "Saved." in answer.content.decode()
    assert retention.chosen(user) == 30
    assert 'value="30" selected' in answer.content.decode()


@pytest.mark.parametrize("days", ["", "31", "-1", "x"])
def test_other_numbers_are_refused(user, signed_in, days):
    answer = signed_in.post("/account/data/", {"days": days})
    assert answer.status_code == 200
    assert not Retention.objects.exists()


def test_nobody_keeps_more_than_the_site(user, signed_in, settings):
    settings.RETENTION_DAYS = 30
    page = signed_in.get("/account/data/").content.decode()
    assert "This site deletes entries after 30 days" in page
    assert "after 7 days" in page
    assert "after 90 days" not in page
    signed_in.post("/account/data/", {"days": "90"})
    assert not Retention.objects.exists()
