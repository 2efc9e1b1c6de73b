"""What the journal is handed to write, whose it is, and the facts that it writes of itself."""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from kiosk.money.entry import Tally
from kiosk.money.ledger import Transfer

OWN_STORY = 0  # no sale has this number: under it stand the rows that tell whose journal it is

Mode = Literal["live", "bench"]


class Identity(Struct, frozen=True):
    """Whose journal it is. Rows are known elsewhere by terminal, incarnation and sequence."""

    terminal: str
    incarnation: str
    mode: Mode
    currency: str


class JournalBegun(Identity, frozen=True, tag=True):
    """The first row of every journal."""


class Life(Struct, frozen=True):
    """A journal under one incarnation: its rows from the first, up to the one before the next life's first."""

    terminal: str
    incarnation: str
    first: int


class GivenUp(Struct, frozen=True, array_like=True):
    """A signed head that knew more than the journal when that was adopted all the same."""

    incarnation: str
    row: int
    hash: str


class JournalAdopted(Identity, frozen=True, tag=True):
    """A person took over a restored or foreign journal; it goes on under a new incarnation.

    What became of the things up to that number in the rows that this copy does not have, nobody knows.
    """

    by: str
    reason: str
    things: int = 0
    given_up: tuple[GivenUp, ...] = ()


class DayClosed(Struct, frozen=True, tag=True):
    """The business day is over: it ends with the row before this one."""

    day: str


class PersonalErased(Struct, frozen=True, tag=True):
    """Personal data past its time was wiped, with the salts."""

    sales: list[int]


class PersonalShown(Struct, frozen=True, tag=True):
    """Somebody asked to see personal data unmasked: of these sales, or (none named) of all."""

    by: str
    sales: list[int]


class Personal(Struct, frozen=True):
    """Something about a customer, kept beside the chain."""

    sale: int
    label: str
    value: bytes


class Step(Struct, frozen=True):
    """What is to become one row."""

    at_ms: int
    fact: bytes
    changes: Sequence[tuple[int, bytes]] = ()
    transfers: Sequence[Transfer] = ()
    tallies: Sequence[Tally] = ()
    commands: Sequence[bytes] = ()
    personal: Sequence[Personal] = ()
    sales: Iterable[int] = ()
    clock_trusted: bool = True
