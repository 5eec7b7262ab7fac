"""Backups as the age tool encrypts and decrypts them: for public keys, or by a passphrase.

With a passphrase, a backup gets a key of its own. That key, which the passphrase opens, comes
first, as lines of text (age's "armor"); what follows is encrypted for it as for any other. So
backups of any size pass through piece by piece, and age opens both parts, too.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import pyrage

from recognition.backup.contents import BackupError

AGE_HEADER = b"age-encryption.org/v1"
ARMOR_BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
ARMOR_END = b"-----END AGE ENCRYPTED FILE-----\n"
ARMOR_BYTES = 4096  # at most, of a key
SHORTEST = 12  # characters of a passphrase; whoever has the file can try as many as they like


@contextlib.contextmanager
def encrypted(
    output: IO[bytes], recipients: list[str], passphrase: str = ""
) -> Iterator[IO[bytes]]:
    """What is written arrives at `output` encrypted; as it is without any recipient or passphrase.

    Raises BackupError (bad_key, bad_passphrase).
    """
    keys = [_public_key(text) for text in recipients]
    if passphrase:
        if len(passphrase) < SHORTEST:
            message = f"This passphrase is too short: it needs {SHORTEST} characters."
            raise BackupError("bad_passphrase", message)
        own = pyrage.x25519.Identity.generate()
        keys.append(own.to_public())
        output.write(pyrage.passphrase.encrypt(str(own).encode(), passphrase, armored=True))
    if not keys:
        yield output
        return
    work = _Work(lambda source, target: pyrage.encrypt_io(source, target, keys))
    with work.feeds(output) as writer:
        yield writer


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
def decrypted(
    source: IO[bytes], identities: list[str], passphrase: str = ""
) -> Iterator[IO[bytes]]:
    """What can be read once. That nothing is missing is certain when its end was read.

    Raises BackupError (encrypted, bad_key, wrong_key, damaged), in reading, too.
    """
    head = source.read(len(AGE_HEADER))
    if ARMOR_BEGIN.startswith(head) and head:
        identities = [_unlocked(_armored(head, source), passphrase)]
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

    def decrypt(encrypted: IO[bytes], plain: IO[bytes]) -> None:
        try:
            pyrage.decrypt_io(encrypted, plain, keys)
        except pyrage.DecryptError as error:
            message = "This key doesn't open the backup, or the backup is damaged."
            raise BackupError("wrong_key", message) from error
        except OSError as error:
            message = "This backup is damaged, or its end is missing. Use another one."
            raise BackupError("damaged", message) from error

    with _Work(decrypt).reads(cast(IO[bytes], whole)) as plain:
        yield plain


def _armored(head: bytes, source: IO[bytes]) -> bytes:
    """The lines of text at the beginning."""
    block = head
    while not block.endswith(ARMOR_END):
        # Byte by byte: what follows belongs to the backup.
        if not (byte := source.read(1)) or len(block) > ARMOR_BYTES:
            raise BackupError("unreadable", "This file is no backup of Mien.")
        block += byte
    return block


def _unlocked(block: bytes, passphrase: str) -> str:
    """The secret key that the passphrase opens."""
    if not passphrase:
        message = (
            "This backup has a passphrase: name the file that holds it with --passphrase-file."
        )
        raise BackupError("encrypted", message)
    try:
        return str(pyrage.passphrase.decrypt(block, passphrase).decode())
    except pyrage.DecryptError as error:
        message = "This passphrase doesn't open the backup, or the backup is damaged."
        raise BackupError("wrong_key", message) from error


class _Work:
    """Something that reads one file and writes another, done in a thread behind a pipe."""

    def __init__(self, work: Callable[[IO[bytes], IO[bytes]], object]) -> None:
        self.work = work
        self.trouble: list[BaseException] = []
        ends = zip(os.pipe(), ("rb", "wb"), strict=True)
        self.reader, self.writer = (os.fdopen(end, mode) for end, mode in ends)

    def _start(self, source: IO[bytes], target: IO[bytes], end: IO[bytes]) -> threading.Thread:
        def run() -> None:
            # The end is closed last: who sees that knows that trouble is noted.
            with contextlib.suppress(BrokenPipeError), end:
                try:
                    self.work(source, target)
                except BaseException as error:
                    self.trouble.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    @contextlib.contextmanager
    def feeds(self, output: IO[bytes]) -> Iterator[IO[bytes]]:
        """What is written in the block goes through the work to `output`."""
        thread = self._start(self.reader, output, self.reader)
        try:
            with self.writer:
                yield self.writer
        except BrokenPipeError:
            pass  # what broke it follows
        finally:
            thread.join()
        if self.trouble:
            raise self.trouble[0]

    @contextlib.contextmanager
    def reads(self, source: IO[bytes]) -> Iterator[IO[bytes]]:
        """What is read in the block comes from `source` through the work; its end says whether
        the work went well."""
        thread = self._start(source, self.writer, self.writer)
        try:
            with self.reader:
                yield cast(IO[bytes], _Checked(self.reader, self.trouble))
        finally:
            thread.join()


class _Checked:
    """A pipe whose end is an error if its writer had trouble."""

    def __init__(self, pipe: IO[bytes], trouble: list[BaseException]) -> None:
        self.pipe, self.trouble = pipe, trouble

    def read(self, size: int = -1) -> bytes:
        content = self.pipe.read(size)
        if not content and size and self.trouble:
            raise self.trouble[0]
        return content


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
