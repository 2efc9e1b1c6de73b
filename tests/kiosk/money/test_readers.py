"""Whoever reads holds up nobody: one process writes, any number read whole moments, and no second one writes."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from kiosk.money import journal
from kiosk.money.business_day import read_day, reading
from kiosk.money.database import FILE_NAME, JournalError
from kiosk.money.folder import create, open_for_reading, open_for_writing
from kiosk.money.heads import Found
from kiosk.money.tie_outs import tie_outs
from kiosk.money.verify import verify
from tests.kiosk.money.memory import AT_MS, IDENTITY, calendar
from tests.kiosk.money.till import FIRST, Till

READS = 25
SALES_MAX = 5_000  # far more than fit into so many reads
WAIT_S = 10


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Till:
    """A terminal that moves its log into the database every few commits, and would wait long if it waited."""
    monkeypatch.setattr(journal, "CHECKPOINT_COMMITS", 7)
    monkeypatch.setattr(journal, "BUSY_MS", 10 * WAIT_S * 1_000)
    return Till(tmp_path, f"{FIRST} 12:00", durable=True)


def sell(till: Till) -> None:
    till.cash(till.sale(), "20", "20", "10")
    till.accepted()


def rows_in(folder: Path) -> int:
    with reading(folder) as connection:
        return connection.execute("SELECT max(seq) FROM entry").get


def log_bytes(till: Till) -> int:
    return (till.folder / f"{FILE_NAME}-wal").stat().st_size


def test_a_reader_in_its_moment_holds_up_no_commit(till: Till) -> None:
    sell(till)
    with reading(till.folder) as connection:
        before = read_day(connection, FIRST)
        begun = till.journal.seq
        for _ in range(10):
            sell(till)
        assert till.journal.seq > begun + 10 * 5
        assert read_day(connection, FIRST) == before
        assert before.last_seq == begun
    assert rows_in(till.folder) == till.journal.seq
    assert all(tie.holds for tie in tie_outs(before))


def test_a_reader_is_not_waited_for_and_the_log_is_emptied_when_it_has_gone(till: Till) -> None:
    tried = Event()

    def empty() -> None:
        till.journal.checkpoint(emptying=True)
        tried.set()

    with reading(till.folder) as connection:
        _ = read_day(connection, FIRST)
        sell(till)
        emptying = Thread(target=empty)
        emptying.start()
        assert tried.wait(WAIT_S)
        assert log_bytes(till) > 0
        sell(till)
    emptying.join()
    assert till.journal.broken == ""
    till.journal.checkpoint(emptying=True)
    assert log_bytes(till) == 0
    sell(till)
    assert rows_in(till.folder) == till.journal.seq


def test_readers_beside_the_writer_see_whole_days_and_whole_journals(till: Till) -> None:
    sell(till)
    read: list[int] = []
    wrong: list[object] = []
    enough = Event()

    def look() -> None:
        try:
            while len(read) < READS:
                with reading(till.folder) as connection:
                    day = read_day(connection, FIRST)
                    wrong.extend(tie for tie in tie_outs(day) if not tie.holds)
                with closing(open_for_reading(till.folder)) as connection:
                    report = verify(connection, Found())
                wrong.extend(report.problems)
                read.append(report.rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to hear of it
            wrong.append(error)
        finally:
            enough.set()

    reader = Thread(target=look)
    reader.start()
    sales = 0
    while not enough.is_set() and sales < SALES_MAX:
        sell(till)
        sales += 1
    reader.join(WAIT_S)
    assert wrong == []
    assert read == sorted(read)
    assert len(set(read)) > 2  # it was written while they read
    assert till.journal.broken == ""


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Another process does this with the folder."""
    program = f"import pathlib, sys\nfolder = pathlib.Path(sys.argv[1])\n{program}"
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)


def test_another_process_reads_beside_the_writer(till: Till) -> None:
    sell(till)
    program = """
from kiosk.money.business_day import known_days, read_day, reading
with reading(folder) as connection:
    print(read_day(connection, known_days(connection)[1]).last_seq)
"""
    assert run(program, till.folder).stdout == f"{till.journal.seq}\n"
    sell(till)


def test_nobody_else_writes(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    program = """
from datetime import time
from kiosk.money.calendar import Calendar
from kiosk.money.folder import open_for_writing
open_for_writing(folder, Calendar("Asia/Shanghai", time(4)), bytes).close()
"""
    with closing(create(folder, IDENTITY, calendar(), bytes, at_ms=AT_MS)):
        with pytest.raises(JournalError, match="is being written by another process"):
            _ = open_for_writing(folder, calendar(), bytes)
        assert "is being written by another process" in run(program, folder).stderr
    assert run(program, folder).returncode == 0
