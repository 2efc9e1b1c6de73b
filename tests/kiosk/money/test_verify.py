"""What is whole is believed, and the first row that is not is named; the terminal may go on writing meanwhile."""

import re
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest
from msgspec import Raw
from msgspec.structs import asdict, replace

from kiosk.money import replay
from kiosk.money.database import FILE_NAME, JournalError, connect
from kiosk.money.entry import ENCODER, GENESIS, chain
from kiosk.money.folder import open_for_reading
from kiosk.money.heads import Found, sign
from kiosk.money.journal import Journal
from kiosk.money.ledger import Transfer
from kiosk.money.secret import MachineKey
from kiosk.money.step import JournalBegun, PersonalErased, Step
from kiosk.money.verify import FAULTS_MAX, NO_HEAD, Report, verify
from tests.kiosk.money.lived import KEY, Lived
from tests.kiosk.money.memory import AT_MS, IDENTITY, calendar
from tests.tamper import Attacker, opened

ATTACKS = 2_000  # `python -m tests.tamper` runs five times as many
PUBLIC = KEY.public_key()
DAY = calendar().day_of(AT_MS)
BEGUN = ENCODER.encode(JournalBegun(**asdict(IDENTITY)))


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived()


def attacked(lived: Lived, sql: str, *, until: int = 0) -> Report:
    """Verify a copy in which somebody has done this."""
    database = opened(lived.copies[until or lived.journal.seq])
    database.execute(sql)
    return verify(database, lived.head(), public_key=PUBLIC)


