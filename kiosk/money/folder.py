"""The data folder holds one journal and its signed head: one writer by lock, any number of readers that hold up nobody.

Only `open_for_money` gives a journal that may take money: it is ours, it is whole as far as a start can see, and no
signed head is ahead of it. Everything else is for reading, or for a person who puts things right.
"""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

import apsw

from kiosk.errors import FORBIDDEN, FULL, UsageError, room_or
from kiosk.money import heads, known_heads, secret
from kiosk.money.calendar import Calendar
from kiosk.money.database import (
    APPLICATION_ID,
    FILE_NAME,
    DamagedError,
    JournalError,
    check_version,
    lock_folder,
    schema_scripts,
)
from kiosk.money.durable_file import sync_folder
from kiosk.money.entry import GENESIS, chain
from kiosk.money.heads import Found
from kiosk.money.journal import Journal, JournalBroken
from kiosk.money.known_heads import ADOPT, KnownHead
from kiosk.money.step import Identity
from kiosk.money.terminal_config import Config, calendar_of, head_places

BUSY_MS = 5_000  # how long a reader waits while another process recovers the write-ahead log
INCARNATION_BYTES = 8
NAME_THE_FOLDER = "name the folder that `kiosk init` made"
TAIL_ROWS = 1_000  # how far back a start looks; the whole is verified while the terminal runs

Entropy = Callable[[int], bytes]
Connection = apsw.Connection  # what others hand back to us, and never open themselves


def sign_head(journal: Journal, config: Config, at_ms: int) -> list[str]:
    """Vouch for the last committed row, here and elsewhere; what could not be written is the answer, to be alarmed."""
    key = secret.read(config.journal.machine_key).signing_key()
    return heads.write(heads.sign(journal, key, at_ms), head_places(config))


# Making --------------------------------------------------------------------------------------------------------------


def new_incarnation(entropy: Entropy) -> str:
    """A name for one life of a journal: another one after every restore."""
    return entropy(INCARNATION_BYTES).hex()


def check_free(data: Path) -> None:
    """Refuse a folder that holds a journal already."""
    if any(data.glob(f"{FILE_NAME}*")):
        open_for_reading(data).close()  # one that is half made has its own remedy
        msg = f"{data} holds a journal already"
        remedy = "go on with it, or name another folder; if its secret key is lost for good,"
        raise JournalError(msg, f"{remedy} {secret.NEW_KEY}")


def create(  # noqa: PLR0913 - a journal is born with all of this
    data: Path,
    identity: Identity,
    calendar: Calendar,
    entropy: Entropy,
    *,
    at_ms: int,
    prepare: Callable[[], None] = lambda: None,
) -> Journal:
    """Make the folder, and in it a journal whose first row says whose it is.

    `prepare` is called in between, when nobody else can begin a journal there any more.
    """
    path = data / FILE_NAME
    connection: apsw.Connection | None = None
    with ExitStack() as undo:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = lock_folder(data)
            undo.callback(os.close, lock)
            check_free(data)
            prepare()
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            undo.callback(connection.close)
            journal = Journal.create(connection, identity, calendar, entropy, at_ms=at_ms)
            sync_folder(data)
            sync_folder(data.parent)
        except OSError as error:
            msg = f"the data folder {data} cannot be made: {error.strerror}"
            raise JournalError(msg, room_or(error.errno, "name a folder that this account can write to")) from error
        except (JournalBroken, apsw.Error) as error:
            full = _errno_of(error, connection) in FULL
            msg = f"no journal could be made in {data}: {'the disk is full' if full else error}"
            first = "make room there" if full else "see to the disk"
            raise JournalError(msg, f"{first}, remove {path}* and run `kiosk init` again") from error
        undo.pop_all()
    journal.hold(lock)
    return journal


# Opening -------------------------------------------------------------------------------------------------------------


def open_for_reading(data: Path, *, older: bool = False) -> apsw.Connection:
    """A connection that only reads, whether the terminal runs or not; also of an older version, if asked to."""
    path = _journal_in(data)
    with ExitStack() as undo:
        try:
            connection = _connect_to_read(path)
            undo.callback(connection.close)
            connection.set_busy_timeout(BUSY_MS)
            version = _check_made(connection, data)
        except (apsw.Error, OSError) as error:
            raise _unreadable(path, error) from error
        if version < len(schema_scripts()) and not older:
            msg = f"the journal in {data} is of an older version, {version}"
            raise JournalError(msg, "start the terminal with this program once: that brings the journal up to date")
        undo.pop_all()
    return connection


