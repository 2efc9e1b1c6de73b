"""A sale: what it takes, what it costs, and how kinds of payment meet in it."""

import pytest

from kiosk.amount import Money
from kiosk.flow.authorisation import Authorisation
from kiosk.flow.claim import Claim
from kiosk.flow.facts import CancelAsked, CardChosen, CashChosen, ClaimChosen, ExcessChosen, OrderChosen, PaymentLeft
from kiosk.flow.order import Order
from kiosk.flow.reckoning import PARTS_MAX, Sale
from kiosk.ports.acceptor import DeviceIdle, OpenAcceptor
from kiosk.ports.bill_validator import NoteStacked, ReturnNote, StackNote
from kiosk.ports.card_terminal import AuthoriseCard, CardApproved, CardDeclined
from kiosk.ports.carrier import SendTopUp, TopUpAccepted, TopUpDeclined
from kiosk.ports.qr_rail import MakeOrder, OrderClosed, OrderPaid
from kiosk.ports.refunds import SendRefund
from tests.kiosk.flow.stage import Stage, yuan


def taken(stage: Stage, amount: int) -> bool:
    """Is a note of so many yuan taken out of escrow, or given back?"""
    position = stage.escrow(amount)
    decision = stage.said[-1]
    assert decision in {StackNote("bill", position), ReturnNote("bill", position)}
    return isinstance(decision, StackNote)


# What is taken in escrow ---------------------------------------------------------------------------------------------


def test_only_denominations_that_were_agreed() -> None:
    stage = Stage()
    stage.cash_sale(accept=(yuan(20),))
    assert taken(stage, 20)
    assert not taken(stage, 10)


def test_only_as_much_cash_as_one_sale_may_bring_in() -> None:
    stage = Stage()
    stage.cash_sale(cash_limit=yuan(30))
    stage.insert(20)
    assert not taken(stage, 20)
    assert taken(stage, 10)
    assert not taken(stage, 1)  # the note before it is still on its way


def test_only_as_far_beyond_the_price_as_was_agreed() -> None:
    stage = Stage()
    stage.cash_sale(overpay_limit=yuan(11))
    stage.insert(20, 20)  # nine are missing
    assert not taken(stage, 50)
    assert taken(stage, 20)


def test_nothing_when_nothing_is_missing() -> None:
    """Two acceptors can each hold a note: the first one may already be enough."""
    stage = Stage()
    stage.cash_sale()
    assert taken(stage, 50)
    assert not taken(stage, 50)


def test_nothing_after_the_customer_went_back() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.say(PaymentLeft(sale))
    assert not taken(stage, 20)


def test_no_cash_without_a_slip_or_consent() -> None:
    stage = Stage()
    sale = stage.cash_sale(slip=False)
    assert stage.commands(OpenAcceptor) == []
    assert stage.thing(sale, Sale).lanes == ()


# The price in cash ---------------------------------------------------------------------------------------------------


def test_cash_pays_a_price_that_cash_can_pay_and_the_difference_is_the_promotions() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(20, 20, 5, 1, 1, 1)
    assert stage.state(sale) == "paying"
    stage.insert(1)
    assert stage.state(sale) == "delivering"
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.balances() == {"cashbox:bill": -4900, "carrier:cmcc": 5000, "promotion": -100}


def test_cash_beyond_the_price_is_owed() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 20)
    assert stage.balances() == {"cashbox:bill": -6000, "payer": 4900, "owed": 1100}


def test_or_added_to_the_top_up_if_the_customer_chose_so() -> None:
    stage = Stage()
    sale = stage.sale(face_max=yuan(100))
    stage.say(ExcessChosen(sale, "added"), CashChosen(sale, ("bill",)))
    stage.insert(20, 20, 20)
    assert stage.commands(SendTopUp)[-1].face == yuan(61)
    stage.say(TopUpAccepted(stage.delivery(), yuan(61)))
    assert stage.balances() == {"cashbox:bill": -6000, "carrier:cmcc": 6100, "promotion": -100}


def test_what_the_offer_forbids_cannot_be_chosen() -> None:
    stage = Stage()
    sale = stage.sale(face_max=yuan(100), excess_choices=("owed",))
    stage.say(ExcessChosen(sale, "added"), CashChosen(sale, ("bill",)))
    stage.insert(20, 20, 20)
    assert stage.balances() == {"cashbox:bill": -6000, "payer": 4900, "owed": 1100}


def test_unless_the_offer_does_not_go_that_far() -> None:
    stage = Stage()
    stage.cash_sale(excess="added", face_max=yuan(60))
    stage.insert(20, 20, 20)
    assert stage.commands(SendTopUp)[-1].face == yuan(50)
    assert stage.balances() == {"cashbox:bill": -6000, "payer": 4900, "owed": 1100}