def problems(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


def test_a_whole_journal_is_believed(lived: Lived) -> None:
    report = verify(lived.connection, lived.head(), public_key=PUBLIC, clock=iter([10.0, 12.0]).__next__)
    assert report.problems == ()
    assert report.rows == lived.journal.seq
    assert (report.seconds, report.rate) == (2.0, report.rows // 2)
    assert report.head.signature == "right"
    assert report.head.rows_beyond == 0
    assert report.identity == lived.journal.identity
    assert [(adoption.by, adoption.reason) for adoption in report.adoptions] == [("Ann", "a new disk")]


def test_it_is_believed_after_every_single_row(lived: Lived) -> None:
    for seq, copy in lived.copies.items():
        report = verify(opened(copy), Found())
        assert (report.rows, problems(report)) == (seq, [])


@pytest.mark.parametrize("slice_rows", [1, 2, 3, 7])
def test_slices_do_not_matter(lived: Lived, slice_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "SLICE_ROWS", slice_rows)
    assert problems(verify(lived.connection, lived.head())) == []


@pytest.fixture(scope="module")
def named(lived: Lived) -> dict[str, object]:
    """What stands where in it: the sale that a card paid, its rows, the first transfer's row, the adoption's."""
    run, card = lived.connection.execute, lived.number("card")
    return {
        "card": card,
        "opened": run("SELECT min(seq) FROM story WHERE sale = ?", (card,)).get,
        "done": run("SELECT seq FROM thing WHERE number = ?", (card,)).get,
        "first": run("SELECT seq FROM transfer WHERE number = 1").get,
        "adopted": run("SELECT seq FROM identity").get,
        "later": run("SELECT seq FROM personal WHERE sale > ? ORDER BY number", (card,)).get,
        "promise": run("SELECT number FROM promise").get,
        "coins": run("SELECT posted FROM balance WHERE account = 'cashbox:coin#1'").get,
        "day": run("SELECT day FROM entry WHERE seq = 1").get,
    }


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE entry SET body = x'7b7d' WHERE seq = 17", "row 17: its hash does not follow from its bytes and the"),
        ("DELETE FROM entry WHERE seq = 17", "row 17: it is missing; row 18 comes next"),
        ("DELETE FROM entry", "row 1: it is missing"),
        ("UPDATE entry SET day = '2030-01-01' WHERE seq = 17", "row 17: its bytes say row 17 of {day}, its columns"),
        ("UPDATE transfer SET amount = 1 WHERE number = 1", "row {first}: the ledger holds its transfer 1 otherwise"),
        ("DELETE FROM transfer WHERE number = 1", "row {first}: the ledger holds its transfer 1 otherwise, or not"),
        ("INSERT INTO transfer SELECT 999, seq, kind, debit, credit, amount, of, cause FROM transfer WHERE number = 1",
         "row {first}: the ledger holds a transfer 999 that no row knows of"),
        ("UPDATE thing SET data = replace(data, 'done', 'paid') WHERE number = {card}",
         "row {done}: thing {card} stands otherwise than this row left it"),
        ("DELETE FROM thing WHERE number = {card}", "row {done}: thing {card} is missing, which this row changed last"),
        ("UPDATE thing SET number = 7777 WHERE number = {card}", "row {done}: thing {card} is missing, which this row"),
        ("UPDATE thing SET number = 777777 WHERE number = {card}", "there is a thing 777777 that no row knows of"),
        ("DELETE FROM story WHERE sale = {card}", "the story of sale {card} does not name the rows that tell of it"),
        ("INSERT INTO story VALUES (-1, 3)", "row 3: the story of sale -1 names this row, which does not tell of it"),
        ("UPDATE balance SET posted = 1 WHERE account = 'cashbox:coin#1'",
         "cashbox:coin#1 holds 1, 0 of it promised, and the rows say {coins}, 0 of it promised"),
        ("DELETE FROM balance WHERE account = 'cashbox:coin#1'", "cashbox:coin#1 has no balance, and the rows say"),
        ("DELETE FROM promise", "the open promises and the rows disagree about number {promise}"),
        ("UPDATE tally SET count = 9 WHERE line = 'paid/rail:wechat'",
         "row {last}: the table tally has 9 of 4985 together for paid/rail:wechat on {day}, and the rows say 1"),
        ("DELETE FROM closing WHERE line = 'balance/rail:wechat'",
         "row {last}: the table closing has nothing for balance/rail:wechat on {day}, and the rows say"),
        ("INSERT INTO movement VALUES ('{day}', 'a', 'b', 1, 1)",
         "row {last}: the table movement has 1 of 1 together for a to b on {day}, and the rows say nothing"),
        ("INSERT INTO tally VALUES ('2030-01-01', 'x', 1, 1)", "the books have 1 line for days that never were"),
        ("UPDATE business_day SET first_seq = 2 WHERE first_seq = 1", "row 1: the table of business days is wrong"),
        ("UPDATE identity SET mode = 'live'", "row {adopted}: the table of identity does not say what this row says"),
        ("DELETE FROM personal WHERE sale = {card}",
         "row {opened}: what was known of sale {card} is gone, and no row says that it was erased"),
        ("UPDATE personal SET value = x'7b7d' WHERE sale = {card}",
         "row {opened}: what is known of sale {card} as 'card' is not what the row committed to"),
        ("DELETE FROM salt WHERE sale = {card}", "row {opened}: what is known of sale {card} as 'card' is not what"),
        ("INSERT INTO personal VALUES (99, {card}, 5, 'x', x'00')", "row 5: personal data 99, of sale {card}, was"),
        ("INSERT INTO personal SELECT 99, sale, seq, label, value FROM personal WHERE sale = {card}",
         "row {opened}: personal data 99, of sale {card}, was never committed to"),
        ("UPDATE personal SET number = 99 WHERE sale = {card}",
         "row {opened}: personal data 99, of sale {card}, poses as newer than it is"),
        ("INSERT INTO salt VALUES (1, x'00')", "there is a salt for sale 1, of which nothing is known"),
        ("DROP TRIGGER entry_stays", "the trigger entry_stays of the database is missing"),
        ("DROP INDEX resolved_once", "the index resolved_once of the database is missing"),
        ("CREATE TABLE more (x)", "the table more of the database does not belong here"),
        ("DROP TRIGGER entry_stays; CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT 1; END",
         "the trigger entry_stays of the database was changed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_plain_words(lived: Lived, named: dict[str, object], sql: str, problem: str) -> None:
    last = lived.connection.execute("SELECT max(first_seq) - 1 FROM business_day").get
    found = problems(attacked(lived, sql.format_map(named)))
    assert found
    assert found[0].startswith(problem.format_map({**named, "last": last}))


def test_the_first_bad_row_is_named_whatever_is_wrong_with_it(lived: Lived, named: dict[str, object]) -> None:
    database = opened(lived.copies[lived.journal.seq])
    database.execute("UPDATE transfer SET amount = 1 WHERE number = 1")
    database.execute("UPDATE entry SET body = x'00' WHERE seq = ?", (lived.journal.seq,))
    found = verify(database, Found()).problems
    assert [problem.row for problem in found] == [named["first"]]


def chained(*bodies: bytes) -> list[str]:
    """What is said of a journal whose first row is followed by these, all of them chained as they should be."""
    connection = connect(None)
    head = Journal.create(connection, IDENTITY, calendar(), Random(1).randbytes, at_ms=AT_MS, durable=False).head
    database = opened(connection.serialize("main"))
    for seq, body in enumerate(bodies, 2):
        head = chain(head, body)
        day = re.search(rb'"day":"([^"]*)"', body)
        database.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", (seq, day[1].decode() if day else DAY, body, head))
    return problems(verify(database, Found()))


def row(seq: int, fact: bytes = b'{"type":"X"}', *, day: str = DAY, **parts: list[Any]) -> bytes:
    """The bytes of a row, with what can and what cannot be in one."""
    return ENCODER.encode({"seq": seq, "at": AT_MS, "day": day, "fact": Raw(fact), **parts})


@pytest.mark.parametrize(
    ("transfer", "problem"),
    [
        (Transfer(1, "direct", "payer#1", "fee", 5), "transfer 1 overdraws payer#1 by 5"),
        (Transfer(1, "post", "rail:x", "fee", 5, of=7), "transfer 1 resolves 7, which is no such open promise"),
        (Transfer(2, "direct", "rail:x", "fee", 5), "transfer 2 follows 0"),
        (Transfer(1, "direct", "rail:x", "fee", -5), "transfer 1 moves -5 from rail:x to fee"),
        (Transfer(1, "direct", "treasure", "fee", 5), "transfer 1 names an account that is in no chart"),
        (Transfer(1, "pending", "treasure", "fee", 5), "transfer 1 names an account that is in no chart"),
        (Transfer(1, "direct", "rail:x", "fee", 5), "the ledger holds its transfer 1 otherwise, or not at all"),
    ],
)
def test_transfers_that_cannot_be_true_are_told(transfer: Transfer, problem: str) -> None:
    assert chained(row(2), row(3, transfers=[transfer]))[0] == f"row 3: {problem}"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "its bytes cannot be read: Input data was truncated"),
        (b"\xff", "its bytes cannot be read: "),
        (b'{"seq":2}', "its bytes cannot be read: Object missing required field `day`"),
        (row(2, changes=[[-1, Raw(b"{}")]]), "its bytes cannot be read: Expected `int` >= 0"),
        (row(2, sales=[1 << 64]), "its bytes cannot be read: Expected `int` <= 9223372036854775807"),
        (
            row(2, transfers=[[1, "stolen", "a", "b", 1, 0, ""]]),
            "its bytes cannot be read: Invalid enum value 'stolen'",
        ),
        (row(3), f"its bytes say row 3 of {DAY}, its columns row 2 of {DAY}"),
        (row(2, sales=[1 << 40]), "it names a thing by the number 1099511627776"),
        (row(2, changes=[[1 << 40, Raw(b"{}")]]), "it names a thing by the number 1099511627776"),
        (row(2, day="2020-01-01"), f"the business day goes back from {DAY} to 2020-01-01"),
        (row(2, day="2030-01-01"), f"it is of 2030-01-01, and {DAY} was never closed"),
        (row(2, b'{"type":"DayClosed","day":"2020-01-01"}'), f"it closes 2020-01-01, and the day is {DAY}"),
        (row(2, b'{"type":"DayClosed"}'), "its bytes cannot be read: Object missing required field `day`"),
        (row(2, BEGUN), "a journal begins here, in the midst of one"),
        (row(2, BEGUN.replace(b"bench", b"live")), "it makes the journal one of live and CNY"),
    ],
)
def test_rows_that_cannot_be_true_are_told(body: bytes, problem: str) -> None:
    assert chained(body)[0].startswith(f"row 2: {problem}")


