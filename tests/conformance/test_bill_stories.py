"""What every bill validator must live through, whatever it speaks; against every story the ledger ends right."""

from collections.abc import Callable
from typing import Any

import pytest

from devices.bench.line_faults import LineFaults
from devices.mechanism import Phase
from devices.registry import PROTOCOLS
from kiosk.flow.facts import CancelAsked, CashChosen
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import DeviceFailed, DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.rig import Rig
from tests.kiosk.flow.stage import yuan

VALIDATORS = [name for name, protocol in PROTOCOLS.items() if protocol.takes == "notes"]
MOVING = [Phase.ACCEPTING, Phase.ESCROW, Phase.STACKING]
PRICE = 100
DIED_WITH_THE_HOST = {(NoteEscrowed, "after"), (NoteStacked, "before")}  # was it accepted? how did it end?


@pytest.fixture(params=VALIDATORS)
def rig(request: pytest.FixtureRequest) -> Rig:
    """A validator that is ready, and nobody before it."""
    rig = Rig(request.param)
    rig.ready()
    return rig


def open_sale(rig: Rig, **differing: Any) -> int:  # noqa: ANN401 - fields of Terms
    """A customer wants to pay a hundred yuan in cash, as soon as cash is offered."""
    rig.run(lambda: rig.acceptor().state in {"closed", "draining"})
    sale = rig.stage.sale(price=yuan(PRICE), cash_price=yuan(PRICE), face=yuan(PRICE), **differing)
    rig.say(CashChosen(sale, ("bill",)))
    rig.run(lambda: bool(rig.mechanism.accepted))
    return sale


def insert(rig: Rig, amount: int) -> None:
    """A note of so many yuan is drawn in."""
    rig.run(lambda: rig.mechanism.insert(yuan(amount)))


def told(rig: Rig, kind: type[Fact]) -> list[Fact]:
    """Facts of that kind that the host was told."""
    return [fact for fact in rig.facts if type(fact) is kind]


def settled(rig: Rig) -> None:
    """Everything has come to rest, and the books say what is true: each note in the box is booked, or in doubt."""
    rig.settle(30)
    there = sum(note.minor for note in rig.mechanism.box)
    booked = -rig.stage.journal.balance("cashbox:bill#1")
    doubtful = -rig.stage.journal.balance("doubt:bill#1")
    assert booked <= there <= booked + doubtful, (there, booked, doubtful, rig.facts)
    assert rig.stage.untied() == []


# Every day -----------------------------------------------------------------------------------------------------------


def test_it_says_who_it_is_and_what_it_takes(rig: Rig) -> None:
    identity = rig.driver.identity
    assert identity.model
    assert {line.amount for line in identity.denominations} >= {yuan(5), yuan(10), yuan(20), yuan(50), yuan(100)}
    assert told(rig, DeviceReady) == [DeviceReady("bill", identity.serial)]


def test_notes_pay_for_a_sale_and_then_it_takes_no_more(rig: Rig) -> None:
    sale = open_sale(rig)
    for amount in (50, 20, 20, 10):
        insert(rig, amount)
    rig.run(lambda: rig.stage.state(sale) == "delivering")
    settled(rig)
    assert rig.stage.balances() == {"cashbox:bill": -10_000, "payer": 10_000}
    assert not rig.mechanism.accepted
    assert DeviceIdle("bill") in rig.facts
    assert rig.mechanism.hand == []


def test_a_hundred_notes_in_a_row(rig: Rig) -> None:
    sale = open_sale(rig)
    for _ in range(9):
        insert(rig, 10)
    insert(rig, 10)
    rig.run(lambda: rig.stage.state(sale) == "delivering")
    for _ in range(9):
        sale = open_sale(rig)
        for _ in range(10):
            insert(rig, 10)
        rig.run(lambda: rig.stage.state(sale) == "delivering")  # noqa: B023 - it is asked before the next one opens
    settled(rig)
    assert len(rig.mechanism.box) == 100
    assert rig.stage.journal.balance("cashbox:bill#1") == -100_000


def test_a_note_that_is_not_taken_is_given_back(rig: Rig) -> None:
    open_sale(rig, accept=(yuan(10), yuan(20)))
    insert(rig, 50)
    rig.run(lambda: rig.mechanism.hand == [yuan(50)])
    settled(rig)
    assert rig.stage.balances() == {}


def test_a_note_that_the_sale_does_not_want_is_given_back_out_of_escrow(rig: Rig) -> None:
    open_sale(rig, cash_limit=yuan(60))
    insert(rig, 50)
    insert(rig, 20)
    rig.run(lambda: rig.mechanism.hand == [yuan(20)])
    settled(rig)
    assert rig.stage.balances() == {"cashbox:bill": -5000, "payer": 5000}
    assert len(told(rig, NoteReturned)) == 1


def test_cancelled_while_a_note_is_on_its_way(rig: Rig) -> None:
    sale = open_sale(rig)
    insert(rig, 20)
    rig.run(lambda: rig.mechanism.phase is Phase.STACKING)
    rig.say(CancelAsked(sale))
    settled(rig)
    assert rig.stage.balances() == {"cashbox:bill": -2000, "owed": 2000}


# The host dies, the device lives on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", [NoteEscrowed, NoteStacked, NoteReturned, DeviceIdle, DeviceReady])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_host_dies_around_a_commit(rig: Rig, fact: type[Fact], when: str) -> None:
    open_sale(rig, cash_limit=yuan(60))
    (rig.dies_before if when == "before" else rig.dies_after).add(fact)
    insert(rig, 20)
    rig.settle(20)
    settled(rig)
    assert len(rig.mechanism.box) + len(rig.mechanism.hand) == 1
    assert len(rig.stage.all(Suspense)) == (rig.says_once and (fact, when) in DIED_WITH_THE_HOST)


