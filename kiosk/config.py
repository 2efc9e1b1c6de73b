"""One TOML file becomes frozen structs; what each key is and may be stands beside its field."""

import os
import shlex
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from devices.models import named, of_protocol
from devices.registry import PROTOCOLS
from kiosk import toml_paths as place
from kiosk import toml_values as value
from kiosk.amount import Money
from kiosk.money.database import FILE_NAME
from kiosk.money.secret import NEW_KEY
from kiosk.toml_sections import ConfigError, Mistake, TomlFile

__all__ = ["Cash", "Claims", "Config", "ConfigError", "Journal", "Mistake", "Terminal", "read"]

Excess = Literal["owed", "added"]
DEVICE_NAME = value.text("1 to 16 small letters, digits and hyphens as the name", r"[a-z0-9-]{1,16}")


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

    data: Annotated[Path, place.FOLDER]
    machine_key: Annotated[Path, place.MACHINE_KEY_FILE]
    head_copy: Annotated[Path | None, place.REPLACEABLE_FILE] = None
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


class Device(Struct, frozen=True):
    """One device that takes cash: what it speaks, and over which line."""

    protocol: Annotated[str, value.one_of(*PROTOCOLS)]
    port: Annotated[
        str, value.text('a serial port or "tcp://host:port"', r"/.+|tcp://[^:/\s]+:\d{1,5}", place.PATH_MAX)
    ]
    address: Annotated[int | None, value.whole("as the device is addressed", 1, 255)] = None
    options: Annotated[tuple[str, ...], value.list_of(value.text("a short text"), "options")] = ()
    key: Annotated[Path | None, place.DEVICE_KEY_FILE] = None
    model: Annotated[str | None, value.text("a name from devices/models.py")] = None


class Claims(Struct, frozen=True):
    """How long a claim lives and how often its code may be tried."""

    expire_days: Annotated[int | None, value.whole("days", 1, 36500)] = None
    code_attempts_per_hour: Annotated[int, value.whole("attempts", 1, 1000)] = 10


class Bench(Struct, frozen=True):
    """Where the simulated machine is looked at and handled."""

    page_port: Annotated[int, value.whole("as the port of the page", 1, 65535)] = 8800


class Config(Struct, frozen=True):
    """All of it, one struct for each section."""

    terminal: Terminal
    journal: Journal
    cash: Cash
    claims: Claims = Claims()
    devices: dict[str, Device] = {}
    bench: Bench = Bench()


def read(path: Path, *, key_required: bool = True, to_write: bool = False) -> Config:
    """Read the file or raise ConfigError.

    `kiosk init` alone goes on without the secret key, because it makes it. Whoever takes money, or says whether money
    can be taken, needs a data folder that can be written to; whoever reads a journal does not.
    """
    file = TomlFile.open(path)
    terminal = file.section("terminal", Terminal)
    file.currency = terminal.currency if file.is_right("terminal.currency") else None
    journal = file.section("journal", Journal)
    cash = file.section("cash", Cash)
    claims = file.section("claims", Claims)
    bench = file.section("bench", Bench)
    devices = file.sections("devices", Device, DEVICE_NAME)
    _judge_key(journal, file)
    if key_required:
        _demand_key(journal, file, path)
    if to_write:
        _demand_writable(journal, file)
    _judge_head_copy(journal, file, path)
    _judge_cash(cash, file)
    _judge_devices(devices, file)
    file.close()
    return Config(terminal=terminal, journal=journal, cash=cash, claims=claims, devices=devices, bench=bench)


def _judge_key(journal: Journal, file: TomlFile) -> None:
    right = file.is_right("journal.data", "journal.machine_key")
    if right and journal.machine_key.resolve().is_relative_to(journal.data.resolve()):
        remedy = "name a file elsewhere: a copy of that folder must not give the key away"
        file.fault("journal.machine_key", value.Fault("it lies inside the data folder", remedy))


def _demand_key(journal: Journal, file: TomlFile, path: Path) -> None:
    if not file.is_right("journal.machine_key") or journal.machine_key.exists():
        return
    if file.is_right("journal.data") and any(journal.data.glob(f"{FILE_NAME}*")):
        remedy = f"put its saved copy back: the journal in {journal.data} needs this very key; if it is lost, {NEW_KEY}"
    else:
        remedy = f"run: kiosk init --config {shlex.quote(str(path))}"
    file.fault("journal.machine_key", value.Fault(f"there is no file {journal.machine_key}", remedy))


