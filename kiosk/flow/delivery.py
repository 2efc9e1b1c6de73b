"""A top-up on its way: sent under one id, unknown until the carrier has said, and never refunded by time alone."""

from msgspec import Struct
from msgspec.structs import replace

from kiosk.amount import Money, zero
from kiosk.flow.facts import Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import Delivered, DeliveryDoubted, DeliveryUndone, DeliveryWanted, Undelivered
from kiosk.money import accounts
from kiosk.money.ledger import Promise
from kiosk.ports.carrier import (
    AskTopUp,
    SendTopUp,
    TopUpAccepted,
    TopUpDeclined,
    TopUpNotFound,
    TopUpOverdue,
    TopUpReversed,
    TopUpUnheard,
)
from kiosk.ports.message import Fact

RESENDS_MAX = 5


class Delivery(Thing, frozen=True, tag="delivery", kw_only=True):
    """One attempt by one carrier. `price` is what leaves the sale for it, `fee` what stays with the operator."""

    carrier: str = ""
    resend_safe: bool = False
    resends: int = 0
    escalated: bool = False  # a person knows; one alarm is enough
    price: Money | None = None
    fee: Money | None = None
    face: Money | None = None
    credited: Money | None = None
    promise: Promise | None = None
    fee_promise: Promise | None = None


class Sums(Struct, frozen=True):
    """The amounts of a delivery that was sent."""

    price: Money
    face: Money
    promise: Promise


def send(delivery: Delivery, fact: DeliveryWanted, out: Outcome) -> Delivery:
    payer = accounts.payer(fact.sale)
    out.command(SendTopUp(delivery.key, fact.carrier, fact.sale, fact.face))
    out.count(f"delivery/{fact.carrier}/sent", fact.face)
    return replace(
        delivery,
        sale=fact.sale,
        carrier=fact.carrier,
        resend_safe=fact.resend_safe,
        price=fact.price,
        fee=fact.fee,
        face=fact.face,
        promise=out.promise(payer, f"carrier:{fact.carrier}", fact.price),
        fee_promise=out.promise(payer, "fee", fact.fee) if fact.fee else None,
    )


def doubt(delivery: Delivery, _: Fact, out: Outcome) -> Delivery:
    out.count(f"delivery/{delivery.carrier}/unknown", delivery.face)
    out.command(AskTopUp(delivery.key, delivery.carrier))
    out.tell(DeliveryDoubted(delivery.sale))
    return delivery


def ask(delivery: Delivery, _: Fact, out: Outcome) -> Delivery:
    out.command(AskTopUp(delivery.key, delivery.carrier))
    return delivery


def send_again(delivery: Delivery, _: TopUpNotFound, out: Outcome) -> Delivery:
    """Twice not found, and the carrier promises that the same id delivers once: the same id goes out again."""
    face = booked(delivery).face
    out.command(SendTopUp(delivery.key, delivery.carrier, delivery.sale, face))
    out.count(f"delivery/{delivery.carrier}/resent", face)
    return replace(delivery, resends=delivery.resends + 1)


def escalate(delivery: Delivery, fact: Fact, out: Outcome) -> Delivery:
    if not delivery.escalated:
        out.alarm("delivery_needs_a_person", delivery)
    return replace(ask(delivery, fact, out), escalated=True)


def deliver(delivery: Delivery, fact: TopUpAccepted, out: Outcome) -> Delivery:
    """Post what was promised, add what the operator gives on top, and give back what fell short."""
    sums = booked(delivery)
    carrier, of = f"carrier:{delivery.carrier}", sums.promise.number
    out.post(sums.promise)
    if delivery.fee_promise:
        out.post(delivery.fee_promise)
        out.count("fee/earned", delivery.fee)
    short = min(max(sums.face - fact.credited, zero(sums.face.currency)), sums.price)
    gift = fact.credited - (sums.price - short)
    if short:
        out.correct(carrier, accounts.payer(delivery.sale), short, of, "shortfall")
        out.alarm("shortfall", delivery)
    if fact.credited > sums.face:
        over = fact.credited - sums.face
        out.correct("loss:over_credited", carrier, over, of, "over_credited")
        out.alarm("over_credited", delivery)
        gift -= over
    if gift:
        out.move("promotion", carrier, gift)
        out.count("promotion/given", gift)
    out.count(f"delivery/{delivery.carrier}/accepted", fact.credited)
    out.tell(Delivered(delivery.sale, short))
    return replace(delivery, credited=fact.credited)


def deliver_late(delivery: Delivery, fact: TopUpAccepted, out: Outcome) -> Delivery:
    """Declined, its money given back, and delivered all the same: the operator's loss."""
    of = booked(delivery).promise.number
    if fact.credited:
        out.correct(
            "loss:delivered_after_decline",
            f"carrier:{delivery.carrier}",
            fact.credited,
            of,
            "delivered_after_decline",
        )
    out.count(f"delivery/{delivery.carrier}/contradicted", fact.credited)
    out.alarm("delivered_after_decline", delivery)
    return replace(delivery, credited=fact.credited)


