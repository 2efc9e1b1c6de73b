"""A data folder has one writer, any number of readers, and gives out money's journal only when it is the right one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from kiosk.config import Config
from kiosk.errors import UsageError
from kiosk.money import database, folder, heads, secret
from kiosk.money.database import APPLICATION_ID, FILE_NAME
from kiosk.money.folder import create, open_for_money, open_for_reading, open_for_writing, sign_head
from kiosk.money.heads import Found
from kiosk.money.journal import Journal, JournalBroken
from kiosk.money.step import Step
from kiosk.money.terminal_config import head_places
from kiosk.money.verify import Report, verify
from tests.kiosk.configured import begun
from tests.kiosk.money.lived import Lived
from tests.kiosk.money.memory import AT_MS, IDENTITY, calendar

NOBODY = 65534
ROOT = Path(__file__).parents[3]
FACT = b'{"type":"X"}'


def made(data: Path, prepare: Callable[[], None] = lambda: None) -> Journal:
    return create(data, IDENTITY, calendar(), os.urandom, at_ms=AT_MS, prepare=prepare)


def opened(data: Path) -> Journal:
    return open_for_writing(data, calendar(), os.urandom)


def refused(call: Callable[[], object]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.remedy
    return caught.value


# Making, and the one writer ------------------------------------------------------------------------------------------


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    made(data).close()
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / FILE_NAME).stat().st_mode & 0o777 == 0o600
    with closing(open_for_reading(data)) as connection:
        assert verify(connection, Found()).problems == ()


def test_what_is_there_is_never_made_anew(tmp_path: Path) -> None:
    made(tmp_path).close()
    before = (tmp_path / FILE_NAME).read_bytes()
    assert refused(lambda: made(tmp_path)).problem == f"{tmp_path} holds a journal already"
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_there_is_one_writer_and_readers_do_not_care(tmp_path: Path) -> None:
    writer = made(tmp_path)
    for another in (lambda: opened(tmp_path), lambda: made(tmp_path)):
        assert refused(another).problem == f"{tmp_path} is being written by another process"
    with closing(open_for_reading(tmp_path)) as reader:
        writer.commit(Step(AT_MS, FACT))
        assert reader.execute("SELECT max(seq) FROM entry").get == 2
        with pytest.raises(apsw.ReadOnlyError):
            reader.execute("DELETE FROM balance")
    writer.close()
    with closing(opened(tmp_path)) as next_writer:
        assert next_writer.commit(Step(AT_MS, FACT)) == 3


def test_a_refused_opening_leaves_no_lock_behind(tmp_path: Path) -> None:
    made(tmp_path).close()
    whole = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    refused(lambda: opened(tmp_path))
    (tmp_path / FILE_NAME).write_bytes(whole)
    with closing(opened(tmp_path)) as journal_again:
        assert journal_again.identity == IDENTITY


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made: " in refused(lambda: made(tmp_path / "file" / "data")).problem


# What is no journal --------------------------------------------------------------------------------------------------


def no_folder(data: Path) -> str:
    shutil.rmtree(data)
    return "there is no data folder {data}"


def a_file(data: Path) -> str:
    shutil.rmtree(data)
    data.write_text("")
    return "{data} is not a folder"


def no_journal(data: Path) -> str:
    (data / FILE_NAME).unlink()
    return "{data} holds no journal"


def no_database(data: Path) -> str:
    (data / FILE_NAME).write_bytes(b"anything else " * 100)
    return "{data}/journal.sqlite3 is no database"


def a_folder_in_its_place(data: Path) -> str:
    (data / FILE_NAME).unlink()
    (data / FILE_NAME).mkdir()
    return "{data}/journal.sqlite3 is not a file"


def an_empty_file(data: Path) -> str:
    (data / FILE_NAME).write_bytes(b"")
    return "the journal in {data} was cut off while it was made, and holds nothing"


def an_empty_database(data: Path) -> str:
    (data / FILE_NAME).unlink()
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.pragma("journal_mode", "wal")
    return "the journal in {data} was cut off while it was made, and holds nothing"


def tables_without_rows(data: Path) -> str:
    (data / FILE_NAME).unlink()
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        for script in database.schema_scripts():
            connection.execute(script)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", len(database.SCHEMAS))
    return "the journal in {data} was cut off while it was made, and holds nothing"


def all_rows_deleted(data: Path) -> str:
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.execute("DELETE FROM entry")
    return "all rows of the journal in {data} are gone"


def all_but_the_head_deleted(data: Path) -> str:
    head = heads.Head("t", "i", 5, "00", 0)
    heads.write(head, [data / heads.HEAD_NAME])
    an_empty_file(data)
    return "all rows of the journal in {data} are gone"


def another_kind_of_database(data: Path) -> str:
    (data / FILE_NAME).unlink()
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    return "{data}/journal.sqlite3 is no journal of this terminal's kind"


def a_newer_version(data: Path) -> str:
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.pragma("user_version", 99)
    return f"the journal is of version 99, this program knows version {len(database.SCHEMAS)}"


def no_version(data: Path) -> str:
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.pragma("user_version", 0)
    return "{data}/journal.sqlite3 is damaged: it says that it is of version 0, and every journal is of version 1 or"


def no_identity(data: Path) -> None:
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.execute("DELETE FROM identity")


def cut_in_half(data: Path) -> str:
    whole = (data / FILE_NAME).read_bytes()
    (data / FILE_NAME).write_bytes(whole[: len(whole) // 2])
    return "{data}/journal.sqlite3 is damaged: "


@pytest.mark.parametrize(
    "spoil",
    [
        *(no_folder, a_file, no_journal, no_database, a_folder_in_its_place, an_empty_file, an_empty_database),
        *(tables_without_rows, all_rows_deleted, all_but_the_head_deleted, another_kind_of_database),
        *(a_newer_version, no_version, cut_in_half),
    ],
)
def test_what_is_no_journal_is_told_with_its_remedy(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    data = tmp_path / "data"
    made(data).close()
    problem = spoil(data).format(data=data)
    for opening in (lambda: open_for_reading(data).close(), lambda: opened(data).close()):
        assert refused(opening).problem.startswith(problem)


def test_a_folder_above_the_journals_leads_down_to_one(tmp_path: Path) -> None:
    """Where a simulation keeps them, each in a folder of its own."""
    for name in ("0001", "0002"):
        made(tmp_path / name).close()
    error = refused(lambda: open_for_reading(tmp_path))
    assert (error.problem, error.remedy) == (
        *(f"{tmp_path} holds no journal", f"name a folder below it that holds one, such as {tmp_path / '0001'}"),
    )


def test_a_lock_that_is_no_file_is_told(tmp_path: Path) -> None:
    made(tmp_path).close()
    (tmp_path / "writer.lock").unlink()
    (tmp_path / "writer.lock").mkdir()
    error = refused(lambda: opened(tmp_path))
    assert error.problem == f"{tmp_path}/writer.lock, which keeps a second writer out, cannot be used: Is a directory"
    assert error.remedy == "remove it: it holds nothing, and is made anew"


def test_a_folder_that_may_not_be_written_to_is_told(readable: Path) -> None:
    with nobody():
        error = refused(lambda: opened(readable))
    assert error.problem.endswith("writer.lock, which keeps a second writer out, cannot be used: Permission denied")
    assert error.remedy == f"let this account write to {readable}"


def a_wrong_beginning(data: Path) -> None:
    overwrite(data / FILE_NAME, 0, b"anything else   ")


def a_wrong_page_size(data: Path) -> None:
    overwrite(data / FILE_NAME, 16, b"\x12\x34")


def a_wrong_kind(data: Path) -> None:
    overwrite(data / FILE_NAME, 68, b"xxxx")


def overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


@pytest.mark.parametrize("damage", [a_wrong_beginning, a_wrong_page_size, a_wrong_kind])
def test_a_damaged_beginning_is_no_foreign_file_where_a_journal_was(
    config: Config, damage: Callable[[Path], None]
) -> None:
    """Its head lies beside it: nobody is sent to look for another folder."""
    damage(config.journal.data)
    for opening in (lambda: open_for_reading(config.journal.data), lambda: open_for_money(config)):
        error = refused(opening)
        assert error.problem.startswith(f"{config.journal.data}/journal.sqlite3 is damaged: it ")
        assert error.remedy.startswith("put its newest copy back; ")


def test_a_log_beside_it_says_so_too(tmp_path: Path) -> None:
    made(tmp_path).close()
    a_wrong_beginning(tmp_path)
    assert refused(lambda: open_for_reading(tmp_path)).problem.endswith("is no database")
    (tmp_path / f"{FILE_NAME}-wal").write_bytes(b"")
    assert refused(lambda: open_for_reading(tmp_path)).problem.endswith(
        "is damaged: it does not begin as a database does"
    )


def test_a_journal_without_identity_is_read_and_never_written(tmp_path: Path) -> None:
    """No remedy sends a person from one command to the next and back: no adoption mends it, only another copy does."""
    made(tmp_path).close()
    no_identity(tmp_path)
    error = refused(lambda: opened(tmp_path))
    assert error.problem == f"the journal in {tmp_path} does not say whose it is: its table of identity is empty"
    assert error.remedy.startswith("put its newest copy back; ")
    with closing(open_for_reading(tmp_path)) as connection:
        assert [problem.what for problem in verify(connection, Found()).problems] == [
            "the table of identity does not say what this row says"
        ]


def test_what_a_journal_needs_is_made_when_nobody_else_can_begin_it(tmp_path: Path) -> None:
    """Two `kiosk init` at once: the second one makes no key, and so cannot replace one."""
    done: list[str] = []

    def prepare() -> None:
        done.append("first")
        second = refused(lambda: made(tmp_path, lambda: done.append("second")))
        assert second.problem == f"{tmp_path} is being written by another process"

    made(tmp_path, prepare).close()
    refused(lambda: made(tmp_path, lambda: done.append("third")))
    assert done == ["first"]


def test_a_half_made_journal_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes after the tables were made and before the first row was written."""

    def commit(_: Journal, __: Step) -> int:
        msg = "the power went"
        raise JournalBroken(msg)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "commit", commit)
        assert refused(lambda: made(tmp_path)).problem == f"no journal could be made in {tmp_path}: the power went"
    half_made = refused(lambda: made(tmp_path))
    assert half_made.problem == f"the journal in {tmp_path} was cut off while it was made, and holds nothing"
    assert half_made.remedy == f"remove {tmp_path / FILE_NAME}* and run `kiosk init` again"
    for leftover in tmp_path.glob(f"{FILE_NAME}*"):
        leftover.unlink()
    made(tmp_path).close()


