"""What is particular to ccTalk coin acceptors: where the count begins, each code, and what can be lost."""

import pytest
from msgspec.structs import replace

from devices.cctalk import codes
from devices.cctalk.coins import SETTLED_S, CctalkCoinDriver
from devices.cctalk.simulated import Model, Nameplate
from devices.cctalk.wire import Header
from devices.driver import HostStopped
from devices.link import LineSettings
from kiosk.ports.acceptor import CloseAcceptor, DeviceFailed, DeviceIdle, DeviceReady, OpenAcceptor
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.cctalk.bench import ALL, CoinBench
from tests.kiosk.flow.stage import yuan

SERIAL = "123456"
YUAN, FIVE = (3, 1), (4, 1)  # a coin of the table, and its sorter path
MASTER, MASK = Header.MODIFY_MASTER_INHIBIT_STATUS, Header.MODIFY_INHIBIT_STATUS
CLOSED = (MASTER, b"\x00")
NO_MASTER = frozenset({Header.MODIFY_MASTER_INHIBIT_STATUS})


def inserted(position: int, amount: int) -> CoinInserted:
    """A coin of so many yuan."""
    return CoinInserted("coin", position, yuan(amount))


def failed(fault: Fault, code: str) -> DeviceFailed:
    """It takes nothing any more."""
    return DeviceFailed("coin", fault, code)


def lost(position: int) -> CoinsLost:
    """Nobody knows which coins fell in."""
    return CoinsLost("coin", position)


def ready(position: int) -> DeviceReady:
    """It takes orders."""
    return DeviceReady("coin", SERIAL, position)


def known(position: int, counter: int, *, at_rest: bool = False) -> CoinBench:
    """The journal knows the device, which lived on and was opened since it has power."""
    bench = CoinBench()
    bench.device.happens(*[(0, 1)] * counter)
    bench.device.channels = frozenset({3, 4, 5})
    bench.host_starts(SERIAL, position, at_rest=at_rest)
    return bench


# How it is met --------------------------------------------------------------------------------------------------------


def test_the_line() -> None:
    assert CctalkCoinDriver.line == LineSettings(9600, 8, "N", 1)


def test_what_a_newcomer_has_counted_is_durable_before_it_is_opened() -> None:
    bench = CoinBench()
    bench.device.happens(YUAN, FIVE, YUAN)
    bench.say(OpenAcceptor("coin", ALL))  # from before it was there
    bench.driver.begin(bench.line)
    heard: list[Fact] = []
    while not heard:
        assert not bench.device.open
        heard = bench.turns()
    assert heard == [ready(255 + 3)]
    bench.say(OpenAcceptor("coin", ALL))
    bench.turns()
    assert bench.device.open
    assert bench.device.channels == {3, 4, 5, 7}  # a hundred jiao are in no list of the host's
    assert bench.happens(YUAN) == [inserted(259, 1)]


def test_a_newcomer_that_counts_on_until_it_is_ready() -> None:
    bench = CoinBench()
    bench.driver.begin(bench.line)
    bench.turns()
    bench.device.happens(YUAN, YUAN)
    assert bench.passes(3) == [ready(257)]


def test_a_host_that_dies_at_the_meeting_meets_it_again() -> None:
    bench = CoinBench()
    bench.device.happens(YUAN)
    bench.unheard = DeviceReady
    with pytest.raises(HostStopped):
        bench.begin()
    assert not bench.device.open
    bench.unheard = None
    bench.host_starts()
    bench.device.happens(FIVE)
    bench.begin()
    assert bench.facts == [ready(257)]


def test_one_without_a_serial_number_is_known_by_its_position() -> None:
    bench = known(255, 0)
    bench.device.plate = Nameplate("Coin_Acceptor", "", "", "", 0, {3: "CN100A"})
    bench.device.happens(YUAN)
    bench.host_starts("", 255)
    bench.begin()
    assert bench.driver.identity.model == "Coin_Acceptor"
    assert bench.driver.identity.serial == ""
    assert bench.facts == [inserted(256, 1), DeviceReady("coin", "", 256)]


