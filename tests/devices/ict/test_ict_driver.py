"""What is particular to ICT: a table that is configured, each word's meaning, and bytes that nobody can check."""

from random import Random

import pytest

from devices.ccnet.sim import CcnetSimulator
from devices.driver import DeviceGone
from devices.ict.driver import DECIDE_S, DISOBEYED_MAX, NOISE_MAX, IctDriver
from devices.ict.wire import Command
from devices.link import LineSettings
from devices.registry import PROTOCOLS
from kiosk.amount import Money
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, CloseAcceptor, DeviceFailed, DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.ict.bench import OLDER, TWENTY, USUAL, Bench, stacks
from tests.devices.rig import Line
from tests.kiosk.flow.stage import yuan

ESCROWED = NoteEscrowed("bill", 1, yuan(20))
UNACCOUNTED = NoteUnaccounted("bill", 1, "forgotten")
GENERATIONS = ["ict106", "ict104"]
READY = [BoxInserted("bill"), DeviceReady("bill")]


def gone(bench: Bench, seconds: float = 20) -> DeviceGone:
    """The reason for which the driver gives the device up within that time."""
    with pytest.raises(DeviceGone) as caught:
        bench.settle(seconds)
    return caught.value


# What it is ----------------------------------------------------------------------------------------------------------


def test_its_line() -> None:
    assert IctDriver.line == LineSettings(9600, 8, "E", 1)
    assert PROTOCOLS["ict"].driver() is IctDriver


def test_its_table_is_what_was_configured_and_says_so() -> None:
    bench = Bench(frozenset({"note1=5.00", "note16=20", "model=V77E"}))
    bench.driver.begin(bench.line)
    assert bench.driver.identity.model == ""  # nobody has answered yet
    assert bench.settle() == READY
    identity = bench.driver.identity
    assert identity.model == "V77E (configured, not read)"
    assert [(line.channel, line.amount) for line in identity.denominations] == [(1, yuan(5)), (16, yuan(20))]


@pytest.mark.parametrize(("options", "model"), [(OLDER, "ICT104"), (USUAL | {"ict106"}, "ICT106")])
def test_without_a_model_it_goes_by_its_generation(options: frozenset[str], model: str) -> None:
    bench = Bench(options).ready()
    assert bench.driver.identity.model == f"{model} (configured, not read)"


@pytest.mark.parametrize(("options", "fault", "detail"), [
    ("", Fault.NO_DENOMINATIONS, ""),
    ("model=V7", Fault.NO_DENOMINATIONS, ""),
    ("note1=5.00 USD", Fault.FOREIGN_CURRENCY, "USD"),
    ("note1=5.00,note2=10.00 HKD", Fault.FOREIGN_CURRENCY, "HKD"),
    ("note0=5.00", Fault.NO_DENOMINATIONS, "note0=5.00"),
    ("note17=5.00", Fault.NO_DENOMINATIONS, "note17=5.00"),
    ("note1=five", Fault.NO_DENOMINATIONS, "note1=five"),
    ("note1=5.005", Fault.NO_DENOMINATIONS, "5.005"),
    ("note1=5.00 XQX", Fault.NO_DENOMINATIONS, "XQX"),
    ("note1=0.00", Fault.NO_DENOMINATIONS, "worth nothing"),
    ("note1=5,note1=10", Fault.NO_DENOMINATIONS, "twice"),
    ("note1=5,nots2=10", Fault.NO_DENOMINATIONS, "nots2=10"),
    ("note1=5,ict104,ict106", Fault.NO_DENOMINATIONS, "two devices"),
    ("note1=5,model=V7,model=A7", Fault.NO_DENOMINATIONS, "two devices"),
])  # fmt: skip
def test_a_table_that_cannot_be_believed_is_refused(options: str, fault: Fault, detail: str) -> None:
    bench = Bench(frozenset(options.split(",")) - {""})
    with pytest.raises(DeviceGone) as caught:
        bench.driver.begin(bench.line)
    assert caught.value.fault is fault
    assert detail in caught.value.detail
    assert not bench.device.heard


def test_a_note_that_is_not_in_the_table_is_given_back() -> None:
    bench = Bench().ready()
    bench.decides = lambda fact: bench.inbox.put(ReturnNote("bill", 1)) if type(fact) is NoteEscrowed else None
    assert bench.escrow("81 4F") == [NoteEscrowed("bill", 1, None)]
    assert bench.device.heard == bytes((Command.REJECT,))


