"""A phone payment: made, shown, scanned, paid, late, twice, in the wrong amount, closed, and taken back."""

import pytest

from kiosk.amount import Money
from kiosk.flow.facts import CancelAsked, OrderChosen, PaymentLeft
from kiosk.flow.order import Order
from kiosk.flow.reckoning import Sale
from kiosk.flow.suspense import Suspense
from kiosk.ports.carrier import SendTopUp, TopUpAccepted
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import (
    AskOrder,
    CloseOrder,
    MakeOrder,
    OrderChargedBack,
    OrderClosed,
    OrderMade,
    OrderPaid,
    OrderRefundedElsewhere,
    OrderRefused,
    OrderScanned,
    OrderUnheard,
)
from kiosk.ports.refunds import SendRefund
from tests.kiosk.flow.stage import Stage, yuan

PRICE = Money(4985, "CNY")


def ordered(stage: Stage, *, refundable: bool = True) -> tuple[int, str]:
    """A sale that is to be paid by phone, and the id of its order."""
    sale = stage.sale()
    stage.say(OrderChosen(sale, "wechat", refundable))
    return sale, stage.only(Order).key


def test_an_order_is_made_for_the_price_under_our_id() -> None:
    stage = Stage()
    _, order = ordered(stage)
    assert stage.said[-1] == MakeOrder(order, "wechat", PRICE)
    assert len(bytes.fromhex(order)) >= 8  # at least 64 random bits


def test_made_shown_scanned_paid() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    for fact, state in ((OrderMade(order), "shown"), (OrderScanned(order), "scanned")):
        stage.say(fact)
        assert stage.only(Order).state == state
    stage.say(OrderPaid(order, PRICE, "p1"))
    assert stage.only(Order).state == "paid"
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"rail:wechat": -4985, "payer": 4985}


def test_the_same_payment_reported_twice_is_one_payment() -> None:
    stage = Stage()
    _, order = ordered(stage)
    stage.say(OrderPaid(order, PRICE, "p1"), OrderPaid(order, PRICE, "p1"))
    assert stage.balances() == {"rail:wechat": -4985, "payer": 4985}


def test_paid_twice_is_delivered_once_and_refunded_once() -> None:
    stage = Stage()
    _, order = ordered(stage)
    stage.say(OrderPaid(order, PRICE, "p1"), OrderPaid(order, PRICE, "p2"))
    assert len(stage.commands(SendTopUp)) == 1
    assert [(refund.payment, refund.amount) for refund in stage.commands(SendRefund)] == [(order, PRICE)]
    assert "paid_twice" in stage.alarms()


def test_paid_twice_on_a_rail_that_cannot_refund_is_owed() -> None:
    stage = Stage()
    _, order = ordered(stage, refundable=False)
    stage.say(OrderPaid(order, PRICE, "p1"), OrderPaid(order, PRICE, "p2"))
    assert stage.commands(SendRefund) == []
    assert stage.balances() == {"rail:wechat": -9970, "payer": 4985, "owed": 4985}


def test_refused_by_the_rail_another_kind_can_be_chosen() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(OrderRefused(order, "limit"))
    assert stage.only(Order).state == "closed"
    stage.say(OrderChosen(sale, "alipay", refundable=True))
    assert stage.commands(MakeOrder)[-1].rail == "alipay"


def bring_to(stage: Stage, state: str) -> tuple[int, str]:
    """A sale whose order is in that state."""
    sale, order = ordered(stage)
    ways: dict[str, list[Fact]] = {
        "making": [],
        "shown": [OrderMade(order)],
        "scanned": [OrderMade(order), OrderScanned(order)],
        "closing": [PaymentLeft(sale)],
        "closed": [OrderClosed(order)],
    }
    stage.say(*ways[state])
    assert stage.only(Order).state == state
    return sale, order


@pytest.mark.parametrize("state", ["making", "shown", "scanned", "closing", "closed"])
def test_paid_is_money_in_any_state(state: str) -> None:
    stage = Stage()
    sale, order = bring_to(stage, state)
    stage.say(OrderPaid(order, PRICE, "p1"))
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"rail:wechat": -4985, "payer": 4985}


