"""A claim: issued, spent in whole or in part, paid out, refunded, reopened, unclaimed, replaced, frozen."""

import pytest

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.facts import (
    CancelAsked,
    CashChosen,
    ClaimChosen,
    ClaimExpired,
    ClaimFrozen,
    ClaimRefundBegun,
    ClaimReplaced,
    ClaimThawed,
    OrderChosen,
    PayoutBegun,
    PayoutDone,
    PayoutFailed,
    WalkedAway,
)
from kiosk.flow.order import Order
from kiosk.flow.refund import Refund
from kiosk.money.accounts import owed
from kiosk.ports.acceptor import DeviceIdle
from kiosk.ports.carrier import TopUpAccepted, TopUpDeclined, TopUpReversed, TopUpUnheard
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import OrderPaid
from kiosk.ports.refunds import RefundDone, RefundFailed
from kiosk.ports.slip import PrintSlip
from tests.kiosk.flow.stage import Stage, yuan

REPLACED = ("anna", "boris")


def owed_to(stage: Stage, amount: int) -> int:
    """Somebody put so many yuan in and cancelled; the number of the claim."""
    sale = stage.cash_sale(price=yuan(500), cash_price=yuan(500))
    stage.insert(*[100] * (amount // 100), *[10] * (amount % 100 // 10), *[1] * (amount % 10))
    stage.say(CancelAsked(sale), DeviceIdle("bill"), DeviceIdle("coin"))
    claim = stage.only(Claim)
    assert (claim.state, claim.balance) == ("open", yuan(amount))
    return claim.number


def present(stage: Stage, claim: int) -> int:
    """Its code pays for a sale of 49.85; the number of the sale."""
    sale = stage.sale()
    stage.say(ClaimChosen(sale, stage.thing(claim, Claim).key))
    return sale


# Issued --------------------------------------------------------------------------------------------------------------


def test_every_sale_has_a_code_from_the_beginning_and_it_is_worth_nothing_yet() -> None:
    stage = Stage()
    sale = stage.sale()
    claim = stage.only(Claim)
    assert (claim.state, claim.sale, claim.balance) == ("empty", sale, None)


def test_what_is_known_of_the_code_is_a_digest_and_its_last_group() -> None:
    stage = Stage()
    stage.sale()
    claim = stage.only(Claim)
    assert (len(claim.key), len(claim.tail)) == (32, 4)


def test_money_that_cannot_go_back_is_owed() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    assert stage.worth(claim) == 2000
    assert stage.counted("owed/issued") == 2000


# Spent ---------------------------------------------------------------------------------------------------------------


def test_presented_it_is_reserved_and_cannot_be_presented_anywhere_else() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    present(stage, claim)
    assert stage.state(claim) == "held"
    other = present(stage, claim)
    assert stage.state(other) == "paying"
    assert "owed/refused" in stage.books().tallies
    assert stage.books().reserved == {owed(claim): 2000}


def test_presented_twice_to_the_same_sale_counts_once_and_is_still_reserved_for_it() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    sale = present(stage, claim)
    stage.say(ClaimChosen(sale, stage.thing(claim, Claim).key), CancelAsked(sale))
    assert stage.state(claim) == "open"
    assert stage.books().reserved == {}


def test_spent_in_part_the_rest_has_a_new_code_in_the_same_commit() -> None:
    stage = Stage()
    claim = owed_to(stage, 100)
    seq = stage.journal.seq
    sale = present(stage, claim)
    assert stage.journal.seq == seq + 2  # the sale, and all of the rest
    assert (stage.state(sale), stage.state(claim)) == ("delivering", "spent")
    successor = stage.thing(stage.thing(claim, Claim).successor, Claim)
    assert (successor.state, successor.balance) == ("open", Money(5015, "CNY"))
    assert PrintSlip("claim", successor.sale, successor.number) in stage.said


def test_spent_in_whole_together_with_cash_for_the_rest() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    sale = present(stage, claim)
    stage.say(CashChosen(sale, ("bill",)))
    stage.insert(20, 5, *[1] * 4)
    assert stage.state(sale) == "delivering"
    assert (stage.state(claim), stage.thing(claim, Claim).successor) == ("spent", 0)
    assert stage.balances() == {"cashbox:bill": -4900, "payer": 4900}
    assert (stage.counted("paid/claim"), stage.counted("paid/cash")) == (2000, 4900)


def test_two_claims_pay_together() -> None:
    stage = Stage()
    first, second = owed_to(stage, 20), owed_to(stage, 40)
    sale = present(stage, first)
    stage.say(ClaimChosen(sale, stage.thing(second, Claim).key))
    assert stage.state(sale) == "delivering"
    assert (stage.state(first), stage.state(second)) == ("spent", "spent")
    assert stage.balances() == {"cashbox:bill": -6000, "payer": 4985, "owed": 1015}


def test_a_claim_that_turns_out_not_to_be_needed_stays_what_it_was() -> None:
    """An order left behind is paid in full after all: the code keeps its worth, and nothing is added to the top-up."""
    stage = Stage()
    claim = owed_to(stage, 20)
    sale = stage.sale(excess="added", face_max=yuan(100))
    stage.say(OrderChosen(sale, "wechat", refundable=True), ClaimChosen(sale, stage.thing(claim, Claim).key))
    stage.say(OrderPaid(stage.only(Order).key, Money(4985, "CNY"), "p1"))
    assert (stage.state(sale), stage.state(claim)) == ("delivering", "open")
    assert stage.worth(claim) == 2000
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    assert "loss:over_credited" not in stage.balances()


@pytest.mark.parametrize("left", [CancelAsked, WalkedAway])
def test_a_sale_that_ends_without_it_lets_it_go(left: type[CancelAsked | WalkedAway]) -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(left(present(stage, claim)))
    assert stage.state(claim) == "open"
    assert stage.worth(claim) == 2000


def test_the_power_cut_lets_it_go_too() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    present(stage, claim)
    stage.restart()
    assert stage.state(claim) == "open"


def test_an_unknown_code_is_refused() -> None:
    stage = Stage()
    sale = stage.sale()
    stage.say(ClaimChosen(sale, "no such digest"))
    assert stage.books().tallies["owed/refused"] == 0
    assert stage.state(sale) == "paying"


def test_the_code_of_a_sale_that_went_well_is_refused() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, 1, 1, 1, 1)
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    claim = stage.only(Claim).number
    assert stage.state(present(stage, claim)) == "paying"
    assert stage.state(claim) == "empty"


@pytest.mark.parametrize("state", ["held", "paying_out", "refunding", "frozen", "spent", "paid_out"])
def test_a_code_that_cannot_be_spent_now_is_refused_and_nothing_changes(state: str) -> None:
    stage = Stage()
    claim = owed_to(stage, 1)
    bring_into(stage, claim, state)
    sale = stage.sale()
    before = stage.balances(), stage.books().reserved
    stage.say(ClaimChosen(sale, stage.thing(claim, Claim).key))
    assert (stage.state(sale), stage.state(claim)) == ("paying", state)
    assert (stage.balances(), stage.books().reserved) == before


# Paid out ------------------------------------------------------------------------------------------------------------


def test_paid_out_by_staff_in_two_phases() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(PayoutBegun(claim, "desk", "anna"))
    assert stage.books().reserved == {owed(claim): 2000}
    stage.say(PayoutDone(claim, "anna"), PayoutDone(claim, "anna"))
    assert stage.state(claim) == "paid_out"
    assert stage.balances() == {"cashbox:bill": -2000, "payout:desk": 2000}


def test_nothing_was_paid_out_and_it_is_as_good_as_before() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(PayoutBegun(claim, "desk", "anna"), PayoutFailed(claim, "anna"))
    assert (stage.state(claim), stage.books().reserved) == ("open", {})


def test_while_it_is_paid_out_it_cannot_be_spent() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(PayoutBegun(claim, "desk", "anna"))
    present(stage, claim)
    assert stage.state(claim) == "paying_out"


@pytest.mark.parametrize("words", ["done", "begun failed done", "begun done failed"])
def test_a_payout_that_contradicts_the_books_is_an_alarm(words: str) -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    facts: dict[str, Fact] = {
        "begun": PayoutBegun(claim, "desk", "anna"),
        "done": PayoutDone(claim, "anna"),
        "failed": PayoutFailed(claim, "anna"),
    }
    stage.say(*[facts[word] for word in words.split()])
    assert "claim_contradiction" in stage.alarms()


def test_money_that_comes_while_it_is_paid_out_stays_under_the_same_code() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(20, 20, 5, 5)
    claim = stage.only(Claim).number  # one yuan too much, and the top-up is on the way
    stage.say(PayoutBegun(claim, "desk", "anna"), TopUpDeclined(stage.delivery(), "no"))
    assert stage.state(sale) == "returned"
    stage.say(PayoutDone(claim, "anna"))
    assert (stage.state(claim), stage.worth(claim)) == ("open", 4900)
    assert stage.balances()["payout:desk"] == 100


# Back as it was paid -------------------------------------------------------------------------------------------------


def refund_of(stage: Stage, claim: int) -> str:
    """Staff send it back; the id of the refund."""
    stage.say(ClaimRefundBegun(claim, "rail:wechat", "payment", "anna"))
    return stage.only(Refund).key


def test_money_that_comes_while_it_is_refunded_stays_under_the_same_code() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, 5)
    claim = stage.only(Claim).number
    refund = refund_of(stage, claim)
    stage.say(TopUpDeclined(stage.delivery(), "no"), RefundDone(refund))
    assert (stage.state(claim), stage.worth(claim)) == ("open", 4900)


