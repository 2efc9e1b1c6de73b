"""As much of the configuration as a journal needs; money knows no more of it."""

from datetime import time
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from kiosk.errors import UsageError
from kiosk.money.calendar import Calendar
from kiosk.money.heads import HEAD_NAME
from kiosk.money.step import Mode


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
    """The terminal and its journal."""

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
    return [config.journal.data / HEAD_NAME, *([copy] if copy else [])]


def check_head_places(config: Config) -> None:
    """Refuse a copy of the head for which there is no folder: no session could ever write it."""
    copy = config.journal.head_copy
    if copy and not copy.parent.is_dir():
        problem = f"there is no folder {copy.parent} for the copy of the signed head, {copy.name}"
        raise UsageError(problem, "mount the disk that holds it, make the folder, or name another path as head_copy")


def calendar_of(config: Config) -> Calendar:
    """The business days of this terminal."""
    return Calendar(config.terminal.timezone.key, config.terminal.cutoff)
