"""A small journal that has lived through nearly everything: two business days of about seventy rows."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TypeVar

from msgspec.structs import asdict, replace

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core
from kiosk.flow.facts import BoxCounted, CardChosen, CashChosen, ClaimChosen, OrderChosen, SaleOpened
from kiosk.flow.terms import Route, Terms
from kiosk.money.database import connect
from kiosk.money.entry import ENCODER
from kiosk.money.heads import Found, sign
from kiosk.money.journal import Journal
from kiosk.money.secret import MachineKey
from kiosk.money.step import OWN_STORY, Identity, JournalAdopted, Step
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked
from kiosk.ports.card_terminal import AuthoriseCard, CardApproved
from kiosk.ports.carrier import SendTopUp, TopUpAccepted, TopUpDeclined, TopUpUnheard
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.message import Command, Fact
from kiosk.ports.qr_rail import MakeOrder, OrderMade, OrderPaid
from kiosk.ports.refunds import RefundDone, SendRefund
from tests.kiosk.money.memory import AT_MS, IDENTITY, calendar

C = TypeVar("C", bound=Command)
KEY = MachineKey(bytes(range(32)))
DAY_MS = 86_400_000
MINUTE_MS = 60_000
NUMBER = "13812345678"


def yuan(amount: int) -> Money:
    """Whole yuan."""
    return Money(amount * 100, "CNY")


TERMS = Terms(
    face=yuan(50),
    price=Money(4985, "CNY"),
    cash_price=yuan(49),
    fee=yuan(1),
    routes=(Route("cmcc", resend_safe=True),),
    accept=(yuan(10), yuan(20), yuan(50)),
)


class Lived:
    """The journal while it is lived; `copies` has the whole database as it was after each row."""

    def __init__(self, path: Path | None = None, *, identity: Identity = IDENTITY, first_note: int = 20) -> None:
        self.connection = connect(path)
        entropy = Random(1).randbytes
        self.journal = Journal.create(
            self.connection, identity, calendar(), entropy, at_ms=AT_MS, durable=path is not None
        )
        self.core = Core(self.journal, KEY.code_book(identity.incarnation), entropy)
        self.now_ms = AT_MS
        self.copies: dict[int, bytes] = {}
        self._said: list[Command] = []
        self._first_day(first_note)
        self.now_ms += DAY_MS
        self._second_day()

    def say(self, *facts: Fact, personal: Mapping[str, bytes] | None = None) -> None:
        """Report these facts, ten minutes apart at times."""
        for fact in facts:
            self.now_ms += MINUTE_MS
            self._said += self.core.handle(fact, self.now_ms, personal)
            self._copy()

    def head(self) -> Found:
        """The signed head of the last row."""
        return Found(sign(self.journal, KEY.signing_key(), self.now_ms))

    def number(self, name: str) -> int:
        """The number of a sale."""
        sale = self.core.find("sale", name)
        assert sale is not None
        return sale.number

    def open(self, name: str) -> int:
        """A customer has confirmed a card and an offer."""
        card = b'{"number":"%s"}' % NUMBER.encode()
        self.say(SaleOpened(name, TERMS), personal={"card": card})
        return self.number(name)

    def _copy(self) -> None:
        if not self.connection.filename:
            self.copies[self.journal.seq] = self.connection.serialize("main")

    def _last(self, kind: type[C]) -> C:
        return [command for command in self._said if isinstance(command, kind)][-1]

    def _first_day(self, first_note: int) -> None:
        self.say(DeviceReady("bill", "B1"), DeviceReady("coin", "C1"))
        # cash, with more than enough; the carrier is silent, then credits too little
        sale = self.open("cash")
        self.say(CashChosen(sale, ("bill", "coin")))
        self.say(NoteEscrowed("bill", 1, yuan(first_note)), NoteStacked("bill", 1), NoteEscrowed("bill", 2, yuan(10)))
        self.say(NoteReturned("bill", 2), CoinInserted("coin", 1, yuan(1)))
        self.say(NoteEscrowed("bill", 3, yuan(50)), NoteStacked("bill", 3))
        top_up = self._last(SendTopUp).delivery
        self.say(TopUpUnheard(top_up), TopUpAccepted(top_up, yuan(49), "r1"), DeviceIdle("bill"), DeviceIdle("coin"))
        # a phone pays, the carrier declines, the money goes back
        sale = self.open("phone")
        self.say(OrderChosen(sale, "wechat", refundable=True))
        order = self._last(MakeOrder)
        self.say(OrderMade(order.order), OrderPaid(order.order, order.amount, "w1"))
        self.say(TopUpDeclined(self._last(SendTopUp).delivery, "barred"))
        self.say(RefundDone(self._last(SendRefund).refund))
        # a coin that nobody inserted, and the box is emptied: one yuan is missing
        self.say(CoinInserted("coin", 2, yuan(5)), BoxRemoved("bill"), BoxInserted("bill"), DeviceReady("bill", "B1"))
        book = -self.journal.balance("cashbox:bill#1")
        self.say(BoxCounted("bill", 1, Money(book - 100, "CNY"), Money(book, "CNY"), "Ann"))
        # a card pays, and the day ends before the carrier has said anything
        self._card("card")

    def _card(self, name: str) -> None:
        """A card pays; the carrier has still to answer."""
        sale = self.open(name)
        self.say(CardChosen(sale, "front"))
        asked = self._last(AuthoriseCard)
        self.say(CardApproved(asked.authorisation, asked.amount))

    def _second_day(self) -> None:
        self.say(TopUpAccepted(self._last(SendTopUp).delivery, yuan(50), "r2"))
        # the claim of the first sale pays for another, together with cash
        claim = self.core.thing(self.journal.in_states("claim", ["open"])[0])
        assert isinstance(claim, Claim)
        sale = self.open("claim")
        self.say(ClaimChosen(sale, claim.key), CashChosen(sale, ("bill",)))
        self.say(NoteEscrowed("bill", 4, yuan(50)), NoteStacked("bill", 4))
        self.say(TopUpAccepted(self._last(SendTopUp).delivery, yuan(50), "r3"), DeviceIdle("bill"))
        # what was known of the first day's customers is erased, and the journal is taken over
        self.now_ms += MINUTE_MS
        assert self.journal.erase_personal(self.now_ms, self.journal.day)
        self._copy()
        identity = replace(self.journal.identity, incarnation="second")
        adopted = JournalAdopted(**asdict(identity), by="Ann", reason="a new disk")
        self.journal.commit(Step(self.now_ms, ENCODER.encode(adopted), sales=(OWN_STORY,)))
        self._copy()
        # and a last one is left in the midst of its payment
        self.say(CashChosen(self.open("midst"), ("bill",)), NoteEscrowed("bill", 5, yuan(10)))