def test_a_closed_day_is_over() -> None:
    closed = row(2, b'{"type":"DayClosed","day":"%s"}' % DAY.encode())
    assert chained(closed)[0] == "row 3: it is missing: the row before it closed a day, and this one opened the next"
    assert chained(closed, row(3))[0] == f"row 3: it is of {DAY}, and {DAY} is closed"


def test_a_journal_says_first_whose_it_is(lived: Lived) -> None:
    database = opened(lived.copies[lived.journal.seq])
    body = row(1)
    database.execute("DELETE FROM entry")
    database.execute("INSERT INTO entry VALUES (1, ?, ?, ?)", (DAY, body, chain(GENESIS, body)))
    assert problems(verify(database, Found())) == ["row 1: it comes before any row that says whose journal this is"]


def test_an_index_that_hides_open_things_is_found_out(lived: Lived) -> None:
    """The table is whole, and the index by which a start finds its open things reads as it should: it lacks one."""
    database = opened(lived.copies[lived.journal.seq])
    right: str = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'thing_open'").get
    database.execute("DROP INDEX thing_open")
    database.execute(f"{right} AND number > 1")
    database.pragma("writable_schema", 1)
    database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'thing_open'", (right,))
    reopened = opened(database.serialize("main"))
    found = problems(verify(reopened, lived.head()))
    assert found == ["the database does not hold together: row 1 missing from index thing_open"]


