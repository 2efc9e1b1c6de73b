"""Simulated rails, card terminals and carriers: they keep real (virtual) money and top-ups, and answer badly.

What runs on the host's side (asking again and again) dies with the host; what runs on theirs does not.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from kiosk.amount import Money
from kiosk.ports.card_terminal import (
    AbortCard,
    AskCard,
    AuthoriseCard,
    CardApproved,
    CardChargedBack,
    CardDeclined,
    CardReversed,
    CardUnheard,
)
from kiosk.ports.carrier import (
    AskTopUp,
    SendTopUp,
    TopUpAccepted,
    TopUpDeclined,
    TopUpNotFound,
    TopUpOverdue,
    TopUpReversed,
    TopUpUnheard,
)
from kiosk.ports.message import Fact
from kiosk.ports.qr_rail import (
    AskOrder,
    CloseOrder,
    MakeOrder,
    OrderChargedBack,
    OrderClosed,
    OrderMade,
    OrderPaid,
    OrderRefundedElsewhere,
    OrderScanned,
    OrderUnheard,
)
from kiosk.ports.refunds import (
    AskRefund,
    RefundAbnormal,
    RefundDone,
    RefundDoneElsewhere,
    RefundFact,
    RefundFailed,
    RefundProcessing,
    RefundUnheard,
    SendRefund,
)
from kiosk.simulate.agenda import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from kiosk.simulate.world import World

ASK_AGAIN_MS = 30 * MINUTE


class Provider:
    """Whatever answers requests, late, twice or not at all."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.world = world
        self.luck = world.luck
        self.after = world.agenda.after

    def answer(self, fact: Fact, least_ms: int = 80, most_ms: int = 900) -> None:
        """An answer on its way to the host that asked; if that one is gone, it is heard by nobody."""
        delay_ms = self.luck.between(least_ms, most_ms)
        self.after(delay_ms, self._arrive, self.world.epoch, fact)
        if self.luck.chance(self.world.faults.answer_doubled):
            self.luck.saw("answer_doubled")
            self.after(delay_ms + self.luck.between(1, 5000), self._arrive, self.world.epoch, fact)

    def _arrive(self, epoch: int, fact: Fact) -> None:
        if epoch == self.world.epoch and self.world.host_up:
            self.world.tell(fact)

    def dropped(self, situation: str, probability: float) -> bool:
        """Did the line swallow it?"""
        if self.luck.chance(probability):
            self.luck.saw(situation)
            return True
        return False


class Refunds(Provider):
    """The side of a rail or an acquirer that gives money back: one id, one refund, however often it is sent."""

    def __init__(self, name: str, world: "World") -> None:
        super().__init__(name, world)
        self.taken = 0  # all that payers ever paid
        self.given_back = 0  # all that payers ever got back
        self.refunds: dict[str, RefundFact] = {}  # how each refund stands

    def send_refund(self, command: SendRefund) -> None:
        """Begin it, once."""
        if self.dropped("request_dropped", self.world.faults.request_dropped):
            self.answer(RefundUnheard(command.refund))
            return
        if command.refund not in self.refunds:
            self._begin(command)
        if self.dropped("answer_dropped", self.world.faults.answer_dropped):
            self.answer(RefundUnheard(command.refund))
        else:
            self.answer(self.refunds[command.refund])

    def ask_refund(self, command: AskRefund) -> None:
        """Say how it stands; what is not at its end is asked again."""
        fact = self.refunds.get(command.refund)
        if fact is None:
            # The provider never saw it: the same id goes out again, as every provider allows.
            promise = self.world.refund_of(command.refund)
            self.send_refund(SendRefund(command.refund, command.provider, promise[0], promise[1]))
        elif isinstance(fact, RefundProcessing):
            self.after(ASK_AGAIN_MS * 4, self._ask_again, self.world.epoch, command)
        else:
            self.answer(fact)

    def _ask_again(self, epoch: int, command: AskRefund) -> None:
        if epoch == self.world.epoch and self.world.host_up:
            self.ask_refund(command)

    def _begin(self, command: SendRefund) -> None:
        faults, refund = self.world.faults, command.refund
        if self.luck.chance(faults.refund_abnormal):
            self.luck.saw("refund_abnormal")
            self.refunds[refund] = RefundAbnormal(refund)
            self.after(self.luck.between(1, 3) * DAY, self._by_hand, command)
        elif self.luck.chance(faults.refund_failed):
            self.luck.saw("refund_failed_then_owed")
            self.refunds[refund] = RefundFailed(refund, "account_closed")
        elif self.luck.chance(faults.refund_slow):
            self.refunds[refund] = RefundProcessing(refund)
            self.after(self.luck.between(1, 72) * HOUR, self._done, command)
        else:
            self._done(command)

    def _done(self, command: SendRefund) -> None:
        self.refunds[command.refund] = RefundDone(command.refund)
        self.given_back += command.amount.minor
        self.luck.saw("refund_done")
        if self.luck.chance(self.world.faults.refund_comes_back):
            self.after(2 * DAY, self._came_back, command)

    def _came_back(self, command: SendRefund) -> None:
        """The payer's bank sent it back days later, and nobody asks any more: the provider's daily file says so."""
        self.luck.saw("refund_came_back")
        self.given_back -= command.amount.minor
        self.refunds[command.refund] = RefundFailed(command.refund, "returned_by_bank")
        self.world.tell_surely(RefundDone(command.refund))
        self.world.tell_surely(self.refunds[command.refund])

    def _by_hand(self, command: SendRefund) -> None:
        """A person of the operator brought the abnormal one to its end."""
        self.luck.saw("refund_done_elsewhere")
        self.given_back += command.amount.minor
        self.refunds[command.refund] = RefundDoneElsewhere(command.refund, "operator")
        self.world.tell_surely(self.refunds[command.refund])


