"""A journal in a folder, and short words for what fills a business day."""

from datetime import UTC, datetime, time
from pathlib import Path
from random import Random
from typing import TypeVar

import apsw
from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.core import Core
from kiosk.flow.facts import CardChosen, CashChosen, OrderChosen, SaleOpened
from kiosk.flow.terms import Route, Terms
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.database import FILE_NAME
from kiosk.money.journal import Journal
from kiosk.money.step import Identity
from kiosk.ports.acceptor import DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteStacked
from kiosk.ports.card_terminal import AuthoriseCard, CardApproved
from kiosk.ports.carrier import SendTopUp, TopUpAccepted, TopUpDeclined
from kiosk.ports.message import Command, Fact
from kiosk.ports.qr_rail import MakeOrder, OrderPaid
from kiosk.ports.refunds import SendRefund

C = TypeVar("C", bound=Command)


def yuan(text: str) -> Money:
    """Money("4985", CNY) of "49.85"."""
    whole, _, part = text.partition(".")
    return Money(int(whole) * 100 + int(part or "0"), "CNY")


TERMS = Terms(
    face=yuan("50"),
    price=yuan("49.85"),
    cash_price=yuan("49"),
    fee=yuan("1"),
    routes=(Route("cmcc", resend_safe=True), Route("reseller", resend_safe=False)),
    accept=(yuan("10"), yuan("20"), yuan("50")),
)
FIRST, SECOND = "2026-11-20", "2026-11-21"
CALENDAR = Calendar("Asia/Shanghai", time(4))


def at(text: str) -> int:
    """Milliseconds since 1970 of a moment in Shanghai, which is eight hours ahead: "2026-11-20 12:00"."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - 8 * 3600) * 1000)


class Till:
    """A terminal with a bill validator, a coin acceptor, a QR rail and a card terminal, without any of them."""

    def __init__(self, folder: Path, begins: str, *, durable: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.now_ms = at(begins)
        self.clock_trusted = True
        self.said: list[Command] = []
        self._sales = 0
        self._notes = 0
        random = Random(7)
        self.journal = Journal.create(
            apsw.Connection(str(folder / FILE_NAME)),
            Identity("till-1", "first", "bench", "CNY"),
            CALENDAR,
            random.randbytes,
            at_ms=self.now_ms,
            durable=durable,
        )
        self.core = Core(self.journal, CodeBook(bytes(32), "first"), random.randbytes)
        self.say(DeviceReady("bill"), DeviceReady("coin"))

    def say(self, *facts: Fact) -> None:
        """These facts, a tenth of a second apart."""
        for fact in facts:
            self.now_ms += 100
            self.said += self.core.handle(fact, self.now_ms, clock_trusted=self.clock_trusted)

    def last(self, kind: type[C]) -> C:
        """The latest command of that kind."""
        return [command for command in self.said if isinstance(command, kind)][-1]

    def sale(self, **differing: object) -> int:
        """A sale is opened; its number is the answer."""
        self._sales += 1
        name = f"sale {self._sales}"
        self.say(SaleOpened(name, replace(TERMS, **differing)))
        sale = self.core.find("sale", name)
        assert sale is not None
        return sale.number

    def note(self, amount: str) -> int:
        """A note lies in escrow; its position is the answer."""
        self._notes += 1
        self.say(NoteEscrowed("bill", self._notes, yuan(amount)))
        return self._notes

    def say_note(self, amount: str) -> None:
        """A note is recognised and stacked."""
        self.say(NoteStacked("bill", self.note(amount)))

    def cash(self, sale: int, *amounts: str) -> None:
        """Notes for a sale, all stacked."""
        self.say(CashChosen(sale, ("bill", "coin")))
        for amount in amounts:
            self.say_note(amount)

    def phone(self, sale: int) -> None:
        """The rest of the price by phone."""
        self.say(OrderChosen(sale, "wechat", refundable=True))
        order = self.last(MakeOrder)
        self.say(OrderPaid(order.order, order.amount, "w1"))

    def card(self, sale: int) -> None:
        """The rest of the price by card."""
        self.say(CardChosen(sale, "front"))
        asked = self.last(AuthoriseCard)
        self.say(CardApproved(asked.authorisation, asked.amount))

    def accepted(self, credited: str = "50") -> None:
        """The carrier that was asked last delivers."""
        self.say(TopUpAccepted(self.last(SendTopUp).delivery, yuan(credited)))

    def declined(self) -> None:
        """The carrier that was asked last does not."""
        self.say(TopUpDeclined(self.last(SendTopUp).delivery, "no"))

    def refund(self) -> str:
        """The refund that was asked for last."""
        return self.last(SendRefund).refund

    def tamper(self, sql: str) -> None:
        """What nobody may do: another connection writes into a derived table. `:first` and `:second` are the days."""
        with apsw.Connection(str(self.folder / FILE_NAME)) as connection:
            connection.execute(sql, {"first": FIRST, "second": SECOND})
            assert connection.changes() == 1, sql
