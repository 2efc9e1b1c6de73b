"""What became of the money of one sale: paid how, delivered, refunded, owed, in doubt."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import asdict

from kiosk.amount import Money, format_amount
from kiosk.money.accounts import class_of, owed, payer
from kiosk.money.ledger import Transfer
from kiosk.money.replay import MOVING
from kiosk.texts import text

ARRIVES_FROM = frozenset({"escrow", "suspense", "owed"})
DELIVERED = {"accepted": "delivered", "contradicted": "delivered", "reversed": "taken_back", "recovered": "taken_back"}
REFUNDED = {
    **dict.fromkeys(("done", "charged_back", "stopped"), "refunded"),
    **dict.fromkeys(("sending", "processing", "abnormal"), "refunding"),
}


class ThingRead(Struct, frozen=True):
    """What is read of a thing, whatever its kind."""

    kind: str
    number: int
    key: str
    state: str
    sale: int = 0
    open: bool = False
    tail: str = ""
    carrier: str = ""
    provider: str = ""
    cause: str = ""
    amount: Money | None = None
    balance: Money | None = None
    credited: Money | None = None
    face: Money | None = None


class Sum(Struct, frozen=True):
    """One sentence of the summary; no amount: nobody knows how much."""

    key: str
    amount: Money | None
    by: str = ""
    tail: str = ""
    state: str = ""
    cause: str = ""


def summary(
    sale: int, things: Iterable[ThingRead], transfers: Iterable[Transfer], currency: str, language: str
) -> Iterator[str]:
    """One sentence for each."""

    def written(amount: Money | None) -> str:
        return text("story.unknown", language) if amount is None else format_amount(amount, language)

    moved = [transfer for transfer in transfers if transfer.kind in MOVING]
    by_way = paid(sale, moved, text("story.summary.by_claim", language))
    if by_way:
        parts = ", ".join(f"{how} {written(Money(minor, currency))}" for how, minor in by_way.items())
        amount = written(Money(sum(by_way.values()), currency))
        yield text("story.summary.paid", language, amount=amount, parts=parts)
    else:
        yield text("story.summary.nothing_paid", language)
    sums = [one for thing in things if (one := _of_thing(thing))]
    for one in (*sums, *_of_claims(sale, things, moved, currency)):
        values = {**asdict(one), "amount": written(one.amount)}
        yield text(f"story.summary.{one.key}", language, **values)


def paid(sale: int, moved: Iterable[Transfer], by_claim: str) -> dict[str, int]:
    """What was paid into a sale, by where it came from: a device, a rail, a card terminal or a claim."""
    ways: dict[str, int] = {}
    for transfer in moved:
        kind, _, owner = class_of(transfer.debit).partition(":")
        if transfer.kind in MOVING and transfer.credit == payer(sale) and kind in ARRIVES_FROM:
            how = by_claim if kind == "owed" else owner or kind
            ways[how] = ways.get(how, 0) + transfer.amount
    return ways


def delivered(things: Iterable[ThingRead], currency: str) -> Money:
    """What the carriers have credited and not taken back."""
    done = [thing for thing in things if thing.kind == "delivery" and DELIVERED.get(thing.state) == "delivered"]
    return Money(sum(thing.credited.minor for thing in done if thing.credited), currency)


def _of_thing(thing: ThingRead) -> Sum | None:
    match thing.kind:
        case "delivery" if thing.state in DELIVERED:
            return Sum(DELIVERED[thing.state], thing.credited, by=thing.carrier)
        case "delivery" if thing.open:
            return Sum("under_way", thing.face, by=thing.carrier)
        case "refund" if thing.state in REFUNDED:
            return Sum(REFUNDED[thing.state], thing.amount, by=thing.provider)
        case "claim" if thing.balance:
            return Sum("owed", thing.balance, tail=thing.tail, state=thing.state)
        case "suspense" if thing.open:
            return Sum("in_doubt", thing.amount, cause=thing.cause)
        case _:
            return None


def _of_claims(sale: int, things: Iterable[ThingRead], moved: Iterable[Transfer], currency: str) -> Iterator[Sum]:
    """What became of the claims of this sale, beside what is still owed."""
    claims = {owed(thing.number) for thing in things if thing.kind == "claim"}
    for key, name in (("spent", "payer"), ("paid_out", "payout")):
        gone = sum(
            transfer.amount
            for transfer in moved
            if transfer.debit in claims
            and class_of(transfer.credit).startswith(name)
            and transfer.credit != payer(sale)
        )
        if gone:
            yield Sum(key, Money(gone, currency))