@pytest.mark.parametrize("at_rest", [False, True])
def test_another_device_in_its_place(*, at_rest: bool) -> None:
    bench = CoinBench()
    bench.device.happens(YUAN, YUAN, YUAN, YUAN)
    bench.host_starts("777", 300, at_rest=at_rest)
    bench.begin()
    losses = [] if at_rest else [lost(514)]  # what the other one had not told, nobody will ever tell
    assert bench.facts == [*losses, ready(514)]


def test_another_device_in_its_place_while_the_driver_lives() -> None:
    bench = CoinBench().open()
    bench.happens(YUAN)
    bench.line.plugged = False
    bench.driver.lost(Fault.UNPLUGGED)
    bench.line.plugged = True
    bench.device.plate = replace(bench.device.plate, serial=9)
    bench.device.happens(YUAN, YUAN)
    bench.facts.clear()
    bench.begin()
    assert bench.facts == [lost(513), DeviceReady("coin", "9", 513)]


# What is new ---------------------------------------------------------------------------------------------------------


def test_after_a_start_what_the_journal_does_not_know_is_told_under_its_own_number() -> None:
    bench = known(300, 45)
    bench.device.happens(YUAN, (0, 1), FIVE)
    bench.begin()
    assert bench.facts == [inserted(301, 1), inserted(303, 5), ready(303)]


def test_the_counter_wraps() -> None:
    bench = known(509, 254)
    bench.device.happens(YUAN, FIVE, YUAN)
    bench.begin()
    assert bench.facts == [inserted(510, 1), inserted(511, 5), inserted(512, 1), ready(512)]


def test_it_forgets_more_than_it_remembers() -> None:
    bench = known(300, 45)
    bench.device.happens(*[FIVE] * 3, *[YUAN] * 5)
    bench.begin()
    assert bench.facts == [lost(303), *[inserted(position, 1) for position in range(304, 309)], ready(308)]


def test_a_coin_that_the_host_has_not_taken_is_told_again() -> None:
    bench = CoinBench().open()
    bench.device.happens(YUAN, FIVE)
    bench.unheard = CoinInserted
    with pytest.raises(HostStopped):
        bench.turns()
    bench.unheard = None
    bench.host_starts(SERIAL, 255)
    bench.begin()
    assert bench.facts == [inserted(256, 1), inserted(257, 5), ready(257)]


def test_what_was_read_once_is_not_believed() -> None:
    bench = CoinBench().open()
    genuine = b"".join(bench.device.hear(bytes.fromhex("02 00 01 E5 18")))
    swapped = bytearray(genuine)
    swapped[4], swapped[5] = 3, 0xFD  # the sum holds: one event, and it is a coin that nobody has
    swapped[6] = swapped[6] - (sum(swapped) & 0xFF) & 0xFF
    bench.end.raw[Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES] = [bytes(swapped)]
    assert bench.turns(3) == []


def test_answers_that_are_always_late_pass_for_no_others() -> None:
    bench = CoinBench()
    bench.end.late = True
    bench.begin()
    assert [(line.channel, line.amount.minor) for line in bench.driver.identity.denominations] == [
        (1, 10), (2, 50), (3, 100), (4, 500), (5, 1000), (7, 100),
    ]  # fmt: skip
    assert bench.driver.identity.serial == SERIAL
    bench.say(OpenAcceptor("coin", ALL))
    bench.turns(2)
    bench.device.happens(YUAN)
    assert bench.turns(3) == [inserted(256, 1)]


# The power goes ------------------------------------------------------------------------------------------------------


def test_it_was_without_power_while_it_was_open() -> None:
    bench = CoinBench().open()
    assert bench.happens(YUAN) == [inserted(256, 1)]
    bench.device.loses_power()
    assert bench.passes(3) == [lost(510), ready(510)]
    assert not bench.device.open
    bench.say(OpenAcceptor("coin", ALL))
    bench.turns()
    assert bench.happens(FIVE) == [inserted(511, 5)]


def test_it_was_without_power_while_it_was_closed() -> None:
    bench = CoinBench().open()
    bench.happens(YUAN)
    bench.close()
    assert bench.passes(3) == [DeviceIdle("coin")]
    bench.device.loses_power()
    assert bench.passes(3) == [ready(510)]


