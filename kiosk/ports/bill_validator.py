"""Notes: one lies in escrow until the core decides; its number (`position`) is the driver's and never comes again."""

from typing import ClassVar, Protocol

from kiosk.amount import Money
from kiosk.ports.acceptor import Acceptor, AcceptorFact
from kiosk.ports.message import Command, Fact


class NoteEscrowed(AcceptorFact, frozen=True):
    """A note waits; no amount: it has no value that can be told. The acceptor knows for whom it is open."""

    position: int
    amount: Money | None


class NoteFact(Fact, frozen=True):
    """A fact about one note."""

    about: ClassVar[str] = "note"
    device: str
    position: int

    def whose(self) -> str:
        return f"{self.device}/{self.position}"


class NoteStacked(NoteFact, frozen=True):
    """The note is in the box for good. After a power cut the device may not know its value any more."""

    amount: Money | None = None


class NoteReturned(NoteFact, frozen=True):
    """The note is in the customer's hand."""


class NoteRetracted(NoteFact, frozen=True):
    """A returned note was left in the mouth, and the device drew it in."""

    amount: Money | None = None


class NoteHeld(NoteFact, frozen=True):
    """Asked after the note, the device says that it still lies in escrow."""


class NoteUnaccounted(NoteFact, frozen=True):
    """Nobody can tell where the note is: it jammed, it was fished for, or the device forgot."""

    cause: str


class StackNote(Command, frozen=True):
    """Put the note into the box."""

    device: str
    position: int


class ReturnNote(Command, frozen=True):
    """Give the note back."""

    device: str
    position: int


class TellNote(Command, frozen=True):
    """Say what became of the note: stacked, returned, held or unaccounted."""

    device: str
    position: int
    stacking: bool = False  # was it ever to be stacked? What was not, and is gone, was given back


class BillValidator(Acceptor, Protocol):
    """A device with an escrow."""

    def stack_note(self, command: StackNote) -> None:
        """Stack it."""
        ...

    def return_note(self, command: ReturnNote) -> None:
        """Return it."""
        ...

    def tell_note(self, command: TellNote) -> None:
        """Report its fate."""
        ...
