"""Money without a home: recorded with all that is known, alarmed, and ended by a count or a person, never by time."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import DoubtSettled, Restarted, SuspenseSettled
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import MoneyArrived, NoteAccounted, SuspenseArisen
from kiosk.money import accounts


class Suspense(Thing, frozen=True, tag="suspense", kw_only=True):
    """One amount whose owner, or whose very presence, is not known."""

    cause: str = ""
    device: str = ""
    box: int = 0
    note: int = 0
    amount: Money | None = None  # None: nobody knows how much; the count of the box will show


def arise(suspense: Suspense, fact: SuspenseArisen, out: Outcome) -> Suspense:
    out.count(f"suspense/{fact.cause}", fact.amount)
    if fact.amount is not None:
        out.move(fact.source, accounts.suspense(suspense.number), fact.amount)
    if not fact.doubtful:
        out.alarm("suspense", suspense)
    return replace(
        suspense,
        sale=fact.sale,
        cause=fact.cause,
        device=fact.device,
        box=fact.box,
        note=fact.note,
        amount=fact.amount,
    )


def find(suspense: Suspense, _: DoubtSettled, out: Outcome) -> Suspense:
    """The note is there: it becomes cash in its box, and money whose owner may be known."""
    amount = _known(suspense)
    box = accounts.cashbox(suspense.device, suspense.box)
    out.move(box, accounts.doubt(suspense.device, suspense.box), amount)
    out.count(f"cash/{suspense.device}#{suspense.box}/note/{amount.minor}", amount)
    out.tell(NoteAccounted(suspense.note, found=True))
    return suspense


def find_for_sale(suspense: Suspense, fact: DoubtSettled, out: Outcome) -> Suspense:
    return hand_over(find(suspense, fact, out), fact, out)


def miss(suspense: Suspense, _: DoubtSettled, out: Outcome) -> Suspense:
    """The note is not there: it never came in."""
    amount = _known(suspense)
    out.move(accounts.suspense(suspense.number), accounts.doubt(suspense.device, suspense.box), amount)
    out.count("suspense/not_there", amount)
    out.tell(NoteAccounted(suspense.note, found=False))
    return suspense


def hand_over(suspense: Suspense, _: SuspenseSettled | DoubtSettled, out: Outcome) -> Suspense:
    amount = _known(suspense)
    out.count("suspense/settled", amount)
    out.tell(MoneyArrived(suspense.sale, suspense.note, accounts.suspense(suspense.number), amount, "suspense"))
    return suspense


def keep(suspense: Suspense, _: SuspenseSettled, out: Outcome) -> Suspense:
    if suspense.amount is not None:
        out.move(accounts.suspense(suspense.number), "surplus", suspense.amount)
    out.count("suspense/settled", suspense.amount)
    return suspense


def _known(suspense: Suspense) -> Money:
    if suspense.amount is None:
        msg = f"nobody knows how much suspense {suspense.number} is"
        raise LookupError(msg)
    return suspense.amount


def doubtful(_: Suspense, fact: SuspenseArisen) -> bool:
    return fact.doubtful


def there_for_sale(suspense: Suspense, fact: DoubtSettled) -> bool:
    return fact.found and suspense.sale != 0


def there(_: Suspense, fact: DoubtSettled) -> bool:
    return fact.found


def for_customer(suspense: Suspense, fact: SuspenseSettled) -> bool:
    return fact.whose_money == "customer" and suspense.sale != 0 and suspense.amount is not None


def for_house(_: Suspense, fact: SuspenseSettled) -> bool:
    return fact.whose_money == "house"


SUSPENSE = Table(
    Suspense,
    {
        "doubtful": "perhaps in the box, perhaps not",
        "waiting": "there, and waits for a person",
        "settled": "its owner is known",
    },
    "settled",
    on("new", SuspenseArisen, "doubtful", arise, doubtful),
    on("new", SuspenseArisen, "waiting", arise),
    ignore("doubtful waiting settled", SuspenseArisen),
    on("doubtful", DoubtSettled, "settled", find_for_sale, there_for_sale),
    on("doubtful", DoubtSettled, "waiting", find, there),
    on("doubtful", DoubtSettled, "settled", miss),
    ignore("new waiting settled", DoubtSettled),
    on("waiting", SuspenseSettled, "settled", hand_over, for_customer),
    on("waiting", SuspenseSettled, "settled", keep, for_house),
    ignore("new doubtful waiting settled", SuspenseSettled),  # a doubtful one has to be looked for first
    ignore("new doubtful waiting settled", Restarted),
)
