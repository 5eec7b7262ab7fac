"""An upgrade without a pause: processes of the version before run beside those of this one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.journey import SAMPLE, Visitor
from tests.processes import ROOT, Process, RedisServer, free_port, wait_until

pytestmark = pytest.mark.slow


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def version_before() -> str:
    """The commit before the one that brought the newest migration."""
    newest = max((ROOT / "recognition" / "migrations").glob("0*.py"))
    added = git("log", "--format=%H", "--diff-filter=A", "--", str(newest)).splitlines()
    return git("rev-parse", f"{added[-1]}^") if added else ""


class Version:
    """The code of one version, on a data folder that versions share."""

    def __init__(self, root: Path, data_dir: Path, name: str):
        self.root, self.data_dir, self.name = root, data_dir, name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "MIEN_DATA": str(data_dir),
            "MIEN_STATIC": str(data_dir / f"static-{name}"),
            "PORT": "8000",  # names the cookie
            "DATABASE_URL": "",
        }
        self.processes: list[Process] = []

    def start(self, name: str, *command: str, **environment: str) -> Process:
        log = self.data_dir / f"{self.name}-{name}.log"
        program = ["env", "--chdir", str(self.root), sys.executable, *command]
        self.processes.append(Process(program, log, **self.environment, **environment))
        return self.processes[-1]

    def manage(self, *arguments: str) -> None:
        done = self.start(arguments[0], "manage.py", *arguments)
        assert done.popen.wait(120) == 0, done.log.read_text()

    def start_worker(self) -> Process:
        command = ["-m", "celery", "-A", "fer_site.celery:app", "worker", "-c", "1", "-l", "INFO"]
        command += ["-n", f"{self.name}@%h", "-Q", "analyses,maintenance,exports"]
        process = self.start("worker", *command, MIEN_ROLE="analyses", MIEN_LEASE_SECONDS="3")
        wait_until(lambda: b"ready." in process.log.read_bytes(), f"see {process.log}", 120)
        return process

    def start_web(self) -> None:
        command = ["-m", "uvicorn", "fer_site.asgi:application", "--lifespan", "off"]
        process = self.start("web", *command, "--port", str(self.port))
        log = process.log
        wait_until(lambda: b"Uvicorn running" in log.read_bytes(), f"see {log}")

    def stop(self) -> None:
        for process in self.processes:
            process.kill()


@pytest.mark.skipif(not version_before(), reason="needs the history of this repository")
def test_old_and_new_processes_work_side_by_side(tmp_path):
    before = tmp_path / "before"
    git("worktree", "add", "--detach", str(before), version_before())
    assert (before / "manage.py").exists()
    data_dir = tmp_path / "data"
    (before / "node_modules").symlink_to(ROOT / "node_modules")
    old, new = Version(before, data_dir, "old"), Version(ROOT, data_dir, "new")
    data_dir.mkdir()
    server = RedisServer(data_dir / "run" / "redis.sock")
    try:
        for command in (["migrate"], ["register_shipped_model"], ["collectstatic", "--noinput"]):
            old.manage(*command)
        old.start_web()
        worker = old.start_worker()
        visitor = Visitor(old.url)
        visitor.set_up()
        photo = SAMPLE.read_bytes()
        assert visitor.analyze(photo)["status"] == "succeeded"

        # The new migrations are in; nobody has stopped working.
        new.manage("migrate")
        assert visitor.analyze(photo)["status"] == "succeeded"

        # Old pages, a new worker.
        worker.kill()
        newer = new.start_worker()
        assert visitor.analyze(photo)["status"] == "succeeded"

        # New pages, an old worker: also the way back.
        newer.kill()
        new.manage("collectstatic", "--noinput")
        new.start_web()
        old.start_worker()
        later = Visitor(new.url)
        later.cookies = visitor.cookies
        later.opener = visitor.opener
        assert later.analyze(photo)["status"] == "succeeded"
        assert "Upload photos" in later.request("/")
    finally:
        old.stop()
        new.stop()
        server.stop()
        git("worktree", "remove", "--force", str(before))