def _demand_writable(journal: Journal, file: TomlFile) -> None:
    if not file.is_right("journal.data"):
        return
    folder = journal.data if journal.data.exists() else journal.data.parent
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        remedy = "let it, with chown or chmod, or run kiosk as the account that owns the folder"
        file.fault("journal.data", value.Fault(f"this account cannot write to the folder {folder}", remedy))


def _judge_head_copy(journal: Journal, file: TomlFile, path: Path) -> None:
    copy, remedy = journal.head_copy, "name a path on another disk"
    if copy and file.is_right("journal.data", "journal.head_copy") and copy.is_relative_to(journal.data):
        file.fault("journal.head_copy", value.Fault("it lies inside the data folder, which it is to prove", remedy))
    elif copy and file.is_right("journal.head_copy", "journal.machine_key"):
        key = journal.machine_key
        if copy.absolute() in {kept.absolute() for kept in (path, key, key.with_name(f"{key.name}.pub"))}:
            problem = f"{copy} is needed as it is, and would be overwritten"
            file.fault("journal.head_copy", value.Fault(problem, remedy))


def _judge_cash(cash: Cash, file: TomlFile) -> None:
    if file.is_right("cash.excess", "cash.excess_choices") and cash.excess not in cash.excess_choices:
        remedy = "add it to excess_choices, or write one of them"
        file.fault("cash.excess", value.Fault(f'"{cash.excess}" is not among excess_choices', remedy))
    if not file.is_right("cash.limit", "cash.accept") or not cash.accept:
        return
    least = min(cash.accept)
    if cash.limit < least:
        problem = f"no cash could ever be taken: {least} is the least that is accepted, and {cash.limit} the limit"
        remedy = "raise the limit, accept smaller notes or coins, or write accept = [] to take no cash"
        file.fault("cash.limit", value.Fault(problem, remedy))
        return
    for index, piece in enumerate(cash.accept):
        if piece > cash.limit:
            problem = f"{piece} could never be taken: a sale takes {cash.limit} in cash at most"
            file.fault("cash.accept", value.Fault(problem, "remove it, or raise the limit", index))


def _judge_devices(devices: dict[str, Device], file: TomlFile) -> None:
    for name, device in devices.items():
        _judge_key_of(name, device, file)
        _judge_model(name, device, file)
    _judge_ports(devices, file)


def _judge_key_of(name: str, device: Device, file: TomlFile) -> None:
    """A key belongs to a protocol that is encrypted, and has to be there."""
    path = f"devices.{name}.key"
    if device.key is None or not file.is_right(path, f"devices.{name}.protocol"):
        return
    if not PROTOCOLS[device.protocol].encrypted:
        encrypted = ", ".join(f'"{each}"' for each, protocol in PROTOCOLS.items() if protocol.encrypted)
        remedy = f"remove the line, or write protocol = {encrypted}"
        file.fault(path, value.Fault(f"{device.protocol} is not encrypted, and knows no key", remedy))
    elif not device.key.exists():
        remedy = "put it there, 16 hexadecimal digits as its supplier set them, or remove the line if it was never set"
        file.fault(path, value.Fault(f"there is no file {device.key}", remedy))


def _judge_model(name: str, device: Device, file: TomlFile) -> None:
    path = f"devices.{name}.model"
    right = file.is_right(path, f"devices.{name}.protocol")
    if device.model is None or not right or named(device.protocol, device.model):
        return
    known = ", ".join(f'"{model}"' for model in of_protocol(device.protocol))
    remedy = f"remove the line{f', or write one of {known}' if known else ''}: most models need none"
    file.fault(path, value.Fault(f'{device.protocol} has no particular model "{device.model}"', remedy))


def _judge_ports(devices: dict[str, Device], file: TomlFile) -> None:
    """Each device has a line of its own."""
    taken: dict[str, str] = {}
    for name, device in devices.items():
        path = f"devices.{name}.port"
        if file.is_right(path) and taken.setdefault(device.port, name) != name:
            problem = f"{device.port} is the port of {taken[device.port]} as well"
            file.fault(path, value.Fault(problem, "name another port"))
