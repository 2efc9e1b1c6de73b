"""The data folder holds one journal and its signed head: one writer by lock, any number of readers that hold up nobody.

Only `open_for_money` gives a journal that may take money: it is ours, it is whole as far as a start can see, and no
signed head is ahead of it. Everything else is for reading, or for a person who puts things right.
"""

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from datetime import time
from pathlib import Path
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

import apsw

from kiosk.money import heads, secret
from kiosk.money.calendar import Calendar
from kiosk.money.durable_file import sync_folder
from kiosk.money.journal import (
    FILE_NAME,
    Journal,
    JournalBroken,
    JournalError,
    check_version,
    lock_folder,
    schema_scripts,
)
from kiosk.money.step import Identity, Mode

BUSY_MS = 5_000  # how long a reader waits while another process recovers the write-ahead log
INCARNATION_BYTES = 8
TAIL_ROWS = 1_000  # how far back a start looks; the whole is verified while the terminal runs
ADOPT = "find out how that came about, then run `kiosk adopt --config FILE --by NAME --reason TEXT`"

Entropy = Callable[[int], bytes]
Connection = apsw.Connection  # what others hand back to us, and never open themselves


class Terminal(Protocol):
    """What the configuration says of the terminal itself."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def mode(self) -> Mode:
        """Live or bench."""
        ...

    @property
    def currency(self) -> str:
        """Its only one."""
        ...

    @property
    def timezone(self) -> ZoneInfo:
        """Where it stands."""
        ...

    @property
    def cutoff(self) -> time:
        """When its business day begins."""
        ...


class Places(Protocol):
    """What the configuration says of the journal."""

    @property
    def data(self) -> Path:
        """Its folder."""
        ...

    @property
    def machine_key(self) -> Path:
        """The secret, outside that folder."""
        ...

    @property
    def head_copy(self) -> Path | None:
        """Where its head is kept a second time."""
        ...


class Config(Protocol):
    """As much of the configuration as a journal needs; money knows no more of it."""

    @property
    def terminal(self) -> Terminal:
        """The terminal itself."""
        ...

    @property
    def journal(self) -> Places:
        """Its journal."""
        ...


def head_places(config: Config) -> list[Path]:
    """Where the signed head is kept: in the folder, and its copy elsewhere if there is to be one."""
    copy = config.journal.head_copy
    return [config.journal.data / heads.HEAD_NAME, *([copy] if copy else [])]


def calendar_of(config: Config) -> Calendar:
    """The business days of this terminal."""
    return Calendar(config.terminal.timezone.key, config.terminal.cutoff)


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
        raise JournalError(msg, "go on with it, or name another folder; a restored one wants `kiosk adopt`")


def create(data: Path, identity: Identity, calendar: Calendar, entropy: Entropy, *, at_ms: int) -> Journal:
    """Make the folder, and in it a journal whose first row says whose it is."""
    path = data / FILE_NAME
    with ExitStack() as undo:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = lock_folder(data)
            undo.callback(os.close, lock)
            check_free(data)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            undo.callback(connection.close)
            journal = Journal.create(connection, identity, calendar, entropy, at_ms=at_ms)
            sync_folder(data)
            sync_folder(data.parent)
        except OSError as error:
            msg = f"the data folder {data} cannot be made: {error.strerror}"
            raise JournalError(msg, "name a folder that this account can write to") from error
        except (JournalBroken, apsw.Error) as error:
            msg = f"no journal could be made in {data}: {error}"
            raise JournalError(msg, "see to the disk, remove the folder and run `kiosk init` again") from error
        undo.pop_all()
    journal.hold(lock)
    return journal


# Opening -------------------------------------------------------------------------------------------------------------


def open_for_reading(data: Path) -> apsw.Connection:
    """A connection that only reads, whether the terminal runs or not."""
    path = _journal_in(data)
    with ExitStack() as undo:
        try:
            connection = _connect_to_read(path)
            undo.callback(connection.close)
            connection.set_busy_timeout(BUSY_MS)
            version = _check_made(connection, data)
        except apsw.Error as error:
            raise _unreadable(path, error) from error
        if version < len(schema_scripts()):
            msg = f"the journal in {data} is of an older version, {version}"
            raise JournalError(msg, "start the terminal with this program once: that brings the journal up to date")
        undo.pop_all()
    return connection


def open_for_writing(data: Path, calendar: Calendar, entropy: Entropy) -> Journal:
    """The one writer. Whether this journal may take money, it does not ask."""
    path = _journal_in(data)
    with ExitStack() as undo:
        try:
            lock = lock_folder(data)
            undo.callback(os.close, lock)
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            undo.callback(connection.close)
            _check_made(connection, data)
            journal = Journal.open(connection, calendar, entropy)
        except (OSError, apsw.Error, JournalBroken) as error:
            raise _unreadable(path, error) from error
        undo.pop_all()
    journal.hold(lock)
    return journal


def open_for_money(config: Config, entropy: Entropy = os.urandom) -> Journal:
    """The terminal's own journal, or the reason why no money is taken."""
    public_key = secret.read(config.journal.machine_key).public_key()
    known = [(place, head) for place in head_places(config) if (head := heads.find(place).head)]
    if known and not (config.journal.data / FILE_NAME).exists():
        place, head = known[0]
        msg = f"there is no journal in {config.journal.data}, and {place} vouches for its row {head.seq}"
        raise JournalError(msg, f"put its newest copy back; {ADOPT}")
    journal = open_for_writing(config.journal.data, calendar_of(config), entropy)
    with ExitStack() as undo:
        undo.callback(journal.close)
        check_belongs(journal, config)
        if journal.identity.terminal != config.terminal.id:
            msg = f"the journal is terminal {journal.identity.terminal}'s, and this is {config.terminal.id}"
            raise JournalError(msg, ADOPT)
        broken = journal.broken_row(TAIL_ROWS)
        if broken:
            msg = f"row {broken} of the journal does not follow from the row before it"
            raise JournalError(msg, "take no money; run `kiosk journal verify` and call the operator")
        for place, head in known:
            _hold_against(journal, place, head, public_key)
        undo.pop_all()
    return journal