def test_it_was_without_power_as_it_was_closed() -> None:
    bench = CoinBench().open()
    bench.close()
    bench.turns(2)  # a coin may have been on its way
    bench.device.loses_power()
    assert lost(510) in bench.passes(3)


@pytest.mark.parametrize("at_rest", [False, True])
def test_it_was_without_power_while_there_was_no_host(*, at_rest: bool) -> None:
    bench = CoinBench()
    bench.host_starts(SERIAL, 300, at_rest=at_rest)
    bench.begin()
    assert bench.facts == ([] if at_rest else [lost(510)]) + [ready(510)]


def test_it_was_without_power_and_has_counted_up_to_what_the_journal_knows() -> None:
    bench = CoinBench()
    bench.device.happens((0, 2), (0, 2))
    bench.host_starts(SERIAL, 257)
    bench.begin()
    assert bench.facts == [lost(512), ready(512)]


def test_a_coin_of_a_device_that_was_not_opened_is_nobodys() -> None:
    bench = CoinBench()
    bench.device.happens(YUAN)
    bench.host_starts(SERIAL, 300, at_rest=True)
    bench.begin()
    assert bench.facts == [lost(511), ready(511)]


def test_a_turn_that_had_begun_before_the_host_started_is_no_new_one() -> None:
    bench = known(510, 0)
    bench.begin()
    assert bench.facts == [ready(510)]


def test_a_loss_is_told_again_until_it_is_heard_and_then_no_more() -> None:
    bench = CoinBench().open()
    bench.happens(YUAN)
    bench.device.loses_power()
    bench.unheard = CoinsLost
    with pytest.raises(HostStopped):
        bench.turns()
    bench.unheard = None
    bench.host_starts(SERIAL, 256)
    bench.begin()
    assert bench.facts == [lost(510), ready(510)]
    bench.host_starts(SERIAL, 510, at_rest=True)
    bench.begin()
    assert CoinsLost not in {type(fact) for fact in bench.facts[2:]}


@pytest.mark.parametrize("answers", [1, 2])
def test_a_cut_that_only_a_missing_answer_betrays(answers: int) -> None:
    bench = CoinBench().open()
    bench.happens(YUAN)
    bench.device.loses_power()
    bench.device.happens((0, 2))  # its counter is where it was
    bench.end.raw[Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES] = [b""] * answers
    assert bench.passes(3) == [lost(511), ready(511)]


def test_a_cut_that_its_memory_betrays() -> None:
    """The counter is where it was, no answer was missing, and the coin that was on its way is nowhere."""
    bench = CoinBench().open()
    bench.happens(YUAN)
    bench.device.loses_power()
    bench.device.happens((0, 2))
    assert bench.passes(3) == [lost(511), ready(511)]


@pytest.mark.parametrize("unplugged", [False, True])
def test_a_cut_of_a_model_without_a_master_inhibit_shows_by_its_mask_when_it_was_open(*, unplugged: bool) -> None:
    bench = CoinBench(Model(refused=NO_MASTER)).open()
    bench.device.loses_power()  # its counter is where it was
    if unplugged:
        bench.driver.lost(Fault.UNPLUGGED)
        bench.driver.begin(bench.line)
        bench.facts.clear()
    else:
        bench.end.raw[Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES] = [b""]
    assert bench.passes(3) == [lost(510), ready(510)]


def test_a_model_that_is_closed_by_its_mask_was_not_without_power_for_that() -> None:
    bench = CoinBench(Model(refused=NO_MASTER)).open()
    bench.happens(YUAN)
    bench.driver.lost(Fault.UNPLUGGED)
    bench.driver.begin(bench.line)
    bench.driver.begin(bench.line)  # closed by us, not by a cut
    bench.facts.clear()
    assert bench.passes(3) == [ready(256)]


# Open and closed ------------------------------------------------------------------------------------------------------


