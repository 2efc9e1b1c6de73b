"""Short pieces of a terminal's life, each with everything in it that moves money in one way.

Nothing goes wrong in them but what the scene wants and the planned cuts; a customer whose screen dies goes away.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import (
    CancelAsked,
    CardChosen,
    CashChosen,
    ClaimChosen,
    ExcessChosen,
    OrderChosen,
    PaymentLeft,
    SaleOpened,
    WalkedAway,
)
from kiosk.flow.terms import Terms
from kiosk.money.journal import CHECKPOINT_COMMITS
from kiosk.simulate.agenda import DAY, HOUR, MINUTE, SECOND, Process
from kiosk.simulate.luck import Faults
from kiosk.simulate.staff import Staff
from kiosk.simulate.visits import COINS, PRICE_LIST, Visit, yuan
from tests.powercut.cabinet import Cabinet

NUMBER = b"13812345678"
CARD = b'{"kind":"sim","number":"' + NUMBER + b'"}'
JIAO_5 = Money(50, "CNY")
QUIET = replace(
    msgspec.convert(dict.fromkeys(Faults.__struct_fields__, 0.0), Faults),
    device_forgets=0.3,
)
TEN = PRICE_LIST[0]
FIFTY = PRICE_LIST[2]  # in cash 49.50; whoever leaves early gets what the money covers
ALL_OR_NOTHING = replace(FIFTY, ladder=())
BY_RESELLER = PRICE_LIST[3]
WITH_FEE = TWO_ROUTES = PRICE_LIST[4]
ADDED = PRICE_LIST[6]


class Scene(Struct, frozen=True):
    """What happens, what goes wrong in it besides the cuts, and how often the log is moved into the database."""

    name: str
    happen: Callable[[Cabinet], Process]
    faults: Faults = QUIET
    checkpoint_commits: int = CHECKPOINT_COMMITS
    forgets: bool = False  # at its end every customer's number has been wiped


class Customer(Visit):
    """One who knows what they want."""

    def __init__(self, cabinet: Cabinet, terms: Terms, number: int = 1) -> None:
        super().__init__(cabinet, number)
        self.terms = terms

    def there(self) -> bool:
        """Tell whether there is a sale, on the very screen on which it was opened."""
        return self.sale != 0 and super().there()

    def confirm(self) -> Process:
        """Confirm the card and the offer."""
        if self.world.tell(SaleOpened(self.name, self.terms), {"card": CARD}):
            opened = self.world.core.find("sale", self.name)
            self.sale = opened.number if opened else 0
        yield 2 * SECOND

    def insert(self, *pieces: Money) -> Process:
        """Choose cash, then put in one piece after the other, as long as more is asked for."""
        self.touch(CashChosen(self.sale, ("bill", "coin")))
        yield SECOND
        for piece in pieces:
            if not self.paying():
                return
            if piece in COINS:
                self.world.coin.insert(piece)
            else:
                self.world.bill.insert(piece)
            yield 3 * SECOND

    def show_order(self, rail: str) -> Process:
        """Choose the phone, and wait until the code is on the screen."""
        self.touch(OrderChosen(self.sale, rail, refundable=rail == "wechat"))
        yield 2 * SECOND

    def pay_order(self, rail: str, *, late: bool = False) -> None:
        """Pay it with the phone, whatever the kiosk's screen says by now."""
        for key in self.world.rails[rail].orders:
            self.world.rails[rail].pay(key, late=late)

    def type_code(self, claim: int) -> Process:
        """Type the code of a slip."""
        code = self.world.codes.code(claim)
        self.touch(ClaimChosen(self.sale, code.digest))
        yield 2 * SECOND


# Cash ----------------------------------------------------------------------------------------------------------------


def cash(cabinet: Cabinet) -> Process:
    """Notes and coins, a fee, and more than the price; the rest is owed."""
    customer = Customer(cabinet, WITH_FEE)
    yield from customer.confirm()
    yield from customer.insert(yuan(20), yuan(1), yuan(20), JIAO_5)
    cabinet.bill.insert(yuan(20))
    yield SECOND
    cabinet.coin.insert(yuan(1), late=True)


def excess_added(cabinet: Cabinet) -> Process:
    """What is too much is added to the top-up."""
    customer = Customer(cabinet, ADDED)
    yield from customer.confirm()
    customer.touch(ExcessChosen(customer.sale, "added"))
    yield from customer.insert(yuan(20), yuan(20))


def change_of_mind(cabinet: Cabinet) -> Process:
    """Cancelled while a note is being stacked; a refused note, left in the mouth and drawn in."""
    customer = Customer(cabinet, FIFTY)
    yield from customer.confirm()
    yield from customer.insert(yuan(20))
    cabinet.bill.insert(yuan(10))
    yield 200
    customer.touch(CancelAsked(customer.sale))
    cabinet.coin.insert(yuan(1), late=True)
    yield MINUTE
    other = Customer(cabinet, FIFTY, 2)
    yield from other.confirm()
    yield from other.insert(yuan(100))
    yield 20 * SECOND
    other.touch(CancelAsked(other.sale))


