"""When a note is money, and when it is not: what is acknowledged, repeated, decided again, found and lost."""

import pytest

from devices.driver import DeviceGone, HostStopped
from devices.ebds import wire
from devices.ebds.driver import BACK_S, DEAF_S, FRESH_S, RESET_AGAIN_S, STUCK_S
from devices.ebds.wire import Frame, Kind, Mode
from devices.link import LinkLost
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceFailed, DeviceReady
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
from tests.devices.ebds.bench import IDLE, STARTING, WHO, Bench, noted, said
from tests.kiosk.flow.stage import yuan

READY = [BoxInserted("bill"), DeviceReady("bill", WHO.serial_number)]
QUESTION = wire.encode(Frame(Kind.AUXILIARY, ack=True, data=bytes(6)))  # its answer, that is
NOTES = NoteStacked | NoteReturned | NoteUnaccounted | NoteHeld | NoteEscrowed


@pytest.fixture(params=[True, False], ids=["by the line", "by value bits"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A validator of either kind, that takes everything."""
    return Bench(extended=request.param).ready()


def of_notes(facts: list[Fact]) -> list[Fact]:
    """What was told of notes."""
    return [fact for fact in facts if isinstance(fact, NOTES)]


# A decision ----------------------------------------------------------------------------------------------------------


def test_a_decision_goes_with_the_next_poll_and_with_no_other(bench: Bench) -> None:
    bench.escrowed().inbox.put(StackNote("bill", 1))
    bench.device.soon = [bench.fifty("04 10 28"), said("08 10 28"), said("08 10 28")]
    bench.device.heard.clear()
    bench.turns(3)
    assert [order[1] & (Mode.STACK | Mode.RETURN) for order in bench.device.polls()] == [Mode.STACK, Mode.STACK, 0]


def test_what_it_did_not_do_it_is_told_again_while_the_note_lies_there(bench: Bench) -> None:
    bench.escrowed().inbox.put(ReturnNote("bill", 1))
    bench.device.heard.clear()
    bench.turns(5)
    assert [order[1] & (Mode.STACK | Mode.RETURN) for order in bench.device.polls()] == [Mode.RETURN] * 5
    assert bench.says("20 10 28", "41 10 28", IDLE) == [NoteReturned("bill", 1)]


def test_a_decision_on_a_note_that_has_gone_does_nothing(bench: Bench) -> None:
    bench.escrowed().says("41 10 28", IDLE)
    bench.inbox.put(StackNote("bill", 1))
    bench.device.heard.clear()
    bench.turns(2)
    assert all(not order[1] & Mode.STACK for order in bench.device.polls())


def test_a_late_decision_is_not_carried_out_on_what_lies_there_now(bench: Bench) -> None:
    """The host was slow, and in the meantime the customer has exchanged his note."""
    bench.escrowed().line.wait_until(bench.line.now_ms + round(FRESH_S * 1000) + 100)
    bench.device.state = noted("04 10 10", 5) if bench.extended else said("04 10 10")
    bench.inbox.put(StackNote("bill", 1))
    bench.device.heard.clear()
    bench.turns(3)
    assert all(not order[1] & Mode.STACK for order in bench.device.polls())
    assert bench.facts == [NoteUnaccounted("bill", 1, "exchanged"), NoteEscrowed("bill", 2, yuan(5))]


def test_a_late_decision_on_a_note_that_still_lies_there_is_carried_out(bench: Bench) -> None:
    bench.escrowed().line.wait_until(bench.line.now_ms + round(FRESH_S * 1000) + 100)
    bench.inbox.put(StackNote("bill", 1))
    bench.device.heard.clear()
    bench.turns(2)
    assert [order[1] & Mode.STACK for order in bench.device.polls()] == [0, Mode.STACK]


# A credit ------------------------------------------------------------------------------------------------------------


def test_a_credit_is_acknowledged_once_the_host_has_it(bench: Bench) -> None:
    bench.stacking().unheard = NoteStacked
    bench.device.state = bench.fifty("11 10 28")
    bench.device.heard.clear()
    with pytest.raises(HostStopped):
        bench.turns()
    assert bench.device.heard[-1].kind is Kind.OMNIBUS_COMMAND, "nothing was sent after the poll"
    count = len(bench.device.heard)
    bench.driver.rest()
    assert len(bench.device.heard) == count, "and nothing when it is brought to rest"


def test_the_next_process_hears_what_the_one_before_could_not_commit(bench: Bench) -> None:
    bench.stacking().unheard = NoteStacked
    bench.device.soon = [bench.fifty("11 10 28")]
    with pytest.raises(HostStopped):
        bench.turns()
    bench.device.state = said(IDLE)
    following = Bench(position=1, before=bench)
    following.inbox.put(TellNote("bill", 1, stacking=True))
    following.begin()
    assert of_notes(following.facts) == [NoteStacked("bill", 1, yuan(50) if bench.extended else None)]
    assert bench.device.repeated == 1


def test_a_host_that_was_brought_to_rest_leaves_the_end_of_a_note_to_the_next_one(bench: Bench) -> None:
    bench.stacking().device.soon = [bench.fifty("11 10 28")]
    bench.driver.rest()
    bench.device.state = said(IDLE)
    following = Bench(position=1, before=bench)
    following.inbox.put(TellNote("bill", 1, stacking=True))
    following.begin()
    assert [type(fact) for fact in of_notes(following.facts)] == [NoteStacked]


def test_rest_closes_it(bench: Bench) -> None:
    bench.driver.rest()
    assert bench.device.polls()[-1][0] == 0


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_answer_is_said_again_and_credits_once(bench: Bench, lost: int) -> None:
    bench.stacking().device.soon = [bench.fifty("11 10 28")]
    bench.device.state = said(IDLE)
    bench.device.raw = [QUESTION, *[b""] * lost]
    bench.turns(3)
    assert bench.facts == [NoteStacked("bill", 1, yuan(50))]
    assert bench.device.repeated == lost


def test_an_answer_that_the_line_says_twice_credits_once(bench: Bench) -> None:
    stacked = Frame(Kind.EXTENDED if bench.extended else Kind.OMNIBUS_REPLY, ack=False, data=bench.fifty("11 10 28"))
    bench.stacking().device.raw = [QUESTION, wire.encode(stacked) * 2, wire.encode(stacked) + QUESTION]
    bench.device.state = said(IDLE)
    bench.turns(4)
    assert bench.facts == [NoteStacked("bill", 1, yuan(50))]


def test_a_credit_that_the_line_was_lost_over_is_heard_when_it_is_back(bench: Bench) -> None:
    bench.stacking().device.soon = [bench.fifty("11 10 28")]
    bench.device.raw = [QUESTION, *[b""] * 4]
    assert bench.gone().fault is Fault.SILENT
    bench.device.state = said(IDLE)
    bench.begin()
    assert of_notes(bench.facts) == [NoteStacked("bill", 1, yuan(50) if bench.extended else None)]


def test_what_was_committed_is_not_credited_again_when_it_is_heard_again(bench: Bench) -> None:
    bench.stacking().device.soon = [bench.fifty("11 10 28")]
    bench.turns()
    bench.device.mute = 4  # the question that acknowledges it is not answered, and perhaps was not even heard
    with pytest.raises(DeviceGone):
        bench.turns()
    bench.driver.lost(Fault.SILENT)
    bench.device.soon = [bench.fifty("11 10 28")]
    bench.device.state = said(IDLE)
    bench.begin()
    assert of_notes(bench.facts) == [NoteStacked("bill", 1, yuan(50))]


def test_five_in_the_box_are_not_fifty(bench: Bench) -> None:
    bench.stacking()
    stacked = noted("11 10 10", 5) if bench.extended else said("11 10 10")
    assert bench.says(stacked) == [NoteUnaccounted("bill", 1, "exchanged"), NoteStacked("bill", 2, yuan(5))]


def test_the_end_of_a_note_that_came_to_harm_is_asked_for_again(bench: Bench) -> None:
    """Seven bits of XOR do not notice everything; that it is another device's answer shows that something is wrong."""
    bench.stacking().device.soon = [bench.fifty("11 10 28")]
    bench.device.state = said(IDLE)
    bench.device.raw = [QUESTION, wire.encode(Frame(Kind.OMNIBUS_REPLY, ack=False, data=said("11 10 28 10 55 2A")))]
    assert bench.gone().fault is Fault.GARBLED
    assert of_notes(bench.facts) == []
    bench.begin()
    assert [type(fact) for fact in of_notes(bench.facts)] == [NoteStacked]


# What is found -------------------------------------------------------------------------------------------------------


def test_the_first_answer_may_be_old_and_what_lies_there_is_looked_at_again(bench: Bench) -> None:
    bench.escrowed()  # the process dies with this answer, and the note goes back
    bench.device.state = said(IDLE)
    following = Bench(position=1, before=bench)
    following.inbox.put(TellNote("bill", 1))
    following.begin()
    assert bench.device.repeated == 1
    assert of_notes(following.facts) == [NoteReturned("bill", 1)]


@pytest.mark.parametrize(("status", "fact"), [
    ("04 10 28", NoteHeld("bill", 7)),
    ("11 10 28", NoteStacked("bill", 7, yuan(50))),
    ("41 10 28", NoteReturned("bill", 7)),
    ("00 14 28", NoteUnaccounted("bill", 7, "jam")),
    ("01 10 28", NoteUnaccounted("bill", 7, "forgotten")),
])  # fmt: skip
def test_a_host_that_begins_anew_hears_what_became_of_its_note(status: str, fact: Fact) -> None:
    bench = Bench(position=7)
    bench.device.state = said("08 10 28")
    bench.driver.begin(bench.line)
    bench.inbox.put(TellNote("bill", 7, stacking=True))
    bench.turns()
    bench.device.state = noted(status, 50) if status[:2] in {"04", "11"} else said(status)
    assert bench.turns(4)[0] == fact


def test_after_the_line_was_lost_nothing_is_stacked_that_was_not_seen_before(bench: Bench) -> None:
    bench.stacking().line.plugged = False
    with pytest.raises(LinkLost):
        bench.turns()
    bench.driver.lost(Fault.UNPLUGGED)
    bench.line.plugged = True
    bench.device.state = noted("04 10 10", 5) if bench.extended else said("04 10 10")
    bench.device.heard.clear()
    bench.begin()
    assert all(not order[1] & Mode.STACK for order in bench.device.polls())
    exchanged = [NoteUnaccounted("bill", 1, "exchanged"), NoteEscrowed("bill", 2, yuan(5))]
    assert of_notes(bench.facts) == (exchanged if bench.extended else [NoteHeld("bill", 1)])


# Its power -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("statuses", "fact"), [
    pytest.param([STARTING, IDLE], NoteUnaccounted("bill", 1, "forgotten"), id="it knows nothing"),
    pytest.param([STARTING, "41 10 28", IDLE], NoteReturned("bill", 1), id="it was given back"),
    pytest.param([STARTING, "11 10 00", IDLE], NoteStacked("bill", 1), id="it was stacked, and of no value: policy A"),
    pytest.param([STARTING, "00 14 01", STARTING, IDLE], NoteUnaccounted("bill", 1, "jam"), id="it jams"),
])  # fmt: skip
def test_a_note_to_be_stacked_when_the_power_went(bench: Bench, statuses: list[str], fact: Fact) -> None:
    bench.stacking().says(*statuses, *[IDLE] * 20)
    assert of_notes(bench.facts) == [fact]
    assert bench.facts[-2:] == READY


