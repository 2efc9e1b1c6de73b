"""The rows are read once, in order, and all that they say is reckoned anew; nothing that is derived is believed.

Rows, transfers and personal data never change once they are written, so they are read in slices, each statement with a
snapshot of its own: a long verification never keeps the write-ahead log from being emptied.
"""

from array import array
from collections.abc import Callable
from itertools import zip_longest
from typing import Annotated, TypeVar, cast

import apsw
import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import astuple

from kiosk.money.day_books import DayBooks
from kiosk.money.entry import GENESIS, chain, commit_to
from kiosk.money.ledger import Ledger, LedgerError, Transfer
from kiosk.money.step import DayClosed, GivenUp, Identity, JournalAdopted, JournalBegun, Life, PersonalErased

SLICE_ROWS = 1_000
NUMBERS_LEAP_MAX = 10_000  # how far a row may be ahead with the number of a thing; a dozen is ordinary
STORY_BEGINS = hash(b"the story begins")  # another one in each process
MOVING = frozenset({"direct", "post", "correction"})

ROWS = "SELECT seq, day, body, hash FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
TRANSFERS = (
    "SELECT seq, number, kind, debit, credit, amount, of, cause FROM transfer WHERE number >= ? ORDER BY number LIMIT ?"
)
PERSONAL = (
    "SELECT seq, personal.sale, label, number, value, salt FROM personal LEFT JOIN salt ON salt.sale = personal.sale"
    " WHERE personal.sale IN (SELECT value FROM json_each(?))"
)


class BadError(Exception):
    """The rows cannot be followed beyond this one."""

    def __init__(self, row: int, what: str) -> None:
        super().__init__(row, what)
        self.row = row
        self.what = what


class Adoption(Struct, frozen=True):
    """A person took the journal over, with that row."""

    row: int
    at: int
    by: str
    reason: str
    given_up: tuple[GivenUp, ...] = ()


Number = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class _Fact(Struct, frozen=True, gc=False):
    type: str


class _Row(Struct, frozen=True, gc=False):
    """What is looked at of an Entry; for the rest its hash vouches."""

    seq: int
    day: str
    fact: _Fact
    changes: tuple[tuple[Number, Raw], ...] = ()
    transfers: tuple[Transfer, ...] = ()
    tallies: tuple[tuple[str, int, int], ...] = ()
    personal: tuple[tuple[Number, str, str], ...] = ()
    sales: tuple[Number, ...] = ()


class _OwnRow(Struct, frozen=True):
    """A row about the journal itself."""

    at: int
    fact: JournalBegun | JournalAdopted | DayClosed | PersonalErased


_decode = msgspec.json.Decoder(_Row).decode
_decode_own = msgspec.json.Decoder(_OwnRow).decode
_OWN = frozenset(fact.__name__ for fact in (JournalBegun, JournalAdopted, DayClosed, PersonalErased))
T = TypeVar("T")

Columns = tuple[int, str, bytes, bytes]  # a row of `entry`
Moved = tuple[int, int, str, str, str, int, int, str]  # a row of `transfer`
Kept = tuple[int, bytes, bytes | None]  # a row of `personal`: number, value, and the salt if it is still there
Committed = tuple[int, int, str, str]  # row, sale, label, commitment


