"""A top-up: sent, accepted with what was credited, short, declined, unknown, missing, late, reversed."""

import pytest

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.delivery import RESENDS_MAX, Delivery
from kiosk.flow.facts import OrderChosen
from kiosk.flow.order import Order
from kiosk.flow.terms import Route
from kiosk.ports.alarm import RaiseAlarm
from kiosk.ports.carrier import (
    AskTopUp,
    DeliveryFact,
    SendTopUp,
    TopUpAccepted,
    TopUpDeclined,
    TopUpNotFound,
    TopUpOverdue,
    TopUpReversed,
    TopUpUnheard,
)
from kiosk.ports.qr_rail import OrderPaid
from kiosk.ports.refunds import SendRefund
from tests.kiosk.flow.stage import Stage, yuan

TWO_ROUTES = (Route("cmcc", resend_safe=True), Route("reseller", resend_safe=False))
UNSAFE = (Route("reseller", resend_safe=False),)


def sent(stage: Stage, *, routes: tuple[Route, ...] = TWO_ROUTES[:1], fee: int = 0) -> int:
    """A sale of fifty for forty-nine in cash is covered exactly and its top-up is on the way."""
    sale = stage.cash_sale(routes=routes, fee=yuan(fee), cash_price=yuan(49 + fee))
    stage.insert(20, 20, 5, *[1] * (4 + fee))
    return sale


def paid_by_phone(stage: Stage) -> int:
    """The same, paid with a phone."""
    sale = stage.sale()
    stage.say(OrderChosen(sale, "wechat", refundable=True))
    stage.say(OrderPaid(stage.only(Order).key, Money(4985, "CNY"), "p1"))
    return sale


def test_it_is_sent_under_an_id_that_is_durable_with_its_price_reserved() -> None:
    stage = Stage()
    sale = sent(stage)
    assert stage.said[-1] == SendTopUp(stage.delivery(), "cmcc", sale, yuan(50))
    assert stage.books().reserved == {f"payer#{sale}": 4900}
    assert len(bytes.fromhex(stage.delivery())) >= 8  # at least 64 random bits


def test_accepted_and_the_discount_is_the_promotions() -> None:
    stage = Stage()
    sale = sent(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(50), "ref"), TopUpAccepted(stage.delivery(), yuan(50), "ref"))
    assert stage.state(sale) == "done"
    assert stage.balances() == {"cashbox:bill": -4900, "carrier:cmcc": 5000, "promotion": -100}


def test_the_fee_is_earned_with_the_delivery() -> None:
    stage = Stage()
    sent(stage, fee=2)
    assert "fee" not in stage.balances()
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.balances() == {"cashbox:bill": -5100, "carrier:cmcc": 5000, "promotion": -100, "fee": 200}


def test_a_shortfall_is_owed() -> None:
    stage = Stage()
    sale = sent(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(45)))
    assert stage.balances() == {"cashbox:bill": -4900, "carrier:cmcc": 4500, "promotion": -100, "owed": 500}
    assert stage.state(sale) == "done"
    assert "shortfall" in stage.alarms()


def test_a_shortfall_of_a_phone_payment_is_refunded() -> None:
    stage = Stage()
    paid_by_phone(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(45)))
    assert [refund.amount for refund in stage.commands(SendRefund)] == [yuan(5)]


def test_accepted_with_nothing_credited_gives_all_of_the_price_back() -> None:
    stage = Stage()
    sent(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(0)))
    assert stage.balances() == {"cashbox:bill": -4900, "owed": 4900}


def test_more_credited_than_was_asked_is_the_operators_loss() -> None:
    stage = Stage()
    sent(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(60)))
    assert stage.balances() == {
        "cashbox:bill": -4900,
        "carrier:cmcc": 6000,
        "promotion": -100,
        "loss:over_credited": -1000,
    }


# Proven failure ------------------------------------------------------------------------------------------------------


def test_declined_everything_is_given_back_with_the_fee() -> None:
    stage = Stage()
    sale = sent(stage, fee=2)
    stage.say(TopUpDeclined(stage.delivery(), "barred"))
    assert stage.state(sale) == "returned"
    assert stage.balances() == {"cashbox:bill": -5100, "owed": 5100}


def test_another_route_is_tried_under_another_id_after_a_proven_failure() -> None:
    stage = Stage()
    sale = sent(stage, routes=TWO_ROUTES)
    first = stage.delivery()
    stage.say(TopUpDeclined(first, "down"))
    assert stage.commands(SendTopUp)[-1].carrier == "reseller"
    assert stage.delivery() != first
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.state(sale) == "done"
    assert stage.balances() == {"cashbox:bill": -4900, "carrier:reseller": 5000, "promotion": -100}


