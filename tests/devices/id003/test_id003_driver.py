"""What is particular to ID-003: who it is, each state and code, each refusal, and what the line can do to it."""

import pytest

from devices.driver import HostStopped
from devices.id003 import wire
from devices.id003.driver import MUTE_S, REFUSALS_MAX, RESET_AGAIN_S, Id003Driver
from devices.id003.exchange import TRIES
from devices.id003.meaning import FAILURES, REASONS
from devices.id003.sim import VERSION
from devices.id003.wire import Command, Frame, Note, Reply, State, encode
from devices.link import LineSettings
from kiosk.amount import Money
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, CloseAcceptor, DeviceFailed, DeviceReady, OpenAcceptor
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked, NoteUnaccounted, ReturnNote
from kiosk.ports.fault import Fault
from tests.devices.id003.bench import CLOSED, DISABLED, IDLE, INVALID, OPENED, Bench, frame
from tests.kiosk.flow.stage import yuan

READY = [BoxInserted("bill"), DeviceReady("bill")]
RESET, ACK, STATUS = Frame(Command.RESET), Frame(Command.ACK), Frame(Command.STATUS_REQUEST)


def table(*notes: Note) -> Frame:
    """The answer to a request for the currency table."""
    return Frame(Command.CURRENCY_ASSIGN, wire.currency_table_data(notes))


# Who it is -----------------------------------------------------------------------------------------------------------


def test_the_line_is_9600_8e1() -> None:
    assert Id003Driver.line == LineSettings(9600, 8, "E", 1)


def test_it_is_identified_and_asked_for_its_own_table() -> None:
    bench = Bench()
    bench.driver.begin(bench.line)
    assert bench.driver.identity.model == "", "not before it is at rest"
    assert bench.turns(2) == READY
    identity = bench.driver.identity
    assert (identity.model, identity.firmware, identity.serial) == ("U(CHN)-10-SS", "V216-12", "")
    assert {line.channel: line.amount for line in identity.denominations} == {
        0x62: yuan(5), 0x63: yuan(10), 0x64: yuan(20), 0x65: yuan(50), 0x66: yuan(100),
    }  # fmt: skip


def test_it_is_polled_takes_notes_any_way_round_and_is_closed() -> None:
    bench = Bench()
    bench.device.state = IDLE
    bench.driver.begin(bench.line)
    assert bench.device.commands() == [CLOSED]
    bench.turns(3)
    assert bench.device.commands() == [CLOSED, frame("C2 00"), frame("C4 00")], "once"


def test_each_reset_is_followed_by_the_settings_and_none_comes_before_it() -> None:
    bench = Bench()
    bench.device.state = frame("40")
    bench.driver.begin(bench.line)
    assert bench.device.commands() == []
    bench.says("40", "1B", "1A", "1A")
    assert bench.device.commands() == [RESET, frame("C2 00"), frame("C4 00")]
    bench.device.heard.clear()
    bench.says("1B", "1A", "1A")
    assert bench.device.commands() == [frame("C2 00"), frame("C4 00")]


@pytest.mark.parametrize(("notes", "fault", "detail"), [
    ((), Fault.NO_DENOMINATIONS, ""),
    ((Note(0x62, 0xE0, 5, 0),), Fault.FOREIGN_CURRENCY, "EUR"),
    ((Note(0x62, 0x2D, 5, 0), Note(0x63, 0x0A, 10, 2)), Fault.FOREIGN_CURRENCY, "JPY"),
    ((Note(0x62, 0x99, 5, 0),), Fault.FOREIGN_CURRENCY, "country 99"),
    ((Note(0x62, 0x00, 5, 0),), Fault.FOREIGN_CURRENCY, "country 00"),
    ((Note(0x62, 0x2D, 5, 200),), Fault.NO_DENOMINATIONS, ""),
])  # fmt: skip
def test_a_table_of_nothing_or_of_foreign_money_is_refused(notes: tuple[Note, ...], fault: Fault, detail: str) -> None:
    bench = Bench()
    bench.device.answers[Command.CURRENCY_ASSIGN] = table(*notes)
    gone = bench.refused()
    assert (gone.fault, gone.detail) == (fault, detail)
    assert bench.driver.identity.model == ""
    assert OPENED not in bench.device.heard


