"""A sale is told in plain words: every fact and every command has its sentence, and no sentence is for nothing."""

import pkgutil
import re
import string
from collections.abc import Iterator
from importlib import import_module
from random import Random
from zoneinfo import ZoneInfo

import apsw
import pytest
from msgspec import Struct, json

import kiosk.ports
from kiosk import texts
from kiosk.flow import facts
from kiosk.flow import told as told_facts
from kiosk.flow.core import Core
from kiosk.flow.facts import CancelAsked, CashChosen, ClaimChosen, PayoutBegun, PayoutDone, PayoutFailed, SaleOpened
from kiosk.flow.terms import Terms
from kiosk.money import accounts, export
from kiosk.money.codes import CodeBook
from kiosk.money.database import JournalError
from kiosk.money.entry import GENESIS, chain
from kiosk.money.export import lines
from kiosk.money.journal import Journal
from kiosk.money.personal import shown
from kiosk.money.sale_summary import DELIVERED, REFUNDED
from kiosk.money.step import DayClosed, JournalAdopted, JournalBegun, PersonalErased, PersonalShown, Step
from kiosk.money.story import Story, candidate, find, tell
from kiosk.ports.acceptor import DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteStacked, NoteUnaccounted
from kiosk.ports.message import Command, Fact
from tests.kiosk.money.lived import NUMBER, TERMS, Lived, yuan
from tests.kiosk.money.memory import AT_MS, journal_in_memory
from tests.tamper import opened

ZONE = ZoneInfo("Asia/Shanghai")
OWN = (JournalBegun, JournalAdopted, DayClosed, PersonalErased, PersonalShown)
PORTS = [import_module(f"{kiosk.ports.__name__}.{found.name}") for found in pkgutil.iter_modules(kiosk.ports.__path__)]


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived()


def kinds(base: type[Struct]) -> Iterator[type[Struct]]:
    """Every fact or command that can be sent, whoever declares it: those that no other is made of."""
    modules = {module.__name__ for module in (*PORTS, facts, told_facts)}
    for kind in base.__subclasses__():
        if kind.__subclasses__():
            yield from kinds(kind)
        elif kind.__module__ in modules:
            yield kind


FACTS = {kind.__name__: kind for kind in (*kinds(Fact), *OWN)}
COMMANDS = {kind.__name__: kind for kind in kinds(Command)}


def keys(prefix: str) -> set[str]:
    return {key.removeprefix(prefix) for key in texts.sentences("en") if key.startswith(prefix)}


