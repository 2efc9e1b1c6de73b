"""A claim is a balance under a code: it is spent once, in whole or in part, and what is left becomes a new claim."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import (
    ClaimExpired,
    ClaimFrozen,
    ClaimRefundBegun,
    ClaimReplaced,
    ClaimThawed,
    PayoutBegun,
    PayoutDone,
    PayoutFailed,
    Restarted,
)
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import (
    ClaimArrived,
    ClaimAwaits,
    ClaimFunded,
    ClaimHeld,
    ClaimMade,
    ClaimPresented,
    ClaimRefundEnded,
    ClaimReleased,
    ClaimUsed,
    PartEnded,
    RefundWanted,
)
from kiosk.money import accounts
from kiosk.money.ledger import Promise
from kiosk.ports.message import Fact
from kiosk.ports.slip import PrintSlip


class Claim(Thing, frozen=True, tag="claim", kw_only=True):
    """One code. `taken` is the part of the balance that is promised away at present."""

    tail: str = ""
    balance: Money | None = None
    taken: Money | None = None
    promise: Promise | None = None
    buyer: int = 0
    successor: int = 0
    renewals: int = 0  # how often its code was replaced
    was: str = ""  # the state in which it was frozen
    checked: int = 0  # the adoption after which a person has found out what it is still worth


def make(claim: Claim, fact: ClaimMade, _: Outcome) -> Claim:
    return replace(claim, sale=fact.sale, tail=fact.tail)


def fund(claim: Claim, fact: ClaimFunded, out: Outcome) -> Claim:
    out.move(fact.source, accounts.owed(claim.number), fact.amount)
    out.count("owed/issued", fact.amount)
    return replace(claim, balance=claim.balance + fact.amount if claim.balance else fact.amount)


def revive_and_fund(claim: Claim, fact: ClaimFunded, out: Outcome) -> Claim:
    return fund(revive(claim, fact, out), fact, out)


def reopen(claim: Claim, fact: ClaimFunded, out: Outcome) -> Claim:
    out.count("owed/reopened", fact.amount)
    return fund(claim, fact, out)


def forward(claim: Claim, fact: ClaimFunded, out: Outcome) -> Claim:
    out.tell(ClaimFunded(claim.successor, fact.source, fact.amount))
    return claim


def revive(claim: Claim, _: Fact, out: Outcome) -> Claim:
    """Past its date it is as good as ever: the money comes back before anything else is done with it."""
    out.move(accounts.unclaimed(claim.number), accounts.owed(claim.number), worth(claim))
    out.count("owed/revived", worth(claim))
    return claim


def hold(claim: Claim, fact: ClaimPresented, out: Outcome) -> Claim:
    taken = min(worth(claim), fact.most)
    out.tell(ClaimHeld(fact.buyer, claim.number, taken))
    promise = out.promise(accounts.owed(claim.number), accounts.payer(fact.buyer), taken)
    return replace(claim, taken=taken, promise=promise, buyer=fact.buyer)


def revive_and_hold(claim: Claim, fact: ClaimPresented, out: Outcome) -> Claim:
    return hold(revive(claim, fact, out), fact, out)


def refuse(claim: Claim, fact: ClaimPresented, out: Outcome) -> Claim:
    out.count("owed/refused")
    out.tell(PartEnded(fact.buyer, claim.number))
    return claim


def use(claim: Claim, _: ClaimUsed, out: Outcome) -> Claim:
    promise, taken = promised(claim)
    out.post(promise)
    out.count("owed/spent", taken)
    return _carry_on(_less(claim), out)


def let_go(claim: Claim, _: Fact, out: Outcome) -> Claim:
    promise, _taken = promised(claim)
    out.void(promise)
    return replace(claim, taken=None, promise=None, buyer=0)


def begin_payout(claim: Claim, fact: PayoutBegun, out: Outcome) -> Claim:
    amount = worth(claim)
    promise = out.promise(accounts.owed(claim.number), f"payout:{fact.desk}", amount)
    return replace(claim, taken=amount, promise=promise)


def revive_and_pay_out(claim: Claim, fact: PayoutBegun, out: Outcome) -> Claim:
    return begin_payout(revive(claim, fact, out), fact, out)


def end_payout(claim: Claim, _: PayoutDone, out: Outcome) -> Claim:
    promise, taken = promised(claim)
    out.post(promise)
    out.count("owed/paid_out", taken)
    return _less(claim)


def wonder(claim: Claim, _: Fact, out: Outcome) -> Claim:
    out.alarm("claim_contradiction", claim)
    return claim


def begin_refund(claim: Claim, fact: ClaimRefundBegun, out: Outcome) -> Claim:
    """The refund itself reserves the money; here it is only remembered."""
    amount = worth(claim)
    source = accounts.owed(claim.number)
    out.begin(lambda name: RefundWanted(name, claim.sale, claim.number, source, fact.provider, fact.payment, amount))
    return replace(claim, taken=amount)


def revive_and_refund(claim: Claim, fact: ClaimRefundBegun, out: Outcome) -> Claim:
    return begin_refund(revive(claim, fact, out), fact, out)


def end_refund(claim: Claim, fact: ClaimRefundEnded, out: Outcome) -> Claim:
    out.count("owed/refunded", fact.amount)
    return _less(claim)


def stop_refund(claim: Claim, _: ClaimRefundEnded, __: Outcome) -> Claim:
    return replace(claim, taken=None)


def refund_undone(claim: Claim, fact: ClaimRefundEnded, out: Outcome) -> Claim:
    """It had been paid back and came back: the refund's own correction has put it here again."""
    out.count("owed/reopened", fact.amount)
    out.count("owed/came_back", fact.amount)
    return replace(claim, balance=claim.balance + fact.amount if claim.balance else fact.amount)


