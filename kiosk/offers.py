"""What a card can get and for how much: all of it is settled here, before any money moves."""

from collections.abc import Iterable, Iterator, Sequence
from math import gcd
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import astuple

from kiosk.amount import Money, zero
from kiosk.errors import UsageError
from kiosk.flow.terms import Excess, Route, Rung, Terms

CardKind = Literal["sim", "smart", "data", "roaming", "esim"]

RUNGS_MAX = 50  # of one free amount; every rung is kept with every sale
RESIDUES_MAX = 100_000  # the notes and coins of a currency need a hundred at most
WHOLE = 10_000  # a discount is so many ten-thousandths


class OfferError(UsageError):
    """The price list, or what was chosen from it, cannot be sold as it stands."""


class Fixed(Struct, frozen=True, tag="fixed"):
    """An amount or a package at its price, the fee included. Costing less than face and fee makes it a promotion."""

    face: Money
    price: Money
    face_max: Money | None = None  # how far cash beyond the price may be added to the face


class Free(Struct, frozen=True, tag="free"):
    """Any amount between two ends, in steps; cash beyond the price may be added up to the upper end."""

    least: Money
    most: Money
    step: Money
    discount: int = 0  # ten-thousandths of the face, rounded in the customer's favour


class Offer(Struct, frozen=True):
    """One line of the price list."""

    key: str  # of the text that names it
    cards: tuple[CardKind, ...]
    routes: tuple[Route, ...]
    amount: Fixed | Free
    fee: Money
    arrival: str  # key of the text that says when it arrives
    excess: tuple[Excess, ...] = ("owed", "added")
    walk_away: bool = True  # may somebody get it who paid for it, or for more, and left?


class Choices(Struct, frozen=True):
    """What the customer chose, or left to the operator's default."""

    card: CardKind
    face: Money | None = None  # of a free amount
    excess: Excess | None = None
    slip: bool = True  # a slip can be printed, or the customer has agreed to do without


class CashRules(Protocol):
    """What the operator's configuration says of cash."""

    @property
    def limit(self) -> Money:
        """The most that one sale takes in cash."""
        ...

    @property
    def overpay_limit(self) -> Money:
        """How far one note may go beyond the price."""
        ...

    @property
    def accept(self) -> tuple[Money, ...]:
        """Notes and coins that are taken."""
        ...

    @property
    def excess(self) -> Excess:
        """What becomes of cash beyond the price unless the customer says otherwise."""
        ...

    @property
    def excess_choices(self) -> tuple[Excess, ...]:
        """What the customer may say."""
        ...

    @property
    def walk_away(self) -> Literal["deliver", "owed"]:
        """What becomes of cash that somebody left behind."""
        ...


# Prices --------------------------------------------------------------------------------------------------------------


