"""Phone payments: an order is made under our id, shown as a code, paid or closed; the rail has the last word."""

from typing import ClassVar, Protocol

from kiosk.amount import Money
from kiosk.ports.message import Command, Fact


class OrderFact(Fact, frozen=True):
    """A fact about one order, known by our id."""

    about: ClassVar[str] = "order"
    order: str

    def whose(self) -> str:
        return self.order


class OrderMade(OrderFact, frozen=True):
    """The rail knows the order; its code can be shown."""


class OrderRefused(OrderFact, frozen=True):
    """The rail will not make this order: final."""

    reason: str


class OrderUnheard(OrderFact, frozen=True):
    """No answer, or none that can be believed: unknown, never failed."""


class OrderScanned(OrderFact, frozen=True):
    """Somebody scanned the code."""


class OrderPaid(OrderFact, frozen=True):
    """The rail holds the money. Each payment has the rail's own id: another id is another payment."""

    amount: Money
    payment: str


class OrderClosed(OrderFact, frozen=True):
    """The order is closed and was not paid."""


class OrderChargedBack(OrderFact, frozen=True):
    """The payer's bank took the money back, or a part of it. Another case is another loss."""

    amount: Money
    case: str = ""  # the rail's own id of it


class OrderRefundedElsewhere(OrderFact, frozen=True):
    """Somebody refunded the order, or a part of it, in the rail's own console. Another case is another loss."""

    amount: Money
    case: str = ""  # as above


class MakeOrder(Command, frozen=True):
    """Ask the rail for a code. The same id with the same amount may be sent again."""

    order: str
    rail: str
    amount: Money


class AskOrder(Command, frozen=True):
    """Find out how the order stands, for as long as it takes, and report what is final."""

    order: str
    rail: str


class CloseOrder(Command, frozen=True):
    """Query, close, query again: report the order closed or paid."""

    order: str
    rail: str


class QrRail(Protocol):
    """A wallet's merchant side."""

    def make_order(self, command: MakeOrder) -> None:
        """Make it."""
        ...

    def ask_order(self, command: AskOrder) -> None:
        """Find out."""
        ...

    def close_order(self, command: CloseOrder) -> None:
        """Close it, or find that it was paid."""
        ...
