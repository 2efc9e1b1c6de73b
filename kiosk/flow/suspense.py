"""Money without a home: recorded with all that is known, alarmed, and ended by a count or a person, never by time."""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import DoubtSettled, Restarted, SuspenseSettled
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import ClaimFunded, ClaimMade, MoneyArrived, NoteAccounted, SuspenseArisen
from kiosk.money import accounts
from kiosk.ports.slip import PrintSlip


class Suspense(Thing, frozen=True, tag="suspense", kw_only=True):
    """One amount whose owner, or whose very presence, is not known."""

    cause: str = ""
    device: str = ""
    box: int = 0
    note: int = 0
    amount: Money | None = None  # None: nobody knows how much; the count of the box will show
    claim: int = 0  # under which it is owed if it is the customer's; 0: its sale takes it, or a new claim


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
        claim=fact.claim,
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
    amount, source = _known(suspense), accounts.suspense(suspense.number)
    out.count("suspense/settled", amount)
    if suspense.claim:
        out.tell(ClaimFunded(suspense.claim, source, amount))
    elif suspense.sale:
        out.tell(MoneyArrived(suspense.sale, suspense.note, source, amount, "suspense"))
    else:
        claim = out.begin_claim(lambda code: ClaimMade(code.digest, code.tail, 0))
        out.tell(ClaimFunded(claim, source, amount))
        out.command(PrintSlip("claim", 0, claim))
    return suspense


def value_and_hand_over(suspense: Suspense, fact: SuspenseSettled, out: Outcome) -> Suspense:
    """What nobody could book shows as a surplus when its box is counted: it is taken from there."""
    if fact.amount is not None:
        out.move("surplus", accounts.suspense(suspense.number), fact.amount)
        out.count("suspense/valued", fact.amount)
    return hand_over(replace(suspense, amount=fact.amount), fact, out)


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
    agrees = fact.amount in {None, suspense.amount}
    return fact.whose_money == "customer" and suspense.amount is not None and agrees


def for_customer_valued(suspense: Suspense, fact: SuspenseSettled) -> bool:
    return fact.whose_money == "customer" and suspense.amount is None and fact.amount is not None


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
    on("waiting", SuspenseSettled, "settled", value_and_hand_over, for_customer_valued),
    on("waiting", SuspenseSettled, "settled", keep, for_house),
    ignore("new doubtful waiting settled", SuspenseSettled),  # a doubtful one has to be looked for first
    ignore("new doubtful waiting settled", Restarted),
)
