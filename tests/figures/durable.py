"""How fast money steps become durable, beside what bare SQLite does with the same library, pragmas and row count."""

import cProfile
import pstats
import statistics
import tempfile
import time
from datetime import time as clock_time
from pathlib import Path
from random import Random

import apsw

from kiosk.flow.core import Core
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.database import DURABLE, FILE_NAME, connect
from kiosk.money.journal import CHECKPOINT_COMMITS, Journal
from kiosk.money.step import Identity
from tests.figures.figure import Figure
from tests.figures.sales import AT_MS, cash_sale, ready

SALES = 150
ROUNDS = 5
TABLES = ("entry", "transfer", "thing", "tally", "story", "personal", "salt", "balance", "movement", "promise")


class Journalled:
    """Cash sales through the core, on a journal on disk; what was written is counted for the bare run."""

    def __init__(self, folder: Path) -> None:
        entropy = Random(1).randbytes
        self.journal = Journal.create(
            connect(folder / FILE_NAME),
            Identity("figures", "figures", "bench", "CNY"),
            Calendar("Asia/Shanghai", clock_time(4)),
            entropy,
            at_ms=AT_MS,
        )
        self.core = Core(self.journal, CodeBook(bytes(32), "figures"), entropy)
        ready(self.core)

    def run(self) -> float:
        """Seconds for all sales."""
        begun = time.perf_counter()
        at_ms = AT_MS
        for number in range(SALES):
            at_ms = cash_sale(self.core, number, at_ms)
        return time.perf_counter() - begun


def _inserted(folder: Path) -> tuple[int, int, int]:
    """Commits, rows and bytes that the sales left behind."""
    db = apsw.Connection(str(folder / FILE_NAME), flags=apsw.SQLITE_OPEN_READONLY)
    commits, size = db.execute("SELECT count(*), sum(length(body)) FROM entry").get
    rows = sum(db.execute(f"SELECT count(*) FROM {table}").get for table in TABLES)  # noqa: S608 - names of ours
    db.close()
    return commits, rows, size


def _bare(folder: Path, commits: int, rows: int, size: int) -> float:
    """The same number of commits, rows and bytes into one plain table."""
    db = connect(folder / "bare.sqlite3")
    for name, value in DURABLE:
        db.execute(f"PRAGMA {name} = {value}")
    db.execute("CREATE TABLE bare (number INTEGER PRIMARY KEY, body BLOB)")
    each, body = max(1, round(rows / commits)), bytes(size // rows)
    begun = time.perf_counter()
    for commit in range(commits):
        db.execute("BEGIN IMMEDIATE")
        for _ in range(each):
            db.execute("INSERT INTO bare (body) VALUES (?)", (body,))
        db.execute("COMMIT")
        if commit % CHECKPOINT_COMMITS == CHECKPOINT_COMMITS - 1:
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    seconds = time.perf_counter() - begun
    db.close()
    return seconds


def figures() -> list[Figure]:
    """The median of five rounds, each measured beside its own bare run."""
    ratios: list[float] = []
    rates: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ours = Journalled(folder)
            seconds = ours.run()
            ours.journal.close()
            commits, rows, size = _inserted(folder)
            bare = _bare(folder, commits, rows, size)
            rates.append(commits / seconds)
            ratios.append(bare / seconds)
    return [
        Figure("durable money steps, as a share of bare SQLite", statistics.median(ratios), "", at_least=1 / 3),
        Figure("durable money steps", statistics.median(rates), "steps/s"),
        *_shares(),
    ]


def _shares() -> list[Figure]:
    """Where the rest goes, by profile: the tables, the encoding, the hash, SQLite."""
    with tempfile.TemporaryDirectory() as name:
        ours = Journalled(Path(name))
        profile = cProfile.Profile()
        profile.runcall(ours.run)
        ours.journal.close()
    stats = pstats.Stats(profile)
    parts = {"SQLite": 0.0, "reckoning in Python": 0.0, "JSON and hash": 0.0}
    for (_, _, function), (_, _, own, _, _) in stats.stats.items():  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - pstats has no types for it
        if "Cursor" in function or "apsw" in function or "execute" in function:
            parts["SQLite"] += own
        elif "msgspec" in function or "hash" in function or "encode" in function:
            parts["JSON and hash"] += own
        else:
            parts["reckoning in Python"] += own
    return [Figure(f"of a durable step: {name}", 100 * own / sum(parts.values()), "%") for name, own in parts.items()]
