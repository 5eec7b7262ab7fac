"""A site, its backup, and the site made from it."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import dj_database_url
import psycopg
import pytest

from tests.conftest import LiveSite
from tests.deploy.journey import SAMPLE, Visitor
from tests.processes import ROOT
from tests.recognition.object_store import *  # noqa: F403 a server of S3's

pytestmark = pytest.mark.slow

NEWER_TABLES = (
    *("mediaimport", "importedfile", "retention"),
    *("auditentry", "consent", "consenttext"),
)
NEWER_APP = "socialaccount"
CONNECT = (
    "from allauth.socialaccount.models import SocialAccount as A; A.objects.create("
    "user_id=1, provider='login-example-org', uid='7', extra_data={'userinfo': {'email': 'a@b'}})"
)
CREATE_SOMEBODY = (
    "from django.contrib.auth.models import User; User.objects.create_user('b', 'b@example.org')"
)


def unquote_host(url: str) -> str:
    """The connection string of a DATABASE_URL, whose host may be a folder."""
    parts = dj_database_url.parse(url)
    return f"host={parts['HOST']} user={parts['USER']} dbname={parts['NAME']}"


def manage(
    data_dir: Path, *arguments: str, input: bytes | None = None, **more
) -> subprocess.CompletedProcess:
    environment = {**os.environ, "MIEN_DATA": str(data_dir), "DATABASE_URL": "", **more}
    command = [sys.executable, "manage.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, input=input)


def rows_of(database: Path) -> dict[str, list]:
    """Every row of every table but sessions."""
    with sqlite3.connect(database) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        left_out = {"django_session", "django_migrations"}
        tables = sorted(name for (name,) in names if name not in left_out)
        return {
            name: sorted(
                repr([plain(value) for value in row])
                for row in connection.execute(f"SELECT * FROM {name}")
            )
            for name in tables
        }


def plain(value: object) -> object:
    """JSON without the order of its keys, which PostgreSQL doesn't keep."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.dumps(json.loads(value), sort_keys=True)
    return value


