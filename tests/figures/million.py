"""What a million rows cost: opening and recovering, one day's totals, full verification, and the memory for each.

Each is measured in a process of its own, so that its memory is its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import time as clock_time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import apsw

from kiosk.commands.totals import read as read_totals
from kiosk.flow.core import Core
from kiosk.flow.recover import recover
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.database import FILE_NAME, connect
from kiosk.money.heads import find
from kiosk.money.journal import Journal
from kiosk.money.step import Identity
from kiosk.money.verify import verify
from tests.figures.figure import Figure
from tests.figures.sales import AT_MS, cash_sale, ready

ROWS = 1_000_000
SALES_A_DAY = 300
DAY_MS = 86_400_000
TIMES = 5  # the median of so many runs
MEGABYTE = 1024  # in kilobytes


def fill(folder: Path, rows: int) -> None:
    """Make a journal of at least so many rows: a year of cash sales, the last one left open in mid-payment."""
    folder.mkdir(parents=True)
    entropy = Random(1).randbytes
    calendar = Calendar("Asia/Shanghai", clock_time(4))
    db = connect(None)
    journal = Journal.create(
        db, Identity("figures", "figures", "bench", "CNY"), calendar, entropy, at_ms=AT_MS, durable=False
    )
    core = Core(journal, CodeBook(bytes(32), "figures"), entropy)
    ready(core)
    number = 0
    while journal.seq < rows:
        day, of_day = divmod(number, SALES_A_DAY)
        cash_sale(core, number, AT_MS + day * DAY_MS + of_day * (DAY_MS // SALES_A_DAY))
        number += 1
    db.execute("VACUUM INTO ?", (str(folder / FILE_NAME),))
    journal.close()


def _open(folder: Path) -> float:
    begun = time.perf_counter()
    journal = Journal.open(connect(folder / FILE_NAME), Calendar("Asia/Shanghai", clock_time(4)), Random(2).randbytes)
    core = Core(journal, CodeBook(bytes(32), "figures"), Random(2).randbytes)
    for _ in recover(core, journal.last_at_ms + 1):
        pass
    seconds = time.perf_counter() - begun
    journal.close()
    return seconds


def _totals(folder: Path) -> float:
    begun = time.perf_counter()
    report = read_totals(folder, None, None, None)
    seconds = time.perf_counter() - begun
    if not report.days:
        raise LookupError(folder)
    return seconds


def _verify(folder: Path) -> float:
    db = apsw.Connection(str(folder / FILE_NAME), flags=apsw.SQLITE_OPEN_READONLY)
    report = verify(db, find(folder / "head.json"))
    if report.problems:
        raise LookupError(report.problems)
    return report.rows / report.seconds


MEASURES: dict[str, Callable[[Path], float]] = {"open": _open, "totals": _totals, "verify": _verify}


def _measured(name: str, folder: Path, times: int) -> tuple[float, float]:
    """The median of some runs, and the most memory that any of them had, in megabytes."""
    results: list[tuple[float, float]] = []
    for _ in range(times):
        line = subprocess.run(
            [sys.executable, "-m", "tests.figures.million", name, str(folder)], check=True, capture_output=True
        ).stdout
        value, memory = json.loads(line)
        results.append((value, memory))
    return sorted(value for value, _ in results)[times // 2], max(memory for _, memory in results)


def figures(rows: int = ROWS) -> list[Figure]:
    """All of them, on a journal made for it."""
    with TemporaryDirectory() as name:
        tenth, whole = Path(name) / "tenth", Path(name) / "whole"
        fill(tenth, rows // 10)
        fill(whole, rows)
        young, _ = _measured("totals", tenth, TIMES)
        opened, open_memory = _measured("open", whole, TIMES)
        totalled, totals_memory = _measured("totals", whole, TIMES)
        verified, verify_memory = _measured("verify", whole, 3)
    of = f"{rows:,} rows"
    return [
        Figure(f"open and recover, {of}", opened, "s", at_most=0.5),
        Figure(f"one day's totals, {of}", totalled * 1000, "ms", at_most=50),
        Figure("… as a share of the same with a tenth of the rows", totalled / young, "", at_most=1.5),
        Figure(f"full verification, {of}", verified, "rows/s", at_least=80_000),
        Figure("memory to open and recover", open_memory, "MB", at_most=100),
        Figure("memory for one day's totals", totals_memory, "MB", at_most=100),
        Figure("memory for full verification", verify_memory, "MB", at_most=100),
    ]


def _peak_kilobytes() -> int:
    """What the kernel saw at the most; getrusage would count the parent's memory too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Measure one thing once, in this process."""
    _, name, folder = sys.argv
    value = MEASURES[name](Path(folder))
    print(json.dumps([value, _peak_kilobytes() / MEGABYTE]))


if __name__ == "__main__":
    main()
