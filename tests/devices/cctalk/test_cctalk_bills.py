"""What is particular to ccTalk bill validators: which event is about which note, each code, and its escrow."""

import pytest
from msgspec.structs import replace

from devices.cctalk import codes
from devices.cctalk.bills import (
    ESCROW_MAX_S,
    MOVES_WITHIN_S,
    RESET_AGAIN_S,
    ROUTES_MAX,
    SETTLED_S,
    STARTS_WITHIN_S,
    WATCHDOG_S,
    CctalkBillDriver,
)
from devices.cctalk.simulated import Model
from devices.cctalk.wire import Header
from devices.driver import HostStopped
from devices.link import LineSettings
from kiosk.ports.acceptor import (
    BoxInserted,
    BoxRemoved,
    CloseAcceptor,
    DeviceFailed,
    DeviceIdle,
    DeviceReady,
    OpenAcceptor,
)
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
from tests.devices.cctalk.bench import ALL, BillBench
from tests.kiosk.flow.stage import yuan

SERIAL = "654321"
TEN, FIFTY = 3, 5  # bill types of the table
ESCROWED_50, STACKED_50, RETURNED = (FIFTY, 1), (FIFTY, 0), (0, 1)
READY = [BoxInserted("bill"), DeviceReady("bill", SERIAL)]
STACK, RETURN = b"\x01", b"\x00"
CLOSED, OPENED = (Header.MODIFY_MASTER_INHIBIT_STATUS, b"\x00"), (Header.MODIFY_MASTER_INHIBIT_STATUS, b"\x01")
STRANDING = {Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED}


def in_escrow(bench: BillBench) -> BillBench:
    """A note of fifty lies in escrow, as note 256."""
    assert bench.happens(ESCROWED_50) == [NoteEscrowed("bill", 256, yuan(50))]
    return bench


def opened() -> BillBench:
    """It is ready, and takes everything."""
    bench = BillBench()
    bench.open()
    return bench


def known(position: int, counter: int) -> BillBench:
    """The journal knows the device, which lived on and was opened since it has power."""
    bench = BillBench()
    bench.device.happens(*[(0, 4)] * counter)
    bench.device.channels = frozenset({FIFTY})
    bench.host_starts(SERIAL, position)
    return bench


# How it is met --------------------------------------------------------------------------------------------------------


def test_the_line() -> None:
    assert CctalkBillDriver.line == LineSettings(9600, 8, "N", 1)


def test_who_it_is() -> None:
    bench = BillBench().begin()
    identity = bench.driver.identity
    assert (identity.model, identity.firmware, identity.serial) == ("ITL NV9", "CC-1.06", SERIAL)
    assert bench.facts == READY
    assert bench.device.mode == b"\x03"


def test_what_a_newcomer_has_counted_is_not_about_our_notes() -> None:
    bench = BillBench()
    bench.device.happens(ESCROWED_50, STACKED_50, ESCROWED_50)
    bench.begin()
    assert bench.facts == [BoxInserted("bill"), DeviceReady("bill", SERIAL, 255 + 3)]
    bench.say(OpenAcceptor("bill", ALL))
    bench.turns()
    assert bench.happens(STACKED_50) == [NoteStacked("bill", 259, yuan(50))]  # nobody's, and said so
    assert bench.happens(ESCROWED_50) == [NoteEscrowed("bill", 260, yuan(50))]


@pytest.mark.parametrize("is_open", [False, True])
def test_another_device_in_its_place_while_a_note_was_to_be_stacked(*, is_open: bool) -> None:
    bench = opened() if is_open else BillBench()
    if is_open:
        in_escrow(bench).say(StackNote("bill", 256))
        bench.turns()
        bench.driver.lost(Fault.UNPLUGGED)
        bench.facts.clear()
    else:
        bench.host_starts("777", 256)
        bench.say(TellNote("bill", 256, stacking=True))
    bench.device.plate = replace(bench.device.plate, serial=9)
    bench.device.happens(STACKED_50, ESCROWED_50, STACKED_50)
    bench.begin()
    assert bench.facts[0] == NoteUnaccounted("bill", 256, "forgotten")
    assert bench.facts[1:] == [BoxInserted("bill"), DeviceReady("bill", "9", 510 + bench.device.counter)]


