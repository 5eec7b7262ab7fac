"""The parts of the settings that decide something."""

import os
import stat

from django.core.files.base import ContentFile

from fer_site import settings
from fer_site.static import HashedStaticFilesStorage


def test_redis_s_socket_lies_in_the_data_folder(tmp_path):
    assert settings.socket_path(tmp_path) == tmp_path / "run" / "redis.sock"


def test_a_deep_data_folder_gets_a_short_socket_path_of_its_own(tmp_path):
    deep, other = tmp_path / ("x" * 120), tmp_path / ("y" * 120)

    assert len(os.fsencode(settings.socket_path(deep))) < 107
    assert settings.socket_path(deep) != settings.socket_path(other)


def test_the_secret_key_is_made_once_and_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.delenv("MIEN_SECRET_KEY", raising=False)
    key = settings.secret_key(tmp_path)

    assert len(key) >= 50
    assert settings.secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_the_environment_s_secret_key_counts_more(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_SECRET_KEY", "given")

    assert settings.secret_key(tmp_path) == "given"


def test_collected_static_files_can_be_read_by_every_account(tmp_path):
    options = settings.STORAGES["staticfiles"]["OPTIONS"]
    storage = HashedStaticFilesStorage(tmp_path / "static", "/static/", **options)
    storage.save("css/mien.css", ContentFile(b""))

    assert stat.S_IMODE((tmp_path / "static" / "css").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "static" / "css" / "mien.css").stat().st_mode) == 0o644
