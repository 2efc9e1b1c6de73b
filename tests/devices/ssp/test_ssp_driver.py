"""Who an SSP validator says that it is, what it says and refuses, and what its line does."""

from random import Random

import pytest
from msgspec.structs import replace

from devices.driver import DeviceGone
from devices.link import LineSettings
from devices.ssp.dataset import Channel, Setup
from devices.ssp.driver import EsspDriver, SspDriver
from devices.ssp.exchange import TRIES
from devices.ssp.sim import SspSimulator
from devices.ssp.simulated import SETUP
from devices.ssp.wire import Command, Status
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import NoteStacked, NoteUnaccounted
from kiosk.ports.fault import Fault
from tests.devices.ssp.bench import Bench
from tests.kiosk.flow.stage import yuan


class Stubborn(SspSimulator):
    """A device that answers one command with something else."""

    def __init__(self, command: Command, answer: bytes) -> None:
        super().__init__(entropy=Random(3).randbytes)
        self._command, self._answer = command, answer

    def _plain(self, data: bytes) -> bytes:
        return self._answer if data[0] == self._command else super()._plain(data)


def refused(bench: Bench) -> DeviceGone:
    """Why the driver does not begin with this device."""
    with pytest.raises(DeviceGone) as gone:
        bench.driver.begin(bench.line)
    return gone.value


def with_setup(setup: Setup) -> Bench:
    """A bench with a device that says this of itself."""
    return Bench(SspSimulator(setup=setup, entropy=Random(3).randbytes))


# Who it is -----------------------------------------------------------------------------------------------------------


def test_the_line_has_two_stop_bits() -> None:
    assert SspDriver.line == EsspDriver.line == LineSettings(9600, 8, "N", 2)


def test_it_says_who_it_is() -> None:
    bench = Bench()
    bench.ready()
    identity = bench.driver.identity
    assert (identity.model, identity.firmware, identity.serial) == ("NV200", "NV02004141498000 CNY01610", "4880564")
    assert {line.channel: line.amount for line in identity.denominations} == {
        1: yuan(5),
        2: yuan(10),
        3: yuan(20),
        4: yuan(50),
        5: yuan(100),
    }
    assert bench.told(DeviceReady) == [DeviceReady("bill", "4880564")]


def test_a_firmware_of_another_form_is_named_as_it_is() -> None:
    bench = Bench()
    bench.device.validator.firmware = b"proto\x00type "
    bench.ready()
    assert bench.driver.identity.model == "prototype"


def channels(*values: int, country: str = "CNY") -> tuple[Channel, ...]:
    """A dataset of these values."""
    return tuple(Channel(value, country) for value in values)


@pytest.mark.parametrize(
    ("setup", "fault"),
    [
        (replace(SETUP, channels=channels(0, 0, 0)), Fault.NO_DENOMINATIONS),
        (replace(SETUP, multiplier=1), Fault.NO_DENOMINATIONS),  # ten yuan would be ten fen
        (replace(SETUP, multiplier=0), Fault.NO_DENOMINATIONS),
        (replace(SETUP, channels=channels(5, 10, country="EUR")), Fault.FOREIGN_CURRENCY),
        (replace(SETUP, channels=channels(5, 10) + channels(20, country="USD")), Fault.FOREIGN_CURRENCY),
        (replace(SETUP, channels=channels(5, country="X1Z"), multiplier=7), Fault.FOREIGN_CURRENCY),
        (replace(SETUP, unit=0x03), Fault.WRONG_KIND),  # a hopper
        (replace(SETUP, version=5), Fault.FIRMWARE),
    ],
)
def test_a_device_that_was_set_up_for_somebody_else_is_refused(setup: Setup, fault: Fault) -> None:
    bench = with_setup(setup)
    assert refused(bench).fault == fault
    assert not bench.mechanism.accepted


def test_a_setup_that_is_none_is_no_validator() -> None:
    assert refused(Bench(Stubborn(Command.SETUP_REQUEST, b"\xf0\x00\x01"))).fault == Fault.WRONG_KIND


