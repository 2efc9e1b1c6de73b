"""What is particular to EBDS: who it is, each bit of its status, and each way in which it can be refused."""

from itertools import pairwise

import pytest

from devices.ebds import wire
from devices.ebds.driver import INVALID_MAX, STUCK_S, EbdsDriver
from devices.ebds.meaning import SIGNS
from devices.ebds.notes import Line, line_bytes
from devices.ebds.simulated import LINES, details
from devices.ebds.wire import Aux, Exceptional, Extended, Frame, Kind, Misc, State, Status
from devices.link import LineSettings
from kiosk.amount import Money
from kiosk.ports.acceptor import (
    BoxInserted,
    BoxRemoved,
    CloseAcceptor,
    DeviceFailed,
    DeviceIdle,
    DeviceReady,
    OpenAcceptor,
)
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked, NoteUnaccounted, ReturnNote
from kiosk.ports.fault import Fault
from tests.devices.ebds.bench import ALL, IDLE, STARTING, TAIL, WHO, Bench, crc, noted, said
from tests.kiosk.flow.stage import yuan

AUX, EXTENDED = bytes((Kind.AUXILIARY,)), bytes((Kind.EXTENDED,))
LINES_ASKED = EXTENDED + bytes((Extended.NOTE_SPECIFICATION,))
VALUES_ASKED = EXTENDED + bytes((Extended.VALUE_TABLE,))
READY = [BoxInserted("bill"), DeviceReady("bill", WHO.serial_number)]


