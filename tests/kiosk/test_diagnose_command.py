"""`kiosk diagnose` against simulated validators on real lines: what is wrong is said, and nothing is booked."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.bench.plug import Plug
from devices.ccnet.sim import CcnetSimulator
from devices.mechanism import Mechanism, Phase, Timings
from kiosk import cli
from kiosk.ports.fault import Fault
from tests.devices.peripherals import Peripherals
from tests.kiosk.flow.stage import yuan

EXAMPLE = Path(__file__).parents[2] / "deploy" / "kiosk.example.toml"
NAMES = ("bill", "left", "right")


class Bench:
    """Three validators and the configuration that names them."""

    def __init__(self, folder: Path) -> None:
        self.peripherals = Peripherals()
        self.mechanisms = {name: Mechanism(Timings(initialise_ms=20)) for name in NAMES}
        self.plugs = {
            name: Plug(CcnetSimulator(mechanism), folder / name, self.peripherals.loop)
            for name, mechanism in self.mechanisms.items()
        }
        for plug in self.plugs.values():
            self.peripherals.do(plug.plug_in)
        text = EXAMPLE.read_text()
        self.file = folder / "kiosk.toml"
        self.file.write_text(
            text[: text.index("[devices.bill]")]
            + "".join(f'[devices.{name}]\nprotocol = "ccnet"\nport = "{folder / name}"\n' for name in NAMES)
        )

    def close(self) -> None:
        """End."""
        for plug in self.plugs.values():
            self.peripherals.do(plug.close)
        self.peripherals.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A healthy one."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def diagnose(bench: Bench, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    """Status, output and error output of the command."""
    status = cli.main(["diagnose", "--config", str(bench.file), *options])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_healthy_machine(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = diagnose(bench, capsys)
    assert (status, err) == (0, "")
    assert out.count("takes 5.00 10.00 20.00 50.00 100.00\n  ready\n") == 3
    assert out.endswith("\n3 devices of 3 ready.\n")


def test_three_faults_are_named_with_their_remedies(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.mechanisms["bill"].faults.add(Fault.JAM)
    bench.mechanisms["left"].box_in = False
    bench.peripherals.do(bench.plugs["right"].unplug)
    status, out, err = diagnose(bench, capsys)
    assert (status, err) == (1, "")
    assert "A note or coin is stuck in its path (the device's code: 43)." in out
    assert "do: Put a cash box in and lock it." in out
    assert "do: Plug the cable in at both ends" in out
    assert "0 devices of 3 ready; see to bill, left, right." in out


def test_for_programs_it_is_one_object(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.peripherals.do(bench.mechanisms["left"].power_off)
    status, out, _ = diagnose(bench, capsys, "--json")
    told = json.loads(out)
    assert (status, list(told)) == (1, list(NAMES))
    assert (told["bill"]["ready"], told["bill"]["serial"], told["bill"]["fault"]) == (True, "21K7C0012345", None)
    assert (told["left"]["ready"], told["left"]["fault"]) == (False, "silent")
    assert told["left"]["remedy"]


def test_one_device_alone(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.peripherals.do(bench.plugs["left"].unplug)
    status, out, _ = diagnose(bench, capsys, "--device", "right")
    assert (status, "left" in out) == (0, False)
    status, _, err = diagnose(bench, capsys, "--device", "nothing")
    assert status == 2
    assert err == 'kiosk: there is no device "nothing" in the configuration\n  remedy: known are bill, left, right\n'


def test_a_note_that_the_terminal_has_not_booked_stays_with_the_device(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    mechanism = bench.mechanisms["bill"]
    mechanism.phase, mechanism.note = Phase.STACKED, yuan(20)
    status, out, _ = diagnose(bench, capsys, "--device", "bill")
    assert status == 1
    assert "It has a note or a coin to report that is not booked yet." in out
    assert mechanism.phase is Phase.STACKED  # it was not acknowledged


def test_without_devices_there_is_nothing_to_ask(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    text = bench.file.read_text()
    bench.file.write_text(text[: text.index("[devices.bill]")])
    status, _, err = diagnose(bench, capsys)
    assert (status, err.startswith("kiosk: the configuration names no device")) == (2, True)


def test_the_traffic_is_written_down_with_what_it_means(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "traffic.txt"
    assert diagnose(bench, capsys, "--device", "bill", "--traffic", str(file))[0] == 0
    lines = file.read_text().splitlines()
    assert any(line.startswith("bill ") and "→ 02 03 06 37 FE C7  who are you?" in line for line in lines), lines
    assert any("←" in line and "notes of 5.00, 10.00, 20.00, 50.00, 100.00" in line for line in lines), lines


def test_traffic_is_never_written_over_a_file(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "precious.txt"
    file.write_text("precious")
    status, _, err = diagnose(bench, capsys, "--traffic", str(file))
    assert (status, file.read_text()) == (2, "precious")
    assert "name a file that is not there yet" in err
