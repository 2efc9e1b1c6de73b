"""Facts that the core's own things tell each other, and those that people bring about: customers, staff, the clock."""

from typing import ClassVar, Literal

from msgspec import Struct

from kiosk.amount import Money
from kiosk.ports.message import Fact

Excess = Literal["owed", "added"]


class Restarted(Fact, frozen=True):
    """The terminal started anew while this thing was not at its end."""

    about: ClassVar[str] = "any"
    kind: str
    number: int

    def whose(self) -> int:
        return self.number


# What a sale is told -------------------------------------------------------------------------------------------------


class Route(Struct, frozen=True, array_like=True):
    """One way to deliver; the next is tried only after a proven final failure of the one before."""

    carrier: str
    resend_safe: bool  # does the carrier promise that the same id sent twice delivers once?


class Rung(Struct, frozen=True, array_like=True):
    """What could be delivered for less, if the customer walks away."""

    price: Money
    face: Money


class Terms(Struct, frozen=True, omit_defaults=True):
    """What was agreed before any money moved; it does not change when the price list does."""

    face: Money  # what the card gets
    price: Money  # what phones and cards pay, fee included
    cash_price: Money  # what cash pays: payable exactly, never more than the price
    fee: Money
    routes: tuple[Route, ...]
    accept: tuple[Money, ...] = ()  # notes and coins that are taken
    cash_limit: Money | None = None  # how much cash one sale may bring in
    overpay_limit: Money | None = None  # how far one note may go beyond the price
    excess: Excess = "owed"
    face_max: Money | None = None  # how far "added" may go
    ladder: tuple[Rung, ...] = ()  # empty: walking away makes everything owed
    slip: bool = True  # a slip can be printed, or the customer has agreed to do without


class SaleFact(Fact, frozen=True):
    """A fact about one sale."""

    about: ClassVar[str] = "sale"
    sale: int

    def whose(self) -> int:
        return self.sale


class SaleOpened(Fact, frozen=True):
    """The customer confirmed the card and the offer. Who they are is kept beside the chain."""

    about: ClassVar[str] = "sale"
    name: str
    terms: Terms

    def whose(self) -> str:
        return self.name


class CashChosen(SaleFact, frozen=True):
    """The customer pays cash, with these devices."""

    devices: tuple[str, ...]


class OrderChosen(SaleFact, frozen=True):
    """The customer pays with a phone."""

    rail: str
    refundable: bool


class CardChosen(SaleFact, frozen=True):
    """The customer pays with a bank card."""

    terminal: str


class ClaimChosen(SaleFact, frozen=True):
    """The customer pays with a claim, found by the digest of its code."""

    claim: str


class ExcessChosen(SaleFact, frozen=True):
    """What is to happen to cash beyond the price; it counts only before the first note."""

    excess: Excess


class PaymentLeft(SaleFact, frozen=True):
    """The customer went back to choose another kind of payment."""


class CancelAsked(SaleFact, frozen=True):
    """The customer wants to stop."""


class WalkedAway(SaleFact, frozen=True):
    """Nobody answered "still there?"."""


class CashUnavailable(SaleFact, frozen=True):
    """An acceptor that the sale counted on takes nothing."""

    device: str


class NoteOffered(SaleFact, frozen=True):
    """A note for this sale lies in escrow."""

    note: int
    amount: Money


class MoneyArrived(SaleFact, frozen=True):
    """Money is there for good, on this account; the sale takes it from there."""

    part: int  # the note, order or authorisation that brought it, 0 for a coin
    source: str
    amount: Money
    method: str  # "cash", "rail:wechat", "terminal:front"
    payment: str = ""  # what the provider knows it by, if it can be refunded


class ClaimHeld(SaleFact, frozen=True):
    """A claim is reserved for this sale."""

    claim: int
    amount: Money


class PartEnded(SaleFact, frozen=True):
    """A note, an order, an authorisation or a claim ended without bringing money."""

    part: int


