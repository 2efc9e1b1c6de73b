"""Each of these tables is wrong in one row, and the judge must find it: else he proves nothing of the right ones."""

from collections.abc import Callable
from typing import Any

import pytest

from kiosk.flow.acceptor import ACCEPTOR
from kiosk.flow.claim import CLAIM
from kiosk.flow.delivery import DELIVERY, send_again
from kiosk.flow.facts import DoubtSettled, Restarted
from kiosk.flow.machine import Row, Table
from kiosk.flow.note import NOTE, stack
from kiosk.flow.order import ORDER
from kiosk.flow.refund import REFUND
from kiosk.flow.sale import SALE, give_up
from kiosk.flow.suspense import SUSPENSE
from kiosk.flow.told import (
    ClaimFunded,
    ClaimPresented,
    ClaimReleased,
    MoneyArrived,
    PartEnded,
    RefundFellThrough,
    StrayNote,
    Undelivered,
)
from kiosk.ports.bill_validator import NoteRetracted, NoteReturned, NoteStacked, NoteUnaccounted
from kiosk.ports.carrier import TopUpAccepted, TopUpReversed, TopUpUnheard
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import OrderClosed, OrderPaid
from kiosk.ports.refunds import RefundDone, RefundFailed
from kiosk.simulate import campaign
from kiosk.simulate.luck import Faults

VISITS_MAX = 30_000  # what the rarest of these mistakes needs, several times over


def ignored(state: str, fact: type[Fact]) -> Row:
    return Row(state, fact, state, None, None)


def instead(state: str, fact: type[Fact], to: str, do: Callable[..., object] | None) -> Row:
    return Row(state, fact, to, do, None)


MISTAKES: list[tuple[str, Table[Any], Row]] = [
    ("a stacked note is forgotten", NOTE, ignored("stacking", NoteStacked)),
    ("a returned note is forgotten", NOTE, ignored("returning", NoteReturned)),
    ("a retracted note is forgotten", NOTE, ignored("returned", NoteRetracted)),
    ("a note out of sight is forgotten", NOTE, ignored("stacking", NoteUnaccounted)),
    ("a note is stacked again blindly after a start", NOTE, instead("returning", Restarted, "returning", stack)),
    ("a stray note is forgotten", ACCEPTOR, ignored("draining", StrayNote)),
    ("a coin after the sale is forgotten", ACCEPTOR, ignored("closed", CoinInserted)),
    ("a late payment is forgotten", ORDER, ignored("closed", OrderPaid)),
    ("a second payment is forgotten", ORDER, ignored("paid", OrderPaid)),
    ("a closed order never ends", ORDER, ignored("closing", OrderClosed)),
    ("an unknown delivery is not asked about", DELIVERY, ignored("sending", TopUpUnheard)),
    ("an unknown delivery is sent again blindly", DELIVERY, instead("unknown", Restarted, "sending", send_again)),
    ("a delivery after a decline is forgotten", DELIVERY, ignored("declined", TopUpAccepted)),
    ("a reversal is forgotten", DELIVERY, ignored("accepted", TopUpReversed)),
    ("a done refund is forgotten", REFUND, ignored("sending", RefundDone)),
    ("a failed refund is not owed", SALE, ignored("returned", RefundFellThrough)),
    ("a refund that came back is forgotten", REFUND, ignored("done", RefundFailed)),
    ("money after the sale is kept", SALE, ignored("done", MoneyArrived)),
    ("a cancelled sale waits for ever", SALE, ignored("closing", PartEnded)),
    ("the second route is forgotten", SALE, instead("delivering", Undelivered, "done", None)),
    ("a started sale is left alone", SALE, ignored("paying", Restarted)),
    ("an undelivered sale gives back and stays open", SALE, instead("delivering", Undelivered, "doubtful", give_up)),
    ("an owed claim gets nothing", CLAIM, ignored("empty", ClaimFunded)),
    ("a reserved claim is never freed", CLAIM, ignored("held", ClaimReleased)),
    ("a refused claim is promised", CLAIM, instead("spent", ClaimPresented, "open", None)),
    ("a found note stays in doubt", SUSPENSE, ignored("doubtful", DoubtSettled)),
]


@pytest.mark.parametrize(("table", "row"), [pytest.param(table, row, id=name) for name, table, row in MISTAKES])
def test_the_judge_finds_the_mistake(table: Table[Any], row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    index = table._index  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the mistake is made inside
    assert (row.state, row.fact) in index, "the mistake has to replace a row that is there"
    monkeypatch.setitem(index, (row.state, row.fact), [row])
    for report in campaign.terminals(8, VISITS_MAX, Faults()):
        if report.findings:
            return
    pytest.fail("nothing was found")