@pytest.mark.parametrize("data", ["62 2D 05", "62 2D 05 00 62 2D 0A 00", ""])
def test_a_table_that_is_none_is_refused(data: str) -> None:
    bench = Bench()
    bench.device.answers[Command.CURRENCY_ASSIGN] = Frame(Command.CURRENCY_ASSIGN, bytes.fromhex(data))
    assert bench.refused().fault is Fault.NO_DENOMINATIONS


def test_without_a_currency_table_it_is_refused() -> None:
    """Firmware from before 2001 has none."""
    bench = Bench()
    bench.device.answers[Command.CURRENCY_ASSIGN] = INVALID
    assert bench.refused().fault is Fault.NO_DENOMINATIONS


@pytest.mark.parametrize("answer", [INVALID, Frame(Command.VERSION, b"  ")])
def test_who_does_not_say_who_it_is_is_of_the_wrong_kind(answer: Frame) -> None:
    bench = Bench()
    bench.device.answers[Command.VERSION] = answer
    assert bench.refused().fault is Fault.WRONG_KIND


def test_a_table_in_another_currency_is_read_for_a_terminal_in_that_currency() -> None:
    bench = Bench(currency="JPY")
    bench.device.answers[Command.CURRENCY_ASSIGN] = table(Note(0x61, 0x0A, 1, 3), Note(0x63, 0x0A, 100, 2))
    bench.driver.begin(bench.line)
    bench.turns()
    assert [line.amount for line in bench.driver.identity.denominations] == [Money(1000, "JPY"), Money(10_000, "JPY")]


@pytest.mark.parametrize("deaf_to", [Command.VERSION, Command.CURRENCY_ASSIGN])
def test_what_it_does_not_say_at_first_it_is_asked_again_at_rest(deaf_to: Command) -> None:
    bench = Bench()
    bench.device.raw[deaf_to] = [b""]
    bench.driver.begin(bench.line)
    assert bench.turns(2) == READY
    assert bench.driver.identity.firmware == "V216-12"


def test_a_line_that_sends_back_what_we_say_is_found_out_before_it_is_believed() -> None:
    """STACK-2 is byte for byte the power-up with a bill in the stacker, and our question is idle."""
    bench = Bench(position=7)
    bench.device.raw[Command.VERSION] = [encode(Frame(Command.VERSION)) + encode(Frame(Command.VERSION, VERSION))]
    assert bench.refused().fault is Fault.GARBLED
    assert bench.facts == []


def test_older_units_that_know_no_mode_are_taken_as_they_are() -> None:
    bench = Bench()
    bench.device.answers |= {Command.SET_MODE: INVALID, Command.SET_DIRECTION: INVALID}
    bench.driver.begin(bench.line)
    assert bench.turns(2) == READY


# Every state ---------------------------------------------------------------------------------------------------------

NO_NEWS = ["12", "14", "16", "16 01", "1B"]
FAULTS = {
    "43": Fault.STACKER_FULL,
    "45": Fault.JAM,
    "46": Fault.STACKER_JAM,
    "47": Fault.PAUSED,
    "48": Fault.CHEATED,
    "49": Fault.FAILURE,
    **{f"49{code:02X}": fault for code, fault in FAILURES.items()},
    "4999": Fault.FAILURE,
}
NO_STATUS = {*Reply, *(command for command in Command if command >= Command.ENABLED)}


@pytest.mark.parametrize("text", NO_NEWS)
def test_what_moves_or_begins_is_no_news(text: str) -> None:
    assert Bench().ready().says(text, text) == []


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_each_fault_is_told_once_with_the_device_s_own_code(text: str, fault: Fault) -> None:
    assert Bench().ready().says(text, text, "1B", text) == [DeviceFailed("bill", fault, text)]


def test_every_code_of_the_facts_has_a_meaning() -> None:
    assert set(FAILURES) >= {0xA2, 0xA5, 0xA6, 0xA7, 0xAB, 0xAF, *range(0xB0, 0xB4)}
    assert set(REASONS) >= set(range(0x71, 0x80))


