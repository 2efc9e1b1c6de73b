"""What the line of an SSP validator does: silence, noise, other devices, and answers that belong to something else."""

from random import Random

import pytest

from devices.bench.line_faults import LineFaults
from devices.ccnet.sim import CcnetSimulator
from devices.driver import DeviceGone
from devices.simulator import Simulator
from devices.ssp.driver import EsspDriver, SspDriver
from devices.ssp.exchange import TRIES
from devices.ssp.sim import EsspSimulator, SspSimulator
from devices.ssp.wire import Command, Frame, encode
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import NoteStacked
from kiosk.ports.fault import Fault
from tests.devices.ssp.bench import Bench, RecordedLine
from tests.kiosk.flow.stage import yuan


class Nobody(Simulator):
    """No device at all."""

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""

    def next_ms(self) -> int | None:
        """As promised by Simulator."""


def refused(bench: Bench) -> DeviceGone:
    """Why the driver does not begin with this device."""
    with pytest.raises(DeviceGone) as gone:
        bench.driver.begin(bench.line)
    return gone.value


def test_a_silent_device_is_asked_twenty_times_again() -> None:
    line = RecordedLine(Nobody())
    assert refused(Bench(line=line)).fault == Fault.SILENT
    assert len(line.sent) == TRIES == 21
    assert line.now_ms == 21_000
    assert len(set(line.sent)) == 1


@pytest.mark.parametrize("driver", [SspDriver, EsspDriver])
def test_a_device_that_says_nothing_any_more_is_told_and_found_again(driver: type[SspDriver]) -> None:
    bench = Bench(EsspSimulator() if driver is EsspDriver else SspSimulator(), driver)
    bench.ready()
    bench.shake(1, LineFaults(dropped=1))
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", Fault.SILENT)]
    bench.shake(1, LineFaults())
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)


def test_answers_with_a_wrong_check_are_no_answers() -> None:
    bench = Bench()
    bench.ready()
    bench.shake(1, LineFaults(corrupted=1))
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", Fault.GARBLED)]


def test_another_protocol_on_the_line_is_garbled() -> None:
    """A CCNET validator says NAK to what it does not understand."""
    bench = Bench(line=RecordedLine(CcnetSimulator()))
    assert refused(bench).fault == Fault.GARBLED


class Crowded(SspSimulator):
    """A device on a line with another one, and with an answer that comes late."""

    def _reply(self, frame: Frame) -> bytes:
        reply = super()._reply(frame)
        for foreign in (Frame(0x10, frame.sequence, b"\xf0\xee\x03"), Frame(0, not frame.sequence, b"\xf0\xee\x03")):
            self.send(encode(foreign))
        return reply


def test_only_the_reply_of_our_device_to_this_packet_is_heard() -> None:
    bench = Bench(Crowded(entropy=Random(3).randbytes))
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.box == [yuan(20)])
    bench.settle(5)
    assert bench.told(NoteStacked) == [NoteStacked("bill", 1, yuan(20))]


def test_another_device_that_answers_after_a_gap_is_noticed() -> None:
    bench = Bench()
    bench.ready()
    bench.device.validator.serial = 7
    bench.settle(5)
    assert len(bench.told(DeviceReady)) == 1
    bench.lose(1, Command.POLL)
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)
    assert bench.told(DeviceReady)[-1] == DeviceReady("bill", "7")
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", Fault.UNPLUGGED)]
    assert "device_exchanged" in bench.stage.alarms()
