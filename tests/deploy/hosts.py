"""Hosts of one site as network namespaces of this machine, and the stores that they meet in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import redis

from deploy import redis_server
from tests import postgres
from tests.postgres import PostgresServer
from tests.processes import ROOT, Process, wait_until

BRIDGE = "mien-test"
NETWORK = "10.77.33"
STORES = f"{NETWORK}.1"
POSTGRES, REDIS, S3 = 5499, 6399, 9099


def sh(*command: str, check: bool = True) -> subprocess.CompletedProcess:
    return subprocess.run(command, check=check, capture_output=True, text=True)


def what_is_missing() -> str:
    """Why no hosts can be made here; empty if they can."""
    if not shutil.which("ip") or not shutil.which("nginx") or not postgres.programs():
        return "needs iproute2, nginx and PostgreSQL"
    number = os.getpid() % 100_000  # several processes may look at the same time
    name, bridge_name, one, other = (
        f"mien-try-{number}",
        f"mb{number}",
        f"mx{number}",
        f"my{number}",
    )
    if sh("ip", "netns", "add", name, check=False).returncode:
        return "this account can't make network namespaces"
    bridge = sh("ip", "link", "add", bridge_name, "type", "bridge", check=False)
    cable = sh("ip", "link", "add", one, "type", "veth", "peer", "name", other, check=False)
    inside = sh("ip", "netns", "exec", name, "true", check=False)
    for link in (bridge_name, one):
        sh("ip", "link", "del", link, check=False)
    sh("ip", "netns", "del", name, check=False)
    failed = bridge.returncode or cable.returncode or inside.returncode
    return "this kernel has no bridges or cables between namespaces" if failed else ""


class Host:
    """A machine of its own, but for the processor: network, data folder, no shared files."""

    def __init__(self, number: int, folder: Path):
        self.name, self.address = f"mien-{number}", f"{NETWORK}.{number}"
        self.folder = folder / self.name
        self.folder.mkdir()
        self.processes: list[Process] = []
        inside, outside = f"mi{number}", f"mo{number}"
        sh("ip", "netns", "add", self.name)
        sh("ip", "link", "add", outside, "type", "veth", "peer", "name", inside)
        sh("ip", "link", "set", inside, "netns", self.name)
        sh("ip", "link", "set", outside, "master", BRIDGE, "up")
        self._inside("ip", "address", "add", f"{self.address}/24", "dev", inside)
        self._inside("ip", "link", "set", inside, "up")
        self._inside("ip", "link", "set", "lo", "up")
        self.link = outside

    def _inside(self, *command: str) -> None:
        sh("ip", "netns", "exec", self.name, *command)

    def run(self, name: str, *command: str, **environment: str) -> Process:
        """Start a program on this host."""
        log = self.folder / f"{name}.log"
        program = ["ip", "netns", "exec", self.name, *command]
        data = {"MIEN_DATA": str(self.folder / "data"), "OMP_NUM_THREADS": "1"}
        self.processes.append(Process(program, log, **(data | environment)))
        return self.processes[-1]

    def worker(self, queues: str, *, role: str, pool: str = "prefork", **environment: str) -> None:
        """Start a worker with the arguments of deploy/supervisord.conf, and wait for it."""
        command = [sys.executable, "-m", "celery", "-A", "fer_site.celery:app", "worker"]
        command += [
            "-n",
            f"{role}-{self.name}@%h",
            "-Q",
            queues,
            "-P",
            pool,
            "-c",
            "1",
            "-l",
            "INFO",
        ]
        command += ["--prefetch-multiplier", "1", "--without-mingle", "--without-gossip"]
        process = self.run(role, *command, MIEN_ROLE=role, **environment)
        wait_until(lambda: b"ready." in process.log.read_bytes(), f"{role}, see {process.log}", 120)

    def cut_off(self) -> None:
        sh("ip", "link", "set", self.link, "down")

    def bring_back(self) -> None:
        sh("ip", "link", "set", self.link, "up")

    def remove(self) -> None:
        for process in self.processes:
            process.kill()
        sh("ip", "netns", "del", self.name, check=False)
        sh("ip", "link", "del", self.link, check=False)


class Stores:
    """PostgreSQL, Redis and an S3 server on the host that all others reach."""

    def __init__(self, folder: Path):
        self.folder = folder
        sh("ip", "link", "add", BRIDGE, "type", "bridge")
        sh("ip", "address", "add", f"{STORES}/24", "dev", BRIDGE)
        sh("ip", "link", "set", BRIDGE, "up")
        self.postgres = PostgresServer(STORES, POSTGRES, network=f"{NETWORK}.0/24")
        self.start_redis()
        command = [sys.executable, "-m", "moto.server", "-H", STORES, "-p", str(S3)]
        self.s3 = Process(command, folder / "s3.log")
        wait_until(self._makes_bucket, "the S3 server")

    def start_redis(self) -> None:
        command = [redis_server.ensure().path, "--bind", STORES, "--port", str(REDIS), "--save", ""]
        command += ["--protected-mode", "no", "--appendonly", "yes", "--dir", str(self.folder)]
        self.redis = Process(command, self.folder / "redis.log")
        with redis.Redis(host=STORES, port=REDIS) as client:

            def answers() -> bool:
                try:
                    return bool(client.ping())
                except redis.RedisError:
                    return False

            wait_until(answers, "Redis")

    def stop_redis(self) -> None:
        self.redis.popen.terminate()
        self.redis.popen.wait(20)

    def _makes_bucket(self) -> bool:
        return not sh(
            "curl", "-sf", "-X", "PUT", f"http://{STORES}:{S3}/mien", check=False
        ).returncode

    def environment(self) -> dict[str, str]:
        """The settings that every host shares."""
        return {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": f"redis://{STORES}:{REDIS}/0",
            "MIEN_S3_BUCKET": "mien",
            "MIEN_S3_ENDPOINT": f"http://{STORES}:{S3}",
            "MIEN_S3_ACCESS_KEY": "key",
            "MIEN_S3_SECRET_KEY": "secret",
            "MIEN_SECRET_KEY": "the same on all hosts, fifty characters or more of it",
            "MIEN_SENDFILE": "nginx",
            "MIEN_ALLOWED_HOSTS": "*",
        }

    def remove(self) -> None:
        self.redis.kill()
        self.s3.kill()
        self.postgres.remove()
        sh("ip", "link", "del", BRIDGE, check=False)


def nginx_config(folder: Path, listen: str, web: str) -> Path:
    """deploy/nginx.conf for a web process at another address than in a container."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in (
        ("server web:8000 resolve;", f"server {web};"),
        ("        zone web 64k;\n", ""),
        ("    resolver 127.0.0.11 valid=10s;\n", ""),
        ("listen 8080;", f"listen {listen};"),
        ("worker_processes auto;", "worker_processes 1; daemon off;"),
        ("/tmp/nginx", f"{folder}/nginx"),
        ("alias /data/media/;", f"alias {folder}/media/;"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = folder / "nginx.conf"
    # Reads as the account that runs the tests, whose files these are.
    path.write_text(f"user root;\n{text}")
    return path


def clean_up() -> Iterator[str]:
    """Remove what a killed run left behind."""
    for number in range(2, 6):
        yield f"mien-{number}"
        sh("ip", "netns", "del", f"mien-{number}", check=False)
        sh("ip", "link", "del", f"mo{number}", check=False)
    sh("ip", "link", "del", BRIDGE, check=False)