def test_another_protocol_on_the_line_is_noise_or_silence() -> None:
    bench = Bench()
    bench.line = Line(CcnetSimulator(), Random(1))
    bench.driver.begin(bench.line)
    with pytest.raises(DeviceGone) as caught:
        bench.turns(20)
    assert caught.value.fault in {Fault.GARBLED, Fault.SILENT}
    assert bench.facts == []


@pytest.mark.parametrize(("options", "within_s"), [(USUAL, 5), (OLDER, 13)], ids=GENERATIONS)
def test_one_that_says_nothing_is_gone(options: frozenset[str], within_s: float) -> None:
    bench = Bench(options).ready()
    bench.device.state = ""
    assert gone(bench, within_s).fault is Fault.SILENT


# What each word means -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "fault"), [
    ("20", Fault.MOTOR),
    ("21", Fault.FIRMWARE),
    ("22", Fault.JAM),
    ("25", Fault.SENSOR),
    ("26", Fault.FAILURE),
    ("27", Fault.CHEATED),
    ("28", Fault.STACKER_JAM),
])  # fmt: skip
def test_an_error_is_believed_when_it_is_said_again(code: str, fault: Fault) -> None:
    bench = Bench().ready()
    bench.say(code)
    bench.device.soon = ["3E"]
    assert bench.turns(3) == []
    bench.device.soon = [code, code]
    assert bench.turns(2) == [DeviceFailed("bill", fault, code)]
    bench.say("2F")
    assert bench.turns(12)[1:] == READY


def test_an_open_stacker_is_a_box_that_is_gone() -> None:
    bench = Bench().ready()
    bench.device.soon = ["24", "24"]
    assert bench.turns(2) == [BoxRemoved("bill")]
    assert bench.turns(12)[1:] == READY


def test_a_command_that_it_does_not_know_again_and_again_is_another_device() -> None:
    bench = Bench().ready()
    bench.device.state = "2A"
    found = gone(bench)
    assert (found.fault, found.vendor_code) == (Fault.REFUSED, "2A")


@pytest.mark.parametrize("byte", ["2B", "2E", "77", "0C"])  # reserved; unknown; the echo of our own poll
def test_a_byte_that_no_table_knows_is_believed_when_it_stays(byte: str) -> None:
    bench = Bench().ready()
    bench.device.soon = [byte] * (NOISE_MAX - 1)
    assert bench.turns(NOISE_MAX + 5) == []
    bench.device.soon = [byte] * NOISE_MAX
    found = gone(bench)
    assert (found.fault, found.vendor_code) == (Fault.UNKNOWN_EVENT, byte)
    assert bench.facts == []


def test_bytes_of_a_wrong_parity_are_a_line_set_wrongly() -> None:
    bench = Bench().ready()
    bench.device.state = "00"
    assert gone(bench).fault is Fault.GARBLED


def test_changing_noise_is_no_device() -> None:
    bench = Bench().ready()
    bench.device.soon = ["77", "66"] * 20
    assert gone(bench).fault is Fault.GARBLED


def test_a_rejected_note_is_counted() -> None:
    bench = Bench().ready()
    bench.say("29")
    assert bench.turns(3) == []
    assert bench.driver.path.counters.rejected == {"29": 1}


@pytest.mark.parametrize("word", ["11", "23", "29"])
def test_a_note_that_was_not_accepted_comes_back_out_of_escrow(word: str) -> None:
    bench = Bench().ready()
    assert bench.escrow() == [ESCROWED]
    bench.say(word)
    bench.device.state = "3E"
    assert bench.settle(4)[1:] == [NoteReturned("bill", 1)]


# A note, step by step -------------------------------------------------------------------------------------------------


def test_a_note_is_money_when_it_says_so_and_not_before() -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    assert bench.escrow("81 8F 43") == [ESCROWED]
    assert bench.device.heard == bytes((Command.ACCEPT,))
    bench.device.state = "71"
    assert bench.turns(5) == [ESCROWED]
    bench.say("10")
    assert bench.turns() == [ESCROWED, NoteStacked("bill", 1)]
    bench.say("10 10")  # the line says it again
    bench.device.state = "3E"
    assert bench.settle() == [ESCROWED, NoteStacked("bill", 1)]


def test_an_accept_that_was_not_heard_is_sent_again() -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.turns(6)
    assert bench.device.heard == bytes((Command.ACCEPT,)) * 2


def test_a_reject_that_was_not_heard_is_sent_again() -> None:
    bench = Bench().ready()
    bench.decides = lambda fact: bench.inbox.put(ReturnNote("bill", 1)) if fact == ESCROWED else None
    bench.escrow()
    bench.turns(2)
    assert set(bench.device.heard) == {Command.REJECT}
    assert len(bench.device.heard) > 1