def revive_and_undo(claim: Claim, fact: ClaimRefundEnded, out: Outcome) -> Claim:
    return refund_undone(revive(claim, fact, out), fact, out)


def forward_undone(claim: Claim, fact: ClaimRefundEnded, out: Outcome) -> Claim:
    out.tell(ClaimFunded(claim.successor, accounts.owed(claim.number), fact.amount))
    out.count("owed/came_back", fact.amount)
    out.count("owed/carried_over", fact.amount)
    return claim


def expire(claim: Claim, _: ClaimExpired, out: Outcome) -> Claim:
    out.move(accounts.owed(claim.number), accounts.unclaimed(claim.number), worth(claim))
    out.count("owed/unclaimed", worth(claim))
    return claim


def renew_code(claim: Claim, _: ClaimReplaced, out: Outcome) -> Claim:
    code = out.renewed_code(claim.number, claim.renewals + 1)
    out.count("owed/code_replaced", claim.balance)
    out.command(PrintSlip("claim", claim.sale, claim.number))
    return replace(claim, key=code.digest, tail=code.tail, renewals=claim.renewals + 1)


def freeze(claim: Claim, _: ClaimFrozen, __: Outcome) -> Claim:
    return replace(claim, was=claim.state)


def freeze_unclaimed(claim: Claim, fact: ClaimFrozen, out: Outcome) -> Claim:
    return replace(revive(claim, fact, out), was="open")


def freeze_held(claim: Claim, fact: ClaimFrozen, out: Outcome) -> Claim:
    out.tell(PartEnded(claim.buyer, claim.number))
    return replace(let_go(claim, fact, out), was="open")


def thaw(claim: Claim, _: ClaimThawed, __: Outcome) -> Claim:
    return replace(claim, was="", checked=claim.copied)


def settle_while_frozen(claim: Claim, _: ClaimArrived, __: Outcome) -> Claim:
    return replace(claim, was="empty")


def _less(claim: Claim) -> Claim:
    """Without what was taken."""
    rest = worth(claim) - claim.taken if claim.taken else claim.balance
    return replace(claim, balance=rest or None, taken=None, promise=None, buyer=0)