def test_a_note_that_was_on_its_way_is_credited_with_its_value_by_policy_b() -> None:
    bench = Bench().ready()
    bench.stacking().says(STARTING, noted("11 10 00", 50), IDLE, IDLE, IDLE)
    assert bench.facts == [NoteStacked("bill", 1, yuan(50)), *READY]


def test_by_value_bits_the_host_knows_the_value_until_the_device_is_known_again() -> None:
    bench = Bench(extended=False).ready()
    bench.stacking().says(STARTING, "11 10 28", IDLE, IDLE, IDLE)
    assert bench.facts == [NoteStacked("bill", 1), *READY]


@pytest.mark.parametrize("decided", [StackNote("bill", 1), ReturnNote("bill", 1)])
def test_a_note_that_it_kept_in_escrow_without_power_is_given_back(bench: Bench, decided: StackNote) -> None:
    bench.escrowed().inbox.put(decided)
    bench.turns()
    bench.device.heard.clear()
    bench.says(STARTING, "04 00 01", "04 00 01", "20 10 01")
    actions = [order[1] & (Mode.STACK | Mode.RETURN) for order in bench.device.polls()]
    assert actions[1:] == [0, Mode.RETURN, Mode.RETURN], "the first one left before it was known"
    assert bench.says("41 10 00", IDLE, IDLE, IDLE) == [NoteReturned("bill", 1), *READY]


