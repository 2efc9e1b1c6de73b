"""Money going back the way it came: one refund, one id, asked about until it has ended."""

from typing import ClassVar, Protocol

from kiosk.amount import Money
from kiosk.ports.message import Command, Fact


class RefundFact(Fact, frozen=True):
    """A fact about one refund, known by our id."""

    about: ClassVar[str] = "refund"
    refund: str

    def whose(self) -> str:
        return self.refund


class RefundProcessing(RefundFact, frozen=True):
    """The provider took it and is at it; that may last days."""


class RefundDone(RefundFact, frozen=True):
    """The money is back with the payer."""


class RefundFailed(RefundFact, frozen=True):
    """Final: nothing went back, and nothing will under this id."""

    reason: str


class RefundAbnormal(RefundFact, frozen=True):
    """The provider cannot bring it to an end by itself; a person has to see to it."""


class RefundUnheard(RefundFact, frozen=True):
    """No answer, or none that can be believed."""


class RefundDoneElsewhere(RefundFact, frozen=True):
    """A person brought it about in the provider's own console, or at the desk."""

    by: str


class RefundChargedBack(RefundFact, frozen=True):
    """The payer's bank itself took back what this refund is about: before it ended, or on top of it."""

    case: str = ""  # the provider's own id of it


class SendRefund(Command, frozen=True):
    """Give this much of that payment back. The same id may be sent again."""

    refund: str
    provider: str
    payment: str
    amount: Money


class AskRefund(Command, frozen=True):
    """Find out how the refund stands, for as long as it takes."""

    refund: str
    provider: str


class Refunder(Protocol):
    """A rail or a terminal that can give money back."""

    def send_refund(self, command: SendRefund) -> None:
        """Begin it, or send it again."""
        ...

    def ask_refund(self, command: AskRefund) -> None:
        """Find out."""
        ...