def test_one_that_cannot_change_its_mode_has_to_use_its_escrow() -> None:
    fixed = frozenset({Header.MODIFY_BILL_OPERATING_MODE})
    bench = BillBench(Model(refused=fixed))
    bench.device.mode = b"\x02"
    assert bench.begin().facts == READY
    for mode in (b"\x01", None):
        bench = BillBench(Model(refused=fixed))
        bench.device.mode = mode
        gone = bench.gone(at_once=True)
        assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "NAK153")


def test_bills_of_an_unknown_worth_are_no_denominations() -> None:
    bench = BillBench(Model(refused=frozenset({Header.REQUEST_COUNTRY_SCALING_FACTOR})))
    assert bench.gone(at_once=True).fault is Fault.NO_DENOMINATIONS


@pytest.mark.parametrize(("names", "fault"), [
    ({}, Fault.NO_DENOMINATIONS),
    ({1: "EU0005A"}, Fault.NO_DENOMINATIONS),  # it has no scaling for that country
    ({1: "CN0000A"}, Fault.NO_DENOMINATIONS),
])  # fmt: skip
def test_a_table_of_nothing_is_refused(names: dict[int, str], fault: Fault) -> None:
    bench = BillBench(names=names)
    assert bench.gone(at_once=True).fault is fault
    assert not bench.device.open


def test_a_table_of_another_currency_is_refused() -> None:
    bench = BillBench()
    bench.host_starts(currency="EUR")
    gone = bench.gone(at_once=True)
    assert (gone.fault, gone.detail) == (Fault.FOREIGN_CURRENCY, "CNY")


# A note ---------------------------------------------------------------------------------------------------------------


def test_a_note_is_stacked() -> None:
    bench = in_escrow(opened())
    assert bench.turns(3) == []
    assert bench.device.routes == []
    bench.say(StackNote("bill", 256))
    assert bench.turns(3) == []
    assert bench.device.routes == [STACK]
    assert bench.happens(STACKED_50) == [NoteStacked("bill", 256, yuan(50))]
    assert bench.happens((TEN, 1)) == [NoteEscrowed("bill", 258, yuan(10))]


def test_a_note_is_given_back() -> None:
    bench = in_escrow(opened())
    bench.say(ReturnNote("bill", 256))
    bench.turns()
    assert bench.device.routes == [RETURN]
    assert bench.happens(RETURNED) == [NoteReturned("bill", 256)]


def test_nobody_decides_and_the_device_gives_it_back() -> None:
    bench = in_escrow(opened())
    assert bench.happens(RETURNED) == [NoteReturned("bill", 256)]
    bench.say(StackNote("bill", 256))
    bench.turns()
    assert bench.device.routes == []


def test_a_note_that_left_without_a_word_is_asked_for() -> None:
    bench = in_escrow(opened())
    bench.device.routed = b"\xfe"
    assert bench.passes(ESCROW_MAX_S) == []
    assert bench.passes(MOVES_WITHIN_S + 1) == [NoteReturned("bill", 256)]
    assert bench.device.routes == [RETURN]


def test_a_note_of_no_table_is_given_back() -> None:
    bench = opened()
    assert bench.happens((9, 1)) == [NoteEscrowed("bill", 256, None)]


def test_the_escrow_is_empty_when_it_is_to_be_stacked() -> None:
    bench = in_escrow(opened())
    bench.device.routed = b"\xfe"
    bench.say(StackNote("bill", 256))
    assert bench.turns() == []
    assert bench.happens(RETURNED) == [NoteReturned("bill", 256)]


