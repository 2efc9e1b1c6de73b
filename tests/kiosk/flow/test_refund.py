"""Money going back: begun, processing, done, failed, abnormal, done elsewhere, charged back, and both ways at once."""

import pytest

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.facts import CancelAsked, ClaimRefundBegun, OrderChosen
from kiosk.flow.order import Order
from kiosk.flow.refund import Refund
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import OrderChargedBack, OrderPaid
from kiosk.ports.refunds import (
    AskRefund,
    RefundAbnormal,
    RefundChargedBack,
    RefundDone,
    RefundDoneElsewhere,
    RefundFailed,
    RefundProcessing,
    RefundUnheard,
    SendRefund,
)
from tests.kiosk.flow.stage import Stage

PRICE = Money(4985, "CNY")
ENDS = [RefundDone, RefundDoneElsewhere]


def refunding(stage: Stage) -> str:
    """A phone payment came too late and goes back; the id of its refund."""
    sale = stage.sale()
    stage.say(OrderChosen(sale, "wechat", refundable=True), CancelAsked(sale))
    stage.say(OrderPaid(stage.only(Order).key, PRICE, "p1"))
    return stage.only(Refund).key


def done(refund: str, fact: type[Fact]) -> Fact:
    """It is done, here or elsewhere."""
    return RefundDoneElsewhere(refund, "anna") if fact is RefundDoneElsewhere else RefundDone(refund)


def test_it_is_begun_with_the_money_reserved_and_its_id_durable() -> None:
    stage = Stage()
    refund = refunding(stage)
    order = stage.only(Order).key
    assert stage.said[-1] == SendRefund(refund, "rail:wechat", order, PRICE)
    books = stage.books()
    assert books.by_class() == {"rail:wechat": -4985, "payer": 4985}
    assert list(books.reserved.values()) == [4985]


@pytest.mark.parametrize("end", ENDS)
def test_done_here_or_elsewhere_the_books_are_empty(end: type[Fact]) -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(done(refund, end), done(refund, end))
    assert stage.only(Refund).state == "done"
    assert stage.balances() == {}


@pytest.mark.parametrize("before", [RefundProcessing, RefundAbnormal])
@pytest.mark.parametrize("end", ENDS)
def test_it_may_end_in_any_state(end: type[Fact], before: type[RefundProcessing | RefundAbnormal]) -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(before(refund), done(refund, end))
    assert stage.balances() == {}


@pytest.mark.parametrize("before", [RefundProcessing, RefundAbnormal])
def test_and_fail_in_any_state(before: type[RefundProcessing | RefundAbnormal]) -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(before(refund), RefundFailed(refund, "no"), RefundFailed(refund, "no"))
    assert stage.balances() == {"rail:wechat": -4985, "owed": 4985}


def test_processing_may_last_days_and_is_asked_about() -> None:
    stage = Stage()
    refund = refunding(stage)
    assert stage.say(RefundProcessing(refund)) == [AskRefund(refund, "rail:wechat")]
    assert stage.say(RefundProcessing(refund)) == []
    assert stage.say(RefundUnheard(refund)) == [AskRefund(refund, "rail:wechat")]
    stage.say(RefundDone(refund))
    assert stage.balances() == {}


def test_abnormal_is_an_alarm_and_is_asked_about_until_it_ends() -> None:
    stage = Stage()
    refund = refunding(stage)
    assert AskRefund(refund, "rail:wechat") in stage.say(RefundAbnormal(refund))
    assert "refund_abnormal" in stage.alarms()
    assert stage.balances() == {"rail:wechat": -4985, "payer": 4985}  # never freed by anything but proof
    stage.say(RefundProcessing(refund), RefundAbnormal(refund), RefundDoneElsewhere(refund, "anna"))
    assert stage.balances() == {}


def test_failed_for_good_is_owed_under_the_sales_own_code() -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(RefundFailed(refund, "account closed"))
    assert stage.balances() == {"rail:wechat": -4985, "owed": 4985}
    assert stage.only(Claim).state == "open"


@pytest.mark.parametrize("end", ENDS)
def test_failed_and_then_done_after_all_is_a_loss(end: type[Fact]) -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(RefundFailed(refund, "no"), done(refund, end))
    assert stage.balances() == {"owed": 4985, "loss:refunded_after_failure": -4985}
    assert "refunded_after_failure" in stage.alarms()


def test_done_and_then_failed_after_all_is_owed() -> None:
    """The rail holds it again, and the customer has the code."""
    stage = Stage()
    refund = refunding(stage)
    stage.say(RefundDone(refund), RefundFailed(refund, "bounced"), RefundFailed(refund, "bounced"))
    assert stage.balances() == {"rail:wechat": -4985, "owed": 4985}
    assert "refund_came_back" in stage.alarms()


@pytest.mark.parametrize("fact", [RefundAbnormal, RefundDone])
def test_a_contradiction_that_moves_nothing_is_an_alarm(fact: type[RefundAbnormal | RefundDone]) -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(RefundDone(refund))
    stage.say(fact("unknown") if fact is RefundDone else fact(refund))
    assert "refund_contradiction" in stage.alarms()
    assert stage.balances() == {}