# Heads ---------------------------------------------------------------------------------------------------------------


def test_rows_beyond_the_head_are_normal(lived: Lived) -> None:
    earlier = sign(lived.journal, KEY.signing_key(), AT_MS)
    seq = 10
    kept = lived.journal.hash_of(seq)
    assert kept is not None
    unsigned = replace(earlier, seq=seq, hash=kept.hex(), incarnation="incarnation")
    report = verify(lived.connection, Found(unsigned))
    assert report.problems == ()
    assert report.head.rows_beyond == lived.journal.seq - seq
    assert report.head.warnings == ("the signed head is of incarnation incarnation, the journal of second",)


def test_a_head_beyond_the_rows_is_truncation(lived: Lived) -> None:
    last = lived.journal.seq - 1
    report = verify(opened(lived.copies[last]), lived.head(), public_key=PUBLIC)
    said = f"the signed head vouches for row {last + 1}, and the journal ends with row {last}: 1 row is missing"
    assert problems(report) == [f"row {last + 1}: {said}"]
    assert report.head.signature == "right"


def test_without_a_key_authenticity_is_unchecked_and_with_another_it_is_wrong(lived: Lived) -> None:
    assert verify(lived.connection, lived.head()).head.signature == "unchecked"
    report = verify(lived.connection, lived.head(), public_key=MachineKey(bytes(32)).public_key())
    assert report.head.signature == "wrong"
    assert problems(report) == ["the signed head was not signed by the owner of this public key"]


def test_a_public_key_without_any_head_proves_nothing(lived: Lived) -> None:
    """Whoever names a key wants to know whose journal it is, and nothing says so."""
    report = verify(lived.connection, Found(), public_key=PUBLIC)
    assert problems(report) == [NO_HEAD]
    assert report.head.signature == "unchecked"
    assert verify(lived.connection, Found()).problems == ()
    elsewhere = verify(lived.connection, Found(), elsewhere=lived.head(), public_key=PUBLIC)
    assert (elsewhere.problems, elsewhere.head_elsewhere and elsewhere.head_elsewhere.signature) == ((), "right")


def test_a_head_from_elsewhere_shows_what_was_set_back_together(lived: Lived) -> None:
    last = lived.journal.seq - 3
    older = opened(lived.copies[last])
    hash_then: bytes = older.execute("SELECT hash FROM entry WHERE seq = ?", (last,)).get
    local = Found(replace(sign(lived.journal, KEY.signing_key(), AT_MS), seq=last, hash=hash_then.hex()))
    assert verify(older, local).problems == ()
    found = problems(verify(older, local, elsewhere=lived.head()))
    gone = f"vouches for row {last + 3}, and the journal ends with row {last}: 3 rows are missing"
    assert found == [f"row {last + 1}: the head kept elsewhere {gone}"]


def test_a_head_of_another_terminal_does_not_belong_here(lived: Lived) -> None:
    head = lived.head().head
    assert head is not None
    found = problems(verify(lived.connection, Found(replace(head, terminal="other"), ("head.json is torn",))))
    assert found == ["the signed head is of terminal other, the journal of test"]


# While the terminal writes -------------------------------------------------------------------------------------------


def test_nobody_waits_for_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "SLICE_ROWS", 4)
    lived = Lived(tmp_path / FILE_NAME)
    rows = lived.journal.seq
    seen: list[tuple[int, int]] = []

    def write_on(done: int, of: int) -> None:
        """Between any two slices the writer commits, and empties its whole log into the database."""
        seen.append((done, of))
        if len(seen) <= rows // 4:
            lived.journal.commit(Step(lived.now_ms, b'{"type":"X"}'))
            lived.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    with closing(open_for_reading(tmp_path)) as connection:
        report = verify(connection, lived.head(), progress=write_on)
    assert problems(report) == []
    assert report.rows > rows
    assert seen[0] == (4, rows)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (report.rows, report.rows)