class Delivered(SaleFact, frozen=True):
    """The card has it; what it fell short by is back with the payer."""

    shortfall: Money


class Undelivered(SaleFact, frozen=True):
    """Proven: the card got nothing, and the money is free again."""


class DeliveryDoubted(SaleFact, frozen=True):
    """Nobody knows yet whether the card got it."""


class DeliveryUndone(SaleFact, frozen=True):
    """What was delivered was taken back; the money is with the payer again."""

    amount: Money


class RefundFellThrough(SaleFact, frozen=True):
    """A refund failed for good; the money is with the payer again."""

    amount: Money


# What parts are told -------------------------------------------------------------------------------------------------


class CashWanted(Fact, frozen=True):
    """A sale wants cash taken."""

    about: ClassVar[str] = "acceptor"
    device: str
    sale: int
    accept: tuple[Money, ...]

    def whose(self) -> str:
        return self.device


class CashNoMore(Fact, frozen=True):
    """A sale wants no more cash."""

    about: ClassVar[str] = "acceptor"
    device: str
    sale: int

    def whose(self) -> str:
        return self.device


class StrayNote(Fact, frozen=True):
    """A note is in the box that was never announced; the acceptor knows which box, and for whom it was open."""

    about: ClassVar[str] = "acceptor"
    device: str
    position: int
    note: int
    amount: Money | None

    def whose(self) -> str:
        return self.device


class BoxTaken(Fact, frozen=True):
    """A box was taken out; it is closed with this row."""

    about: ClassVar[str] = "box"
    device: str
    box: int

    def whose(self) -> str:
        return f"{self.device}#{self.box}"


class BoxCounted(Fact, frozen=True):
    """Somebody counted a box, blind; `book` is what its account held at that moment."""

    about: ClassVar[str] = "box"
    device: str
    box: int
    counted: Money
    book: Money
    by: str

    def whose(self) -> str:
        return f"{self.device}#{self.box}"


class NoteSeen(Fact, frozen=True):
    """A note is born: it lies in escrow, for this sale or for none (0)."""

    about: ClassVar[str] = "note"
    device: str
    position: int
    box: int
    amount: Money
    sale: int

    def whose(self) -> str:
        return f"{self.device}/{self.position}"


class NumberedNote(Fact, frozen=True):
    """A decision about one note."""

    about: ClassVar[str] = "note"
    note: int

    def whose(self) -> int:
        return self.note


class NoteWanted(NumberedNote, frozen=True):
    """The sale takes it."""


class NoteUnwanted(NumberedNote, frozen=True):
    """The sale does not take it."""


class NoteAccounted(NumberedNote, frozen=True):
    """The count of the box says where a doubtful note is."""

    found: bool


class OrderWanted(Fact, frozen=True):
    """An order is born."""

    about: ClassVar[str] = "order"
    name: str
    sale: int
    rail: str
    amount: Money
    refundable: bool

    def whose(self) -> str:
        return self.name


class OrderUnwanted(Fact, frozen=True):
    """The sale has no more use for the order."""

    about: ClassVar[str] = "order"
    number: int

    def whose(self) -> int:
        return self.number


class AuthorisationWanted(Fact, frozen=True):
    """An authorisation is born."""

    about: ClassVar[str] = "authorisation"
    name: str
    sale: int
    terminal: str
    amount: Money

    def whose(self) -> str:
        return self.name


class AuthorisationUnwanted(Fact, frozen=True):
    """The sale has no more use for the authorisation."""

    about: ClassVar[str] = "authorisation"
    number: int

    def whose(self) -> int:
        return self.number


class DeliveryWanted(Fact, frozen=True):
    """A delivery is born; its price is reserved out of the sale."""

    about: ClassVar[str] = "delivery"
    name: str
    sale: int
    carrier: str
    resend_safe: bool
    price: Money
    fee: Money
    face: Money

    def whose(self) -> str:
        return self.name