# Charged back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, RefundProcessing, RefundAbnormal])
def test_charged_back_before_it_ended_the_payer_has_his_money(
    before: type[RefundProcessing | RefundAbnormal] | None,
) -> None:
    stage = Stage()
    refund = refunding(stage)
    if before:
        stage.say(before(refund))
    assert AskRefund(refund, "rail:wechat") in stage.say(RefundChargedBack(refund))
    assert stage.balances() == {}
    assert "charged_back" in stage.alarms()
    assert AskRefund(refund, "rail:wechat") in stage.restart()  # it must not reach him too
    assert AskRefund(refund, "rail:wechat") in stage.say(RefundUnheard(refund))
    stage.say(RefundFailed(refund, "stopped"))
    assert stage.only(Refund).state == "stopped"
    assert stage.balances() == {}


@pytest.mark.parametrize("end", ENDS)
def test_charged_back_and_refunded_too_is_a_loss_in_either_order(end: type[Fact]) -> None:
    first, second = Stage(), Stage()
    refund = refunding(first)
    first.say(RefundChargedBack(refund), done(refund, end))
    assert first.balances() == {"loss:refunded_and_charged_back": -4985, "rail:wechat": 4985}
    refund = refunding(second)
    second.say(done(refund, end), RefundChargedBack(refund), RefundChargedBack(refund))
    assert second.balances() == {"loss:charged_back": -4985, "rail:wechat": 4985}


def test_a_charge_back_that_is_reported_again_is_one_loss() -> None:
    stage = Stage()
    refund = refunding(stage)
    case = RefundChargedBack(refund, "c1")
    failed = RefundFailed(refund, "stopped")
    stage.say(case, failed, case, failed)
    assert (stage.only(Refund).state, stage.balances()) == ("stopped", {})
    stage.say(RefundChargedBack(refund, "c2"))
    assert stage.balances() == {"loss:charged_back": -4985, "rail:wechat": 4985}


def test_charged_back_after_it_failed_the_customer_has_it_twice() -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(RefundFailed(refund, "no"), RefundChargedBack(refund))
    assert stage.balances() == {"owed": 4985, "loss:charged_back": -4985}


def test_a_payment_charged_back_whose_refund_goes_on_shows_as_a_loss_until_it_ends() -> None:
    stage = Stage()
    refund = refunding(stage)
    stage.say(OrderChargedBack(stage.only(Order).key, PRICE))
    assert stage.balances() == {"payer": 4985, "loss:charged_back": -4985}
    stage.say(RefundDone(refund))
    assert stage.balances() == {"loss:charged_back": -4985, "rail:wechat": 4985}


# Out of a claim ------------------------------------------------------------------------------------------------------


def claim_refunding(stage: Stage) -> tuple[int, str]:
    """Staff send back what is owed, the way that it was paid; the claim, and the id of the refund."""
    stage.say(RefundFailed(refunding(stage), "no"))
    claim = stage.only(Claim).number
    stage.say(ClaimRefundBegun(claim, "rail:wechat", stage.only(Order).key, "anna"))
    return claim, stage.only(Refund).key


def test_a_claim_is_refunded() -> None:
    stage = Stage()
    claim, refund = claim_refunding(stage)
    assert stage.state(claim) == "refunding"
    stage.say(RefundDone(refund))
    assert stage.state(claim) == "refunded"
    assert stage.balances() == {}


def test_a_claim_whose_refund_fails_is_as_good_as_before() -> None:
    stage = Stage()
    claim, refund = claim_refunding(stage)
    stage.say(RefundFailed(refund, "no"))
    assert stage.state(claim) == "open"
    assert stage.worth(claim) == 4985


def test_a_claim_whose_refund_comes_back_later_is_open_again() -> None:
    stage = Stage()
    claim, refund = claim_refunding(stage)
    stage.say(RefundDone(refund), RefundFailed(refund, "bounced"))
    assert stage.state(claim) == "open"
    assert stage.balances() == {"rail:wechat": -4985, "owed": 4985}


def test_a_claim_that_the_bank_refunded_is_refunded() -> None:
    stage = Stage()
    claim, refund = claim_refunding(stage)
    stage.say(RefundChargedBack(refund))
    assert stage.state(claim) == "refunded"
    assert stage.balances() == {}


# After a power cut ---------------------------------------------------------------------------------------------------


def test_after_a_start_the_same_id_is_sent_again_or_asked_about() -> None:
    stage = Stage()
    refund = refunding(stage)
    order = stage.only(Order).key
    assert stage.restart() == [*stage.restart()]  # and being told twice does no harm
    assert SendRefund(refund, "rail:wechat", order, PRICE) in stage.restart()
    stage.say(RefundProcessing(refund))
    assert AskRefund(refund, "rail:wechat") in stage.restart()
    stage.say(RefundDone(refund))
    assert not {AskRefund(refund, "rail:wechat")} & set(stage.restart())