class Replay:
    """What the rows up to `seq` say."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self.seq = 0
        self.head = GENESIS
        self.day = ""
        self.closed = False  # did the last row close its day?
        self.begun: dict[str, int] = {}  # business day → its first row
        self.identity: tuple[int, Identity] | None = None  # and the row that says so
        self.adoptions: list[Adoption] = []
        self.lives: list[Life] = []
        self.ledger = Ledger()
        self.books = DayBooks()
        # By the number of a thing: the row that changed it last, its bytes then, and the rows of its story. The hash is
        # Python's own, keyed anew in each process: nobody can prepare other bytes that have the same one.
        self.thing_row = array("q")
        self.thing_hash = array("q")
        self.story_hash = array("q")
        self._room = 0  # in each of the three
        self.gone: dict[int, int] = {}  # sale → a row whose personal data is not there, until a row says why
        self.personal: set[int] = set()  # the rows of that table that were found right
        # Of this slice, until its end:
        self._changed: dict[int, tuple[int, Raw]] = {}  # thing → the row that changed it last, its bytes then
        self._moved: list[Moved] = []
        self._committed: list[Committed] = []

    def advance(self) -> int:
        """Take the next slice; how many rows it had is the answer."""
        rows = cast("list[Columns]", self._db.execute(ROWS, (self.seq, SLICE_ROWS)).fetchall())
        try:
            for seq, day, body, digest in rows:
                self._take(seq, day, body, digest)
        finally:  # also when a row was bad: an earlier one may be worse
            self._compare_transfers()
            self._compare_personal()
        for number, (seq, data) in self._changed.items():
            self._reach(seq, number)
            self.thing_row[number] = seq
            self.thing_hash[number] = hash(bytes(data))
        self._changed = {}
        return len(rows)

    def _take(self, seq: int, day: str, body: bytes, digest: bytes) -> None:
        head = chain(self.head, body)
        if seq != self.seq + 1:
            raise BadError(self.seq + 1, f"it is missing; row {seq} comes next")
        if head != digest:
            raise BadError(seq, "its hash does not follow from its bytes and the row before it")
        row = _read(_decode, seq, body)
        if row.seq != seq or row.day != day:
            raise BadError(seq, f"its bytes say row {row.seq} of {row.day}, its columns row {seq} of {day}")
        first = seq - self.closed  # the row that closed the day before was written together with this one
        if day != self.day or self.closed:
            self._turn_day(seq, day)
        if row.fact.type in _OWN:
            self._take_own(seq, body, first)
        elif self.identity is None:
            raise BadError(seq, "it comes before any row that says whose journal this is")
        self._gather(seq, row)
        self.seq, self.head = seq, head

    def _gather(self, seq: int, row: _Row) -> None:
        """Reckon with what the row says, and keep what will be held against the tables."""
        for number, data in row.changes:
            self._changed[number] = seq, data
        for sale in row.sales:
            self._reach(seq, sale)
            self.story_hash[sale] = hash((self.story_hash[sale], seq))
        if row.transfers:
            self._book(seq, row.transfers)
        self.books.count(row.tallies)
        if row.personal:
            self._committed += [(seq, *commitment) for commitment in row.personal]

    def _take_own(self, seq: int, body: bytes, first: int) -> None:
        row = _read(_decode_own, seq, body)
        match row.fact:
            case JournalBegun() | JournalAdopted() as fact:
                identity = Identity(fact.terminal, fact.incarnation, fact.mode, fact.currency)
                if self.identity and (fact.mode, fact.currency) != (self.identity[1].mode, self.identity[1].currency):
                    raise BadError(seq, f"it makes the journal one of {fact.mode} and {fact.currency}")
                if isinstance(fact, JournalAdopted):
                    self.adoptions.append(Adoption(seq, row.at, fact.by, fact.reason, fact.given_up))
                elif seq != 1:
                    raise BadError(seq, "a journal begins here, in the midst of one")
                self.identity = seq, identity
                self.lives.append(Life(fact.terminal, fact.incarnation, first))
            case DayClosed():
                if row.fact.day != self.day:
                    raise BadError(seq, f"it closes {row.fact.day}, and the day is {self.day}")
                self.closed = True
            case PersonalErased():
                self._compare_personal()
                for sale in row.fact.sales:
                    self.gone.pop(sale, None)

    def _turn_day(self, seq: int, day: str) -> None:
        if day < self.day:
            raise BadError(seq, f"the business day goes back from {self.day} to {day}")
        if self.day:
            if self.closed == (day == self.day):
                how = "is closed" if self.closed else "was never closed"
                raise BadError(seq, f"it is of {day}, and {self.day} {how}")
            differs = self.books.close(self._db, self.day, self.ledger.promises.values(), self.ledger.balances)
            if differs:
                raise BadError(self.seq, differs)
        self.begun[day] = seq
        self.day, self.closed = day, False

    def _reach(self, seq: int, number: int) -> None:
        """Make room for the thing of that number."""
        if number < self._room:
            return
        more = number - self._room + NUMBERS_LEAP_MAX
        if more > 2 * NUMBERS_LEAP_MAX:
            raise BadError(seq, f"it names a thing by the number {number}")
        self.thing_row.extend([0] * more)
        self.thing_hash.extend([0] * more)
        self.story_hash.extend([STORY_BEGINS] * more)
        self._room += more

    def _book(self, seq: int, transfers: tuple[Transfer, ...]) -> None:
        for transfer in transfers:
            try:
                self.ledger.book(transfer)
                if transfer.kind in MOVING:
                    self.books.move(transfer)
            except LedgerError as error:
                raise BadError(seq, str(error)) from error
            except KeyError as error:
                raise BadError(seq, f"transfer {transfer.number} names an account that is in no chart") from error
            self._moved.append((seq, *astuple(transfer)))

    def _compare_transfers(self) -> None:
        """The ledger's own table must hold what the rows say, letter for letter."""
        moved, self._moved = self._moved, []
        if not moved:
            return
        found = cast("list[Moved]", self._db.execute(TRANSFERS, (moved[0][1], len(moved))).fetchall())
        for right, there in zip_longest(moved, found) if found != moved else ():
            if right != there:
                raise BadError(right[0], f"the ledger holds its transfer {right[1]} otherwise, or not at all")

    def _compare_personal(self) -> None:
        """What is known of customers must be what the rows committed to; what is not, must be erased by a later row."""
        committed, self._committed = self._committed, []
        if not committed:
            return
        sales = msgspec.json.encode(sorted({sale for _, sale, _, _ in committed})).decode()
        found: dict[tuple[int, int, str], list[Kept]] = {}
        for seq, sale, label, *kept in self._db.execute(PERSONAL, (sales,)):
            found.setdefault((seq, sale, label), []).append(cast("Kept", tuple(kept)))
        for seq, sale, label, commitment in committed:
            there = found.get((seq, sale, label), [])
            if not there:
                self.gone.setdefault(sale, seq)
                continue
            right = [number for number, value, salt in there if salt and commit_to(salt, value) == commitment]
            if not right:
                raise BadError(seq, f"what is known of sale {sale} as {label!r} is not what the row committed to")
            self.personal.add(next((number for number in right if number not in self.personal), right[0]))


def _read(decode: Callable[[bytes], T], seq: int, body: bytes) -> T:
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadError(seq, f"its bytes cannot be read: {error}") from error
