"""One acceptor: for whom it is open, and whose the cash is that it reports."""

import pytest

from kiosk.flow.acceptor import Acceptor
from kiosk.flow.facts import CancelAsked, CashChosen, PaymentLeft, WalkedAway
from kiosk.flow.recover import last_positions
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import (
    BoxInserted,
    BoxRemoved,
    CloseAcceptor,
    DeviceFailed,
    DeviceIdle,
    DeviceReady,
    OpenAcceptor,
)
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked, ReturnNote, StackNote
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.message import Command
from tests.kiosk.flow.stage import TERMS, Stage, yuan


def acceptor(stage: Stage, device: str = "bill") -> Acceptor:
    """The device as it stands."""
    return next(thing for thing in stage.all(Acceptor) if thing.key == device)


def coin(stage: Stage, amount: int) -> list[Command]:
    """A coin of so many yuan falls."""
    return stage.say(CoinInserted("coin", stage.next_position(), yuan(amount)))


def opened(commands: list[Command]) -> list[str]:
    """The devices that these commands open."""
    return [command.device for command in commands if isinstance(command, OpenAcceptor)]


def closed(commands: list[Command]) -> list[str]:
    """The devices that these commands close."""
    return [command.device for command in commands if isinstance(command, CloseAcceptor)]


def test_a_sale_that_waited_for_a_device_that_failed_has_it_when_it_works_again() -> None:
    stage = Stage()
    stage.say(CancelAsked(stage.cash_sale()))
    sale = stage.cash_sale()  # nothing of the one before is to move any more first
    stage.say(DeviceFailed("bill", "link_lost"), DeviceReady("bill", "B1"))
    assert opened(stage.say(DeviceIdle("bill"))) == ["bill"]
    assert (acceptor(stage).state, acceptor(stage).sale) == ("taking", sale)


def test_unless_it_wants_no_more_cash_by_then() -> None:
    stage = Stage()
    stage.say(CancelAsked(stage.cash_sale()))
    sale = stage.cash_sale()
    stage.say(DeviceFailed("bill", "link_lost"), PaymentLeft(sale), DeviceReady("bill", "B1"), DeviceIdle("bill"))
    assert (acceptor(stage).state, acceptor(stage).sale) == ("closed", 0)


# Which device it is --------------------------------------------------------------------------------------------------


def test_another_device_in_its_place_is_an_alarm() -> None:
    stage = Stage()
    stage.say(DeviceReady("bill", "B1"), DeviceReady("bill"))
    assert stage.alarms() == set()
    stage.cash_sale()
    stage.say(DeviceReady("bill", "B2"))
    assert stage.alarms() == {"device_exchanged"}
    assert acceptor(stage).serial == "B2"


def test_what_its_counter_had_reached_before_our_time_is_remembered_and_never_goes_back() -> None:
    stage = Stage()
    stage.say(DeviceReady("coin", "C1", 57), DeviceReady("coin", "C1", 12))
    assert last_positions(stage.core)["coin"] == ("C1", 57)


# For whom it is open -------------------------------------------------------------------------------------------------


def test_it_opens_for_the_sale_that_chose_cash_with_its_denominations() -> None:
    stage = Stage()
    sale = stage.sale()
    commands = stage.say(CashChosen(sale, ("bill",)))
    assert commands == [OpenAcceptor("bill", TERMS.accept)]
    assert (acceptor(stage).state, acceptor(stage).sale) == ("taking", sale)


def test_it_closes_when_the_price_is_there_and_forgets_the_sale_when_nothing_moves_any_more() -> None:
    stage = Stage()
    stage.cash_sale()
    assert "bill" in closed(stage.insert(20, 20, 20))
    assert acceptor(stage).state == "draining"
    stage.say(DeviceIdle("bill"))
    assert (acceptor(stage).state, acceptor(stage).sale) == ("closed", 0)


def test_a_new_sale_waits_until_the_acceptors_are_idle() -> None:
    stage = Stage()
    first = stage.cash_sale()
    stage.say(CancelAsked(first))
    second = stage.cash_sale()
    assert acceptor(stage).sale == first
    assert opened(stage.say(DeviceIdle("bill"))) == ["bill"]
    assert (acceptor(stage).state, acceptor(stage).sale) == ("taking", second)


def test_cash_that_was_still_moving_belongs_to_the_sale_before() -> None:
    stage = Stage()
    first = stage.cash_sale()
    stage.say(CancelAsked(first))
    second = stage.cash_sale()
    coin(stage, 5)
    assert stage.books().posted.get(f"payer#{second}") is None
    assert stage.balances() == {"cashbox:coin": -500, "owed": 500}


