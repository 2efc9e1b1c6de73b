"""The witness reads every durable step and notes which of the situations that must come up have come up."""

import msgspec
from msgspec import Struct

from kiosk.amount import Money
from kiosk.money.step import Step
from kiosk.simulate.luck import Luck


class Glance(Struct):
    """What judge and witness want to know of a changed thing."""

    kind: str
    number: int
    key: str
    state: str
    sale: int = 0
    open: bool = False
    balance: Money | None = None
    successor: int = 0
    cancelled: bool = False
    next: int = 0


GLANCE = msgspec.json.Decoder(Glance)

# What a tally line tells.
BY_TALLY = {
    "card/approved_after_decline": "card_approved_late",
    "note/refused": "note_refused",
    "order/paid_late": "late_payment",
    "owed/code_replaced": "claim_code_replaced",
    "owed/paid_out": "claim_paid_out",
    "owed/refunded": "claim_refunded",
    "owed/reopened": "claim_reopened",
    "owed/unclaimed": "claim_unclaimed",
    "sale/delivered_after_leaving": "walked_away_delivered",
    "suspense/coin_without_sale": "coin_without_sale",
    "suspense/settled": "suspense_settled",
    "suspense/valued": "suspense_valued",
}
# What it tells together with the fact that brought it about.
BY_TALLY_AND_FACT = (
    ("sale/extra_money", "CoinInserted", "coin_after_the_sale"),
    ("owed/issued", "NoteStacked", "excess_owed"),
    ("owed/issued", "SuspenseSettled", "suspense_owed"),
)
# What a fact tells about a sale that was cancelled.
AFTER_CANCEL = {"NoteStacked": "note_stacked_after_cancel", "OrderPaid": "paid_after_cancel"}


class Witness:
    """Watches one terminal."""

    def __init__(self, luck: Luck) -> None:
        self._saw = luck.saw

    def booked(self, step: Step, changed: list[Glance]) -> None:
        """Read one durable step."""
        lines = {tally.line for tally in step.tallies}
        for line in lines:
            situation = BY_TALLY.get(line)
            if situation:
                self._saw(situation)
        fact = step.fact.partition(b'","')[0].removeprefix(b'{"type":"').decode()
        for line, name, situation in BY_TALLY_AND_FACT:
            if fact == name and line in lines:
                self._saw(situation)
        if any(transfer.debit == "promotion" for transfer in step.transfers):
            self._saw("promotion")
        for thing in changed:
            if thing.cancelled and fact in AFTER_CANCEL:
                self._saw(AFTER_CANCEL[fact])
            if thing.kind == "claim" and thing.state == "spent":
                self._saw("claim_spent_in_part" if thing.successor else "claim_spent_whole")
            if thing.kind == "acceptor" and thing.next:
                self._saw("sale_waited_for_acceptor")
