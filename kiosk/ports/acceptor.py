"""What bill validators and coin acceptors have in common: being opened, closed, broken, and having a box."""

from typing import ClassVar, Protocol

from kiosk.amount import Money
from kiosk.ports.message import Command, Fact


class AcceptorFact(Fact, frozen=True):
    """A fact about one acceptor, known by the name that the configuration gives it."""

    about: ClassVar[str] = "acceptor"
    device: str

    def whose(self) -> str:
        return self.device


class DeviceReady(AcceptorFact, frozen=True):
    """The device answers and takes orders; its serial number tells whether it is still the same one.

    What its own counter had reached when it was first met lies before our time: `position` says so, and goes into the
    journal before it takes anything.
    """

    serial: str = ""
    position: int = 0


class DeviceIdle(AcceptorFact, frozen=True):
    """The device is closed and nothing moves in it any more."""


class DeviceFailed(AcceptorFact, frozen=True):
    """The device takes no money: jam, cheat attempt, stacker full, link lost. The vendor's own code goes with it."""

    fault: str
    vendor_code: str = ""


class BoxRemoved(AcceptorFact, frozen=True):
    """Somebody took the cash box out, in or out of a visit."""


class BoxInserted(AcceptorFact, frozen=True):
    """A cash box is in place again, and it counts as an empty one."""


class OpenAcceptor(Command, frozen=True):
    """Take these denominations."""

    device: str
    denominations: tuple[Money, ...]


class CloseAcceptor(Command, frozen=True):
    """Take nothing more; report DeviceIdle when nothing moves any more."""

    device: str


class Acceptor(Protocol):
    """Whatever takes cash."""

    def open_acceptor(self, command: OpenAcceptor) -> None:
        """Begin to take these denominations."""
        ...

    def close_acceptor(self, command: CloseAcceptor) -> None:
        """Stop taking money."""
        ...