def test_nothing_is_heard_of_a_note_that_was_to_be_stacked() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    assert bench.passes(MOVES_WITHIN_S - 1) == []
    assert bench.passes(2) == [NoteUnaccounted("bill", 256, "forgotten")]


def test_an_order_that_fails_is_repeated_and_then_it_is_a_jam() -> None:
    bench = in_escrow(opened())
    bench.device.routed = b"\xff"
    bench.say(StackNote("bill", 256))
    assert bench.turns(5) == [NoteUnaccounted("bill", 256, Fault.JAM), DeviceFailed("bill", Fault.JAM, "R255")]
    assert bench.device.routes == [STACK] * ROUTES_MAX
    assert not bench.device.open


def test_an_order_that_fails_once() -> None:
    bench = in_escrow(opened())
    bench.device.routed = b"\xff"
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.device.routed = b""
    bench.turns(3)
    assert bench.device.routes == [STACK] * 3  # at once, with the next report, and at the next turn
    assert bench.happens(STACKED_50) == [NoteStacked("bill", 256, yuan(50))]


def test_an_order_that_is_refused() -> None:
    bench = in_escrow(opened())
    bench.device.routed = None
    bench.say(StackNote("bill", 256))
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "NAK154")


def test_a_note_that_nobody_announced_is_told_with_its_value() -> None:
    bench = opened()
    assert bench.happens(STACKED_50, STACKED_50) == [
        NoteStacked("bill", 256, yuan(50)),
        NoteStacked("bill", 257, yuan(50)),
    ]
    assert bench.happens(STACKED_50) == [NoteStacked("bill", 258, yuan(50))]


def test_a_note_that_turns_out_to_be_another_is_another() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    assert bench.happens((TEN, 0)) == [
        NoteUnaccounted("bill", 256, "exchanged"),
        NoteStacked("bill", 257, yuan(10)),
    ]


def test_a_bill_of_no_table_is_recorded_and_credited_to_nobody() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.device.happens((9, 0))
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, "E9.0")
    assert bench.facts[:2] == [NoteUnaccounted("bill", 256, "forgotten"), NoteStacked("bill", 257)]


def test_a_bill_whose_name_the_device_has_lost_is_the_one_that_was_to_be_stacked() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    assert bench.happens((0, codes.UNKNOWN_BILL_STACKED)) == [NoteStacked("bill", 256)]


def test_two_notes_between_two_turns() -> None:
    bench = in_escrow(opened())
    bench.say(ReturnNote("bill", 256))
    bench.turns()
    assert bench.happens(RETURNED, (TEN, 1)) == [NoteReturned("bill", 256), NoteEscrowed("bill", 258, yuan(10))]


def test_an_end_that_was_missed() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    assert bench.happens(STACKED_50, *[(0, 4)] * 5) == [NoteUnaccounted("bill", 256, "forgotten")]


def test_a_barcode_is_given_back() -> None:
    bench = opened()
    assert bench.happens((0, codes.BARCODE)) == []
    assert RETURN in bench.device.routes


# The host starts, the device lives on ---------------------------------------------------------------------------------


def test_the_note_that_the_journal_knows_is_still_there() -> None:
    bench = known(256, 0)
    bench.device.happens(ESCROWED_50)
    bench.say(TellNote("bill", 256, stacking=True))
    bench.begin()
    assert bench.facts == [NoteHeld("bill", 256)]
    bench.facts.clear()
    bench.say(ReturnNote("bill", 256))
    bench.turns()
    assert bench.device.routes == [RETURN]
    assert bench.happens(RETURNED) == [NoteReturned("bill", 256), *READY]


def test_it_ended_while_the_host_was_dead() -> None:
    for event, fact in ((STACKED_50, NoteStacked("bill", 256, yuan(50))), (RETURNED, NoteReturned("bill", 256))):
        bench = known(256, 0)
        bench.device.happens(ESCROWED_50, event, (0, 4))
        bench.say(TellNote("bill", 256, stacking=True))
        bench.begin()
        assert bench.facts == [fact, *READY]