def test_a_sale_that_takes_over_without_waiting_has_to_wait_too() -> None:
    stage = Stage()
    first = stage.cash_sale()
    second = stage.cash_sale()
    assert (acceptor(stage).state, acceptor(stage).sale) == ("draining", first)
    stage.say(DeviceIdle("bill"))
    assert acceptor(stage).sale == second


def test_who_leaves_while_another_one_waits_does_not_take_the_place_away() -> None:
    stage = Stage()
    first = stage.cash_sale()
    second = stage.cash_sale()
    stage.say(CancelAsked(first), DeviceIdle("bill"))
    assert (acceptor(stage).state, acceptor(stage).sale) == ("taking", second)


def test_of_two_that_wait_the_later_one_gets_it() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.cash_sale()
    third = stage.cash_sale()
    stage.say(DeviceIdle("bill"))
    assert acceptor(stage).sale == third


def test_who_waits_and_leaves_is_not_waited_for() -> None:
    stage = Stage()
    stage.cash_sale()
    second = stage.cash_sale()
    stage.say(CancelAsked(second))
    assert opened(stage.say(DeviceIdle("bill"))) == []
    assert acceptor(stage).state == "closed"


def test_choosing_cash_again_before_it_is_idle_opens_it_again() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.say(PaymentLeft(sale), CashChosen(sale, ("bill",)))
    assert opened(stage.say(DeviceIdle("bill"))) == ["bill"]
    assert stage.insert(20, 20, 20)
    assert stage.state(sale) == "delivering"


def test_choosing_other_devices_closes_those_that_were_not_chosen_again() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    assert closed(stage.say(CashChosen(sale, ("coin",)))) == ["bill"]


def test_a_late_idle_report_does_not_close_what_was_opened_since() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.say(DeviceIdle("bill"))
    assert acceptor(stage).state == "taking"


# How the device is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["jam", "cheat", "box_full", "link_lost"])
def test_a_device_that_fails_raises_an_alarm_and_goes_on_with_the_same_sale(fault: str) -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(20)
    stage.say(DeviceFailed("bill", fault, "0x43"))
    assert acceptor(stage).state == "failed"
    assert fault in stage.alarms()
    assert opened(stage.say(DeviceReady("bill", "B1"))) == ["bill"]
    stage.insert(20, 20)
    assert stage.state(sale) == "delivering"


@pytest.mark.parametrize("left", [CancelAsked, WalkedAway, PaymentLeft])
def test_a_device_that_failed_does_not_open_again_for_a_sale_that_wants_no_more(
    left: type[CancelAsked | WalkedAway | PaymentLeft],
) -> None:
    """Jam · the customer leaves · the jam is cleared → the acceptor stays closed."""
    stage = Stage()
    sale = stage.cash_sale()
    stage.say(DeviceFailed("bill", "jam"), left(sale))
    assert opened(stage.say(DeviceReady("bill", "B1"))) == []
    assert acceptor(stage).state == "closed"


def test_nor_for_one_that_was_covered_before_it_failed() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 20)
    stage.say(DeviceFailed("bill", "jam"))
    assert opened(stage.say(DeviceReady("bill", "B1"))) == []
    assert acceptor(stage).state == "draining"
    stage.say(DeviceIdle("bill"))
    assert acceptor(stage).state == "closed"


@pytest.mark.parametrize("device", ["nothing", "failed", "unboxed"])
def test_a_device_that_takes_nothing_is_not_opened(device: str) -> None:
    stage = Stage()
    stage.say(DeviceReady("failed"), DeviceFailed("failed", "jam"), DeviceReady("unboxed"), BoxRemoved("unboxed"))
    sale = stage.sale()
    assert opened(stage.say(CashChosen(sale, (device,)))) == []
    assert stage.books().tallies["sale/cash_unavailable"] == 0
    assert stage.state(sale) == "paying"


def test_a_device_that_says_that_it_is_ready_is_told_to_take_nothing() -> None:
    stage = Stage()
    assert closed(stage.say(DeviceReady("bill", "B2"))) == ["bill"]
    assert acceptor(stage).serial == "B2"


def test_a_device_that_started_anew_in_the_middle_is_opened_again() -> None:
    stage = Stage()
    stage.cash_sale()
    assert opened(stage.say(DeviceReady("bill", "B1"))) == ["bill"]


