"""A phone payment: whatever the rail says was paid is money, late, twice or in the wrong amount."""

from msgspec.structs import replace

from kiosk.amount import Money, zero
from kiosk.flow.facts import Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import MoneyArrived, OrderUnwanted, OrderWanted, PartEnded, SuspenseArisen
from kiosk.money import accounts
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import (
    AskOrder,
    CloseOrder,
    MakeOrder,
    OrderChargedBack,
    OrderClosed,
    OrderMade,
    OrderPaid,
    OrderRefundedElsewhere,
    OrderRefused,
    OrderScanned,
    OrderUnheard,
)


class Order(Thing, frozen=True, tag="order", kw_only=True):
    """One order under our id. `arrival` is the transfer that brought its money, `held` what is left of it."""

    rail: str = ""
    amount: Money | None = None
    refundable: bool = False
    payments: tuple[str, ...] = ()
    held: Money | None = None
    cases: tuple[str, ...] = ()  # in which money was taken back
    arrival: int = 0


def make(order: Order, fact: OrderWanted, out: Outcome) -> Order:
    out.command(MakeOrder(order.key, fact.rail, fact.amount))
    return replace(order, sale=fact.sale, rail=fact.rail, amount=fact.amount, refundable=fact.refundable)


def ask(order: Order, _: Fact, out: Outcome) -> Order:
    out.command(AskOrder(order.key, order.rail))
    return order


def close(order: Order, _: Fact, out: Outcome) -> Order:
    out.command(CloseOrder(order.key, order.rail))
    return order


def end(order: Order, _: Fact, out: Outcome) -> Order:
    out.tell(PartEnded(order.sale, order.number))
    return order


def arrive(order: Order, fact: OrderPaid, out: Outcome) -> Order:
    source = accounts.escrow(order.rail)
    arrival = out.move(f"rail:{order.rail}", source, fact.amount)
    payment = order.key if order.refundable else ""
    out.tell(MoneyArrived(order.sale, order.number, source, fact.amount, f"rail:{order.rail}", payment))
    return _holding(order, fact, arrival)


def arrive_late(order: Order, fact: OrderPaid, out: Outcome) -> Order:
    out.count("order/paid_late", fact.amount)
    return arrive(order, fact, out)


def arrive_again(order: Order, fact: OrderPaid, out: Outcome) -> Order:
    out.count("order/paid_twice", fact.amount)
    out.alarm("paid_twice", order)
    return arrive(order, fact, out)


def suspend(order: Order, fact: OrderPaid, out: Outcome) -> Order:
    """Not what was asked, or for an order that nobody made: kept apart until a person has looked."""
    rail = order.rail or "unknown"
    source = accounts.escrow(rail)
    arrival = out.move(f"rail:{rail}", source, fact.amount)
    cause = "order_amount_differs" if order.sale else "order_unknown"
    out.begin(lambda name: SuspenseArisen(name, cause, order.sale, source, fact.amount))
    if order.open:
        out.tell(PartEnded(order.sale, order.number))
    return replace(_holding(order, fact, arrival), rail=rail)


def _holding(order: Order, fact: OrderPaid, arrival: int) -> Order:
    held = order.held + fact.amount if order.held else fact.amount
    return replace(order, payments=(*order.payments, fact.payment), held=held, arrival=arrival)


def charge_back(order: Order, fact: OrderChargedBack, out: Outcome) -> Order:
    return _lose(order, fact, "charged_back", out)


def refund_elsewhere(order: Order, fact: OrderRefundedElsewhere, out: Outcome) -> Order:
    return _lose(order, fact, "refunded_elsewhere", out)


def _lose(order: Order, fact: OrderChargedBack | OrderRefundedElsewhere, cause: str, out: Outcome) -> Order:
    """The operator bears it, up to what the rail still holds of this order; more than that is somebody's mistake."""
    held = order.held or zero(fact.amount.currency)
    lost = min(fact.amount, held)
    if lost:
        out.correct(f"loss:{cause}", f"rail:{order.rail}", lost, order.arrival, cause)
    out.alarm(cause, order)
    if lost < fact.amount:
        out.alarm("order_contradiction", order)
    return replace(order, held=held - lost, cases=(*order.cases, fact.case))


def wonder(order: Order, _: Fact, out: Outcome) -> Order:
    out.alarm("order_contradiction", order)
    return order


def as_asked(order: Order, fact: OrderPaid) -> bool:
    return fact.amount == order.amount and fact.payment not in order.payments


def known(order: Order, fact: OrderPaid) -> bool:
    return fact.payment in order.payments


def known_case(order: Order, fact: OrderChargedBack | OrderRefundedElsewhere) -> bool:
    return fact.case in order.cases


UNPAID = "making shown scanned closing"

ORDER = Table(
    Order,
    {
        "making": "its id is durable; the rail may know it or not",
        "shown": "the code is on the screen",
        "scanned": "somebody scanned the code",
        "closing": "not wanted any more; the rail says whether it was paid first",
        "paid": "the rail holds the money",
        "closed": "closed unpaid; if it is paid all the same, that is money",
        "suspended": "something was paid that was not asked",
        "taken_back": "paid, and taken back behind our back",
    },
    "paid closed suspended taken_back",
    on("new", OrderWanted, "making", make),
    ignore("making shown scanned closing paid closed suspended taken_back", OrderWanted),
    on("making", OrderMade, "shown"),
    ignore("new shown scanned closing paid closed suspended taken_back", OrderMade),
    on("making closing", OrderRefused, "closed", end),
    ignore("new shown scanned paid closed suspended taken_back", OrderRefused),
    on("making shown scanned", OrderUnheard, "=", ask),
    on("closing", OrderUnheard, "=", close),
    ignore("new paid closed suspended taken_back", OrderUnheard),
    on("making shown", OrderScanned, "scanned"),
    ignore("new scanned closing paid closed suspended taken_back", OrderScanned),
    on("making shown scanned", OrderUnwanted, "closing", close),
    ignore("new closing paid closed suspended taken_back", OrderUnwanted),
    # money
    on(UNPAID, OrderPaid, "paid", arrive, as_asked),
    on("closed", OrderPaid, "paid", arrive_late, as_asked),
    on("paid suspended taken_back", OrderPaid, "=", None, known),
    on("paid taken_back", OrderPaid, "=", arrive_again),
    on("suspended", OrderPaid, "paid", arrive_late, as_asked),
    on("new making shown scanned closing closed suspended", OrderPaid, "suspended", suspend),
    on(UNPAID, OrderClosed, "closed", end),
    ignore("new paid closed suspended taken_back", OrderClosed),
    on("taken_back", OrderChargedBack, "=", None, known_case),
    on("paid suspended taken_back", OrderChargedBack, "taken_back", charge_back),
    on("new making shown scanned closing closed", OrderChargedBack, "=", wonder),
    on("taken_back", OrderRefundedElsewhere, "=", None, known_case),
    on("paid suspended taken_back", OrderRefundedElsewhere, "taken_back", refund_elsewhere),
    on("new making shown scanned closing closed", OrderRefundedElsewhere, "=", wonder),
    on("making shown scanned", Restarted, "=", ask),
    on("closing", Restarted, "=", close),
    ignore("new paid closed suspended taken_back", Restarted),
)
