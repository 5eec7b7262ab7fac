"""Brings the database, the static files and the model registry up to date before Mien starts."""

import hashlib
import os
import shutil

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from fer_site import production


def fingerprint_static_files() -> str:
    """A digest that changes with any static file, and with the code that collects them."""
    digest = hashlib.sha256(django.__version__.encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static_files() -> None:
    """Collect the static files if they have changed: hashing and compressing takes seconds."""
    stamp = settings.STATIC_ROOT / ".fingerprint"
    fingerprint = fingerprint_static_files()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")
    django.setup()
    try:
        production.refuse_unsafe_start()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None
    call_command("migrate", interactive=False, verbosity=0)
    collect_static_files()
    call_command("register_shipped_model", verbosity=0)
    # What processes measured that have ended: their numbers would be given to new ones.
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
