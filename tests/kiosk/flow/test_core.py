"""The core: one fact, one row; what cannot be reckoned with is told to a person and changes nothing."""

import pytest

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core, Stopped
from kiosk.flow.facts import CancelAsked, ClaimChosen, PayoutBegun, SaleOpened, SuspenseSettled
from kiosk.flow.reckoning import Sale
from kiosk.flow.suspense import Suspense
from kiosk.flow.terms import Terms
from kiosk.flow.told import ClaimFunded, ClaimHeld, MoneyArrived
from kiosk.money.codes import CodeBook
from kiosk.ports.acceptor import CloseAcceptor
from kiosk.ports.alarm import RaiseAlarm
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked, ReturnNote
from kiosk.ports.carrier import TopUpAccepted
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import OrderPaid
from tests.kiosk.flow.stage import TERMS, Stage, yuan

DOLLARS = Money(500, "USD")


@pytest.mark.parametrize(
    "fact",
    [
        OrderPaid("order", DOLLARS, "p1"),
        TopUpAccepted("delivery", DOLLARS),
        SaleOpened("sale", Terms(yuan(50), DOLLARS, yuan(50), yuan(0), TERMS.routes)),
        SaleOpened("sale", Terms(yuan(50), yuan(50), yuan(50), yuan(0), TERMS.routes, accept=(yuan(1), DOLLARS))),
    ],
    ids=["order", "top-up", "price", "denomination"],
)
def test_another_currency_is_an_alarm_and_nothing_else(fact: Fact) -> None:
    stage = Stage()
    assert stage.say(fact) == [RaiseAlarm("foreign_currency", 0)]
    assert stage.balances() == {}
    assert stage.all(Sale) == []


@pytest.mark.parametrize(
    "fact",
    [
        OrderPaid("order", yuan(0), "p1"),
        TopUpAccepted("delivery", yuan(-5)),
    ],
    ids=repr,
)
def test_an_amount_that_cannot_be_is_an_alarm_and_nothing_else(fact: Fact) -> None:
    stage = Stage()
    assert stage.say(fact) == [RaiseAlarm("impossible_amount", 0)]
    assert stage.balances() == {}


@pytest.mark.parametrize("amount", [DOLLARS, yuan(0), yuan(-5)], ids=str)
def test_a_coin_that_cannot_be_is_in_the_box_all_the_same_and_waits_for_a_person(amount: Money) -> None:
    stage = Stage()
    stage.say(CoinInserted("coin", 1, amount), CoinInserted("coin", 1, amount))
    (suspense,) = stage.all(Suspense)
    assert (suspense.state, suspense.amount, suspense.device) == ("waiting", None, "coin")
    assert stage.balances() == {}
    assert stage.alarms() >= {"coins_lost"}


def test_a_note_in_another_currency_is_given_back_and_kept_it_waits_for_a_person() -> None:
    stage = Stage()
    stage.cash_sale()
    first, second = stage.next_position(), stage.next_position()
    said = stage.say(NoteEscrowed("bill", first, DOLLARS))
    assert said == [RaiseAlarm("foreign_currency", 0), ReturnNote("bill", first)]
    stage.say(NoteReturned("bill", first), NoteEscrowed("bill", second, DOLLARS), NoteStacked("bill", second, DOLLARS))
    (suspense,) = stage.all(Suspense)
    assert (suspense.amount, suspense.device, stage.balances()) == (None, "bill", {})
    stage.insert(20)
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}


def test_nothing_credited_is_an_amount() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(50)
    stage.say(TopUpAccepted(stage.delivery(), yuan(0)))
    assert stage.balances() == {"cashbox:bill": -5000, "owed": 5000}


@pytest.mark.parametrize("number", [1, 999])
def test_a_number_of_nobody_or_of_another_kind_changes_nothing(number: int) -> None:
    """One is an acceptor, and nobody has the other."""
    stage = Stage()
    before = stage.books().things
    assert stage.say(CancelAsked(number), PayoutBegun(number, "desk", "anna")) == []
    assert stage.say(SuspenseSettled(number, "house", "anna")) == []
    assert stage.books().things == before


