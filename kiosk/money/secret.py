"""The machine has one secret, in a file outside the data folder; whatever must not be guessed is derived from it.

Who has a copy of the data folder alone can neither sign a head nor read a claim code out of it.
"""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.errors import UsageError, room_or
from kiosk.money.codes import CodeBook
from kiosk.money.durable_file import keep_as_evidence, read_small, sync_folder, write_durably

SECRET_BYTES = 32
NEW_KEY = "`kiosk adopt --config FILE --by NAME --reason TEXT --new-key` goes on with another one"
_HEX = re.compile(rb"[0-9a-fA-F]{64}\s*")


class MachineKey:
    """The secret, and what is derived from it for each purpose."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def signing_key(self) -> Ed25519PrivateKey:
        """Signs the heads of the journal."""
        return Ed25519PrivateKey.from_private_bytes(self._derive(b"head signature"))

    def public_key(self) -> bytes:
        """Proves those signatures; everybody may have it."""
        return self.signing_key().public_key().public_bytes_raw()

    def code_book(self, incarnation: str) -> CodeBook:
        """Makes the claim codes of one incarnation, and recognises those of every one."""
        return CodeBook(self._derive(b"claim codes"), incarnation)

    def code_text(self, claim: int, renewals: int, digest: str, incarnations: Sequence[str]) -> str | None:
        """The code of a claim in full, under whichever incarnation it was made; None if this secret never made it."""
        for incarnation in incarnations:
            book = self.code_book(incarnation)
            if book.code(claim, renewals).digest == digest:
                return book.text(claim, renewals)
        return None

    def _derive(self, purpose: bytes) -> bytes:
        return hashlib.blake2b(key=self._secret, person=purpose, digest_size=SECRET_BYTES).digest()


def public_path(path: Path) -> Path:
    """Where the public key of a secret file lies."""
    return path.with_name(f"{path.name}.pub")


def create(path: Path, entropy: Callable[[int], bytes]) -> bool:
    """Make the secret if there is none, and never touch one that is there; the answer tells which."""
    if path.exists():
        return False
    if public_path(path).exists():
        raise _orphan(path, f"there is no secret key {path}, and {public_path(path)} is the public half of one")
    new = path.with_name(f"{path.name}.new")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        msg = f"{new} is there already: another command is making the secret key, or was cut off while it made it"
        raise UsageError(msg, "wait until it has ended; if none is at work, remove that file") from error
    except OSError as error:
        raise _cannot_be_made(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(entropy(SECRET_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(handle)
        os.link(new, path)  # unlike a rename it never takes the place of a file that is there
        sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise _cannot_be_made(path, error) from error
    finally:
        new.unlink()
    return True


def read(path: Path) -> MachineKey:
    """Read the secret."""
    return MachineKey(_read_hex(path, "the secret key", f"put its saved copy back; if it is lost for good, {NEW_KEY}"))


def write_public(path: Path) -> Path:
    """Write the public key beside the secret; one that belongs to another secret is not touched."""
    public = public_path(path)
    try:
        if not public.exists():
            write_durably(public, _public_hex(path) + b"\n")
        elif not _belongs(public, path):
            raise _orphan(path, f"{public} does not belong to the secret key {path}")
    except OSError as error:
        msg = f"the public key {public} cannot be written: {error.strerror}"
        raise UsageError(msg, room_or(error.errno, "let this account write to its folder")) from error
    return public


def keep_other_public(path: Path, label: str) -> Path | None:
    """Set the public key of an earlier secret aside: nothing else proves the heads that were signed with that one."""
    public = public_path(path)
    try:
        kept = public.with_name(f"{path.name}.{label}{public.suffix}")
        if not public.exists() or (path.exists() and _belongs(public, path)):
            return kept if kept.exists() else None  # a command that was cut off may have done so
        kept = keep_as_evidence(public, kept)
        public.unlink()
    except OSError as error:
        msg = f"the earlier public key {public} cannot be set aside: {error.strerror}"
        raise UsageError(msg, "let this account write to its folder") from error
    return kept


def read_public(path: Path) -> bytes:
    """Read a public key that came from outside the data folder."""
    return _read_hex(path, "the public key", "name the file that `kiosk init` wrote beside the secret key")


def _belongs(public: Path, path: Path) -> bool:
    return read_small(public).strip().lower() == _public_hex(path)


def _public_hex(path: Path) -> bytes:
    return read(path).public_key().hex().encode()


def _orphan(path: Path, problem: str) -> UsageError:
    remedy = f"put the saved copy of its secret key back as {path}; if that is lost for good, rename the public key"
    return UsageError(problem, f"{remedy} and keep it: nothing else proves the heads that were signed with it")


def _cannot_be_made(path: Path, error: OSError) -> UsageError:
    problem = f"the secret key {path} cannot be made: {error.strerror}"
    return UsageError(problem, room_or(error.errno, "name a folder that this account can write to"))


def _read_hex(path: Path, what: str, remedy: str) -> bytes:
    try:
        content = read_small(path)
    except OSError as error:
        msg = f"{what} {path} cannot be read: {error.strerror}"
        raise UsageError(msg, remedy) from error
    if not _HEX.fullmatch(content):
        msg = f"{what} {path} does not hold {SECRET_BYTES} bytes as {2 * SECRET_BYTES} hexadecimal characters"
        raise UsageError(msg, remedy)
    return bytes.fromhex(content.decode())
