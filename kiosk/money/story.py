"""The rows that tell of one sale, read back in plain words; the sentences stand in the texts by the fact's type."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import cast

import apsw
import msgspec
from msgspec import Raw, Struct

from kiosk.amount import Money, format_amount
from kiosk.money.accounts import class_of
from kiosk.money.codes import normal
from kiosk.money.database import JournalError, read_identity
from kiosk.money.entry import DECODER, Entry
from kiosk.money.ledger import Transfer
from kiosk.money.personal import known, printable, shown
from kiosk.money.replay import MOVING
from kiosk.money.sale_summary import ThingRead, delivered, paid, summary
from kiosk.texts import sentences, text

ROWS = "SELECT body FROM entry JOIN story USING (seq) WHERE sale = ? ORDER BY seq"
SALES = """
    SELECT number FROM thing WHERE kind = 'sale' AND (number = :number OR key = :what)
    UNION SELECT data ->> '$.sale' FROM thing WHERE kind = 'claim' AND data ->> '$.tail' = :tail
"""
OPENED = """
    SELECT body ->> '$.at', number FROM thing JOIN entry ON entry.seq = (SELECT min(seq) FROM story WHERE sale = number)
    WHERE kind = 'sale' AND day = ? ORDER BY entry.seq
"""
RESTS_ON = ("owed", "unclaimed", "suspense")  # the accounts of things on which money comes to rest
REFUSED = "owed/refused"  # how a claim counts that it was brought to a sale and could not pay
CODE_BROUGHT = {  # by whether it was refused, and whether to this sale
    (False, True): "story.fact.ClaimChosen",
    (True, True): "story.claim.refused",
    (False, False): "story.claim.paying_elsewhere",
    (True, False): "story.claim.refused_elsewhere",
}
DIGITS_MAX = 18  # what a number in the database can have


class Line(Struct, frozen=True):
    """What one row says."""

    at: datetime
    text: str


class Story(Struct, frozen=True):
    """Everything that the journal tells of one sale."""

    title: str
    personal: tuple[str, ...]
    lines: tuple[Line, ...]
    summary: tuple[str, ...]


class Listed(Struct, frozen=True):
    """One sale in a list."""

    number: int
    at: datetime
    key: str
    state: str
    paid: Money
    delivered: Money
    card: str


def find(connection: apsw.Connection, what: str) -> list[int]:
    """The sales that answer to a number, a name, or the last group of the code of one of their claims."""
    number = int(what) if what.isascii() and what.isdecimal() and len(what) <= DIGITS_MAX else 0
    rows = connection.execute(SALES, {"number": number, "what": what, "tail": normal(what)})
    return [sale for (sale,) in rows if sale]


def of_day(connection: apsw.Connection, day: str, zone: tzinfo | None, language: str = "en") -> Iterator[Listed]:
    """The sales that were opened on a business day, in the order in which they were."""
    currency = read_identity(connection).currency
    for at_ms, sale in cast("list[tuple[int, int]]", connection.execute(OPENED, (day,)).fetchall()):
        entries, things = _rows_of(connection, sale)
        own = things[sale]
        moved = [transfer for entry in entries for transfer in entry.transfers]
        its = [thing for thing in things.values() if thing.sale == sale]
        shown_card = (
            line.partition(": ")[2] for line in _personal(connection, sale, entries, unmasked=False, language=language)
        )
        yield Listed(
            sale,
            datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone),
            printable(own.key),
            own.state,
            Money(sum(paid(sale, moved, "claim").values()), currency),
            delivered(its, currency),
            ", ".join(shown_card),
        )


def candidate(connection: apsw.Connection, sale: int, zone: tzinfo | None, language: str = "en") -> str:
    """One line by which a person can tell this sale from another."""
    told = tell(connection, sale, zone, language=language)
    return f"{told.lines[0].at:%Y-%m-%d %H:%M}  {told.title}"


def tell(
    connection: apsw.Connection, sale: int, zone: tzinfo | None, *, unmasked: bool = False, language: str = "en"
) -> Story:
    """Tell the whole story of a sale, in the time of that zone, or without one of this computer."""
    currency = read_identity(connection).currency
    entries, things = _rows_of(connection, sale)
    own = things[sale]
    its = [thing for thing in things.values() if thing.sale == sale]
    accounts = {f"{name}#{thing.number}" for thing in its for name in RESTS_ON}
    teller = _Teller(zone, currency, language, sale, accounts)
    return Story(
        text("story.summary.title", language, number=sale, key=printable(own.key), state=own.state),
        tuple(_personal(connection, sale, entries, unmasked=unmasked, language=language)),
        tuple(teller.line(entry) for entry in entries),
        tuple(summary(sale, its, [t for entry in entries for t in entry.transfers], currency, language)),
    )


def _rows_of(connection: apsw.Connection, sale: int) -> tuple[list[Entry], dict[int, ThingRead]]:
    """The rows that tell of a sale, and how they leave the things that they change."""
    entries = [DECODER.decode(body) for (body,) in connection.execute(ROWS, (sale,))]
    things: dict[int, ThingRead] = {}
    for entry in entries:
        for change in entry.changes:
            things[change.number] = msgspec.json.decode(change.data, type=ThingRead)
    if sale not in things:
        msg = f"no row tells of sale {sale}"
        raise JournalError(msg, "run `kiosk journal verify`")
    return entries, things


def _personal(
    connection: apsw.Connection, sale: int, entries: Iterable[Entry], *, unmasked: bool, language: str
) -> Iterator[str]:
    """What is known of the customer, the latest under each label; or since when nothing is."""
    latest = {kept.label: entry.seq for entry in entries for kept in entry.personal if kept.sale == sale}
    erased = {entry.day for entry in entries if _fact(entry.fact)["type"] == "PersonalErased"}
    for label, seq in latest.items():
        value = known(connection, sale, label, seq)
        if value is not None:
            words = shown(value, unmasked=unmasked, language=language)
        elif erased:
            words = text("personal.erased", language, day=max(erased))
        else:
            words = text("personal.gone", language)
        yield text("story.summary.personal", language, label=printable(label), value=words)


class _Teller:
    """Turns rows into sentences of one language, in one place's time."""

    def __init__(self, zone: tzinfo | None, currency: str, language: str, sale: int, own: set[str]) -> None:
        self._sale = sale
        self._own = own  # accounts of this sale's claims and suspense: a row may tell of several sales
        self._zone = zone
        self._currency = currency
        self._language = language

    def line(self, entry: Entry) -> Line:
        """The fact, where money came to rest, and what is to be done."""
        parts = [self._told(entry), *self._money(entry.transfers)]
        parts += [self._sentence("story.command", command) for command in entry.commands]
        if entry.doubtful_clock:
            parts.append(text("story.doubtful_clock", self._language))
        at = datetime.fromtimestamp(entry.at // 1000, UTC).astimezone(self._zone)
        return Line(at, "; ".join(parts) + ".")

    def _told(self, entry: Entry) -> str:
        """The fact; that of a claim code says neither what came of it, nor whose code it was."""
        fields = _fact(entry.fact)
        if fields["type"] != "ClaimChosen":
            return self._sentence("story.fact", entry.fact)
        refused = any(tally.line == REFUSED for tally in entry.tallies)
        own = fields["sale"] == self._sale
        return text(CODE_BROUGHT[refused, own], self._language, **fields)

    def _sentence(self, group: str, message: Raw) -> str:
        fields = _fact(message)
        values = {name: self._word(value) for name, value in fields.items()}
        return text(f"{group}.{fields['type']}", self._language, **values)

    def _money(self, transfers: Iterable[Transfer]) -> Iterator[str]:
        sums: dict[str, int] = {}
        for transfer in transfers:
            debit, credit = _name(transfer.debit), _name(transfer.credit)
            key = f"story.money.{debit if debit == 'loss' else credit}"
            its = debit == "loss" or not self._own.isdisjoint((transfer.debit, transfer.credit))
            moved_within = credit == "owed" and debit in {"owed", "unclaimed"}
            if transfer.kind in MOVING and key in sentences(self._language) and its and not moved_within:
                sums[key] = sums.get(key, 0) + transfer.amount
        for key, minor in sums.items():
            yield text(key, self._language, amount=format_amount(Money(minor, self._currency), self._language))

    def _word(self, value: object) -> object:
        match value:
            case None:
                return text("story.unknown", self._language)
            case bool():
                return _Either(value)
            case [int(minor), str(currency)]:
                return format_amount(Money(minor, currency), self._language)
            case list():
                return ", ".join(str(self._word(part)) for part in cast("list[object]", value))
            case _:
                return printable(str(value))


class _Either:
    """A yes or no, written as `{found:is there|is not there}`."""

    def __init__(self, value: bool) -> None:  # noqa: FBT001 - the value itself
        self._value = value

    def __format__(self, words: str) -> str:
        yes, _, no = words.partition("|")
        return yes if self._value else no


def _fact(message: Raw) -> dict[str, object]:
    """The fields of a fact or a command; the terms of a sale are among its own."""
    fields = msgspec.json.decode(message, type=dict[str, object])
    terms = fields.pop("terms", None)
    return {**cast("dict[str, object]", terms), **fields} if isinstance(terms, dict) else fields


def _name(account: str) -> str:
    return class_of(account).partition(":")[0]