def test_it_was_given_back_and_another_came() -> None:
    bench = known(256, 0)
    bench.device.happens(ESCROWED_50, RETURNED, (TEN, 1))
    bench.say(TellNote("bill", 256))
    bench.begin()
    assert bench.facts == [NoteReturned("bill", 256), NoteEscrowed("bill", 258, yuan(10))]


def test_another_came_that_the_host_never_heard_of() -> None:
    bench = opened()
    bench.device.happens(ESCROWED_50)
    bench.unheard = NoteEscrowed
    with pytest.raises(HostStopped):
        bench.turns()
    bench.unheard = None
    bench.host_starts(SERIAL)
    bench.begin()
    assert [type(fact) for fact in bench.facts] == [NoteEscrowed]


def test_more_happened_than_it_remembers() -> None:
    bench = known(256, 0)
    bench.device.happens(ESCROWED_50, *[(0, 4)] * 7)
    bench.say(TellNote("bill", 256, stacking=True))
    bench.begin()
    assert bench.facts == [NoteUnaccounted("bill", 256, "forgotten"), *READY]


def test_it_was_stacked_and_more_happened_than_it_remembers() -> None:
    bench = known(256, 0)
    bench.device.happens(ESCROWED_50, *[(0, 4)] * 3, STACKED_50, *[(0, 4)] * 3)
    bench.say(TellNote("bill", 256, stacking=True))
    bench.begin()
    assert bench.facts == [NoteStacked("bill", 256, yuan(50)), *READY]


def test_a_note_lies_there_of_which_the_journal_knows_the_end() -> None:
    bench = known(256, 0)
    bench.device.happens(ESCROWED_50)
    bench.begin()
    assert bench.facts == [NoteEscrowed("bill", 256 + 255, yuan(50))]
    bench.facts.clear()
    bench.say(ReturnNote("bill", 511))
    bench.turns()
    assert bench.happens(RETURNED) == [NoteReturned("bill", 511), *READY]
    bench.say(OpenAcceptor("bill", ALL))
    bench.turns()
    assert bench.happens((TEN, 1)) == [NoteEscrowed("bill", 258 + 255, yuan(10))]


def test_a_note_that_had_jammed_is_not_held() -> None:
    bench = known(256, 0)
    bench.device.happens(ESCROWED_50, (0, 16))
    bench.host_starts(SERIAL, 256)
    bench.say(TellNote("bill", 256, stacking=True))
    bench.begin()
    assert NoteHeld("bill", 256) not in bench.facts
    assert bench.facts[0] == NoteUnaccounted("bill", 256, Fault.JAM)


def test_the_line_is_lost_while_a_note_lies_in_escrow() -> None:
    bench = in_escrow(opened())
    bench.line.plugged = False
    bench.driver.lost(Fault.UNPLUGGED)
    bench.line.plugged = True
    bench.facts.clear()
    bench.begin()
    assert bench.facts == [NoteHeld("bill", 256)]


# The power goes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stacking", [False, True])
def test_it_was_without_power_and_says_nothing_of_the_note(*, stacking: bool) -> None:
    bench = in_escrow(opened())
    if stacking:
        bench.say(StackNote("bill", 256))
        bench.turns()
    bench.device.loses_power()
    assert bench.passes(STARTS_WITHIN_S - 1) == []
    end = NoteUnaccounted("bill", 256, "forgotten") if stacking else NoteReturned("bill", 256)
    assert bench.passes(2) == [end, *READY]
    assert not bench.device.open


@pytest.mark.parametrize("event", [STACKED_50, (0, codes.UNKNOWN_BILL_STACKED)])
def test_it_was_without_power_and_has_stacked_the_note(event: tuple[int, int]) -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.device.loses_power()
    bench.turns(2)
    assert bench.happens(event) == [NoteStacked("bill", 256, yuan(50) if event[0] else None)]
    assert bench.passes(STARTS_WITHIN_S + 1) == READY


