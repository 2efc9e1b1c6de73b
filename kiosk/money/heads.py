"""A signed head says how far the journal had come: rows beyond it are normal, a head beyond the rows is truncation.

It is written after the commit that it vouches for, whole or not at all, and the one before it is kept.
What it cannot show is a rollback of rows and head together: that needs a head that was kept elsewhere.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from kiosk.counted import counted
from kiosk.money.durable_file import keep_as_evidence, read_small, write_durably
from kiosk.money.journal import Journal
from kiosk.money.step import Life

HEAD_NAME = "head.json"
LATEST_MS = 253_402_300_799_999  # the end of the year 9999
LABEL_MAX = 32  # characters of an incarnation in the name of a file; ours have 16
_SIGNED_AS = b"kiosk journal head 1\n"  # no other signature of this key can be taken for a head's
UNWRITTEN = "see to that place: the next head is written there as well"  # the remedy, if nothing else hangs on it
_HEX = re.compile(r"(?:[0-9a-f]{2})*")


class Head(Struct, frozen=True):
    """Row `seq` of this journal had this hash, says whoever has the machine's secret."""

    terminal: str
    incarnation: str
    seq: Annotated[int, Meta(ge=1, le=(1 << 63) - 1)]
    hash: str
    at: Annotated[int, Meta(ge=0, le=LATEST_MS)]  # milliseconds since 1970
    signature: str = ""

    def is_signed_by(self, public_key: bytes) -> bool:
        """Tell whether the signature is right."""
        if not _HEX.fullmatch(self.signature):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(bytes.fromhex(self.signature), _signed_bytes(self))
        except (InvalidSignature, ValueError):
            return False
        return True


class Found(Struct, frozen=True):
    """What was found at one place: the newest head that can be read, and what is wrong with those that cannot."""

    head: Head | None = None
    warnings: tuple[str, ...] = ()


def unsigned(journal: Journal, at_ms: int) -> Head:
    """What would be signed: by itself it proves nothing, and keeps money from being taken where it stands."""
    identity = journal.identity
    return Head(identity.terminal, identity.incarnation, journal.seq, journal.head.hex(), at_ms)


def sign(journal: Journal, key: Ed25519PrivateKey, at_ms: int) -> Head:
    """Vouch for the last committed row."""
    head = unsigned(journal, at_ms)
    return msgspec.structs.replace(head, signature=key.sign(_signed_bytes(head)).hex())


def write(head: Head, places: list[Path]) -> list[str]:
    """Write the head to its file in the data folder and to its copies; what could not be written is the answer.

    Belongs at the end of each session, of each day, and of the program. The journal goes on without it, so a failure
    is to be alarmed, and nothing else.
    """
    failures: list[str] = []
    for place in places:
        try:
            _replace(place, head)
        except OSError as error:
            failures.append(f"the signed head {place} could not be written: {error.strerror}")
    return failures


def find(place: Path) -> Found:
    """Read the head at a place; if it is torn, or was cut off while it was replaced, the one before it."""
    warnings: list[str] = []
    for path in (place, previous_path(place)):
        head = _read(path, warnings)
        if head is not None:
            if path != place:
                torn = warnings or [f"{place.name} is missing"]
                return Found(head, (*torn, f"{path.name} of row {head.seq} is used instead"))
            return Found(head, tuple(warnings))
    return Found(None, tuple(warnings))


def contradiction(head: Head, last: int, kept: bytes | None, *, what: str = "the journal") -> str:
    """How a journal of so many rows, with this hash kept in the head's row, contradicts it; nothing if it does not."""
    if head.seq > last:
        missing = head.seq - last
        are = "is" if missing == 1 else "are"
        return f"vouches for row {head.seq}, and {what} ends with row {last}: {counted(missing, 'row')} {are} missing"
    if kept is None or kept.hex() != head.hash:
        return f"vouches for another row {head.seq}: rows were changed"
    return ""


def judge(head: Head, lives: Sequence[Life], last: int, kept: bytes | None) -> str:
    """The same of a head of any incarnation that the journal, whose last row this is, has ever had."""
    end = end_of(head.incarnation, lives, last)
    if not end:
        return f"vouches for row {head.seq} of incarnation {head.incarnation}, of which there is nothing here"
    own = head.incarnation == lives[-1].incarnation
    return contradiction(head, end, kept, what="the journal" if own else f"incarnation {head.incarnation}")


def end_of(incarnation: str, lives: Sequence[Life], last: int) -> int:
    """The last row that was written under this incarnation; 0 if there is none."""
    ends = [*(life.first - 1 for life in lives[1:]), last]
    return next((end for life, end in zip(lives, ends, strict=True) if life.incarnation == incarnation), 0)


def previous_path(place: Path) -> Path:
    """Where the head before this one is kept."""
    return place.with_name(f"{place.stem}.previous{place.suffix}")


def _replace(place: Path, head: Head) -> None:
    """Write a head where another may be; the last one of an earlier incarnation is evidence, and is kept for ever."""
    previous = previous_path(place)
    whole = {path: known for path in (place, previous) if (known := _read(path, []))}  # what is torn is worth nothing
    path, newest = next(iter(whole.items()), (place, head))
    earlier = newest.incarnation != head.incarnation
    if earlier:
        label = re.sub(r"[^0-9A-Za-z]", "-", newest.incarnation)[:LABEL_MAX]
        keep_as_evidence(path, place.with_name(f"{place.stem}.{label}{place.suffix}"))
    write_durably(place, msgspec.json.encode(head) + b"\n", keep=previous if place in whole else None)
    if earlier:
        previous.unlink(missing_ok=True)  # or it would be taken for this incarnation's


def _read(path: Path, warnings: list[str]) -> Head | None:
    try:
        content = read_small(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        warnings.append(f"{path.name} cannot be read: {error.strerror}")
        return None
    try:
        return msgspec.json.decode(content, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        warnings.append(f"{path.name} is torn")
        return None


def _signed_bytes(head: Head) -> bytes:
    return _SIGNED_AS + msgspec.json.encode([head.terminal, head.incarnation, head.seq, head.hash, head.at])
