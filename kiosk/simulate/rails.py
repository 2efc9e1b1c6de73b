"""Simulated QR rails and card terminals: they hold real (virtual) money, and give it back under one id once."""

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
    RefundChargedBack,
    RefundDone,
    RefundDoneElsewhere,
    RefundFact,
    RefundFailed,
    RefundProcessing,
    RefundUnheard,
    SendRefund,
)
from kiosk.simulate.agenda import DAY, HOUR, SECOND
from kiosk.simulate.provider import ASK_AGAIN_MS, Provider

if TYPE_CHECKING:
    from kiosk.simulate.world import World


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
            if self.luck.chance(faults.refund_charged_back * 5):
                self.after(self.luck.between(1, 48) * HOUR, self._charged_back, command)
        else:
            self._done(command)

    def _done(self, command: SendRefund) -> None:
        if isinstance(self.refunds.get(command.refund), RefundFailed):
            return  # the bank was faster
        self.refunds[command.refund] = RefundDone(command.refund)
        self.given_back += command.amount.minor
        self.luck.saw("refund_done")
        if self.luck.chance(self.world.faults.refund_comes_back):
            self.after(2 * DAY, self._came_back, command)
        elif self.luck.chance(self.world.faults.refund_charged_back):
            self.after(3 * DAY, self._charged_back_on_top, command)

    def _charged_back(self, command: SendRefund) -> None:
        """The payer's bank took the money itself before the refund had ended: that one cannot succeed any more."""
        if isinstance(self.refunds[command.refund], RefundProcessing):
            self.luck.saw("refund_charged_back")
            self.given_back += command.amount.minor
            self.refunds[command.refund] = RefundFailed(command.refund, "charged_back")
            self.world.tell_surely(RefundChargedBack(command.refund))

    def _charged_back_on_top(self, command: SendRefund) -> None:
        """The payer has it twice."""
        self.luck.saw("refund_charged_back_on_top")
        self.given_back += command.amount.minor
        self.world.tell_surely(RefundDone(command.refund))
        self.world.tell_surely(RefundChargedBack(command.refund))

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
        parts = amount.split(2) if self.luck.chance(0.5) else (amount,)
        if len(parts) > 1:
            self.luck.saw("charged_back_in_parts")
        for number, part in enumerate(parts):
            self.world.tell_surely(kind(key, part, f"case {number}"))


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
