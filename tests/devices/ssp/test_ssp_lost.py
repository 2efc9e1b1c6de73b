"""No reply that is lost, no host that dies and no power cut loses a credit or doubles it."""

from collections.abc import Callable
from random import Random

import pytest
from msgspec.structs import replace

from devices.bench.line_faults import LineFaults
from devices.mechanism import Mechanism, Phase
from devices.ssp.exchange import TELLING, TRIES
from devices.ssp.sim import SspSimulator
from devices.ssp.simulated import TIMINGS
from devices.ssp.wire import STEX, Command, Frame
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    StackNote,
)
from kiosk.ports.fault import Fault
from tests.devices.ssp.bench import POLLS, Bench, acknowledged, encrypted, plain
from tests.kiosk.flow.stage import yuan


@pytest.fixture(params=[plain, acknowledged, encrypted])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A validator that is ready, and nobody before it."""
    bench = request.param()
    assert isinstance(bench, Bench)
    bench.ready()
    return bench


# A new driver --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [plain, acknowledged])
def test_the_first_thing_a_new_driver_says_is_no_poll(make: Callable[[], Bench]) -> None:
    bench = make()
    bench.ready()
    bench.open_sale()
    bench.dies_after.add(NoteEscrowed)
    bench.insert(20)
    bench.run(lambda: NoteEscrowed not in bench.dies_after)
    known = len(bench.sent())
    bench.run(lambda: bench.mechanism.phase is not Phase.ESCROW, within_s=5)
    assert bench.sent()[known] == Frame(0, sequence=False, data=bytes((Command.HOLD,)))
    assert bench.commands()[known + 1 : known + 3] == [Command.SYNC, Command.REJECT]
    assert not POLLS & set(bench.commands()[known:])
    bench.settle(15)
    assert (bench.mechanism.hand, bench.stage.balances()) == ([yuan(20)], {})


def test_a_new_driver_of_an_encrypted_device_does_not_poll_either() -> None:
    bench = encrypted()
    bench.ready()
    bench.open_sale()
    bench.dies_after.add(NoteEscrowed)
    bench.insert(20)
    bench.run(lambda: NoteEscrowed not in bench.dies_after)
    bench.run(lambda: bench.mechanism.phase is not Phase.ESCROW, within_s=5)
    assert bench.mechanism.phase is Phase.RETURNING


def test_a_poll_bears_the_bit_0_and_what_could_be_taken_for_one_the_bit_1() -> None:
    bench = plain()
    bench.ready()
    bench.open_sale()
    for amount in (20, 10, 50, 20):
        bench.insert(amount)
    bench.settle(10)
    bits = {frame.data[0]: set[bool]() for frame in bench.sent()}
    for frame in bench.sent():
        bits[frame.data[0]].add(frame.sequence)
    assert bits[Command.POLL] == {False}
    told = TELLING & bits.keys()
    assert told >= {Command.SETUP_REQUEST, Command.GET_SERIAL_NUMBER, Command.GET_FIRMWARE_VERSION}
    assert all(bits[command] == {True} for command in told)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("orderly", [False, True])
def test_a_host_that_dies_at_a_credit_finds_it_again(bench: Bench, when: str, *, orderly: bool) -> None:
    """Also when its driver was asked to bring the device to rest, with the credit not durable."""
    bench.orderly = orderly
    bench.open_sale()
    (bench.dies_before if when == "before" else bench.dies_after).add(NoteStacked)
    bench.insert(20)
    bench.run(lambda: bool(bench.told(NoteStacked)))
    bench.settle(20)
    assert {type(fact) for fact in bench.told(NoteStacked)} == {NoteStacked}
    assert bench.stage.journal.balance("cashbox:bill#1") == -2000
    assert bench.stage.all(Suspense) == []


def test_an_escrow_that_a_dead_host_was_told_of_is_not_told_again(bench: Bench) -> None:
    """It was given back when the new driver began."""
    bench.open_sale()
    bench.dies_before.add(NoteEscrowed)
    bench.insert(20)
    bench.run(lambda: bench.mechanism.hand == [yuan(20)])
    bench.settle(20)
    assert bench.told(NoteEscrowed) == []
    assert bench.stage.balances() == {}


def test_a_host_that_dies_at_a_return_finds_it_again() -> None:
    bench = plain()
    bench.ready()
    bench.open_sale()
    bench.dies_after.add(NoteEscrowed)
    bench.dies_before.add(NoteReturned)
    bench.insert(20)
    bench.run(lambda: bool(bench.told(NoteReturned)))
    bench.settle(20)
    assert bench.stage.all(Suspense) == []
    assert bench.stage.balances() == {}


def test_what_was_said_encrypted_to_a_host_that_died_is_in_doubt() -> None:
    """The note was to be stacked, and that it was returned only the dead host has heard, with its key."""
    bench = encrypted()
    bench.ready()
    bench.open_sale()
    bench.dies_after.add(NoteEscrowed)
    bench.dies_before.add(NoteReturned)
    bench.insert(20)
    bench.run(lambda: bool(bench.stage.all(Suspense)))
    assert bench.stage.balances() == {"doubt:bill": -2000, "suspense": 2000}


# A credit is found again ---------------------------------------------------------------------------------------------


def test_a_credit_whose_answer_is_lost_until_the_line_is_given_up(bench: Bench) -> None:
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.phase is Phase.STACKED)
    bench.lose(TRIES, *POLLS, STEX)
    bench.run(lambda: bool(bench.told(NoteStacked)))
    bench.settle(20)
    assert len(bench.told(NoteStacked)) == 1
    assert bench.stage.journal.balance("cashbox:bill#1") == -2000
    assert bench.stage.all(Suspense) == []


def test_a_return_whose_answer_is_lost_until_the_line_is_given_up_again_and_again(bench: Bench) -> None:
    """It was to be stacked and came out all the same: without that answer, it would be in doubt."""
    bench.open_sale()
    bench.deaf = True
    bench.insert(20)
    bench.run(lambda: bool(bench.told(NoteEscrowed)))
    bench.mechanism.give_back()
    bench.inbox.put(StackNote("bill", 1))
    bench.run(lambda: bench.mechanism.phase is Phase.RETURNED)
    bench.shake(1, LineFaults(dropped=1))
    bench.settle(40)
    assert bench.told(DeviceFailed) == [DeviceFailed("bill", Fault.SILENT)]
    bench.shake(1, LineFaults())
    bench.run(lambda: bool(bench.told(NoteReturned)))
    assert bench.stage.all(Suspense) == []
    assert bench.stage.balances() == {}


def test_a_credit_is_acknowledged_after_the_commit() -> None:
    bench = acknowledged()
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bool(bench.told(NoteStacked)))
    assert Command.EVENT_ACK not in bench.sent_before[NoteStacked]
    bench.settle(5)
    assert bench.commands().count(Command.EVENT_ACK) == 1
    assert bench.device.validator.unacked == b""


def test_an_unacknowledged_credit_is_repeated_and_believed_once() -> None:
    bench = acknowledged()
    bench.ready()
    bench.open_sale()
    bench.dies_after.add(NoteStacked)
    bench.insert(20)
    bench.run(lambda: NoteStacked not in bench.dies_after)
    assert bench.device.validator.unacked == b"\xee\x03\xeb"
    bench.settle(20)
    assert bench.told(NoteStacked) == [NoteStacked("bill", 1, yuan(20))] * 2
    assert bench.stage.journal.balance("cashbox:bill#1") == -2000
    assert bench.device.validator.unacked == b""


# The power goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [plain, acknowledged])
def test_after_a_blink_of_the_power_it_is_opened_again(make: Callable[[], Bench]) -> None:
    """So short that nobody has missed an answer: only the device says that it has begun anew, and closed."""
    bench = make()
    bench.ready()
    bench.open_sale()
    bench.mechanism.power_off()
    bench.line.wait_until(bench.line.now_ms + 50)
    bench.mechanism.power_on()
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)
    assert bench.told(DeviceFailed) == []
    assert bench.device.validator.version == 8
    bench.insert(20)
    bench.run(lambda: bench.mechanism.box == [yuan(20)])


def test_a_note_is_not_given_up_while_the_device_starts_up() -> None:
    """Without acknowledgement it is quiet until it has started up, and says then where it has put the note."""
    slow = Mechanism(replace(TIMINGS, initialise_ms=9_000))
    bench = Bench(SspSimulator(slow, entropy=Random(3).randbytes))
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.phase is Phase.STACKING)
    bench.mechanism.power_off()
    bench.line.wait_until(bench.line.now_ms + 500)
    bench.mechanism.power_on()
    bench.settle(25)
    assert bench.told(NoteStacked) == [NoteStacked("bill", 1, yuan(20))]
    assert bench.told(NoteUnaccounted) == []


def test_a_note_that_was_cleared_into_the_box_counts_what_the_host_knows_of_it(bench: Bench) -> None:
    """E2 with the channel 0: the device has forgotten which note it was."""
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.phase is Phase.STACKING)
    bench.mechanism.power_off()
    bench.mechanism.note = yuan(7)  # of no channel
    bench.settle(1)
    bench.mechanism.power_on()
    bench.run(lambda: bool(bench.told(NoteStacked)))
    bench.settle(20)
    assert bench.told(NoteStacked) == [NoteStacked("bill", 1, None)]
    assert bench.stage.journal.balance("cashbox:bill#1") == -2000