@pytest.fixture(params=[True, False], ids=["by the line", "by value bits"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A validator of either kind, before the first contact."""
    return Bench(extended=request.param)


def told(line: Line | bytes, index: int = 1) -> Frame:
    """An answer to a question for one line of the table."""
    data = line if isinstance(line, bytes) else details(line, index)
    return Frame(Kind.EXTENDED, ack=True, data=bytes((Extended.NOTE_SPECIFICATION,)) + said(IDLE) + data)


def values(*lines: Line) -> Frame:
    """An answer to a question for the values."""
    known = {line.index: line_bytes(line) for line in lines}
    rows = b"".join(known.get(index, bytes((index,)) + bytes(9)) for index in range(1, 8))
    return Frame(Kind.EXTENDED, ack=True, data=bytes((Extended.VALUE_TABLE,)) + said(IDLE) + rows)


# Who it is -----------------------------------------------------------------------------------------------------------


def test_its_line() -> None:
    assert EbdsDriver.line == LineSettings(9600, 7, "E", 1)
    assert EbdsDriver.poll_interval_s == 0.1


def test_it_is_asked_who_it_is_and_what_its_notes_are_worth(bench: Bench) -> None:
    assert bench.begin() == READY
    identity = bench.driver.identity
    assert (identity.model, identity.serial) == (WHO.acceptor_type, WHO.serial_number)
    assert identity.firmware == "286612142 286601105 CNY 490986210"
    assert [line.amount for line in identity.denominations] == [yuan(n) for n in (1, 5, 10, 20, 50, 100, 100)]
    assert bytes.fromhex("70 04 00 1C 14 0A 0A") in bench.device.questions()


def test_a_device_is_asked_everything_again_when_it_had_no_power(bench: Bench) -> None:
    bench.ready().says(STARTING, STARTING, IDLE, IDLE, IDLE)
    assert AUX + wire.auxiliary(Aux.ACCEPTOR_TYPE) in bench.device.questions()
    assert bench.facts == READY


def test_one_that_does_not_say_its_type_or_serial_number_has_none(bench: Bench) -> None:
    for command in Aux:
        bench.device.answers[AUX + bytes((command,))] = crc()
    bench.begin()
    identity = bench.driver.identity
    assert (identity.model, identity.firmware, identity.serial) == ("EBDS model 54 revision 2A", "", "")
    assert bench.facts == [BoxInserted("bill"), DeviceReady("bill", "")]
    assert bench.device.questions()[-1] == AUX + wire.auxiliary(Aux.SOFTWARE_CRC)


@pytest.mark.parametrize("hears", [True, False])
def test_one_that_is_silent_to_what_it_does_not_know_is_asked_the_next(bench: Bench, *, hears: bool) -> None:
    """It may have counted the question as a message all the same."""
    question = AUX + bytes((Aux.VARIANT_NAME,))
    if hears:
        bench.device.answers[question] = None
    else:
        bench.device.ignored.add(question)
    assert bench.begin() == READY
    assert bench.driver.identity.firmware == "286612142 286601105 490986210"
    assert bench.driver.identity.denominations


def test_until_it_is_known_it_is_closed_and_told_what_to_do_with_a_note_that_it_found(bench: Bench) -> None:
    bench.begin()
    assert {order[:2].hex(" ") for order in bench.device.polls()} == {"00 1c"}
    assert bench.device.polls()[0][2] == 0x14, "extended notes, policy B"
    assert bench.device.polls()[-1][2] == (0x14 if bench.extended else 0x04)


def test_polls_bear_the_bit_0_and_between_two_of_them_is_a_question_with_the_bit_1(bench: Bench) -> None:
    bench.ready()
    bench.stacking().says(bench.fifty("11 10 28"), IDLE)
    kinds = [(frame.kind is Kind.OMNIBUS_COMMAND, frame.ack) for frame in bench.device.heard]
    assert set(kinds) == {(True, False), (False, True)}
    assert all(one != other for one, other in pairwise(kinds))


# Its table -----------------------------------------------------------------------------------------------------------

FIVE = Line(1, "CNY", 5, 0)
UNKNOWN = crc()


@pytest.mark.parametrize(("first", "table", "fault", "detail"), [
    (UNKNOWN, UNKNOWN, Fault.NO_DENOMINATIONS, ""),
    (UNKNOWN, None, Fault.NO_DENOMINATIONS, ""),
    (None, UNKNOWN, Fault.NO_DENOMINATIONS, ""),
    (Frame(Kind.OMNIBUS_REPLY, ack=True, data=said("01 10 02")), UNKNOWN, Fault.NO_DENOMINATIONS, ""),
    (told(bytes(18)), UNKNOWN, Fault.NO_DENOMINATIONS, ""),
    (told(Line(1, "USD", 5, 0)), UNKNOWN, Fault.FOREIGN_CURRENCY, "USD"),
    (told(Line(1, "QQQ", 5, 0)), UNKNOWN, Fault.FOREIGN_CURRENCY, "QQQ"),
    (told(Line(1, "CNY", 0, 0)), UNKNOWN, Fault.NO_DENOMINATIONS, ""),
    (told(b"\x01" + b"?" * 17), UNKNOWN, Fault.NO_DENOMINATIONS, "note 1 is not understood"),
    (told(FIVE, 2), UNKNOWN, Fault.NO_DENOMINATIONS, "note 1 is not understood"),
    (UNKNOWN, values(), Fault.NO_DENOMINATIONS, ""),
    (UNKNOWN, values(Line(1, "EUR", 5, 0)), Fault.FOREIGN_CURRENCY, "EUR"),
    (UNKNOWN, values(FIVE, Line(2, "HKD", 1, 1)), Fault.FOREIGN_CURRENCY, "HKD"),
    (UNKNOWN, told(FIVE), Fault.NO_DENOMINATIONS, ""),
    (
        UNKNOWN, Frame(Kind.EXTENDED, ack=True, data=values(FIVE).data[:-1]),
        Fault.NO_DENOMINATIONS, "a value table that is not understood",
    ),
])  # fmt: skip
def test_a_table_that_is_none_of_ours_is_refused(
    first: Frame | None, table: Frame | None, fault: Fault, detail: str
) -> None:
    bench = Bench()
    empty = {LINES_ASKED + bytes((index,)): told(bytes((index,)) + bytes(17)) for index in range(2, 9)}
    bench.device.answers = {LINES_ASKED + b"\x01": first, VALUES_ASKED: table, **empty}
    bench.driver.begin(bench.line)
    gone = bench.gone(8)
    assert (gone.fault, gone.detail) == (fault, detail)
    assert bench.facts == [DeviceFailed("bill", fault, gone.vendor_code)]
    assert bench.driver.identity.denominations == ()
    assert {order[0] for order in bench.device.polls()} == {0}


def test_a_table_that_breaks_off_is_refused() -> None:
    bench = Bench()
    bench.device.answers[LINES_ASKED + b"\x04"] = None
    bench.driver.begin(bench.line)
    gone = bench.gone(4)
    assert (gone.fault, gone.detail) == (Fault.NO_DENOMINATIONS, "note 4 is not told")


def test_a_table_without_end_is_refused() -> None:
    bench = Bench()
    for index in range(1, 100):
        bench.device.answers[LINES_ASKED + bytes((index,))] = told(FIVE, index)
    bench.driver.begin(bench.line)
    gone = bench.gone(4)
    assert (gone.fault, gone.detail) == (Fault.NO_DENOMINATIONS, "more than 64 notes")
    assert len(bench.device.questions()) < 80


def test_a_table_may_end_with_another_answer() -> None:
    bench = Bench()
    bench.device.answers[LINES_ASKED + b"\x04"] = crc()
    bench.begin()
    assert [line.channel for line in bench.driver.identity.denominations] == [1, 2, 3]


def test_one_that_takes_polls_and_no_questions_cannot_be_used() -> None:
    bench = Bench()
    bench.device.answers = {AUX + bytes((Aux.SOFTWARE_CRC,)): None}
    bench.driver.begin(bench.line)
    gone = bench.gone()
    assert (gone.fault, gone.detail) == (Fault.NO_DENOMINATIONS, "it answers polls, and no questions")


def test_a_table_in_another_currency_is_ours_where_the_terminal_takes_that() -> None:
    bench = Bench("RUB")
    bench.device.answers = {LINES_ASKED: crc(), VALUES_ASKED: values(Line(1, "RUR", 1, 1), Line(7, "RUB", 5, 2))}
    bench.begin()
    denominations = bench.driver.identity.denominations
    assert [(line.channel, line.amount) for line in denominations] == [
        (1, Money(1000, "RUB")),
        (7, Money(50_000, "RUB")),
    ]


# What it is to take --------------------------------------------------------------------------------------------------


def test_only_the_wanted_lines_are_enabled_before_it_is_opened() -> None:
    bench = Bench()
    bench.begin()
    bench.device.heard.clear()
    bench.inbox.put(OpenAcceptor("bill", (yuan(10), yuan(100), yuan(2))))
    bench.turns(3)
    heard = [frame.data for frame in bench.device.heard]
    inhibits = bytes.fromhex("03 00 1C 14") + bytes((0b110_0100,)) + bytes(7)
    assert heard[:2] == [inhibits, bytes.fromhex("7F 1C 14")]


def test_lines_are_told_again_only_when_they_are_others_and_nothing_is_in_the_path() -> None:
    bench = Bench().ready()
    bench.inbox.put(OpenAcceptor("bill", ALL))
    bench.turns(2)
    bench.says("02 10 00")
    bench.inbox.put(OpenAcceptor("bill", (yuan(5),)))
    bench.turns(3)
    assert EXTENDED not in {question[:1] for question in bench.device.questions()}
    assert bench.device.polls()[-1][0] == 0, "until they are told"
    bench.says(IDLE, IDLE, IDLE)
    assert bench.device.questions()[-2] == EXTENDED + bytes.fromhex("03 00 1C 14 02") + bytes(7)
    assert bench.device.polls()[-1][0] == 0x7F


def test_value_bits_are_enabled_one_by_one() -> None:
    bench = Bench(extended=False)
    bench.begin()
    bench.inbox.put(OpenAcceptor("bill", (yuan(10), yuan(100))))
    bench.turns()
    assert bench.device.polls()[-1] == bytes((0b110_0100, 0x1C, 0x04))


def test_it_is_idle_when_it_has_heard_that_it_is_closed(bench: Bench) -> None:
    bench.ready()
    bench.inbox.put(CloseAcceptor("bill"))
    assert bench.turns() == [], "it may have taken a note before it heard"
    assert bench.device.polls()[-1][0] == 0
    assert bench.turns() == [DeviceIdle("bill")]


def test_a_device_that_does_not_take_single_notes_is_refused() -> None:
    bench = Bench()
    bench.device.answers[EXTENDED + bytes((Extended.NOTE_INHIBITS,))] = crc()
    bench.begin()
    bench.inbox.put(OpenAcceptor("bill", ALL))
    assert bench.gone(2).fault is Fault.REFUSED


def test_a_device_that_calls_every_order_invalid_is_refused(bench: Bench) -> None:
    bench.ready().says(*["01 10 02"] * INVALID_MAX, IDLE, *["01 10 02"] * INVALID_MAX)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "2:02")


# Each bit of its status ----------------------------------------------------------------------------------------------

FAULTS = {  # data bytes 0 to 3
    "01 00 00 10": ("1:10", Fault.BOX_REMOVED),
    "00 14 00 10": ("1:04", Fault.JAM),
    "00 10 00 11": ("3:01", Fault.STACKER_JAM),
    "00 10 04 10": ("2:04", Fault.FAILURE),
    "00 10 00 12": ("3:02", Fault.FIRMWARE),
    "20 11 00 10": ("1:01", Fault.CHEATED),
    "00 18 00 10": ("1:08", Fault.STACKER_FULL),
    "01 10 40 10": ("2:40", Fault.OPEN),
    "01 50 00 10": ("1:40", Fault.FAILURE),
    "01 30 00 10": ("1:20", Fault.PAUSED),
}


@pytest.mark.parametrize(("status", "code", "fault"), [(status, *known) for status, known in FAULTS.items()])
def test_each_fault_is_told_once_with_the_place_of_its_bit(bench: Bench, status: str, code: str, fault: Fault) -> None:
    status += " 54 2A"
    told_of = BoxRemoved("bill") if fault is Fault.BOX_REMOVED else DeviceFailed("bill", fault, code)
    assert bench.ready().says(status, status, "02 10 00", status) == [told_of]
    bench.facts.clear()
    assert bench.says(*[IDLE] * 20) == READY
    assert bench.device.polls()[-1][0] == 0, "after a fault it is closed until the host says otherwise"


def test_every_bit_of_a_status_has_a_meaning() -> None:
    signs = {(sign.byte, int(sign.bit)) for sign in SIGNS}
    meant = {(1, Status.CASSETTE_ATTACHED), (1, Status.REJECTED), (2, Exceptional.POWER_UP), (2, 2)}
    nothing = {(3, int(bit)) for bit in Misc if bit not in {Misc.NONE, Misc.STALLED, Misc.FLASH_DOWNLOAD}}
    value = {(2, 0x08), (2, 0x10), (2, 0x20)}
    every = {(byte, 1 << bit) for byte in (1, 2, 3) for bit in range(7)}
    assert signs | {(byte, int(bit)) for byte, bit in meant} | nothing | value == every


@pytest.mark.parametrize("status", ["02 10 00", "08 10 00", "20 10 00", "00 10 00", "01 10 00 7C 54 2A"])
def test_what_moves_or_says_nothing_of_importance_is_no_news(bench: Bench, status: str) -> None:
    assert bench.ready().says(status, status) == []


@pytest.mark.parametrize("movement", ["02", "04", "08", "20"])
def test_a_customer_who_is_too_quick_is_no_fault(bench: Bench, movement: str) -> None:
    bench.ready().says(f"{movement} 30 28")
    assert not any(isinstance(fact, DeviceFailed) for fact in bench.facts)


def test_the_gravest_of_several_faults_is_told(bench: Bench) -> None:
    assert bench.ready().says("00 7D 44 13 54 2A") == [DeviceFailed("bill", Fault.JAM, "1:04")]


def test_the_box_counts_before_all_else(bench: Bench) -> None:
    assert bench.ready().says("00 0C 44") == [BoxRemoved("bill")]


def test_a_rejection_is_counted_once_though_it_is_said_several_times(bench: Bench) -> None:
    bench.ready().says("02 10 00", "01 12 00", "01 12 00", "01 12 00", IDLE, "02 10 00", "01 12 00", IDLE)
    assert bench.facts == []
    assert bench.driver.path.counters.rejected == {"rejected": 2}


def test_a_note_rejected_on_its_way_is_returned_when_it_is_out(bench: Bench) -> None:
    bench.ready()
    bench.stacking().says("00 12 00")
    assert bench.facts == []
    assert bench.says("01 12 00") == [NoteReturned("bill", 1)]


@pytest.mark.parametrize("state", range(128))
def test_only_the_stacked_bit_credits_and_only_where_the_others_agree(bench: Bench, state: int) -> None:
    bench.ready()
    bench.stacking().device.state = bench.fifty(f"{state:02X} 10 28")
    try:
        bench.turns()
        agrees = True
    except Exception:  # noqa: BLE001 - whichever it is, it shows in what was told
        agrees = False
    movements = (state & 0x2F).bit_count()
    ends = {0x10: {0, 0x01, 0x02, 0x08}, 0x40: {0, 0x01, 0x02, 0x20}, 0: {0, 0x01, 0x02, 0x04, 0x08, 0x20}}
    assert agrees == (movements <= 1 and (state & 0x2F) in ends.get(state & 0x50, set()))
    credited = [fact for fact in bench.facts if isinstance(fact, NoteStacked)]
    assert credited == [NoteStacked("bill", 1, yuan(50))] * (agrees and bool(state & State.STACKED))


def test_bits_that_do_not_agree_put_it_out_of_service_and_the_note_in_doubt(bench: Bench) -> None:
    bench.ready()
    bench.stacking().device.state = bench.fifty("14 10 28")
    gone = bench.gone()
    assert gone.fault is Fault.UNKNOWN_EVENT
    assert gone.vendor_code == f"{0x70 if bench.extended else 0x20:X}" + bench.fifty("14 10 28").hex().upper()
    bench.device.state = said(IDLE)
    assert bench.begin()[-3:] == [NoteUnaccounted("bill", 1, "forgotten"), *READY]
    assert not any(isinstance(fact, NoteStacked) for fact in bench.facts)


# What a note is worth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "index"), [(1, 1), (5, 2), (10, 3), (20, 4), (50, 5), (100, 6)])
def test_each_note_has_its_value(bench: Bench, amount: int, index: int) -> None:
    status = f"04 10 {index << 3:02X}"
    bench.ready().says(noted(status, amount) if bench.extended else said(status))
    assert bench.facts == [NoteEscrowed("bill", 1, yuan(amount))]


def details_of(line: Line, classified: int = 0) -> bytes:
    """An answer that says so of a note in escrow."""
    known = details(line, 0)
    return b"\x02" + said("04 10 00") + known[:15] + bytes((classified,)) + known[16:]


@pytest.mark.parametrize("unknown", [
    pytest.param(details_of(Line(1, "CNY", 3, 1)), id="in no table"),
    pytest.param(details_of(Line(1, "USD", 5, 1)), id="foreign"),
    pytest.param(details_of(Line(1, "CNY", 5, 1), classified=2), id="suspected"),
    pytest.param(b"\x02" + said("04 10 00") + b"\0" + b"?" * 17, id="not understood"),
    pytest.param(said("04 10 28"), id="value bits where there should be a line"),
    pytest.param(b"\x01" + said("04 10 00") + b"(" * 28, id="a barcode"),
])  # fmt: skip
def test_a_note_without_a_value_is_given_back(unknown: bytes) -> None:
    bench = Bench().ready()
    assert bench.says(unknown) == [NoteEscrowed("bill", 1, None)]
    bench.inbox.put(ReturnNote("bill", 1))
    bench.turns()
    assert bench.device.polls()[-1] == bytes.fromhex("7F 5C 14")


def test_a_classified_note_that_is_genuine_is_good_money() -> None:
    bench = Bench().ready()
    assert bench.says(details_of(Line(1, "CNY", 5, 1), classified=4)) == [NoteEscrowed("bill", 1, yuan(50))]


@pytest.mark.parametrize(
    ("stacked", "extended"),
    [
        (b"\x02" + said("11 10 00") + details(Line(1, "CNY", 3, 1), 0), True),
        (b"\x02" + said("11 10 00") + details(Line(1, "JPY", 5, 1), 0), True),
        (b"\x02" + said("11 10 00") + details(Line(1, "CNY", 5, 1), 0)[:15] + b"\x03\0\0", True),
        (b"\x02" + said("11 10 00") + b"\0" + b"?" * 17, True),
        (said("11 10 00"), False),
    ],
)
def test_a_stacked_note_of_no_known_value_credits_nothing_and_is_in_doubt(stacked: bytes, *, extended: bool) -> None:
    bench = Bench(extended=extended).ready()
    bench.stacking().device.state = stacked
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, "0:11")
    bench.device.state = said(IDLE)
    assert bench.begin() == [
        DeviceFailed("bill", Fault.UNKNOWN_EVENT, "0:11"), NoteUnaccounted("bill", 1, "forgotten"), *READY,
    ]  # fmt: skip


@pytest.mark.parametrize("cleared", [said("11 10 00"), b"\x02" + said("11 10 00") + bytes(18)])
def test_where_the_value_is_cleared_when_a_note_is_stacked_the_host_knows_it(cleared: bytes) -> None:
    bench = Bench().ready()
    assert bench.stacking().says(cleared) == [NoteStacked("bill", 1)]


def test_the_value_lingers_and_means_nothing(bench: Bench) -> None:
    bench.ready()
    bench.stacking().says(bench.fifty("11 10 28"))
    assert bench.says("01 10 28", "01 10 28", "02 10 28", "01 12 28") == [NoteStacked("bill", 1, yuan(50))]


# Its line ------------------------------------------------------------------------------------------------------------


def test_a_silent_device() -> None:
    bench = Bench().ready()
    bench.device.mute = 1000
    started_s = bench.line.now_ms
    assert bench.gone().fault is Fault.SILENT
    assert bench.device.mute == 996, "four attempts"
    assert 1_000 <= bench.line.now_ms - started_s <= 1_500


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(bytes.fromhex("02 0B 20 01 10 00 10 54 2A 03 55"), id="wrong check"),
        pytest.param(bytes.fromhex("02 0B 20 01 10 00 10 54 2A 03"), id="half of it"),
        pytest.param(bytes.fromhex("02 03 06 14 67 D4"), id="CCNET"),
        pytest.param(bytes.fromhex("FC 05 11 27 56"), id="ID-003"),
        pytest.param(bytes.fromhex("7F 80 01 F0 23 80"), id="SSP"),
        pytest.param(bytes.fromhex("3E"), id="ICT"),
        pytest.param(bytes(200), id="zeroes"),
        pytest.param(wire.encode(Frame(Kind.OMNIBUS_REPLY, ack=True, data=said(IDLE))), id="refused"),
        pytest.param(wire.encode(Frame(Kind.BOOKMARK, ack=False, data=said(IDLE))), id="another kind"),
    ],
)
def test_what_is_no_answer_is_garbled(raw: bytes) -> None:
    bench = Bench()
    bench.device.raw = [raw] * 100
    with pytest.raises(Exception, match="garbled"):
        bench.driver.begin(bench.line)
    assert bench.device.heard == [Frame(Kind.OMNIBUS_COMMAND, ack=False, data=bytes.fromhex("00 1C 14"))]


def test_its_own_echo_is_silence() -> None:
    bench = Bench()
    poll = wire.encode(Frame(Kind.OMNIBUS_COMMAND, ack=False, data=bytes.fromhex("00 1C 14")))
    bench.device.raw = [poll] * 100
    with pytest.raises(Exception, match="silent"):
        bench.driver.begin(bench.line)


def test_an_answer_that_was_refused_or_harmed_is_asked_for_again(bench: Bench) -> None:
    bench.ready()
    bench.device.raw = [wire.encode(Frame(Kind.OMNIBUS_REPLY, ack=False, data=said(IDLE))), b"\x02\x0b"]
    bench.turns(2)
    assert bench.device.repeated == 2
    assert bench.facts == []


def test_a_recycler_is_something_else() -> None:
    bench = Bench()
    bench.device.device = 1
    with pytest.raises(Exception, match="recycler"):
        bench.driver.begin(bench.line)


def test_another_device_on_the_line_is_not_taken_for_this_one() -> None:
    bench = Bench().ready()
    other = Frame(Kind.AUXILIARY, ack=True, data=b"30220417116".ljust(20, b"\0"))
    bench.device.answers[AUX + bytes((Aux.SERIAL_NUMBER,))] = other
    gone = bench.gone()
    assert (gone.fault, gone.detail) == (Fault.UNPLUGGED, "another device answers: 30220417116")
    assert bench.begin()[-1] == DeviceReady("bill", "30220417116")


def test_it_moves_and_moves_and_is_reset(bench: Bench) -> None:
    bench.ready()
    bench.stacking().says(*["08 10 00"] * round(STUCK_S / bench.driver.poll_interval_s + 2))
    assert bench.facts == [DeviceFailed("bill", Fault.FAILURE, "0:08")]
    assert bench.device.resets() == 1


def test_it_starts_up_and_never_ends(bench: Bench) -> None:
    bench.ready().says(*[STARTING] * round(STUCK_S / bench.driver.poll_interval_s + 2))
    assert bench.facts == [DeviceFailed("bill", Fault.FAILURE, "2:01")]
    assert bench.device.resets() == 1


def test_every_tail_is_of_the_same_device() -> None:
    assert said(IDLE)[3:] == bytes.fromhex(TAIL)
    assert len({line.index for line in LINES}) == len(LINES)
