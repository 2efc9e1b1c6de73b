"""What has to be true of the books after every commit, whatever was reported in whatever order.

The balances are reckoned by the Ledger in Python and by the database, and every thing is asked what it believes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from kiosk.amount import Money
from kiosk.flow.acceptor import Acceptor
from kiosk.flow.box import Box
from kiosk.flow.claim import Claim
from kiosk.flow.core import TABLES, AnyThing
from kiosk.flow.delivery import Delivery
from kiosk.flow.machine import Thing
from kiosk.flow.note import Note
from kiosk.flow.reckoning import Sale, due, held, paid, waiting_for
from kiosk.flow.refund import Refund
from kiosk.flow.suspense import Suspense
from kiosk.money import accounts
from kiosk.money.ledger import Ledger, Promise, Transfer

T = TypeVar("T", bound=Thing)
Rows = Callable[[str], list[tuple[Any, ...]]]  # a query, answered

THING = msgspec.json.Decoder(AnyThing)
PROMISING = {
    "note": {"escrow", "stacking", "returning"},
    "delivery": {"sending", "unknown", "missing"},
    "refund": {"sending", "processing", "abnormal"},
    "claim": {"held", "paying_out"},
}


class Books:
    """The journal's tables, read as one picture."""

    def __init__(self, rows: Rows) -> None:
        self.ledger = Ledger()
        for row in rows("SELECT number, kind, debit, credit, amount, of, cause FROM transfer ORDER BY number"):
            self.ledger.book(Transfer(*row))
        self.posted: dict[str, int] = dict(rows("SELECT account, posted FROM balance WHERE posted <> 0"))
        self.reserved: dict[str, int] = dict(rows("SELECT account, reserved FROM balance WHERE reserved <> 0"))
        self.open_promises = {
            row[0]: Promise(*row) for row in rows("SELECT number, debit, credit, amount FROM promise")
        }
        self.things: dict[int, Thing] = {
            number: THING.decode(data) for number, data in rows("SELECT number, data FROM thing")
        }
        self.tallies: dict[str, int] = dict(rows("SELECT line, sum(amount) FROM tally GROUP BY line"))

    def by_class(self) -> dict[str, int]:
        """Credits less debits of every class that holds anything."""
        classes: defaultdict[str, int] = defaultdict(int)
        for account, amount in self.posted.items():
            classes[accounts.class_of(account)] += amount
        return {name: amount for name, amount in classes.items() if amount}

    def broken_laws(self) -> Iterator[str]:
        """Everything that is not as it should be, in words."""
        yield from self._ledger_laws()
        for number, thing in self.things.items():
            if thing.number != number:
                yield f"row {number} of the things holds thing {thing.number}"
            match thing:
                case Claim():
                    yield from self._claim_laws(thing)
                case Suspense():
                    yield from self._suspense_laws(thing)
                case Sale():
                    yield from self._sale_laws(thing)
                case _:
                    pass
        yield from self._promise_laws()
        yield from self._cash_laws()
        yield from self._carrier_laws()
        yield from self._company_laws()

    def _ledger_laws(self) -> Iterator[str]:
        if self.posted != self.ledger.balances or self.reserved != self.ledger.reserved:
            yield "the database and the Ledger reckon differently"
        if set(self.open_promises) != set(self.ledger.promises):
            yield "the database and the Ledger know different promises"
        if sum(self.posted.values()):
            yield f"the books sum up to {sum(self.posted.values())}"
        for account, amount in self.posted.items():
            if account.startswith("escrow:"):
                yield f"{amount} stays in {account}"

    def _claim_laws(self, claim: Claim) -> Iterator[str]:
        owed = self.posted.get(accounts.owed(claim.number), 0)
        unclaimed = self.posted.get(accounts.unclaimed(claim.number), 0)
        if owed + unclaimed != _minor(claim.balance) or (unclaimed and claim.state != "unclaimed"):
            yield f"{claim} is worth {owed} and {unclaimed} past its date"
        taken = self.reserved.get(accounts.owed(claim.number), 0)
        if taken != _minor(claim.taken):
            yield f"{claim} has {taken} reserved out of it"
        if (claim.state in {"open", "held", "paying_out", "refunding", "unclaimed"}) > bool(claim.balance):
            yield f"{claim} is worth nothing"
        if claim.balance and claim.state in {"empty", "waiting", "spent", "paid_out", "refunded"}:
            yield f"{claim} is worth something that nobody can spend"

    def _suspense_laws(self, suspense: Suspense) -> Iterator[str]:
        waiting = self.posted.get(accounts.suspense(suspense.number), 0)
        if waiting != (_minor(suspense.amount) if suspense.state != "settled" else 0):
            yield f"{suspense} has {waiting} on its account"

    def _sale_laws(self, sale: Sale) -> Iterator[str]:
        account = accounts.payer(sale.number)
        posted, reserved = self.posted.get(account, 0), self.reserved.get(account, 0)
        if is_final(sale) and posted != reserved:
            yield f"sale {sale.number} is {sale.state} and {posted} is in {account}, {reserved} of it reserved"
        refunds = sum(
            _minor(thing.amount)
            for thing in self.things.values()
            if isinstance(thing, Refund) and thing.sale == sale.number and not thing.claim and is_promising(thing)
        )
        if posted - refunds != _minor(sale.paid):
            yield f"sale {sale.number} believes {sale.paid}, {account} holds {posted}, {refunds} of it for refunds"
        for part in sale.parts if sale.state in {"paying", "closing"} else ():
            thing = self.things.get(part.number)
            if thing is None or is_final(thing):
                yield f"sale {sale.number} waits for {part}, which is {thing and thing.state}"

    def _promise_laws(self) -> Iterator[str]:
        kept: set[int] = set()
        for thing in self.things.values():
            if not isinstance(thing, Note | Delivery | Refund | Claim):
                continue
            promises = [thing.promise] if thing.promise else []
            if isinstance(thing, Delivery) and thing.fee_promise:
                promises.append(thing.fee_promise)
            for promise in promises:
                if not is_promising(thing):
                    if promise.number in self.open_promises:
                        yield f"{thing} never resolved its promise"
                elif self.open_promises.get(promise.number) != promise or promise.number in kept:
                    yield f"{thing} believes in a promise that is not open"
                kept.add(promise.number)
        for number in set(self.open_promises) - kept:
            yield f"nobody remembers {self.open_promises[number]}"

    def _cash_laws(self) -> Iterator[str]:
        """Notes in the box, and coins as they were counted, are what the boxes hold and held when they were counted."""
        there, booked = self._cash_there(), self._cash_booked()
        for device in there.keys() | booked.keys():
            if there[device] != booked[device]:
                yield f"{there[device]} is in the boxes of {device}, {booked[device]} is booked"
        doubtful: defaultdict[str, int] = defaultdict(int)
        for suspense in self.all_of(Suspense):
            if suspense.state == "doubtful":
                doubtful[accounts.doubt(suspense.device, suspense.box)] -= _minor(suspense.amount)
        if doubtful != {account: amount for account, amount in self.posted.items() if account.startswith("doubt:")}:
            yield f"{dict(doubtful)} is doubtful, and the books say otherwise"

    def _cash_there(self) -> defaultdict[str, int]:
        there: defaultdict[str, int] = defaultdict(int)
        for note in self.all_of(Note):
            if note.state in {"stacked", "stray"}:
                there[note.device] += _minor(note.amount)
        for line, amount in self.tallies.items():
            if line.startswith("cash/") and "/coin/" in line:
                there[line.removeprefix("cash/").partition("#")[0]] += amount
        return there

    def _cash_booked(self) -> defaultdict[str, int]:
        booked: defaultdict[str, int] = defaultdict(int)
        for account, amount in self.posted.items():
            if account.startswith("cashbox:"):
                booked[accounts.class_of(account).removeprefix("cashbox:")] -= amount
        for box in self.all_of(Box):
            booked[box.device] += _minor(box.book)
        return booked

    def _carrier_laws(self) -> Iterator[str]:
        """What each carrier is believed to have delivered is what it said."""
        said: defaultdict[str, int] = defaultdict(int)
        for delivery in self.all_of(Delivery):
            if delivery.state in {"accepted", "contradicted"}:
                said[f"carrier:{delivery.carrier}"] += _minor(delivery.credited)
        booked = {account: amount for account, amount in self.posted.items() if account.startswith("carrier:")}
        if booked != {account: amount for account, amount in said.items() if amount}:
            yield f"the carriers said {dict(said)}, and {booked} is booked"

    def _company_laws(self) -> Iterator[str]:
        """Things that wait for each other know of each other."""
        for sale in self.all_of(Sale):
            under_way = [one.number for one in self.all_of(Delivery) if one.sale == sale.number and is_promising(one)]
            if len(under_way) != (sale.state in {"delivering", "doubtful"}):
                yield f"sale {sale.number} is {sale.state} with {under_way} under way"
            if sale.state == "closing" and not waiting_for(sale):
                yield f"sale {sale.number} closes and waits for nothing"
            if sale.state == "paying" and paid(sale) + held(sale) >= due(sale):
                yield f"sale {sale.number} is covered and nothing is done about it"
        for acceptor in self.all_of(Acceptor):
            if acceptor.state == "taking" and self.state(acceptor.sale) != "paying":
                yield f"{acceptor} is open for a sale that is {self.state(acceptor.sale)}"
        for note in self.all_of(Note):
            if note.state == "escrow":
                yield f"nothing is decided on {note}"
        yield from self._claim_company_laws()

    def _claim_company_laws(self) -> Iterator[str]:
        """Claims and those who reserved them know of each other too."""
        waited_for = {
            (sale.number, part.number)
            for sale in self.all_of(Sale)
            if sale.state in {"paying", "closing"}
            for part in sale.parts
        }
        for claim in self.all_of(Claim):
            if claim.state == "held" and (claim.buyer, claim.number) not in waited_for:
                yield f"{claim} is held for nobody"
            if claim.state == "waiting" and self.state(claim.sale) != "doubtful":
                yield f"{claim} waits for a sale that is {self.state(claim.sale)}"
        refunding = {refund.claim for refund in self.all_of(Refund) if refund.claim and is_promising(refund)}
        if refunding != {claim.number for claim in self.all_of(Claim) if claim.state == "refunding"}:
            yield f"claims {refunding} are refunded, and do not know of it"

    def all_of(self, kind: type[T]) -> Iterator[T]:
        """All things of that kind, oldest first."""
        return (thing for _, thing in sorted(self.things.items()) if isinstance(thing, kind))

    def state(self, number: int) -> str:
        """The state of a thing; "" of none."""
        return self.things[number].state if number in self.things else ""


def is_final(thing: Thing) -> bool:
    """Has its life come to an end, as far as anybody can tell?"""
    return thing.state in TABLES[str(thing.__struct_config__.tag)].final


def is_promising(thing: Thing) -> bool:
    """Is it in a state in which a promise of its has to be open?"""
    return thing.state in PROMISING[str(thing.__struct_config__.tag)]


def _minor(amount: Money | None) -> int:
    return amount.minor if amount else 0
