"""What is whole is believed, and the first row that is not is named; the terminal may go on writing meanwhile."""

from pathlib import Path
from random import Random

import apsw
import pytest
from msgspec.structs import replace

from kiosk.money import replay
from kiosk.money.entry import ENCODER
from kiosk.money.folder import open_for_reading
from kiosk.money.heads import Found, sign
from kiosk.money.journal import FILE_NAME, JournalError, PersonalErased, Step
from kiosk.money.ledger import Transfer
from kiosk.money.secret import MachineKey
from kiosk.money.verify import Report, verify
from tests.kiosk.money.lived import KEY, Lived
from tests.kiosk.money.memory import AT_MS, journal_in_memory
from tests.tamper import Attacker, opened

ATTACKS = 2_000  # `python -m tests.tamper` runs five times as many
PUBLIC = KEY.public_key()


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


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE entry SET body = body || ' ' WHERE seq = 17", "row 17: its hash does not follow from its bytes"),
        ("DELETE FROM entry WHERE seq = 17", "row 17: it is missing; row 18 comes next"),
        ("UPDATE entry SET day = '2026-11-19' WHERE seq = 17", "row 17: its bytes say row 17 of 2026-11-18"),
        ("UPDATE transfer SET amount = 1 WHERE number = 1", "row 6: the ledger holds its transfer 1 otherwise"),
        ("DELETE FROM transfer WHERE number = 1", "row 6: the ledger holds its transfer 1 otherwise"),
        ("UPDATE thing SET data = replace(data, 'done', 'paid') WHERE number = 16", "row 33: thing 16 stands other"),
        ("DELETE FROM thing WHERE number = 16", "row 33: thing 16 is missing"),
        ("DELETE FROM story WHERE sale = 16 AND seq = 30", "the story of sale 16 does not name the rows"),
        ("UPDATE balance SET posted = posted - 1 WHERE account = 'cashbox:coin#1'", "cashbox:coin#1 holds -601,"),
        ("DELETE FROM balance WHERE account = 'cashbox:coin#1'", "cashbox:coin#1 has no balance, and the rows say -600"),
        ("DELETE FROM promise", "the open promises and the rows disagree about number"),
        ("UPDATE tally SET count = 2 WHERE line = 'paid/wechat'", ""),
        ("UPDATE business_day SET first_seq = 2 WHERE first_seq = 1", "row 1: the table of business days is wrong"),
        ("UPDATE identity SET mode = 'live'", "row 41: the table of identity does not say what this row says"),
        ("DELETE FROM personal WHERE sale = 16", "row 30: what was known of sale 16 is gone, and no row says that"),
        ("UPDATE personal SET value = x'7b7d' WHERE sale = 16", "row 30: what is known of sale 16 as 'card' is not"),
        ("DELETE FROM salt WHERE sale = 16", "row 30: what is known of sale 16 as 'card' is not what the row"),
        ("INSERT INTO personal VALUES (99, 16, 31, 'x', x'00')", "row 31: personal data 99, of sale 16, was never"),
        ("UPDATE personal SET number = 99 WHERE sale = 16", "row 34: personal data"),
        ("INSERT INTO salt VALUES (9, x'00')", "there is a salt for sale 9, of which nothing is known"),
        ("INSERT INTO tally VALUES ('2026-11-30', 'x', 1, 1)", "the books have 1 lines for days that never were"),
        ("DROP TRIGGER entry_stays", "the trigger entry_stays of the database is missing"),
        ("DROP INDEX resolved_once", "the index resolved_once of the database is missing"),
        ("CREATE TABLE more (x)", "the table more of the database does not belong here"),
    ],
)
def test_what_is_wrong_is_named_in_plain_words(lived: Lived, sql: str, problem: str) -> None:
    found = problems(attacked(lived, sql))
    assert found
    assert found[0].startswith(problem), found