def test_the_terminal_starts_anew_and_every_acceptor_is_brought_to_rest() -> None:
    stage = Stage()
    stage.cash_sale()
    assert set(closed(stage.restart())) == {"bill", "coin"}
    assert acceptor(stage).state == "draining"


def test_the_last_position_and_the_serial_number_are_handed_to_the_driver_at_start() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20)
    stage.say(CoinInserted("hopper", 7, yuan(1)))  # before it ever said that it is ready
    stage.restart()
    assert last_positions(stage.core) == {"bill": ("B1", 1), "coin": ("C1", 0), "hopper": ("", 7)}


# Boxes ---------------------------------------------------------------------------------------------------------------


def test_a_box_that_is_taken_out_closes_the_acceptor_in_or_out_of_a_sale() -> None:
    stage = Stage()
    stage.cash_sale()
    assert closed(stage.say(BoxRemoved("bill"))) == ["bill"]
    assert acceptor(stage).state == "unboxed"
    assert "box_removed" in stage.alarms()
    assert opened(stage.say(DeviceReady("bill", "B1"))) == []


def test_the_next_box_has_a_number_of_its_own() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20)
    stage.say(BoxRemoved("bill"), BoxInserted("bill"))
    stage.cash_sale()
    stage.say(CashChosen(stage.cash_sale(), ("bill",)))
    stage.insert(10)
    posted = stage.books().posted
    assert (posted["cashbox:bill#1"], posted["cashbox:bill#2"]) == (-2000, -1000)


def test_a_note_that_was_stacked_while_the_box_was_taken_out_is_in_the_box_that_it_was_seen_for() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(BoxRemoved("bill"), BoxInserted("bill"), NoteStacked("bill", position))
    assert stage.books().posted["cashbox:bill#1"] == -2000


# Coins, and cash in the wrong moment ---------------------------------------------------------------------------------


def test_a_coin_is_money_as_soon_as_it_is_reported() -> None:
    stage = Stage()
    stage.cash_sale()
    coin(stage, 5)
    assert stage.balances() == {"cashbox:coin": -500, "payer": 500}


def test_a_coin_reported_twice_is_one_coin() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.next_position()
    stage.say(CoinInserted("coin", position, yuan(5)), CoinInserted("coin", position, yuan(5)))
    assert stage.balances() == {"cashbox:coin": -500, "payer": 500}


def test_a_coin_may_overshoot_and_the_rest_is_owed() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5)
    coin(stage, 5)
    assert stage.balances() == {"cashbox:bill": -4500, "cashbox:coin": -500, "payer": 4900, "owed": 100}


@pytest.mark.parametrize("fact", [None, DeviceFailed("coin", "jam"), BoxRemoved("coin")])
def test_a_coin_with_no_sale_open_is_suspense_in_any_state(fact: DeviceFailed | BoxRemoved | None) -> None:
    stage = Stage()
    if fact:
        stage.say(fact)
    coin(stage, 5)
    assert stage.balances() == {"cashbox:coin": -500, "suspense": 500}
    assert stage.only(Suspense).cause == "coin_without_sale"
    assert "suspense" in stage.alarms()


def test_a_coin_from_a_failed_device_is_still_the_sales() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.say(DeviceFailed("coin", "jam"))
    coin(stage, 5)
    assert stage.balances() == {"cashbox:coin": -500, "payer": 500}


def test_a_device_that_was_never_heard_of_reports_cash() -> None:
    """It is money before the device is known; and from then on the device is known."""
    stage = Stage()
    stage.say(CoinInserted("hopper", 3, yuan(5)), NoteStacked("feeder", 2, yuan(20)))
    assert stage.balances() == {"cashbox:hopper": -500, "cashbox:feeder": -2000, "suspense": 2500}
    assert stage.say(NoteEscrowed("mouth", 1, yuan(20))) == [ReturnNote("mouth", 1)]


def test_coins_that_the_device_lost_count_of_are_recorded_and_not_guessed() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    position = stage.next_position()
    stage.say(CoinsLost("coin", position), CoinsLost("coin", position))
    assert stage.balances() == {}
    assert [(one.cause, one.amount, one.sale) for one in stage.all(Suspense)] == [("coins_lost", None, sale)]
    assert "coins_lost" in stage.alarms()


def test_a_note_that_arrives_while_it_drains_is_given_back() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 20)
    position = stage.escrow(10)
    assert stage.said[-1] == ReturnNote("bill", position)
    stage.say(NoteReturned("bill", position))
    assert stage.commands(StackNote)[-1].position != position
