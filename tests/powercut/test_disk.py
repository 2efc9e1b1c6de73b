"""The simulated disk lets SQLite keep its promises, and catches it when it is told not to."""

import contextlib
import gc
import itertools
import tracemalloc
from collections.abc import Generator, Mapping, Sequence
from random import Random
from typing import Final, Literal, Protocol

import apsw
import msgspec
import pytest

from tests.powercut.disk import SECTOR_BYTES, Disk, Fate, Fault, PowerCutError

DATABASE: Final = "kiosk.db"
COMMITS: Final = 8
SEEDS: Final = 3  # times each point of the power cut is visited, per fate
RESTARTS_MAX: Final = 5
ROUNDS_FOR_LEAKS: Final = 300

Synchronous = Literal["NORMAL", "FULL", "EXTRA"]
JournalMode = Literal["WAL", "DELETE"]
LOCKING_MODES: Final[dict[JournalMode, str]] = {"WAL": "EXCLUSIVE", "DELETE": "NORMAL"}

CREATE_OR_OPEN: Final = apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_READWRITE
WAL_FILE: Final = CREATE_OR_OPEN | apsw.SQLITE_OPEN_WAL
MAIN_FILE: Final = CREATE_OR_OPEN | apsw.SQLITE_OPEN_MAIN_DB


class Rows(Protocol):
    """What is used of an APSW cursor, whose own types need a newer Python."""

    def fetchall(self) -> Sequence[Sequence[object]]:
        """Return all rows that are left."""
        ...


