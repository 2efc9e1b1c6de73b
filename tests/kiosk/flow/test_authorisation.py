"""A bank card: approved, declined, unknown, reversed, charged back, and what the terminal says too late."""

import pytest

from kiosk.amount import Money
from kiosk.flow.authorisation import Authorisation
from kiosk.flow.facts import CancelAsked, CardChosen, OrderChosen, PaymentLeft
from kiosk.flow.order import Order
from kiosk.flow.suspense import Suspense
from kiosk.ports.card_terminal import (
    AbortCard,
    AskCard,
    AuthoriseCard,
    CardApproved,
    CardChargedBack,
    CardDeclined,
    CardReversed,
    CardUnheard,
)
from kiosk.ports.carrier import TopUpAccepted, TopUpDeclined
from kiosk.ports.qr_rail import OrderPaid
from kiosk.ports.refunds import SendRefund
from tests.kiosk.flow.stage import Stage, yuan

PRICE = Money(4985, "CNY")


def asked(stage: Stage) -> tuple[int, str]:
    """A sale that is to be paid by card, and the id of its authorisation."""
    sale = stage.sale()
    stage.say(CardChosen(sale, "front"))
    return sale, stage.only(Authorisation).key


def test_approved_is_money() -> None:
    stage = Stage()
    sale, card = asked(stage)
    assert stage.said[-1] == AuthoriseCard(card, "front", PRICE)
    stage.say(CardApproved(card, PRICE), CardApproved(card, PRICE))
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"terminal:front": -4985, "payer": 4985}


def test_declined_another_kind_can_be_chosen() -> None:
    stage = Stage()
    sale, card = asked(stage)
    stage.say(CardDeclined(card, "funds"), OrderChosen(sale, "wechat", refundable=True))
    stage.say(OrderPaid(stage.only(Order).key, PRICE, "p1"))
    assert stage.state(sale) == "delivering"


def test_silence_is_unknown_and_the_terminal_is_asked_for_as_long_as_it_takes() -> None:
    stage = Stage()
    sale, card = asked(stage)
    assert stage.say(CardUnheard(card)) == [AskCard(card, "front")]
    assert stage.say(CardUnheard(card)) == [AskCard(card, "front")]
    stage.say(CardApproved(card, PRICE))
    assert stage.state(sale) == "delivering"


def test_leaving_aborts_and_the_terminals_own_report_decides() -> None:
    stage = Stage()
    sale, card = asked(stage)
    assert AbortCard(card, "front") in stage.say(CancelAsked(sale))
    assert stage.say(CardUnheard(card)) == [AskCard(card, "front")]
    assert stage.state(sale) == "closing"
    stage.say(CardDeclined(card, "aborted"))
    assert stage.state(sale) == "cancelled"


def test_approved_in_the_moment_of_the_abort_is_refunded() -> None:
    stage = Stage()
    sale, card = asked(stage)
    stage.say(CancelAsked(sale), CardApproved(card, PRICE))
    assert stage.state(sale) == "returned"
    assert [(refund.provider, refund.payment) for refund in stage.commands(SendRefund)] == [("terminal:front", card)]


def test_approved_in_the_moment_of_the_change_to_another_kind_covers_the_sale() -> None:
    stage = Stage()
    sale, card = asked(stage)
    stage.say(PaymentLeft(sale), CardApproved(card, PRICE))
    assert stage.state(sale) == "delivering"


def test_reversed_before_it_was_approved_is_a_decline() -> None:
    stage = Stage()
    sale, card = asked(stage)
    stage.say(CancelAsked(sale), CardReversed(card))
    assert stage.state(sale) == "cancelled"
    assert stage.balances() == {}


def test_approved_after_it_was_declined_is_money_and_an_alarm() -> None:
    stage = Stage()
    sale, card = asked(stage)
    stage.say(CancelAsked(sale), CardDeclined(card, "no"), CardApproved(card, PRICE))
    assert "card_approved_after_decline" in stage.alarms()
    assert [refund.amount for refund in stage.commands(SendRefund)] == [PRICE]


