"""The chart of accounts: every place where money can be, named once.

An account is called `class:owner#instance`; what stands before the `#` is its class, by which days are totalled.
"""

from typing import Literal

from msgspec import Struct

Side = Literal["asset", "liability", "outcome"]


class AccountClass(Struct, frozen=True):
    """One line of the chart."""

    side: Side  # assets grow by debits; everything else grows by credits
    guarded: bool  # a guarded account cannot be overdrawn, pending outgoings included: the database refuses
    meaning: str


CHART: dict[str, AccountClass] = {
    "cashbox": AccountClass("asset", guarded=False, meaning="notes and coins in one box of one acceptor"),
    "doubt": AccountClass("asset", guarded=False, meaning="a note that is perhaps in that box; a count decides"),
    "collected": AccountClass("asset", guarded=False, meaning="cash taken out with its box and counted"),
    "rail": AccountClass("asset", guarded=False, meaning="money that a QR rail holds for the operator"),
    "terminal": AccountClass("asset", guarded=False, meaning="money that a card acquirer holds for the operator"),
    "escrow": AccountClass("liability", guarded=True, meaning="money on its way from who reported it to its owner"),
    "payer": AccountClass("liability", guarded=True, meaning="paid into one sale and not spent yet"),
    "owed": AccountClass("liability", guarded=True, meaning="owed to whoever holds the code of one claim"),
    "unclaimed": AccountClass("liability", guarded=True, meaning="a claim past its date: still payable"),
    "suspense": AccountClass("liability", guarded=True, meaning="money whose owner only a person can name"),
    "carrier": AccountClass("outcome", guarded=False, meaning="top-ups that a carrier delivered"),
    "payout": AccountClass("outcome", guarded=False, meaning="claims paid out by staff"),
    "fee": AccountClass("outcome", guarded=False, meaning="service fees earned"),
    "promotion": AccountClass("outcome", guarded=False, meaning="discounts given, at the operator's cost"),
    "loss": AccountClass("outcome", guarded=False, meaning="money gone by a contradiction, by cause"),
    "recovered": AccountClass("outcome", guarded=False, meaning="money back by a contradiction, by cause"),
    "shortage": AccountClass("outcome", guarded=False, meaning="counted less than the book says"),
    "surplus": AccountClass("outcome", guarded=False, meaning="more money there than anybody is owed"),
}


def class_of(account: str) -> str:
    """The class with its owner, without the instance: `cashbox:bill` of `cashbox:bill#3`."""
    return account.partition("#")[0]


def line_of(account: str) -> AccountClass:
    """The line of the chart that an account stands under."""
    return CHART[account.partition("#")[0].partition(":")[0]]


def box_of(line: str) -> tuple[str, str]:
    """The cash of the box that a counted line speaks of, and that line without the box.

    `ever/cash/bill#3/note/2000` speaks of `cashbox:bill#3`; without the box it is `ever/cash/bill/note/2000`.
    """
    before, _, after = line.partition("#")
    number, _, rest = after.partition("/")
    device = before.rpartition("/")[2]
    return cashbox(device, int(number)), f"{before}/{rest}"


def cashbox(device: str, box: int) -> str:
    """The cash in one box."""
    return f"cashbox:{device}#{box}"


def doubt(device: str, box: int) -> str:
    """Notes that are perhaps in that box."""
    return f"doubt:{device}#{box}"


def escrow(device: str) -> str:
    """Cash that the device has reported and that is on its way to its owner."""
    return f"escrow:{device}"


def payer(sale: int) -> str:
    """What was paid into a sale."""
    return f"payer#{sale}"


def owed(claim: int) -> str:
    """What a claim is worth."""
    return f"owed#{claim}"


def unclaimed(claim: int) -> str:
    """What a claim past its date is worth."""
    return f"unclaimed#{claim}"


def suspense(number: int) -> str:
    """Money that waits for a person."""
    return f"suspense#{number}"
