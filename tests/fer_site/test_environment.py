"""What settings read from the environment and the data folder."""

import os
import re
import stat
from pathlib import Path

from fer_site import environment
from tests.processes import ROOT


def test_redis_s_socket_lies_in_the_data_folder():
    folder = Path("/srv/mien")

    assert environment.socket_path(folder) == folder / "run" / "redis.sock"


def test_a_deep_data_folder_gets_a_short_socket_path_of_its_own(tmp_path):
    deep, other = tmp_path / ("x" * 120), tmp_path / ("y" * 120)

    assert len(os.fsencode(environment.socket_path(deep))) < 107
    assert environment.socket_path(deep) != environment.socket_path(other)


def test_the_secret_key_is_made_once_and_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.delenv("MIEN_SECRET_KEY", raising=False)
    key = environment.secret_key(tmp_path)

    assert len(key) >= 50
    assert environment.secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_the_environment_s_secret_key_counts_more(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_SECRET_KEY", "given")

    assert environment.secret_key(tmp_path) == "given"


def test_what_the_example_offers_containers_reaches_them():
    example = (ROOT / ".env.example").read_text()
    offered = re.sub(r"# --- Only `make run`.*?(?=# ---)", "", example, flags=re.DOTALL)
    passed_on = re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())
    assert set(re.findall(r"^(\w+)=", offered, re.MULTILINE)) == set(passed_on)