def blanks(sentence: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


# Texts ---------------------------------------------------------------------------------------------------------------


def test_every_fact_and_every_command_has_its_sentence_and_no_other_has_one() -> None:
    assert keys("story.fact.") == set(FACTS)
    assert keys("story.command.") == set(COMMANDS)
    assert {"NoteStacked", "SaleOpened", "JournalBegun"} <= set(FACTS)
    assert {"StackNote", "SendTopUp"} <= set(COMMANDS)


@pytest.mark.parametrize(("group", "kind"), [*(("fact", k) for k in FACTS), *(("command", k) for k in COMMANDS)])
def test_a_sentence_asks_for_nothing_that_its_fact_does_not_say(group: str, kind: str) -> None:
    sentence = texts.sentences("en")[f"story.{group}.{kind}"]
    fields = set({"fact": FACTS, "command": COMMANDS}[group][kind].__struct_fields__)
    if "terms" in fields:
        fields |= set(Terms.__struct_fields__)
    assert blanks(sentence) <= fields
    assert not sentence.endswith(".")


def test_money_comes_to_rest_on_accounts_of_the_chart() -> None:
    assert keys("story.money.") <= set(accounts.CHART)
    assert all(blanks(texts.sentences("en")[f"story.money.{key}"]) == {"amount"} for key in keys("story.money."))


def test_no_sentence_of_the_summary_is_for_nothing() -> None:
    said = {*DELIVERED.values(), *REFUNDED.values()}
    by_hand = {
        "title",
        "personal",
        "paid",
        "nothing_paid",
        "by_claim",
        "under_way",
        "owed",
        "spent",
        "paid_out",
        "in_doubt",
    }
    assert keys("story.summary.") == said | by_hand
    assert keys("story.claim.") == {"refused", "paying_elsewhere", "refused_elsewhere"}
    assert keys("personal.") == {"kept", "gone", "erased"}


def test_what_is_missing_is_named() -> None:
    with pytest.raises(texts.MissingTextError, match=r"en: story.fact.Nothing: story.fact.Nothing is missing"):
        texts.text("story.fact.Nothing")
    with pytest.raises(texts.MissingTextError, match=r"en: story.fact.DayClosed: day is missing"):
        texts.text("story.fact.DayClosed")
    with pytest.raises(texts.MissingTextError, match="there are no texts in 'xx'"):
        texts.text("story.unknown", "xx")


# Telling -------------------------------------------------------------------------------------------------------------


def told(lived: Lived, name: str, *, unmasked: bool = False) -> Story:
    return tell(lived.connection, lived.number(name), ZONE, unmasked=unmasked)


def said(story: Story) -> str:
    """All of it, each random name as ID."""
    lines = (f"{line.at:%H:%M:%S}  {line.text}" for line in story.lines)
    return re.sub(r"\b[0-9a-f]{24}\b", "ID", "\n".join([story.title, *story.personal, *lines, *story.summary]))


CASH = """\
Sale {number} (cash), done
card: erased on {day}
19:09:40  A sale of CN¥50.00 is opened at CN¥49.85 (CN¥49.00 in cash).
19:10:40  The customer chooses cash (bill, coin); bill is to take cash; coin is to take cash.
19:11:40  A note of CN¥20.00 lies in bill's escrow (note 1); the intent to stack it is recorded.
19:12:40  Note 1 is in bill's box for good.
19:13:40  A note of CN¥10.00 lies in bill's escrow (note 2); the intent to stack it is recorded.
19:14:40  Note 2 of bill is in the customer's hand.
19:15:40  A coin of CN¥1.00 falls into coin's box.
19:16:40  A note of CN¥50.00 lies in bill's escrow (note 3); the intent to stack it is recorded.
19:17:40  Note 3 is in bill's box for good; CN¥22.00 is owed now; bill is to take nothing more; coin is to take \
nothing more; cmcc is to credit CN¥50.00 under our id ID.
19:18:40  The carrier says nothing that can be believed; cmcc is asked how top-up ID stands; a slip is to be printed \
(pending).
19:19:40  The carrier has credited CN¥49.00 to the card; CN¥1.00 is owed now; an alarm is raised (shortfall).
19:38:40  A code of this sale pays on sale {buyer}.
19:41:40  Note 4 is in bill's box for good; bill is to take nothing more; cmcc is to credit CN¥50.00 under our id ID.
19:44:40  What was known of the customer is erased.
Paid CN¥71.00: bill CN¥70.00, coin CN¥1.00
Owed CN¥23.00 under the code ending in {tail} (open)
Delivered CN¥49.00 by cmcc"""


def test_a_cash_sale_is_told_word_by_word(lived: Lived) -> None:
    number = lived.number("cash")
    tail, day = lived.connection.execute(
        "SELECT (SELECT data ->> '$.tail' FROM thing WHERE number = :claim), (SELECT max(day) FROM business_day)",
        {"claim": lived.connection.execute("SELECT data ->> '$.claim' FROM thing WHERE number = ?", (number,)).get},
    ).get
    assert said(told(lived, "cash")) == CASH.format(number=number, tail=tail, day=day, buyer=lived.number("claim"))
    assert told(lived, "claim").lines[1].text == "The customer pays with a claim code."


def test_times_are_those_of_the_place(lived: Lived) -> None:
    there = told(lived, "cash").lines[0].at
    elsewhere = tell(lived.connection, lived.number("cash"), ZoneInfo("America/New_York")).lines[0].at
    assert there == elsewhere
    assert (there.hour, elsewhere.hour) == (19, 6)


@pytest.mark.parametrize(
    ("sale", "summary"),
    [
        ("phone", ["Paid CN¥49.85: wechat CN¥49.85", "Refunded CN¥49.85 by rail:wechat"]),
        ("card", ["Paid CN¥49.85: front CN¥49.85", "Delivered CN¥50.00 by cmcc"]),
        ("midst", ["Nothing was paid"]),
    ],
)
def test_what_became_of_the_money_is_summed_up(lived: Lived, sale: str, summary: list[str]) -> None:
    assert list(told(lived, sale).summary) == summary


def test_what_is_not_ended_is_summed_up_too(lived: Lived) -> None:
    """At the end of the first day the carrier had not answered yet."""
    last = lived.connection.execute("SELECT max(first_seq) - 2 FROM business_day").get
    story = tell(opened(lived.copies[last]), lived.number("card"), ZONE)
    assert list(story.summary) == ["Paid CN¥49.85: front CN¥49.85", "A top-up of CN¥50.00 by cmcc is not ended"]


def test_claims_and_doubts_are_summed_up() -> None:
    journal = journal_in_memory()
    core = Core(journal, CodeBook(bytes(32), "incarnation"), Random(1).randbytes)
    core.handle(DeviceReady("bill", "B1"), AT_MS)

    def open_sale(name: str) -> int:
        core.handle(SaleOpened(name, TERMS), AT_MS)
        sale = core.find("sale", name)
        assert sale is not None
        core.handle(CashChosen(sale.number, ("bill",)), AT_MS)
        return sale.number

    sale = open_sale("left")
    core.handle(NoteEscrowed("bill", 1, yuan(50)), AT_MS)
    core.handle(NoteUnaccounted("bill", 1, "jam"), AT_MS)
    core.handle(NoteEscrowed("bill", 2, yuan(20)), AT_MS)
    core.handle(NoteStacked("bill", 2), AT_MS)
    core.handle(CancelAsked(sale), AT_MS)
    database = database_of(journal)
    tail = next(
        tail
        for (tail,) in database.execute("SELECT data ->> '$.tail' FROM thing WHERE data ->> '$.balance' IS NOT NULL")
    )
    assert list(tell(database, sale, ZONE).summary) == [
        "Paid CN¥20.00: bill CN¥20.00",
        f"Owed CN¥20.00 under the code ending in {tail} (open)",
        "In doubt CN¥50.00 (jam)",
    ]
    claim = journal.in_states("claim", ["open"])[0]
    core.handle(PayoutBegun(claim, "desk", "Ann"), AT_MS)
    core.handle(PayoutDone(claim, "Ann"), AT_MS)
    story = tell(database, sale, ZONE)
    assert list(story.summary) == [
        "Paid CN¥20.00: bill CN¥20.00",
        "In doubt CN¥50.00 (jam)",
        "Paid out CN¥20.00 at the desk",
    ]
    assert [line.text for line in story.lines[-2:]] == [
        "Ann begins to pay the claim out at desk.",
        "Ann has paid the claim out; CN¥20.00 is paid out.",
    ]


def test_a_claim_code_that_cannot_pay_is_not_said_to_pay() -> None:
    """Its claim is being paid out, and belongs to another sale; then somebody types what is no code at all."""
    journal = journal_in_memory()
    core = Core(journal, CodeBook(bytes(32), "incarnation"), Random(1).randbytes)
    core.handle(DeviceReady("bill", "B1"), AT_MS)

    def open_sale(name: str) -> int:
        core.handle(SaleOpened(name, TERMS), AT_MS)
        sale = core.find("sale", name)
        assert sale is not None
        return sale.number

    first = open_sale("first")
    core.handle(CashChosen(first, ("bill",)), AT_MS)
    core.handle(NoteEscrowed("bill", 1, yuan(20)), AT_MS)
    core.handle(NoteStacked("bill", 1), AT_MS)
    core.handle(CancelAsked(first), AT_MS)
    claim = core.thing(journal.in_states("claim", ["open"])[0])
    assert claim is not None
    core.handle(PayoutBegun(claim.number, "desk", "Ann"), AT_MS)
    second = open_sale("second")
    for code in (claim.key, "nobody's"):
        core.handle(ClaimChosen(second, code), AT_MS)
    core.handle(PayoutFailed(claim.number, "Ann"), AT_MS)
    core.handle(ClaimChosen(second, claim.key), AT_MS)
    database = database_of(journal)
    assert [line.text for line in tell(database, second, ZONE).lines[1:]] == [
        *["The customer brings a claim code, and it is refused."] * 2,
        "The customer pays with a claim code.",
    ]
    assert [line.text for line in tell(database, first, ZONE).lines if "code" in line.text] == [
        f"A code of this sale was tried on sale {second} and refused.",
        f"A code of this sale pays on sale {second}.",
    ]


def test_yes_and_no_have_words_and_a_doubtful_clock_is_told() -> None:
    journal = journal_in_memory()
    fact = b'{"type":"DoubtSettled","number":1,"found":%s,"by":"Ann"}'
    things = [(1, b'{"kind":"sale","number":1,"key":"s","state":"paying","sale":1}')]
    for found, trusted in ((b"true", True), (b"false", False)):
        journal.commit(Step(AT_MS, fact % found, changes=things, sales=[1], clock_trusted=trusted))
    assert [line.text for line in tell(database_of(journal), 1, ZONE).lines] == [
        "Ann settles the doubt: the note is there.",
        "Ann settles the doubt: the note is not there; nobody vouched for the clock.",
    ]


def test_what_came_from_outside_moves_no_cursor() -> None:
    journal = journal_in_memory()
    fact = b'{"type":"TopUpDeclined","delivery":"d","reason":"no\\u001b[2Jno"}'
    things = [(1, b'{"kind":"sale","number":1,"key":"\\u001b[2J","state":"paying","sale":1}')]
    journal.commit(Step(AT_MS, fact, changes=things, sales=[1]))
    story = tell(database_of(journal), 1, ZONE)
    assert story.title == "Sale 1 (\\x1b[2J), paying"
    assert story.lines[0].text == "The carrier declines for good (no\\x1b[2Jno)."


def test_a_sale_of_which_no_row_tells_is_a_mistake(lived: Lived) -> None:
    with pytest.raises(JournalError, match="no row tells of sale 9999"):
        tell(lived.connection, 9999, ZONE)


# Masking -------------------------------------------------------------------------------------------------------------


def test_numbers_are_masked_unless_somebody_asked(lived: Lived) -> None:
    assert told(lived, "card").personal == ("card: 138 **** 5678",)
    assert told(lived, "card", unmasked=True).personal == (f'card: {{"number":"{NUMBER}"}}',)
    assert NUMBER not in said(told(lived, "card"))


def test_what_is_gone_without_having_been_erased_is_told(lived: Lived) -> None:
    database = opened(lived.copies[lived.journal.seq])
    database.execute("DELETE FROM personal")
    assert tell(database, lived.number("card"), ZONE).personal == ("card: gone",)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (b'{"number":"13812345678","name":"Wang"}', "138 **** 5678"),
        (b'{"iccid":"8986012345678901234"}', "8986 **** 1234"),
        (b'{"name":"Wang"}', "kept, not shown"),
        (b'{"number":13812345678}', "kept, not shown"),
        (b"not JSON", "kept, not shown"),
        (b"\xff", "kept, not shown"),
        (b"[1]", "kept, not shown"),
    ],
)
def test_only_numbers_are_shown_masked(value: bytes, masked: str) -> None:
    assert shown(value, unmasked=False) == masked