class RefundWanted(Fact, frozen=True):
    """A refund is born, out of a sale or (if there is one) out of a claim."""

    about: ClassVar[str] = "refund"
    name: str
    sale: int
    claim: int
    source: str
    provider: str
    payment: str
    amount: Money

    def whose(self) -> str:
        return self.name


# What claims are told ------------------------------------------------------------------------------------------------


class ClaimMade(Fact, frozen=True):
    """A claim is born, worth nothing yet: its code stands on the slip so that the sale can be found."""

    about: ClassVar[str] = "claim"
    digest: str
    tail: str
    sale: int

    def whose(self) -> str:
        return self.digest


class ClaimFact(Fact, frozen=True):
    """A fact about one claim."""

    about: ClassVar[str] = "claim"
    claim: int

    def whose(self) -> int:
        return self.claim


class ClaimFunded(ClaimFact, frozen=True):
    """Money is owed under this claim; it is taken from that account."""

    source: str
    amount: Money


class ClaimAwaits(ClaimFact, frozen=True):
    """Its top-up is on the way and nobody knows yet whether it arrived."""


class ClaimArrived(ClaimFact, frozen=True):
    """Its top-up has an end, and the sale says which."""


class ClaimPresented(Fact, frozen=True):
    """Somebody brought the code, to pay for a sale."""

    about: ClassVar[str] = "claim"
    digest: str
    buyer: int
    most: Money

    def whose(self) -> str:
        return self.digest


class ClaimUsed(ClaimFact, frozen=True):
    """The sale that it is reserved for is covered."""


class ClaimReleased(ClaimFact, frozen=True):
    """The sale that it was reserved for ended without it."""


class PayoutBegun(ClaimFact, frozen=True):
    """Staff are about to pay it out."""

    desk: str
    by: str


class PayoutDone(ClaimFact, frozen=True):
    """Staff paid it out."""

    by: str


class PayoutFailed(ClaimFact, frozen=True):
    """Proven: nothing was paid out."""

    by: str


class ClaimRefundBegun(ClaimFact, frozen=True):
    """Staff send it back the way that it was paid."""

    provider: str
    payment: str
    by: str


class ClaimRefundEnded(ClaimFact, frozen=True):
    """The refund out of this claim has an end. `undone`: it had succeeded and failed afterwards."""

    done: bool
    undone: bool
    amount: Money


class ClaimExpired(ClaimFact, frozen=True):
    """Its date has passed; it stays payable."""


class ClaimReplaced(ClaimFact, frozen=True):
    """Two people of the staff replaced a lost code by a new one."""

    by: str
    second: str


class ClaimFrozen(ClaimFact, frozen=True):
    """The journal was taken over from a copy: what this claim is worth has to be checked first."""


class ClaimThawed(ClaimFact, frozen=True):
    """It was checked."""

    by: str


# What suspense is told -----------------------------------------------------------------------------------------------


class SuspenseArisen(Fact, frozen=True):
    """Money without a home, on this account; or (no amount) nobody knows how much."""

    about: ClassVar[str] = "suspense"
    name: str
    cause: str
    sale: int
    source: str
    amount: Money | None
    device: str = ""
    box: int = 0
    note: int = 0
    doubtful: bool = False  # it is not certain that the money is there at all

    def whose(self) -> str:
        return self.name


class SuspenseFact(Fact, frozen=True):
    """A fact about one piece of suspense."""

    about: ClassVar[str] = "suspense"
    number: int

    def whose(self) -> int:
        return self.number


class DoubtSettled(SuspenseFact, frozen=True):
    """The count of the box, or the device, says whether the note is there."""

    found: bool
    by: str


class SuspenseSettled(SuspenseFact, frozen=True):
    """A person says whose money it is."""

    whose_money: Literal["customer", "house"]
    by: str