def test_only_what_the_host_wants_is_taken() -> None:
    bench = CoinBench().begin()
    bench.end.asked.clear()
    bench.say(OpenAcceptor("coin", (yuan(1), yuan(5))))
    bench.turns()
    assert bench.end.orders() == [(MASK, b"\x4c\x00"), (MASTER, b"\x01")]
    bench.end.asked.clear()
    bench.say(OpenAcceptor("coin", (yuan(2),)))
    bench.turns()
    assert bench.end.orders() == [CLOSED]


def test_it_is_idle_when_the_last_coin_has_had_time_to_fall() -> None:
    bench = CoinBench().open()
    bench.close()
    assert bench.turns(round(SETTLED_S / 0.2) - 1) == []
    assert bench.happens(YUAN) == [inserted(256, 1)]
    assert bench.turns(2) == [DeviceIdle("coin")]


def test_a_model_without_a_master_inhibit_is_closed_by_its_mask() -> None:
    for model in (Model(refused=NO_MASTER), Model(unheard=NO_MASTER)):
        bench = CoinBench(model).begin()
        assert bench.end.orders()[-1] == (MASK, b"\x00\x00")
        bench.end.asked.clear()
        bench.say(OpenAcceptor("coin", ALL))
        bench.turns()
        assert bench.end.orders() == [(MASK, b"\x5c\x00")]
        assert bench.happens(YUAN) == [inserted(256, 1)]
        bench.end.asked.clear()
        bench.close()
        bench.turns()
        assert bench.end.orders() == [(MASK, b"\x00\x00")]


def test_such_a_model_tells_by_its_counter_alone_that_it_was_without_power() -> None:
    bench = CoinBench(Model(refused=NO_MASTER))
    bench.device.happens(YUAN)
    bench.host_starts(SERIAL, 255, at_rest=True)
    bench.begin()
    assert bench.facts == [inserted(256, 1), ready(256)]  # its mask is empty because it was closed
    bench.device.loses_power()
    bench.host_starts(SERIAL, 256)
    bench.facts.clear()
    bench.begin()
    assert bench.facts == [lost(510), ready(510)]


def test_one_that_cannot_be_closed_is_refused() -> None:
    bench = CoinBench(Model(refused=NO_MASTER | {Header.MODIFY_INHIBIT_STATUS}))
    gone = bench.gone(at_once=True)
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "NAK231")


def test_it_is_closed_when_the_host_has_stopped() -> None:
    bench = CoinBench().open()
    bench.driver.rest()
    assert not bench.device.open


def test_what_is_no_command_for_it_is_ignored() -> None:
    bench = CoinBench().open()
    bench.say(CloseAcceptor("coin"), OpenAcceptor("coin", ALL))
    assert bench.passes(3) == []
    assert bench.device.open


# Codes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for code, meaning in codes.COINS.items() if not isinstance(meaning, Fault)])
def test_a_rejection_is_counted(code: int) -> None:
    bench = CoinBench().open()
    assert bench.happens((0, code)) == []
    assert isinstance(bench.driver, CctalkCoinDriver)
    assert bench.driver.counters.rejected == {codes.COINS[code]: 1}
    assert bench.device.open


@pytest.mark.parametrize("code", [code for code, meaning in codes.COINS.items() if isinstance(meaning, Fault)])
def test_a_fault_closes_it_until_its_self_check_finds_nothing(code: int) -> None:
    bench = CoinBench().open()
    bench.device.check = b"\x03"
    fault = codes.COINS[code]
    assert isinstance(fault, Fault)
    assert bench.happens((0, code)) == [failed(fault, f"E{code}")]
    assert not bench.device.open
    assert bench.happens((0, code)) == []
    assert bench.happens(YUAN) == [inserted(258, 1)]  # it was past the gate
    assert bench.passes(10) == []
    bench.device.check = b"\x00"
    assert bench.passes(3) == [ready(258)]


@pytest.mark.parametrize("code", codes.UNCREDITED_COINS)
def test_a_coin_that_is_perhaps_in_the_box_is_recorded(code: int) -> None:
    bench = CoinBench().open()
    assert bench.happens((0, code)) == [lost(256)]
    assert bench.happens(YUAN) == [inserted(257, 1)]