def test_unmasked_is_everything(lived: Lived) -> None:
    assert shown(b"a\xff\n", unmasked=True) == "a\\xff\\n"
    del lived


# Finding -------------------------------------------------------------------------------------------------------------


def test_a_sale_answers_to_its_number_its_name_and_its_code(lived: Lived) -> None:
    number = lived.number("card")
    tail = lived.connection.execute(
        "SELECT data ->> '$.tail' FROM thing WHERE kind = 'claim' AND data ->> '$.sale' = ?", (number,)
    ).get
    assert find(lived.connection, str(number)) == [number]
    assert find(lived.connection, "card") == [number]
    assert find(lived.connection, tail) == [number]
    assert find(lived.connection, tail.lower().replace("1", "l").replace("0", "o")) == [number]
    for nothing in ("", "0", "-1", "9" * 30, "²", "nobody", "bill", "' OR 1 --", "1.0"):
        assert find(lived.connection, nothing) == []


def test_two_sales_of_one_name_are_both_found(lived: Lived) -> None:
    """A group of four may come twice in ten years."""
    database = opened(lived.copies[lived.journal.seq])
    database.execute("UPDATE thing SET data = json_set(data, '$.tail', 'ABCD') WHERE kind = 'claim'")
    sales = find(database, "abcd")
    assert lived.number("card") in sales
    assert len(sales) > 1
    assert (
        candidate(database, lived.number("card"), ZONE) == f"2026-11-18 19:33  Sale {lived.number('card')} (card), done"
    )