def test_after_a_cut_the_next_note_has_a_number_of_its_own() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.happens(STACKED_50)
    bench.device.loses_power()
    bench.passes(STARTS_WITHIN_S + 1)
    bench.say(OpenAcceptor("bill", ALL))
    bench.turns()
    assert bench.happens(ESCROWED_50) == [NoteEscrowed("bill", 511, yuan(50))]


def test_a_note_that_it_has_stacked_without_power_is_told_once_whatever_else_it_says() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.device.loses_power()
    bench.device.happens(STACKED_50, (0, 99))
    bench.end.raw[Header.READ_BUFFERED_BILL_EVENTS] = [b""]
    bench.gone()
    bench.begin()
    bench.passes(STARTS_WITHIN_S + 1)
    bench.facts.clear()
    bench.driver.begin(bench.line)
    assert bench.passes(STARTS_WITHIN_S + 1) == []


def test_a_cut_that_its_memory_betrays_leaves_the_note_in_doubt() -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.device.loses_power()
    bench.device.happens((0, 2))  # its counter is where it was
    assert bench.passes(STARTS_WITHIN_S + 1) == [NoteUnaccounted("bill", 256, "forgotten"), *READY]


def test_it_was_without_power_while_there_was_no_host() -> None:
    bench = BillBench()
    bench.host_starts(SERIAL, 256)
    bench.say(TellNote("bill", 256, stacking=True))
    bench.begin()
    bench.passes(STARTS_WITHIN_S)
    bench.host_starts(SERIAL, 256)
    bench.say(TellNote("bill", 256, stacking=True))
    bench.driver.begin(bench.line)
    assert bench.passes(STARTS_WITHIN_S + 1) == [NoteUnaccounted("bill", 256, "forgotten"), *READY]


# Open and closed ------------------------------------------------------------------------------------------------------


def test_it_is_idle_when_a_note_has_had_time_to_come_in() -> None:
    bench = opened()
    bench.say(CloseAcceptor("bill"))
    assert bench.passes(SETTLED_S - 0.4) == []
    assert not bench.device.open
    assert bench.passes(1) == [DeviceIdle("bill")]


def test_a_note_that_was_on_its_way_when_it_was_closed() -> None:
    bench = opened()
    bench.say(CloseAcceptor("bill"))
    bench.turns(5)
    assert bench.happens(ESCROWED_50) == [NoteEscrowed("bill", 256, yuan(50))]
    bench.say(ReturnNote("bill", 256))
    bench.turns()
    assert bench.passes(SETTLED_S) == []
    assert bench.happens(RETURNED) == [NoteReturned("bill", 256), DeviceIdle("bill")]


def test_it_has_closed_itself_because_nobody_asked() -> None:
    bench = opened()
    bench.line.wait_until(bench.line.now_ms + round(WATCHDOG_S * 1000))
    bench.turns()
    assert bench.end.orders()[-1] == OPENED


def test_it_says_that_it_is_closed_and_should_not_be() -> None:
    bench = opened()
    bench.device.open = False
    assert bench.happens((0, codes.BILL_MASTER_INHIBIT)) == []
    assert bench.device.open
    bench.say(CloseAcceptor("bill"))
    bench.turns()
    bench.happens((0, codes.BILL_MASTER_INHIBIT))
    assert not bench.device.open


# Codes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for code, meaning in codes.BILLS.items() if type(meaning) is str])
def test_a_rejection_is_counted_and_about_no_note_that_we_know(code: int) -> None:
    bench = opened()
    assert bench.happens((0, code)) == []
    assert isinstance(bench.driver, CctalkBillDriver)
    assert bench.driver.path.counters.rejected == {codes.BILLS[code]: 1}


