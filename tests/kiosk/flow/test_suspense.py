"""Money without a home: it waits for a count or a person, and never for time."""

import pytest

from kiosk.flow.claim import Claim
from kiosk.flow.facts import BoxCounted, CancelAsked, DoubtSettled, OrderChosen, SuspenseSettled
from kiosk.flow.order import Order
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import BoxRemoved
from kiosk.ports.bill_validator import NoteUnaccounted
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.qr_rail import OrderPaid
from kiosk.ports.slip import PrintSlip
from tests.kiosk.flow.stage import Stage, yuan


def coin_without_sale(stage: Stage) -> int:
    """A coin that nobody's sale asked for; the number of the suspense."""
    stage.say(CoinInserted("coin", stage.next_position(), yuan(5)))
    return stage.only(Suspense).number


def jammed(stage: Stage) -> int:
    """A note that jams and whose customer gives up; the number of the suspense."""
    sale = stage.cash_sale()
    stage.say(NoteUnaccounted("bill", stage.escrow(20), "jam"), CancelAsked(sale))
    assert stage.state(sale) == "cancelled"
    return stage.only(Suspense).number


def test_a_person_says_that_it_is_the_houses() -> None:
    stage = Stage()
    number = coin_without_sale(stage)
    stage.say(SuspenseSettled(number, "house", "anna"), SuspenseSettled(number, "house", "anna"))
    assert stage.balances() == {"cashbox:coin": -500, "surplus": 500}


def test_it_waits_over_any_number_of_starts() -> None:
    stage = Stage()
    number = coin_without_sale(stage)
    stage.restart()
    assert stage.state(number) == "waiting"


def test_a_doubtful_note_that_is_found_is_the_customers() -> None:
    """Insert 20 · jam · the customer gives up · the box is counted and the note is there → owed 20."""
    stage = Stage()
    number = jammed(stage)
    stage.say(DoubtSettled(number, found=True, by="anna"))
    assert stage.balances() == {"cashbox:bill": -2000, "owed": 2000}


def test_a_doubtful_note_that_is_not_there_never_came_in() -> None:
    stage = Stage()
    number = jammed(stage)
    stage.say(DoubtSettled(number, found=False, by="anna"), DoubtSettled(number, found=True, by="anna"))
    assert stage.balances() == {}


def test_a_doubtful_note_has_to_be_looked_for_before_anybody_may_have_it() -> None:
    stage = Stage()
    number = jammed(stage)
    stage.say(SuspenseSettled(number, "customer", "anna"), SuspenseSettled(number, "house", "anna"))
    assert stage.state(number) == "doubtful"
    assert stage.balances() == {"doubt:bill": -2000, "suspense": 2000}


def test_a_doubtful_note_of_nobodys_that_is_found_waits_for_a_person() -> None:
    stage = Stage()
    position = stage.escrow(20)
    stage.say(NoteUnaccounted("bill", position, "jam"))
    number = stage.only(Suspense).number
    stage.say(DoubtSettled(number, found=True, by="anna"))
    assert stage.balances() == {"cashbox:bill": -2000, "suspense": 2000}
    stage.say(SuspenseSettled(number, "house", "anna"))
    assert stage.balances() == {"cashbox:bill": -2000, "surplus": 2000}


def other_amount(stage: Stage) -> tuple[int, int]:
    """A phone paid five yuan for an order of another amount; the sale, and the number of the suspense."""
    sale = stage.sale()
    stage.say(OrderChosen(sale, "wechat", refundable=True))
    stage.say(OrderPaid(stage.only(Order).key, yuan(5), "p1"))
    return sale, stage.only(Suspense).number


def test_a_payment_in_another_amount_is_given_to_the_customer_by_a_person() -> None:
    stage = Stage()
    sale, number = other_amount(stage)
    stage.say(CancelAsked(sale), SuspenseSettled(number, "customer", "anna"))
    assert stage.state(sale) == "cancelled"
    assert stage.balances() == {"rail:wechat": -500, "owed": 500}


def test_or_counts_for_the_sale_while_it_is_open() -> None:
    stage = Stage()
    sale, number = other_amount(stage)
    stage.say(SuspenseSettled(number, "customer", "anna"), SuspenseSettled(number, "customer", "anna"))
    assert stage.state(sale) == "paying"
    assert stage.balances() == {"rail:wechat": -500, "payer": 500}


def test_a_customer_without_a_sale_gets_it_under_a_new_code() -> None:
    stage = Stage()
    stage.say(OrderPaid("unknown", yuan(5), "p1"))
    stage.say(SuspenseSettled(stage.only(Suspense).number, "customer", "anna"))
    claim = stage.only(Claim)
    assert (claim.state, claim.balance) == ("open", yuan(5))
    assert PrintSlip("claim", 0, claim.number) in stage.said
    assert stage.balances() == {"rail:unknown": -500, "owed": 500}
    assert stage.untied() == []


def coins_lost(stage: Stage) -> int:
    """The coin acceptor lost count during a visit; the number of the suspense."""
    stage.cash_sale()
    stage.say(CoinsLost("coin", stage.next_position()))
    return stage.only(Suspense).number


@pytest.mark.parametrize("whose", ["customer", "house"])
def test_what_nobody_knows_the_worth_of_moves_no_money(whose: str) -> None:
    stage = Stage()
    number = coins_lost(stage)
    stage.say(SuspenseSettled(number, "house" if whose == "house" else "customer", "anna"))
    assert stage.state(number) == ("settled" if whose == "house" else "waiting")
    assert stage.balances() == {}


def test_unless_a_person_says_what_it_is_worth_and_then_it_comes_out_of_the_surplus_of_the_box() -> None:
    stage = Stage()
    number = coins_lost(stage)
    stage.say(
        SuspenseSettled(number, "customer", "anna", yuan(3)), SuspenseSettled(number, "customer", "anna", yuan(3))
    )
    assert stage.state(number) == "settled"
    assert stage.balances() == {"surplus": -300, "payer": 300}
    stage.say(BoxRemoved("coin"), BoxCounted("coin", 1, yuan(3), yuan(0), "anna"))
    assert stage.balances() == {"collected:coin": -300, "payer": 300}
    assert stage.untied() == []


def test_who_names_another_amount_than_the_known_one_is_not_believed() -> None:
    stage = Stage()
    stage.say(OrderPaid("unknown", yuan(5), "p1"))
    number = stage.only(Suspense).number
    stage.say(SuspenseSettled(number, "customer", "anna", yuan(50)))
    assert stage.state(number) == "waiting"
    assert stage.balances() == {"rail:unknown": -500, "suspense": 500}