def test_it_speaks_the_best_version_that_both_know() -> None:
    bench = with_setup(replace(SETUP, version=7))
    bench.ready()
    asked = [frame.data for frame in bench.sent() if frame.data[0] == Command.HOST_PROTOCOL_VERSION]
    assert asked[:2] == [b"\x06\x08", b"\x06\x07"]
    assert bench.device.validator.version == 7


def test_a_device_that_keeps_another_version_is_refused() -> None:
    gone = refused(Bench(Stubborn(Command.HOST_PROTOCOL_VERSION, b"\xf0")))
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "06")


def test_the_payout_of_a_recycler_is_switched_off() -> None:
    bench = with_setup(replace(SETUP, unit=0x07))
    bench.ready()
    assert Command.DISABLE_PAYOUT in bench.commands()


def test_more_than_sixteen_channels() -> None:
    bench = with_setup(replace(SETUP, channels=channels(*range(1, 19), 20)))
    bench.ready()
    bench.open_sale()
    masks = [frame.data for frame in bench.sent() if frame.data[0] == Command.SET_INHIBITS]
    assert masks[-1] == bytes.fromhex("02 11 02 04")  # 1, 5, 10 and 20 yuan
    bench.insert(20)
    bench.run(lambda: bench.mechanism.box == [yuan(20)])


# What it says --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ("E9", Fault.JAM),
        ("EA", Fault.STACKER_JAM),
        ("E600", Fault.CHEATED),
        ("E603", Fault.CHEATED),
        ("E7", Fault.STACKER_FULL),
        ("E0", Fault.OPEN),
    ],
)
def test_every_fault_has_a_name_and_keeps_the_vendors_code(event: str, fault: Fault) -> None:
    bench = Bench()
    bench.ready()
    bench.device.validator.waiting.append(bytes.fromhex(event))
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", fault, event)]


def test_the_box_is_out_until_it_is_said_to_be_in() -> None:
    """E3 may be said once only; what is quiet afterwards is not in order."""
    bench = Bench()
    bench.ready()
    bench.device.validator.waiting.append(b"\xe3")
    bench.run(lambda: bool(bench.told(BoxRemoved)))
    bench.settle(30)
    assert len(bench.told(BoxInserted)) == 1
    bench.device.validator.waiting.append(b"\xe4")
    bench.run(lambda: len(bench.told(BoxInserted)) == 2)


def test_a_box_that_was_put_back_unheard_is_in() -> None:
    bench = Bench()
    bench.ready()
    bench.device.validator.waiting.append(b"\xe3")
    bench.run(lambda: bool(bench.told(BoxRemoved)))
    bench.line.plugged = False
    bench.settle(5)
    bench.line.plugged = True
    bench.run(lambda: len(bench.told(BoxInserted)) == 2)


def test_a_full_box_is_full_until_it_is_emptied() -> None:
    bench = Bench()
    bench.ready()
    bench.mechanism.box = [yuan(5)] * 1000
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    bench.settle(30)
    assert len(bench.told(DeviceReady)) == 1
    bench.mechanism.remove_box()
    bench.settle(2)
    bench.mechanism.insert_box()
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)
    assert [fact.fault for fact in bench.told(DeviceFailed) if isinstance(fact, DeviceFailed)] == [Fault.STACKER_FULL]
    assert len(bench.told(BoxRemoved)) == 1


@pytest.mark.parametrize("event", ["B5", "C6", "C7", "C8", "CF", "E8"])
def test_what_is_of_no_importance_here_changes_nothing(event: str) -> None:
    bench = Bench()
    bench.ready()
    told = len(bench.facts)
    bench.device.validator.waiting.append(bytes.fromhex(event))
    bench.settle(5)
    assert bench.facts[told:] == []


@pytest.mark.parametrize("events", ["99", "D2 01", "E5", "EE 09", "EE 00", "99 EE 03", "EE 03 99"])
def test_what_is_not_understood_fails_closed(events: str) -> None:
    """An unknown event, a payout, a ticket, a credit of a channel that is not there: nothing of the answer counts."""
    bench = Bench()
    bench.ready()
    bench.open_sale()
    bench.device.validator.waiting.append(bytes.fromhex(events))
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    bench.run(lambda: not bench.mechanism.accepted, within_s=2)
    bench.settle(20)
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", Fault.UNKNOWN_EVENT)]
    assert "unknown_event" in bench.stage.alarms()
    assert bench.told(NoteStacked) == []
    assert bench.stage.balances() == {}


