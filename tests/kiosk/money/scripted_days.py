"""Two days on which everything happens that money can do, and some that it should not."""

from pathlib import Path

from kiosk.flow.facts import (
    BoxCounted,
    CancelAsked,
    CashChosen,
    ClaimChosen,
    ClaimExpired,
    ClaimRefundBegun,
    PayoutBegun,
    PayoutDone,
    SuspenseSettled,
)
from kiosk.flow.reckoning import Sale
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceIdle
from kiosk.ports.bill_validator import NoteStacked, NoteUnaccounted
from kiosk.ports.carrier import SendTopUp, TopUpAccepted, TopUpReversed, TopUpUnheard
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.refunds import RefundDone, RefundDoneElsewhere, RefundFailed
from tests.kiosk.money.till import FIRST, SECOND, Till, at, yuan


class Script:
    """What the second day needs to know of the first."""

    def __init__(self, folder: Path) -> None:
        self.till = Till(folder, f"{FIRST} 09:00")
        self.doubtful_delivery = ""
        self.lost_note = 0
        self.late_claim = 0

    def first_day(self) -> None:
        """Cash, phone, card and claim; accepted, declined, short, silent and reversed; two refunds and a failed one."""
        till = self.till
        till.cash(till.sale(), "20", "20", "10")  # pays 49, is owed 1
        till.accepted()
        self._rest()
        paid_out = self.claim_of(1)

        till.phone(till.sale())  # the second carrier delivers
        till.declined()
        till.accepted()

        till.card(till.sale())  # no carrier does
        till.declined()
        till.declined()
        till.say(RefundDone(till.refund()))

        till.phone(till.sale())  # nobody knows
        self.doubtful_delivery = till.last(SendTopUp).delivery
        till.say(TopUpUnheard(self.doubtful_delivery))

        sale = till.sale()  # one note jams, the other one is owed
        till.say(CashChosen(sale, ("bill", "coin")))
        self.lost_note = till.note("20")
        till.say(NoteUnaccounted("bill", self.lost_note, "jam"))
        till.say(NoteStacked("bill", till.note("20")))
        till.say(CancelAsked(sale))
        self._rest()
        owed = till.core.thing(self.claim_of(5))
        assert owed is not None

        sale = till.sale()  # that claim and a phone; five yuan too little, whose refund fails
        till.say(ClaimChosen(sale, owed.key))
        till.phone(sale)
        till.accepted("45")
        till.say(RefundFailed(till.refund(), "no"))
        self.late_claim = self.claim_of(6)

        till.phone(till.sale())  # delivered, taken back, refunded by hand
        till.accepted()
        till.say(TopUpReversed(till.last(SendTopUp).delivery))
        till.say(RefundDoneElsewhere(till.refund(), "anna"))

        till.say(CoinInserted("coin", 1, yuan("1")))  # nobody's, so the house's
        till.say(SuspenseSettled(self._newest("suspense"), "house", "anna"))
        till.say(PayoutBegun(paid_out, "desk", "anna"), PayoutDone(paid_out, "anna"))
        till.say(ClaimExpired(self.late_claim))
        till.say(BoxRemoved("bill"), BoxInserted("bill"))
        till.say(BoxCounted("bill", 1, yuan("69"), yuan("70"), "anna"))

    def second_day(self) -> None:
        """What was unknown becomes known; a claim past its date goes back, and comes back."""
        till = self.till
        till.now_ms = at(f"{SECOND} 10:00")
        till.say(TopUpAccepted(self.doubtful_delivery, yuan("50")))
        till.say(NoteStacked("bill", self.lost_note))
        till.say(ClaimRefundBegun(self.late_claim, "rail:wechat", "w6", "anna"))
        refund = till.refund()
        till.say(RefundDone(refund), RefundFailed(refund, "account closed"))

    def claim_of(self, sale: int) -> int:
        """The claim of the sale that was opened as the so many-th."""
        found = self.till.core.find("sale", f"sale {sale}")
        assert isinstance(found, Sale)
        return found.claim

    def _rest(self) -> None:
        self.till.say(DeviceIdle("bill"), DeviceIdle("coin"))

    def _newest(self, kind: str) -> int:
        return max(thing.number for thing in self.till.core.open_things() if thing.__struct_config__.tag == kind)