# Rights --------------------------------------------------------------------------------------------------------------


@contextmanager
def nobody() -> Generator[None]:
    """Be an account that may do nothing in the folder but read, if that."""
    if os.geteuid() != 0:
        yield
        return
    scripts = database.schema_scripts()  # the tree itself may lie where nobody but root can read
    with pytest.MonkeyPatch.context() as patch:
        for module in (folder, sys.modules[verify.__module__]):
            patch.setattr(module, "schema_scripts", lambda: scripts)
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    """A folder that others can look into and not change, on a path that they can walk."""
    data = tmp_path / "data"
    made(data).close()
    for path in (tmp_path, *list(tmp_path.parents)[:2]):
        path.chmod(path.stat().st_mode | 0o055)
    close_to_writing(data)
    return data


def close_to_writing(data: Path) -> None:
    for path in data.iterdir():
        path.chmod(0o444)
    data.chmod(0o555)


def open_to_writing(data: Path) -> None:
    data.chmod(0o755)
    for path in data.iterdir():
        path.chmod(0o644)


def read_by_nobody(data: Path) -> Report:
    with nobody(), closing(open_for_reading(data)) as connection:
        return verify(connection, Found())


def test_a_journal_at_rest_is_read_without_a_right_to_write(readable: Path) -> None:
    assert read_by_nobody(readable).problems == ()