def check_belongs(journal: Journal, config: Config) -> None:
    """A journal stays live or bench, and in its currency, for ever; nobody can adopt it into something else."""
    for what, its, ours in (
        ("mode", journal.identity.mode, config.terminal.mode),
        ("currency", journal.identity.currency, config.terminal.currency),
    ):
        if its != ours:
            msg = f"the journal in {config.journal.data} has the {what} {its}, the configuration says {ours}"
            raise JournalError(msg, f"write {what} = {its!r}, or name another data folder and run `kiosk init`")


def _hold_against(journal: Journal, place: Path, head: heads.Head, public_key: bytes) -> None:
    identity = journal.identity
    if not head.is_signed_by(public_key):
        msg = f"the head {place} was not signed with this machine's key"
        raise JournalError(msg, f"put the saved copy of the key back; if it is lost for good, {ADOPT}")
    if (head.terminal, head.incarnation) != (identity.terminal, identity.incarnation):
        msg = (
            f"{place} vouches for row {head.seq} of another journal (terminal {head.terminal}, incarnation"
            f" {head.incarnation}; this is {identity.terminal}, {identity.incarnation})"
        )
        raise JournalError(msg, ADOPT)
    contradicted = heads.contradiction(head, journal.seq, journal.hash_of(head.seq))
    if contradicted:
        msg = f"{place} {contradicted}"
        raise JournalError(msg, f"take no money and run `kiosk journal verify`; {ADOPT}")


def _journal_in(data: Path) -> Path:
    path = data / FILE_NAME
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{path} is not a file"
            raise JournalError(msg, "name the folder that `kiosk init` made")
    except FileNotFoundError as error:
        what = f"{data} holds no journal" if data.is_dir() else f"there is no data folder {data}"
        raise JournalError(what, "name the folder that `kiosk init` made") from error
    except NotADirectoryError as error:
        msg = f"{data} is not a folder"
        raise JournalError(msg, "name the folder that `kiosk init` made") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    return path


def _connect_to_read(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.pragma("schema_version")
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        # This account may not make the files by which readers and a writer agree, so nobody has it open at present.
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise
        uri = f"file:{quote(str(path.absolute()))}?immutable=1"
        return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    except apsw.Error:
        connection.close()
        raise
    return connection


def _check_made(connection: apsw.Connection, data: Path) -> int:
    """Recognise what a cut-off `kiosk init` leaves behind; the version is the answer."""
    begun = connection.execute("SELECT count(*) FROM sqlite_schema").get
    version = check_version(connection) if begun else 0
    if begun and connection.execute("SELECT 1 FROM entry LIMIT 1").get:
        return version
    if (begun and connection.execute("SELECT 1 FROM identity").get) or heads.find(data / heads.HEAD_NAME).head:
        msg = f"all rows of the journal in {data} are gone"
        raise JournalError(msg, f"touch nothing, and put its newest copy back; {ADOPT}")
    msg = f"the journal in {data} was cut off while it was made, and holds nothing"
    raise JournalError(msg, f"remove {data / FILE_NAME}* and run `kiosk init` again")


def _unreadable(path: Path, error: Exception) -> JournalError:
    match error:
        case apsw.NotADBError():
            return JournalError(f"{path} is no database", "name the folder that `kiosk init` made")
        case apsw.CorruptError():
            return JournalError(f"{path} is damaged: {error}", f"put its newest copy back; {ADOPT}")
        case _:
            why = error.strerror if isinstance(error, OSError) else error
            return JournalError(f"{path} cannot be opened: {why}", "see to the disk, and let this account use it")
