"""Facts that the core's own things tell each other, all in one commit."""

from typing import ClassVar

from kiosk.amount import Money
from kiosk.flow.facts import ClaimFact, SaleFact
from kiosk.ports.message import Fact

# What a sale is told --------------------------------------------------------------------------------------------------


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


# What the parts of a sale are told ------------------------------------------------------------------------------------


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


# What claims and suspense are told ------------------------------------------------------------------------------------


class ClaimMade(Fact, frozen=True):
    """A claim is born, worth nothing yet: its code stands on the slip so that the sale can be found."""

    about: ClassVar[str] = "claim"
    digest: str
    tail: str
    sale: int

    def whose(self) -> str:
        return self.digest


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


class ClaimRefundEnded(ClaimFact, frozen=True):
    """The refund out of this claim has an end. `undone`: it had succeeded and failed afterwards."""

    done: bool
    undone: bool
    amount: Money


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
    claim: int = 0  # under which it is owed once a person says that it is the customer's

    def whose(self) -> str:
        return self.name
