"""A restored journal goes on: what its lost rows may have done already is not done again, and waits for a person."""

from collections.abc import Iterator
from random import Random

import pytest

from kiosk.flow.claim import Claim
from kiosk.flow.facts import CancelAsked, ClaimChosen, ClaimThawed, OrderChosen, SuspenseSettled
from kiosk.flow.machine import Thing
from kiosk.flow.order import Order
from kiosk.flow.refund import Refund
from kiosk.flow.suspense import Suspense
from kiosk.flow.terms import Route, Rung
from kiosk.ports.bill_validator import NoteStacked
from kiosk.ports.carrier import SendTopUp, TopUpAccepted, TopUpDeclined, TopUpReversed, TopUpUnheard
from kiosk.ports.message import Command
from kiosk.ports.qr_rail import OrderPaid
from kiosk.ports.refunds import RefundFailed, SendRefund
from tests.kiosk.flow.chaos import Chaos
from tests.kiosk.flow.stage import Stage, yuan

TWO_ROUTES = (Route("cmcc", resend_safe=True), Route("reseller", resend_safe=True))


def paid_by_phone(stage: Stage) -> int:
    """A sale that a phone has paid, its top-up on the way; its number."""
    sale = stage.sale(price=yuan(49), routes=TWO_ROUTES)
    stage.say(OrderChosen(sale, "wechat", refundable=True))
    stage.say(OrderPaid(stage.only(Order).key, yuan(49), "p1"))
    return sale


def test_a_sale_that_was_being_paid_is_closed_and_its_money_waits_for_a_person() -> None:
    """Insert 20 of 49 · copy · the copy is adopted · nothing is delivered, refunded or owed until somebody looked."""
    lost = Stage()
    sale = lost.cash_sale(ladder=(Rung(yuan(10), yuan(10)),))
    lost.insert(20)
    stage = Stage(copy_of=lost)
    stage.restart()
    assert stage.state(sale) == "returned"
    assert stage.balances() == {"cashbox:bill": -2000, "suspense": 2000}
    assert stage.commands(SendTopUp) == []
    stage.say(SuspenseSettled(stage.only(Suspense).number, "customer", "anna"))
    claim = stage.only(Claim)
    assert (claim.state, claim.balance) == ("frozen", yuan(20))
    stage.say(ClaimThawed(claim.number, "anna"))
    assert (stage.state(claim.number), stage.untied()) == ("open", [])


def test_a_note_that_arrives_after_the_adoption_does_not_deliver_either() -> None:
    lost = Stage()
    lost.cash_sale(ladder=(Rung(yuan(10), yuan(10)),))
    position = lost.escrow(50)
    stage = Stage(copy_of=lost)
    stage.say(NoteStacked("bill", position))
    assert stage.balances() == {"cashbox:bill": -5000, "suspense": 5000}
    assert stage.commands(SendTopUp) == []


def test_a_top_up_on_its_way_is_asked_about_and_counts_when_it_arrives() -> None:
    lost = Stage()
    sale = paid_by_phone(lost)
    stage = Stage(copy_of=lost)
    stage.restart()
    stage.say(TopUpAccepted(lost.delivery(), yuan(50)))
    assert stage.state(sale) == "done"
    assert stage.balances() == {"rail:wechat": -4900, "promotion": -100, "carrier:cmcc": 5000}


def test_declined_it_takes_no_other_route_and_is_not_refunded() -> None:
    lost = Stage()
    sale = paid_by_phone(lost)
    stage = Stage(copy_of=lost)
    stage.say(TopUpUnheard(lost.delivery()), TopUpDeclined(lost.delivery(), "no"))
    assert stage.state(sale) == "returned"
    assert (stage.commands(SendTopUp), stage.commands(SendRefund)) == ([], [])
    assert stage.only(Suspense).cause == "sale_was_copied"
    assert stage.balances() == {"rail:wechat": -4900, "suspense": 4900}