def _carry_on(claim: Claim, out: Outcome) -> Claim:
    """Whatever is left goes to a new claim with a new code, in this commit."""
    rest = claim.balance
    if not rest:
        return claim
    successor = out.begin_claim(lambda code: ClaimMade(code.digest, code.tail, claim.sale))
    out.tell(ClaimFunded(successor, accounts.owed(claim.number), rest))
    out.count("owed/carried_over", rest)
    out.command(PrintSlip("claim", claim.sale, successor))
    return replace(claim, balance=None, successor=successor)


def worth(claim: Claim) -> Money:
    """What it is worth; only asked of a claim that is worth something."""
    if claim.balance is None:
        msg = f"claim {claim.number} is worth nothing"
        raise LookupError(msg)
    return claim.balance


def promised(claim: Claim) -> tuple[Promise, Money]:
    """What is reserved out of it."""
    if claim.promise is None or claim.taken is None:
        msg = f"nothing is reserved out of claim {claim.number}"
        raise LookupError(msg)
    return claim.promise, claim.taken


def unchecked(claim: Claim, _: Fact) -> bool:
    return claim.copied > claim.checked


def has_successor(claim: Claim, _: Fact) -> bool:
    return claim.successor != 0


def more_is_left(claim: Claim, _: Fact) -> bool:
    return bool(claim.balance) and claim.balance != claim.taken


def more_is_left_unchecked(claim: Claim, fact: Fact) -> bool:
    return more_is_left(claim, fact) and unchecked(claim, fact)


def by_two_people(_: Claim, fact: ClaimReplaced) -> bool:
    return fact.by != fact.second


def held_already(claim: Claim, fact: ClaimPresented) -> bool:
    return claim.buyer == fact.buyer


def done(_: Claim, fact: ClaimRefundEnded) -> bool:
    return fact.done


def failed_unchecked(claim: Claim, fact: ClaimRefundEnded) -> bool:
    return not fact.done and unchecked(claim, fact)


def undone(_: Claim, fact: ClaimRefundEnded) -> bool:
    return fact.undone


def undone_unchecked(claim: Claim, fact: ClaimRefundEnded) -> bool:
    return fact.undone and unchecked(claim, fact)


def undone_with_successor(claim: Claim, fact: ClaimRefundEnded) -> bool:
    return fact.undone and claim.successor != 0


def done_and_more(claim: Claim, fact: ClaimRefundEnded) -> bool:
    return fact.done and more_is_left(claim, fact)


def done_and_more_unchecked(claim: Claim, fact: ClaimRefundEnded) -> bool:
    return done_and_more(claim, fact) and unchecked(claim, fact)


def was_waiting(claim: Claim, _: ClaimThawed) -> bool:
    return claim.was == "waiting" and not claim.balance


def worth_something(claim: Claim, _: Fact) -> bool:
    return bool(claim.balance)


EVERY = "new empty waiting open held paying_out refunding unclaimed frozen spent paid_out refunded"


def _all_but(states: str) -> str:
    return " ".join(state for state in EVERY.split() if state not in states.split())