def price_of(offer: Offer, face: Money) -> Money:
    """What phones and cards pay for it, fee included."""
    match offer.amount:
        case Fixed(price=price):
            return price
        case Free(discount=discount):
            return Money(face.minor * (WHOLE - discount) // WHOLE, face.currency) + offer.fee


def saving(offer: Offer, face: Money) -> Money:
    """What the operator gives on top."""
    return face + offer.fee - price_of(offer, face)


def cash_price(price: Money, denominations: Iterable[Money]) -> Money:
    """The most that these notes and coins, any number of each, can pay exactly without going beyond the price."""
    worths = sorted({_positive(denomination, price).minor for denomination in denominations})
    if not worths or price.minor <= 0:
        return zero(price.currency)
    unit = gcd(*worths)
    smallest, *others = (worth // unit for worth in worths)
    least = _least_sums(smallest, others)
    most = price.minor // unit
    for amount in range(most, max(most - smallest, -1), -1):  # one of these is a multiple of the smallest
        if least[amount % smallest] <= amount:
            return Money(amount * unit, price.currency)
    return zero(price.currency)


def _least_sums(smallest: int, others: Sequence[int]) -> list[int]:
    """The least payable amount of each residue by the smallest piece; all later ones of it are payable too."""
    if smallest > RESIDUES_MAX:
        problem = f"notes and coins that have so little in common cannot be reckoned with: {smallest} is the smallest"
        raise OfferError(problem, "take denominations that are multiples of a common amount")
    never = smallest * max(others, default=1)  # above the least sum of any residue that can be had
    least = [0, *[never] * (smallest - 1)]
    for worth in others:
        for start in range(gcd(smallest, worth)):
            ring = [(start + turn * worth) % smallest for turn in range(smallest // gcd(smallest, worth))]
            for residue in ring + ring:  # twice round: the least of the ring reaches all the others
                after = (residue + worth) % smallest
                least[after] = min(least[after], least[residue] + worth)
    return least


def _positive(denomination: Money, price: Money) -> Money:
    if denomination <= zero(price.currency):
        problem = f"{denomination} is no note and no coin"
        raise OfferError(problem, "take it out of the accepted denominations")
    return denomination


# Terms ---------------------------------------------------------------------------------------------------------------


def ladder(offers: Iterable[Offer], offer: Offer, choices: Choices, accept: Sequence[Money]) -> tuple[Rung, ...]:
    """What the same card could get the same way for less, cheapest first; whoever pays more gets more."""
    if not offer.walk_away:
        return ()
    face = face_of(offer, choices)
    faces: dict[int, Money] = {}  # the best face for each price in cash
    for other in offers:
        alike = (other.routes, other.fee) == (offer.routes, offer.fee) and choices.card in other.cards
        if not alike or not other.walk_away:
            continue
        for smaller in _faces_below(other, face):
            price = cash_price(price_of(other, smaller), accept).minor
            faces[price] = max(smaller, faces.get(price, smaller))
    rungs: list[Rung] = []
    limit = cash_price(price_of(offer, face), accept)
    for price, smaller in sorted(faces.items()):
        if offer.fee.minor < price < limit.minor and (not rungs or smaller > rungs[-1].face):
            rungs.append(Rung(Money(price, face.currency), smaller))
    return tuple(rungs)


def _faces_below(offer: Offer, face: Money) -> Iterator[Money]:
    match offer.amount:
        case Fixed(face=only):
            if only < face:
                yield only
        case Free(least=least, most=most, step=step):
            steps = (min(most.minor, face.minor - 1) - least.minor) // step.minor
            stride = 1 + max(steps, 0) // RUNGS_MAX  # a long range is climbed in longer strides; the rest is owed
            for number in range(0, steps + 1, stride):
                yield Money(least.minor + number * step.minor, least.currency)


def face_of(offer: Offer, choices: Choices) -> Money:
    """What the card gets."""
    match offer.amount:
        case Fixed(face=face):
            return face
        case Free(least=least, most=most, step=step):
            chosen = choices.face or least
            known = chosen.currency == least.currency
            if not known or not least <= chosen <= most or (chosen - least).minor % step.minor:
                problem = f"{offer.key} cannot be had for {chosen}"
                raise OfferError(problem, f"choose from {least} to {most} in steps of {step}")
            return chosen


def terms(offer: Offer, choices: Choices, cash: CashRules, offers: Sequence[Offer] = ()) -> Terms:
    """What the customer and the operator agree on. `offers` is the price list, for whoever walks away."""
    for line in {offer, *offers}:
        judge(line, cash)
    if choices.card not in offer.cards:
        problem = f"{offer.key} is not for a card of the kind {choices.card}"
        raise OfferError(problem, f"it is for {', '.join(offer.cards)}")
    face = face_of(offer, choices)
    price = price_of(offer, face)
    in_cash = cash_price(price, cash.accept)
    payable = in_cash > offer.fee  # otherwise no note is small enough, and cash is not offered
    face_max = offer.amount.face_max if isinstance(offer.amount, Fixed) else offer.amount.most
    return Terms(
        face=face,
        price=price,
        cash_price=in_cash if payable else price,
        fee=offer.fee,
        routes=offer.routes,
        accept=cash.accept if payable else (),
        cash_limit=cash.limit,
        overpay_limit=cash.overpay_limit,
        excess=_excess(offer, choices, cash, face_max),
        excess_choices=tuple(excess_choices(offer, cash, face_max)),
        face_max=face_max,
        ladder=ladder(offers, offer, choices, cash.accept) if payable and cash.walk_away == "deliver" else (),
        slip=choices.slip,
    )


def excess_choices(offer: Offer, cash: CashRules, face_max: Money | None) -> list[Excess]:
    """What the customer may have done with cash beyond the price; to be owed it is always possible."""
    allowed: list[Excess] = [choice for choice in cash.excess_choices if choice in offer.excess]
    if face_max is None and "added" in allowed:
        allowed.remove("added")
    return allowed or ["owed"]


def _excess(offer: Offer, choices: Choices, cash: CashRules, face_max: Money | None) -> Excess:
    allowed = excess_choices(offer, cash, face_max)
    if choices.excess is None:
        return cash.excess if cash.excess in allowed else allowed[0]
    if choices.excess not in allowed:
        problem = f'{offer.key}: cash beyond the price cannot be "{choices.excess}"'
        raise OfferError(problem, f"choose {' or '.join(allowed)}")
    return choices.excess


# The price list ------------------------------------------------------------------------------------------------------


def judge(offer: Offer, cash: CashRules) -> None:
    """Refuse a line of the price list that could make the books go wrong."""
    for problem, remedy in _faults(offer, cash):
        text = f"{offer.key}: {problem}"
        raise OfferError(text, remedy)


def _faults(offer: Offer, cash: CashRules) -> Iterator[tuple[str, str]]:
    """The first one is told; those after it may make no sense without it."""
    amounts = [offer.fee, *(value for value in astuple(offer.amount) if isinstance(value, Money))]
    currencies = {amount.currency for amount in (*amounts, cash.limit, cash.overpay_limit, *cash.accept)}
    if len(currencies) > 1:
        yield f"it mixes {' and '.join(sorted(currencies))}", "write all amounts in the terminal's currency"
    if not offer.routes or not offer.cards:
        yield "nobody delivers it, or no card can get it", "name a carrier and a kind of card"
    if offer.fee.minor < 0:
        yield f"a fee of {offer.fee} is none", "write 0 or more"
    yield from _faults_of_amount(offer)
    least = offer.amount.least if isinstance(offer.amount, Free) else offer.amount.face
    if least.minor <= 0:
        yield f"{least} is nothing to top up", "write an amount above zero"
    if price_of(offer, least) <= offer.fee:
        yield f"{price_of(offer, least)} is not above the fee of {offer.fee}", "raise the price or lower the fee"


def _faults_of_amount(offer: Offer) -> Iterator[tuple[str, str]]:
    match offer.amount:
        case Fixed(face=face, price=price, face_max=face_max):
            if face_max is not None and face_max < face:
                yield f"no more than {face_max} can be added up to, which is below {face}", "raise face_max"
            if price > face + offer.fee:
                yield f"{price} is more than {face} and the fee of {offer.fee}", "raise the fee, so that it is told"
        case Free(least=least, most=most, step=step, discount=discount):
            if most < least or step.minor <= 0:
                yield f"from {least} to {most} in steps of {step} there is nothing", "write a rising range"
            if not 0 <= discount < WHOLE:
                yield f"a discount of {discount} ten-thousandths", f"write 0 to {WHOLE - 1}"