def test_a_note_that_it_keeps_for_ever_is_a_failure(bench: Bench) -> None:
    bench.escrowed().says(STARTING, *["04 00 01"] * round(STUCK_S / bench.driver.poll_interval_s + 2))
    assert bench.facts == [DeviceFailed("bill", Fault.FAILURE, "2:01")]
    assert bench.device.resets() == 1


def test_a_fault_that_took_long_is_not_counted_as_moving(bench: Bench) -> None:
    bench.says("02 10 00", *["01 00 00"] * round(STUCK_S / bench.driver.poll_interval_s + 2), STARTING, STARTING)
    assert bench.facts == [BoxRemoved("bill")]


def test_a_box_that_it_does_not_see_while_it_starts_up_was_not_taken_out(bench: Bench) -> None:
    bench.says(STARTING, STARTING, IDLE, IDLE, IDLE)
    assert not any(isinstance(fact, BoxRemoved) for fact in bench.facts)


def test_a_path_that_was_open_without_power_is_said_once_and_is_no_fault(bench: Bench) -> None:
    assert bench.says(STARTING, "00 00 41", "01 10 40", IDLE, IDLE, IDLE) == READY
    assert bench.says("01 10 40") == [*READY, DeviceFailed("bill", Fault.OPEN, "2:40")]


