"""A sale composes its parts: it takes what money arrives, delivers once it is covered, and gives back what is left.

Money that arrives in any other state is given back the way it came where that is possible, and owed where it is not.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from kiosk.amount import Money, zero
from kiosk.flow.facts import (
    CancelAsked,
    CardChosen,
    CashChosen,
    ClaimChosen,
    ExcessChosen,
    OrderChosen,
    PaymentLeft,
    Restarted,
    SaleOpened,
    WalkedAway,
)
from kiosk.flow.machine import Outcome, Row, Table, ignore, on
from kiosk.flow.reckoning import (
    Part,
    Payment,
    Sale,
    agreed,
    another_route,
    best_rung,
    can_deliver,
    covered,
    due,
    fits,
    held,
    may_take_cash,
    missing,
    nothing_paid,
    offers_choice,
    paid,
    reckon,
    something_missing,
    still_waits,
)
from kiosk.flow.told import (
    AuthorisationUnwanted,
    AuthorisationWanted,
    CashNoMore,
    CashUnavailable,
    CashWanted,
    ClaimArrived,
    ClaimAwaits,
    ClaimFunded,
    ClaimHeld,
    ClaimMade,
    ClaimPresented,
    ClaimReleased,
    ClaimUsed,
    Delivered,
    DeliveryDoubted,
    DeliveryUndone,
    DeliveryWanted,
    MoneyArrived,
    NoteOffered,
    NoteUnwanted,
    NoteWanted,
    OrderUnwanted,
    OrderWanted,
    PartEnded,
    RefundFellThrough,
    RefundWanted,
    SuspenseArisen,
    Undelivered,
)
from kiosk.money import accounts
from kiosk.ports.message import Fact
from kiosk.ports.slip import PrintSlip

F = TypeVar("F", bound=Fact)


# Actions -------------------------------------------------------------------------------------------------------------


def open_sale(sale: Sale, fact: SaleOpened, out: Outcome) -> Sale:
    claim = out.begin_claim(lambda code: ClaimMade(code.digest, code.tail, sale.number))
    out.count("sale/opened", fact.terms.price)
    return replace(sale, sale=sale.number, terms=fact.terms, claim=claim)


def invite_cash(sale: Sale, fact: CashChosen, out: Outcome) -> Sale:
    for device in sale.lanes:
        if device not in fact.devices:
            out.tell(CashNoMore(device, sale.number))
    for device in fact.devices:
        out.tell(CashWanted(device, sale.number, agreed(sale).accept))
    return replace(_no_more_orders(sale, out), lanes=fact.devices)


def make_order(sale: Sale, fact: OrderChosen, out: Outcome) -> Sale:
    sale = leave(sale, fact, out)
    amount = missing(sale)
    order = out.begin(lambda name: OrderWanted(name, sale.number, fact.rail, amount, fact.refundable))
    return replace(sale, parts=(*sale.parts, Part("order", order, amount)))


def ask_card(sale: Sale, fact: CardChosen, out: Outcome) -> Sale:
    sale = leave(sale, fact, out)
    amount = missing(sale)
    card = out.begin(lambda name: AuthorisationWanted(name, sale.number, fact.terminal, amount))
    return replace(sale, parts=(*sale.parts, Part("authorisation", card, amount)))


def present_claim(sale: Sale, fact: ClaimChosen, out: Outcome) -> Sale:
    out.tell(ClaimPresented(fact.claim, sale.number, missing(sale)))
    return sale


def choose_excess(sale: Sale, fact: ExcessChosen, _: Outcome) -> Sale:
    return replace(sale, terms=replace(agreed(sale), excess=fact.excess))


def leave(sale: Sale, _: Fact, out: Outcome) -> Sale:
    """No more money is invited; what is on its way may still come."""
    for device in sale.lanes:
        out.tell(CashNoMore(device, sale.number))
    return replace(_no_more_orders(sale, out), lanes=())


def _no_more_orders(sale: Sale, out: Outcome) -> Sale:
    for part in sale.parts:
        if part.kind == "order":
            out.tell(OrderUnwanted(part.number))
        elif part.kind == "authorisation":
            out.tell(AuthorisationUnwanted(part.number))
    return sale


def take_note(sale: Sale, fact: NoteOffered, out: Outcome) -> Sale:
    out.tell(NoteWanted(fact.note))
    return replace(sale, parts=(*sale.parts, Part("note", fact.note, fact.amount)))


def refuse_note(sale: Sale, fact: NoteOffered, out: Outcome) -> Sale:
    out.count("note/refused", fact.amount)
    out.tell(NoteUnwanted(fact.note))
    return sale


def miss_lane(sale: Sale, _: CashUnavailable, out: Outcome) -> Sale:
    """It stays invited: it goes on when it works again, and has to hear when the sale wants no more."""
    out.count("sale/cash_unavailable")
    return sale


def go_on(sale: Sale, fact: Fact, out: Outcome) -> Sale:
    """Note what came or ended, and wait for more."""
    _receive(sale, fact, out)
    return reckon(sale, fact)


def wind_up(sale: Sale, fact: Fact, out: Outcome) -> Sale:
    """The customer has gone: invite nothing more, and wait for what is on its way."""
    return leave(go_on(sale, fact, out), fact, out)


def cover(sale: Sale, fact: Fact, out: Outcome) -> Sale:
    """The price is there: claims are used, everything else is left, and the delivery goes out."""
    sale = wind_up(sale, fact, out)
    if paid(sale) >= due(sale):
        sale = _release_claims(sale, out)
    for part in sale.parts:
        if part.kind == "claim":
            out.tell(ClaimUsed(part.number))
            out.count("paid/claim", part.amount)
    sale = replace(
        sale,
        paid=paid(sale) + held(sale),
        parts=tuple(part for part in sale.parts if part.kind != "claim"),
    )
    terms, price = agreed(sale), due(sale)
    face, spending = terms.face, price
    extra = paid(sale) - price
    in_cash = extra <= (sale.cash or zero(extra.currency))
    if extra and in_cash and terms.excess == "added" and terms.face_max is not None and face + extra <= terms.face_max:
        face, spending = face + extra, price + extra
    return _deliver(sale, spending, face, out)


def deliver_rung(sale: Sale, fact: Fact, out: Outcome) -> Sale:
    sale = _release_claims(wind_up(sale, fact, out), out)
    rung = best_rung(sale)
    if rung is None:
        msg = f"sale {sale.number} has no rung to deliver"
        raise LookupError(msg)
    out.count("sale/delivered_after_leaving", rung.price)
    return _deliver(sale, rung.price, rung.face, out)


def end_with_nothing(sale: Sale, fact: Fact, out: Outcome) -> Sale:
    out.count("sale/cancelled")
    return _release_claims(wind_up(sale, fact, out), out)


def end_with_everything_back(sale: Sale, fact: Fact, out: Outcome) -> Sale:
    sale = _release_claims(wind_up(sale, fact, out), out)
    return _return_and_say(sale, paid(sale), out)


def try_next_route(sale: Sale, _: Undelivered, out: Outcome) -> Sale:
    return _send(replace(sale, route=sale.route + 1), out)


def give_up(sale: Sale, _: Undelivered, out: Outcome) -> Sale:
    """Nothing was delivered: all that it would have cost goes back."""
    return _return_and_say(replace(sale, spending=None), paid(sale), out)


def give_up_later(sale: Sale, _: Undelivered, out: Outcome) -> Sale:
    """The same when nobody stands there any more: the code on the slip leads to it."""
    out.tell(ClaimArrived(sale.claim))
    return _return(replace(sale, spending=None), paid(sale), out)


def finish(sale: Sale, fact: Delivered, out: Outcome) -> Sale:
    spent = sale.spending or zero(fact.shortfall.currency)
    sale = replace(sale, paid=paid(sale) - spent + fact.shortfall, spending=None)
    out.count("sale/done", spent)
    return _give_back(sale, fact.shortfall, out) if fact.shortfall else sale


def finish_and_say(sale: Sale, fact: Delivered, out: Outcome) -> Sale:
    out.command(PrintSlip("sale", sale.number, sale.claim))
    return finish(sale, fact, out)


def finish_later(sale: Sale, fact: Delivered, out: Outcome) -> Sale:
    """Nobody stands there any more: the code on the slip leads to the good news."""
    out.tell(ClaimArrived(sale.claim))
    return finish(sale, fact, out)


def wait(sale: Sale, _: DeliveryDoubted, out: Outcome) -> Sale:
    out.tell(ClaimAwaits(sale.claim))
    out.count("sale/doubtful", sale.spending)
    out.command(PrintSlip("pending", sale.number, sale.claim))
    return sale


def undo(sale: Sale, fact: DeliveryUndone, out: Outcome) -> Sale:
    return _return(replace(sale, paid=paid(sale) + fact.amount), fact.amount, out)


def take_extra(sale: Sale, fact: MoneyArrived, out: Outcome) -> Sale:
    """Money that this sale has no use for any more."""
    _receive(sale, fact, out)
    out.count("sale/extra_money", fact.amount)
    out.command(PrintSlip("owed", sale.number, sale.claim))
    return _give_back(reckon(sale, fact), fact.amount, out)


def owe_refund(sale: Sale, fact: RefundFellThrough, out: Outcome) -> Sale:
    _owe(sale, fact.amount, out)
    return sale


def release(sale: Sale, fact: ClaimHeld, out: Outcome) -> Sale:
    out.tell(ClaimReleased(fact.claim))
    return sale


def suspend_stranger(sale: Sale, fact: MoneyArrived, out: Outcome) -> Sale:
    """Money for a sale that does not exist cannot happen by our own numbers; it is owed all the same, by a person."""
    out.alarm("sale_unknown", sale)
    out.tell(ClaimFunded(out.begin_claim(lambda code: ClaimMade(code.digest, code.tail, 0)), fact.source, fact.amount))
    return sale


def _receive(sale: Sale, fact: Fact, out: Outcome) -> None:
    if isinstance(fact, MoneyArrived):
        out.move(fact.source, accounts.payer(sale.number), fact.amount)
        out.count(f"paid/{fact.method}", fact.amount)


def _release_claims(sale: Sale, out: Outcome) -> Sale:
    for part in sale.parts:
        if part.kind == "claim":
            out.tell(ClaimReleased(part.number))
    return replace(sale, parts=tuple(part for part in sale.parts if part.kind != "claim"))


def _deliver(sale: Sale, spending: Money, face: Money, out: Outcome) -> Sale:
    """Send it out, and give back at once what it does not cost."""
    sale = _send(replace(sale, spending=spending, face=face), out)
    return _give_back(sale, paid(sale) - spending, out)


def _send(sale: Sale, out: Outcome) -> Sale:
    terms = agreed(sale)
    spending, face = sale.spending or terms.price, sale.face or terms.face
    route = terms.routes[sale.route]
    price = min(face, max(spending - terms.fee, zero(spending.currency)))
    fee = spending - price
    out.begin(lambda name: DeliveryWanted(name, sale.number, route.carrier, route.resend_safe, price, fee, face))
    return sale


def _return(sale: Sale, amount: Money, out: Outcome) -> Sale:
    out.count("sale/returned", amount)
    return _give_back(sale, amount, out)


def _return_and_say(sale: Sale, amount: Money, out: Outcome) -> Sale:
    out.command(PrintSlip("returned", sale.number, sale.claim))
    return _return(sale, amount, out)


def _give_back(sale: Sale, amount: Money, out: Outcome) -> Sale:
    """The latest payment that can be refunded first; what cannot is owed under the sale's own code."""
    rest, payments = amount, list(sale.payments)
    source = accounts.payer(sale.number)
    for index in () if sale.copied else reversed(range(len(payments))):
        payment = payments[index]
        part = min(rest, payment.amount - payment.returned)
        if not part or not payment.payment:
            continue
        out.begin(_refund_of(sale.number, source, payment, part))
        payments[index] = replace(payment, returned=payment.returned + part)
        rest -= part
    if rest:
        _owe(sale, rest, out)
    return replace(sale, paid=paid(sale) - amount, payments=tuple(payments))