@pytest.mark.parametrize("code", [code for code, meaning in codes.BILLS.items() if isinstance(meaning, Fault)])
def test_a_fault_closes_it_until_its_self_check_finds_nothing(code: int) -> None:
    bench = in_escrow(opened())
    bench.say(StackNote("bill", 256))
    bench.turns()
    bench.device.check = b"\x24"
    fault = codes.BILLS[code]
    assert isinstance(fault, Fault)
    told = BoxRemoved("bill") if fault is Fault.BOX_REMOVED else DeviceFailed("bill", fault, f"E{code}")
    doubt = [NoteUnaccounted("bill", 256, fault)] if fault in STRANDING else []
    assert bench.happens((0, code)) == [*doubt, told]
    assert not bench.device.open
    assert bench.passes(10) == []
    assert bench.happens(STACKED_50) == [NoteStacked("bill", 256, yuan(50)), told]
    bench.device.check = b"\x00"
    assert bench.passes(5) == READY


@pytest.mark.parametrize("event", [*((0, code) for code in range(22, 256)), (FIFTY, 2), (FIFTY, 255), (9, 7)])
def test_an_unknown_event_fails_closed_and_is_not_met_again(event: tuple[int, int]) -> None:
    bench = opened()
    bench.device.happens(event)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, f"E{event[0]}.{event[1]}")
    assert bench.facts == [DeviceFailed("bill", Fault.UNKNOWN_EVENT, gone.vendor_code)]
    bench.facts.clear()
    assert bench.begin().facts == READY


@pytest.mark.parametrize(("found", "fault", "code"), [
    *((bytes((number,)), fault, f"F{number}") for number, fault in codes.FAULTS.items()),
    (b"\x24\x02", Fault.SENSOR, "F36.2"),  # which sensor
    (b"\xff", Fault.FAILURE, "F255"),
])  # fmt: skip
def test_what_its_self_check_finds(found: bytes, fault: Fault, code: str) -> None:
    bench = BillBench()
    bench.device.check = found
    bench.begin()
    told = BoxRemoved("bill") if fault is Fault.BOX_REMOVED else DeviceFailed("bill", fault, code)
    assert bench.facts == [told]
    bench.device.check = b"\x00"
    bench.facts.clear()
    assert bench.passes(4) == READY


def test_what_is_wrong_with_it_at_rest_is_found() -> None:
    bench = opened()
    bench.device.check = b"\x33"
    assert bench.passes(20) == [DeviceFailed("bill", Fault.OPEN, "F51")]


def test_it_is_not_disturbed_while_a_note_is_in_its_path() -> None:
    bench = in_escrow(opened())
    bench.end.asked.clear()
    bench.passes(40)
    assert Header.PERFORM_SELF_CHECK not in {frame.header for frame in bench.end.asked}


def test_a_jam_that_stays_is_reset_now_and_then() -> None:
    bench = opened()
    bench.device.check = b"\x27"
    assert bench.happens((0, 16)) == [DeviceFailed("bill", Fault.JAM, "E16")]
    bench.passes(2 * RESET_AGAIN_S + 10)
    assert bench.device.resets == 2
    bench.device.check = b"\x00"
    assert [fact for fact in bench.passes(20) if not isinstance(fact, DeviceFailed)] == READY


def test_a_full_box_is_not_reset() -> None:
    bench = opened()
    bench.device.check = b"\x2d"
    assert bench.happens((0, 14)) == [DeviceFailed("bill", Fault.STACKER_FULL, "E14")]
    bench.passes(40)
    assert bench.device.resets == 0


def test_a_model_without_a_self_check_says_when_its_box_is_back() -> None:
    bench = BillBench(Model(refused=frozenset({Header.PERFORM_SELF_CHECK})))
    bench.open()
    assert bench.happens((0, 11)) == [BoxRemoved("bill")]
    assert bench.passes(20) == []
    assert [*bench.happens((0, 12)), *bench.turns()] == READY
    assert bench.happens((0, 16)) == [DeviceFailed("bill", Fault.JAM, "E16")]
    assert bench.passes(5) == READY