def test_when_the_last_route_fails_too_everything_is_owed() -> None:
    stage = Stage()
    sent(stage, routes=TWO_ROUTES)
    stage.say(TopUpDeclined(stage.delivery(), "down"))
    stage.say(TopUpDeclined(stage.delivery(), "down"))
    assert len(stage.commands(SendTopUp)) == 2
    assert stage.balances() == {"cashbox:bill": -4900, "owed": 4900}


def test_declined_and_delivered_all_the_same_is_a_loss_and_never_resolves_again() -> None:
    stage = Stage()
    sent(stage)
    stage.say(TopUpDeclined(stage.delivery(), "no"), TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.balances() == {
        "cashbox:bill": -4900,
        "owed": 4900,
        "carrier:cmcc": 5000,
        "loss:delivered_after_decline": -5000,
    }
    assert "delivered_after_decline" in stage.alarms()


@pytest.mark.parametrize("again", [TopUpReversed, TopUpDeclined])
def test_and_taken_back_again_the_loss_is_made_good(again: type[TopUpReversed | TopUpDeclined]) -> None:
    stage = Stage()
    sent(stage)
    delivery = stage.delivery()
    stage.say(TopUpDeclined(delivery, "no"), TopUpAccepted(delivery, yuan(50)))
    stage.say(TopUpReversed(delivery) if again is TopUpReversed else TopUpDeclined(delivery, "no"))
    assert stage.only(Delivery).state == "recovered"
    assert stage.balances() == {
        "cashbox:bill": -4900,
        "owed": 4900,
        "loss:delivered_after_decline": -5000,
        "recovered:reversed_after_decline": 5000,
    }


# Unknown -------------------------------------------------------------------------------------------------------------


def test_silence_is_unknown_the_customer_gets_a_slip_and_the_carrier_is_asked() -> None:
    stage = Stage()
    sale = sent(stage)
    assert AskTopUp(stage.delivery(), "cmcc") in stage.say(TopUpUnheard(stage.delivery()))
    assert stage.state(sale) == "doubtful"
    assert stage.only(Claim).state == "waiting"
    assert stage.balances() == {"cashbox:bill": -4900, "payer": 4900}  # neither delivered nor owed


def test_late_success_ends_the_doubt() -> None:
    stage = Stage()
    sale = sent(stage)
    stage.say(TopUpUnheard(stage.delivery()), TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.state(sale) == "done"
    assert stage.only(Claim).state == "empty"


def test_late_failure_makes_the_code_worth_the_money() -> None:
    stage = Stage()
    sale = sent(stage)
    stage.say(TopUpUnheard(stage.delivery()), TopUpDeclined(stage.delivery(), "no"))
    assert stage.state(sale) == "returned"
    assert stage.only(Claim).state == "open"
    assert stage.balances() == {"cashbox:bill": -4900, "owed": 4900}


def test_late_failure_with_another_route_left_stays_doubtful_until_that_one_has_said() -> None:
    """Nobody stands there any more: the code on the slip has to lead to the end, whatever it is."""
    stage = Stage()
    sale = sent(stage, routes=TWO_ROUTES)
    stage.say(TopUpUnheard(stage.delivery()), TopUpDeclined(stage.delivery(), "no"))
    assert stage.state(sale) == "doubtful"
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert (stage.state(sale), stage.only(Claim).state) == ("done", "empty")


def test_no_time_ever_refunds_what_is_unknown() -> None:
    stage = Stage()
    sent(stage)
    stage.say(TopUpUnheard(stage.delivery()), *[TopUpOverdue(stage.delivery())] * 3)
    assert stage.balances() == {"cashbox:bill": -4900, "payer": 4900}
    assert "delivery_needs_a_person" in stage.alarms()


def test_overdue_before_anybody_said_that_nothing_is_heard() -> None:
    stage = Stage()
    sale = sent(stage)
    stage.say(TopUpOverdue(stage.delivery()))
    assert stage.state(sale) == "doubtful"


def test_not_found_right_after_the_send_may_be_a_race() -> None:
    stage = Stage()
    sent(stage)
    delivery = stage.delivery()
    stage.say(TopUpNotFound(delivery))
    assert stage.say(TopUpNotFound(delivery)) == [AskTopUp(delivery, "cmcc")]
    assert len(stage.commands(SendTopUp)) == 1
    stage.say(TopUpNotFound(delivery))  # asked twice more: now the same id goes out again
    assert [send.delivery for send in stage.commands(SendTopUp)] == [delivery, delivery]
    stage.say(TopUpAccepted(delivery, yuan(50)))
    assert stage.balances() == {"cashbox:bill": -4900, "carrier:cmcc": 5000, "promotion": -100}


def test_where_a_resend_is_not_safe_only_a_person_goes_on() -> None:
    stage = Stage()
    sent(stage, routes=UNSAFE)
    for _ in range(5):
        stage.say(TopUpNotFound(stage.delivery()))
    assert len(stage.commands(SendTopUp)) == 1
    assert stage.commands(RaiseAlarm).count(RaiseAlarm("delivery_needs_a_person", stage.only(Delivery).number)) == 1
    assert len(stage.commands(AskTopUp)) == 5


def test_it_is_not_sent_again_for_ever() -> None:
    stage = Stage()
    sent(stage)
    for _ in range(4 * RESENDS_MAX):
        stage.say(TopUpNotFound(stage.delivery()))
    assert len(stage.commands(SendTopUp)) == 1 + RESENDS_MAX
    assert "delivery_needs_a_person" in stage.alarms()


# Reversed ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reversal", [TopUpReversed, TopUpDeclined])
def test_reversed_days_later_reopens_the_sales_code(reversal: type[TopUpReversed | TopUpDeclined]) -> None:
    stage = Stage()
    sale = sent(stage, fee=2)
    delivery = stage.delivery()
    stage.say(TopUpAccepted(delivery, yuan(50)))
    stage.say(TopUpReversed(delivery) if reversal is TopUpReversed else TopUpDeclined(delivery, "no"))
    assert stage.state(sale) == "returned"
    assert stage.balances() == {"cashbox:bill": -5100, "owed": 5100}
    assert stage.only(Claim).state == "open"
    assert "delivery_reversed" in stage.alarms()


@pytest.mark.parametrize("credited", [45, 60, 0])
def test_reversed_after_another_amount_was_credited(credited: int) -> None:
    """Whatever the acceptance booked goes back, all but what was a loss and is recovered now."""
    stage = Stage()
    sent(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(credited)), TopUpReversed(stage.delivery()))
    balances = stage.balances()
    assert balances.pop("loss:over_credited", 0) + balances.pop("recovered:over_credited", 0) == 0
    assert balances == {"cashbox:bill": -4900, "owed": 4900}


def test_reversed_after_a_phone_payment_is_refunded() -> None:
    stage = Stage()
    paid_by_phone(stage)
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)), TopUpReversed(stage.delivery()))
    assert [refund.amount for refund in stage.commands(SendRefund)] == [Money(4985, "CNY")]