def test_declined_after_it_was_approved_is_only_an_alarm() -> None:
    stage = Stage()
    _, card = asked(stage)
    stage.say(CardApproved(card, PRICE), CardDeclined(card, "no"))
    assert stage.balances() == {"terminal:front": -4985, "payer": 4985}
    assert "card_contradiction" in stage.alarms()


# Taken back ----------------------------------------------------------------------------------------------------------


def test_reversed_after_the_delivery_is_the_operators_loss() -> None:
    stage = Stage()
    _, card = asked(stage)
    stage.say(CardApproved(card, PRICE))
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)), CardReversed(card))
    assert stage.balances() == {"carrier:cmcc": 5000, "promotion": -15, "loss:card_reversed": -4985}
    stage.say(CardReversed(card), CardChargedBack(card, PRICE))  # corrected once
    assert stage.balances() == {"carrier:cmcc": 5000, "promotion": -15, "loss:card_reversed": -4985}
    assert "card_contradiction" in stage.alarms()


def test_charged_back_in_part() -> None:
    stage = Stage()
    _, card = asked(stage)
    stage.say(CardApproved(card, PRICE), CardChargedBack(card, yuan(20)))
    assert stage.balances() == {"terminal:front": -2985, "payer": 4985, "loss:charged_back": -2000}
    stage.say(CardChargedBack(card, yuan(20)), CardChargedBack(card, yuan(10), "another case"))
    assert stage.balances() == {"terminal:front": -1985, "payer": 4985, "loss:charged_back": -3000}


def test_reversed_while_its_refund_is_under_way() -> None:
    """Both stand in the books: what the acquirer took back is a loss, and the refund goes its own way."""
    stage = Stage()
    _, card = asked(stage)
    stage.say(CardApproved(card, PRICE))
    stage.say(TopUpDeclined(stage.delivery(), "no"), CardReversed(card))
    assert stage.balances() == {"payer": 4985, "loss:card_reversed": -4985}


def test_what_was_never_approved_cannot_be_charged_back() -> None:
    stage = Stage()
    _, card = asked(stage)
    stage.say(CardChargedBack(card, PRICE))
    assert stage.balances() == {}
    assert "card_contradiction" in stage.alarms()


# What was not asked --------------------------------------------------------------------------------------------------


def test_another_amount_is_kept_apart_until_a_person_has_looked() -> None:
    stage = Stage()
    sale, card = asked(stage)
    stage.say(CardApproved(card, yuan(5)))
    assert stage.balances() == {"terminal:front": -500, "suspense": 500}
    assert (stage.only(Suspense).cause, stage.only(Suspense).sale) == ("card_amount_differs", sale)
    assert stage.state(sale) == "paying"


def test_an_authorisation_that_nobody_asked_for() -> None:
    stage = Stage()
    stage.say(CardApproved("unknown", yuan(5)))
    assert stage.balances() == {"terminal:unknown": -500, "suspense": 500}
    assert stage.only(Suspense).cause == "card_unknown"


@pytest.mark.parametrize("fact", [CardReversed("unknown"), CardChargedBack("unknown", yuan(5))])
def test_and_it_can_be_taken_back_too(fact: CardReversed | CardChargedBack) -> None:
    stage = Stage()
    stage.say(CardApproved("unknown", yuan(5)), fact)
    assert "terminal:unknown" not in stage.balances()


def test_after_a_start_the_terminal_is_asked() -> None:
    stage = Stage()
    sale, card = asked(stage)
    assert {AbortCard(card, "front"), AskCard(card, "front")} <= set(stage.restart())
    stage.say(CardApproved(card, PRICE))
    assert stage.state(sale) == "returned"
    assert [refund.amount for refund in stage.commands(SendRefund)] == [PRICE]
