"""Bank cards: the terminal asks for the card and the acquirer decides; no card data ever comes here."""

from typing import ClassVar, Protocol

from kiosk.amount import Money
from kiosk.ports.message import Command, Fact


class AuthorisationFact(Fact, frozen=True):
    """A fact about one authorisation, known by our id."""

    about: ClassVar[str] = "authorisation"
    authorisation: str

    def whose(self) -> str:
        return self.authorisation


class CardApproved(AuthorisationFact, frozen=True):
    """The acquirer holds the money."""

    amount: Money


class CardDeclined(AuthorisationFact, frozen=True):
    """Declined, aborted or timed out at the terminal: final, nothing was taken."""

    reason: str


class CardUnheard(AuthorisationFact, frozen=True):
    """The terminal or the line went silent: unknown, never declined."""


class CardReversed(AuthorisationFact, frozen=True):
    """The acquirer undid the authorisation."""


class CardChargedBack(AuthorisationFact, frozen=True):
    """The card holder's bank took the money back, or a part of it. Another case is another loss."""

    amount: Money
    case: str = ""  # the acquirer's own id of it


class AuthoriseCard(Command, frozen=True):
    """Ask for a card and this amount."""

    authorisation: str
    terminal: str
    amount: Money


class AbortCard(Command, frozen=True):
    """Stop asking for a card, if it is not too late; the terminal's own report decides."""

    authorisation: str
    terminal: str


class AskCard(Command, frozen=True):
    """Find out what became of the authorisation, for as long as it takes."""

    authorisation: str
    terminal: str


class CardTerminal(Protocol):
    """A semi-integrated terminal."""

    def authorise_card(self, command: AuthoriseCard) -> None:
        """Begin."""
        ...

    def abort_card(self, command: AbortCard) -> None:
        """Stop if possible."""
        ...

    def ask_card(self, command: AskCard) -> None:
        """Find out."""
        ...