def walked_away(cabinet: Cabinet) -> Process:
    """Nobody is there any more: what the money covers is delivered, the rest is owed."""
    customer = Customer(cabinet, FIFTY)
    yield from customer.confirm()
    yield from customer.insert(yuan(20), yuan(5))
    yield MINUTE
    customer.touch(WalkedAway(customer.sale))


# Phones and cards ----------------------------------------------------------------------------------------------------


def phone(cabinet: Cabinet) -> Process:
    """An order paid in time, and one that is paid when the customer has gone on to cash."""
    customer = Customer(cabinet, TEN)
    yield from customer.confirm()
    yield from customer.show_order("khqr")
    customer.pay_order("khqr")
    yield MINUTE
    other = Customer(cabinet, TEN, 2)
    yield from other.confirm()
    yield from other.show_order("wechat")
    yield from other.insert(yuan(10))
    yield MINUTE
    other.pay_order("wechat", late=True)


def card(cabinet: Cabinet) -> Process:
    """A card that is approved, and one that is approved although the customer has cancelled."""
    customer = Customer(cabinet, TEN)
    yield from customer.confirm()
    customer.touch(CardChosen(customer.sale, "front"))
    yield MINUTE
    other = Customer(cabinet, TEN, 2)
    yield from other.confirm()
    other.touch(CardChosen(other.sale, "front"))
    yield 2 * SECOND
    other.touch(CancelAsked(other.sale))


# Delivering, giving back, owing --------------------------------------------------------------------------------------


def carrier_silent(cabinet: Cabinet) -> Process:
    """The carrier does not say what became of it, for an hour or more."""
    customer = Customer(cabinet, BY_RESELLER)
    yield from customer.confirm()
    yield from customer.insert(yuan(50))


def lines_bad(cabinet: Cabinet) -> Process:
    """Requests and answers get lost, and what has arrived is not found at first."""
    customer = Customer(cabinet, TEN)
    yield from customer.confirm()
    yield from customer.show_order("wechat")
    yield 20 * SECOND
    customer.pay_order("wechat")


def declined(cabinet: Cabinet) -> Process:
    """No route delivers: what came by phone goes back, and what came in cash is owed."""
    customer = Customer(cabinet, TWO_ROUTES)
    yield from customer.confirm()
    yield from customer.insert(yuan(20))
    customer.touch(PaymentLeft(customer.sale))
    yield SECOND
    yield from customer.show_order("wechat")
    customer.pay_order("wechat")
    yield HOUR


def claim(cabinet: Cabinet) -> Process:
    """What is owed is spent in part, what is left of it together with cash."""
    customer = Customer(cabinet, ALL_OR_NOTHING)
    yield from customer.confirm()
    yield from customer.insert(yuan(20), yuan(20))
    customer.touch(CancelAsked(customer.sale))
    yield HOUR
    for number, terms in enumerate((TEN, FIFTY), 2):
        again = Customer(cabinet, terms, number)
        yield from again.confirm()
        if cabinet.pocket:
            yield from again.type_code(cabinet.pocket[-1])
        yield from again.insert(yuan(20))
        again.touch(CancelAsked(again.sale))
        yield HOUR


# Nights and people ---------------------------------------------------------------------------------------------------


def box(cabinet: Cabinet) -> Process:
    """The box is taken out in the midst of a sale, and counted."""
    staff = Staff(cabinet)
    customer = Customer(cabinet, FIFTY)
    yield from customer.confirm()
    yield from customer.insert(yuan(20), yuan(1))
    cabinet.bill.change_box()
    yield SECOND
    staff.count(cabinet.bill)
    yield from customer.insert(yuan(20))
    staff.collect(cabinet.coin)
    customer.touch(CancelAsked(customer.sale))


def nights(cabinet: Cabinet) -> Process:
    """Days close, and what was known of the customer is wiped, with a sale before and one after it."""
    for number in range(1, 3):
        customer = Customer(cabinet, TEN, number)
        yield from customer.confirm()
        yield from customer.insert(yuan(10))
        for _ in range(3):
            yield DAY
            cabinet.wipe()


SCENES = (
    Scene("cash", cash),
    Scene("excess added", excess_added, checkpoint_commits=4),
    Scene("change of mind", change_of_mind, replace(QUIET, note_retracted=1.0, device_forgets=0.0)),
    Scene("walked away", walked_away, checkpoint_commits=3),
    Scene("phone", phone, replace(QUIET, refund_slow=0.5)),
    Scene("card", card, replace(QUIET, card_approved_late=1.0)),
    Scene("carrier silent", carrier_silent, replace(QUIET, top_up_slow=1.0)),
    Scene("lines bad", lines_bad, replace(QUIET, request_dropped=0.3, answer_dropped=0.5, top_up_not_found_first=1.0)),
    Scene("declined", declined, replace(QUIET, top_up_declined=1.0, refund_failed=0.3)),
    Scene("claim", claim, checkpoint_commits=10),
    Scene("box", box),
    Scene("nights", nights, checkpoint_commits=5, forgets=True),
)
