"""`kiosk diagnose` asks every configured device who and how it is, and says what is wrong and what to do about it."""

from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path

import msgspec

from devices.link import Link, open_link
from devices.models import named, recognised
from devices.registry import PROTOCOLS
from kiosk import config
from kiosk.amount import plain
from kiosk.commands import Subparsers
from kiosk.config import Device
from kiosk.counted import counted
from kiosk.device_settings import setting
from kiosk.errors import UsageError
from kiosk.examination import Finding, examine
from kiosk.texts import text
from kiosk.traffic_file import TrafficFile

FAILED = 1
MONEY_WAITS = "It has a note or a coin to report that is not booked yet"
START_TERMINAL = "Start the terminal: it alone may book it"


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk diagnose --config FILE [--device NAME] [--json]`."""
    parser = subparsers.add_parser(
        "diagnose",
        description="Ask each configured device who and how it is; status 1 says that one of them does not work. The"
        " terminal must not be running: it has the ports.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file of this terminal")
    parser.add_argument("--device", metavar="NAME", help="this one alone, by its name in the configuration")
    parser.add_argument("--traffic", type=Path, metavar="FILE", help="write down all bytes, with what they mean")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")


def run(args: Namespace) -> int:
    """Examine them all at once; 1 if any does not work."""
    found = config.read(args.config, key_required=False)
    devices = _chosen(found.devices, args.device)
    with closing(TrafficFile(args.traffic)) if args.traffic else nullcontext() as traffic:
        currency = found.terminal.currency
        with ThreadPoolExecutor(len(devices)) as pool:
            begun = {name: pool.submit(_examine, name, device, currency, traffic) for name, device in devices.items()}
    findings = {name: one.result() for name, one in begun.items()}
    print(_json(devices, findings) if args.json else "\n".join(_told(devices, findings)))
    return FAILED if any(_wrong(finding) for finding in findings.values()) else 0


def _chosen(devices: dict[str, Device], name: str | None) -> dict[str, Device]:
    if not devices:
        problem = "the configuration names no device"
        raise UsageError(problem, "write a section [devices.NAME] for each")
    if name is None:
        return devices
    if name not in devices:
        problem = f'there is no device "{name}" in the configuration'
        raise UsageError(problem, f"known are {', '.join(devices)}")
    return {name: devices[name]}


def _examine(name: str, device: Device, currency: str, traffic: TrafficFile | None) -> Finding:
    driver = PROTOCOLS[device.protocol].driver()

    def line() -> Link:
        link = open_link(device.port, driver.line)
        return traffic.overhear(name, device.protocol, link) if traffic else link

    return examine(driver, line, setting(name, device, currency))


def _wrong(finding: Finding) -> bool:
    return finding.fault is not None or finding.money_waits


def _told(devices: dict[str, Device], findings: dict[str, Finding]) -> Iterator[str]:
    for name, finding in findings.items():
        device = devices[name]
        yield f"{name}: {PROTOCOLS[device.protocol].title} on {device.port}"
        yield from (f"  {line}" for line in _lines(finding))
        model = named(device.protocol, device.model or "") or recognised(device.protocol, finding.identity.model)
        if model and model.advice:
            yield f"  note: {model.advice}"
    wrong = [name for name, finding in findings.items() if _wrong(finding)]
    works = counted(len(findings) - len(wrong), "device")
    yield ""
    yield (
        f"{works} of {len(findings)} ready."
        if not wrong
        else f"{works} of {len(findings)} ready; see to {', '.join(wrong)}."
    )


def _lines(finding: Finding) -> Iterator[str]:
    who = finding.identity
    if who.model:
        yield " · ".join(
            part for part in (who.model, who.firmware, f"serial {who.serial}" if who.serial else "") if part
        )
        takes = " ".join(plain(amount) for amount in sorted({line.amount for line in who.denominations}))
        yield f"takes {takes}"
    if finding.money_waits:
        yield f"NOT READY: {MONEY_WAITS}."
        yield f"do: {START_TERMINAL}."
    elif finding.fault is None:
        yield "ready"
    else:
        code = f" (the device's code: {finding.vendor_code})" if finding.vendor_code else ""
        detail = f" [{finding.detail}]" if finding.detail else ""
        yield f"NOT READY: {text(f'fault.{finding.fault}.says')}{code}{detail}."
        yield f"do: {text(f'fault.{finding.fault}.remedy')}."


def _json(devices: dict[str, Device], findings: dict[str, Finding]) -> str:
    told = {
        name: {
            "protocol": devices[name].protocol,
            "port": devices[name].port,
            "model": finding.identity.model,
            "firmware": finding.identity.firmware,
            "serial": finding.identity.serial,
            "denominations": [
                plain(amount) for amount in sorted({line.amount for line in finding.identity.denominations})
            ],
            "ready": not _wrong(finding),
            "fault": finding.fault,
            "vendor_code": finding.vendor_code,
            "detail": finding.detail,
            "says": MONEY_WAITS if finding.money_waits else finding.fault and text(f"fault.{finding.fault}.says"),
            "remedy": START_TERMINAL
            if finding.money_waits
            else finding.fault and text(f"fault.{finding.fault}.remedy"),
        }
        for name, finding in findings.items()
    }
    return msgspec.json.format(msgspec.json.encode(told)).decode()
