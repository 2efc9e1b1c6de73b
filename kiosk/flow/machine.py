"""The generic machine: a table of rows (state, fact, guard) → (state, action), and the paper on which actions write.

A step is pure: no clock, no input or output, no randomness. What it decides, it writes down in an Outcome.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.money.codes import Code
from kiosk.money.entry import Tally
from kiosk.money.ledger import Kind, Promise, Transfer
from kiosk.ports.alarm import RaiseAlarm
from kiosk.ports.message import Command, Fact

NEW = "new"  # the state of a thing that nobody has heard of yet


class Thing(Struct, frozen=True, tag_field="kind", kw_only=True, omit_defaults=True):
    """Something with a life of its own, in the journal. Its number is ours; its key is what the world calls it.

    `copied` is the row by which the journal was adopted, if the thing is older than that: in the rows that the copy
    lost, its money may have gone already.
    """

    number: int
    key: str
    state: str = NEW
    sale: int = 0
    open: bool = False
    copied: int = 0


T = TypeVar("T", bound=Thing)
F = TypeVar("F", bound=Fact)


class Outcome:
    """What one step decides: transfers, counts, commands, and facts told to other things in the same commit."""

    def __init__(
        self, transfers: int, things: int, name: Callable[[int], str], code: Callable[[int, int], Code]
    ) -> None:
        self._transfer = transfers
        self._thing = things
        self._name = name
        self._code = code
        self.transfers: list[Transfer] = []
        self.tallies: list[Tally] = []
        self.commands: list[Command] = []
        self.told: list[tuple[int, Fact]] = []  # (number of a thing to be born, or 0; fact)

    def move(self, debit: str, credit: str, amount: Money) -> int:
        """Book a transfer at once; its number is the answer."""
        return self._book(Transfer(self._transfer + 1, "direct", debit, credit, amount.minor))

    def promise(self, debit: str, credit: str, amount: Money) -> Promise:
        """Reserve it: it is posted or voided later, once."""
        number = self._book(Transfer(self._transfer + 1, "pending", debit, credit, amount.minor))
        return Promise(number, debit, credit, amount.minor)

    def post(self, promise: Promise) -> None:
        """The promise is kept."""
        self._resolve(promise, "post")

    def void(self, promise: Promise) -> None:
        """The promise is dropped."""
        self._resolve(promise, "void")

    def correct(self, debit: str, credit: str, amount: Money, of: int, cause: str) -> None:
        """Book against an earlier transfer that turned out otherwise; it is never resolved again."""
        self._book(Transfer(self._transfer + 1, "correction", debit, credit, amount.minor, of, cause))
        self.count(f"correction/{cause}", amount)

    def count(self, line: str, amount: Money | None = None) -> None:
        """One more of something, for the day's totals."""
        self.tallies.append(Tally(line, 1, amount.minor if amount else 0))

    def command(self, command: Command) -> None:
        """Have it done once this step is durable."""
        self.commands.append(command)

    def alarm(self, cause: str, thing: Thing) -> None:
        """Let a person know."""
        self.commands.append(RaiseAlarm(cause, thing.number))
        self.count(f"alarm/{cause}")

    def tell(self, fact: Fact) -> None:
        """Tell a thing that exists, or that the fact's own key names."""
        self.told.append((0, fact))

    def begin(self, birth: Callable[[str], Fact]) -> int:
        """Let a thing be born under a fresh random name; its number is the answer."""
        number = self.newcomer()
        self.told.append((number, birth(self._name(number))))
        return number

    def begin_claim(self, birth: Callable[[Code], Fact]) -> int:
        """Let a claim be born under a fresh code."""
        number = self.newcomer()
        self.told.append((number, birth(self._code(number, 0))))
        return number

    def renewed_code(self, claim: int, renewals: int) -> Code:
        """Another code for the same claim."""
        return self._code(claim, renewals)

    def newcomer(self) -> int:
        """The number of a thing that is being born."""
        self._thing += 1
        return self._thing

    def _book(self, transfer: Transfer) -> int:
        self._transfer = transfer.number
        self.transfers.append(transfer)
        return transfer.number

    def _resolve(self, promise: Promise, kind: Kind) -> None:
        number = self._transfer + 1
        self._book(Transfer(number, kind, promise.debit, promise.credit, promise.amount, promise.number))


class Row(Struct, frozen=True):
    """In this state, at this fact, if the guard agrees: that state, after the action."""

    state: str
    fact: type[Fact]
    to: str
    do: Callable[..., Any] | None
    when: Callable[..., bool] | None


def on(
    states: str,
    fact: type[F],
    to: str,
    do: Callable[[T, F, Outcome], T] | None = None,
    when: Callable[[T, F], bool] | None = None,
) -> list[Row]:
    """Rows for one fact in some states. `to` "=" stays where it is."""
    return [Row(state, fact, state if to == "=" else to, do, when) for state in states.split()]


def ignore(states: str, *facts: type[Fact]) -> list[Row]:
    """In these states these facts change nothing: they say again what is known, or what no longer matters."""
    return [Row(state, fact, state, None, None) for fact in facts for state in states.split()]


class Table(Generic[T]):
    """The whole life of one kind of thing."""

    def __init__(
        self, thing: type[T], states: Mapping[str, str], final: str, *rows: Iterable[Row], resting: str = ""
    ) -> None:
        self.thing = thing
        self.kind = str(thing.__struct_config__.tag)
        self.states = {NEW: "nobody has heard of it yet", **states}
        self.final = frozenset(final.split())
        self.resting = frozenset(resting.split())  # not at its end, and nothing is on its way: a start need not tell it
        self.rows = tuple(row for group in rows for row in group)
        self.facts = tuple(dict.fromkeys(row.fact for row in self.rows))
        self._index: dict[tuple[str, type[Fact]], list[Row]] = {}
        for row in self.rows:
            self._index.setdefault((row.state, row.fact), []).append(row)

    def blank(self, number: int, key: str) -> T:
        """A thing that nobody has heard of yet."""
        return self.thing(number=number, key=key)

    def step(self, thing: T, fact: Fact, out: Outcome) -> T:
        """Find the row and follow it. A missing row is a hole in the table, which the grid test does not allow."""
        for row in self._index[thing.state, type(fact)]:
            if row.when is None or row.when(thing, fact):
                after: T = thing if row.do is None else row.do(thing, fact, out)
                if row.to == thing.state:
                    return after
                return replace(after, state=row.to, open=row.to not in self.final | self.resting)
        msg = f"no guard of {self.kind} in {thing.state} agrees to {type(fact).__name__}"
        raise LookupError(msg)

    def choices(self, state: str, fact: type[Fact]) -> list[Row]:
        """All rows for a fact in a state, in the order in which they are tried."""
        return self._index.get((state, fact), [])