@pytest.mark.parametrize("code", sorted(set(range(256)) - codes.COINS.keys() - codes.UNCREDITED_COINS.keys()))
def test_an_unknown_event_fails_closed_and_is_not_met_again(code: int) -> None:
    bench = CoinBench().open()
    bench.device.happens(YUAN, (0, code), FIVE)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, f"E{code}")
    assert bench.facts == [inserted(256, 1), failed(Fault.UNKNOWN_EVENT, f"E{code}")]
    bench.facts.clear()
    bench.begin()
    assert bench.facts == [inserted(258, 5), ready(258)]


def test_every_code_has_one_meaning() -> None:
    assert not codes.COINS.keys() & codes.UNCREDITED_COINS.keys()


def test_a_coin_of_no_table_is_recorded_and_credited_to_nobody() -> None:
    bench = CoinBench().open()
    bench.device.happens((9, 1))
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, "E9.1")
    assert bench.facts == [lost(256), failed(Fault.UNKNOWN_EVENT, "E9.1")]
    bench.facts.clear()
    bench.begin()
    assert bench.facts == [ready(256)]


@pytest.mark.parametrize(("found", "fault", "code"), [
    *((bytes((number,)), fault, f"F{number}") for number, fault in codes.FAULTS.items()),
    (b"\x02\x03", Fault.SENSOR, "F2.3"),  # which coil
    (b"\xff", Fault.FAILURE, "F255"),
    (b"\xfe\x01\x02", Fault.FAILURE, "F254.1.2"),
])  # fmt: skip
def test_what_its_self_check_finds(found: bytes, fault: Fault, code: str) -> None:
    bench = CoinBench()
    bench.device.check = found
    bench.begin()
    assert bench.facts == [failed(fault, code)]
    bench.device.check = b"\x00"
    bench.facts.clear()
    assert bench.passes(3) == [ready(255)]


def test_what_is_wrong_with_it_at_rest_is_found_and_it_is_not_disturbed_when_open() -> None:
    bench = CoinBench().open()
    bench.device.check = b"\x02"
    assert bench.passes(40) == []
    bench.close()
    assert bench.passes(20) == [failed(Fault.SENSOR, "F2")]


@pytest.mark.parametrize("model", [
    Model(refused=frozenset({Header.PERFORM_SELF_CHECK})), Model(unheard=frozenset({Header.PERFORM_SELF_CHECK})),
])  # fmt: skip
def test_a_model_without_a_self_check_is_believed_to_have_recovered(model: Model) -> None:
    bench = CoinBench(model).open()
    assert bench.happens((0, 14)) == [failed(Fault.JAM, "E14")]
    assert bench.passes(5) == [ready(256)]


def test_what_the_journal_need_not_know_is_told_before_it_is_too_much() -> None:
    bench = CoinBench().open()
    assert bench.happens((0, 1), (0, 1)) == []
    assert bench.happens((0, 1)) == [ready(258)]
    assert bench.happens((0, 1)) == []
    assert bench.happens(YUAN) == [inserted(260, 1)]


# Tables --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("names", "fault"), [
    ({}, Fault.NO_DENOMINATIONS),
    ({1: "TK001A", 2: "000000", 3: "CN000A", 4: "CN1.KA", 5: "cn100a"}, Fault.NO_DENOMINATIONS),
    ({1: "EU100A"}, Fault.FOREIGN_CURRENCY),
    ({1: "CN100A", 2: "HK100A"}, Fault.FOREIGN_CURRENCY),
    ({1: "CN100A", 2: "XX100A"}, Fault.FOREIGN_CURRENCY),
])  # fmt: skip
def test_a_table_of_somebody_else_is_refused(names: dict[int, str], fault: Fault) -> None:
    bench = CoinBench(names=names)
    assert bench.gone(at_once=True).fault is fault
    assert bench.facts == [failed(fault, "")]
    assert not bench.device.open


def test_tokens_are_passed_over() -> None:
    bench = CoinBench(names={1: "TK001A", 2: "CN100A"}).begin()
    assert [line.channel for line in bench.driver.identity.denominations] == [2]


def test_who_it_is() -> None:
    identity = CoinBench().begin().driver.identity
    assert (identity.model, identity.firmware, identity.serial) == ("AZK X6", "V1.2", SERIAL)
