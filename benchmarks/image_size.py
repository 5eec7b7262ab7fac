"""The size of the slim image, layer by layer, without Docker: `make bench-image_size`.

Makes what the layers of the Dockerfile's target `web` contain in a temporary folder. The base image
is made from what it consists of: Debian's minbase (debootstrap, as root) and this Python without
its tests. The others are installed as in the Dockerfile. Must stay below 700 MB.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

from deploy.trim import trim
from tests.processes import ROOT

LIMIT_MB = 700
MIRROR = "http://deb.debian.org/debian"
INCLUDED = "ca-certificates,netbase,tzdata"
# What Debian's images leave out.
NOT_IN_BASE = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")
NOT_IN_BASE += ("var/cache/apt", "var/lib/apt/lists", "var/log")
COPIED = ("deploy", "fer_site", "recognition", "static", "templates", "training", "manage.py")


def base(folder: Path) -> str:
    """Debian and Python."""
    command = ["debootstrap", "--variant=minbase", f"--include={INCLUDED}", "trixie"]
    subprocess.run([*command, str(folder), MIRROR], check=True, stdout=subprocess.DEVNULL)
    for path in NOT_IN_BASE:
        shutil.rmtree(folder / path, ignore_errors=True)
    library = Path(sysconfig.get_path("stdlib"))
    ignored = shutil.ignore_patterns("site-packages", "__pycache__", "test", "tests", "*.a")
    shutil.copytree(library, folder / "usr/local/lib/python", ignore=ignored, symlinks=True)
    shared = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY"))
    if shared.suffix != ".a" and shared.exists():
        shutil.copy(shared, folder / "usr/local/lib")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"Debian trixie, minbase, and Python {version}"


def packages(folder: Path) -> str:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "-r", "requirements-slim.txt"]
    subprocess.run([*command, "--target", str(folder)], cwd=ROOT, check=True)
    return f"requirements-slim.txt, without {trim(folder) / 1e6:.0f} MB that nobody opens"


def code(folder: Path) -> str:
    listed = subprocess.run(["git", "ls-files", *COPIED], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return "the code, with the networks' weights"


def static_files(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"MIEN_DATA": data, "MIEN_STATIC": str(folder)}
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    for path in folder.rglob("*.map*"):  # for debuggers of Bootstrap
        path.unlink()
    return "collected static files"


LAYERS = (base, packages, code, static_files)


class Count:
    """Where bytes go that only need to be counted."""

    size = 0

    def write(self, content: bytes) -> int:
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        """Nothing waits here."""


def sizes(folder: Path) -> tuple[float, float]:
    """Megabytes of a layer's files, and of its compressed tar, as a registry sends it."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    sent = Count()
    with (
        gzip.GzipFile(fileobj=sent, mode="wb", compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        tar.add(folder, ".")
    return sum(path.stat().st_size for path in files) / 1e6, sent.size / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--base", type=float, nargs=2, help="megabytes of the base image, and compressed, if known"
    )
    options = parser.parse_args()
    on_disk = sent = 0.0
    print("| layer | MB | compressed |\n| --- | --- | --- |")
    for make in LAYERS:
        if make is base and options.base:
            name, (size, packed) = "the base image, as given", options.base
        else:
            with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
                name = make(Path(folder))
                size, packed = sizes(Path(folder))
        on_disk, sent = on_disk + size, sent + packed
        print(f"| {name} | {size:.0f} | {packed:.0f} |", flush=True)
    print(f"| the image (limit {LIMIT_MB}) | {on_disk:.0f} | {sent:.0f} |")
    return on_disk > LIMIT_MB


if __name__ == "__main__":
    sys.exit(main())