def open_for_writing(data: Path, calendar: Calendar, entropy: Entropy) -> Journal:
    """The one writer. Whether this journal may take money, it does not ask."""
    path = _journal_in(data)
    connection: apsw.Connection | None = None
    with ExitStack() as undo:
        try:
            lock = lock_folder(data)
            undo.callback(os.close, lock)
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            undo.callback(connection.close)
            _check_made(connection, data)
            _check_identity(connection, data)
            journal = Journal.open(connection, calendar, entropy)
        except (OSError, apsw.Error, JournalBroken) as error:
            raise _unreadable(path, error, _errno_of(error, connection)) from error
        undo.pop_all()
    journal.hold(lock)
    return journal


def open_for_money(config: Config, entropy: Entropy = os.urandom) -> Journal:
    """The terminal's own journal, or the reason why no money is taken."""
    known = _heads_of_a_journal(config)
    journal = open_for_writing(config.journal.data, calendar_of(config), entropy)
    with ExitStack() as undo:
        undo.callback(journal.close)
        _check_for_money(journal, config, known)
        undo.pop_all()
    return journal


def check_for_money(config: Config) -> bool:
    """Ask all that `open_for_money` asks, and write nothing; whether a journal has begun is the answer."""
    known = _heads_of_a_journal(config)
    if not any(config.journal.data.glob(f"{FILE_NAME}*")):
        return False
    with closing(open_for_reading(config.journal.data, older=True)) as connection, connection:  # one moment of it
        _check_identity(connection, config.journal.data)
        _check_for_money(Journal.look_at(connection, calendar_of(config)), config, known)
    return True


def public_key(path: Path, data: Path) -> bytes:
    """Read the key by which the heads of a journal are proved."""
    key = secret.read_public(path)
    _check_outside("public key", path, data)
    return key


def head_elsewhere(path: Path, data: Path) -> Found:
    """Read a signed head that was kept or sent elsewhere."""
    found = heads.find(path)
    if found.head is None:
        problem = f"{path} holds no signed head: {', '.join(found.warnings) or 'it does not exist'}"
        raise UsageError(problem, "name a head.json that was copied or sent elsewhere")
    _check_outside("head", path, data)
    return found


def _check_outside(what: str, path: Path, data: Path) -> None:
    """Whoever can change the journal must not be able to change what proves it."""
    if path.resolve().is_relative_to(data.resolve()):
        problem = f"the {what} {path} lies inside the data folder, which it is to prove"
        raise UsageError(problem, "name a copy of it that was kept elsewhere")


def _heads_of_a_journal(config: Config) -> list[KnownHead]:
    """The heads that are kept, which are worth nothing without the key, and prove that there has to be a journal."""
    secret.read(config.journal.machine_key)
    known = known_heads.read(config)
    if known and not (config.journal.data / FILE_NAME).exists():
        place, seq = known[0].place, known[0].head.seq
        msg = f"there is no journal in {config.journal.data}, and {place} vouches for its row {seq}"
        raise JournalError(msg, f"put its newest copy back, or begin another one with `kiosk init`; {ADOPT}")
    return known


def _check_for_money(journal: Journal, config: Config, known: Sequence[KnownHead]) -> None:
    check_belongs(journal, config)
    if journal.identity.terminal != config.terminal.id:
        msg = f"the journal is terminal {journal.identity.terminal}'s, and this is {config.terminal.id}"
        raise JournalError(msg, ADOPT)
    broken = journal.broken_row(TAIL_ROWS)
    if broken:
        raise _broken(broken)
    known_heads.check(journal, known, config.journal.machine_key)


def check_belongs(journal: Journal, config: Config) -> None:
    """A journal stays live or bench, and in its currency, for ever; nobody can adopt it into something else."""
    for what, its, ours in (
        ("mode", journal.identity.mode, config.terminal.mode),
        ("currency", journal.identity.currency, config.terminal.currency),
    ):
        if its != ours:
            msg = f"the journal in {config.journal.data} has the {what} {its}, the configuration says {ours}"
            raise JournalError(msg, f"write {what} = {its!r}, or name another data folder and run `kiosk init`")