def bring_into(stage: Stage, claim: int, state: str) -> None:
    """Let a claim that was refunded become worth something again, and then bring it into that state."""
    facts: dict[str, list[Fact]] = {
        "paying_out": [PayoutBegun(claim, "desk", "anna")],
        "refunding": [ClaimRefundBegun(claim, "rail:wechat", "payment", "anna")],
        "unclaimed": [ClaimExpired(claim)],
        "frozen": [ClaimFrozen(claim)],
        "paid_out": [PayoutBegun(claim, "desk", "anna"), PayoutDone(claim, "anna")],
        "open": [],
    }
    if state == "held":
        present(stage, claim)
    elif state == "spent":
        stage.say(ClaimChosen(stage.sale(price=yuan(1)), stage.thing(claim, Claim).key))
    else:
        stage.say(*facts[state])
    assert stage.state(claim) == state


@pytest.mark.parametrize("state", [
    "open", "held", "paying_out", "refunding", "unclaimed", "frozen", "spent", "paid_out",
])  # fmt: skip
def test_a_refund_that_comes_back_is_owed_whatever_has_become_of_the_claim(state: str) -> None:
    """A shortfall and a refund that fails days later meet in one claim: nothing of either is lost."""
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, 5)
    claim = stage.only(Claim).number
    first = refund_of(stage, claim)  # one yuan, in advance
    stage.say(RefundDone(first), TopUpDeclined(stage.delivery(), "no"))
    bring_into(stage, claim, state)
    before = stage.balances().get("owed", 0) + stage.balances().get("unclaimed", 0)
    stage.say(RefundFailed(first, "bounced"))
    assert stage.balances().get("owed", 0) == before + 100
    successor = stage.thing(claim, Claim).successor
    assert stage.state(successor or claim) in {"open", "held", "paying_out", "refunding", "frozen"}
    assert stage.worth(claim) == (0 if successor else before + 100)


