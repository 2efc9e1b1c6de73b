"""A note in escrow is a promise; stacked keeps it, returned drops it, and what nobody can tell becomes doubt."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import DoubtSettled, Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import (
    MoneyArrived,
    NoteAccounted,
    NoteOffered,
    NoteSeen,
    NoteUnwanted,
    NoteWanted,
    PartEnded,
    StrayNote,
    SuspenseArisen,
)
from kiosk.money import accounts
from kiosk.money.ledger import Promise
from kiosk.ports.bill_validator import (
    NoteFact,
    NoteHeld,
    NoteRetracted,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.message import Fact


class Note(Thing, frozen=True, tag="note", kw_only=True):
    """One note, from escrow to wherever it ended."""

    device: str = ""
    position: int = 0
    box: int = 0
    amount: Money | None = None
    promise: Promise | None = None
    suspense: int = 0


def see(note: Note, fact: NoteSeen, out: Outcome) -> Note:
    promise = out.promise(accounts.cashbox(fact.device, fact.box), accounts.escrow(fact.device), fact.amount)
    if fact.sale:
        out.tell(NoteOffered(fact.sale, note.number, fact.amount))
    else:
        out.command(ReturnNote(fact.device, fact.position))
    return replace(
        note,
        sale=fact.sale,
        device=fact.device,
        position=fact.position,
        box=fact.box,
        amount=fact.amount,
        promise=promise,
    )


def stack(note: Note, _: NoteWanted, out: Outcome) -> Note:
    out.command(StackNote(note.device, note.position))
    return note


def give_back(note: Note, _: Fact, out: Outcome) -> Note:
    out.command(ReturnNote(note.device, note.position))
    return note


def give_back_and_wonder(note: Note, _: Fact, out: Outcome) -> Note:
    out.alarm("note_contradiction", note)
    return give_back(note, _, out)


def give_back_unknown(note: Note, fact: NoteHeld, out: Outcome) -> Note:
    out.command(ReturnNote(fact.device, fact.position))
    return replace(note, device=fact.device, position=fact.position)


def ask(note: Note, _: Restarted, out: Outcome) -> Note:
    out.command(TellNote(note.device, note.position, stacking=note.state != "returning"))
    return note


def keep(note: Note, fact: NoteStacked | NoteRetracted, out: Outcome) -> Note:
    promise, amount = booked(note)
    out.post(promise)
    if fact.amount not in {None, amount}:
        out.alarm("note_amount_differs", note)
    _arrive(note, amount, out)
    return note


def keep_after_all(note: Note, _: Fact, out: Outcome) -> Note:
    promise, amount = booked(note)
    out.correct(promise.debit, promise.credit, amount, promise.number, "retracted")
    out.alarm("note_retracted", note)
    _arrive(note, amount, out)
    return note


def drop(note: Note, _: Fact, out: Outcome) -> Note:
    promise, _amount = booked(note)
    out.void(promise)
    out.count("note/returned")
    if note.sale:
        out.tell(PartEnded(note.sale, note.number))
    return note


def lose(note: Note, _: Fact, out: Outcome) -> Note:
    promise, amount = booked(note)
    out.correct("loss:returned_after_stacked", promise.debit, amount, promise.number, "returned_after_stacked")
    out.count(f"cash_out/{note.device}#{note.box}/note/{amount.minor}", amount)
    out.alarm("note_returned_after_stacked", note)
    return note


def regain(note: Note, _: Fact, out: Outcome) -> Note:
    promise, amount = booked(note)
    out.correct(promise.debit, "recovered:stacked_again", amount, promise.number, "stacked_again")
    out.count(f"cash/{note.device}#{note.box}/note/{amount.minor}", amount)
    out.alarm("note_stacked_again", note)
    return note


def doubt(note: Note, fact: NoteUnaccounted, out: Outcome) -> Note:
    promise, amount = booked(note)
    out.void(promise)
    source = accounts.doubt(note.device, note.box)
    suspense = out.begin(
        lambda name: SuspenseArisen(
            name, fact.cause, note.sale, source, amount, note.device, note.box, note.number, doubtful=True
        )
    )
    out.alarm("note_unaccounted", note)
    if note.sale:
        out.tell(PartEnded(note.sale, note.number))
    return replace(note, suspense=suspense)


def doubt_unknown(note: Note, fact: NoteUnaccounted, out: Outcome) -> Note:
    suspense = out.begin(lambda name: SuspenseArisen(name, fact.cause, 0, "", None, fact.device, 0, note.number))
    out.alarm("note_unaccounted", note)
    return replace(note, device=fact.device, position=fact.position, suspense=suspense)


def found(note: Note, fact: NoteFact, out: Outcome) -> Note:
    out.tell(DoubtSettled(note.suspense, found=True, by=fact.device))
    return note


def not_there(note: Note, fact: NoteFact, out: Outcome) -> Note:
    out.tell(DoubtSettled(note.suspense, found=False, by=fact.device))
    return note


def stray(note: Note, fact: NoteStacked | NoteRetracted, out: Outcome) -> Note:
    out.tell(StrayNote(fact.device, fact.position, note.number, fact.amount))
    return replace(note, device=fact.device, position=fact.position, amount=fact.amount)


def wonder(note: Note, _: Fact, out: Outcome) -> Note:
    out.alarm("note_contradiction", note)
    return note


def _arrive(note: Note, amount: Money, out: Outcome) -> None:
    escrow = accounts.escrow(note.device)
    out.count(f"cash/{note.device}#{note.box}/note/{amount.minor}", amount)
    if note.sale:
        out.tell(MoneyArrived(note.sale, note.number, escrow, amount, "cash"))
    else:
        out.begin(
            lambda name: SuspenseArisen(
                name, "note_without_sale", 0, escrow, amount, note.device, note.box, note.number
            )
        )


def booked(note: Note) -> tuple[Promise, Money]:
    """The promise and the value of a note that was seen in escrow."""
    if note.promise is None or note.amount is None:
        msg = f"note {note.number} was never booked"
        raise LookupError(msg)
    return note.promise, note.amount


def for_nobody(_: Note, fact: NoteSeen) -> bool:
    return fact.sale == 0


def is_found(_: Note, fact: NoteAccounted) -> bool:
    return fact.found


def valued_at_last(note: Note, fact: NoteStacked | NoteRetracted) -> bool:
    return note.amount is None and fact.amount is not None


def never_seen(note: Note, _: Fact) -> bool:
    return note.promise is None


ON_ITS_WAY = "escrow stacking returning"

NOTE = Table(
    Note,
    {
        "escrow": "lies in the acceptor; nothing is decided",
        "stacking": "the intent to stack it is durable; the device may have done it already",
        "returning": "on its way back to the customer",
        "stacked": "in the box: money",
        "returned": "in the customer's hand",
        "in_doubt": "in the box or not: the count, the device or a person decides",
        "stray": "never announced: in the box, or suspense of unknown value",
        "lost": "was booked as stacked and came out again",
    },
    "stacked returned stray lost",
    on("new", NoteSeen, "returning", see, for_nobody),
    on("new", NoteSeen, "escrow", see),
    on("returning stacked returned in_doubt stray lost", NoteSeen, "=", give_back_and_wonder),
    ignore("escrow stacking", NoteSeen),
    on("escrow", NoteWanted, "stacking", stack),
    on("escrow", NoteUnwanted, "returning", give_back),
    ignore("new stacking returning stacked returned in_doubt stray lost", NoteWanted, NoteUnwanted),
    # in the box
    on("returning", NoteStacked, "stray", stray, never_seen),
    on(ON_ITS_WAY, NoteStacked, "stacked", keep),
    on("returned", NoteStacked, "stray", stray, never_seen),
    on("returned", NoteStacked, "stacked", keep_after_all),
    on("in_doubt", NoteStacked, "stacked", found),
    on("new", NoteStacked, "stray", stray),
    on("stray", NoteStacked, "=", stray, valued_at_last),
    on("lost", NoteStacked, "stacked", regain),
    ignore("stacked stray", NoteStacked),
    on("returning", NoteRetracted, "stray", stray, never_seen),
    on(ON_ITS_WAY, NoteRetracted, "stacked", keep),
    on("returned", NoteRetracted, "stray", stray, never_seen),
    on("returned", NoteRetracted, "stacked", keep_after_all),
    on("in_doubt", NoteRetracted, "stacked", found),
    on("new", NoteRetracted, "stray", stray),
    on("stray", NoteRetracted, "=", stray, valued_at_last),
    on("lost", NoteRetracted, "stacked", regain),
    ignore("stacked stray", NoteRetracted),
    # in the hand
    on("returning", NoteReturned, "returned", None, never_seen),
    on(ON_ITS_WAY, NoteReturned, "returned", drop),
    on("stacked", NoteReturned, "lost", lose),
    on("stray", NoteReturned, "=", wonder),
    on("in_doubt", NoteReturned, "returned", not_there),
    ignore("new returned lost", NoteReturned),
    # nobody knows where
    on("returning", NoteUnaccounted, "stray", doubt_unknown, never_seen),
    on(ON_ITS_WAY, NoteUnaccounted, "in_doubt", doubt),
    on("new", NoteUnaccounted, "stray", doubt_unknown),
    on("stacked", NoteUnaccounted, "=", wonder),
    ignore("returned in_doubt stray lost", NoteUnaccounted),
    on("in_doubt", NoteAccounted, "stacked", None, is_found),
    on("in_doubt", NoteAccounted, "returned"),
    ignore("new escrow stacking returning stacked returned stray lost", NoteAccounted),
    # asked after a start
    on(ON_ITS_WAY, NoteHeld, "returning", give_back),
    on("new", NoteHeld, "returning", give_back_unknown),
    on("in_doubt", NoteHeld, "=", give_back_and_wonder),
    ignore("stacked returned stray lost", NoteHeld),
    on("escrow stacking returning in_doubt", Restarted, "=", ask),
    ignore("new stacked returned stray lost", Restarted),
)
