"""What the journal knows of one business day: that day's own rows and the closing before them, and nothing older."""

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import apsw
from msgspec import Struct

from kiosk.errors import UsageError
from kiosk.money.accounts import class_of
from kiosk.money.database import DamagedError, JournalError, read_identity
from kiosk.money.folder import open_for_reading
from kiosk.money.heads import Head
from kiosk.money.known_heads import KnownHead, objection

DISK_FAILURES = (apsw.BusyError, apsw.CantOpenError, apsw.FullError, apsw.IOError)
YESTERDAY = "yesterday"
DAY_HELP = f"a business day, such as 2026-11-20, or {YESTERDAY}: the one before the present; without it the present one"
CLASSES_MAX = 10_000  # far more classes of accounts than any terminal has devices, rails and carriers
HALVINGS_MAX = 64  # of a number below 2^63


class Sum(Struct, frozen=True, array_like=True):
    """So many of something, worth so many minor units."""

    count: int = 0
    amount: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.count + other.count, self.amount + other.amount)

    def __sub__(self, other: "Sum") -> "Sum":
        return Sum(self.count - other.count, self.amount - other.amount)


class Flow(NamedTuple):
    """From which class of accounts to which."""

    debit: str
    credit: str


class Booking(NamedTuple):
    """What a group of one day's transfers has in common."""

    kind: str
    debit: str
    credit: str
    cause: str


class Standing(Struct, frozen=True):
    """How things stand at one moment: balances and open promises by class, and the counters since installation."""

    balances: dict[str, int]  # credits less debits
    promises: dict[str, Sum]  # by the class that they are promised to
    ever: dict[str, Sum]


class Accounts(Struct, frozen=True):
    """What single accounts hold now; of a day that is over nobody keeps it."""

    posted: dict[str, int]
    reserved: dict[str, int]  # by the class that it is promised from
    promised: dict[str, int]  # the same, as the open promises say
    boxes: dict[str, int]  # the account of each box in use


class Day(Struct, frozen=True):
    """One business day."""

    day: str
    first_seq: int
    last_seq: int
    last_hash: bytes
    rows: int  # how many rows of that range say that they belong to this day
    tally: dict[str, Sum]
    moved: dict[Flow, Sum]
    booked: dict[Booking, Sum]  # the same once more, from the transfers themselves
    pieces: dict[tuple[str, int], int]  # by box and value, how many transfers brought one piece of cash in
    before: Standing
    after: Standing
    boxes: dict[str, dict[str, Sum]]  # by box in use ("bill#3") and piece ("cash/note/2000"), since it was put in
    now: Accounts | None  # None: the day is closed


NOTHING = Standing({}, {}, {})
WAYS = ("cash", "cash_out")  # into a box, and out of it again by a mistake of the device
CLASS = "iif(instr({0}, '#'), substr({0}, 1, instr({0}, '#') - 1), {0})"


@contextmanager
def reading(folder: Path) -> Generator[apsw.Connection]:
    """One moment of a journal that another process may be writing: nobody waits for anybody."""
    with closing(open_for_reading(folder)) as connection:
        try:
            with connection:
                yield connection
        except apsw.Error as error:
            problem = f"the journal in {folder} cannot be read: {error}"
            kind = JournalError if isinstance(error, DISK_FAILURES) else DamagedError
            raise kind(problem, "take no money; run `kiosk journal verify`") from error


def against_head(db: apsw.Connection, place: Path, head: Head) -> str:
    """What the signed head has against the journal, whose last row it may know better; nothing if they agree."""
    last = db.execute("SELECT coalesce(max(seq), 0) FROM entry").get
    digest = db.execute("SELECT hash FROM entry WHERE seq = ?", (head.seq,)).get
    return objection(KnownHead(place, head), read_identity(db), last, digest)


def known_days(db: apsw.Connection) -> tuple[str, str]:
    """The first and the present business day."""
    first: str
    last: str
    first, last = db.execute("SELECT min(day), max(day) FROM business_day").get
    return first, last


def check_day(written: str) -> None:
    """Refuse what names no day."""
    problem, remedy = f'"{written}" is no day', f"write it as year-month-day, such as 2026-11-20, or {YESTERDAY}"
    if written == YESTERDAY:
        return
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", written, re.ASCII):
        raise UsageError(problem, remedy)
    try:
        date.fromisoformat(written)
    except ValueError as error:
        raise UsageError(problem, remedy) from error