def test_an_older_one_is_believed_at_once_since_it_says_it_once() -> None:
    bench = Bench(OLDER).ready()
    bench.decides = stacks(bench)
    bench.say(TWENTY)
    assert bench.turns() == [ESCROWED]
    assert bench.device.heard == bytes((Command.ACCEPT,))
    assert bench.settle(6) == [ESCROWED]  # that it says `3E` all the time means nothing yet
    bench.say("10")
    assert bench.turns() == [ESCROWED, NoteStacked("bill", 1)]


def test_a_decision_that_comes_too_late_is_not_carried_out() -> None:
    """After five seconds the note goes back, and ACCEPT would meet the next one."""
    bench = Bench().ready()

    def think_long(fact: Fact) -> None:
        if fact == ESCROWED:
            bench.wait(DECIDE_S + 0.5)
            bench.inbox.put(StackNote("bill", 1))

    bench.decides = think_long
    bench.escrow()
    bench.say("11")
    bench.device.state = "3E"
    assert bench.settle() == [ESCROWED, NoteReturned("bill", 1)]
    assert bench.device.heard == b""


def test_a_note_after_a_lost_end_is_another_one() -> None:
    """`10` is lost, and the next customer is quick: the first note is in doubt, and the second is decided on anew."""
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.device.state = "71"
    bench.turns(5)
    bench.decides = lambda _: None
    assert bench.escrow() == [ESCROWED, UNACCOUNTED, NoteEscrowed("bill", 2, yuan(20))]
    assert bench.device.heard == bytes((Command.ACCEPT,))


def test_and_so_it_is_when_nothing_was_heard_between() -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.decides = lambda _: None
    bench.device.soon = [""] * 4
    bench.turns(4)
    assert bench.escrow() == [ESCROWED, UNACCOUNTED, NoteEscrowed("bill", 2, yuan(20))]


def test_an_end_that_was_not_heard_is_in_doubt() -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.device.state = "3E"
    assert bench.settle() == [ESCROWED, UNACCOUNTED]


@pytest.mark.parametrize("word", ["11", "23", "29"])
def test_what_was_accepted_is_never_believed_to_be_out_again(word: str) -> None:
    """`10` and `11` differ in one bit, and neither is said again."""
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.say(word)
    bench.device.state = "3E"
    assert bench.settle() == [ESCROWED, UNACCOUNTED]


@pytest.mark.parametrize("escrowed", [False, True])
def test_a_note_that_was_not_accepted_is_no_money(*, escrowed: bool) -> None:
    bench = Bench().ready()
    if escrowed:
        bench.escrow()
    bench.say("10")
    found = gone(bench)
    assert (found.fault, found.vendor_code) == (Fault.UNKNOWN_EVENT, "10")
    assert NoteStacked not in {type(fact) for fact in bench.facts}


def test_a_closed_one_that_is_open_is_not_idle_and_is_closed_again() -> None:
    bench = Bench().ready()
    bench.device.obeys = False
    bench.inbox.put(CloseAcceptor("bill"))
    assert bench.turns(4) == []
    assert set(bench.device.heard) == {Command.DISABLE}
    bench.device.obeys = True
    assert bench.turns(4) == [DeviceIdle("bill")]


def test_one_that_never_obeys_is_reset_and_then_given_up() -> None:
    bench = Bench().ready()
    bench.device.obeys = False
    bench.inbox.put(CloseAcceptor("bill"))
    found = gone(bench)
    assert (found.fault, found.vendor_code) == (Fault.REFUSED, "3E")
    assert bench.device.heard.count(Command.RESET) == DISOBEYED_MAX // 5


# After a start --------------------------------------------------------------------------------------------------------


def test_a_new_driver_believes_the_end_of_a_note_that_the_host_asks_for() -> None:
    bench = Bench(position=7)
    bench.inbox.put(TellNote("bill", 7, stacking=True))
    bench.say("10")
    bench.driver.begin(bench.line)
    assert bench.turns() == [NoteStacked("bill", 7)]


@pytest.mark.parametrize("said", ["11", "29", TWENTY])
def test_but_nothing_else_tells_it_where_that_note_is(said: str) -> None:
    """While nobody listened, the note may have gone into the box, and another one have come."""
    bench = Bench(position=7)
    bench.inbox.put(TellNote("bill", 7, stacking=True))
    bench.driver.begin(bench.line)
    bench.say(said)
    bench.device.soon = [said] * (said == TWENTY)
    assert bench.settle()[0] == NoteUnaccounted("bill", 7, "forgotten")


