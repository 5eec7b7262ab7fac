"""Stored responses of idempotent requests, and their expiry."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from recognition.models import Analysis, IdempotentRequest
from recognition.photos import analyses
from recognition.programs import tasks

pytestmark = pytest.mark.django_db


def upload(client, key: str, photo: bytes, *names: str) -> None:
    photos = [SimpleUploadedFile(name, photo) for name in names]
    headers = {"idempotency-key": key}
    response = client.post("/api/v1/analyses/", {"photos": photos}, headers=headers)
    assert response.status_code == 202


def test_answers_are_forgotten_though_nobody_sends_another_request(signed_in, astronaut):
    upload(signed_in, "k1", astronaut, "a.jpg")
    tasks.forget_old()
    assert IdempotentRequest.objects.exists()

    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    tasks.forget_old()
    assert not IdempotentRequest.objects.exists()


def test_a_deleted_photo_is_named_in_no_answer(signed_in, astronaut):
    upload(signed_in, "k1", astronaut, "my holiday.jpg", "b.jpg")
    upload(signed_in, "k2", astronaut, "c.jpg")
    analyses.delete_analysis(Analysis.objects.get(title="my holiday.jpg"))

    kept = IdempotentRequest.objects.get()
    assert kept.key == "k2"
    assert "holiday" not in json.dumps(kept.body)