@pytest.mark.parametrize("status", ["00 14 01", "00 10 05"])
def test_a_grave_fault_counts_while_it_starts_up(bench: Bench, status: str) -> None:
    (failed,) = bench.says(STARTING, status, status)
    assert isinstance(failed, DeviceFailed)


# A reset -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["00 14 00", "00 10 04"])
def test_a_jam_or_a_failure_is_met_with_a_reset_now_and_then(bench: Bench, status: str) -> None:
    until_ms = bench.line.now_ms + round((2 * RESET_AGAIN_S + 10) * 1000)
    while bench.line.now_ms < until_ms:
        bench.says(status)
    assert bench.device.resets() == 3


@pytest.mark.parametrize("status", ["01 00 00", "20 11 00", "00 18 00", "01 10 40", "01 50 00", "01 30 00"])
def test_what_a_person_has_to_see_to_is_not_reset(bench: Bench, status: str) -> None:
    bench.says(*[status] * 50)
    assert bench.device.resets() == 0


def test_after_a_reset_nothing_is_sent_for_a_second_and_silence_is_borne_for_fifteen(bench: Bench) -> None:
    bench.says("00 14 00", "00 14 00")
    assert bench.device.resets() == 1
    bench.device.heard.clear()
    reset_ms = bench.line.now_ms
    while bench.line.now_ms < reset_ms + DEAF_S * 1000 - 200:
        bench.turns()
    assert bench.device.heard == []
    bench.device.mute = 1_000
    while bench.line.now_ms < reset_ms + (BACK_S - 2) * 1000:
        bench.turns()
    assert bench.facts == [DeviceFailed("bill", Fault.JAM, "1:04")]
    assert bench.gone(3).fault is Fault.SILENT