def test_and_where_nothing_was_left_to_succeed_it_the_old_code_is_good_again() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, 5)
    claim = stage.only(Claim).number
    first = refund_of(stage, claim)
    stage.say(RefundDone(first), TopUpDeclined(stage.delivery(), "no"))
    stage.say(ClaimChosen(stage.sale(price=yuan(49)), stage.thing(claim, Claim).key))
    assert (stage.state(claim), stage.thing(claim, Claim).successor) == ("spent", 0)
    stage.say(RefundFailed(first, "bounced"))
    assert (stage.state(claim), stage.worth(claim)) == ("open", 100)


# Reopened ------------------------------------------------------------------------------------------------------------


def test_a_reversal_reopens_the_code_on_the_slip() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, *[1] * 4)
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)), TopUpReversed(stage.delivery()))
    assert (stage.only(Claim).state, stage.only(Claim).balance) == ("open", yuan(49))


@pytest.mark.parametrize("state", ["paid_out", "spent", "unclaimed", "held", "frozen"])
def test_money_that_comes_later_is_owed_whatever_has_become_of_the_claim(state: str) -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, 5)
    claim, delivery = stage.only(Claim).number, stage.delivery()
    bring_into(stage, claim, state)
    before = stage.balances().get("owed", 0) + stage.balances().get("unclaimed", 0)
    stage.say(TopUpDeclined(delivery, "no"))
    assert stage.balances()["owed"] == before + 4900
    holder = stage.thing(stage.thing(claim, Claim).successor or claim, Claim)
    assert holder.balance is not None
    assert holder.balance >= yuan(49)


def test_a_spent_code_leads_to_the_one_that_took_its_place() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 50)  # forty-one yuan too much
    claim, delivery = stage.only(Claim).number, stage.delivery()
    stage.say(ClaimChosen(stage.sale(price=yuan(1)), stage.thing(claim, Claim).key))
    stage.say(TopUpDeclined(delivery, "no"))
    successor = stage.thing(claim, Claim).successor
    assert (stage.state(claim), stage.worth(claim)) == ("spent", 0)
    assert (stage.state(successor), stage.worth(successor)) == ("open", 4000 + 4900)


# Waiting -------------------------------------------------------------------------------------------------------------


