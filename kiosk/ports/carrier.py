"""Top-ups: sent under our id, and found out about under the same id for as long as it takes."""

from typing import ClassVar, Protocol

from kiosk.amount import Money
from kiosk.ports.message import Command, Fact


class DeliveryFact(Fact, frozen=True):
    """A fact about one delivery, known by our id."""

    about: ClassVar[str] = "delivery"
    delivery: str

    def whose(self) -> str:
        return self.delivery


class TopUpAccepted(DeliveryFact, frozen=True):
    """The card has it: this much of it."""

    credited: Money
    reference: str = ""


class TopUpDeclined(DeliveryFact, frozen=True):
    """Proven and final: the card got nothing."""

    reason: str


class TopUpUnheard(DeliveryFact, frozen=True):
    """No answer, one that cannot be believed, or "id already used": unknown, never declined."""


class TopUpNotFound(DeliveryFact, frozen=True):
    """Asked, the carrier does not know the id: perhaps not yet."""


class TopUpReversed(DeliveryFact, frozen=True):
    """The carrier took back what it had delivered."""


class TopUpOverdue(DeliveryFact, frozen=True):
    """It has been unknown for longer than the operator lets it be: a person has to see to it."""


class SendTopUp(Command, frozen=True):
    """Deliver it. The card's number is read from the sale's personal data when it is sent."""

    delivery: str
    carrier: str
    sale: int
    face: Money


class AskTopUp(Command, frozen=True):
    """Find out how the delivery stands, for as long as it takes."""

    delivery: str
    carrier: str


class Carrier(Protocol):
    """A way to reach the card."""

    def send_top_up(self, command: SendTopUp) -> None:
        """Send it under our id."""
        ...

    def ask_top_up(self, command: AskTopUp) -> None:
        """Find out."""
        ...