def test_reversed_and_accepted_once_more_is_an_alarm() -> None:
    stage = Stage()
    sent(stage)
    delivery = stage.delivery()
    stage.say(TopUpAccepted(delivery, yuan(50)), TopUpReversed(delivery), TopUpAccepted(delivery, yuan(50)))
    assert "delivery_contradiction" in stage.alarms()
    assert stage.balances() == {"cashbox:bill": -4900, "owed": 4900}


@pytest.mark.parametrize("before", [[], [TopUpUnheard], [TopUpNotFound, TopUpNotFound]], ids=len)
@pytest.mark.parametrize("failure", [TopUpReversed, TopUpDeclined])
def test_proven_failure_frees_the_money_in_any_state(
    failure: type[TopUpReversed | TopUpDeclined], before: list[type[TopUpUnheard | TopUpNotFound]]
) -> None:
    stage = Stage()
    sale = sent(stage)
    stage.say(*[fact(stage.delivery()) for fact in before])
    stage.say(TopUpReversed(stage.delivery()) if failure is TopUpReversed else TopUpDeclined(stage.delivery(), "no"))
    assert stage.state(sale) == "returned"
    assert stage.balances() == {"cashbox:bill": -4900, "owed": 4900}


# After a power cut ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [[], [TopUpUnheard], [TopUpNotFound, TopUpNotFound]])
def test_after_a_start_the_carrier_is_asked_and_nothing_is_sent_again(before: list[type[DeliveryFact]]) -> None:
    stage = Stage()
    sale = sent(stage)
    for fact in before:
        stage.say(fact(stage.delivery()))
    commands = stage.restart()
    assert AskTopUp(stage.delivery(), "cmcc") in commands
    assert not any(isinstance(command, SendTopUp) for command in commands)
    assert stage.state(sale) == "doubtful"
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.state(sale) == "done"


def test_news_of_an_unknown_delivery() -> None:
    stage = Stage()
    stage.say(TopUpDeclined("unknown", "no"), TopUpUnheard("unknown"), TopUpNotFound("unknown"))
    assert stage.alarms() == set()
    stage.say(TopUpAccepted("unknown", yuan(50)))
    assert stage.alarms() == {"delivery_contradiction"}
    assert stage.balances() == {}
