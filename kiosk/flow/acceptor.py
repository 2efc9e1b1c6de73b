"""An acceptor knows for whom it is open: notes and coins find their sale here, and nowhere else."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import (
    BoxTaken,
    CashNoMore,
    CashUnavailable,
    CashWanted,
    MoneyArrived,
    NoteSeen,
    StrayNote,
    SuspenseArisen,
)
from kiosk.money import accounts
from kiosk.ports.acceptor import (
    BoxInserted,
    BoxRemoved,
    CloseAcceptor,
    DeviceFailed,
    DeviceIdle,
    DeviceReady,
    OpenAcceptor,
)
from kiosk.ports.bill_validator import NoteEscrowed, ReturnNote
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.message import Fact


class Acceptor(Thing, frozen=True, tag="acceptor", kw_only=True):
    """One device that takes cash. `sale` is the one that it is open for; `next` waits until it is idle."""

    box: int = 1
    last: int = 0  # the last position that the device has reported, given back to the driver at start
    serial: str = ""
    next: int = 0
    accept: tuple[Money, ...] = ()


def begin(acceptor: Acceptor, fact: CashWanted, out: Outcome) -> Acceptor:
    out.command(OpenAcceptor(acceptor.key, fact.accept))
    return replace(acceptor, sale=fact.sale, accept=fact.accept, next=0)


def queue(acceptor: Acceptor, fact: CashWanted, out: Outcome) -> Acceptor:
    if acceptor.next and acceptor.next != fact.sale:
        out.tell(CashUnavailable(acceptor.next, acceptor.key))
    return replace(acceptor, next=fact.sale, accept=fact.accept)


def hand_over(acceptor: Acceptor, fact: CashWanted, out: Outcome) -> Acceptor:
    out.command(CloseAcceptor(acceptor.key))
    return replace(acceptor, next=fact.sale, accept=fact.accept)


def begin_next(acceptor: Acceptor, _: Fact, out: Outcome) -> Acceptor:
    out.command(OpenAcceptor(acceptor.key, acceptor.accept))
    return replace(acceptor, sale=acceptor.next, next=0)


def refuse(acceptor: Acceptor, fact: CashWanted, out: Outcome) -> Acceptor:
    out.tell(CashUnavailable(fact.sale, acceptor.key))
    return acceptor


def reopen(acceptor: Acceptor, fact: DeviceReady, out: Outcome) -> Acceptor:
    out.command(OpenAcceptor(acceptor.key, acceptor.accept))
    return _recognise(acceptor, fact, out)


def know(acceptor: Acceptor, fact: DeviceReady, out: Outcome) -> Acceptor:
    out.command(CloseAcceptor(acceptor.key))
    return _recognise(acceptor, fact, out)


def _recognise(acceptor: Acceptor, fact: DeviceReady, out: Outcome) -> Acceptor:
    """Another serial number is another device: what the old one has not reported, it will never report here."""
    if acceptor.serial and fact.serial not in {"", acceptor.serial}:
        out.alarm("device_exchanged", acceptor)
    return replace(acceptor, serial=fact.serial or acceptor.serial, last=max(acceptor.last, fact.position))


def close(acceptor: Acceptor, _: Fact, out: Outcome) -> Acceptor:
    out.command(CloseAcceptor(acceptor.key))
    return replace(acceptor, next=0, accept=())


def forget_next(acceptor: Acceptor, _: CashNoMore, __: Outcome) -> Acceptor:
    return replace(acceptor, next=0, accept=())


def forget(acceptor: Acceptor, _: Fact, __: Outcome) -> Acceptor:
    return replace(acceptor, sale=0, accept=())


def fail(acceptor: Acceptor, fact: Fact, out: Outcome) -> Acceptor:
    for sale in {acceptor.sale, acceptor.next} - {0}:
        out.tell(CashUnavailable(sale, acceptor.key))
    cause = fact.fault if isinstance(fact, DeviceFailed) else "box_removed"
    out.alarm(cause, acceptor)
    return acceptor


def take_box_out(acceptor: Acceptor, fact: BoxRemoved, out: Outcome) -> Acceptor:
    out.begin(lambda _: BoxTaken(acceptor.key, acceptor.box))
    out.command(CloseAcceptor(acceptor.key))
    return fail(acceptor, fact, out)


def put_box_in(acceptor: Acceptor, _: BoxInserted, __: Outcome) -> Acceptor:
    return replace(acceptor, box=acceptor.box + 1, sale=0, next=0, accept=())


def announce(acceptor: Acceptor, fact: NoteEscrowed, out: Outcome) -> Acceptor:
    if fact.amount is None:
        out.command(ReturnNote(acceptor.key, fact.position))
    else:
        sale = acceptor.sale if acceptor.state == "taking" else 0
        out.tell(NoteSeen(acceptor.key, fact.position, acceptor.box, fact.amount, sale))
    return replace(acceptor, last=fact.position)


def take_coin(acceptor: Acceptor, fact: CoinInserted, out: Outcome) -> Acceptor:
    _into_box(acceptor, fact.amount, "coin", 0, out)
    return replace(acceptor, last=fact.position)


def take_stray(acceptor: Acceptor, fact: StrayNote, out: Outcome) -> Acceptor:
    out.alarm("stray_note", acceptor)
    if fact.amount is None:
        _unknown(acceptor, "note_of_unknown_value", out)
    else:
        _into_box(acceptor, fact.amount, "note", fact.note, out)
    return replace(acceptor, last=max(acceptor.last, fact.position))


def lose_coins(acceptor: Acceptor, fact: CoinsLost, out: Outcome) -> Acceptor:
    out.alarm("coins_lost", acceptor)
    _unknown(acceptor, "coins_lost", out)
    return replace(acceptor, last=max(acceptor.last, fact.position))


def _into_box(acceptor: Acceptor, amount: Money, kind: str, part: int, out: Outcome) -> None:
    """Cash that is in the box without having been asked: the sale's if one is open here, else suspense."""
    escrow = accounts.escrow(acceptor.key)
    out.move(accounts.cashbox(acceptor.key, acceptor.box), escrow, amount)
    out.count(f"cash/{acceptor.key}#{acceptor.box}/{kind}/{amount.minor}", amount)
    if acceptor.sale:
        out.tell(MoneyArrived(acceptor.sale, part, escrow, amount, "cash"))
    else:
        out.begin(
            lambda name: SuspenseArisen(name, f"{kind}_without_sale", 0, escrow, amount, acceptor.key, acceptor.box)
        )