WRITER = """
import os, sys
from pathlib import Path
from kiosk.money.step import Step
from tests.kiosk.money.test_folder import AT_MS, FACT, opened
journal = opened(Path(sys.argv[1]))
journal.commit(Step(AT_MS, FACT))
print("written", flush=True)
sys.stdin.read(1)
os._exit(0)
"""


@pytest.fixture
def running(readable: Path) -> Generator[Path]:
    """Another process writes a row, and stays until the test is over; then its power goes."""
    open_to_writing(readable)
    command = [sys.executable, "-c", WRITER, str(readable)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "written\n"
        yield readable
        writer.communicate("x")


def test_a_running_one_too(running: Path) -> None:
    close_to_writing(running)
    report = read_by_nobody(running)
    assert (report.rows, report.problems) == (2, ())


def test_rows_in_a_log_that_cannot_be_read_are_not_passed_over(running: Path, tmp_path: Path) -> None:
    """The power went: the log holds a row, and this account may not recover it."""
    dead = tmp_path / "dead"
    shutil.copytree(running, dead, ignore=shutil.ignore_patterns("*-shm"))
    close_to_writing(dead)
    problem = refused(lambda: read_by_nobody(dead)).problem
    why = "its log holds rows that this account may not recover"
    assert problem == f"{dead}/journal.sqlite3 cannot be opened: {why}"
    open_to_writing(dead)
    with closing(open_for_reading(dead)) as connection:
        assert verify(connection, Found()).rows == 2


def test_a_journal_that_may_not_be_read_is_told(readable: Path) -> None:
    (readable / FILE_NAME).chmod(0)
    with nobody():
        error = refused(lambda: open_for_reading(readable))
    assert error.problem == f"{readable}/journal.sqlite3 cannot be opened: Permission denied"
    rights = f"let this account use {readable} and what is in it, or run kiosk as the account that owns it"
    assert error.remedy == rights


def test_a_folder_that_may_not_be_entered_is_told(readable: Path) -> None:
    readable.chmod(0)
    problem = refused(lambda: read_by_nobody(readable)).problem
    readable.chmod(0o755)
    assert problem == f"{readable}/journal.sqlite3 cannot be opened: Permission denied"


# Versions ------------------------------------------------------------------------------------------------------------


def test_an_older_database_is_migrated_and_its_chain_is_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = Lived(tmp_path / FILE_NAME)
    chain = lived.connection.execute("SELECT seq, body, hash FROM entry").fetchall()
    head = lived.head()
    lived.journal.close()
    script = tmp_path / "0002.sql"
    script.write_text(
        "CREATE TABLE visit (day TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;\n"
        "INSERT INTO visit SELECT day, count(*) FROM entry GROUP BY day;\n"
        "ALTER TABLE tally RENAME COLUMN line TO name; ALTER TABLE tally RENAME COLUMN name TO line;\n"
    )
    monkeypatch.setattr(database, "SCHEMAS", (*database.SCHEMAS, str(script)))
    assert refused(lambda: open_for_reading(tmp_path)).problem.endswith("is of an older version, 1")
    with closing(opened(tmp_path)) as migrated:
        migrated.commit(Step(lived.now_ms, FACT))
    with closing(open_for_reading(tmp_path)) as connection:
        report = verify(connection, head)
        assert report.problems == ()
        assert report.head.rows_beyond == 1
        assert connection.pragma("user_version") == len(database.SCHEMAS)
        assert connection.execute("SELECT count(*) FROM visit").get == 2
        assert connection.execute("SELECT seq, body, hash FROM entry").fetchall()[:-1] == chain
    monkeypatch.undo()
    newer = f"the journal is of version 2, this program knows version {len(database.SCHEMAS)}"
    for opening in (lambda: open_for_reading(tmp_path), lambda: opened(tmp_path)):
        assert refused(opening).problem == newer


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path).close()
    script = tmp_path / "0002.sql"
    script.write_text("CREATE TABLE visit (x); INSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(database, "SCHEMAS", (*database.SCHEMAS, str(script)))
    assert "no such table: nowhere" in refused(lambda: opened(tmp_path)).problem
    monkeypatch.undo()
    with closing(opened(tmp_path)) as as_before:
        assert as_before.commit(Step(AT_MS, FACT)) == 2


# Money ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A terminal with a copy of its head elsewhere; it has booked a little, and stopped cleanly."""
    found = begun(tmp_path, head_copy=str(tmp_path / "elsewhere.head"))
    work(found)
    return found


def work(config: Config, *, signed: bool = True) -> None:
    """A session: one row, and a signed head."""
    with closing(open_for_money(config)) as opened_journal:
        opened_journal.commit(Step(AT_MS, FACT))
        if signed:
            assert sign_head(opened_journal, config, AT_MS) == []


def put(config: Config, **changes: object) -> Config:
    """The same terminal, configured otherwise."""
    return replace(config, terminal=replace(config.terminal, **changes))


def test_it_goes_on_where_it_stopped(config: Config) -> None:
    work(config)
    work(config, signed=False)  # the power went before the head was signed
    with closing(open_for_money(config)) as found:
        assert found.seq == 4
    local, elsewhere = (heads.find(place).head for place in head_places(config))
    assert local == elsewhere
    assert local is not None
    assert local.seq == 3


def test_a_torn_head_stops_nobody(config: Config) -> None:
    work(config)
    for place in head_places(config):
        place.write_bytes(b"{")
    work(config)
    assert all(heads.find(place).head for place in head_places(config))  # and each is whole again


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "other"}, "the journal is terminal demo-0001's, and this is other"),
        ({"mode": "live"}, "has the mode bench, the configuration says live"),
        ({"currency": "HKD"}, "has the currency CNY, the configuration says HKD"),
    ],
)
def test_a_foreign_journal_takes_no_money(config: Config, changes: dict[str, object], problem: str) -> None:
    assert refused(lambda: open_for_money(put(config, **changes))).problem.endswith(problem)
    work(config)  # and holds no lock