@pytest.mark.parametrize("in_escrow", [True, False])
def test_the_choice_counts_only_before_the_first_note(in_escrow: bool) -> None:  # noqa: FBT001 - a column of the table above
    stage = Stage()
    sale = stage.cash_sale(face_max=yuan(100))
    position = stage.escrow(20)
    if not in_escrow:
        stage.say(NoteStacked("bill", position))
    stage.say(ExcessChosen(sale, "added"))
    terms = stage.thing(sale, Sale).terms
    assert terms is not None
    assert terms.excess == "owed"


def test_only_cash_is_added_never_a_second_payment() -> None:
    stage = Stage()
    sale = stage.sale(excess="added", face_max=yuan(200))
    stage.say(OrderChosen(sale, "wechat", refundable=True), CashChosen(sale, ("bill",)))
    stage.insert(20)
    stage.say(OrderPaid(stage.only(Order).key, Money(4985, "CNY"), "p1"))
    assert stage.commands(SendTopUp)[-1].face == yuan(50)
    assert [refund.amount for refund in stage.commands(SendRefund)] == [Money(2085, "CNY")]


# Cash first, another kind for the rest -------------------------------------------------------------------------------


def test_cash_first_and_a_phone_for_the_rest() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(20)
    stage.say(OrderChosen(sale, "wechat", refundable=True))
    assert stage.commands(MakeOrder)[-1].amount == yuan(29)
    stage.say(OrderPaid(stage.only(Order).key, yuan(29), "p1"))
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"cashbox:bill": -2000, "rail:wechat": -2900, "payer": 4900}


def test_cash_first_and_a_card_for_the_rest_and_each_goes_back_as_it_came() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(20)
    stage.say(CardChosen(sale, "front"))
    assert stage.commands(AuthoriseCard)[-1].amount == yuan(29)
    stage.say(CardApproved(stage.only(Authorisation).key, yuan(29)))
    stage.say(TopUpDeclined(stage.delivery(), "no"))
    assert [refund.amount for refund in stage.commands(SendRefund)] == [yuan(29)]
    assert stage.balances() == {"cashbox:bill": -2000, "terminal:front": -2900, "owed": 2000, "payer": 2900}


def test_a_declined_card_leaves_the_cash_where_it_is_and_more_can_follow() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(20)
    stage.say(CardChosen(sale, "front"), DeviceIdle("bill"))
    stage.say(CardDeclined(stage.only(Authorisation).key, "no"), CashChosen(sale, ("bill",)))
    stage.insert(20, 5, *[1] * 4)
    assert stage.state(sale) == "delivering"


def test_a_note_that_was_still_moving_when_the_phone_was_chosen() -> None:
    """The order was for too much by then; what is too much goes back to the phone."""
    stage = Stage()
    sale = stage.cash_sale()
    position = stage.escrow(20)
    stage.say(OrderChosen(sale, "wechat", refundable=True), NoteStacked("bill", position))
    stage.say(OrderPaid(stage.only(Order).key, Money(4985, "CNY"), "p1"))
    assert [refund.amount for refund in stage.commands(SendRefund)] == [Money(2085, "CNY")]
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert stage.state(sale) == "done"


def test_a_claim_and_cash_and_a_phone() -> None:
    stage = Stage()
    first = stage.cash_sale(price=yuan(100), cash_price=yuan(100))
    stage.insert(10)
    stage.say(CancelAsked(first), DeviceIdle("bill"))
    sale = stage.sale()
    stage.say(ClaimChosen(sale, stage.all(Claim)[0].key))
    stage.say(CashChosen(sale, ("bill",)))
    stage.insert(20)
    stage.say(OrderChosen(sale, "wechat", refundable=True))
    assert stage.commands(MakeOrder)[-1].amount == yuan(19)
    stage.say(OrderPaid(stage.only(Order).key, yuan(19), "p1"))
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"cashbox:bill": -3000, "rail:wechat": -1900, "payer": 4900}


def test_nothing_can_be_chosen_any_more_when_nothing_is_missing() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(50)
    stage.say(OrderChosen(sale, "wechat", refundable=True), CardChosen(sale, "front"), PaymentLeft(sale))
    assert stage.commands(MakeOrder) == []
    assert stage.commands(AuthoriseCard) == []


def test_one_sale_waits_for_a_limited_number_of_things() -> None:
    stage = Stage()
    sale = stage.sale()
    for _ in range(PARTS_MAX + 5):
        stage.say(OrderChosen(sale, "silent", refundable=True))
    assert len(stage.commands(MakeOrder)) == PARTS_MAX
    stage.say(CancelAsked(sale), *[OrderClosed(order.key) for order in stage.all(Order)])
    assert stage.state(sale) == "cancelled"