def _owe(sale: Sale, amount: Money, out: Outcome) -> None:
    """Under the sale's own code; of a copied sale a person has to find out whether it was given back already."""
    source = accounts.payer(sale.number)
    if sale.copied:
        cause = "sale_was_copied"
        out.begin(lambda name: SuspenseArisen(name, cause, sale.number, source, amount, claim=sale.claim))
    else:
        out.tell(ClaimFunded(sale.claim, source, amount))


def _refund_of(sale: int, source: str, payment: Payment, amount: Money) -> Callable[[str], RefundWanted]:
    return lambda name: RefundWanted(name, sale, 0, source, payment.provider, payment.payment, amount)


def ending(state: str, fact: type[F]) -> list[Row]:
    """How a sale ends that nobody stands before any more: as soon as nothing is on its way, by what was paid."""
    return [
        *on(state, fact, "closing", wind_up, still_waits),
        *on(state, fact, "cancelled", end_with_nothing, nothing_paid),
        *on(state, fact, "delivering", deliver_rung, can_deliver),
        *on(state, fact, "returned", end_with_everything_back),
    ]


AFTER = "delivering doubtful done returned cancelled"
ALL = "new paying closing delivering doubtful done returned cancelled"

SALE = Table(
    Sale,
    {
        "paying": "confirmed; money may come",
        "closing": "cancelled or left; waits for money that is on its way",
        "delivering": "covered; the carrier is at it",
        "doubtful": "covered; the carrier has not said",
        "done": "delivered",
        "returned": "not delivered; everything is refunded or owed",
        "cancelled": "no money ever came",
    },
    "done returned cancelled",
    on("new", SaleOpened, "paying", open_sale),
    ignore("paying closing delivering doubtful done returned cancelled", SaleOpened),
    # what the customer chooses
    on("paying", CashChosen, "=", invite_cash, may_take_cash),
    on("paying", OrderChosen, "=", make_order, something_missing),
    on("paying", CardChosen, "=", ask_card, something_missing),
    on("paying", ClaimChosen, "=", present_claim, something_missing),
    on("paying", ExcessChosen, "=", choose_excess, offers_choice),
    on("paying", PaymentLeft, "=", leave),
    ignore(ALL, CashChosen, OrderChosen, CardChosen, ClaimChosen, ExcessChosen),
    ignore("new closing delivering doubtful done returned cancelled", PaymentLeft),
    ending("paying", CancelAsked),
    ignore("new closing delivering doubtful done returned cancelled", CancelAsked),
    ending("paying", WalkedAway),
    ignore("new closing delivering doubtful done returned cancelled", WalkedAway),
    ending("paying", Restarted),
    ending("closing", Restarted),
    ignore("new delivering doubtful done returned cancelled", Restarted),
    # notes
    on("paying", NoteOffered, "=", take_note, fits),
    on(ALL, NoteOffered, "=", refuse_note),
    on("paying closing", CashUnavailable, "=", miss_lane),
    ignore("new delivering doubtful done returned cancelled", CashUnavailable),
    # money
    on("paying", MoneyArrived, "delivering", cover, covered),
    on("paying", MoneyArrived, "=", go_on),
    ending("closing", MoneyArrived),
    on(AFTER, MoneyArrived, "=", take_extra),
    on("new", MoneyArrived, "=", suspend_stranger),
    on("paying", ClaimHeld, "delivering", cover, covered),
    on("paying", ClaimHeld, "=", go_on),
    on("new closing delivering doubtful done returned cancelled", ClaimHeld, "=", release),
    on("paying", PartEnded, "=", go_on),
    ending("closing", PartEnded),
    ignore("new delivering doubtful done returned cancelled", PartEnded),
    # delivery
    on("delivering", Delivered, "done", finish_and_say),
    on("doubtful", Delivered, "done", finish_later),
    ignore("new paying closing done returned cancelled", Delivered),
    on("delivering doubtful", Undelivered, "=", try_next_route, another_route),
    on("delivering", Undelivered, "returned", give_up),
    on("doubtful", Undelivered, "returned", give_up_later),
    ignore("new paying closing done returned cancelled", Undelivered),
    on("delivering", DeliveryDoubted, "doubtful", wait),
    ignore("new paying closing doubtful done returned cancelled", DeliveryDoubted),
    on("done", DeliveryUndone, "returned", undo),
    ignore("new paying closing delivering doubtful returned cancelled", DeliveryUndone),
    on(ALL, RefundFellThrough, "=", owe_refund),
)
