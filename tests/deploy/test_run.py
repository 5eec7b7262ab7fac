"""The parts of deploy/run.py that don't start processes."""

import socket
import stat
import time
from pathlib import Path

import pytest

from deploy.run import (
    CannotStart,
    Site,
    check_address,
    check_path,
    claim,
    environment,
    last_lines,
    private_folder,
    site_address,
)


@pytest.fixture
def site(tmp_path):
    return Site("127.0.0.1", 8000, tmp_path)


def supervisord_line(text: str) -> str:
    return f"2026-11-22 10:00:00,000 WARN {text}\n"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("mien.example", "http://mien.example:8000/"),
    ],
)
def test_it_prints_an_address_that_a_browser_can_open(host, address):
    assert site_address(host, 8000) == address


def test_it_names_a_taken_port_and_another_one():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} .* PORT={port + 1}"):
            check_address("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 70000, "PORT=70000"),
        ("192.0.2.1", 8000, "HOST=192.0.2.1"),
        ("no such host", 8000, "HOST=no such host"),
    ],
)
def test_it_names_an_impossible_address(host, port, message):
    with pytest.raises(CannotStart, match=message):
        check_address(host, port)


@pytest.mark.parametrize("name", ["100%", 'a "folder"', "a\\b"])
def test_it_refuses_a_path_that_supervisord_cannot_take(name):
    with pytest.raises(CannotStart, match="choose another MIEN_DATA"):
        check_path(Path("/srv") / name)


def test_a_data_folder_has_one_copy_at_a_time(tmp_path):
    (tmp_path / "run").mkdir()
    with claim(tmp_path), pytest.raises(CannotStart, match="already runs"), claim(tmp_path):
        pass
    with claim(tmp_path):
        pass


def test_folders_are_closed_to_other_accounts(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_in_place_of_a_private_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to("elsewhere")
    with pytest.raises(CannotStart, match="belongs to someone else"):
        private_folder(tmp_path / "run")


def test_redis_is_embedded_only_where_it_has_a_socket(tmp_path):
    embedded = environment("127.0.0.1", 8000, tmp_path, Path("/run/redis.sock"))
    external = environment("127.0.0.1", 8000, tmp_path, None)
    assert (embedded["REDIS_EMBEDDED"], external["REDIS_EMBEDDED"]) == ("true", "false")


def test_it_tells_of_a_death(site, capsys):
    site.tell(supervisord_line("exited: web (terminated by SIGKILL; not expected)"))
    output = capsys.readouterr().out
    assert "web died (terminated by SIGKILL) and is started again" in output
    assert str(site.log_dir / "web.log") in output


def test_it_tells_since_when_a_process_has_kept_dying(site, capsys, monkeypatch):
    site.ready = True
    clock = iter([1000.0, 1002.0, 1065.0, 1300.0])
    monkeypatch.setattr("deploy.run.time.time", lambda: next(clock))
    death = supervisord_line("exited: beat (exit status 1; not expected)")
    for _ in range(3):
        site.tell(death)
    output = capsys.readouterr().out
    assert f"3 times since {time.strftime('%H:%M:%S', time.localtime(1000))}" in output
    site.tell(death)  # minutes later it is another trouble
    assert "beat died (exit status 1) and is started again" in capsys.readouterr().out


def test_ordinary_lines_are_kept_from_the_terminal(site, capsys):
    for text in ("spawned: 'web' with pid 7", "stopped: web (exit status 0)"):
        site.tell(supervisord_line(text))
    assert capsys.readouterr().out == ""


def test_a_process_that_keeps_dying_ends_the_start(site, capsys):
    site.log_dir.mkdir()
    (site.log_dir / "web.log").write_text("a\nno module named x\n")
    death = supervisord_line("exited: web (exit status 1; not expected)")
    site.tell(death)
    site.tell(death)
    assert not site.failed
    with pytest.raises(SystemExit):  # no supervisord runs here that could be stopped
        site.tell(death)
    assert site.failed
    assert "no module named x" in capsys.readouterr().out


def test_the_end_of_a_log_that_is_not_there_is_empty(tmp_path):
    assert last_lines(tmp_path / "none.log") == ""