class Sql(Protocol):
    """What is used of an APSW connection, likewise."""

    def execute(self, statements: str, bindings: Mapping[str, int | str] | None = None) -> Rows:
        """Run statements."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Tally(msgspec.Struct):
    """How many commits the process began, and how many it was told are safe."""

    begun: int = 0
    acknowledged: int = 0


def connect(disk: Disk) -> Sql:
    return apsw.Connection(DATABASE, vfs=disk.name)


@contextlib.contextmanager
def connected(disk: Disk, synchronous: Synchronous = "FULL", journal_mode: JournalMode = "WAL") -> Generator[Sql]:
    connection = connect(disk)
    try:
        for pragma in (
            f"locking_mode = {LOCKING_MODES[journal_mode]}",
            f"journal_mode = {journal_mode}",
            f"synchronous = {synchronous}",
            "wal_autocheckpoint = 8",
        ):
            _ = connection.execute(f"PRAGMA {pragma}").fetchall()
        yield connection
    finally:
        with contextlib.suppress(PowerCutError):
            connection.close()


def numbers_in(connection: Sql, table: str) -> list[object]:
    return [nr for (nr,) in connection.execute(f"SELECT nr FROM {table} ORDER BY nr").fetchall()]  # noqa: S608 - ours


def work(
    disk: Disk,
    tally: Tally,
    synchronous: Synchronous = "FULL",
    journal_mode: JournalMode = "WAL",
    commits: int = COMMITS,
) -> None:
    with connected(disk, synchronous, journal_mode) as connection:
        _ = connection.execute(
            """
            CREATE TABLE IF NOT EXISTS entry(nr INTEGER PRIMARY KEY, body TEXT) STRICT;
            CREATE TABLE IF NOT EXISTS twin(nr INTEGER PRIMARY KEY, body TEXT) STRICT;
            CREATE INDEX IF NOT EXISTS twin_by_body ON twin(body);
            """
        )
        found = len(numbers_in(connection, "entry"))
        assert tally.acknowledged <= found <= tally.begun
        for nr in range(found + 1, found + 1 + commits):
            tally.begun = nr
            _ = connection.execute(
                "BEGIN IMMEDIATE; INSERT INTO entry VALUES (:nr, :body); INSERT INTO twin VALUES (:nr, :body); COMMIT",
                {"nr": nr, "body": f"{nr:x}" * 300},
            )
            tally.acknowledged = nr


def broken_promise(disk: Disk, tally: Tally, journal_mode: JournalMode = "WAL") -> str:
    """Say what is wrong with the database on this disk; nothing, if nothing is."""
    try:
        with connected(disk, journal_mode=journal_mode) as connection:
            (verdict,), *_ = connection.execute("PRAGMA integrity_check").fetchall()
            if verdict != "ok":
                return f"integrity check: {verdict}"
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
            found = [numbers_in(connection, str(name)) for (name,) in tables]
    except apsw.Error as error:
        return f"unreadable: {error}"
    rows = found[0] if found else []
    if rows != list(range(1, len(rows) + 1)) or any(others != rows for others in found):
        return f"commits in part: {found}"
    if not tally.acknowledged <= len(rows) <= tally.begun:
        return f"{tally.acknowledged} acknowledged, {tally.begun} begun, {len(rows)} found"
    return ""


def operations_of_work(synchronous: Synchronous = "FULL", journal_mode: JournalMode = "WAL") -> int:
    disk = Disk(Random(0))
    work(disk, Tally(), synchronous, journal_mode)
    return disk.operations


def cut_during_work(
    disk: Disk, n: int, fate: Fate, synchronous: Synchronous = "FULL", journal_mode: JournalMode = "WAL"
) -> Tally:
    tally = Tally()
    disk.cut_at(n, fate)
    with contextlib.suppress(PowerCutError):
        work(disk, tally, synchronous, journal_mode)
    assert disk.is_cut
    return tally


def broken_promises(
    synchronous: Synchronous = "FULL",
    journal_mode: JournalMode = "WAL",
    *,
    fsync_lies: bool = False,
    seeds: int = SEEDS,
) -> list[str]:
    found: list[str] = []
    points = range(1, operations_of_work(synchronous, journal_mode) + 1)
    for n, fate, seed in itertools.product(points, Fate, range(seeds)):
        disk = Disk(Random(f"{n} {seed}"), fsync_lies=fsync_lies)
        tally = cut_during_work(disk, n, fate, synchronous, journal_mode)
        if complaint := broken_promise(disk.survivor(), tally, journal_mode):
            found.append(f"operation {n}, {fate.value}, seed {seed}: {complaint}")
    return found


def test_wal_with_full_sync_keeps_every_acknowledged_commit_at_every_cut() -> None:
    assert operations_of_work() > 10 * COMMITS
    assert broken_promises() == []


def test_cut_after_the_last_operation_keeps_every_commit() -> None:
    for fate in Fate:
        disk, tally = Disk(Random(1)), Tally()
        work(disk, tally)
        disk.cut(fate)
        assert broken_promise(disk.survivor(), tally) == ""
        assert tally.acknowledged == COMMITS


def test_normal_sync_is_caught_losing_acknowledged_commits_though_it_corrupts_nothing() -> None:
    found = broken_promises("NORMAL")
    assert len(found) > COMMITS
    assert [complaint for complaint in found if "acknowledged" not in complaint] == []


def test_fsync_that_lies_is_caught() -> None:
    found = broken_promises(fsync_lies=True)
    assert len(found) > COMMITS
    assert any("acknowledged" in complaint for complaint in found)
    assert any("acknowledged" not in complaint for complaint in found)  # even corruption: nothing is ordered any more


def test_fsync_still_lies_after_the_cut() -> None:
    disk = Disk(Random(1), fsync_lies=True)
    disk.xOpen("f", [WAL_FILE, 0]).xSync(0)
    disk.cut(Fate.LOST)
    again = disk.survivor()
    again.xOpen("f", [WAL_FILE, 0]).xSync(0)
    again.cut(Fate.LOST)
    assert disk.survivor(Fate.KEPT).files() == {"f": b""}
    assert again.survivor().files() == {}


def test_rollback_journal_comes_back_unless_its_deletion_is_synced() -> None:
    assert any("acknowledged" in complaint for complaint in broken_promises("FULL", "DELETE", seeds=1))
    assert broken_promises("EXTRA", "DELETE", seeds=1) == []


def test_reopening_may_be_cut_again_and_again() -> None:
    chance = Random(7)
    last_operation = operations_of_work()
    restarts = 0
    for n, fate in itertools.product(range(1, last_operation + 1), (Fate.PREFIX, Fate.TORN)):
        disk = Disk(chance)
        tally = cut_during_work(disk, n, fate)
        for _ in range(chance.randint(1, RESTARTS_MAX)):
            disk = disk.survivor()
            disk.cut_at(chance.randint(1, 12), fate)
            with contextlib.suppress(PowerCutError):
                work(disk, tally, commits=2)
            disk.cut(fate)
            restarts += 1
            assert broken_promise(disk.survivor(Fate.LOST), tally) == ""
        assert broken_promise(disk.survivor(), tally) == ""
    assert restarts > last_operation


def survivor_after(seed: int, n: int) -> dict[str, bytes]:
    disk = Disk(Random(seed))
    _ = cut_during_work(disk, n, Fate.TORN)
    return disk.survivor().files()


def test_same_seed_gives_the_same_bytes() -> None:
    points = range(1, operations_of_work() + 1)
    first, again, other = ([survivor_after(seed, n) for n in points] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert any(f"{DATABASE}-wal" in files for files in first)


@pytest.mark.parametrize("fault", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("lasting", [False, True])
def test_failing_disk_is_noticed_and_loses_nothing_acknowledged(fault: Fault, *, lasting: bool) -> None:
    unnoticed = 0
    for n, fate in itertools.product(range(1, operations_of_work() + 1), (Fate.LOST, Fate.KEPT)):
        disk, tally = Disk(Random(n)), Tally()
        disk.fail_at(n, fault, lasting=lasting)
        try:
            work(disk, tally)
        except (apsw.IOError, apsw.FullError, apsw.CantOpenError):
            pass
        else:
            unnoticed += 1
        disk.cut(fate)
        assert broken_promise(disk.survivor(), tally) == "", (n, fate)
    quiet_operations = {"EIO": 0 if lasting else 2, "ENOSPC": 1}  # two syncs of the directory; a delete, which is last
    assert unnoticed == quiet_operations[fault] * 2


def test_sync_after_a_failed_sync_is_counted_and_saves_nothing() -> None:
    survived: set[bytes] = set()
    for seed in range(20):
        disk = Disk(Random(seed))
        file = disk.xOpen("f", [MAIN_FILE, 0])
        file.xWrite(b"a" * SECTOR_BYTES, 0)
        file.xSync(0)
        file.xWrite(b"b" * SECTOR_BYTES, 0)
        file.xWrite(b"c" * SECTOR_BYTES, SECTOR_BYTES)
        disk.fail_at(disk.operations + 1, "EIO", lasting=False)
        with pytest.raises(apsw.IOError):
            file.xSync(0)
        assert (disk.failed_syncs, disk.syncs_after_failed_sync) == (1, 0)
        disk.xOpen("f", [MAIN_FILE, 0]).xSync(0)
        assert disk.syncs_after_failed_sync == 0  # who opens the file after the failure starts afresh
        file.xSync(0)
        assert disk.syncs_after_failed_sync == 1
        assert disk.files()["f"] == b"b" * SECTOR_BYTES + b"c" * SECTOR_BYTES
        disk.cut(Fate.KEPT)
        survived.add(disk.survivor().files()["f"][::SECTOR_BYTES])
    assert survived == {b"a", b"b", b"bc"}


def test_names_are_durable_after_their_own_sync_or_the_directory_s() -> None:
    disk = Disk(Random(1))
    first, second = disk.xOpen("first", [MAIN_FILE, 0]), disk.xOpen("second", [MAIN_FILE, 0])
    third = disk.xOpen("third", [MAIN_FILE, 0])
    for file in (first, second, third):
        file.xWrite(b"x", 0)
    second.xSync(0)
    disk.cut(Fate.LOST)
    assert disk.survivor().files() == {"first": b"", "second": b"x"}
    assert disk.survivor(Fate.KEPT).files() == {"first": b"x", "second": b"x", "third": b"x"}

    disk = disk.survivor(Fate.KEPT)
    disk.xDelete("first", syncdir=False)
    disk.xDelete("third", syncdir=False)
    disk.cut(Fate.LOST)
    assert set(disk.survivor().files()) == {"first", "second", "third"}

    disk = disk.survivor()
    disk.xDelete("first", syncdir=False)
    disk.xOpen("wal", [WAL_FILE, 0]).xSync(0)
    disk.xDelete("third", syncdir=True)
    disk.cut(Fate.LOST)
    assert set(disk.survivor().files()) == {"second", "wal"}


def test_sectors_are_whole_and_never_show_a_write_without_the_earlier_ones() -> None:
    names = b"0123456789"
    seen: set[tuple[int, ...]] = set()
    for seed in range(200):
        disk = Disk(Random(seed))
        file = disk.xOpen("f", [MAIN_FILE, 0])
        file.xWrite(names[:1] * SECTOR_BYTES * 3, 0)
        file.xSync(0)
        versions = [disk.files()["f"]]
        for nth in range(1, 5):  # each write ends 100 bytes further on, and spares the first 10 bytes
            file.xWrite(names[nth : nth + 1] * (SECTOR_BYTES * 2 + nth * 100), 10)
            versions.append(disk.files()["f"])
        disk.cut(Fate.TORN)
        survived = disk.survivor().files()["f"]
        starts = range(0, SECTOR_BYTES * 3, SECTOR_BYTES)
        cut_up = [[version[at : at + SECTOR_BYTES] for at in starts] for version in versions]
        held = [survived[at : at + SECTOR_BYTES] for at in starts]
        assert all(sector in [version[place] for version in cut_up] for place, sector in enumerate(held))
        seen.add(tuple(next(v for v, version in enumerate(cut_up) if version[at] == held[at]) for at in range(3)))
    assert any(len(set(sectors)) > 1 for sectors in seen)
    assert (4, 4, 4) in seen


def test_prefix_keeps_any_number_of_changes_in_order() -> None:
    seen: set[bytes] = set()
    for seed in range(50):
        disk = Disk(Random(seed))
        file = disk.xOpen("f", [MAIN_FILE, 0])
        file.xSync(0)
        for nth, content in enumerate((b"a", b"b", b"c")):
            file.xWrite(content * SECTOR_BYTES, nth * SECTOR_BYTES)
        disk.cut(Fate.PREFIX)
        seen.add(disk.survivor().files()["f"][::SECTOR_BYTES])
    assert seen == {b"", b"a", b"ab", b"abc"}


def test_interrupted_write_may_land_when_torn_whole_or_in_part() -> None:
    seen: dict[Fate, set[bytes]] = {fate: set() for fate in Fate}
    for seed in range(50):
        disk = Disk(Random(seed))
        file = disk.xOpen("f", [MAIN_FILE, 0])
        file.xWrite(b"a" * SECTOR_BYTES * 2, 0)
        file.xSync(0)
        disk.cut_at(disk.operations + 1, Fate.TORN)
        with pytest.raises(PowerCutError):
            file.xWrite(b"b" * SECTOR_BYTES * 2, 0)
        for fate in Fate:
            seen[fate].add(disk.survivor(fate).files()["f"][::SECTOR_BYTES])
    assert seen == {
        Fate.LOST: {b"aa"},
        Fate.KEPT: {b"aa"},
        Fate.PREFIX: {b"aa"},
        Fate.TORN: {b"ab", b"ba", b"bb"},
    }


def test_truncation_and_what_follows_it_land_in_order() -> None:
    seen: set[bytes] = set()
    for seed in range(100):
        disk = Disk(Random(seed))
        file = disk.xOpen("f", [MAIN_FILE, 0])
        file.xWrite(b"a" * SECTOR_BYTES, 0)
        file.xSync(0)
        file.xTruncate(0)
        file.xWrite(b"b", 0)
        disk.cut(Fate.TORN)
        seen.add(disk.survivor().files()["f"])
    assert seen == {b"a" * SECTOR_BYTES, b"", b"b"}


def test_nothing_happens_after_the_cut() -> None:
    disk = Disk(Random(1))
    file = disk.xOpen("f", [MAIN_FILE, 0])
    with pytest.raises(ValueError, match="the power is on"):
        _ = disk.survivor()
    with pytest.raises(ValueError, match="operation 1 is past"):
        disk.cut_at(1, Fate.KEPT)
    disk.cut(Fate.KEPT)
    for attempt in (
        lambda: file.xRead(1, 0),
        lambda: file.xWrite(b"x", 0),
        lambda: file.xSync(0),
        lambda: file.xTruncate(0),
        file.xFileSize,
        lambda: file.xLock(apsw.SQLITE_LOCK_SHARED),
        lambda: disk.xOpen("g", [MAIN_FILE, 0]),
        lambda: disk.xDelete("f", syncdir=True),
        lambda: disk.xAccess("f", 0),
    ):
        with pytest.raises(PowerCutError):
            _ = attempt()
    assert disk.operations == 1
    assert disk.survivor().files() == {"f": b""}


def test_second_connection_is_kept_out() -> None:
    disk = Disk(Random(1))
    with connected(disk) as connection:
        _ = connection.execute("CREATE TABLE t(x)")
        other = connect(disk)
        with pytest.raises(apsw.BusyError):
            _ = other.execute("PRAGMA locking_mode = EXCLUSIVE; SELECT * FROM t").fetchall()
        other.close()


def test_disk_is_one_vfs_among_others_and_not_the_default() -> None:
    default = apsw.vfs_names()[0]
    first, second = Disk(Random(1)), Disk(Random(1))
    assert first.name != second.name
    assert {first.name, second.name} <= set(apsw.vfs_names())
    assert apsw.vfs_names()[0] == default


def test_disks_come_and_go_without_a_trace() -> None:
    def one_round(seed: int) -> None:
        disk = Disk(Random(seed))
        tally = cut_during_work(disk, 60, Fate.TORN)
        assert broken_promise(disk.survivor(), tally) == ""

    for seed in range(20):
        one_round(seed)
    _ = gc.collect()
    names = apsw.vfs_names()
    gc.disable()  # no disk waits for the collector
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for seed in range(ROUNDS_FOR_LEAKS):
            one_round(seed)
        assert apsw.vfs_names() == names
        _ = gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after - before < 100 * ROUNDS_FOR_LEAKS  # bytes: a disk is hundreds of times as large