def test_the_box_is_taken_out_and_put_back() -> None:
    bench = Bench().ready()
    assert bench.says("44", "44", "1B") == [BoxRemoved("bill")]
    bench.facts.clear()
    assert bench.says("1A") == READY


@pytest.mark.parametrize(("text", "reason"), [
    *((f"17 {code:02X}", reason) for code, reason in REASONS.items()),
    ("17 55", "1755"),
    ("17", "17"),
])  # fmt: skip
def test_each_reason_of_a_rejection_is_counted_once(text: str, reason: str) -> None:
    bench = Bench().ready()
    assert bench.says("12", text, text, text, "11") == []
    assert bench.driver.path.counters.rejected == {reason: 1}


@pytest.mark.parametrize("code", sorted(set(range(256)) - set(State) - NO_STATUS))
def test_every_unknown_state_fails_closed(code: int) -> None:
    bench = Bench().ready().stacking()
    bench.device.state = Frame(code)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, f"{code:02X}")
    assert bench.facts == [DeviceFailed("bill", Fault.UNKNOWN_EVENT, f"{code:02X}")]


@pytest.mark.parametrize("text", ["13", "13 65 00", "15 65 00", "11 00", "1A 1A", "40 65", "42 65", "17 79 00"])
def test_a_state_of_another_length_fails_closed(text: str) -> None:
    bench = Bench().ready().stacking()
    bench.device.state = frame(text)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, text.replace(" ", ""))
    assert ACK not in bench.device.heard


@pytest.mark.parametrize("code", sorted(NO_STATUS - {Reply.INVALID_COMMAND, Reply.COMMUNICATION_ERROR}))
def test_the_answer_to_something_else_is_no_status(code: int) -> None:
    bench = Bench().ready().stacking()
    bench.device.raw[Command.STATUS_REQUEST] = [encode(Frame(code)), encode(Frame(code)) + encode(frame("15 65"))]
    assert bench.turns() == [NoteStacked("bill", 1, yuan(50))]


@pytest.mark.parametrize("text", ["13 61", "13 6F 30 31 32", "13 FF"])
def test_a_note_that_is_in_no_table_or_a_ticket_is_given_back(text: str) -> None:
    bench = Bench().ready()
    assert bench.says(text) == [NoteEscrowed("bill", 1, None)]
    bench.inbox.put(ReturnNote("bill", 1))
    bench.turns()
    assert Frame(Command.RETURN) in bench.device.commands()


def test_a_note_that_somebody_else_holds_has_no_value_and_is_given_back() -> None:
    bench = Bench()
    bench.device.state = frame("19")
    bench.driver.begin(bench.line)
    assert bench.turns() == [NoteEscrowed("bill", 1, None)]


# Its faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["45", "46", "48", "49 A2"])
def test_a_jam_is_met_with_a_reset_now_and_then(text: str) -> None:
    bench = Bench().ready()
    bench.says(*[text] * round(25 / bench.driver.poll_interval_s))
    assert bench.device.commands() == [RESET] * (1 + 25 // round(RESET_AGAIN_S))


@pytest.mark.parametrize("text", ["43", "44", "47"])
def test_what_a_person_has_to_see_to_is_not_reset(text: str) -> None:
    bench = Bench().ready()
    bench.says(*[text] * 60)
    assert bench.device.commands() == []


@pytest.mark.parametrize("text", ["47", "1B", "40"])
def test_after_a_fault_or_a_start_it_is_closed_until_the_host_says_otherwise(text: str) -> None:
    bench = Bench().ready()
    bench.says(text)
    bench.facts.clear()
    bench.says("11")
    bench.turns(3)
    assert bench.device.state == DISABLED
    assert OPENED not in bench.device.commands()


# It does not do as it is told ----------------------------------------------------------------------------------------


def test_one_is_disabled_and_it_is_opened_once_it_has_agreed() -> None:
    bench = Bench().ready()
    bench.inbox.put(OpenAcceptor("bill", (yuan(10), yuan(100))))
    bench.turns(2)
    assert bench.device.commands() == [frame("C0 DB 00"), OPENED]


def test_it_is_not_opened_for_what_it_did_not_agree_to() -> None:
    bench = Bench()
    bench.driver.begin(bench.line)
    bench.turns(2)
    bench.device.answers[Command.SET_ENABLE] = frame("C0 00 00")
    bench.inbox.put(OpenAcceptor("bill", (yuan(10),)))
    bench.turns(REFUSALS_MAX)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "1A")
    assert OPENED not in bench.device.heard