@pytest.mark.parametrize("state", ["making", "shown", "scanned", "closing", "closed"])
def test_paid_in_another_amount_is_kept_apart_in_any_state(state: str) -> None:
    stage = Stage()
    sale, order = bring_to(stage, state)
    stage.say(OrderPaid(order, yuan(5), "p1"), OrderPaid(order, yuan(6), "p2"))
    assert stage.only(Order).state == "suspended"
    assert stage.balances() == {"rail:wechat": -1100, "suspense": 1100}
    assert stage.thing(sale, Sale).parts == ()


@pytest.mark.parametrize("state", ["making", "shown", "scanned", "closing"])
def test_closed_unpaid_is_the_end_of_it_in_any_state(state: str) -> None:
    stage = Stage()
    sale, order = bring_to(stage, state)
    stage.say(OrderClosed(order), OrderClosed(order))
    assert stage.only(Order).state == "closed"
    assert stage.thing(sale, Sale).parts == ()


@pytest.mark.parametrize("state", ["making", "shown", "scanned"])
def test_silence_is_never_an_end(state: str) -> None:
    stage = Stage()
    _, order = bring_to(stage, state)
    assert stage.say(OrderUnheard(order)) == [AskOrder(order, "wechat")]
    assert stage.only(Order).state == state


@pytest.mark.parametrize("state", ["making", "shown", "scanned", "closing", "closed"])
@pytest.mark.parametrize("take_back", [OrderChargedBack, OrderRefundedElsewhere])
def test_what_was_never_paid_cannot_be_taken_back(
    take_back: type[OrderChargedBack | OrderRefundedElsewhere], state: str
) -> None:
    stage = Stage()
    _, order = bring_to(stage, state)
    stage.say(take_back(order, PRICE))
    assert stage.balances() == {}
    assert "order_contradiction" in stage.alarms()


# Not wanted any more -------------------------------------------------------------------------------------------------


def test_leaving_closes_the_order_and_waits_for_the_rails_word() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    assert CloseOrder(order, "wechat") in stage.say(CancelAsked(sale))
    assert stage.state(sale) == "closing"
    assert stage.say(OrderUnheard(order)) == [CloseOrder(order, "wechat")]  # silence is no answer
    stage.say(OrderClosed(order))
    assert stage.state(sale) == "cancelled"
    assert stage.balances() == {}


def test_paid_in_the_moment_of_the_cancellation_is_refunded_exactly_once() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(CancelAsked(sale), OrderPaid(order, PRICE, "p1"), OrderPaid(order, PRICE, "p1"), OrderClosed(order))
    assert stage.state(sale) == "returned"
    assert [refund.amount for refund in stage.commands(SendRefund)] == [PRICE]
    assert stage.commands(SendTopUp) == []


def test_paid_late_after_it_was_closed_and_the_sale_is_over() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(CancelAsked(sale), OrderClosed(order), OrderPaid(order, PRICE, "p1"))
    assert stage.only(Order).state == "paid"
    assert [refund.amount for refund in stage.commands(SendRefund)] == [PRICE]
    assert stage.counted("order/paid_late") == 4985


def test_paid_late_after_another_kind_was_chosen_covers_the_sale_if_it_comes_first() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(PaymentLeft(sale), OrderClosed(order), OrderPaid(order, PRICE, "p1"))
    assert stage.state(sale) == "delivering"


def test_the_first_payment_that_covers_the_sale_fulfils_it_and_the_other_is_refunded() -> None:
    stage = Stage()
    sale, first = ordered(stage)
    stage.say(OrderChosen(sale, "alipay", refundable=True))
    second = stage.only(Order).key
    stage.say(OrderPaid(second, PRICE, "a1"), OrderPaid(first, PRICE, "p1"))
    assert len(stage.commands(SendTopUp)) == 1
    assert [refund.payment for refund in stage.commands(SendRefund)] == [first]


# What was not asked --------------------------------------------------------------------------------------------------


