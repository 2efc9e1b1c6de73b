"""A bank card: silence is unknown, never declined, and what the acquirer says it took is money."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import AuthorisationUnwanted, AuthorisationWanted, MoneyArrived, PartEnded, SuspenseArisen
from kiosk.money import accounts
from kiosk.ports.card_terminal import (
    AbortCard,
    AskCard,
    AuthoriseCard,
    CardApproved,
    CardChargedBack,
    CardDeclined,
    CardReversed,
    CardUnheard,
)
from kiosk.ports.message import Fact


class Authorisation(Thing, frozen=True, tag="authorisation", kw_only=True):
    """One question to the card holder's bank. `arrival` brought its money, `held` is what was not taken back of it."""

    terminal: str = ""
    amount: Money | None = None
    held: Money | None = None
    cases: tuple[str, ...] = ()  # in which money was taken back
    arrival: int = 0


def authorise(card: Authorisation, fact: AuthorisationWanted, out: Outcome) -> Authorisation:
    out.command(AuthoriseCard(card.key, fact.terminal, fact.amount))
    return replace(card, sale=fact.sale, terminal=fact.terminal, amount=fact.amount)


def ask(card: Authorisation, _: Fact, out: Outcome) -> Authorisation:
    out.command(AskCard(card.key, card.terminal))
    return card


def abort(card: Authorisation, _: AuthorisationUnwanted, out: Outcome) -> Authorisation:
    out.command(AbortCard(card.key, card.terminal))
    return card


def end(card: Authorisation, _: Fact, out: Outcome) -> Authorisation:
    out.tell(PartEnded(card.sale, card.number))
    return card


def arrive(card: Authorisation, fact: CardApproved, out: Outcome) -> Authorisation:
    source, holder = accounts.escrow(card.terminal), f"terminal:{card.terminal}"
    arrival = out.move(holder, source, fact.amount)
    out.tell(MoneyArrived(card.sale, card.number, source, fact.amount, holder, card.key))
    return replace(card, held=fact.amount, arrival=arrival)


def arrive_after_all(card: Authorisation, fact: CardApproved, out: Outcome) -> Authorisation:
    out.count("card/approved_after_decline", fact.amount)
    out.alarm("card_approved_after_decline", card)
    return arrive(card, fact, out)


def suspend(card: Authorisation, fact: CardApproved, out: Outcome) -> Authorisation:
    terminal = card.terminal or "unknown"
    source = accounts.escrow(terminal)
    arrival = out.move(f"terminal:{terminal}", source, fact.amount)
    cause = "card_amount_differs" if card.sale else "card_unknown"
    out.begin(lambda name: SuspenseArisen(name, cause, card.sale, source, fact.amount))
    if card.open:
        out.tell(PartEnded(card.sale, card.number))
    return replace(card, terminal=terminal, held=fact.amount, arrival=arrival)


def lose(card: Authorisation, fact: CardReversed | CardChargedBack, out: Outcome) -> Authorisation:
    """The acquirer took it back. Whether the sale had spent it or not, the operator bears it, and once."""
    held = held_of(card)
    if isinstance(fact, CardChargedBack):
        cause, claimed, cases = "charged_back", fact.amount, (*card.cases, fact.case)
    else:
        cause, claimed, cases = "card_reversed", held, card.cases
    lost = min(claimed, held)
    if lost:
        out.correct(f"loss:{cause}", f"terminal:{card.terminal}", lost, card.arrival, cause)
    out.alarm(cause, card)
    if lost < claimed:
        out.alarm("card_contradiction", card)
    return replace(card, held=held - lost, cases=cases)


def wonder(card: Authorisation, _: Fact, out: Outcome) -> Authorisation:
    out.alarm("card_contradiction", card)
    return card


def held_of(card: Authorisation) -> Money:
    """What the acquirer holds of it; only asked of a card from which something was taken."""
    if card.held is None:
        msg = f"nothing was ever taken by authorisation {card.number}"
        raise LookupError(msg)
    return card.held


def as_asked(card: Authorisation, fact: CardApproved) -> bool:
    return fact.amount == card.amount


def known_case(card: Authorisation, fact: CardChargedBack) -> bool:
    return fact.case in card.cases


ASKED = "asking aborting"

AUTHORISATION = Table(
    Authorisation,
    {
        "asking": "the terminal asks for a card, or the bank is asked",
        "aborting": "not wanted any more; the terminal says whether it was approved first",
        "approved": "the acquirer holds the money",
        "declined": "final: nothing was taken",
        "suspended": "something was taken that was not asked",
        "taken_back": "approved, and taken back by the acquirer",
    },
    "approved declined suspended taken_back",
    on("new", AuthorisationWanted, "asking", authorise),
    ignore("asking aborting approved declined suspended taken_back", AuthorisationWanted),
    on("asking", AuthorisationUnwanted, "aborting", abort),
    ignore("new aborting approved declined suspended taken_back", AuthorisationUnwanted),
    on(ASKED, CardApproved, "approved", arrive, as_asked),
    on("declined", CardApproved, "approved", arrive_after_all, as_asked),
    on("new asking aborting declined", CardApproved, "suspended", suspend),
    ignore("approved suspended taken_back", CardApproved),
    on(ASKED, CardDeclined, "declined", end),
    on("approved", CardDeclined, "=", wonder),
    ignore("new declined suspended taken_back", CardDeclined),
    on(ASKED, CardUnheard, "=", ask),
    ignore("new approved declined suspended taken_back", CardUnheard),
    on(ASKED, CardReversed, "declined", end),
    on("approved suspended", CardReversed, "taken_back", lose),
    ignore("new declined taken_back", CardReversed),
    on("taken_back", CardChargedBack, "=", None, known_case),
    on("approved suspended taken_back", CardChargedBack, "taken_back", lose),
    on("new asking aborting declined", CardChargedBack, "=", wonder),
    on(ASKED, Restarted, "=", ask),
    ignore("new approved declined suspended taken_back", Restarted),
)
