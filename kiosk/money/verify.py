"""A journal is believed row by row and table by table, or the first row that cannot be believed is named.

The rows are read in slices while the terminal runs. What is left then, and the derived tables, are compared within one
snapshot: some two seconds for a million rows, during which the terminal writes on and its log merely grows.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Literal

import apsw
from msgspec import Struct

from kiosk.money.heads import Found, Head, contradiction
from kiosk.money.journal import SCHEMAS, Identity, JournalError, schema_script
from kiosk.money.replay import STORY_BEGINS, Adoption, BadError, Replay

Progress = Callable[[int, int], None]  # rows done, rows in all


class Problem(Struct, frozen=True):
    """What is wrong, in plain words, and the row where it shows; 0 where it is not about one row."""

    row: int
    what: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.what}" if self.row else self.what


class HeadReport(Struct, frozen=True):
    """What a signed head says of the journal."""

    head: Head | None
    signature: Literal["right", "wrong", "unchecked"] = "unchecked"
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
    head_reports: list[HeadReport] = []
    try:
        problems += _schema(connection)
        problems += _follow(connection, replay, progress)
        for found in (head, elsewhere) if elsewhere else (head,):
            report, contradicted = _judge(connection, found, replay, public_key)
            head_reports.append(report)
            problems += contradicted
    except (apsw.BusyError, apsw.InterruptError) as error:
        msg = f"the journal could not be read to its end: {error}"
        raise JournalError(msg, "run the command again") from error
    except (apsw.Error, UnicodeDecodeError) as error:
        problems.append(Problem(replay.seq + 1, f"the database is damaged: {error}"))
    ...


def _follow(connection: apsw.Connection, replay: Replay, progress: Progress) -> Iterator[Problem]:
    """Follow the rows, then compare the derived tables; what is wrong first is enough."""
    rows: int = connection.execute("SELECT coalesce(max(seq), 0) FROM entry").get
    try:
        while replay.seq < rows and replay.advance():
            progress(replay.seq, rows)
        with connection:  # one snapshot from here on
            while replay.advance():
                progress(replay.seq, max(replay.seq, rows))
            yield from _compare(connection, replay)
    except BadError as bad:
        yield Problem(bad.row, bad.what)
