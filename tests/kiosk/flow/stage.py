"""A terminal on a journal in memory, with short words for what happens to it; every law holds after every commit."""

from collections.abc import Mapping
from datetime import time
from random import Random
from typing import Any, TypeVar

import apsw
from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.adoption import take_over
from kiosk.flow.core import Core
from kiosk.flow.facts import CashChosen, SaleOpened
from kiosk.flow.machine import Thing
from kiosk.flow.recover import recover
from kiosk.flow.terms import Route, Terms
from kiosk.money import accounts
from kiosk.money.business_day import days_within, known_days, read_day
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.heads import Found
from kiosk.money.journal import Journal
from kiosk.money.step import Identity, JournalAdopted
from kiosk.money.tie_outs import tie_outs
from kiosk.money.verify import verify
from kiosk.ports.acceptor import DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteStacked
from kiosk.ports.carrier import SendTopUp
from kiosk.ports.message import Command, Fact
from tests.kiosk.flow.laws import Books

C = TypeVar("C", bound=Command)
S = TypeVar("S", bound=Thing)


def yuan(amount: int) -> Money:
    """Whole yuan."""
    return Money(amount * 100, "CNY")


TERMS = Terms(
    face=yuan(50),
    price=Money(4985, "CNY"),
    cash_price=yuan(49),
    fee=yuan(0),
    routes=(Route("cmcc", resend_safe=True),),
    accept=(yuan(1), yuan(5), yuan(10), yuan(20), yuan(50), yuan(100)),
    excess_choices=("owed", "added"),
)
ONE_DAY_MS = 86_400_000
CALENDAR = Calendar("Asia/Shanghai", time(4))


class Stage:
    """One terminal with a bill validator and a coin acceptor, both ready."""

    def __init__(self, copy_of: "Stage | None" = None) -> None:
        self.connection = apsw.Connection(":memory:")
        self._entropy = Random(1).randbytes
        if copy_of is not None:
            self._restore(copy_of)
            return
        self.journal = Journal.create(
            self.connection,
            Identity("t1", "inc", "bench", "CNY"),
            CALENDAR,
            self._entropy,
            at_ms=0,
            durable=False,
        )
        self.core = Core(self.journal, CodeBook(bytes(32), "inc"), self._entropy)
        self.now_ms = 0
        self.positions = 0
        self.said: list[Command] = []  # every command that ever left
        self.say(DeviceReady("bill", "B1"), DeviceReady("coin", "C1"))

    def _restore(self, lost: "Stage") -> None:
        """Begin with a copy of that journal as it stands, adopted; what happens to the other one is lost."""
        with self.connection.backup("main", lost.connection, "main") as backup:
            backup.step()
        self._entropy = Random(2).randbytes
        self.now_ms, self.positions, self.said = lost.now_ms, lost.positions, []
        self.journal = Journal.open(self.connection, CALENDAR, self._entropy, durable=False)
        adopted = JournalAdopted("t1", "inc2", "bench", "CNY", by="anna", reason="the disk died")
        self.core = take_over(self.journal, adopted, CodeBook(bytes(32), "inc2"), self._entropy, self.now_ms)

    # What happens ----------------------------------------------------------------------------------------------------

    def say(self, *facts: Fact, personal: Mapping[str, bytes] | None = None) -> list[Command]:
        """Report these facts; the commands that follow from them are the answer. Every law holds after each."""
        answer: list[Command] = []
        for fact in facts:
            self.now_ms += 50
            answer += self.core.handle(fact, self.now_ms, personal)
            broken = list(self.books().broken_laws())
            assert not broken, (fact, broken)
        self.said += answer
        return answer

    def restart(self) -> list[Command]:
        """Cut the power and start anew: what was not in the journal is forgotten, and everything open is told so."""
        self.core = Core(self.journal, CodeBook(bytes(32), self.journal.identity.incarnation), self._entropy)
        commands = [command for commands in recover(self.core, self.now_ms) for command in commands]
        broken = list(self.books().broken_laws())
        assert not broken, broken
        self.said += commands
        return commands

    def sale(self, terms: Terms = TERMS, **differing: Any) -> int:  # noqa: ANN401 - fields of Terms
        """Open a sale on these terms, or on terms that differ in a few fields; its number is the answer."""
        name = f"sale {self.journal.seq}"
        self.say(SaleOpened(name, replace(terms, **differing)), personal={"card": b"13812345678"})
        return self._found("sale", name).number

    def cash_sale(self, terms: Terms = TERMS, **differing: Any) -> int:  # noqa: ANN401 - as above
        """The same, and the customer chooses cash."""
        sale = self.sale(terms, **differing)
        self.say(CashChosen(sale, ("bill", "coin")))
        return sale

    def next_position(self) -> int:
        """The number of the next event of any acceptor."""
        self.positions += 1
        return self.positions

    def escrow(self, amount: int) -> int:
        """A note of so many yuan lies in escrow; its position is the answer."""
        position = self.next_position()
        self.say(NoteEscrowed("bill", position, yuan(amount)))
        return position

    def insert(self, *amounts: int) -> list[Command]:
        """Notes of so many yuan are recognised and stacked, one after the other."""
        answer: list[Command] = []
        for amount in amounts:
            answer += self.say(NoteStacked("bill", self.escrow(amount)))
        return answer

    # What can be seen ------------------------------------------------------------------------------------------------

    def books(self) -> Books:
        """All tables of the journal."""
        return Books(self._rows)

    def balances(self) -> dict[str, int]:
        """Credits less debits of every class that holds anything: assets are negative."""
        return self.books().by_class()

    def untied(self) -> list[str]:
        """Every figure of every day that two records disagree on, and everything that verification finds."""
        first, last = known_days(self.connection)
        days = [read_day(self.connection, day) for day in days_within(self.connection, first, last)]
        figures = [
            f"{tie.day}, {tie.name}: {tie.left} {tie.right}" for day in days for tie in tie_outs(day) if not tie.holds
        ]
        return [*figures, *map(str, verify(self.connection, Found()).problems)]

    def thing(self, number: int, kind: type[S]) -> S:
        """A thing of that kind, as it stands."""
        thing = self.core.thing(number)
        assert isinstance(thing, kind), (number, thing)
        return thing

    def only(self, kind: type[S]) -> S:
        """The latest thing of that kind, as it stands."""
        return self.all(kind)[-1]

    def all(self, kind: type[S]) -> list[S]:
        """All things of that kind, oldest first."""
        return list(self.books().all_of(kind))

    def state(self, number: int) -> str:
        """The state of a thing."""
        thing = self.core.thing(number)
        assert thing is not None
        return thing.state

    def note(self, position: int) -> str:
        """The state of a note."""
        return self._found("note", f"bill/{position}").state

    def commands(self, kind: type[C]) -> list[C]:
        """All commands of that kind that ever left, oldest first."""
        return [command for command in self.said if isinstance(command, kind)]

    def delivery(self) -> str:
        """The id of the top-up that was sent last."""
        return self.commands(SendTopUp)[-1].delivery

    def alarms(self) -> set[str]:
        """The causes of all alarms so far."""
        return {line.removeprefix("alarm/") for line in self.books().tallies if line.startswith("alarm/")}

    def counted(self, line: str) -> int:
        """The amount of one line of the day's totals."""
        return self.books().tallies.get(line, 0)

    def worth(self, claim: int) -> int:
        """What a claim's account holds."""
        return self.books().posted.get(accounts.owed(claim), 0)

    def _found(self, kind: str, key: str) -> Thing:
        thing = self.core.find(kind, key)
        assert thing is not None, (kind, key)
        return thing

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(sql))
