"""What the heads that are kept say of a journal: whether it may take money, and what is given up by adopting it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from kiosk.money.database import JournalError
from kiosk.money.heads import Head, contradiction, find
from kiosk.money.journal import Journal
from kiosk.money.replay import Adoption
from kiosk.money.secret import NEW_KEY
from kiosk.money.terminal_config import Config, head_places

ADOPT = "find out how that came about, then run `kiosk adopt --config FILE --by NAME --reason TEXT`"


class KnownHead(Struct, frozen=True):
    """A head, and where it is kept."""

    place: Path
    head: Head


def read(config: Config) -> list[KnownHead]:
    """The newest head that can be read at each place."""
    return [KnownHead(place, head) for place in head_places(config) if (head := find(place).head)]


def check(journal: Journal, known: Iterable[KnownHead], public_key: bytes) -> None:
    """Refuse a journal for which one of these heads does not vouch, or whose heads are not this machine's."""
    identity = journal.identity
    for kept in known:
        place, head = kept.place, kept.head
        if not head.is_signed_by(public_key):
            msg = f"the head {place} was not signed with this machine's key"
            raise JournalError(msg, f"put the saved copy of the key back; if it is lost for good, {NEW_KEY}")
        if (head.terminal, head.incarnation) != (identity.terminal, identity.incarnation):
            msg = (
                f"{place} vouches for row {head.seq} of another journal (terminal {head.terminal}, incarnation"
                f" {head.incarnation}; this is {identity.terminal}, {identity.incarnation})"
            )
            raise JournalError(msg, ADOPT)
        contradicted = contradiction(head, journal.seq, journal.hash_of(head.seq))
        if contradicted:
            msg = f"{place} {contradicted}"
            raise JournalError(msg, f"take no money and run `kiosk journal verify`; {ADOPT}")


def given_up(journal: Journal, known: Iterable[KnownHead], adoptions: Sequence[Adoption]) -> Iterator[str]:
    """Say of each head that knows more than the journal what is missing, or was changed."""
    ends = [*(adoption.row - 1 for adoption in adoptions), journal.seq]
    last_rows = dict(zip(reversed(journal.incarnations()), ends, strict=True))
    for kept in known:
        head = kept.head
        last = last_rows.get(head.incarnation)
        if last is None:
            found = f"vouches for row {head.seq} of incarnation {head.incarnation}, of which there is nothing here"
        else:
            own = head.incarnation == journal.identity.incarnation
            what = "the journal" if own else f"incarnation {head.incarnation}"
            found = contradiction(head, last, journal.hash_of(head.seq), what=what)
        if found:
            yield f"{kept.place} {found}"
