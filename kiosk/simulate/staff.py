"""The operator's people: they empty boxes, look for doubtful notes, settle suspense and serve claims at the desk."""

from typing import TYPE_CHECKING

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.facts import (
    BoxCounted,
    ClaimExpired,
    ClaimRefundBegun,
    ClaimReplaced,
    DoubtSettled,
    PayoutBegun,
    PayoutDone,
    PayoutFailed,
    SuspenseSettled,
)
from kiosk.flow.note import Note
from kiosk.flow.reckoning import Payment, Sale
from kiosk.flow.suspense import Suspense
from kiosk.money import accounts
from kiosk.simulate.agenda import HOUR, MINUTE

if TYPE_CHECKING:
    from kiosk.simulate.device import Device
    from kiosk.simulate.world import World


class Staff:
    """One operator's people at one terminal."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.luck = world.luck

    def collect(self, device: "Device") -> None:
        """Take the box out and count it, unless the host is down or a note is on its way."""
        if self._busy(device):
            return
        device.change_box()
        self.count(device)

    def count(self, device: "Device") -> None:
        """Count every box that was taken out: first the doubtful notes one by one, then the whole."""
        name = device.name
        for box in list(device.full):
            box_thing = self.world.core.find("box", f"{name}#{box}")
            if box_thing is not None and box_thing.state == "counted":
                device.full.remove(box)  # the host died between booking the count and saying so
                continue
            if self._busy(device) or not self._settle_doubts(name, box):
                continue
            book = -self.world.judge.ledger.balances.get(accounts.cashbox(name, box), 0)
            counted = device.boxes[box]
            self.world.judge.counted(name, box, counted, book)
            if counted > book:
                self.luck.saw("box_counted_over")
            elif counted and self.luck.chance(0.1):
                self.luck.saw("box_counted_short")
                counted -= min(counted, 500)
            currency = self.world.currency
            if self.world.tell(BoxCounted(name, box, Money(counted, currency), Money(book, currency), "collector")):
                device.full.remove(box)

    def _busy(self, device: "Device") -> bool:
        note_moves = device is self.world.bill and self.world.bill.note is not None
        return not self.world.host_up or note_moves or bool(device.events)

    def _settle_doubts(self, name: str, box: int) -> bool:
        for thing in self.world.core.open_things():
            if isinstance(thing, Suspense) and thing.state == "doubtful" and (thing.device, thing.box) == (name, box):
                note = self.world.core.thing(thing.note)
                found = isinstance(note, Note) and self.world.bill.in_box.get(note.position) == box
                self.luck.saw("found_by_count" if found else "not_there_by_count")
                if not self.world.tell(DoubtSettled(thing.number, found, "collector")):
                    return False
        return True

    def waiting(self) -> list[str]:
        """What still waits for a person."""
        suspense = [thing for thing in self.world.core.open_things() if isinstance(thing, Suspense)]
        boxes = [f"box {device.name}#{box}" for device in self.world.devices.values() for box in device.full]
        return [f"suspense {thing.number} ({thing.cause}, {thing.state})" for thing in suspense] + boxes

    def settle_suspense(self) -> None:
        """Decide whose money it is."""
        for thing in self.world.core.open_things() if self.world.host_up else ():
            if isinstance(thing, Suspense) and thing.state == "waiting":
                customer = self.luck.chance(0.6)
                told = Money(100, self.world.currency) if customer and thing.amount is None else None
                self.world.tell(SuspenseSettled(thing.number, "customer" if customer else "house", "clerk", told))
                if not self.world.host_up:
                    return

    def serve(self) -> None:
        """Somebody comes to the desk with a slip, or a claim's date passes."""
        if not self.world.host_up:
            return
        slips = [self.world.core.thing(number) for number in self.world.pocket]
        claims = [claim for claim in slips if isinstance(claim, Claim) and claim.state == "open"]
        if not claims:
            return
        claim = claims[self.luck.between(0, len(claims) - 1)]
        refundable = next((other for other in claims if self._payments(other)), None)
        if refundable is not None and self.luck.chance(0.5):
            payment = self._payments(refundable)[-1]
            self.world.tell(ClaimRefundBegun(refundable.number, payment.provider, payment.payment, "clerk"))
            return
        way = self.luck.random.random()
        if way < 0.3:
            self.world.tell(ClaimExpired(claim.number))
        elif way < 0.5:
            self.world.tell(ClaimReplaced(claim.number, "clerk", "supervisor"))
        else:
            self.world.tell(PayoutBegun(claim.number, "desk", "clerk"))
            self.world.agenda.after(MINUTE, self._finish_payout, claim.number, self.luck.chance(0.8))

    def _payments(self, claim: Claim) -> list[Payment]:
        """How the claim's money was paid, where it can go back that way."""
        sale = self.world.core.thing(claim.sale)
        return [payment for payment in sale.payments if payment.payment] if isinstance(sale, Sale) else []

    def _finish_payout(self, claim: int, paid: bool) -> None:  # noqa: FBT001 - the agenda passes it on by place
        fact = PayoutDone(claim, "clerk") if paid else PayoutFailed(claim, "clerk")
        if not self.world.tell(fact):
            self.world.agenda.after(HOUR, self._finish_payout, claim, paid)
