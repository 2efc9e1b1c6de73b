"""Money going back: one refund, one id, out of a reserved amount that only proven failure frees."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import ClaimRefundEnded, RefundFellThrough, RefundWanted
from kiosk.money.ledger import Promise
from kiosk.ports.message import Fact
from kiosk.ports.refunds import (
    AskRefund,
    RefundAbnormal,
    RefundChargedBack,
    RefundDone,
    RefundDoneElsewhere,
    RefundFailed,
    RefundProcessing,
    RefundUnheard,
    SendRefund,
)


class Refund(Thing, frozen=True, tag="refund", kw_only=True):
    """One refund, out of a sale or out of a claim."""

    claim: int = 0
    provider: str = ""
    payment: str = ""
    amount: Money | None = None
    promise: Promise | None = None
    cases: tuple[str, ...] = ()  # in which the payer's bank took it back


def begin(refund: Refund, fact: RefundWanted, out: Outcome) -> Refund:
    promise = out.promise(fact.source, fact.provider, fact.amount)
    out.command(SendRefund(refund.key, fact.provider, fact.payment, fact.amount))
    out.count("refund/begun", fact.amount)
    return replace(
        refund,
        sale=fact.sale,
        claim=fact.claim,
        provider=fact.provider,
        payment=fact.payment,
        amount=fact.amount,
        promise=promise,
    )


def send_again(refund: Refund, _: Restarted, out: Outcome) -> Refund:
    """Every provider takes the same refund id twice and pays once: that is what it is for."""
    amount, _promise = booked(refund)
    out.command(SendRefund(refund.key, refund.provider, refund.payment, amount))
    return refund


def ask(refund: Refund, _: Fact, out: Outcome) -> Refund:
    out.command(AskRefund(refund.key, refund.provider))
    return refund


def worry(refund: Refund, fact: RefundAbnormal, out: Outcome) -> Refund:
    out.alarm("refund_abnormal", refund)
    return ask(refund, fact, out)


def finish(refund: Refund, fact: Fact, out: Outcome) -> Refund:
    amount, promise = booked(refund)
    out.post(promise)
    out.count("refund/done" if isinstance(fact, RefundDone) else "refund/done_elsewhere", amount)
    if refund.claim:
        out.tell(ClaimRefundEnded(refund.claim, done=True, undone=False, amount=amount))
    return refund


def fail(refund: Refund, _: RefundFailed, out: Outcome) -> Refund:
    amount, promise = booked(refund)
    out.void(promise)
    out.count("refund/failed", amount)
    _hand_back(refund, amount, out, undone=False)
    return refund


def fail_after_all(refund: Refund, _: RefundFailed, out: Outcome) -> Refund:
    amount, promise = booked(refund)
    out.correct(promise.credit, promise.debit, amount, promise.number, "refund_came_back")
    out.alarm("refund_came_back", refund)
    _hand_back(refund, amount, out, undone=True)
    return refund


def lose(refund: Refund, _: Fact, out: Outcome) -> Refund:
    amount, promise = booked(refund)
    cause = "refunded_after_failure" if refund.state == "failed" else "refunded_and_charged_back"
    out.correct(f"loss:{cause}", promise.credit, amount, promise.number, cause)
    out.alarm(cause, refund)
    return refund


def lose_to_bank(refund: Refund, fact: RefundChargedBack, out: Outcome) -> Refund:
    amount, promise = booked(refund)
    out.correct("loss:charged_back", promise.credit, amount, promise.number, "charged_back")
    out.alarm("charged_back", refund)
    return replace(refund, cases=(*refund.cases, fact.case))


def finish_by_bank(refund: Refund, fact: RefundChargedBack, out: Outcome) -> Refund:
    """The payer has his money; whether the refund reaches him too is still to be found out."""
    out.alarm("charged_back", refund)
    return ask(finish(replace(refund, cases=(*refund.cases, fact.case)), fact, out), fact, out)


def wonder(refund: Refund, _: Fact, out: Outcome) -> Refund:
    out.alarm("refund_contradiction", refund)
    return refund


def _hand_back(refund: Refund, amount: Money, out: Outcome, *, undone: bool) -> None:
    if refund.claim:
        out.tell(ClaimRefundEnded(refund.claim, done=False, undone=undone, amount=amount))
    else:
        out.tell(RefundFellThrough(refund.sale, amount))


def booked(refund: Refund) -> tuple[Money, Promise]:
    """What was reserved."""
    if refund.amount is None or refund.promise is None:
        msg = f"refund {refund.number} was never begun"
        raise LookupError(msg)
    return refund.amount, refund.promise


def known_case(refund: Refund, fact: RefundChargedBack) -> bool:
    return fact.case in refund.cases


UNDER_WAY = "sending processing abnormal"

REFUND = Table(
    Refund,
    {
        "sending": "its id is durable; the provider may know it or not",
        "processing": "the provider is at it, perhaps for days",
        "abnormal": "the provider cannot end it; a person has to",
        "charged_back": "the payer's bank was faster; the refund must not reach him too",
        "stopped": "the payer's bank was faster, and the refund will not reach him too",
        "done": "the money is back with the payer",
        "failed": "final: nothing went back; the money is owed instead",
        "contradicted": "ended one way, then the other: corrected, and alarmed",
    },
    "stopped done failed contradicted",
    on("new", RefundWanted, "sending", begin),
    ignore("sending processing abnormal charged_back stopped done failed contradicted", RefundWanted),
    on("sending abnormal", RefundProcessing, "processing", ask),
    ignore("new processing charged_back stopped done failed contradicted", RefundProcessing),
    on("sending processing", RefundAbnormal, "abnormal", worry),
    on("stopped done failed", RefundAbnormal, "=", wonder),
    ignore("new abnormal charged_back contradicted", RefundAbnormal),
    on("sending processing charged_back", RefundUnheard, "=", ask),
    ignore("new abnormal stopped done failed contradicted", RefundUnheard),
    on(UNDER_WAY, RefundDone, "done", finish),
    on("failed charged_back stopped", RefundDone, "contradicted", lose),
    on("new", RefundDone, "=", wonder),
    ignore("done contradicted", RefundDone),
    on(UNDER_WAY, RefundDoneElsewhere, "done", finish),
    on("failed charged_back stopped", RefundDoneElsewhere, "contradicted", lose),
    on("new", RefundDoneElsewhere, "=", wonder),
    ignore("done contradicted", RefundDoneElsewhere),
    on(UNDER_WAY, RefundChargedBack, "charged_back", finish_by_bank),
    on("stopped done failed", RefundChargedBack, "=", None, known_case),
    on("stopped done failed", RefundChargedBack, "contradicted", lose_to_bank),
    on("new", RefundChargedBack, "=", wonder),
    ignore("charged_back contradicted", RefundChargedBack),
    on(UNDER_WAY, RefundFailed, "failed", fail),
    on("charged_back", RefundFailed, "stopped"),
    on("done", RefundFailed, "contradicted", fail_after_all),
    ignore("new stopped failed contradicted", RefundFailed),
    on("sending", Restarted, "=", send_again),
    on("processing abnormal charged_back", Restarted, "=", ask),
    ignore("new stopped done failed contradicted", Restarted),
)
