"""Facts that people and the clock bring about: the customer, the staff, and a start of the terminal."""

from typing import ClassVar, Literal

from kiosk.amount import Money
from kiosk.flow.terms import Excess, Terms
from kiosk.ports.message import Fact


class Restarted(Fact, frozen=True):
    """The terminal started anew while this thing was not at its end."""

    about: ClassVar[str] = "any"
    kind: str
    number: int

    def whose(self) -> int:
        return self.number


# The customer ---------------------------------------------------------------------------------------------------------


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


# The staff, and dates that pass ---------------------------------------------------------------------------------------


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


class ClaimFact(Fact, frozen=True):
    """A fact about one claim."""

    about: ClassVar[str] = "claim"
    claim: int

    def whose(self) -> int:
        return self.claim


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


class ClaimExpired(ClaimFact, frozen=True):
    """Its date has passed; it stays payable."""


class ClaimReplaced(ClaimFact, frozen=True):
    """Two people of the staff replaced a lost code by a new one; the old one is worth nothing from now on."""

    by: str
    second: str


class ClaimFrozen(ClaimFact, frozen=True):
    """The journal was taken over from a copy: what this claim is worth has to be checked first."""


class ClaimThawed(ClaimFact, frozen=True):
    """It was checked."""

    by: str


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
    """A person says whose money it is; and how much, if nobody knew that either."""

    whose_money: Literal["customer", "house"]
    by: str
    amount: Money | None = None