def test_it_is_not_opened_before_it_is_at_rest() -> None:
    bench = Bench().ready()
    bench.says("12")
    bench.inbox.put(OpenAcceptor("bill", (yuan(10),)))
    bench.says("12", "17 71")
    assert bench.device.commands() == []
    bench.says("11")
    assert bench.device.commands() == [frame("C0 FB 00"), OPENED]


def test_a_device_that_closed_by_itself_is_opened_again() -> None:
    bench = Bench().ready()
    bench.device.state = DISABLED
    bench.turns(2)
    assert bench.device.state == IDLE
    assert bench.facts == []


def test_one_that_obeys_late_is_not_refused() -> None:
    bench = Bench().ready()
    for _ in range(3):
        bench.device.obeys, bench.device.state = False, DISABLED
        bench.turns(REFUSALS_MAX - 1)
        bench.device.obeys = True
        bench.turns(2)
    assert bench.device.state == IDLE


@pytest.mark.parametrize("answer", [INVALID, OPENED])
def test_a_device_that_will_not_be_opened_is_refused(answer: Frame) -> None:
    bench = Bench().ready()
    bench.device.obeys, bench.device.state = False, DISABLED
    bench.device.answers[Command.SET_INHIBIT] = answer
    bench.turns(REFUSALS_MAX)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "1A")


def test_a_device_that_will_not_be_closed_is_refused_and_never_idle() -> None:
    bench = Bench().ready()
    bench.device.obeys = False
    bench.inbox.put(CloseAcceptor("bill"))
    bench.turns(REFUSALS_MAX)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "11")
    assert bench.facts == [DeviceFailed("bill", Fault.REFUSED, "11")]


def test_when_the_host_stops_it_is_closed() -> None:
    bench = Bench().ready()
    bench.driver.rest()
    assert bench.device.state == DISABLED


# The line ------------------------------------------------------------------------------------------------------------

WRONG_CHECK = bytes.fromhex("FC 06 15 65 00 00")


def test_silence_is_told_after_three_tries() -> None:
    bench = Bench().ready().stacking()
    bench.device.raw[Command.STATUS_REQUEST] = [b""] * TRIES
    assert bench.gone().fault is Fault.SILENT
    assert bench.device.heard == [STATUS] * TRIES


def test_two_lost_answers_are_asked_for_again() -> None:
    bench = Bench().ready().stacking()
    bench.device.raw[Command.STATUS_REQUEST] = [b"", b""]
    assert bench.says("15 65") == [NoteStacked("bill", 1, yuan(50))]


@pytest.mark.parametrize("noise", [
    WRONG_CHECK,
    bytes.fromhex("02 03 07 81 05 EF 61"),  # CCNET
    bytes.fromhex("7F 80 01 F0 23 80"),  # SSP
    bytes.fromhex("02 0B 21 10 10 08 00 01 02 03 31"),  # EBDS, with a note stacked
    bytes.fromhex("01 00 02 00 FD"),  # ccTalk
    bytes.fromhex("80 8F"),  # ICT
    bytes(40),
    b"\xff" * 40,
    b"\xfc" * 40,
    encode(Frame(State.VEND_VALID, b"\x65"))[:-1],
])  # fmt: skip
def test_another_protocol_or_another_speed_is_garbled(noise: bytes) -> None:
    bench = Bench().ready().stacking()
    bench.device.raw[Command.STATUS_REQUEST] = [noise] * TRIES
    assert bench.gone().fault is Fault.GARBLED
    assert bench.facts == [DeviceFailed("bill", Fault.GARBLED)]
    assert ACK not in bench.device.heard