def test_a_missing_journal_that_is_known_elsewhere_takes_no_money(config: Config, tmp_path: Path) -> None:
    shutil.rmtree(config.journal.data)
    problem = refused(lambda: open_for_money(config)).problem
    assert (
        problem
        == f"there is no journal in {config.journal.data}, and {tmp_path / 'elsewhere.head'} vouches for its row 2"
    )
    for known in tmp_path.glob("elsewhere*"):
        known.unlink()
    assert refused(lambda: open_for_money(config)).problem == f"there is no data folder {config.journal.data}"


def test_one_that_was_set_back_takes_no_money(config: Config, tmp_path: Path) -> None:
    """All of it came from an older copy, head included: only the copy elsewhere knows."""
    copy = tmp_path / "backup"
    shutil.copytree(config.journal.data, copy)
    work(config)
    shutil.rmtree(config.journal.data)
    shutil.copytree(copy, config.journal.data)
    error = refused(lambda: open_for_money(config))
    elsewhere = tmp_path / "elsewhere.head"
    assert error.problem == f"{elsewhere} vouches for row 3, and the journal ends with row 2: 1 row is missing"
    assert "kiosk adopt" in error.remedy


def test_one_whose_end_was_cut_off_takes_no_money(config: Config) -> None:
    copy = (config.journal.data / FILE_NAME).read_bytes()
    work(config)
    (config.journal.data / FILE_NAME).write_bytes(copy)
    head = config.journal.data / "head.json"
    problem = refused(lambda: open_for_money(config)).problem
    assert problem == f"{head} vouches for row 3, and the journal ends with row 2: 1 row is missing"