def test_the_host_goes_silent_while_a_note_lies_in_escrow(rig: Rig) -> None:
    open_sale(rig)
    rig.dies_after.add(NoteEscrowed)
    insert(rig, 20)
    rig.run(lambda: NoteEscrowed not in rig.dies_after)
    rig.silence(seconds=15)
    assert rig.mechanism.hand == [yuan(20)]
    settled(rig)
    assert rig.stage.balances() == ({"doubt:bill": -2000, "suspense": 2000} if rig.says_once else {})


# The power goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [*MOVING, Phase.RETURNING, Phase.STACKED, Phase.RETURNED, Phase.IDLE])
@pytest.mark.parametrize("host_too", [False, True])
def test_the_power_goes(rig: Rig, phase: Phase, *, host_too: bool) -> None:
    open_sale(rig, cash_limit=yuan(60) if phase not in {Phase.RETURNING, Phase.RETURNED} else yuan(10))
    insert(rig, 20)
    rig.run(lambda: rig.mechanism.phase is phase)
    rig.mechanism.power_off()
    if host_too:
        rig.silence(seconds=20)
    else:
        rig.settle(20)
    rig.mechanism.power_on()
    settled(rig)
    assert len(rig.mechanism.box) + len(rig.mechanism.hand) == 1


# What can be wrong with it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [
    Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED, Fault.PAUSED, Fault.MOTOR, Fault.SENSOR, Fault.OPEN, Fault.FAILURE,
])  # fmt: skip
def test_a_fault_is_told_and_when_it_is_seen_to_the_device_is_ready_again(rig: Rig, fault: Fault) -> None:
    if fault not in rig.faults:
        pytest.skip(f"this protocol has no word for {fault}")
    open_sale(rig)
    rig.mechanism.faults.add(fault)
    rig.run(lambda: bool(told(rig, DeviceFailed)))
    (failed,) = told(rig, DeviceFailed)
    assert isinstance(failed, DeviceFailed)
    assert (failed.fault, bool(failed.vendor_code)) == (fault, True)
    rig.settle(30)
    rig.mechanism.clear(fault)
    rig.run(lambda: len(told(rig, DeviceReady)) == 2)
    insert(rig, 20)
    settled(rig)
    assert rig.stage.balances() == {"cashbox:bill": -2000, "payer": 2000}


@pytest.mark.parametrize("fault", [Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED])
def test_a_note_that_a_fault_meets_on_its_way_is_in_doubt(rig: Rig, fault: Fault) -> None:
    if fault not in rig.faults:
        pytest.skip(f"this protocol has no word for {fault}")
    open_sale(rig)
    rig.mechanism.next_faults.append(fault)
    insert(rig, 20)
    rig.run(lambda: bool(rig.stage.all(Suspense)))
    rig.settle(30)
    rig.mechanism.clear(fault)
    settled(rig)
    assert rig.stage.only(Suspense).state in {"doubtful", "settled"}


def test_the_box_is_taken_out_and_put_back(rig: Rig) -> None:
    open_sale(rig)
    insert(rig, 20)
    rig.run(lambda: rig.mechanism.box == [yuan(20)])
    rig.settle(2)
    assert rig.mechanism.remove_box() == [yuan(20)]
    rig.run(lambda: "box_removed" in rig.stage.alarms())
    rig.mechanism.insert_box()
    rig.settle(30)
    sale = open_sale(rig)
    insert(rig, 100)
    rig.run(lambda: rig.stage.state(sale) == "delivering")
    assert rig.stage.journal.balance("cashbox:bill#1") == -2000
    assert rig.stage.journal.balance("cashbox:bill#2") == -10_000
    assert rig.stage.untied() == []


# The line ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [*MOVING, Phase.STACKED])
def test_it_is_unplugged_in_the_midst_of_a_note(rig: Rig, phase: Phase) -> None:
    open_sale(rig)
    insert(rig, 20)
    rig.run(lambda: rig.mechanism.phase is phase)
    rig.line.plugged = False
    rig.settle(20)
    rig.line.plugged = True
    settled(rig)
    assert len(rig.mechanism.box) + len(rig.mechanism.hand) == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("faults", [
    pytest.param(lambda: LineFaults(dropped=0.1), id="dropped"),
    pytest.param(lambda: LineFaults(repeated=0.1), id="repeated"),
    pytest.param(lambda: LineFaults(corrupted=0.1), id="corrupted"),
    pytest.param(lambda: LineFaults(dropped=0.05, repeated=0.05, corrupted=0.05), id="everything"),
])  # fmt: skip
def test_answers_are_lost_repeated_or_corrupted(rig: Rig, seed: int, faults: Callable[[], LineFaults]) -> None:
    rig.shake(seed, faults())
    for _ in range(5):
        sale = open_sale(rig)
        while rig.stage.state(sale) == "paying":
            rig.run(lambda: rig.mechanism.insert(yuan(20)) or rig.stage.state(sale) != "paying")  # noqa: B023 - as above
    rig.shake(seed, LineFaults())
    settled(rig)
    lossless = not (faults().dropped or faults().corrupted)
    assert (rig.says_once and not lossless) or rig.stage.journal.balance("doubt:bill#1") == 0