def named_day(db: apsw.Connection, written: str | None) -> str:
    """The business day that is meant; the present one if none is named."""
    earliest, present = known_days(db)
    if written is None:
        return present
    if written != YESTERDAY:
        return written
    before: str | None = db.execute("SELECT max(day) FROM business_day WHERE day < ?", (present,)).get
    if before is None:
        problem = f"there is no business day before the present one, {present}"
        raise UsageError(problem, f"name a day from {earliest} on")
    return before


def days_within(db: apsw.Connection, first: str, last: str) -> list[str]:
    """The business days of this range, both ends included, on which the journal was written."""
    sql = "SELECT day FROM business_day WHERE day BETWEEN ? AND ? ORDER BY day"
    return [day for (day,) in db.execute(sql, (first, last))]


def read_day(db: apsw.Connection, day: str) -> Day:
    """Read one known day, inside a transaction of the caller's if several are to agree with each other."""
    bounds = (
        "SELECT first_seq, (SELECT max(day) FROM business_day WHERE day < :day),"
        " (SELECT min(first_seq) FROM business_day WHERE day > :day), (SELECT max(seq) FROM entry)"
        " FROM business_day WHERE day = :day"
    )
    first_seq, previous, next_seq, head = db.execute(bounds, {"day": day}).get
    closed = next_seq is not None
    last_seq: int = next_seq - 1 if closed else head
    tally = _sums(db.execute("SELECT line, count, amount FROM tally WHERE day = ?", (day,)))
    moved = db.execute("SELECT debit, credit, count, amount FROM movement WHERE day = ?", (day,))
    transfers = _first_transfer(db, first_seq), _first_transfer(db, last_seq + 1)
    before = _closing(db, previous) if previous else NOTHING
    now = None if closed else _accounts(db)
    after = _closing(db, day) if now is None else _standing(db, before, tally, now)
    return Day(
        day=day,
        first_seq=first_seq,
        last_seq=last_seq,
        last_hash=db.execute("SELECT hash FROM entry WHERE seq = ?", (last_seq,)).get or b"",
        rows=db.execute(
            "SELECT count(*) FROM entry WHERE seq BETWEEN ? AND ? AND day = ?", (first_seq, last_seq, day)
        ).get,
        tally=tally,
        moved={Flow(debit, credit): Sum(count, amount) for debit, credit, count, amount in moved},
        booked=_booked(db, *transfers),
        pieces=_cash_in(db, *transfers),
        before=before,
        after=after,
        boxes=(
            {box: _pieces(db, day, box) for box in _boxes_in_use_then(after)}
            if now is None
            else {box: add(_pieces(db, previous, box), _pieces_today(tally, box)) for box in now.boxes}
        ),
        now=now,
    )


def add(left: dict[str, Sum], right: dict[str, Sum]) -> dict[str, Sum]:
    """Line by line."""
    return {line: left.get(line, Sum()) + right.get(line, Sum()) for line in {**left, **right}}


# How things stood, and how they stand --------------------------------------------------------------------------------


def _closing(db: apsw.Connection, day: str) -> Standing:
    lines: dict[str, dict[str, Sum]] = {"balance": {}, "promise": {}, "ever": {}}
    for line, count, amount in db.execute("SELECT line, count, amount FROM closing WHERE day = ?", (day,)):
        group, _, name = line.partition("/")
        lines.setdefault(group, {})[name] = Sum(count, amount)
    balances = {name: kept.amount for name, kept in lines["balance"].items()}
    return Standing(balances, lines["promise"], without_boxes(lines["ever"]))


def _standing(db: apsw.Connection, before: Standing, tally: dict[str, Sum], now: Accounts) -> Standing:
    to = CLASS.format("credit")
    promises = _sums(db.execute(f"SELECT {to}, count(*), sum(amount) FROM promise GROUP BY 1"))  # noqa: S608 - text of ours
    return Standing(now.posted, promises, add(before.ever, without_boxes(tally)))


def _accounts(db: apsw.Connection) -> Accounts:
    """Class by class: a class is found by a leap over the accounts of the one before it."""
    posted: dict[str, int] = {}
    reserved: dict[str, int] = {}
    account = ""
    for _ in range(CLASSES_MAX):
        account = db.execute("SELECT account FROM balance WHERE account > ? ORDER BY account LIMIT 1", (account,)).get
        if account is None:
            break
        name = class_of(account)
        low, high = (f"{name}#", f"{name}$") if name != account else (account, account)  # "$" comes right after "#"
        here = "SELECT sum(posted), sum(reserved) FROM balance WHERE account BETWEEN ? AND ?"
        left, kept = db.execute(here, (low, high)).get
        posted[name] = posted.get(name, 0) + left
        reserved[name] = reserved.get(name, 0) + kept
        account = high
    source = CLASS.format("debit")
    promised: dict[str, int] = dict(db.execute(f"SELECT {source}, sum(amount) FROM promise GROUP BY 1"))  # noqa: S608 - text of ours
    return Accounts(posted, reserved, promised, _boxes_in_use(db))


