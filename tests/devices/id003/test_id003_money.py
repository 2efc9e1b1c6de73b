"""What ID-003 says of a note, and what its driver and the money core make of it."""

from collections.abc import Callable

import pytest

from devices.driver import HostStopped
from devices.id003.driver import MUTE_S
from devices.id003.sim import VEND_MAX_MS, Id003Simulator
from devices.id003.wire import Command, Frame, State
from devices.link import LinkLost
from devices.mechanism import Phase
from kiosk.amount import Money
from kiosk.flow.facts import CashChosen
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import CloseAcceptor, DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteHeld,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.id003.bench import CLOSED, IDLE, INVALID, OPENED, Bench, frame
from tests.devices.rig import Line, Rig
from tests.kiosk.flow.stage import yuan

ACK, STATUS = Frame(Command.ACK), Frame(Command.STATUS_REQUEST)
RESET, STACK_2, RETURN = Frame(Command.RESET), Frame(Command.STACK_2), Frame(Command.RETURN)
ENDS = NoteStacked | NoteReturned | NoteUnaccounted


def ends(bench: Bench) -> list[Fact]:
    """How notes ended."""
    return [fact for fact in bench.facts if isinstance(fact, ENDS)]


# VEND VALID ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vend_valid", "amount"), [("15 65", yuan(50)), ("15", None)])
def test_a_credit_is_acknowledged_once_the_host_has_it(vend_valid: str, amount: Money | None) -> None:
    bench = Bench().ready().stacking()
    bench.unheard = NoteStacked
    bench.device.state = frame(vend_valid)
    with pytest.raises(HostStopped):
        bench.turns()
    assert bench.device.heard == [STATUS]
    bench.unheard = None
    assert bench.says(vend_valid, vend_valid, "16", "11") == [NoteStacked("bill", 1, amount)]
    assert bench.device.heard[1:] == [STATUS, ACK] * 2 + [STATUS] * 2


def test_the_next_note_of_the_same_value_is_another_note() -> None:
    bench = Bench().ready().stacking()
    bench.says("15 65", "15 65", "16", "11", "12", "13 65")
    bench.inbox.put(StackNote("bill", 2))
    bench.says("14", "15 65", "15 65", "16", "11")
    stacked = [NoteStacked("bill", 1, yuan(50)), NoteStacked("bill", 2, yuan(50))]
    assert ends(bench) == stacked


def test_it_is_stacked_with_stack_2_and_never_otherwise() -> None:
    bench = Bench().ready().escrowed()
    bench.inbox.put(StackNote("bill", 1))
    bench.device.heard.clear()
    bench.turns(2)
    assert bench.device.heard == [STACK_2, STATUS, STACK_2, STATUS, STACK_2], "it still lies in escrow"


def test_what_is_refused_is_decided_again_while_the_note_lies_there() -> None:
    bench = Bench().ready().escrowed()
    bench.device.answers[Command.RETURN] = INVALID
    bench.inbox.put(ReturnNote("bill", 1))
    bench.turns(3)
    assert bench.device.commands().count(RETURN) == 4
    assert bench.says("18", "18") == []
    assert bench.says("11") == [NoteReturned("bill", 1)]


def test_a_decision_on_a_note_that_has_gone_does_nothing() -> None:
    bench = Bench().ready().escrowed()
    bench.says("17 79", "11")
    bench.inbox.put(StackNote("bill", 1))
    bench.turns(2)
    assert STACK_2 not in bench.device.commands()


def test_five_in_the_box_are_not_fifty() -> None:
    bench = Bench().ready().stacking()
    assert bench.says("15 62") == [NoteUnaccounted("bill", 1, "exchanged"), NoteStacked("bill", 2, yuan(5))]


def test_a_credit_of_a_denomination_that_is_in_no_table_credits_nothing() -> None:
    bench = Bench().ready().stacking()
    bench.device.state = frame("15 61")
    for _ in range(2):
        gone = bench.gone()
        assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, "1561")
        bench.driver.begin(bench.line)
    assert ACK not in bench.device.heard, "it will say it again"
    assert bench.facts == [DeviceFailed("bill", Fault.UNKNOWN_EVENT, "1561")]