def test_one_that_went_another_way_takes_no_money(config: Config, tmp_path: Path) -> None:
    """It was restored from a copy, and then written on."""
    copy = tmp_path / "backup"
    shutil.copytree(config.journal.data, copy)
    work(config)
    shutil.rmtree(config.journal.data)
    shutil.copytree(copy, config.journal.data)
    with closing(opened(config.journal.data)) as other:
        other.commit(Step(AT_MS, b'{"type":"Y"}'))
    problem = refused(lambda: open_for_money(config)).problem
    assert problem == f"{tmp_path / 'elsewhere.head'} vouches for another row 3: rows were changed"


def test_one_of_another_incarnation_takes_no_money(config: Config, tmp_path: Path) -> None:
    other = begun(tmp_path / "other", data=str(tmp_path / "other data"))
    shutil.copy(other.journal.data / "head.json", tmp_path / "elsewhere.head")
    moved = replace(config, journal=replace(config.journal, machine_key=other.journal.machine_key))
    (config.journal.data / "head.json").unlink()
    (config.journal.data / "head.previous.json").unlink()
    assert (
        "vouches for row 1 of another journal (terminal demo-0001, incarnation"
        in refused(lambda: open_for_money(moved)).problem
    )


def test_another_key_takes_no_money(config: Config) -> None:
    key = config.journal.machine_key
    key.write_text("00" * 32)
    problem = refused(lambda: open_for_money(config)).problem
    assert problem == f"the head {config.journal.data / 'head.json'} was not signed with this machine's key, {key}"


@pytest.mark.parametrize("seq", [1, 2])
def test_a_broken_chain_takes_no_money(config: Config, seq: int) -> None:
    with closing(apsw.Connection(str(config.journal.data / FILE_NAME))) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.execute("UPDATE entry SET body = x'7b7d' WHERE seq = ?", (seq,))
    problem = refused(lambda: open_for_money(config)).problem
    assert problem in {
        f"row {seq} of the journal does not follow from the row before it",
        f"row {seq} does not belong to the row before it",
    }