def test_a_code_whose_top_up_is_on_the_way_cannot_be_spent() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, *[1] * 4)
    stage.say(TopUpUnheard(stage.delivery()))
    claim = stage.only(Claim).number
    assert stage.state(claim) == "waiting"
    stage.say(CancelAsked(present(stage, claim)))
    assert stage.state(claim) == "waiting"


# Time and people -----------------------------------------------------------------------------------------------------


def test_past_its_date_it_is_unclaimed_and_as_good_as_ever() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(ClaimExpired(claim))
    assert stage.balances() == {"cashbox:bill": -2000, "unclaimed": 2000}
    present(stage, claim)
    assert stage.state(claim) == "held"
    assert stage.balances() == {"cashbox:bill": -2000, "owed": 2000}


def test_past_its_date_it_can_be_paid_out() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(ClaimExpired(claim), PayoutBegun(claim, "desk", "anna"), PayoutDone(claim, "anna"))
    assert stage.balances() == {"cashbox:bill": -2000, "payout:desk": 2000}


def test_past_its_date_it_can_be_refunded() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(ClaimExpired(claim))
    stage.say(RefundDone(refund_of(stage, claim)))
    assert stage.state(claim) == "refunded"


@pytest.mark.parametrize("state", ["open", "unclaimed", "held", "frozen", "paying_out", "refunding"])
def test_a_lost_code_is_replaced_by_two_people_whatever_is_being_done_with_the_claim(state: str) -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    bring_into(stage, claim, state)
    old, before = stage.thing(claim, Claim), stage.balances()
    stage.say(ClaimReplaced(claim, *REPLACED))
    new = stage.thing(claim, Claim)
    assert (new.state, new.balance, stage.balances()) == (old.state, old.balance, before)
    assert old.key != new.key
    assert PrintSlip("claim", new.sale, claim) in stage.said
    assert stage.core.find("claim", old.key) is None
    assert stage.core.find("claim", new.key) == new
    assert stage.untied() == []


def test_a_replaced_code_buys_nothing_and_the_new_one_all_of_it() -> None:
    stage = Stage()
    claim = owed_to(stage, 100)
    old = stage.thing(claim, Claim).key
    stage.say(ClaimReplaced(claim, *REPLACED), ClaimReplaced(claim, *REPLACED))
    sale = stage.sale()
    stage.say(ClaimChosen(sale, old))
    assert stage.state(sale) == "paying"
    stage.say(ClaimChosen(sale, stage.thing(claim, Claim).key))
    assert stage.state(sale) == "delivering"


def test_the_slip_of_a_top_up_on_its_way_can_be_replaced_too() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, *[1] * 4)
    stage.say(TopUpUnheard(stage.delivery()))
    claim = stage.only(Claim).number
    stage.say(ClaimReplaced(claim, *REPLACED), TopUpDeclined(stage.delivery(), "no"))
    assert (stage.state(claim), stage.worth(claim)) == ("open", 4900)


def test_one_person_alone_cannot_replace_a_code() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    stage.say(ClaimReplaced(claim, "anna", "anna"))
    assert stage.state(claim) == "open"


# A copied journal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expired", [False, True])
def test_frozen_it_cannot_be_spent_until_it_was_checked(expired: bool) -> None:  # noqa: FBT001 - as above
    stage = Stage()
    claim = owed_to(stage, 20)
    if expired:
        stage.say(ClaimExpired(claim))
    stage.say(ClaimFrozen(claim))
    present(stage, claim)
    assert stage.state(claim) == "frozen"
    stage.say(ClaimThawed(claim, "anna"))
    assert (stage.state(claim), stage.worth(claim), stage.thing(claim, Claim).was) == ("open", 2000, "")


def test_frozen_while_it_is_reserved_it_is_let_go_first() -> None:
    stage = Stage()
    claim = owed_to(stage, 20)
    sale = present(stage, claim)
    stage.say(ClaimFrozen(claim))
    assert (stage.state(claim), stage.books().reserved) == ("frozen", {})
    stage.say(CancelAsked(sale), ClaimThawed(claim, "anna"))
    assert (stage.state(sale), stage.state(claim)) == ("cancelled", "open")


def test_frozen_while_its_top_up_is_on_the_way() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20, 5, *[1] * 4)
    stage.say(TopUpUnheard(stage.delivery()))
    claim = stage.only(Claim).number
    stage.say(ClaimFrozen(claim), ClaimThawed(claim, "anna"))
    assert stage.state(claim) == "waiting"
    stage.say(ClaimFrozen(claim), TopUpAccepted(stage.delivery(), yuan(50)), ClaimThawed(claim, "anna"))
    assert stage.state(claim) == "empty"