def test_what_is_erased_meanwhile_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "SLICE_ROWS", 1)
    lived = Lived(tmp_path / FILE_NAME)

    def erase(done: int, _: int) -> None:
        if done == lived.journal.seq // 2:
            assert lived.journal.erase_personal(lived.now_ms, "9999-12-31")

    with closing(open_for_reading(tmp_path)) as connection:
        assert problems(verify(connection, lived.head(), progress=erase)) == []


def test_a_cut_off_erasure_is_no_tampering(lived: Lived) -> None:
    """The row that says so is durable first; what it was about is wiped after it."""
    database = lived.connection
    copy = apsw.Connection(":memory:")
    copy.deserialize("main", database.serialize("main"))
    journal = Journal.open(copy, calendar(), Random(1).randbytes, durable=False)
    journal.commit(Step(lived.now_ms, ENCODER.encode(PersonalErased([lived.number("card")]))))
    assert problems(verify(copy, lived.head())) == []


# Damage --------------------------------------------------------------------------------------------------------------


def test_a_damaged_file_never_ends_in_a_traceback(lived: Lived, tmp_path: Path) -> None:
    random, whole = Random(5), lived.copies[lived.journal.seq]
    used = [place for place in range(len(whole) - 64) if whole[place]]
    noticed = 0
    for _ in range(300):
        damaged = bytearray(whole)
        begin = random.choice(used)
        damaged[begin : begin + 64] = random.randbytes(64)
        (tmp_path / FILE_NAME).write_bytes(damaged)
        try:
            with closing(open_for_reading(tmp_path)) as connection:
                noticed += bool(verify(connection, lived.head()).problems)
        except JournalError:
            noticed += 1
    assert noticed > 200  # what remains is what older rows have left behind in the pages


def with_free_pages(lived: Lived) -> bytearray:
    """The whole database after something was made and dropped again, so that it has pages in which nothing stands."""
    database = opened(lived.copies[lived.journal.seq])
    database.execute("CREATE TABLE more (x); INSERT INTO more SELECT zeroblob(9000) FROM entry; DROP TABLE more")
    assert database.pragma("freelist_count") > 20
    return bytearray(database.serialize("main"))


PAGE = 4096
FREELIST = 32  # where the first page of a database says which page leads the free ones


def test_a_damaged_list_of_free_pages_is_found_out(lived: Lived) -> None:
    """A page that is taken for free and is not would be written over at some later commit."""
    whole = with_free_pages(lived)
    assert problems(verify(opened(bytes(whole)), lived.head())) == []
    leader = PAGE * (int.from_bytes(whole[FREELIST : FREELIST + 4], "big") - 1)
    whole[leader + 8 : leader + 12] = (3).to_bytes(4, "big")  # the first of the pages that it names
    found = problems(verify(opened(bytes(whole)), lived.head()))
    assert found[:1] == ["the database does not hold together: 2nd reference to page 3"]


def test_a_damaged_page_that_no_row_needs_is_found_out(lived: Lived) -> None:
    """The index by which the ledger refuses a second resolve: verification itself never reads it."""
    whole = bytearray(lived.copies[lived.journal.seq])
    sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'resolved_once'"
    page: int = lived.connection.execute(sql).get
    whole[PAGE * (page - 1) : PAGE * page] = bytes(PAGE)
    found = problems(verify(opened(bytes(whole)), lived.head()))
    assert found
    assert all(problem.startswith("the database does not hold together: ") for problem in found)
    assert f"Tree {page} page {page}" in found[0]


def test_no_more_faults_are_named_than_anybody_reads(lived: Lived) -> None:
    whole = with_free_pages(lived)
    leader = PAGE * (int.from_bytes(whole[FREELIST : FREELIST + 4], "big") - 1)
    for place in range(leader + 8, leader + 8 + 4 * 30, 4):
        whole[place : place + 4] = b"\xff\xff\xff\xff"
    assert len(verify(opened(bytes(whole)), lived.head()).problems) == FAULTS_MAX


# Tampering -----------------------------------------------------------------------------------------------------------


def test_whatever_is_done_to_a_journal_shows() -> None:
    attacker = Attacker(seed=2)
    for _ in range(ATTACKS):
        attack = attacker.attack()
        assert attack.problems, f"{attack.way}: {attack.what}"


def test_what_nobody_touched_is_believed_in_the_attacker_s_hands_too() -> None:
    attacker = Attacker(seed=2)
    assert problems(verify(opened(attacker.copies[attacker.rows]), Found())) == []
    for forgery in attacker.forgery:
        assert problems(verify(opened(forgery), Found())) == []