def test_an_identity_that_no_row_gives_is_never_written_on(tmp_path: Path) -> None:
    made(tmp_path).close()
    with closing(apsw.Connection(str(tmp_path / FILE_NAME))) as connection:
        connection.execute("UPDATE identity SET seq = 7")
    assert refused(lambda: opened(tmp_path)).problem == "row 7 of the journal does not follow from the row before it"


def test_the_key_is_read_first(config: Config) -> None:
    config.journal.machine_key.unlink()
    assert "cannot be read: No such file" in refused(lambda: open_for_money(config)).problem
    config.journal.machine_key.write_text("short")
    assert "does not hold 32 bytes as 64 hexadecimal characters" in refused(lambda: open_for_money(config)).problem


# The secret ----------------------------------------------------------------------------------------------------------


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "machine.key"
    assert secret.create(path, os.urandom)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert not secret.create(path, os.urandom)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["machine.key"]


def test_a_secret_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "machine.key"

    def entropy(size: int) -> bytes:
        path.write_text("5a" * 32)  # somebody else was faster
        return bytes(size)

    assert not secret.create(path, entropy)
    assert path.read_text() == "5a" * 32
    assert [file.name for file in tmp_path.iterdir()] == ["machine.key"]


def test_two_that_make_one_at_once_do_not_write_over_each_other(tmp_path: Path) -> None:
    """The second begins while the first has written its secret, and has not yet given it its name."""
    path = tmp_path / "machine.key"

    def entropy(size: int) -> bytes:
        error = refused(lambda: secret.create(path, os.urandom))
        assert error.problem.startswith(f"{path}.new is there already: another command is making the secret key")
        return b"\x5a" * size

    assert secret.create(path, entropy)
    assert path.read_text() == "5a" * 32 + "\n"
    assert [file.name for file in tmp_path.iterdir()] == ["machine.key"]


def test_a_secret_is_not_made_beside_the_public_half_of_another(tmp_path: Path) -> None:
    path, public = tmp_path / "machine.key", tmp_path / "machine.key.pub"
    public.write_text("5a" * 32)
    error = refused(lambda: secret.create(path, os.urandom))
    assert error.problem == f"there is no secret key {path}, and {public} is the public half of one"
    assert "rename the public key and keep it: nothing else proves the heads" in error.remedy
    assert not path.exists()
    path.write_text("11" * 32)
    assert refused(lambda: secret.write_public(path)).problem == f"{public} does not belong to the secret key {path}"
    assert public.read_text() == "5a" * 32


def test_a_public_key_of_before_is_set_aside_and_never_replaced(tmp_path: Path) -> None:
    path, public = tmp_path / "machine.key", tmp_path / "machine.key.pub"
    assert secret.keep_other_public(path, "first") is None
    for content, kept in (("5a", "first"), ("5b", "first.2"), ("5a", "first")):
        public.write_text(content * 32)
        assert secret.keep_other_public(path, "first") == tmp_path / f"machine.key.{kept}.pub"
        assert not public.exists()
    assert (tmp_path / "machine.key.first.pub").read_text() == "5a" * 32
    assert (tmp_path / "machine.key.first.2.pub").read_text() == "5b" * 32
    assert secret.create(path, os.urandom)
    public.write_text(secret.read(path).public_key().hex().upper())
    assert secret.keep_other_public(path, "second") is None  # it is this one's
    assert secret.write_public(path) == public


def test_what_is_derived_for_one_purpose_says_nothing_of_another(tmp_path: Path) -> None:
    path = tmp_path / "machine.key"
    secret.create(path, lambda size: bytes(range(size)))
    key = secret.read(path)
    assert secret.read_public(secret.write_public(path)) == key.public_key()
    assert key.code_book("one").text(7) != key.code_book("two").text(7)
    other = secret.MachineKey(bytes(32))
    assert key.code_book("one").text(7) != other.code_book("one").text(7)
    assert key.public_key() != other.public_key()


def test_a_code_of_an_earlier_incarnation_is_recognised_and_can_be_printed_again(tmp_path: Path) -> None:
    path = tmp_path / "machine.key"
    secret.create(path, os.urandom)
    key = secret.read(path)
    old = key.code_book("first")
    assert key.code_book("second").recognise(old.text(7)) == old.code(7)
    assert key.code_text(7, 0, old.code(7).digest, ["second", "first"]) == old.text(7)
    assert key.code_text(7, 0, old.code(7).digest, ["second"]) is None
    assert folder.new_incarnation(os.urandom) != folder.new_incarnation(os.urandom)
