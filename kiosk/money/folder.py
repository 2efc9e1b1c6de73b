"""The data folder holds one journal and its signed head: one writer by lock, any number of readers that hold up nobody.

Only `open_for_money` gives a journal that may take money: it is ours, it is whole as far as a start can see, and no
head known anywhere is ahead of it. Everything else is for reading, or for a person who puts things right.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from kiosk.config import Config
from kiosk.money import heads, secret
from kiosk.money.calendar import Calendar
from kiosk.money.heads import HEAD_NAME, Head
from kiosk.money.journal import (
    FILE_NAME,
    SCHEMAS,
    Identity,
    Journal,
    JournalBroken,
    JournalError,
    check_version,
    lock_folder,
)

BUSY_MS = 5_000  # how long a reader waits while somebody recovers the write-ahead log
HALF_MADE_REMEDY = "it was cut off while it was made and holds nothing: remove the folder and run `kiosk init` again"
ADOPT_REMEDY = "find out how that came about; then run `kiosk adopt --config FILE --by NAME --reason TEXT`"

Entropy = Callable[[int], bytes]


def head_places(config: Config) -> list[Path]:
    """Where the signed head is kept: in the folder, and in its copy if there is one."""
    copy = config.journal.head_copy
    return [config.journal.data / HEAD_NAME, *([copy] if copy else [])]


def calendar_of(config: Config) -> Calendar:
    """The business days of this terminal."""
    return Calendar(config.terminal.timezone.key, config.terminal.cutoff)


# Making --------------------------------------------------------------------------------------------------------------


def create(data: Path, identity: Identity, calendar: Calendar, entropy: Entropy, *, at_ms: int) -> Journal:
    """Make the folder and a journal whose first row says whose it is; refuse where there is one."""
    path = data / FILE_NAME
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = lock_folder(data)
    except OSError as error:
        msg = f"the data folder {data} cannot be made: {error.strerror}"
        raise JournalError(msg, "name a folder that this account can write to") from error
    with _released_on_failure(lock) as held:
        if any(data.glob(f"{FILE_NAME}*")):
            open_for_reading(data).close()  # a half-made one has a remedy of its own
            msg = f"{data} holds a journal already"
            raise JournalError(msg, "go on with it, or name another folder; one that was restored wants `kiosk adopt`")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        ...


@contextmanager
def _released_on_failure(lock: int):
    ...