def _unknown(acceptor: Acceptor, cause: str, out: Outcome) -> None:
    out.begin(lambda name: SuspenseArisen(name, cause, acceptor.sale, "", None, acceptor.key, acceptor.box))


def repeated(acceptor: Acceptor, fact: NoteEscrowed | CoinInserted | CoinsLost) -> bool:
    return fact.position <= acceptor.last


def wanted(acceptor: Acceptor, _: Fact) -> bool:
    return acceptor.next != 0


def still_wanted(acceptor: Acceptor, _: DeviceReady) -> bool:
    return acceptor.sale != 0 and acceptor.accept != () and acceptor.next == 0


def was_draining(acceptor: Acceptor, _: DeviceReady) -> bool:
    return acceptor.sale != 0


def of_next(acceptor: Acceptor, fact: CashNoMore) -> bool:
    return fact.sale == acceptor.next


def of_present(acceptor: Acceptor, fact: CashWanted | CashNoMore) -> bool:
    return fact.sale == acceptor.sale


KNOWN = "closed taking draining failed unboxed"
EVERY = f"new {KNOWN}"

ACCEPTOR = Table(
    Acceptor,
    {
        "closed": "works, and takes nothing",
        "taking": "takes cash for a sale",
        "draining": "closed for its sale; something may still move in it",
        "failed": "takes nothing until the device is ready again",
        "unboxed": "has no cash box",
    },
    "",
    # for whom
    on("closed", CashWanted, "taking", begin),
    on("taking", CashWanted, "=", begin, of_present),
    on("taking", CashWanted, "draining", hand_over),
    on("draining", CashWanted, "=", queue),
    on("new failed unboxed", CashWanted, "=", refuse),
    on("taking", CashNoMore, "draining", close, of_present),
    on("draining failed", CashNoMore, "=", forget_next, of_next),
    on("failed", CashNoMore, "=", forget, of_present),
    ignore(EVERY, CashNoMore),
    on("draining", DeviceIdle, "taking", begin_next, wanted),
    on("draining", DeviceIdle, "closed", forget),
    ignore("new closed taking failed unboxed", DeviceIdle),
    # how the device is
    on("new closed", DeviceReady, "closed", know),
    on("draining", DeviceReady, "=", know),
    on("taking", DeviceReady, "=", reopen),
    on("failed", DeviceReady, "taking", reopen, still_wanted),
    on("failed", DeviceReady, "draining", know, was_draining),
    on("failed", DeviceReady, "closed", know),
    ignore("unboxed", DeviceReady),
    on("new closed taking draining failed", DeviceFailed, "failed", fail),
    on("unboxed", DeviceFailed, "=", fail),
    on("new closed taking draining failed", BoxRemoved, "unboxed", take_box_out),
    ignore("unboxed", BoxRemoved),
    on("unboxed", BoxInserted, "closed", put_box_in),
    ignore("new closed taking draining failed", BoxInserted),
    on("taking draining", Restarted, "draining", close),
    on("closed failed unboxed", Restarted, "=", close),
    ignore("new", Restarted),
    # cash
    on(EVERY, NoteEscrowed, "=", None, repeated),
    on("new", NoteEscrowed, "closed", announce),
    on(KNOWN, NoteEscrowed, "=", announce),
    on(EVERY, CoinInserted, "=", None, repeated),
    on("new", CoinInserted, "closed", take_coin),
    on(KNOWN, CoinInserted, "=", take_coin),
    on(EVERY, CoinsLost, "=", None, repeated),
    on("new", CoinsLost, "closed", lose_coins),
    on(KNOWN, CoinsLost, "=", lose_coins),
    on("new", StrayNote, "closed", take_stray),
    on(KNOWN, StrayNote, "=", take_stray),
)
