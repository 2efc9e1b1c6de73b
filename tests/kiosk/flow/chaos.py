"""Thinks of facts in any order: likely ones and nonsense, about things that exist, have ended, or never were."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from kiosk.amount import Money
from kiosk.flow.authorisation import Authorisation
from kiosk.flow.box import Box
from kiosk.flow.claim import Claim
from kiosk.flow.delivery import Delivery
from kiosk.flow.facts import (
    BoxCounted,
    CancelAsked,
    CardChosen,
    CashChosen,
    ClaimChosen,
    ClaimExpired,
    ClaimFrozen,
    ClaimRefundBegun,
    ClaimReplaced,
    ClaimThawed,
    DoubtSettled,
    ExcessChosen,
    OrderChosen,
    PaymentLeft,
    PayoutBegun,
    PayoutDone,
    PayoutFailed,
    SaleOpened,
    SuspenseSettled,
    WalkedAway,
)
from kiosk.flow.machine import Thing
from kiosk.flow.note import Note
from kiosk.flow.order import Order
from kiosk.flow.reckoning import Sale
from kiosk.flow.refund import Refund
from kiosk.flow.suspense import Suspense
from kiosk.flow.terms import Route, Rung, Terms
from kiosk.money import accounts
from kiosk.ports.acceptor import (
    BoxInserted,
    BoxRemoved,
    DeviceFailed,
    DeviceIdle,
    DeviceReady,
)
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteHeld,
    NoteRetracted,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
)
from kiosk.ports.card_terminal import (
    CardApproved,
    CardChargedBack,
    CardDeclined,
    CardReversed,
    CardUnheard,
)
from kiosk.ports.carrier import (
    TopUpAccepted,
    TopUpDeclined,
    TopUpNotFound,
    TopUpOverdue,
    TopUpReversed,
    TopUpUnheard,
)
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.message import Command, Fact
from kiosk.ports.qr_rail import (
    OrderChargedBack,
    OrderClosed,
    OrderMade,
    OrderPaid,
    OrderRefundedElsewhere,
    OrderRefused,
    OrderScanned,
    OrderUnheard,
)
from kiosk.ports.refunds import (
    RefundAbnormal,
    RefundChargedBack,
    RefundDone,
    RefundDoneElsewhere,
    RefundFailed,
    RefundProcessing,
    RefundUnheard,
)
from tests.kiosk.flow.likely import answers
from tests.kiosk.flow.stage import Stage, yuan

X = TypeVar("X")
DEVICES = ("bill", "coin")
NEWCOMER = "hopper"  # a device that has not said that it is ready
RECENT = 4  # facts are mostly about one of the latest few things of a kind


class Chaos:
    """Thinks of one fact after the other, and knows what there is on the stage."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.stage = Stage()
        self.told: list[Fact] = []
        self.unanswered: list[Command] = []
        self.things: dict[type[Thing], list[Thing]] = {}
        self.thinkers: list[Callable[[], Fact]] = [
            *[self.of_sale] * 8,
            *[self.of_acceptor] * 3,
            *[self.of_note] * 2,
            *[self.of_order] * 2,
            self.of_card,
            *[self.of_delivery] * 2,
            *[self.of_refund] * 2,
            *[self.of_claim] * 3,
            self.of_box,
            self.of_suspense,
        ]

    def play(self, steps: int) -> None:
        """Report so many facts; the stage itself sees to the laws."""
        for _ in range(steps):
            if self.one_in(100):
                self.stage.restart()
            self.look()
            fact = self.think()
            self.told.append(fact)
            try:
                self.unanswered += self.stage.say(fact)
            except Exception as error:
                error.add_note("\n".join(repr(told) for told in self.told))
                raise

    def think(self) -> Fact:
        """What happens next."""
        if self.told and self.one_in(20):
            return self.pick(self.told)
        return self.of_command() if self.unanswered and self.one_in(2) else self.pick(self.thinkers)()

    def look(self) -> None:
        """See what there is."""
        self.things = {}
        for _, thing in sorted(self.stage.books().things.items()):
            kind: type[Thing] = type(thing)
            self.things.setdefault(kind, []).append(thing)

    # Choosing --------------------------------------------------------------------------------------------------------

    def pick(self, things: "list[X] | tuple[X, ...]") -> X:
        """One of them."""
        return things[self.random.randrange(len(things))]

    def one_in(self, chances: int) -> bool:
        """Does the unlikely happen?"""
        return self.random.randrange(chances) == chances - 1

    def whom(self, kind: type[Thing]) -> Thing:
        """Mostly one of the latest of that kind; now and then any thing at all, or one that does not exist."""
        there = self.things.get(kind, [])
        unended = [thing for thing in there if thing.open]
        if unended and self.one_in(2):
            return self.pick(unended[-RECENT:])
        if there and not self.one_in(20):
            return self.pick(there[-RECENT:])
        number = self.random.randrange(self.stage.journal.things + 5)
        return Thing(number=number, key=f"nobody {number}")

    def amount(self, likely: Money | None = None) -> Money:
        """Mostly the likely one, or one that a note can have; now and then one that cannot be."""
        if likely is not None and not self.one_in(4):
            return likely
        if self.one_in(10):
            return self.pick((Money(0, "CNY"), Money(-500, "CNY"), Money(500, "USD"), Money(1, "CNY")))
        return yuan(self.pick((1, 5, 10, 20, 50, 100)))

    def position(self) -> int:
        """Mostly the next one; now and then one that was there before, or will be."""
        return self.random.randrange(self.stage.positions + 3) if self.one_in(10) else self.stage.next_position()

    # Thinking --------------------------------------------------------------------------------------------------------

    def of_command(self) -> Fact:
        """What one of the latest commands may bring about: so the chaos gets somewhere."""
        command = self.pick(self.unanswered[-RECENT:])
        if not self.one_in(4):
            self.unanswered.remove(command)
        likely = answers(command, self.stage.next_position(), self.amount())
        return self.pick(likely) if likely else self.of_sale()

    def of_sale(self) -> Fact:
        """A new sale, or something that a customer does."""
        sales = self.things.get(Sale, [])
        if not any(sale.state == "paying" for sale in sales) or self.one_in(8):
            return SaleOpened(f"sale {len(sales) - self.one_in(8)}", self.terms())
        sale = self.whom(Sale).number
        return self.pick((
            CashChosen(sale, self.pick((("bill",), ("coin",), ("bill", "coin"), ("bill", "nothing")))),
            CashChosen(sale, DEVICES),
            CashChosen(sale, DEVICES),
            OrderChosen(sale, "wechat", refundable=True),
            ClaimChosen(sale, self.whom(Claim).key),
            OrderChosen(sale, self.pick(("wechat", "khqr")), refundable=self.one_in(2)),
            CardChosen(sale, "front"),
            ClaimChosen(sale, self.whom(Claim).key),
            ExcessChosen(sale, self.pick(("owed", "added"))),
            PaymentLeft(sale),
            CancelAsked(sale),
            WalkedAway(sale),
        ))  # fmt: skip

    def terms(self) -> Terms:
        """Terms of every kind."""
        return Terms(
            face=yuan(50),
            price=self.pick((Money(4985, "CNY"), yuan(52))),
            cash_price=yuan(49),
            fee=self.pick((yuan(0), yuan(2))),
            routes=self.pick((
                (Route("cmcc", resend_safe=True),),
                (Route("cmcc", resend_safe=False), Route("reseller", resend_safe=True)),
            )),
            accept=(yuan(1), yuan(5), yuan(10), yuan(20), yuan(50), yuan(100)),
            cash_limit=self.pick((None, yuan(60))),
            overpay_limit=self.pick((None, yuan(20))),
            excess=self.pick(("owed", "added")),
            face_max=self.pick((None, yuan(70))),
            ladder=self.pick(((), (Rung(yuan(10), yuan(10)), Rung(yuan(30), yuan(30))))),
            slip=not self.one_in(10),
        )  # fmt: skip

    def of_acceptor(self) -> Fact:
        """Something about a device."""
        device = NEWCOMER if self.one_in(20) else self.pick(DEVICES)
        return self.pick((
            lambda: DeviceReady(device, "serial"),
            lambda: DeviceReady(device, "serial"),
            lambda: BoxInserted(device),
            lambda: DeviceIdle(device),
            lambda: DeviceIdle(device),
            lambda: DeviceFailed(device, "jam", "44"),
            lambda: BoxRemoved(device),
            lambda: BoxInserted(device),
            lambda: NoteEscrowed(device, self.position(), self.amount()),
            lambda: NoteEscrowed(device, self.position(), self.amount()),
            lambda: NoteEscrowed(device, self.position(), self.amount()),
            lambda: CoinInserted(device, self.position(), self.amount()),
            lambda: CoinInserted(device, self.position(), self.amount()),
            lambda: CoinsLost(device, self.position()),
        ))()  # fmt: skip

    def of_note(self) -> Fact:
        """Something about a note."""
        note = self.whom(Note)
        if isinstance(note, Note):
            device, position = note.device, note.position
        else:
            device, position = self.pick(DEVICES), self.position()
        known = note.amount if isinstance(note, Note) else None
        return self.pick((
            NoteStacked(device, position),
            NoteStacked(device, position, self.amount(known)),
            NoteStacked(device, position, self.amount(known)),
            NoteReturned(device, position),
            NoteRetracted(device, position, self.pick((None, self.amount(known)))),
            NoteHeld(device, position),
            NoteUnaccounted(device, position, "jam"),
        ))  # fmt: skip

    def of_order(self) -> Fact:
        """Something about a phone payment."""
        order = self.whom(Order)
        known = order.amount if isinstance(order, Order) else None
        payment = self.pick(("p1", "p1", "p2"))
        return self.pick((
            OrderMade(order.key),
            OrderRefused(order.key, "no"),
            OrderUnheard(order.key),
            OrderScanned(order.key),
            OrderPaid(order.key, self.amount(known), payment),
            OrderPaid(order.key, self.amount(known), payment),
            OrderClosed(order.key),
            OrderChargedBack(order.key, self.amount(known), self.pick(("c1", "c2"))),
            OrderRefundedElsewhere(order.key, self.amount(known), self.pick(("r1", "r2"))),
        ))  # fmt: skip

    def of_card(self) -> Fact:
        """Something about a card."""
        card = self.whom(Authorisation)
        known = card.amount if isinstance(card, Authorisation) else None
        return self.pick((
            CardApproved(card.key, self.amount(known)),
            CardApproved(card.key, self.amount(known)),
            CardDeclined(card.key, "no"),
            CardUnheard(card.key),
            CardReversed(card.key),
            CardChargedBack(card.key, self.amount(known), self.pick(("c1", "c2"))),
        ))  # fmt: skip

    def of_delivery(self) -> Fact:
        """Something about a top-up."""
        delivery = self.whom(Delivery)
        known = delivery.face if isinstance(delivery, Delivery) else None
        return self.pick((
            TopUpAccepted(delivery.key, self.amount(known)),
            TopUpDeclined(delivery.key, "no"),
            TopUpUnheard(delivery.key),
            TopUpNotFound(delivery.key),
            TopUpReversed(delivery.key),
            TopUpOverdue(delivery.key),
        ))  # fmt: skip

    def of_refund(self) -> Fact:
        """Something about a refund."""
        refund = self.whom(Refund).key
        return self.pick((
            RefundProcessing(refund),
            RefundDone(refund),
            RefundFailed(refund, "no"),
            RefundAbnormal(refund),
            RefundUnheard(refund),
            RefundChargedBack(refund, self.pick(("c1", "c2"))),
            RefundDoneElsewhere(refund, "anna"),
        ))  # fmt: skip

    def of_claim(self) -> Fact:
        """Something about a claim, mostly one that is worth something."""
        rich = [claim for claim in self.things.get(Claim, []) if isinstance(claim, Claim) and claim.balance]
        claim = self.pick(rich[-RECENT:]).number if rich and not self.one_in(4) else self.whom(Claim).number
        return self.pick((
            PayoutBegun(claim, "desk", "anna"),
            PayoutDone(claim, "anna"),
            PayoutFailed(claim, "anna"),
            ClaimRefundBegun(claim, "rail:wechat", "order", "anna"),
            ClaimRefundBegun(claim, "rail:wechat", "order", "anna"),
            ClaimExpired(claim),
            ClaimReplaced(claim, "anna", "boris"),
            ClaimFrozen(claim),
            ClaimThawed(claim, "anna"),
        ))  # fmt: skip

    def of_box(self) -> Fact:
        """Somebody counts a box; the book is read at that moment, as the counting command does."""
        box = self.whom(Box)
        device, number = (box.device, box.box) if isinstance(box, Box) else ("bill", self.random.randrange(4))
        book = Money(-self.stage.journal.balance(accounts.cashbox(device, number)), "CNY")
        return BoxCounted(device, number, self.amount(book), book, "anna")

    def of_suspense(self) -> Fact:
        """A person has looked."""
        suspense = self.whom(Suspense).number
        return self.pick((
            DoubtSettled(suspense, found=self.one_in(2), by="anna"),
            SuspenseSettled(suspense, self.pick(("customer", "house")), "anna"),
            SuspenseSettled(suspense, "customer", "anna", self.amount(None)),
        ))  # fmt: skip
