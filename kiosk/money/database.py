"""The database of a journal: which one it is, of which version, on which pragmas, and who may write to it."""

import errno
import fcntl
import os
from importlib.resources import files
from pathlib import Path

import apsw

from kiosk.errors import UsageError, room_or
from kiosk.money.step import Identity

APPLICATION_ID = 0x4B4A4E4C  # "KJNL"
SCHEMAS = ("0001.sql",)  # migrations in order; a database's user_version counts those that it has had
FILE_NAME = "journal.sqlite3"
LOCK_NAME = "writer.lock"
BUSY_MS = 5_000  # how long a start waits while a reader recovers the write-ahead log

DURABLE = (
    ("journal_mode", "wal"),
    ("synchronous", "2"),  # FULL: a commit is on the disk when it returns
    ("wal_autocheckpoint", "0"),
    ("foreign_keys", "1"),
    ("trusted_schema", "0"),
    ("secure_delete", "1"),  # what is erased is overwritten, also where a page was split or given back
)
VOLATILE = (
    ("journal_mode", "memory"),
    ("synchronous", "0"),
    ("foreign_keys", "1"),
    ("trusted_schema", "0"),
    ("secure_delete", "1"),
)


class JournalError(UsageError):
    """This journal cannot be written; the message says why and the remedy what to do."""


class DamagedError(JournalError):
    """The journal was damaged or tampered with: not the question was wrong, but the answer is bad."""

    status = 1


def connect(path: Path | None) -> apsw.Connection:
    """The database in a file; without a path one in memory, which nothing outlives."""
    return apsw.Connection(":memory:" if path is None else str(path))


def schema_scripts() -> tuple[str, ...]:
    """The migrations in order, one SQL file each."""
    folder = files("kiosk.money").joinpath("schema")
    return tuple(folder.joinpath(name).read_text("utf-8") for name in SCHEMAS)


def check_version(connection: apsw.Connection) -> int:
    """How many migrations the database has had; a foreign or newer one is refused."""
    application = connection.pragma("application_id")
    version = connection.pragma("user_version")
    if application != APPLICATION_ID or not isinstance(version, int):
        msg = f"{connection.filename} is no journal of this terminal's kind"
        raise JournalError(msg, "name the folder that `kiosk init` made")
    if version > len(SCHEMAS):
        msg = f"the journal is of version {version}, this program knows version {len(SCHEMAS)}"
        raise JournalError(msg, "install the newer program again; an older one must not write here")
    return version


def read_identity(connection: apsw.Connection) -> Identity:
    """Whose journal it is now."""
    row = connection.execute("SELECT terminal, incarnation, mode, currency FROM identity").get
    if row is None:
        msg = "the journal does not say whose it is"
        raise JournalError(msg, "run `kiosk journal verify`, and do what it says")
    return Identity(*row)


def lock_folder(folder: Path) -> int:
    """Be the only writer of this folder, or say that another one is at work."""
    path = folder / LOCK_NAME
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        msg = f"{path}, which keeps a second writer out, cannot be used: {error.strerror}"
        remedy = f"let this account write to {folder}"
        if error.errno == errno.EISDIR:
            remedy = "remove it: it holds nothing, and is made anew"
        raise JournalError(msg, room_or(error.errno, remedy)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        msg = f"{folder} is being written by another process"
        raise JournalError(msg, "stop the terminal that runs on it, or wait until that command has ended") from error
    return handle