def test_a_note_of_which_the_host_does_not_ask_is_no_money() -> None:
    bench = Bench(position=7)
    bench.driver.begin(bench.line)
    bench.say("10")
    assert gone(bench).vendor_code == "10"
    assert bench.facts == []


def test_a_line_that_was_away_leaves_an_accepted_note_in_doubt() -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.lose()
    bench.device.state = "5E"
    assert bench.settle()[2:] == [UNACCOUNTED, *READY]


# The power, and the byte with two meanings ----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [USUAL, OLDER], ids=GENERATIONS)
def test_a_power_up_is_answered_within_two_seconds_and_the_device_closed_at_once(options: frozenset[str]) -> None:
    bench = Bench(options).ready()
    bench.say("80 8F")
    bench.device.state = "5E" if options is OLDER else "A1"
    bench.turns()
    assert bench.device.heard == bytes((Command.ACCEPT, Command.DISABLE))
    bench.device.state = "5E"
    assert bench.settle() == READY  # the host opens it again, if it is to be open
    assert bench.device.heard == bytes((Command.ACCEPT, Command.DISABLE))


def test_a_power_up_that_the_line_says_twice_is_answered_once() -> None:
    bench = Bench(OLDER).ready()
    bench.say("80 8F 80 8F")
    bench.turns()
    assert bench.device.heard == bytes((Command.ACCEPT, Command.DISABLE))


def test_a_power_up_ends_what_was_in_the_path() -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.say("80 8F")
    bench.device.state = "A1"
    bench.turns()
    bench.device.state = "5E"
    assert bench.settle() == [ESCROWED, UNACCOUNTED, *READY]


@pytest.mark.parametrize("options", [USUAL, OLDER], ids=GENERATIONS)
def test_a_power_up_that_is_over_is_not_answered(options: frozenset[str]) -> None:
    """Between it and now a note has come into escrow: our answer would accept that."""
    bench = Bench(options).ready()
    bench.say(f"80 8F {TWENTY}")
    bench.device.state = "3E" if options is OLDER else TWENTY
    bench.settle(3)
    assert bench.facts == [ESCROWED]
    assert bench.device.heard == b""


def flips(text: str) -> list[str]:
    """The same with one wrong bit, at each place."""
    data = bytes.fromhex(text)
    return [
        (data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]).hex(" ")
        for at in range(len(data))
        for bit in range(8)
    ]


@pytest.mark.parametrize("harmed", flips("81 8F 43") + flips("81 43"))
def test_one_wrong_bit_neither_accepts_a_note_nor_changes_its_value(harmed: str) -> None:
    bench = Bench().ready()
    bench.say(harmed)
    bench.device.state = TWENTY
    bench.turns(3)
    bench.device.soon = [harmed]
    bench.turns(3)
    assert {fact.amount for fact in bench.facts if isinstance(fact, NoteEscrowed)} == {yuan(20)}
    assert Command.ACCEPT not in bench.device.heard


def test_two_wrong_bits_in_two_escrows_running_accept_no_note() -> None:
    """`81 8F 43` and `81 43`: both look as if it waited for the answer to its power-up, but for the type behind it."""
    bench = Bench().ready()
    bench.device.soon = ["A1 43", "80 8F 43", "A1 43"]
    bench.say("80 8F 43")
    bench.turns(3)
    assert bench.device.heard == b""


@pytest.mark.parametrize("harmed", sorted({harm for word in ("3E", "5E", "71", "A1", "80 8F") for harm in flips(word)}))
def test_one_wrong_bit_in_anything_else_is_no_money_and_no_fault(harmed: str) -> None:
    bench = Bench().ready()
    bench.device.soon = [harmed]
    bench.turns(4)
    assert bench.facts == []
    assert Command.ACCEPT not in bench.device.heard


@pytest.mark.parametrize("harmed", sorted({*flips("10"), *flips("11")} - {"10"}))
def test_one_wrong_bit_in_an_end_leaves_the_note_in_doubt(harmed: str) -> None:
    bench = Bench().ready()
    bench.decides = stacks(bench)
    bench.escrow()
    bench.say(harmed)
    bench.device.state = "3E"
    assert bench.settle() == [ESCROWED, UNACCOUNTED]


def test_the_amount_is_in_the_currency_that_was_configured() -> None:
    bench = Bench(frozenset({"note4=20"}), currency="USD")
    bench.driver.begin(bench.line)
    bench.settle()
    assert bench.escrow()[len(READY) :] == [NoteEscrowed("bill", 1, Money(2000, "USD"))]
