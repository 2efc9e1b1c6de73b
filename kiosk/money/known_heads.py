"""What the heads that are kept say of a journal: whether it may take money, and what is given up by adopting it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from kiosk.money import secret
from kiosk.money.database import JournalError
from kiosk.money.heads import Head, contradiction, find, judge
from kiosk.money.journal import Journal
from kiosk.money.replay import Adoption
from kiosk.money.secret import NEW_KEY
from kiosk.money.step import GivenUp, Identity, Life
from kiosk.money.terminal_config import Config, head_places

ADOPT = "find out how that came about, then run `kiosk adopt --config FILE --by NAME --reason TEXT`"


class KnownHead(Struct, frozen=True):
    """A head, and where it is kept."""

    place: Path
    head: Head


def read(config: Config) -> list[KnownHead]:
    """The newest head that can be read at each place."""
    return [KnownHead(place, head) for place in head_places(config) if (head := find(place).head)]


def check(journal: Journal, known: Sequence[KnownHead], key_path: Path) -> None:
    """Refuse a journal for which one of these heads does not vouch, or whose heads are not this machine's."""
    identity = journal.identity
    foreign = signed_by_another(known, key_path)
    if foreign:
        raise JournalError(foreign, f"put the saved copy of the key back; if it is lost for good, {NEW_KEY}")
    for kept in known:
        found = objection(kept, identity, journal.seq, journal.hash_of(kept.head.seq))
        if found:
            raise JournalError(found, f"take no money and run `kiosk journal verify`; {ADOPT}")


def objection(kept: KnownHead, identity: Identity, last: int, digest: bytes | None) -> str:
    """Why this head does not vouch for a journal of so many rows; nothing if it does."""
    head = kept.head
    if (head.terminal, head.incarnation) != (identity.terminal, identity.incarnation):
        return (
            f"{kept.place} vouches for row {head.seq} of another journal (terminal {head.terminal}, incarnation"
            f" {head.incarnation}; this is {identity.terminal}, {identity.incarnation})"
        )
    found = contradiction(head, last, digest)
    return f"{kept.place} {found}" if found else ""


def signed_by_another(known: Iterable[KnownHead], key_path: Path) -> str:
    """Name the first head that this machine's key did not sign; nothing if it signed them all."""
    public_key = secret.read(key_path).public_key()
    strange = next((kept.place for kept in known if not kept.head.is_signed_by(public_key)), None)
    return f"the head {strange} was not signed with this machine's key, {key_path}" if strange else ""


def given_up(
    known: Iterable[KnownHead], lives: Sequence[Life], last: int, hash_of: Callable[[int], bytes | None]
) -> Iterator[tuple[GivenUp, str]]:
    """Each head that knows more than the journal, and in words what is missing, or was changed."""
    for kept in known:
        head = kept.head
        found = judge(head, lives, last, hash_of(head.seq))
        if found:
            yield GivenUp(head.incarnation, head.seq, head.hash), f"{kept.place} {found}"


def declared(head: Head, adoptions: Iterable[Adoption], end: int) -> int:
    """The row by which a person gave up what this head knows beyond the end of its incarnation; 0 if nobody did.

    Of rows that are missing, an earlier head knows nothing that the later one did not.
    """
    for adoption in adoptions:
        for gone in adoption.given_up:
            same = (gone.row, gone.hash) == (head.seq, head.hash)
            if gone.incarnation == head.incarnation and (same or end < head.seq < gone.row):
                return adoption.row
    return 0