def test_a_fact_that_changes_nothing_makes_no_row() -> None:
    stage = Stage()
    seq = stage.journal.seq
    stage.say(CancelAsked(999))
    assert stage.journal.seq == seq


def test_one_fact_is_one_row_with_all_that_follows_from_it() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(20, 20)
    seq = stage.journal.seq
    stage.insert(20)  # escrow, stacked: covered, sent, and the rest owed
    assert stage.journal.seq == seq + 2


def test_a_journal_that_cannot_be_written_stops_the_machine_and_closes_its_acceptors() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.journal.broken = "the disk failed"
    with pytest.raises(Stopped, match="the disk failed") as stopped:
        stage.say(NoteStacked("bill", position))
    assert stopped.value.commands == [CloseAcceptor("bill"), CloseAcceptor("coin")]
    assert stage.note(position) == "stacking"  # nothing of the step counts


def test_a_journal_that_cannot_be_read_stops_the_machine_as_well() -> None:
    stage = Stage()
    stage.cash_sale()
    seq = stage.journal.seq
    database = stage.journal._db  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the test breaks it
    database.execute("DROP TABLE thing")
    with pytest.raises(Stopped, match="could not be read") as stopped:
        stage.say(OrderPaid("an order of long ago", yuan(5), "payment"))
    assert stopped.value.commands == [CloseAcceptor("bill"), CloseAcceptor("coin")]
    assert stage.journal.seq == seq
    with pytest.raises(Stopped, match="could not be read"):
        stage.say(NoteStacked("bill", 1))


def test_a_step_that_the_ledger_refuses_stops_the_machine_and_leaves_nothing_behind() -> None:
    """Only a mistake in a table can bring that about: here, money is taken from where there is none."""
    stage = Stage()
    stage.sale()
    claim = stage.only(Claim).number
    before = stage.books().things, stage.journal.seq
    with pytest.raises(Stopped, match="ClaimFunded"):
        stage.say(ClaimFunded(claim, "payer#999", yuan(5)))
    assert (stage.books().things, stage.journal.seq) == before
    with pytest.raises(Stopped, match="ClaimFunded"):
        stage.cash_sale()  # by this process nothing more is booked
    stage.restart()
    stage.cash_sale()
    stage.insert(20)
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}


def test_money_for_a_sale_that_nobody_knows_is_owed_under_a_code_of_its_own() -> None:
    """No table says such a thing; if one ever did, the money would have a home."""
    stage = Stage()
    stage.say(CoinInserted("coin", 1, yuan(5)))
    source = f"suspense#{stage.only(Suspense).number}"
    stage.core.handle(MoneyArrived(999, 0, source, yuan(5), "cash"), stage.now_ms)
    assert stage.balances() == {"cashbox:coin": -500, "owed": 500}
    assert "sale_unknown" in stage.alarms()


def test_a_claim_that_is_held_for_a_sale_that_is_over_is_let_go() -> None:
    """Nor this: a claim is held in the row that presents it, and the sale is open then."""
    stage = Stage()
    first = stage.cash_sale(price=yuan(100), cash_price=yuan(100))
    stage.insert(20)
    stage.say(CancelAsked(first))
    claim = stage.only(Claim)
    stage.say(ClaimChosen(stage.sale(), claim.key))
    assert stage.state(claim.number) == "held"
    stage.core.handle(ClaimHeld(first, claim.number, yuan(20)), stage.now_ms)
    assert stage.state(claim.number) == "open"


def test_what_is_known_of_the_customer_is_kept_beside_the_chain() -> None:
    stage = Stage()
    sale = stage.sale()
    assert stage.journal.personal(sale, "card") == b"13812345678"


def test_a_core_that_is_made_anew_from_the_journal_knows_every_open_thing() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.escrow(20)
    again = Core(stage.journal, CodeBook(bytes(32), "inc"), lambda _: b"")
    assert again.open_things() == stage.core.open_things()
    assert [thing.state for thing in again.open_things()] == ["taking", "taking", "paying", "stacking"]
