"""Settings for trying Mien out are refused on a production site, in sentences that help."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from fer_site import production
from tests.processes import ROOT

GOOD = "k3y-" + "abcdefghij" * 6


@pytest.fixture
def site(settings, tmp_path):
    """A production site on which all is well."""
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD
    settings.ALLOWED_HOSTS = ["localhost", "mien.example.org"]
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir(mode=0o700)
    return settings


def test_a_closed_site_starts(site):
    production.refuse_unsafe_start()

    assert not list(production.check_production(None))


@pytest.mark.parametrize(
    ("name", "value", "code", "advice"),
    [
        ("DEBUG", True, "mien.E001", "Remove it or set it to false"),
        ("SECRET_KEY", "short", "mien.E002", "secrets.token_urlsafe(50)"),
        ("SECRET_KEY", "a" * 60, "mien.E002", "Set MIEN_SECRET_KEY"),
        ("SECRET_KEY", f"django-insecure-{GOOD}", "mien.E002", "Set MIEN_SECRET_KEY"),
        ("ALLOWED_HOSTS", ["*"], "mien.E003", "List each name"),
        ("ALLOWED_HOSTS", ["localhost", ".example.org"], "mien.E003", "(.example.org)"),
    ],
)
def test_each_danger_stops_the_start_and_says_what_to_do(site, name, value, code, advice):
    setattr(site, name, value)

    assert list(production.problems()) == [code]
    with pytest.raises(ImproperlyConfigured) as refusal:
        production.refuse_unsafe_start()
    assert advice in str(refusal.value)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755])
def test_a_data_folder_that_others_can_open_stops_the_start(site, mode):
    site.DATA_DIR.chmod(mode)

    assert f"chmod 700 {site.DATA_DIR}" in production.problems()["mien.E004"]


def test_the_top_of_a_volume_is_whoever_s_mounted_it(site, monkeypatch):
    site.DATA_DIR.chmod(0o2775)
    monkeypatch.setattr(os, "geteuid", lambda: site.DATA_DIR.stat().st_uid + 1)
    assert list(production.problems()) == ["mien.E004"]

    monkeypatch.setattr(Path, "is_mount", lambda folder: folder == site.DATA_DIR)
    assert production.problems() == {}


def test_all_that_is_wrong_is_said_at_once(site):
    site.DEBUG, site.SECRET_KEY = True, "short"
    with pytest.raises(ImproperlyConfigured) as refusal:
        production.refuse_unsafe_start()

    assert str(refusal.value).count("\n- ") == 2


def test_without_the_setting_nothing_is_asked(site):
    site.PRODUCTION = False
    site.DEBUG = True

    assert production.problems() == {}


def start(tmp_path, *command: str, **environment: str) -> subprocess.CompletedProcess:
    data = {"MIEN_DATA": str(tmp_path / "data"), "MIEN_PRODUCTION": "true"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **data, **environment},
        capture_output=True,
        text=True,
    )


def test_the_web_process_does_not_start(tmp_path):
    started = start(tmp_path, "-c", "import fer_site.asgi", MIEN_DEBUG="true")

    assert started.returncode == 1
    assert "MIEN_DEBUG shows tracebacks" in started.stderr


def test_make_run_stops_with_the_sentences_alone(tmp_path):
    started = start(tmp_path, "-m", "deploy.prepare", MIEN_SECRET_KEY="short")

    assert started.returncode == 1
    assert started.stderr.startswith("MIEN_PRODUCTION is set")
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize("issuer", ["", "https://login.example.org/realms/lab"])
def test_django_s_own_check_is_content_with_https(tmp_path, issuer):
    settings = {"MIEN_HTTPS": "true", "MIEN_OIDC_ISSUER": issuer}
    checked = start(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "INFO", **settings)

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout + checked.stderr


def test_who_signs_people_in_is_asked_over_https(tmp_path):
    checked = start(tmp_path, "manage.py", "check", MIEN_OIDC_ISSUER="http://login.example.org")

    assert checked.returncode == 1
    assert "MIEN_OIDC_ISSUER must begin with https://" in checked.stderr