def test_a_credit_of_a_device_that_has_not_told_its_table_yet_is_what_the_host_knows() -> None:
    bench = Bench(position=7)
    bench.device.raw[Command.CURRENCY_ASSIGN] = [b""]
    bench.device.state = frame("15 65")
    bench.driver.begin(bench.line)
    bench.inbox.put(TellNote("bill", 7, stacking=True))
    assert bench.turns() == [NoteStacked("bill", 7)]
    assert bench.device.heard[-1] == ACK


def test_a_credit_for_a_note_that_nobody_knows_of_is_told_with_its_value() -> None:
    bench = Bench()
    bench.device.state = frame("15 65")
    bench.driver.begin(bench.line)
    assert bench.turns() == [NoteStacked("bill", 1, yuan(50))]


# It came back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [("17 7B", "17 7B"), ("18", "18"), ("17 79",), ()])
def test_a_note_that_was_to_be_stacked_and_was_not_is_returned_when_the_path_is_still(way: tuple[str, ...]) -> None:
    """If it were in the box, the device would say VEND VALID."""
    bench = Bench().ready().stacking()
    assert bench.says(*way) == []
    assert bench.says("11", "11") == [NoteReturned("bill", 1)]


@pytest.mark.parametrize("way", ["1B", "40", "49 A2", "44 1B"])
def test_of_a_device_that_was_reset_or_without_power_silence_says_nothing(way: str) -> None:
    bench = Bench().ready().stacking()
    bench.says(*(way.split() if way == "44 1B" else [way]), "1A", "1A")
    assert ends(bench) == [NoteUnaccounted("bill", 1, "forgotten")]


def test_a_device_that_is_lost_and_found_still_remembers() -> None:
    bench = Bench().ready().stacking()
    bench.device.state = IDLE
    bench.lose()
    bench.turns(2)
    assert ends(bench) == [NoteReturned("bill", 1)]


def test_after_the_line_was_lost_nothing_is_stacked_that_was_not_seen_before() -> None:
    bench = Bench().ready().stacking()
    bench.line.plugged = False
    with pytest.raises(LinkLost):
        bench.turns()
    bench.driver.lost(Fault.UNPLUGGED)
    bench.line.plugged = True
    bench.device.state = frame("13 65")  # fifty lie there, perhaps others
    bench.device.heard.clear()
    bench.driver.begin(bench.line)
    bench.turns(3)
    assert bench.device.commands() == [CLOSED]
    assert bench.facts[1:] == [NoteHeld("bill", 1)]


@pytest.mark.parametrize(("first", "said", "told"), [
    pytest.param("13 65", "13 65", NoteHeld("bill", 7), id="it lies there"),
    pytest.param("19", "19", NoteHeld("bill", 7), id="and somebody holds it"),
    pytest.param("14", "15 65", NoteStacked("bill", 7, yuan(50)), id="it is in the box"),
    pytest.param("15", "15", NoteStacked("bill", 7), id="and has no name"),
    pytest.param("18", "18, 1A", NoteReturned("bill", 7), id="it comes out"),
    pytest.param("17 79", "17 79, 1A", NoteReturned("bill", 7), id="nobody had decided"),
    pytest.param("11", "1A", NoteReturned("bill", 7), id="it is open, as it was left"),
    pytest.param("1A", "1A", NoteUnaccounted("bill", 7, "forgotten"), id="it is closed: by us, or by a reset"),
    pytest.param("12", "17 71, 11, 1A", NoteReturned("bill", 7), id="it is rejected, or another note is"),
    pytest.param("11", "40", NoteUnaccounted("bill", 7, "forgotten"), id="it was open, and lost its power"),
    pytest.param("1B", "1B, 1A", NoteUnaccounted("bill", 7, "forgotten"), id="it was reset"),
    pytest.param("40", "40", NoteUnaccounted("bill", 7, "forgotten"), id="it had no power"),
    pytest.param("42", "42", NoteStacked("bill", 7), id="and finds it in the stacker"),
    pytest.param("45", "45", NoteUnaccounted("bill", 7, "jam"), id="it is jammed"),
])  # fmt: skip
def test_a_host_that_begins_anew_hears_what_became_of_its_note(first: str, said: str, told: Fact) -> None:
    bench = Bench(position=7)
    bench.device.state = frame(first)
    bench.driver.begin(bench.line)
    bench.inbox.put(TellNote("bill", 7, stacking=True))
    assert bench.says(*said.split(", "))[0] == told


# Its power -----------------------------------------------------------------------------------------------------------


