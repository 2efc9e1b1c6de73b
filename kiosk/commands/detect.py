"""`kiosk detect` tries the known protocols on a port and names what answers, with the lines to configure it."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import msgspec
from serial.tools.list_ports import comports

from devices.link import TCP
from devices.registry import PROTOCOLS
from kiosk.amount import AmountError, decimals, plain
from kiosk.commands import Subparsers
from kiosk.detection import Detected, detect
from kiosk.errors import UsageError
from kiosk.texts import text

NOTHING = 1


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk detect [PORT ...] [--currency CODE] [--json]`."""
    parser = subparsers.add_parser(
        "detect",
        description="Try the known protocols on a serial port, or on every one that there is, and name what answers. It"
        " takes up to a minute for each. No note may lie in the device, and the terminal must not be running.",
    )
    parser.add_argument("ports", nargs="*", metavar="PORT", help='such as /dev/ttyUSB0 or "tcp://host:port"')
    parser.add_argument("--currency", default="CNY", metavar="CODE", help="that the terminal takes (default CNY)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")


def run(args: Namespace) -> int:
    """Try one port after the other; 1 if nothing answers on any."""
    try:
        decimals(args.currency)
    except (AmountError, ValueError) as error:
        problem = f'"{args.currency}" is no currency'
        raise UsageError(problem, "write its three letters, such as CNY") from error
    ports = [_whole(port) for port in args.ports] or sorted(port.device for port in comports())
    if not ports:
        problem = "there is no serial port"
        raise UsageError(problem, "plug the adapter in, or name the port")
    found = {port: detect(port, args.currency, lambda name, port=port: _trying(port, name)) for port in ports}
    _wipe()
    print(_json(found) if args.json else "\n".join(_told(found)))
    return 0 if any(each.protocol for each in found.values()) else NOTHING


def _whole(port: str) -> str:
    """As the configuration wants it."""
    return port if port.startswith(TCP) else str(Path(port).absolute())


def _trying(port: str, protocol: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{port}: {PROTOCOLS[protocol].title} …")
        sys.stderr.flush()


def _wipe() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _told(found: dict[str, Detected]) -> Iterator[str]:
    for port, each in found.items():
        yield f"{port}: {_sentence(each)}"
        if each.protocol:
            yield from (f"  {line}" for line in _lines(port, each))


def _sentence(each: Detected) -> str:
    if not each.protocol:
        fault = each.fault
        detail = f" [{each.detail}]" if each.detail else ""
        return f"{text(f'fault.{fault}.says')}{detail}. Do: {text(f'fault.{fault}.remedy')}."
    who = each.finding.identity if each.finding else None
    named = " · ".join(part for part in (who.model, who.firmware) if part) if who else ""
    return f"{PROTOCOLS[each.protocol].title}{f', {named}' if named and not each.nameless else ''}"


def _lines(port: str, each: Detected) -> Iterator[str]:
    """What to write into the configuration."""
    finding = each.finding
    if finding and finding.identity.denominations and not each.nameless:
        takes = " ".join(plain(worth) for worth in sorted({line.amount for line in finding.identity.denominations}))
        yield f"takes {takes}"
    if finding and finding.fault:
        yield f"not ready: {text(f'fault.{finding.fault}.says')}. Do: {text(f'fault.{finding.fault}.remedy')}."
    yield "[devices.bill]" if PROTOCOLS[each.protocol].takes == "notes" else "[devices.coins]"
    yield f'protocol = "{each.protocol}"'
    yield f'port = "{port}"'
    if each.nameless:
        yield 'options = ["note1=1.00"]  # and so on, by its label: it cannot tell what its notes are worth'


def _json(found: dict[str, Detected]) -> str:
    told = {
        port: {
            "protocol": each.protocol or None,
            "model": each.finding.identity.model if each.finding else "",
            "fault": each.fault or (each.finding.fault if each.finding else None),
            "detail": each.detail,
        }
        for port, each in found.items()
    }
    return msgspec.json.format(msgspec.json.encode(told)).decode()
