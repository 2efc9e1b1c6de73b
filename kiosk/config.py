"""One TOML file becomes frozen structs; what each key is and may be stands beside its field."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from kiosk import toml_values as value
from kiosk.amount import Money
from kiosk.toml_sections import ConfigError, Mistake, TomlFile

__all__ = ["Cash", "Claims", "Config", "ConfigError", "Journal", "Mistake", "Terminal", "read"]

Excess = Literal["owed", "added"]


class Terminal(Struct, frozen=True):
    """Which terminal this is, where it stands, and whose time and money it keeps."""

    id: Annotated[str, value.text("1 to 32 letters, digits and hyphens", r"[A-Za-z0-9-]{1,32}")]
    place: Annotated[str, value.text("a short text")]
    mode: Annotated[Literal["live", "bench"], value.one_of("live", "bench")]
    currency: Annotated[str, value.CURRENCY]
    timezone: Annotated[ZoneInfo, value.ZONE]
    cutoff: Annotated[time, value.TIME_OF_DAY]
    languages: Annotated[tuple[str, ...], value.list_of(value.LANGUAGE, "languages", least=1)] = (
        "zh-Hans",
        "zh-Hant",
        "en",
    )


class Journal(Struct, frozen=True):
    """Where the journal lies and what proves it."""

    data: Annotated[Path, value.FOLDER]
    machine_key: Annotated[Path, value.SECRET_FILE]
    head_copy: Annotated[Path | None, value.PATH] = None
    keep_personal_days: Annotated[int, value.whole("days", 1, 3650)] = 90


class Cash(Struct, frozen=True):
    """What cash is taken, and what becomes of what is too much."""

    limit: Annotated[Money, value.amount()]
    overpay_limit: Annotated[Money, value.amount(zero_allowed=True)]
    accept: Annotated[tuple[Money, ...], value.list_of(value.amount(), "amounts")]
    excess: Annotated[Excess, value.one_of("owed", "added")] = "owed"
    excess_choices: Annotated[tuple[Excess, ...], value.list_of(value.one_of("owed", "added"), "choices", least=1)] = (
        "owed",
        "added",
    )
    walk_away: Annotated[Literal["deliver", "owed"], value.one_of("deliver", "owed")] = "deliver"


class Claims(Struct, frozen=True):
    """How long a claim lives and how often its code may be tried."""

    expire_days: Annotated[int | None, value.whole("days", 1, 36500)] = None
    code_attempts_per_hour: Annotated[int, value.whole("attempts", 1, 1000)] = 10


class Config(Struct, frozen=True):
    """All of it, one struct for each section."""

    terminal: Terminal
    journal: Journal
    cash: Cash
    claims: Claims = Claims()


def read(path: Path, *, key_required: bool = True) -> Config:
    """Read the file or raise ConfigError; `kiosk init` alone goes on without the secret key, because it creates it."""
    file = TomlFile.open(path, key_required=key_required)
    terminal = file.section("terminal", Terminal)
    file.currency = terminal.currency if file.is_right("terminal.currency") else None
    journal = file.section("journal", Journal)
    cash = file.section("cash", Cash)
    claims = file.section("claims", Claims)
    _judge_journal(journal, file, path)
    _judge_cash(cash, file)
    file.close()
    return Config(terminal=terminal, journal=journal, cash=cash, claims=claims)


def _judge_journal(journal: Journal, file: TomlFile, path: Path) -> None:
    copy = journal.head_copy
    if copy and file.is_right("journal.data", "journal.head_copy") and copy.is_relative_to(journal.data):
        fault = value.Fault("it lies inside the data folder, which it is to prove", "name a path on another disk")
        file.fault("journal.head_copy", fault)
    elif copy and file.is_right("journal.head_copy", "journal.machine_key"):
        key = journal.machine_key
        if copy.absolute() in {kept.absolute() for kept in (path, key, key.with_name(f"{key.name}.pub"))}:
            fault = value.Fault(f"{copy} is needed as it is, and would be overwritten", "name a path on another disk")
            file.fault("journal.head_copy", fault)


def _judge_cash(cash: Cash, file: TomlFile) -> None:
    if file.is_right("cash.excess", "cash.excess_choices") and cash.excess not in cash.excess_choices:
        remedy = "add it to excess_choices, or write one of them"
        file.fault("cash.excess", value.Fault(f'"{cash.excess}" is not among excess_choices', remedy))
    if file.is_right("cash.limit", "cash.overpay_limit", "cash.accept"):
        most = cash.limit + cash.overpay_limit
        for index, note in enumerate(cash.accept):
            if note > most:
                problem = f"{note} could never be taken: limit and overpay_limit together are {most}"
                file.fault("cash.accept", value.Fault(problem, "remove it, or raise a limit", index))