# Boxes ---------------------------------------------------------------------------------------------------------------


def without_boxes(lines: dict[str, Sum]) -> dict[str, Sum]:
    """All boxes of a device together: `cash/bill/note/2000` of `cash/bill#3/note/2000` and its like."""
    result: dict[str, Sum] = {}
    for line, counted in lines.items():
        before, mark, after = line.partition("#")
        name = f"{before}/{after.partition('/')[2]}" if mark else line
        result[name] = result.get(name, Sum()) + counted
    return result


def box_content(pieces: dict[str, Sum]) -> Sum:
    """What a box holds: what came in less what came out again."""
    result = Sum()
    for piece, counted in pieces.items():
        result = result + counted if piece.startswith("cash/") else result - counted
    return result


def _boxes_in_use(db: apsw.Connection) -> dict[str, int]:
    sql = (
        "SELECT key || '#' || coalesce(data ->> '$.box', 1) AS box,"
        " (SELECT posted FROM balance WHERE account = 'cashbox:' || key || '#' || coalesce(data ->> '$.box', 1))"
        " FROM thing WHERE kind = 'acceptor' AND data ->> '$.state' <> 'unboxed' ORDER BY key"
    )
    return {box: posted or 0 for box, posted in db.execute(sql)}


def _boxes_in_use_then(then: Standing) -> Iterator[str]:
    """A device whose boxes were taken twice had its third one in."""
    for device in sorted({line.split("/")[1] for line in then.ever if line.startswith(("cash/", "box/"))}):
        yield f"{device}#{then.ever.get(f'box/{device}/taken', Sum()).count + 1}"


def _pieces(db: apsw.Connection, day: str | None, box: str) -> dict[str, Sum]:
    """What came in, and out again, since the box was put in: its number never comes again."""
    sql = "SELECT count, amount, ? || substr(line, ?) FROM closing WHERE day = ? AND line BETWEEN ? AND ?"
    return {
        piece: Sum(count, amount)
        for way in WAYS
        for start in (f"ever/{way}/{box}/",)
        for count, amount, piece in db.execute(sql, (f"{way}/", len(start) + 1, day, start, f"{start}~"))
    }


def _pieces_today(tally: dict[str, Sum], box: str) -> dict[str, Sum]:
    return {
        line.replace(f"{way}/{box}/", f"{way}/"): counted
        for way in WAYS
        for line, counted in tally.items()
        if line.startswith(f"{way}/{box}/")
    }


# Transfers -----------------------------------------------------------------------------------------------------------


def _booked(db: apsw.Connection, first: int, end: int) -> dict[Booking, Sum]:
    sql = (
        f"SELECT kind, {CLASS.format('debit')}, {CLASS.format('credit')}, cause, count(*), sum(amount)"  # noqa: S608 - text of ours
        " FROM transfer WHERE number >= ? AND number < ? GROUP BY 1, 2, 3, 4"
    )
    found = db.execute(sql, (first, end))
    return {Booking(kind, debit, credit, cause): Sum(n, amount) for kind, debit, credit, cause, n, amount in found}


def _cash_in(db: apsw.Connection, first: int, end: int) -> dict[tuple[str, int], int]:
    sql = (
        "SELECT substr(debit, 9), amount, count(*) FROM transfer WHERE number >= ? AND number < ?"
        " AND kind NOT IN ('pending', 'void') AND debit GLOB 'cashbox:*' GROUP BY 1, 2"
    )
    return {(box, amount): count for box, amount, count in db.execute(sql, (first, end))}


def _first_transfer(db: apsw.Connection, seq: int) -> int:
    """The first transfer of this row or a later one; both numbers grow together, so halving finds it."""
    low, high = 1, 1 + (db.execute("SELECT max(number) FROM transfer").get or 0)
    for _ in range(HALVINGS_MAX):
        if low == high:
            break
        middle = (low + high) // 2
        if db.execute("SELECT seq FROM transfer WHERE number = ?", (middle,)).get < seq:
            low = middle + 1
        else:
            high = middle
    return low


def _sums(rows: Iterable[tuple[str, int, int]]) -> dict[str, Sum]:
    return {line: Sum(count, amount) for line, count, amount in rows}