def test_a_power_up_is_acknowledged_and_reset_once_and_opened_when_the_host_says_so() -> None:
    bench = Bench().ready()
    assert bench.says("40", "40", "40", "1B", "1B") == []
    power_up = [STATUS, ACK, RESET, STATUS, ACK, STATUS, ACK]
    assert bench.device.heard == power_up + [STATUS] * 2
    bench.says("1A", "1A")
    assert bench.facts[-1] == DeviceReady("bill")
    assert OPENED not in bench.device.heard


@pytest.mark.parametrize("text", ["41", "42"])
def test_only_a_plain_power_up_is_acknowledged(text: str) -> None:
    bench = Bench().ready()
    bench.says(text)
    assert bench.device.heard == [STATUS, RESET]


def test_a_reset_that_it_did_not_hear_is_sent_again() -> None:
    bench = Bench().ready()
    bench.says(*["40"] * 40)
    assert bench.device.commands() == [RESET] * 3


@pytest.mark.parametrize(("said", "told"), [
    pytest.param("40, 1B, 1A", NoteUnaccounted("bill", 1, "forgotten"), id="it knows nothing"),
    pytest.param("41, 1B, 1A", NoteReturned("bill", 1), id="in the acceptor"),
    pytest.param("41, 1B, 18, 1A", NoteReturned("bill", 1), id="in the acceptor, and it says so"),
    pytest.param("41, 1B, 14, 16, 1A", NoteStacked("bill", 1), id="in the acceptor, and it is stacked after all"),
    pytest.param("41, 1B, 15 65, 16, 1A", NoteStacked("bill", 1, yuan(50)), id="likewise, and it is said"),
    pytest.param("42, 1B, 1A", NoteStacked("bill", 1), id="in the stacker"),
    pytest.param("42, 1B, 15 65, 16, 1A", NoteStacked("bill", 1), id="with power recovery set by somebody"),
    pytest.param("42, 1B, 40, 1B, 1A", NoteStacked("bill", 1), id="and the power goes again"),
    pytest.param("41, 1B, 42, 1B, 1A", NoteStacked("bill", 1), id="and then it is in the stacker"),
    pytest.param("41, 1B, 41, 1B, 1A", NoteReturned("bill", 1), id="and then it still is in the acceptor"),
    pytest.param("41, 45, 1B, 1A", NoteUnaccounted("bill", 1, "jam"), id="it jams on its way out"),
    pytest.param("42, 46, 1B, 1A", NoteStacked("bill", 1), id="it jams where it cannot come back from"),
])  # fmt: skip
def test_a_note_to_be_stacked_when_the_power_went(said: str, told: Fact) -> None:
    bench = Bench().ready().stacking()
    bench.says(*said.split(", "), "1A", "1A")
    assert ends(bench) == [told]
    assert bench.facts[-1] == DeviceReady("bill")


@pytest.mark.parametrize("text", ["40", "42"])
def test_what_a_power_up_says_is_erased_by_a_reset_which_therefore_comes_after_the_commit(text: str) -> None:
    bench = Bench().ready().stacking()
    bench.unheard = NoteStacked if text == "42" else NoteUnaccounted
    bench.device.state = frame(text)
    with pytest.raises(HostStopped):
        bench.turns()
    assert bench.device.heard == [STATUS]


def test_a_note_in_the_stacker_that_nobody_knows_of_is_told_once() -> None:
    bench = Bench().ready()
    assert bench.says("42", "42", "1B", "42") == [NoteStacked("bill", 1)]


def test_stacked_alone_is_no_credit() -> None:
    bench = Bench().ready()
    bench.says("16", "11", "40", "1B", "16", "1A")
    assert ends(bench) == []


def test_a_note_that_it_found_in_its_mouth_is_no_matter_once_it_has_gone() -> None:
    bench = Bench().ready()
    bench.says("41", "1B", "1A")
    bench.facts.clear()
    bench.stacking()
    assert bench.says("15 65", "16", "1A") == [NoteStacked("bill", 1, yuan(50))]


# With the device, and with the core ----------------------------------------------------------------------------------