def _journal_in(data: Path) -> Path:
    path = data / FILE_NAME
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{path} is not a file"
            raise JournalError(msg, NAME_THE_FOLDER)
        if not os.access(path, os.R_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    except FileNotFoundError as error:
        what = f"{data} holds no journal" if data.is_dir() else f"there is no data folder {data}"
        below = sorted(data.glob(f"*/{FILE_NAME}"))
        remedy = f"name a folder below it that holds one, such as {below[0].parent}" if below else NAME_THE_FOLDER
        raise JournalError(what, remedy) from error
    except NotADirectoryError as error:
        msg = f"{data} is not a folder"
        raise JournalError(msg, NAME_THE_FOLDER) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    return path


def _connect_to_read(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.pragma("schema_version")
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
        number = connection.system_errno
        # This account may not make the files by which readers and a writer agree, or has no room for them, so nobody
        # has it open at present.
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if isinstance(error, apsw.IOError) and number not in FULL:
            raise
        if log.exists() and log.stat().st_size:
            if number in FULL:
                raise OSError(number, os.strerror(number)) from error
            raise OSError(errno.EACCES, "its log holds rows that this account may not recover") from error
        uri = f"file:{quote(str(path.absolute()))}?immutable=1"
        return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    except apsw.Error:
        connection.close()
        raise
    return connection


def _check_made(connection: apsw.Connection, data: Path) -> int:
    """Recognise what a cut-off `kiosk init` leaves behind; the version is the answer."""
    begun = connection.execute("SELECT count(*) FROM sqlite_schema").get
    known = heads.find(data / heads.HEAD_NAME).head is not None
    if begun and known and connection.pragma("application_id") != APPLICATION_ID:
        raise _damaged(data / FILE_NAME, "it says that it is another kind of database")
    version = check_version(connection) if begun else 0
    if begun and not version:
        raise _damaged(data / FILE_NAME, "it says that it is of version 0, and every journal is of version 1 or later")
    if begun and connection.execute("SELECT 1 FROM entry LIMIT 1").get:
        return version
    if (begun and connection.execute("SELECT 1 FROM identity").get) or known:
        msg = f"all rows of the journal in {data} are gone"
        raise DamagedError(msg, f"touch nothing, and put its newest copy back; {ADOPT}")
    msg = f"the journal in {data} was cut off while it was made, and holds nothing"
    raise JournalError(msg, f"remove {data / FILE_NAME}* and run `kiosk init` again")


def _check_identity(connection: apsw.Connection, data: Path) -> None:
    """Look at the row that says whose journal it is, before anything is built on what it says."""
    seq: int | None = connection.execute("SELECT seq FROM identity").get
    if seq is None:  # and no adoption can mend that, because it would have to write
        msg = f"the journal in {data} does not say whose it is: its table of identity is empty"
        raise JournalError(msg, f"put its newest copy back; {ADOPT}")
    before: bytes = connection.execute("SELECT hash FROM entry WHERE seq = ?", (seq - 1,)).get or GENESIS
    row = connection.execute("SELECT body, hash FROM entry WHERE seq = ?", (seq,)).get
    if row is None or chain(before, row[0]) != row[1]:
        raise _broken(seq)


def _broken(row: int) -> JournalError:
    msg = f"row {row} of the journal does not follow from the row before it"
    return DamagedError(msg, "take no money; run `kiosk journal verify` and call the operator")


def _errno_of(error: Exception, connection: apsw.Connection | None) -> int:
    """What the system said when the database failed; 0 if it said nothing."""
    cause = error.__cause__ if isinstance(error, JournalBroken) else error
    match cause:
        case OSError():
            return cause.errno or 0
        case apsw.FullError():
            return errno.ENOSPC
        case apsw.IOError() | apsw.CantOpenError() | apsw.ReadOnlyError() if connection:
            return connection.system_errno
        case _:
            return 0


def _unreadable(path: Path, error: Exception, number: int = 0) -> JournalError:
    match error:
        case apsw.NotADBError() if _held_a_journal(path):
            return _damaged(path, "it does not begin as a database does")
        case apsw.NotADBError():
            return JournalError(f"{path} is no database", NAME_THE_FOLDER)
        case apsw.CorruptError():
            return _damaged(path, error)
        case _:
            number = number or _errno_of(error, None)
            why = error.strerror if isinstance(error, OSError) else os.strerror(number) if number else error
            rights = f"let this account use {path.parent} and what is in it, or run kiosk as the account that owns it"
            remedy = rights if number in FORBIDDEN else "see to the disk, and let this account use it"
            return JournalError(f"{path} cannot be opened: {why}", room_or(number, remedy))


def _damaged(path: Path, how: object) -> JournalError:
    return DamagedError(f"{path} is damaged: {how}", f"put its newest copy back; {ADOPT}")


def _held_a_journal(path: Path) -> bool:
    """Tell whether there is something beside it that only a journal leaves."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() or heads.find(path.with_name(heads.HEAD_NAME)).head is not None