def decline(delivery: Delivery, _: Fact, out: Outcome) -> Delivery:
    out.void(booked(delivery).promise)
    if delivery.fee_promise:
        out.void(delivery.fee_promise)
    out.count(f"delivery/{delivery.carrier}/declined", delivery.face)
    out.tell(Undelivered(delivery.sale))
    return delivery


def undo(delivery: Delivery, _: Fact, out: Outcome) -> Delivery:
    """Everything that the acceptance booked goes back: to the payer what was his, to the promotion what was given."""
    sums = booked(delivery)
    carrier, payer, of = f"carrier:{delivery.carrier}", accounts.payer(delivery.sale), sums.promise.number
    credited = sums.face if delivery.credited is None else delivery.credited
    short = min(max(sums.face - credited, zero(sums.face.currency)), sums.price)
    paid = sums.price - short
    gift = min(credited, sums.face) - paid
    if paid:
        out.correct(carrier, payer, paid, of, "reversed")
    if gift:
        out.correct(carrier, "promotion", gift, of, "reversed_promotion")
    if credited > sums.face:
        out.correct(carrier, "recovered:over_credited", credited - sums.face, of, "reversed_over_credited")
    if delivery.fee:
        out.correct("fee", payer, delivery.fee, of, "reversed_fee")
    out.count(f"delivery/{delivery.carrier}/reversed", credited)
    out.alarm("delivery_reversed", delivery)
    out.tell(DeliveryUndone(delivery.sale, paid + delivery.fee if delivery.fee else paid))
    return delivery


def recover(delivery: Delivery, _: Fact, out: Outcome) -> Delivery:
    """What had been delivered after a decline was taken back: the loss is made good."""
    if delivery.credited:
        cause = "reversed_after_decline"
        of = booked(delivery).promise.number
        out.correct(f"carrier:{delivery.carrier}", f"recovered:{cause}", delivery.credited, of, cause)
    out.count(f"delivery/{delivery.carrier}/recovered", delivery.credited)
    out.alarm("delivery_reversed", delivery)
    return delivery


def wonder(delivery: Delivery, _: Fact, out: Outcome) -> Delivery:
    out.alarm("delivery_contradiction", delivery)
    return delivery


def booked(delivery: Delivery) -> Sums:
    """What was reserved when it was sent."""
    if delivery.price is None or delivery.face is None or delivery.promise is None:
        msg = f"delivery {delivery.number} was never sent"
        raise LookupError(msg)
    return Sums(delivery.price, delivery.face, delivery.promise)


def may_resend(delivery: Delivery, _: TopUpNotFound) -> bool:
    return delivery.resend_safe and delivery.resends < RESENDS_MAX


UNKNOWN = "unknown missing"
PENDING = "sending unknown missing"

DELIVERY = Table(
    Delivery,
    {
        "sending": "its id is durable; the carrier may know it or not",
        "unknown": "the carrier has not said; it is asked for as long as it takes",
        "missing": "the carrier does not know the id: perhaps not yet",
        "accepted": "the card has it",
        "declined": "proven: the card got nothing; the money is free again",
        "reversed": "delivered, and taken back by the carrier",
        "contradicted": "declined, and delivered all the same",
        "recovered": "declined, delivered all the same, and taken back",
    },
    "accepted declined reversed contradicted recovered",
    on("new", DeliveryWanted, "sending", send),
    ignore("sending unknown missing accepted declined reversed contradicted recovered", DeliveryWanted),
    on(PENDING, TopUpAccepted, "accepted", deliver),
    on("declined", TopUpAccepted, "contradicted", deliver_late),
    on("new reversed recovered", TopUpAccepted, "=", wonder),
    ignore("accepted contradicted", TopUpAccepted),
    on(PENDING, TopUpDeclined, "declined", decline),
    on("accepted", TopUpDeclined, "reversed", undo),
    on("contradicted", TopUpDeclined, "recovered", recover),
    ignore("new declined reversed recovered", TopUpDeclined),
    on(PENDING, TopUpReversed, "declined", decline),
    on("accepted", TopUpReversed, "reversed", undo),
    on("contradicted", TopUpReversed, "recovered", recover),
    ignore("new declined reversed recovered", TopUpReversed),
    on("sending", TopUpUnheard, "unknown", doubt),
    ignore("new unknown missing accepted declined reversed contradicted recovered", TopUpUnheard),
    on("sending", TopUpNotFound, "unknown", doubt),
    on("unknown", TopUpNotFound, "missing", ask),
    on("missing", TopUpNotFound, "sending", send_again, may_resend),
    on("missing", TopUpNotFound, "=", escalate),
    ignore("new accepted declined reversed contradicted recovered", TopUpNotFound),
    on(UNKNOWN, TopUpOverdue, "=", escalate),
    on("sending", TopUpOverdue, "unknown", doubt),
    ignore("new accepted declined reversed contradicted recovered", TopUpOverdue),
    on("sending", Restarted, "unknown", doubt),
    on(UNKNOWN, Restarted, "=", ask),
    ignore("new accepted declined reversed contradicted recovered", Restarted),
)