# Export --------------------------------------------------------------------------------------------------------------


def test_every_row_is_exported_with_its_exact_bytes(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SLICE_ROWS", 7)
    head = GENESIS
    exported = list(lines(lived.connection))
    for line in exported:
        row = json.decode(line, type=export.ExportLine)
        head = chain(head, bytes(row.row))
        assert head.hex() == row.hash
    assert len(exported) == lived.journal.seq
    assert head == lived.journal.head
    assert NUMBER.encode() not in b"".join(exported)


def test_what_is_known_is_exported_masked_or_not(lived: Lived) -> None:
    def values(*, unmasked: bool) -> list[str]:
        rows = (json.decode(line, type=export.ExportLine) for line in lines(lived.connection, unmasked=unmasked))
        return [known.value for row in rows for known in row.personal]

    gone = ["gone", "gone"]
    assert values(unmasked=False) == [*gone, *["138 **** 5678"] * 3]
    assert values(unmasked=True) == [*gone, *[f'{{"number":"{NUMBER}"}}'] * 3]


def test_rows_that_come_meanwhile_are_not_waited_for() -> None:
    journal = journal_in_memory()
    exported = lines(database_of(journal))
    first = next(exported)
    journal.commit(Step(AT_MS, b'{"type":"X"}'))
    assert first.startswith(b'{"hash":"')
    assert list(exported) == []


def database_of(journal: Journal) -> apsw.Connection:
    return journal._db  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - what others would open for reading
