"""Helpers of the settings: environment variables, and the key kept in the data folder."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def env_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_int(name: str, default: int) -> int:
    return int(env_text(name, str(default)))


def env_bool(name: str, default: bool) -> bool:
    return env_text(name, str(default)).lower() in {"1", "true", "yes", "on"}


def env_choice(name: str, choices: tuple[str, ...]) -> str:
    """One of these words; the first by default."""
    value = env_text(name, choices[0])
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def env_list(name: str) -> list[str]:
    return [item.strip() for item in env_text(name).split(",") if item.strip()]


def private_folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def share_metrics(folder: Path) -> None:
    """Have the processes of this host write what they measure to one folder.

    Prometheus' library reads the variable when it is imported.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(private_folder(folder))


def socket_path(data_dir: Path) -> Path:
    """A path for Redis's socket within the system's limit of 107 bytes."""
    path = data_dir / "run" / "redis.sock"
    if len(os.fsencode(path)) > 100:
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
        path = Path(tempfile.gettempdir(), f"mien-{os.getuid()}-{digest}", "redis.sock")
    return path


def secret_key(data_dir: Path) -> str:
    """The secret key from the environment, or else the one kept in the data folder."""
    if key := env_text("MIEN_SECRET_KEY"):
        return key
    path = data_dir / "secret_key"
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()