class OrderBook(Struct):
    """An order as the rail knows it."""

    amount: Money
    state: str = "open"
    payments: tuple[OrderPaid, ...] = ()


class Rail(Refunds):
    """A wallet's merchant side."""

    def __init__(self, name: str, world: "World") -> None:
        super().__init__(name, world)
        self.orders: dict[str, OrderBook] = {}

    # the host's side

    def make_order(self, command: MakeOrder) -> None:
        """Make it, once."""
        if self.dropped("request_dropped", self.world.faults.request_dropped):
            self.answer(OrderUnheard(command.order))
            return
        if command.order not in self.orders:
            self.orders[command.order] = OrderBook(command.amount)
        if self.dropped("answer_dropped", self.world.faults.answer_dropped):
            self.answer(OrderUnheard(command.order))
        else:
            self.answer(OrderMade(command.order))

    def ask_order(self, command: AskOrder) -> None:
        """Say how it stands. An order that the rail never saw can be made again under the same id."""
        order = self.orders.get(command.order)
        if order is None:
            amount = self.world.amount_of("order", command.order)
            self.make_order(MakeOrder(command.order, command.rail, amount))
        elif order.payments:
            self.answer(order.payments[-1])
        elif order.state == "closed":
            self.answer(OrderClosed(command.order))
        else:
            self.answer(OrderMade(command.order))

    def close_order(self, command: CloseOrder) -> None:
        """Query, close, query again."""
        order = self.orders.get(command.order)
        if self.dropped("request_dropped", self.world.faults.request_dropped):
            self.answer(OrderUnheard(command.order), 3 * SECOND, 9 * SECOND)
        elif order is not None and order.payments:
            self.answer(order.payments[-1])
        else:
            if order is not None:
                order.state = "closed"
            self.answer(OrderClosed(command.order))

    # the customer's side

    def shown(self, key: str) -> bool:
        """Can the code be scanned?"""
        return key in self.orders and self.orders[key].state == "open"

    def scan(self, key: str) -> None:
        """The customer's phone opened it."""
        self.answer(OrderScanned(key))

    def pay(self, key: str, *, late: bool = False) -> None:
        """The customer pays. A wallet may let a payment through that it began before the order was closed."""
        order = self.orders[key]
        if order.payments or (order.state == "closed" and not late):
            return
        amount = order.amount
        if self.luck.chance(self.world.faults.order_amount_differs):
            self.luck.saw("amount_differs")
            amount = Money(max(1, amount.minor - 100), amount.currency)
        self._pay(key, amount)
        if self.luck.chance(self.world.faults.paid_twice):
            self.after(self.luck.between(1, 60) * SECOND, self._pay_again, key, amount)
        if self.luck.chance(self.world.faults.charged_back):
            self.after(10 * DAY, self._charge_back, key, amount)

    def _pay_again(self, key: str, amount: Money) -> None:
        self.luck.saw("paid_twice")
        self._pay(key, amount)

    def _pay(self, key: str, amount: Money) -> None:
        order = self.orders[key]
        order.state = "paid"
        self.taken += amount.minor
        paid = OrderPaid(key, amount, f"{key}-{len(order.payments)}")
        order.payments = (*order.payments, paid)
        # The host polls; whatever it misses, the provider's daily file brings.
        self.answer(paid, 200, 3 * SECOND)
        self.after(DAY, self.world.tell_surely, paid)

    def _charge_back(self, key: str, amount: Money) -> None:
        self.luck.saw("charged_back")
        self.taken -= amount.minor
        kind = OrderChargedBack if self.luck.chance(0.5) else OrderRefundedElsewhere
        self.world.tell_surely(self.orders[key].payments[0])
        self.world.tell_surely(kind(key, amount))


