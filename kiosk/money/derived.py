"""Every derived table is exactly what the rows make of it: nothing else, nothing more, nothing less.

Asked within one snapshot, once the replay has reached the last row of it.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import cast

import apsw
from msgspec import Struct
from msgspec.structs import astuple

from kiosk.counted import counted
from kiosk.money.replay import STORY_BEGINS, Replay

PROMISES = """
    SELECT promise.number, promise.debit, promise.credit, promise.amount, promise.seq = transfer.seq
    FROM promise LEFT JOIN transfer ON transfer.number = promise.number
"""
DAY_ROWS = "SELECT (SELECT count(*) FROM movement) + (SELECT count(*) FROM tally) + (SELECT count(*) FROM closing)"


class Problem(Struct, frozen=True):
    """What is wrong, in plain words, and the row where it shows; 0 where it is not about one row."""

    row: int
    what: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.what}" if self.row else self.what


def compare(connection: apsw.Connection, replay: Replay) -> Iterator[Problem]:
    """The first difference of each table."""
    if replay.identity is None:
        yield Problem(1, "it is missing")
        return
    if replay.closed:
        yield Problem(replay.seq + 1, "it is missing: the row before it closed a day, and this one opened the next")
    for difference in DIFFERENCES:
        problem = difference(connection, replay)
        if problem:
            yield problem


def _entries(connection: apsw.Connection, _: Replay) -> Problem | None:
    if connection.execute("SELECT 1 FROM entry WHERE seq < 1").get:
        return Problem(0, "there are rows before the first one")
    return None


def _transfers(connection: apsw.Connection, replay: Replay) -> Problem | None:
    sql = "SELECT number, seq FROM transfer WHERE number < 1 OR number > ? LIMIT 1"
    for number, seq in connection.execute(sql, (replay.ledger.numbers,)):
        return Problem(seq, f"the ledger holds a transfer {number} that no row knows of")
    return None


def _things(connection: apsw.Connection, replay: Replay) -> Problem | None:
    room = len(replay.thing_row)
    rows, hashes = array("q", bytes(8 * room)), array("q", bytes(8 * room))
    for number, seq, data in connection.execute("SELECT number, seq, CAST(data AS BLOB) FROM thing"):
        if not 0 <= number < room:
            return Problem(0, f"there is a thing {number} that no row knows of")
        rows[number], hashes[number] = seq, hash(data)
    if rows == replay.thing_row and hashes == replay.thing_hash:
        return None
    number = next(n for n in range(room) if (rows[n], hashes[n]) != (replay.thing_row[n], replay.thing_hash[n]))
    if not replay.thing_row[number]:
        return Problem(0, f"there is a thing {number} that no row knows of")
    how = "stands otherwise than this row left it" if rows[number] else "is missing, which this row changed last"
    return Problem(replay.thing_row[number], f"thing {number} {how}")


def _stories(connection: apsw.Connection, replay: Replay) -> Problem | None:
    room = len(replay.story_hash)
    stories = array("q", [STORY_BEGINS] * room)
    rows = cast("Iterable[tuple[int, int]]", connection.execute("SELECT sale, seq FROM story ORDER BY sale, seq"))
    for sale, seq in rows:
        if not 0 <= sale < room:
            return Problem(seq, f"the story of sale {sale} names this row, which does not tell of it")
        stories[sale] = hash((stories[sale], seq))
    if stories == replay.story_hash:
        return None
    sale = next(n for n in range(room) if stories[n] != replay.story_hash[n])
    return Problem(0, f"the story of sale {sale} does not name the rows that tell of it")


def _balances(connection: apsw.Connection, replay: Replay) -> Problem | None:
    posted, reserved = replay.ledger.balances, replay.ledger.reserved
    missing = posted.keys() | reserved.keys()
    for account, balance, promised in connection.execute("SELECT account, posted, reserved FROM balance"):
        if account not in missing or (balance, promised) != (posted.get(account, 0), reserved.get(account, 0)):
            right = f"{posted.get(account, 0)}, {reserved.get(account, 0)} of it promised"
            return Problem(0, f"{account} holds {balance}, {promised} of it promised, and the rows say {right}")
        missing.remove(account)
    for account in missing:
        return Problem(0, f"{account} has no balance, and the rows say {posted.get(account, 0)}")
    return None


def _promises(connection: apsw.Connection, replay: Replay) -> Problem | None:
    right = {
        (number, promise.debit, promise.credit, promise.amount, 1) for number, promise in replay.ledger.promises.items()
    }
    for promise in right.symmetric_difference(connection.execute(PROMISES)):
        return Problem(0, f"the open promises and the rows disagree about number {promise[0]}")
    return None


def _days(connection: apsw.Connection, replay: Replay) -> Problem | None:
    begun = dict(connection.execute("SELECT day, first_seq FROM business_day"))
    for day in sorted({*begun, *replay.begun}):
        if begun.get(day) != replay.begun.get(day):
            return Problem(replay.begun.get(day, 0), f"the table of business days is wrong about {day}")
    differs = replay.books.compare(connection, replay.day)
    if differs:
        return Problem(replay.seq, differs)
    rows: int = connection.execute(DAY_ROWS).get
    if rows != replay.books.compared:
        more = counted(rows - replay.books.compared, "line")
        return Problem(0, f"the books have {more} for days that never were")
    return None


def _identity(connection: apsw.Connection, replay: Replay) -> Problem | None:
    found = connection.execute("SELECT only, seq, terminal, incarnation, mode, currency FROM identity").fetchall()
    if replay.identity and found != [(1, replay.identity[0], *astuple(replay.identity[1]))]:
        return Problem(replay.identity[0], "the table of identity does not say what this row says")
    return None


def _personal(connection: apsw.Connection, replay: Replay) -> Problem | None:
    latest = 0
    for number, seq, sale in connection.execute("SELECT number, seq, sale FROM personal ORDER BY number"):
        if number not in replay.personal:
            return Problem(seq, f"personal data {number}, of sale {sale}, was never committed to")
        if seq < latest:
            return Problem(seq, f"personal data {number}, of sale {sale}, poses as newer than it is")
        latest = seq
    for sale, seq in replay.gone.items():
        return Problem(seq, f"what was known of sale {sale} is gone, and no row says that it was erased")
    for (sale,) in connection.execute("SELECT sale FROM salt WHERE sale NOT IN (SELECT sale FROM personal)"):
        return Problem(0, f"there is a salt for sale {sale}, of which nothing is known")
    return None


DIFFERENCES = (
    *(_entries, _transfers, _things, _stories, _balances),
    *(_promises, _days, _identity, _personal),
)
