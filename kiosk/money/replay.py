"""The rows are read once, in order, and all that they say is reckoned anew; nothing that is derived is believed.

Rows, transfers and personal data never change once they are written, so they are read in slices, each statement with a
snapshot of its own: a long verification never keeps the write-ahead log from being emptied.
"""

import hashlib
from array import array
from collections.abc import Sequence

import apsw
import msgspec
from msgspec import Raw, Struct
from msgspec.structs import astuple

from kiosk.money.accounts import class_of, line_of
from kiosk.money.entry import GENESIS, chain, commit_to
from kiosk.money.journal import DayClosed, Identity, JournalAdopted, JournalBegun, PersonalErased
from kiosk.money.ledger import Ledger, LedgerError, Transfer

SLICE_ROWS = 1_000
NUMBERS_LEAP_MAX = 10_000  # things that one row may bring; the longest real row has about a dozen

Sums = dict[str, tuple[int, int]]  # line → count, amount


class Problem(Struct, frozen=True):
    """What is wrong, and the row where it shows first; 0 where it is not about one row."""

    row: int
    what: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.what}" if self.row else self.what


class BadError(Exception):
    """The rows cannot be followed any further."""

    def __init__(self, row: int, what: str) -> None:
        super().__init__(row, what)
        self.problem = Problem(row, what)


class _Fact(Struct, frozen=True, gc=False):
    type: str


class _Row(Struct, frozen=True, gc=False):
    """What is looked at of an Entry; the rest is vouched for by the hash alone."""

    seq: int
    day: str
    fact: _Fact
    changes: tuple[tuple[int, Raw], ...] = ()
    transfers: tuple[Transfer, ...] = ()
    tallies: tuple[tuple[str, int, int], ...] = ()
    personal: tuple[tuple[int, str, str], ...] = ()
    sales: tuple[int, ...] = ()


_OwnFact = JournalBegun | JournalAdopted | DayClosed | PersonalErased


class _OwnRow(Struct, frozen=True):
    at: int
    fact: _OwnFact


_decode = msgspec.json.Decoder(_Row).decode
_decode_own = msgspec.json.Decoder(_OwnRow).decode
_OWN = frozenset(fact.__name__ for fact in (JournalBegun, JournalAdopted, DayClosed, PersonalErased))

ROWS = "SELECT seq, day, body, hash FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
TRANSFERS = (
    "SELECT seq, number, kind, debit, credit, amount, of, cause FROM transfer WHERE number > ? ORDER BY number LIMIT ?"
)
PERSONAL = (
    "SELECT number, personal.seq, personal.sale, label, value, salt"
    " FROM personal LEFT JOIN salt ON salt.sale = personal.sale WHERE number > ? ORDER BY number LIMIT ?"
)


class Accounts:
    """Every account that was ever touched; one byte each for those that have a number."""

    def __init__(self) -> None:
        self._numbered: dict[str, bytearray] = {}
        self._named: set[str] = set()

    def touch(self, account: str) -> None:
        name, _, written = account.partition("#")
        number = int(written) if written.isdecimal() else -1
        marks = self._numbered.setdefault(name, bytearray())
        if 0 <= number < len(marks) + NUMBERS_LEAP_MAX and written == str(number):
            if number >= len(marks):
                marks.extend(bytes(number + NUMBERS_LEAP_MAX - len(marks)))
            marks[number] = 1
        else:
            self._named.add(account)

    def __contains__(self, account: str) -> bool:
        ...

    def __len__(self) -> int:
        return len(self._named) + sum(marks.count(1) for marks in self._numbered.values())
