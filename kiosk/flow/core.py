"""Commit, then act: a fact is stepped through the tables and durable in one row; only then do its commands leave."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.acceptor import ACCEPTOR, Acceptor
from kiosk.flow.authorisation import AUTHORISATION, Authorisation
from kiosk.flow.box import BOX, Box
from kiosk.flow.claim import CLAIM, Claim
from kiosk.flow.delivery import DELIVERY, Delivery
from kiosk.flow.facts import BoxCounted, ClaimExpired, Restarted, SaleOpened
from kiosk.flow.machine import Outcome, Table, Thing
from kiosk.flow.note import NOTE, Note
from kiosk.flow.order import ORDER, Order
from kiosk.flow.reckoning import Sale
from kiosk.flow.refund import REFUND, Refund
from kiosk.flow.sale import SALE
from kiosk.flow.suspense import SUSPENSE, Suspense
from kiosk.money.codes import CodeBook
from kiosk.money.entry import ENCODER
from kiosk.money.journal import Journal, JournalBroken, LedgerRefused
from kiosk.money.step import Personal, Step
from kiosk.ports.acceptor import CloseAcceptor
from kiosk.ports.alarm import RaiseAlarm
from kiosk.ports.bill_validator import NoteEscrowed, NoteRetracted, NoteStacked
from kiosk.ports.carrier import TopUpAccepted
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.message import Command, Fact

CASCADE_MAX = 100  # facts that one fact may bring about; the longest real one has about a dozen
MAY_SAY_ZERO = (SaleOpened, TopUpAccepted, BoxCounted)  # no fee, nothing credited, an empty box

TABLES: dict[str, Table[Any]] = {
    table.kind: table for table in (ACCEPTOR, NOTE, BOX, ORDER, AUTHORISATION, DELIVERY, REFUND, CLAIM, SUSPENSE, SALE)
}

AnyThing = Acceptor | Note | Box | Order | Authorisation | Delivery | Refund | Claim | Suspense | Sale
_DECODER = msgspec.json.Decoder(AnyThing)


class Stopped(Exception):  # noqa: N818 - a state that the machine is in
    """Nothing may be acknowledged; the next start finds out what was booked. `commands` close the acceptors."""

    def __init__(self, reason: str, commands: list[Command]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.commands = commands


class Core:
    """All open things, and the one way to change any of them."""

    def __init__(self, journal: Journal, codes: CodeBook, entropy: Callable[[int], bytes]) -> None:
        self.journal = journal
        self._code = codes.code
        self._entropy = entropy
        self._refused = ""  # a step that the database refused: the tables are wrong, and nothing more is booked by them
        self._things: dict[int, Thing] = {}
        self._keys: dict[tuple[str, str], int] = {}
        for data in journal.open_things():
            self._remember(self._read(data))

    def handle(
        self,
        fact: Fact,
        at_ms: int,
        personal: Mapping[str, bytes] | None = None,
        *,
        clock_trusted: bool = True,
    ) -> list[Command]:
        """Take a fact. When this returns, all that follows from it is durable, and its commands may leave."""
        if isinstance(fact, ClaimExpired) and not clock_trusted:
            return []  # while the clock is doubtful nothing expires
        if self._refused:
            raise Stopped(self._refused, self.rest())
        try:
            return self._handle(fact, at_ms, personal or {}, clock_trusted=clock_trusted)
        except JournalBroken as broken:
            raise Stopped(str(broken), self.rest()) from broken
        except LedgerRefused as refused:
            self._refused = f"the ledger refuses {type(fact).__name__}: {refused}"
            raise Stopped(self._refused, self.rest()) from refused

    def _handle(self, fact: Fact, at_ms: int, personal: Mapping[str, bytes], *, clock_trusted: bool) -> list[Command]:
        nonsense = self._nonsense(fact)
        meant = _without_amount(fact) if nonsense else fact
        out = Outcome(self.journal.transfers, self.journal.things, self._name, self._code)
        changed: dict[int, Thing] = {}
        sales: set[int] = set()
        if nonsense:
            out.command(RaiseAlarm(nonsense, 0))
            out.count(f"alarm/{nonsense}")
        if meant is not None:
            self._cascade(meant, out, changed, sales)
        if not changed and not out.commands and not out.tallies and not personal:
            return []
        step = Step(
            at_ms,
            ENCODER.encode(fact),
            [(number, ENCODER.encode(thing)) for number, thing in changed.items()],
            out.transfers,
            out.tallies,
            [ENCODER.encode(command) for command in out.commands],
            [Personal(min(sales), label, value) for label, value in personal.items()] if sales else (),
            sales,
            clock_trusted,
        )
        self.journal.commit(step)
        for thing in changed.values():
            self._remember(thing)
        return out.commands

    def rest(self) -> list[Command]:
        """What brings every acceptor to rest."""
        return [CloseAcceptor(thing.key) for thing in self._things.values() if isinstance(thing, Acceptor)]

    def open_things(self) -> list[Thing]:
        """Everything that is not at its end, oldest first."""
        return [self._things[number] for number in sorted(self._things)]

    def thing(self, number: int) -> Thing | None:
        """A thing as it stands."""
        thing = self._things.get(number)
        if thing is None:
            data = self.journal.thing(number)
            thing = None if data is None else self._read(data)
        return thing

    def find(self, kind: str, key: str) -> Thing | None:
        """A thing by the name that the world knows it by."""
        number = self._keys.get((kind, key))
        if number is not None:
            return self._things[number]
        data = self.journal.find(kind, key)
        return None if data is None else self._read(data)

    def _cascade(self, fact: Fact, out: Outcome, changed: dict[int, Thing], sales: set[int]) -> None:
        out.told.append((0, fact))
        born: dict[tuple[str, str], int] = {}
        for done in range(CASCADE_MAX):
            if done == len(out.told):
                return
            number, told = out.told[done]
            table = TABLES[told.kind if isinstance(told, Restarted) else told.about]
            before = self._whom(table, told, number, out, changed, born)
            after = table.step(before, told, out)
            if after is not before:
                changed[after.number] = after
                born[table.kind, after.key] = after.number
            if after.sale:
                sales.add(after.sale)
        msg = f"{type(fact).__name__} brings about more than {CASCADE_MAX} facts"
        raise RuntimeError(msg)

    def _whom(  # noqa: PLR0913, PLR0917 - the places where a thing can be, one after the other
        self,
        table: Table[Any],
        fact: Fact,
        number: int,
        out: Outcome,
        changed: dict[int, Thing],
        born: dict[tuple[str, str], int],
    ) -> Thing:
        whose = fact.whose()
        if isinstance(whose, int):
            thing = changed.get(whose) or self.thing(whose)
            if thing is not None and isinstance(thing, table.thing):
                return thing
            # A number of nothing, or of another kind of thing, which must not be written over.
            stranger = out.newcomer()
            return table.blank(stranger, f"#{stranger}")
        if not number:
            known = born.get((table.kind, whose))
            if known is not None:
                return changed[known]
            thing = self.find(table.kind, whose)
            if thing is not None:
                return changed.get(thing.number, thing)
        return table.blank(number or out.newcomer(), whose)

    def _remember(self, thing: Thing) -> None:
        kind = str(thing.__struct_config__.tag)
        before = self._things.get(thing.number)
        if before is not None:
            del self._keys[kind, before.key]
        if thing.open:
            self._things[thing.number] = thing
            self._keys[kind, thing.key] = thing.number
        elif before is not None:
            del self._things[thing.number]

    def _read(self, data: bytes) -> Thing:
        thing = _DECODER.decode(data)
        adopted = self.journal.adopted
        if thing.number > adopted.things or thing.copied == adopted.row:
            return thing
        return replace(thing, copied=adopted.row)

    def _nonsense(self, fact: Fact) -> str:
        """Why its amounts cannot be reckoned with, or nothing: a person has to look at what sent it."""
        own = self.journal.identity.currency
        least = 0 if isinstance(fact, MAY_SAY_ZERO) else 1
        for amount in _amounts_in(fact):
            if amount.currency != own:
                return "foreign_currency"
            if amount.minor < least:
                return "impossible_amount"
        return ""

    def _name(self, _: int) -> str:
        return self._entropy(12).hex()  # 96 random bits; letters and digits, as every provider allows


def _without_amount(fact: Fact) -> Fact | None:
    """What is left of a fact whose amount is nonsense: cash that is there is there, whatever it is worth."""
    match fact:
        case NoteEscrowed() | NoteStacked() | NoteRetracted():
            return replace(fact, amount=None)
        case CoinInserted():
            return CoinsLost(fact.device, fact.position)
        case _:
            return None


def _amounts_in(value: object) -> Iterator[Money]:
    if isinstance(value, Money):
        yield value
    elif isinstance(value, tuple):
        for part in cast("tuple[object, ...]", value):
            yield from _amounts_in(part)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _amounts_in(getattr(value, name))