def test_another_amount_is_kept_apart_until_a_person_has_looked() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(OrderPaid(order, yuan(5), "p1"))
    assert stage.only(Order).state == "suspended"
    assert stage.balances() == {"rail:wechat": -500, "suspense": 500}
    assert (stage.only(Suspense).cause, stage.only(Suspense).sale) == ("order_amount_differs", sale)
    assert stage.state(sale) == "paying"


def test_a_payment_for_an_order_that_nobody_made() -> None:
    stage = Stage()
    stage.say(OrderPaid("unknown", yuan(5), "p1"), OrderPaid("unknown", yuan(5), "p1"))
    assert stage.balances() == {"rail:unknown": -500, "suspense": 500}
    assert stage.only(Suspense).cause == "order_unknown"


def test_another_amount_first_and_then_the_right_one() -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(OrderPaid(order, yuan(5), "p1"), OrderPaid(order, PRICE, "p2"))
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"rail:wechat": -5485, "suspense": 500, "payer": 4985}


# Taken back ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("take_back", "cause"), [
    (OrderChargedBack, "charged_back"),
    (OrderRefundedElsewhere, "refunded_elsewhere"),
])  # fmt: skip
def test_what_is_taken_back_after_the_delivery_is_the_operators_loss(
    take_back: type[OrderChargedBack | OrderRefundedElsewhere], cause: str
) -> None:
    stage = Stage()
    _, order = ordered(stage)
    stage.say(OrderPaid(order, PRICE, "p1"))
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    stage.say(take_back(order, PRICE), take_back(order, PRICE))
    assert stage.balances() == {"carrier:cmcc": 5000, "promotion": -15, f"loss:{cause}": -4985}
    assert cause in stage.alarms()
    stage.say(OrderPaid(order, PRICE, "p2"))  # and paid again: that is money like any other
    assert stage.balances()["rail:wechat"] == -4985


@pytest.mark.parametrize("take_back", [OrderChargedBack, OrderRefundedElsewhere])
def test_what_was_never_asked_can_be_taken_back_too(take_back: type[OrderChargedBack | OrderRefundedElsewhere]) -> None:
    stage = Stage()
    stage.say(OrderPaid("unknown", yuan(5), "p1"), take_back("unknown", yuan(5)))
    assert "rail:unknown" not in stage.balances()


@pytest.mark.parametrize("take_back", [OrderChargedBack, OrderRefundedElsewhere])
def test_each_case_is_taken_back_once_and_all_of_them_no_more_than_there_was(
    take_back: type[OrderChargedBack | OrderRefundedElsewhere],
) -> None:
    stage = Stage()
    _, order = ordered(stage)
    stage.say(OrderPaid(order, PRICE, "p1"))
    first, second = take_back(order, yuan(20), "c1"), take_back(order, yuan(10), "c2")
    stage.say(first, first, second, first, second)
    assert stage.balances()["rail:wechat"] == -1985
    assert "order_contradiction" not in stage.alarms()
    stage.say(take_back(order, PRICE, "c3"))
    assert "rail:wechat" not in stage.balances()
    assert "order_contradiction" in stage.alarms()
    assert stage.untied() == []


# After a power cut ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [OrderMade, OrderScanned])
def test_after_a_start_the_rail_is_asked_to_close_the_order_or_to_say_that_it_was_paid(
    before: type[OrderMade | OrderScanned],
) -> None:
    stage = Stage()
    sale, order = ordered(stage)
    stage.say(before(order))
    assert CloseOrder(order, "wechat") in stage.restart()
    stage.say(OrderPaid(order, PRICE, "p1"))
    assert stage.state(sale) == "returned"  # nobody stands there any more, and nothing smaller may be delivered
    assert [refund.amount for refund in stage.commands(SendRefund)] == [PRICE]


@pytest.mark.parametrize(
    "fact",
    [OrderMade("late"), OrderScanned("late"), OrderClosed("late"), OrderRefused("late", "no"), OrderUnheard("late")],
    ids=lambda fact: type(fact).__name__,
)
def test_news_of_an_unknown_order_change_nothing(fact: Fact) -> None:
    stage = Stage()
    assert stage.say(fact) == []
    assert stage.all(Order) == []