def test_an_answer_amid_noise_is_heard() -> None:
    bench = Bench().ready().stacking()
    good = encode(frame("15 65"))
    bench.device.raw[Command.STATUS_REQUEST] = [b"\x00\xfc\x03" + WRONG_CHECK + good + b"\xfc"]
    assert bench.turns() == [NoteStacked("bill", 1, yuan(50))]


@pytest.mark.parametrize("refusal", [Reply.INVALID_COMMAND, Reply.COMMUNICATION_ERROR])
def test_what_the_device_did_not_understand_is_sent_again(refusal: Reply) -> None:
    refused = encode(Frame(refusal))
    bench = Bench().ready().stacking()
    bench.device.raw[Command.STATUS_REQUEST] = [refused, refused]
    assert bench.says("15 65") == [NoteStacked("bill", 1, yuan(50))]
    bench.device.raw[Command.STATUS_REQUEST] = [refused] * TRIES
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.GARBLED, f"{refusal:02X}")


def test_a_late_answer_is_not_taken_for_another_one() -> None:
    bench = Bench().ready().stacking()
    bench.device.send(encode(IDLE))
    bench.line.wait_until(bench.line.now_ms + 1)
    assert bench.says("14") == []


def test_an_answer_to_another_command_is_waited_past() -> None:
    bench = Bench().ready().escrowed()
    bench.device.raw[Command.RETURN] = [encode(frame("13 65")) + encode(frame("42")) + encode(Frame(Reply.ACK))]
    bench.inbox.put(ReturnNote("bill", 1))
    assert bench.says("18", "11") == [NoteReturned("bill", 1)]
    assert bench.device.commands() == [Frame(Command.RETURN)]


def test_a_command_that_only_something_else_answers_is_sent_again() -> None:
    bench = Bench().ready().escrowed()
    bench.device.raw[Command.RETURN] = [encode(frame("13 65"))]
    bench.inbox.put(ReturnNote("bill", 1))
    bench.says("18")
    assert bench.device.commands() == [Frame(Command.RETURN)] * 2


def test_nothing_is_acknowledged_when_the_host_has_stopped() -> None:
    bench = Bench().ready().stacking()
    bench.unheard = NoteStacked
    bench.device.state = frame("15 65")
    with pytest.raises(HostStopped):
        bench.turns()
    assert bench.device.heard == [STATUS]


# It is mute ----------------------------------------------------------------------------------------------------------


def silent(bench: Bench, seconds: float, answer: bytes = b"") -> list[Frame]:
    """It says nothing, or only noise, and is sought for so long; what it heard besides questions."""
    until_ms = bench.line.now_ms + round(seconds * 1000)
    bench.device.heard.clear()
    while bench.line.now_ms < until_ms:
        bench.device.raw = {command: [answer] * TRIES for command in Command}
        assert bench.refused().fault is (Fault.GARBLED if answer else Fault.SILENT)
        bench.driver.lost(Fault.SILENT)
        bench.line.wait_until(bench.line.now_ms + 2000)
    bench.device.raw.clear()
    return bench.device.commands()


def test_one_that_is_mute_for_more_than_a_minute_is_reset_and_then_once_a_minute() -> None:
    assert silent(Bench().ready().stacking(), MUTE_S - 5) == []
    assert silent(Bench().ready().stacking(), MUTE_S + 10) == [RESET]
    assert silent(Bench().ready().stacking(), 2 * MUTE_S + 15) == [RESET] * 2


def test_one_that_says_anything_at_all_is_not_mute() -> None:
    assert silent(Bench().ready().stacking(), MUTE_S + 10, b"\x00") == []
    bench = Bench().ready()
    silent(bench, MUTE_S - 5)
    bench.driver.begin(bench.line)
    assert RESET not in silent(bench, MUTE_S - 5)
    silent(bench, 1, b"\x00")
    assert RESET not in silent(bench, MUTE_S - 5)


def test_what_a_mute_device_has_put_into_its_box_nobody_knows_after_its_reset() -> None:
    bench = Bench().ready().stacking()
    assert silent(bench, MUTE_S + 10) == [RESET]
    bench.device.state = DISABLED
    bench.driver.begin(bench.line)
    bench.turns()
    assert NoteUnaccounted("bill", 1, "forgotten") in bench.facts
