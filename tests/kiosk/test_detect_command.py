"""`kiosk detect` names what answers on a port, whatever it speaks, and says so when nothing does."""

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devices.bench.plug import Plug
from devices.registry import PROTOCOLS
from devices.simulator import Simulator
from kiosk import cli
from kiosk.detection import ATTEMPTS, Detected, detect
from kiosk.ports.fault import Fault
from tests.devices.peripherals import Peripherals

ORDER = [attempt.protocol for attempt in ATTEMPTS]


@pytest.fixture
def peripherals() -> Generator[Peripherals]:
    alive = Peripherals()
    yield alive
    alive.close()


def plugged(peripherals: Peripherals, simulator: Simulator, path: Path) -> Plug:
    plug = Plug(simulator, path, peripherals.loop)
    peripherals.do(plug.plug_in)
    return plug


def detected(port: Path) -> Detected:
    return detect(str(port), "CNY", lambda _protocol: None)


def test_each_is_found_by_its_own_protocol(tmp_path: Path, peripherals: Peripherals) -> None:
    """Whatever is tried before, on a device that speaks something else, does no harm and is not believed."""
    plugs = [plugged(peripherals, PROTOCOLS[name].simulator()(), tmp_path / name) for name in ORDER]
    with ThreadPoolExecutor(len(plugs) + 1) as pool:
        found = list(pool.map(detected, [plug.path for plug in plugs]))
    for plug in plugs:
        peripherals.do(plug.close)
    assert [each.protocol for each in found] == ORDER
    models = [each.finding.identity.model for each in found if each.finding]
    assert all(models)


def test_every_protocol_is_tried_but_the_one_that_another_stands_for() -> None:
    assert set(PROTOCOLS) - set(ORDER) == {"essp"}


def test_it_says_what_to_write_into_the_configuration(
    tmp_path: Path, peripherals: Peripherals, capsys: pytest.CaptureFixture[str]
) -> None:
    plug = plugged(peripherals, PROTOCOLS["ict"].simulator()(), tmp_path / "bill")
    assert cli.main(["detect", str(plug.path)]) == 0
    peripherals.do(plug.close)
    assert capsys.readouterr().out.splitlines() == [
        f"{plug.path}: ICT",
        "  [devices.bill]",
        '  protocol = "ict"',
        f'  port = "{plug.path}"',
        '  options = ["note1=1.00"]  # and so on, by its label: it cannot tell what its notes are worth',
    ]


def test_a_port_that_is_not_there_is_named_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["detect", "/dev/no-such-port", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["/dev/no-such-port"]["fault"] == Fault.PORT_MISSING


def test_a_currency_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["detect", "/dev/null", "--currency", "yuan"]) == 2
    assert 'kiosk: "yuan" is no currency' in capsys.readouterr().err