CLAIM = Table(
    Claim,
    {
        "empty": "its sale can be found by it; nothing is owed",
        "waiting": "its top-up is on the way, nobody knows yet",
        "open": "owed: whoever holds the code can spend it",
        "held": "reserved for a sale",
        "paying_out": "staff are paying it out",
        "refunding": "on its way back as it was paid",
        "unclaimed": "past its date, still payable",
        "frozen": "from a copied journal: to be checked first",
        "spent": "spent; what was left has a new code",
        "paid_out": "paid out by staff",
        "refunded": "went back as it was paid",
    },
    "empty spent paid_out refunded",
    on("new", ClaimMade, "empty", make),
    ignore(_all_but("new"), ClaimMade),
    # money comes
    on("empty spent paid_out refunded", ClaimFunded, "frozen", reopen, unchecked),
    on("spent", ClaimFunded, "=", forward, has_successor),
    on("spent paid_out refunded", ClaimFunded, "open", reopen),
    on("new empty waiting open", ClaimFunded, "open", fund),
    on("unclaimed", ClaimFunded, "open", revive_and_fund),
    on("held paying_out refunding frozen", ClaimFunded, "=", fund),
    on("empty", ClaimAwaits, "waiting"),
    ignore(_all_but("empty"), ClaimAwaits),
    on("waiting", ClaimArrived, "empty"),
    on("frozen", ClaimArrived, "=", settle_while_frozen),
    ignore(_all_but("waiting frozen"), ClaimArrived),
    # money is spent
    on("open", ClaimPresented, "held", hold),
    on("unclaimed", ClaimPresented, "held", revive_and_hold),
    on("held", ClaimPresented, "=", None, held_already),
    on(_all_but("open unclaimed"), ClaimPresented, "=", refuse),
    on("held", ClaimUsed, "spent", use),
    ignore(_all_but("held"), ClaimUsed),
    on("held", ClaimReleased, "open", let_go),
    ignore(_all_but("held"), ClaimReleased),
    # money is paid out
    on("open", PayoutBegun, "paying_out", begin_payout),
    on("unclaimed", PayoutBegun, "paying_out", revive_and_pay_out),
    ignore(_all_but("open unclaimed"), PayoutBegun),
    on("paying_out", PayoutDone, "frozen", end_payout, more_is_left_unchecked),
    on("paying_out", PayoutDone, "open", end_payout, more_is_left),
    on("paying_out", PayoutDone, "paid_out", end_payout),
    on(_all_but("paying_out paid_out"), PayoutDone, "=", wonder),
    ignore("paid_out", PayoutDone),
    on("paying_out", PayoutFailed, "frozen", let_go, unchecked),
    on("paying_out", PayoutFailed, "open", let_go),
    on("paid_out", PayoutFailed, "=", wonder),
    ignore(_all_but("paying_out paid_out"), PayoutFailed),
    # money goes back
    on("open", ClaimRefundBegun, "refunding", begin_refund),
    on("unclaimed", ClaimRefundBegun, "refunding", revive_and_refund),
    ignore(_all_but("open unclaimed"), ClaimRefundBegun),
    on("refunding", ClaimRefundEnded, "=", refund_undone, undone),  # an earlier one
    on("refunding", ClaimRefundEnded, "frozen", end_refund, done_and_more_unchecked),
    on("refunding", ClaimRefundEnded, "open", end_refund, done_and_more),
    on("refunding", ClaimRefundEnded, "refunded", end_refund, done),
    on("refunding", ClaimRefundEnded, "frozen", stop_refund, failed_unchecked),
    on("refunding", ClaimRefundEnded, "open", stop_refund),
    on("empty spent paid_out refunded", ClaimRefundEnded, "frozen", refund_undone, undone_unchecked),
    on("spent", ClaimRefundEnded, "=", forward_undone, undone_with_successor),
    on("new empty waiting spent paid_out refunded", ClaimRefundEnded, "open", refund_undone, undone),
    on("open held paying_out frozen", ClaimRefundEnded, "=", refund_undone, undone),
    on("unclaimed", ClaimRefundEnded, "open", revive_and_undo, undone),
    on(_all_but("refunding"), ClaimRefundEnded, "="),
    # time and people
    on("open", ClaimExpired, "unclaimed", expire),
    ignore(_all_but("open"), ClaimExpired),
    on(_all_but("new spent paid_out refunded"), ClaimReplaced, "=", renew_code, by_two_people),
    ignore(EVERY, ClaimReplaced),
    on("open empty waiting", ClaimFrozen, "frozen", freeze),
    on("unclaimed", ClaimFrozen, "frozen", freeze_unclaimed),
    on("held", ClaimFrozen, "frozen", freeze_held),
    ignore(_all_but("open empty waiting unclaimed held"), ClaimFrozen),
    on("frozen", ClaimThawed, "waiting", thaw, was_waiting),
    on("frozen", ClaimThawed, "open", thaw, worth_something),
    on("frozen", ClaimThawed, "empty", thaw),
    ignore(_all_but("frozen"), ClaimThawed),
    ignore(EVERY, Restarted),
    resting="open unclaimed frozen",
)
