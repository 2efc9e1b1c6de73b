"""What a sale amounts to, and the questions that its table asks: pure sums, which guards and actions share."""

from msgspec import Struct
from msgspec.structs import replace

from kiosk.amount import Money, zero
from kiosk.flow.facts import CancelAsked, CashChosen, ExcessChosen
from kiosk.flow.machine import Thing
from kiosk.flow.terms import Rung, Terms
from kiosk.flow.told import ClaimHeld, MoneyArrived, NoteOffered, PartEnded, Undelivered
from kiosk.ports.message import Fact

PARTS_MAX = 20  # that one sale may wait for at a time


class Payment(Struct, frozen=True, array_like=True):
    """Money that arrived; `payment` is what its provider can refund it by."""

    provider: str
    payment: str
    amount: Money
    returned: Money


class Part(Struct, frozen=True, array_like=True):
    """Something that may still bring money."""

    kind: str
    number: int
    amount: Money


class Sale(Thing, frozen=True, tag="sale", kw_only=True):
    """One visit's business. `paid` is in the payer's account, `spending` is what the delivery under way takes of it."""

    terms: Terms | None = None
    claim: int = 0
    paid: Money | None = None
    spending: Money | None = None
    face: Money | None = None  # what is being delivered
    cash: Money | None = None  # how much of what was paid is cash
    route: int = 0
    parts: tuple[Part, ...] = ()
    lanes: tuple[str, ...] = ()  # acceptors that were invited, working or not
    payments: tuple[Payment, ...] = ()
    cancelled: bool = False


# Sums -----------------------------------------------------------------------------------------------------------------


def agreed(sale: Sale) -> Terms:
    """The terms; only a sale that was opened has any."""
    if sale.terms is None:
        msg = f"sale {sale.number} was never opened"
        raise LookupError(msg)
    return sale.terms


def paid(sale: Sale) -> Money:
    """What is in the payer's account and not promised away."""
    return sale.paid or zero(agreed(sale).price.currency)


def held(sale: Sale) -> Money:
    """Claims reserved for it."""
    amount = zero(agreed(sale).price.currency)
    for part in sale.parts:
        if part.kind == "claim":
            amount += part.amount
    return amount


def coming(sale: Sale) -> Money:
    """Notes that it has taken and that are not in the box yet."""
    amount = zero(agreed(sale).price.currency)
    for part in sale.parts:
        if part.kind == "note":
            amount += part.amount
    return amount


def due(sale: Sale) -> Money:
    """Once cash is in, the price is one that cash can pay exactly."""
    return agreed(sale).cash_price if sale.cash else agreed(sale).price


def missing(sale: Sale) -> Money:
    """What is still to be paid, never below nothing."""
    price = due(sale)
    return max(price - paid(sale) - held(sale), zero(price.currency))


def reckon(sale: Sale, fact: Fact) -> Sale:
    """The sale after the money or the end that the fact brings."""
    match fact:
        case MoneyArrived():
            nothing = zero(fact.amount.currency)
            in_cash = fact.method == "cash" or (fact.method == "suspense" and fact.part != 0)  # a note that was found
            return replace(
                sale,
                paid=(sale.paid or nothing) + fact.amount,
                cash=(sale.cash or nothing) + fact.amount if in_cash else sale.cash,
                parts=_without(sale.parts, fact.part),
                payments=(*sale.payments, Payment(fact.method, fact.payment, fact.amount, nothing)),
            )
        case ClaimHeld():
            parts = _without(sale.parts, fact.claim)
            return replace(sale, parts=(*parts, Part("claim", fact.claim, fact.amount)))
        case PartEnded():
            return replace(sale, parts=_without(sale.parts, fact.part))
        case CancelAsked():
            return replace(sale, cancelled=True)
        case _:
            return sale


def _without(parts: tuple[Part, ...], number: int) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.number != number) if number else parts


def waiting_for(sale: Sale) -> list[Part]:
    """Parts that can still bring money by themselves; a held claim cannot."""
    return [part for part in sale.parts if part.kind != "claim"]


def best_rung(sale: Sale) -> Rung | None:
    """The largest delivery that the money covers after the customer has gone, if any is allowed."""
    terms, money = agreed(sale), paid(sale)
    if sale.cancelled or sale.copied or not terms.ladder:
        return None
    rungs = (*terms.ladder, Rung(due(sale), terms.face))
    affordable = (rung for rung in rungs if terms.fee < rung.price <= money)
    return max(affordable, key=lambda rung: rung.price.minor, default=None)


# Questions ------------------------------------------------------------------------------------------------------------


def fits(sale: Sale, fact: NoteOffered) -> bool:
    """Is the note one that is taken, is anything still missing, and do the limits allow it?"""
    terms = agreed(sale)
    if fact.amount not in terms.accept or not sale.lanes:
        return False
    lowest = terms.cash_price - paid(sale) - held(sale) - coming(sale)
    if lowest.minor <= 0:
        return False
    in_cash = (sale.cash or zero(fact.amount.currency)) + coming(sale) + fact.amount
    if terms.cash_limit is not None and in_cash > terms.cash_limit:
        return False
    return terms.overpay_limit is None or fact.amount <= lowest + terms.overpay_limit


def covered(sale: Sale, fact: Fact) -> bool:
    after = reckon(sale, fact)
    return paid(after) + held(after) >= due(after)


def something_missing(sale: Sale, _: Fact) -> bool:
    return bool(missing(sale)) and len(sale.parts) < PARTS_MAX


def may_take_cash(sale: Sale, _: CashChosen) -> bool:
    return agreed(sale).slip and bool(missing(sale))


def still_waits(sale: Sale, fact: Fact) -> bool:
    return bool(waiting_for(reckon(sale, fact)))


def nothing_paid(sale: Sale, fact: Fact) -> bool:
    return not paid(reckon(sale, fact))


def can_deliver(sale: Sale, fact: Fact) -> bool:
    return best_rung(reckon(sale, fact)) is not None


def another_route(sale: Sale, _: Undelivered) -> bool:
    return sale.route + 1 < len(agreed(sale).routes) and not sale.copied


def offers_choice(sale: Sale, fact: ExcessChosen) -> bool:
    return not sale.cash and not coming(sale) and fact.excess in agreed(sale).excess_choices