def test_what_is_reversed_after_the_adoption_waits_too() -> None:
    lost = Stage()
    paid_by_phone(lost)
    lost.say(TopUpAccepted(lost.delivery(), yuan(50)))
    stage = Stage(copy_of=lost)
    stage.say(TopUpReversed(lost.delivery()))
    assert stage.balances() == {"rail:wechat": -4900, "suspense": 4900}


def test_a_refund_that_was_under_way_goes_on_under_its_id_and_what_fails_of_it_waits() -> None:
    lost = Stage()
    sale = paid_by_phone(lost)
    for _ in TWO_ROUTES:
        lost.say(TopUpDeclined(lost.delivery(), "no"))
    refund = lost.only(Refund).key
    assert lost.state(sale) == "returned"
    stage = Stage(copy_of=lost)
    stage.restart()
    assert {command.refund for command in stage.commands(SendRefund)} == {refund}
    stage.say(RefundFailed(refund, "account closed"))
    assert stage.balances() == {"rail:wechat": -4900, "suspense": 4900}


def test_its_claims_are_frozen_and_a_new_sale_is_as_free_as_ever() -> None:
    lost = Stage()
    old = lost.cash_sale()
    lost.insert(20)
    lost.say(CancelAsked(old))
    stage = Stage(copy_of=lost)
    claim = stage.only(Claim)
    assert claim.state == "frozen"
    sale = paid_by_phone(stage)
    stage.say(TopUpDeclined(stage.delivery(), "no"))
    assert stage.state(sale) == "delivering"  # by the second route
    stage.say(TopUpDeclined(stage.delivery(), "no"))
    assert len(stage.commands(SendRefund)) == 1
    stage.say(ClaimThawed(claim.number, "anna"))
    stage.say(ClaimChosen(stage.sale(price=yuan(20), cash_price=yuan(20)), claim.key))
    assert stage.state(claim.number) == "spent"


def test_what_was_checked_after_one_adoption_is_frozen_again_by_the_next() -> None:
    lost = Stage()
    old = lost.cash_sale()
    lost.insert(20)
    lost.say(CancelAsked(old))
    once = Stage(copy_of=lost)
    once.say(ClaimThawed(once.only(Claim).number, "anna"))
    twice = Stage(copy_of=once)
    assert twice.only(Claim).state == "frozen"


# In any order --------------------------------------------------------------------------------------------------------


def second_times(stage: Stage, known: dict[int, Thing], said: list[Command]) -> Iterator[str]:
    """Whatever of these commands does for a copied thing what the lost rows may have done already."""
    ids = {thing.key for thing in known.values()}
    for command in said:
        if isinstance(command, SendTopUp) and command.sale in known and command.delivery not in ids:
            yield f"a copied sale is delivered anew: {command}"
        if isinstance(command, SendRefund) and command.refund not in ids:
            refund = stage.core.find("refund", command.refund)
            assert isinstance(refund, Refund)
            claim = stage.core.thing(refund.claim)
            of_checked = isinstance(claim, Claim) and claim.checked == stage.journal.adopted.row
            if refund.sale in known and not of_checked:
                yield f"a copied sale is refunded anew: {command}"
    for claim in stage.all(Claim):
        spendable = claim.number in known and claim.state in {"open", "held", "unclaimed"}
        if spendable and claim.checked != stage.journal.adopted.row:
            yield f"nobody has checked it: {claim}"


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_done_twice_in_a_chaos_that_is_set_back(seed: int) -> None:
    chaos = Chaos(Random(seed))
    chaos.play(steps=60)
    lost = chaos.stage
    chaos.stage = Stage(copy_of=lost)
    copied = dict(chaos.stage.books().things)
    for _ in range(60):
        chaos.play(steps=1)
        assert list(second_times(chaos.stage, copied, chaos.stage.said)) == []
    assert chaos.stage.untied() == []