class Stage(Rig):
    """The rig, with one device of our choice."""

    def __init__(self, simulator: Id003Simulator) -> None:
        super().__init__("id003")
        self.orderly = False  # a host that dies lets its driver close the device
        self.device, self.mechanism = simulator, simulator.mechanism
        self.line = Line(simulator, self.line.random)
        self._begin()
        self.ready()
        self.run(lambda: self.acceptor().state in {"closed", "draining"})
        self.sale = self.stage.sale(price=yuan(100), cash_price=yuan(100), face=yuan(100))
        self.say(CashChosen(self.sale, ("bill",)))
        self.run(lambda: bool(self.mechanism.accepted))

    def silence(self, seconds: float) -> None:
        """The host is dead for so long, and starts again."""
        if self.orderly:
            self.driver.rest()
        super().silence(seconds)

    def books(self) -> dict[str, int]:
        """Once all has come to rest."""
        self.settle(20)
        assert self.stage.untied() == []
        return self.stage.balances()


@pytest.mark.parametrize("simulator", [
    pytest.param(lambda: Id003Simulator(names_the_credit=False), id="a credit without a name"),
    pytest.param(lambda: Id003Simulator(greeted=True), id="a power-up that is to be acknowledged"),
])  # fmt: skip
def test_units_that_differ(simulator: Callable[[], Id003Simulator]) -> None:
    rig = Stage(simulator())
    for amount in (50, 20):
        rig.run(lambda: rig.mechanism.insert(yuan(amount)))  # noqa: B023 - it is asked before the next one
    rig.settle(5)
    rig.mechanism.power_off()
    rig.settle(5)
    rig.mechanism.power_on()
    rig.run(lambda: rig.mechanism.insert(yuan(5)))
    assert rig.books() == {"cashbox:bill": -7500, "payer": 7500}


def test_a_host_that_stays_away_too_long_finds_it_mute_and_the_note_in_doubt() -> None:
    rig = Stage(Id003Simulator())
    rig.run(lambda: rig.mechanism.insert(yuan(20)))
    rig.run(lambda: rig.mechanism.phase is Phase.STACKED)
    rig.silence(70)
    assert rig.device.mute
    rig.run(lambda: bool(rig.stage.all(Suspense)), within_s=MUTE_S + 30)
    assert rig.mechanism.box == [yuan(20)]
    assert rig.books() == {"doubt:bill": -2000, "suspense": 2000}
    assert DeviceReady("bill") in rig.facts[rig.facts.index(NoteUnaccounted("bill", 1, "forgotten")) :]


class Slow:
    """A host that commits at once, and takes a minute to say so."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        self._rig.tell(fact)
        if isinstance(fact, NoteStacked):
            self._rig.line.wait_until(self._rig.line.now_ms + VEND_MAX_MS)


def test_an_ack_that_comes_too_late_credits_once_and_the_device_is_woken() -> None:
    rig = Stage(Id003Simulator())
    rig.driver.host = Slow(rig)
    rig.run(lambda: rig.mechanism.insert(yuan(20)))
    rig.run(lambda: rig.device.mute, within_s=120)
    rig.run(lambda: not rig.device.mute, within_s=MUTE_S + 60)
    assert rig.books() == {"cashbox:bill": -2000, "payer": 2000}


@pytest.mark.parametrize(("orderly", "books"), [
    pytest.param(False, {}, id="open, as it was left, so it was not reset"),
    pytest.param(True, {"doubt:bill": -2000, "suspense": 2000}, id="closed, which says nothing"),
])  # fmt: skip
def test_a_note_that_came_back_while_nobody_was_there(orderly: bool, books: dict[str, int]) -> None:  # noqa: FBT001 - a case
    rig = Stage(Id003Simulator())
    rig.orderly = orderly
    rig.dies_after.add(NoteEscrowed)
    rig.run(lambda: rig.mechanism.insert(yuan(20)))
    rig.run(lambda: NoteEscrowed not in rig.dies_after)
    rig.orderly = False
    rig.silence(15)
    assert rig.mechanism.hand == [yuan(20)]
    assert rig.books() == books


def test_closing_while_a_note_moves_takes_effect_when_it_has_gone() -> None:
    bench = Bench().ready().stacking()
    bench.inbox.put(CloseAcceptor("bill"))
    bench.device.answers[Command.SET_INHIBIT] = INVALID
    bench.says("14")
    del bench.device.answers[Command.SET_INHIBIT]
    bench.says("15 65", "16", "11")
    bench.turns()
    assert bench.device.state == Frame(State.DISABLED)
