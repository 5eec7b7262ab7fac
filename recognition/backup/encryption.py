"""Backups as the age tool encrypts and decrypts them, by pairs of keys."""

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pyrage
from django.conf import settings

from recognition.backup.contents import BackupError

AGE_HEADER = b"age-encryption.org/v1"


@contextlib.contextmanager
def encrypted(output: IO[bytes], recipients: list[str]) -> Iterator[IO[bytes]]:
    """What is written arrives at `output` encrypted for these public keys; as it is without any.

    Raises BackupError (bad_key).
    """
    keys = [_public_key(text) for text in recipients]
    if not keys:
        yield output
        return
    ends = zip(os.pipe(), ("rb", "wb"), strict=True)
    reader, writer = (os.fdopen(end, mode) for end, mode in ends)
    trouble: list[BaseException] = []

    def encrypt() -> None:
        try:
            with reader:
                pyrage.encrypt_io(reader, output, keys)
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=encrypt)
    thread.start()
    try:
        with writer:
            yield writer
    except BrokenPipeError:
        pass  # what broke it follows
    finally:
        thread.join()
    if trouble:
        raise trouble[0]


def make_key(path: Path) -> str:
    """Write a new age secret key to a file of one's own; gives its public key."""
    identity = pyrage.x25519.Identity.generate()
    with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def _public_key(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        message = f"{text!r} is no public key of age: it begins with age1."
        raise BackupError("bad_key", message) from error


@contextlib.contextmanager
def decrypted(source: IO[bytes], identities: list[str]) -> Iterator[IO[bytes]]:
    head = source.read(len(AGE_HEADER))
    whole = _Joined(head, source)
    if head != AGE_HEADER:
        yield cast(IO[bytes], whole)
        return
    if not identities:
        message = "This backup is encrypted: name the file of its secret key with --identity."
        raise BackupError("encrypted", message)
    try:
        keys = [pyrage.x25519.Identity.from_str(text) for text in identities]
    except pyrage.IdentityError as error:
        message = "The file of the secret key holds none: it begins with AGE-SECRET-KEY-."
        raise BackupError("bad_key", message) from error
    with tempfile.TemporaryFile(dir=settings.INCOMING_DIR) as plain:
        try:
            pyrage.decrypt_io(whole, plain, keys)
        except pyrage.DecryptError as error:
            message = "This key doesn't open the backup, or the backup is damaged."
            raise BackupError("wrong_key", message) from error
        except OSError as error:
            message = "This backup is damaged, or its end is missing. Use another one."
            raise BackupError("damaged", message) from error
        plain.seek(0)
        yield plain


class _Joined:
    """What was read of a stream already, and the rest of it."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self.head, self.rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if not self.head:
            return self.rest.read(size)
        if size < 0:
            content, self.head = self.head + self.rest.read(), b""
            return content
        content, self.head = self.head[:size], self.head[size:]
        return content