def files_of(data_dir: Path) -> dict[str, str]:
    """The checksum of every file that a backup is to bring back."""
    folders = [data_dir / name for name in ("media", "uploads", "training", "datasets")]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(data_dir)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in [*files, data_dir / "secret_key"]
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A running site with a person, photos, a key, a pause and files of trainings."""
    site = LiveSite(tmp_path_factory.mktemp("site"))
    site.manage("register_shipped_model")
    visitor = Visitor(site.url)
    visitor.set_up()
    for _ in range(3):
        analysis = visitor.analyze(SAMPLE.read_bytes())
        assert analysis["status"] == "succeeded"
    visitor.request("/api/v1/jobs/queues/videos/pause/", b"")
    body = json.dumps({"name": "Ünïcode “key”", "scopes": ["read"]}).encode()
    visitor.request("/api/v1/keys/", body, **{"Content-Type": "application/json"})
    site.manage("shell", "-c", CONNECT)
    (site.data_dir / "training" / "run").mkdir(parents=True)
    (site.data_dir / "training" / "run" / "checkpoint.npz").write_bytes(os.urandom(70_000))
    yield site
    site.stop()


@pytest.fixture(scope="module")
def backup(site, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "mien.tar"
    done = manage(site.data_dir, "backup", path)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    return path


@pytest.fixture(scope="module")
def set_up(tmp_path_factory) -> Path:
    """A data folder as the set-up leaves it."""
    folder = tmp_path_factory.mktemp("set-up") / "data"
    for command in ("migrate", "register_shipped_model"):
        assert manage(folder, command).returncode == 0
    return folder


@pytest.fixture
def new(set_up, tmp_path) -> Path:
    return shutil.copytree(set_up, tmp_path / "new")


def rewritten(backup: Path, path: Path, change) -> Path:
    """A backup whose members `change(name, content)` has changed, or left out by None, with the
    right checksums."""
    checksums = {}
    with tarfile.open(backup) as old, tarfile.open(path, "w") as tar:
        for member in old:
            content = old.extractfile(member).read()
            if member.name == "checksums.json":
                content = json.dumps(checksums).encode()
            else:
                changed = change(member.name, content)
                if changed is None:
                    continue
                member.name, content = changed
                checksums[member.name] = hashlib.sha256(content).hexdigest()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_every_row_and_file_comes_back(site, backup, new):
    done = manage(new, "restore", backup)
    assert done.returncode == 0, done.stderr
    assert b"all checksums are right" in done.stdout
    assert rows_of(new / "mien.sqlite3") == rows_of(site.data_dir / "mien.sqlite3")
    assert files_of(new) == files_of(site.data_dir)
    assert (new / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_site_that_is_in_use_is_left_alone(site, backup):
    before = rows_of(site.data_dir / "mien.sqlite3")
    done = manage(site.data_dir, "restore", backup)
    assert done.returncode == 2
    assert b"This site has accounts already" in done.stderr
    assert rows_of(site.data_dir / "mien.sqlite3") == before


def test_a_pipe_and_a_key(site, new, tmp_path):
    key = tmp_path / "key.txt"
    public = manage(new, "backup", "--make-key", key).stdout.decode().strip()
    done = manage(site.data_dir, "backup", "-", "--recipient", public)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"age-encryption.org/v1")
    assert b"mien" not in done.stdout[1000:]
    path = tmp_path / "backup.age"
    path.write_bytes(done.stdout)

    without = manage(new, "restore", path)
    assert b"This backup is encrypted" in without.stderr
    manage(new, "backup", "--make-key", tmp_path / "other.txt")
    wrong = manage(new, "restore", path, "--identity", tmp_path / "other.txt")
    assert (wrong.returncode, b"This key doesn't open" in wrong.stderr) == (2, True)
    broken = tmp_path / "broken.age"
    broken.write_bytes(done.stdout[:-100])
    assert manage(new, "restore", broken, "--identity", key).returncode == 2

    done = manage(new, "restore", path, "--identity", key)
    assert done.returncode == 0, done.stderr
    assert files_of(new) == files_of(site.data_dir)


@pytest.fixture
def passphrase(tmp_path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("Ünïcode horse battery\n")
    path.chmod(0o600)
    return path


def test_a_passphrase(site, new, tmp_path, passphrase):
    path, other = tmp_path / "mien.tar.age", tmp_path / "other"
    done = manage(site.data_dir, "backup", path, "--passphrase-file", passphrase)
    assert done.returncode == 0, done.stderr
    content = path.read_bytes()
    assert content.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    assert b"checkpoint.npz" not in content

    without = manage(new, "restore", path)
    assert (without.returncode, b"has a passphrase" in without.stderr) == (2, True)
    other.write_text("correct horse battery")
    wrong = manage(new, "restore", path, "--passphrase-file", other)
    assert (wrong.returncode, b"doesn't open" in wrong.stderr) == (2, True)
    before = rows_of(new / "mien.sqlite3")
    for damaged in (content[:300], content[:420], content[:-1], content[:-100_000]):
        (tmp_path / "damaged").write_bytes(damaged)
        done = manage(new, "restore", tmp_path / "damaged", "--passphrase-file", passphrase)
        assert done.returncode == 2, done.stderr
        assert b"Traceback" not in done.stderr
        assert rows_of(new / "mien.sqlite3") == before

    done = manage(new, "restore", path, "--passphrase-file", passphrase)
    assert done.returncode == 0, done.stderr
    assert files_of(new) == files_of(site.data_dir)
    assert rows_of(new / "mien.sqlite3") == rows_of(site.data_dir / "mien.sqlite3")


def test_a_passphrase_and_a_backup_through_one_pipe(site, new, passphrase):
    words = passphrase.read_bytes()
    arguments = ("-", "--passphrase-file", "-")
    backup = manage(site.data_dir, "backup", *arguments, input=words)
    assert backup.returncode == 0, backup.stderr
    done = manage(new, "restore", *arguments, input=words + backup.stdout)
    assert done.returncode == 0, done.stderr
    assert rows_of(new / "mien.sqlite3") == rows_of(site.data_dir / "mien.sqlite3")


@pytest.mark.parametrize(
    ("text", "said"), [("", b"is to be the passphrase"), ("eleven char", b"too short")]
)
def test_a_passphrase_that_is_none_is_refused(site, tmp_path, passphrase, text, said):
    passphrase.write_text(text)
    done = manage(site.data_dir, "backup", tmp_path / "a", "--passphrase-file", passphrase)
    assert (done.returncode, said in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == [passphrase]


def test_object_storage(site, new, bucket, server, passphrase):
    place, keys = "s3://mien/backups/mien.tar.age", server.environment
    done = manage(site.data_dir, "backup", "s3://none/mien.tar", **keys)
    assert (done.returncode, b"NoSuchBucket" in done.stderr) == (1, True)
    server.flaky.fails = True
    done = manage(site.data_dir, "backup", place, "--passphrase-file", passphrase, **keys)
    assert done.returncode == 0, done.stderr
    missing = manage(new, "restore", f"{place}x", "--passphrase-file", passphrase, **keys)
    assert (missing.returncode, b"There is no s3://" in missing.stderr) == (1, True)
    done = manage(new, "restore", place, "--passphrase-file", passphrase, **keys)
    assert done.returncode == 0, done.stderr
    assert files_of(new) == files_of(site.data_dir)
    assert rows_of(new / "mien.sqlite3") == rows_of(site.data_dir / "mien.sqlite3")


@pytest.mark.parametrize("place", ["s3://", "s3://mien", "s3://mien/"])
def test_a_bucket_alone_is_no_place(site, place):
    done = manage(site.data_dir, "backup", place)
    assert (done.returncode, b"s3://" in done.stderr) == (2, True)


@pytest.mark.parametrize("recipient", ["nonsense", "AGE-SECRET-KEY-1"])
def test_a_key_that_is_none_is_refused(site, tmp_path, recipient):
    done = manage(site.data_dir, "backup", tmp_path / "backup", "--recipient", recipient)
    assert done.returncode == 2
    assert b"is no public key of age" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_damaged_backup_leaves_no_row(backup, new, tmp_path):
    before = rows_of(new / "mien.sqlite3")
    content = backup.read_bytes()
    at = content.index(b"files/training/run/checkpoint.npz") + 2000
    for damaged in (
        content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],  # a bit
        content[:at],  # the end is missing
        content[: content.index(b"checksums.json")],
        b"not a backup" * 1000,
        b"",
    ):
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        done = manage(new, "restore", path)
        assert done.returncode == 2, done.stderr
        assert b"backup" in done.stderr
        assert b"Traceback" not in done.stderr
        assert rows_of(new / "mien.sqlite3") == before


def test_names_that_lead_elsewhere_are_refused(backup, new, tmp_path):
    def lead_elsewhere(name, content):
        return name.replace("training/run", "training/../.."), content

    done = manage(new, "restore", rewritten(backup, tmp_path / "evil.tar", lead_elsewhere))
    assert done.returncode == 2
    assert b"impossible name" in done.stderr
    assert not list(tmp_path.rglob("checkpoint.npz"))


def test_a_backup_of_the_future_is_refused(backup, new, tmp_path):
    def migrate_on(name, content):
        if name == "manifest.json":
            manifest = json.loads(content)
            manifest["migrations"].append(["recognition", "9999_from_the_future"])
            content = json.dumps(manifest).encode()
        return name, content

    done = manage(new, "restore", rewritten(backup, tmp_path / "later.tar", migrate_on))
    assert done.returncode == 2
    assert b"recognition.9999_from_the_future" in done.stderr


def test_a_backup_of_an_older_version_is_migrated(site, backup, new, tmp_path):
    """One from before the columns that a later migration added."""
    added = {"measures", "covered", "mesh", "detector", "keep"}
    newer = {f"recognition_{name}" for name in NEWER_TABLES}

    def is_newer(table):
        return table in newer or table.startswith(NEWER_APP)

    def go_back(name, content):
        if name == "manifest.json":
            manifest = json.loads(content)
            later = [one for one in manifest["migrations"] if one[0] == "recognition"][18:]
            later += [one for one in manifest["migrations"] if one[0] == NEWER_APP]
            manifest["migrations"] = [one for one in manifest["migrations"] if one not in later]
            rows = manifest["rows"].items()
            manifest["rows"] = {table: count for table, count in rows if not is_newer(table)}
            content = json.dumps(manifest).encode()
        elif name.startswith("tables/") and is_newer(Path(name).stem):
            return None
        elif name in ("tables/recognition_face.jsonl", "tables/recognition_analysis.jsonl"):
            lines = [json.loads(line) for line in content.splitlines()]
            kept = [at for at, column in enumerate(lines[0]) if column not in added]
            lines = [json.dumps([line[at] for at in kept]) for line in lines]
            content = "".join(f"{line}\n" for line in lines).encode()
        return name, content

    done = manage(new, "restore", rewritten(backup, tmp_path / "older.tar", go_back))
    assert done.returncode == 0, done.stderr
    before, after = (rows_of(folder / "mien.sqlite3") for folder in (site.data_dir, new))
    for table in ("recognition_face", "recognition_analysis"):
        assert len(after.pop(table)) == len(before.pop(table)) == 3
    for name in NEWER_TABLES:
        assert not after.pop(f"recognition_{name}", [])
        before.pop(f"recognition_{name}", None)
    assert len(before.pop("socialaccount_socialaccount")) == 1
    assert after.pop("socialaccount_socialaccount") == []
    assert after == before
    with sqlite3.connect(new / "mien.sqlite3") as connection:
        faces = set(connection.execute("SELECT measures, covered FROM recognition_face"))
        assert faces == {(None, None)}


def test_a_database_that_was_not_migrated_has_no_backup(set_up, tmp_path):
    old = shutil.copytree(set_up, tmp_path / "old")
    manage(old, "migrate", "recognition", "0018")
    done = manage(old, "backup", tmp_path / "backup.tar")
    assert done.returncode == 2
    assert b"manage.py migrate" in done.stderr


def test_without_media_the_storage_is_compared(site, new, tmp_path):
    path = tmp_path / "rows.tar"
    manage(site.data_dir, "backup", path, "--without-media")
    with tarfile.open(path) as tar:
        assert not [name for name in tar.getnames() if name.startswith("files/media/")]
    done = manage(new, "restore", path)
    assert done.returncode == 0, done.stderr
    assert b"files are missing in the storage" in done.stderr
    assert rows_of(new / "mien.sqlite3") == rows_of(site.data_dir / "mien.sqlite3")


@pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="needs PostgreSQL")
def test_to_postgresql_and_back(site, backup, new, tmp_path):
    url = os.environ["DATABASE_URL"]
    name = f"restored_{os.getpid()}"
    elsewhere = f"{url.rpartition('/')[0]}/{name}"
    with psycopg.connect(unquote_host(url), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            with_it = {"DATABASE_URL": elsewhere}
            between = tmp_path / "between"
            assert manage(between, "migrate", **with_it).returncode == 0
            done = manage(between, "restore", backup, **with_it)
            assert done.returncode == 0, done.stderr
            done = manage(between, "backup", tmp_path / "second.tar", **with_it)
            assert done.returncode == 0, done.stderr
            # The next row gets a new number.
            done = manage(between, "shell", "-c", CREATE_SOMEBODY, **with_it)
            assert done.returncode == 0, done.stderr
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    done = manage(new, "restore", tmp_path / "second.tar")
    assert done.returncode == 0, done.stderr
    assert rows_of(new / "mien.sqlite3") == rows_of(site.data_dir / "mien.sqlite3")
    assert files_of(new) == files_of(site.data_dir)