def test_the_whole_answer_is_kept_when_it_is_not_understood() -> None:
    bench = Bench(Stubborn(Command.POLL, b"\xf0\xcc\x99"))
    bench.driver.begin(bench.line)
    with pytest.raises(DeviceGone) as gone:
        bench.driver.poll()
    assert (gone.value.fault, gone.value.vendor_code) == (Fault.UNKNOWN_EVENT, "F0CC99")


def test_a_credit_that_is_not_understood_is_in_doubt() -> None:
    bench = Bench()
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.phase == "stacked")
    bench.device.validator.waiting[:] = [b"\xee\x09", b"\xeb"]
    bench.run(lambda: bool(bench.told(NoteUnaccounted)))
    bench.settle(30)
    assert bench.stage.balances() == {"doubt:bill": -2000, "suspense": 2000}


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0x01, "length"), (0x0C, "inhibited"), (0x0E, "strimming"), (0x1D, "unable_to_stack"), (0x1E, "1E")],
)
def test_why_a_note_was_rejected_is_counted(code: int, reason: str) -> None:
    bench = Bench(Stubborn(Command.LAST_REJECT_CODE, bytes((0xF0, code))))
    bench.ready()
    bench.device.validator.waiting.append(b"\xed\xec")
    bench.settle(1)
    assert bench.driver.path.counters.rejected == {reason: 1}


def test_what_we_gave_back_was_not_rejected() -> None:
    bench = Bench(Stubborn(Command.LAST_REJECT_CODE, b"\xf0\x08"))
    bench.ready()
    bench.device.validator.waiting.append(b"\xec")
    bench.settle(1)
    assert bench.driver.path.counters.rejected == {}


# What it refuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (Status.COMMAND_NOT_KNOWN, Fault.REFUSED),
        (Status.WRONG_NO_PARAMETERS, Fault.REFUSED),
        (Status.PARAMETERS, Fault.REFUSED),
        (Status.COMMAND_CANNOT_BE_PROCESSED, Fault.REFUSED),
        (Status.SOFTWARE_ERROR, Fault.FIRMWARE),
        (Status.FAIL, Fault.REFUSED),
        (Status.KEY_NOT_SET, Fault.NO_KEY),
    ],
)
@pytest.mark.parametrize("command", [Command.DISABLE, Command.SET_INHIBITS, Command.GET_SERIAL_NUMBER])
def test_every_refusal_has_a_name_and_keeps_the_vendors_code(command: Command, status: Status, fault: Fault) -> None:
    gone = refused(Bench(Stubborn(command, bytes((status,)))))
    assert (gone.fault, gone.detail, gone.vendor_code) == (fault, command.name, f"{command:02X}:{status:02X}")


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (Status.FAIL, Fault.FIRMWARE),
        (Status.PARAMETERS, Fault.FIRMWARE),
        (Status.COMMAND_NOT_KNOWN, Fault.REFUSED),
        (Status.KEY_NOT_SET, Fault.NO_KEY),
    ],
)
def test_a_version_that_it_does_not_know_is_another_thing_than_a_refusal(status: Status, fault: Fault) -> None:
    assert refused(Bench(Stubborn(Command.HOST_PROTOCOL_VERSION, bytes((status,))))).fault == fault


def test_a_refusal_of_the_better_poll_that_nobody_heard_is_no_failure() -> None:
    bench = Bench()
    bench.lose(TRIES, Command.POLL_WITH_ACK)
    bench.run(lambda: bool(bench.told(DeviceReady)))
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", Fault.SILENT)]


def test_a_poll_that_is_refused_is_no_silence() -> None:
    bench = Bench(Stubborn(Command.POLL, b"\xf5"))
    bench.driver.begin(bench.line)
    with pytest.raises(DeviceGone) as gone:
        bench.driver.poll()
    assert (gone.value.fault, gone.value.vendor_code) == (Fault.REFUSED, "07:F5")