class Terminal(Refunds):
    """A card terminal and its acquirer."""

    def __init__(self, name: str, world: "World") -> None:
        super().__init__(name, world)
        self.results: dict[str, Fact] = {}

    def authorise_card(self, command: AuthoriseCard) -> None:
        """Ask for a card; the customer needs a while."""
        key = command.authorisation
        self.after(self.luck.between(3, 20) * SECOND, self._decide, key, command.amount)
        if self.dropped("card_unheard", self.world.faults.card_unheard):
            self.answer(CardUnheard(key), 8 * SECOND, 25 * SECOND)

    def abort_card(self, command: AbortCard) -> None:
        """Too late if the bank has answered."""
        key = command.authorisation
        self.results.setdefault(key, CardDeclined(key, "aborted"))
        self.answer(self.results[key])

    def ask_card(self, command: AskCard) -> None:
        """Say what became of it; one that was never begun was declined."""
        key = command.authorisation
        self.after(25 * SECOND, self._tell, self.world.epoch, key)

    def _tell(self, epoch: int, key: str) -> None:
        if epoch == self.world.epoch and self.world.host_up:
            self.results.setdefault(key, CardDeclined(key, "unknown_to_terminal"))
            self.answer(self.results[key])

    def _decide(self, key: str, amount: Money) -> None:
        if key in self.results and not self.luck.chance(self.world.faults.card_approved_late):
            return
        if self.luck.chance(self.world.faults.card_declined):
            self.results[key] = CardDeclined(key, "insufficient_funds")
        else:
            self.taken += amount.minor
            self.results[key] = CardApproved(key, amount)
            self.after(DAY, self.world.tell_surely, self.results[key])
            if self.luck.chance(self.world.faults.card_reversed):
                self.after(self.luck.between(1, 48) * HOUR, self._reverse, key, amount)
            elif self.luck.chance(self.world.faults.charged_back):
                self.after(20 * DAY, self._charge_back, key, amount)
        if not self.dropped("answer_dropped", self.world.faults.answer_dropped):
            self.answer(self.results[key])
        else:
            self.answer(CardUnheard(key))

    def _reverse(self, key: str, amount: Money) -> None:
        self.luck.saw("card_reversed")
        self.taken -= amount.minor
        self.world.tell_surely(self.results[key])
        self.world.tell_surely(CardReversed(key))

    def _charge_back(self, key: str, amount: Money) -> None:
        self.luck.saw("charged_back")
        self.taken -= amount.minor
        self.world.tell_surely(CardChargedBack(key, amount))


class TopUp(Struct):
    """A top-up as the carrier knows it."""

    sale: int
    face: Money
    result: Fact | None = None


