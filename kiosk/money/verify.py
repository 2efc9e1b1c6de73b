"""A journal is believed row by row and table by table, or the first row that cannot be believed is named.

The rows are read in slices while the terminal runs. What is left then, and the derived tables, are compared within one
snapshot, and the database is asked whether all its pages hold together: some seconds each for a million rows, during
which the terminal writes on and its log merely grows.
"""

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal

import apsw
from msgspec import Struct

from kiosk.money.database import JournalError, schema_scripts
from kiosk.money.derived import Problem, compare
from kiosk.money.heads import Found, Head, end_of, judge
from kiosk.money.known_heads import declared
from kiosk.money.personal import printable
from kiosk.money.replay import Adoption, BadError, Replay
from kiosk.money.step import Identity, Life

Progress = Callable[[int, int], None]  # rows done, rows in all
Signature = Literal["right", "wrong", "unchecked"]
FAULTS_MAX = 20  # of the database, that are named
NO_HEAD = "no signed head was found, so the public key proves nothing (--head FILE names one from elsewhere)"


class HeadReport(Struct, frozen=True):
    """What a signed head says of the journal."""

    head: Head | None = None
    signature: Signature = "unchecked"
    rows_beyond: int = 0
    warnings: tuple[str, ...] = ()


class Report(Struct, frozen=True):
    """What verification found."""

    rows: int
    seconds: float
    problems: tuple[Problem, ...]
    head: HeadReport
    head_elsewhere: HeadReport | None
    identity: Identity | None
    adoptions: tuple[Adoption, ...]
    lives: tuple[Life, ...]

    @property
    def rate(self) -> int:
        """Rows a second."""
        return round(self.rows / self.seconds) if self.seconds else 0


def verify(  # noqa: PLR0913 - what is held against the rows
    connection: apsw.Connection,
    head: Found,
    *,
    elsewhere: Found | None = None,
    public_key: bytes | None = None,
    progress: Progress = lambda _done, _all: None,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Verify the whole journal over a connection that only reads."""
    begun = clock()
    replay = Replay(connection)
    problems: list[Problem] = []
    try:
        problems += _schema(connection)
        problems += _follow(connection, replay, progress)
        problems += _pages(connection)
        head_report = _judge(connection, head, "the signed head", replay, public_key, problems)
        elsewhere_report = elsewhere and _judge(
            connection, elsewhere, "the head kept elsewhere", replay, public_key, problems
        )
    except apsw.BusyError as error:
        msg = f"the journal could not be read to its end: {error}"
        raise JournalError(msg, "run the command again") from error
    except (apsw.Error, TypeError, ValueError) as error:  # what is damaged may be anything, also no text or no number
        problems.append(Problem(replay.seq + 1, f"the database cannot be read beyond this row: {error}"))
        head_report, elsewhere_report = HeadReport(), None
    if public_key and not (head.head or (elsewhere and elsewhere.head)):
        problems.append(Problem(0, NO_HEAD))
    return Report(
        replay.seq,
        clock() - begun,
        tuple(problems),
        head_report,
        elsewhere_report,
        replay.identity and replay.identity[1],
        tuple(replay.adoptions),
        tuple(replay.lives),
    )


def _schema(connection: apsw.Connection) -> Iterator[Problem]:
    """The database's own guards must be in force, and nothing beside them."""
    right = _schema_of(schema_scripts())
    found = _read_schema(connection)
    for name in sorted({*right, *found}):
        if found.get(name) != right.get(name):
            how = "is missing" if name not in found else "does not belong here" if name not in right else "was changed"
            yield Problem(0, f"the {' '.join(name)} of the database {how}")


@lru_cache(maxsize=1)
def _schema_of(scripts: tuple[str, ...]) -> dict[tuple[str, str], str | None]:
    empty = apsw.Connection(":memory:")
    for script in scripts:
        empty.execute(script)
    return _read_schema(empty)


def _read_schema(connection: apsw.Connection) -> dict[tuple[str, str], str | None]:
    return {(kind, name): sql for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema")}


def _follow(connection: apsw.Connection, replay: Replay, progress: Progress) -> Iterator[Problem]:
    """Follow the rows, then compare what is derived of them; after a bad row there is nothing to compare with."""
    rows: int = connection.execute("SELECT coalesce(max(seq), 0) FROM entry").get
    try:
        while replay.seq < rows and replay.advance():
            progress(replay.seq, rows)
        with connection:  # one snapshot from here on
            while replay.advance():
                progress(replay.seq, max(replay.seq, rows))
            yield from compare(connection, replay)
    except BadError as bad:
        yield Problem(bad.row, bad.what)


def _pages(connection: apsw.Connection) -> Iterator[Problem]:
    """Every page must be where it belongs, free ones too, and so must the indexes by which a start finds its things."""
    faults: list[str] = []
    try:
        for (found,) in connection.execute(f"PRAGMA integrity_check({FAULTS_MAX})"):
            faults += [line for line in str(found).splitlines() if line != "ok" and not line.startswith("***")]
    except apsw.CorruptError as error:  # so much that it cannot even be asked to the end
        faults.append(str(error))
    for fault in faults[:FAULTS_MAX]:
        yield Problem(0, f"the database does not hold together: {printable(fault)}")


def _judge(  # noqa: PLR0913, PLR0917 - a head, and what it is held against
    connection: apsw.Connection,
    found: Found,
    which: str,
    replay: Replay,
    public_key: bytes | None,
    problems: list[Problem],
) -> HeadReport:
    """Hold a signed head against the rows of its own incarnation."""
    head, warnings = found.head, list(found.warnings)
    if head is None:
        return HeadReport(warnings=tuple(warnings))
    last: int = connection.execute("SELECT coalesce(max(seq), 0) FROM entry").get
    kept: bytes | None = connection.execute("SELECT hash FROM entry WHERE seq = ?", (head.seq,)).get
    lives = _lives(replay, head, last)
    end = end_of(head.incarnation, lives, last)
    contradicted = judge(head, lives, last, kept)
    adopted = declared(head, replay.adoptions, end)
    if contradicted and adopted:
        warnings.append(f"{which} {contradicted}; a person gave that up with row {adopted}")
    elif contradicted:
        problems.append(Problem(min(head.seq, end + 1) if end else 0, f"{which} {contradicted}"))
    signature = _signature(head, public_key)
    if signature == "wrong":
        problems.append(Problem(0, f"{which} was not signed by the owner of this public key"))
    life = next((life for life in lives if life.incarnation == head.incarnation), lives[-1])
    if head.terminal != life.terminal:
        problems.append(Problem(0, f"{which} is of terminal {head.terminal}, the journal of {life.terminal}"))
    elif life is not lives[-1]:
        warnings.append(f"{which} is of incarnation {head.incarnation}, the journal of {lives[-1].incarnation}")
    beyond = 0 if contradicted else replay.seq - head.seq
    return HeadReport(head, signature, max(beyond, 0), tuple(warnings))


def _lives(replay: Replay, head: Head, last: int) -> list[Life]:
    """All that the journal has had; beyond a bad row there may be that of the head, and nothing contradicts it."""
    known = {life.incarnation for life in replay.lives}
    hidden = replay.seq < last and head.incarnation not in known
    more = [Life(head.terminal, head.incarnation, replay.seq + 1)] if hidden or not known else []
    return [*replay.lives, *more]


def _signature(head: Head, public_key: bytes | None) -> Signature:
    if public_key is None:
        return "unchecked"
    return "right" if head.is_signed_by(public_key) else "wrong"