class Network(Provider):
    """A carrier: `credited` is what cards really got."""

    def __init__(self, name: str, world: "World", *, dedupes: bool) -> None:
        super().__init__(name, world)
        self.dedupes = dedupes
        self.credited = 0
        self.top_ups: dict[str, TopUp] = {}
        self.times_credited: dict[str, int] = {}
        self.hidden: set[str] = set()  # known to the carrier, and not found when asked for

    def send_top_up(self, command: SendTopUp) -> None:
        """Deliver it. Without a promise to know the same id again, a second sending delivers a second time."""
        key, faults = command.delivery, self.world.faults
        self.world.judge.sent(self.name, command)
        if self.dropped("request_dropped", faults.request_dropped):
            self.answer(TopUpUnheard(key), 5 * SECOND, 20 * SECOND)
            return
        if key not in self.top_ups:
            self.top_ups[key] = TopUp(command.sale, command.face)
            self._work(key)
        elif not self.dedupes:
            self._credit(key, command.face)
        result = self.top_ups[key].result
        if result is None:
            self.answer(TopUpUnheard(key), 5 * SECOND, 20 * SECOND)
        elif self.dropped("answer_dropped", faults.answer_dropped):
            if self.luck.chance(faults.top_up_not_found_first):
                self.hidden.add(key)
                self.after(self.luck.between(1, 45) * MINUTE, self.hidden.discard, key)
            self.answer(TopUpUnheard(key), 5 * SECOND, 20 * SECOND)
        else:
            self.answer(result, 300, 6 * SECOND)

    def ask_top_up(self, command: AskTopUp) -> None:
        """Say how it stands; the host asks again until that is final."""
        self.after(self.luck.between(10 * SECOND, ASK_AGAIN_MS), self._ask, self.world.epoch, command)

    def _ask(self, epoch: int, command: AskTopUp) -> None:
        if epoch != self.world.epoch or not self.world.host_up:
            return
        key = command.delivery
        known = self.top_ups.get(key)
        if known is None or key in self.hidden:
            if key in self.hidden:
                self.luck.saw("not_found_then_success")
            self.answer(TopUpNotFound(key))
            if known is None and not self.dedupes:
                # Nobody may send it again: a person finds out that it never arrived.
                self.after(2 * DAY, self._person_declines, key)
        elif known.result is None:
            if self.luck.chance(0.1):
                self.answer(TopUpOverdue(key))
            self.after(ASK_AGAIN_MS * 8, self._ask, epoch, command)
        else:
            self.answer(known.result)

    def _person_declines(self, key: str) -> None:
        if key not in self.top_ups:
            self.top_ups[key] = TopUp(0, Money(0, self.world.currency), TopUpDeclined(key, "never_arrived"))
            self.world.tell_surely(TopUpDeclined(key, "never_arrived"))

    def _work(self, key: str) -> None:
        faults = self.world.faults
        if self.luck.chance(faults.top_up_slow):
            late = self.luck.chance(faults.top_up_day_late)
            self.after(DAY if late else self.luck.between(1, 90) * MINUTE, self._decide, key, late)
        else:
            self._decide(key, late=False)

    def _decide(self, key: str, late: bool) -> None:  # noqa: FBT001 - the agenda passes it on by place
        faults, top_up = self.world.faults, self.top_ups[key]
        if self.luck.chance(faults.top_up_declined):
            self.luck.saw("declined_late" if late else "declined")
            top_up.result = TopUpDeclined(key, "barred")
            if self.luck.chance(faults.top_up_declined_then_delivered):
                self.after(self.luck.between(1, 30) * HOUR, self._deliver_after_all, key)
            return
        if late:
            self.luck.saw("success_a_day_late")
        credited = top_up.face
        if self.luck.chance(faults.top_up_short):
            self.luck.saw("shortfall")
            credited = Money(top_up.face.minor // 2, top_up.face.currency)
        elif self.luck.chance(faults.top_up_short / 4):
            self.luck.saw("over_credited")
            credited = Money(top_up.face.minor + 100, top_up.face.currency)
        self._credit(key, credited)
        top_up.result = TopUpAccepted(key, credited, f"{self.name}-{key[:8]}")
        if self.luck.chance(faults.top_up_reversed):
            self.after(7 * DAY, self._reverse, key, credited)

    def _credit(self, key: str, amount: Money) -> None:
        self.credited += amount.minor
        self.times_credited[key] = self.times_credited.get(key, 0) + 1
        self.world.judge.credited(self.name, key, self.times_credited[key])

    def _deliver_after_all(self, key: str) -> None:
        self.luck.saw("declined_then_delivered")
        top_up = self.top_ups[key]
        self._credit(key, top_up.face)
        self.world.tell_surely(TopUpDeclined(key, "barred"))
        top_up.result = TopUpAccepted(key, top_up.face, "late")
        self.world.tell_surely(top_up.result)

    def _reverse(self, key: str, credited: Money) -> None:
        self.luck.saw("reversed_later")
        self.credited -= credited.minor
        top_up = self.top_ups[key]
        if top_up.result is not None:
            self.world.tell_surely(top_up.result)
        top_up.result = TopUpReversed(key)
        self.world.tell_surely(top_up.result)
