"""The journal only grows, says whose it is, and is what it was when it is opened again."""

import hashlib
from pathlib import Path
from random import Random

import apsw
import pytest

from kiosk.money import journal as journal_module
from kiosk.money.database import DURABLE, JournalError, connect
from kiosk.money.entry import ENCODER, GENESIS, chain
from kiosk.money.journal import Journal
from kiosk.money.ledger import Transfer
from kiosk.money.step import DayClosed, Personal, PersonalErased, Step
from tests.kiosk.money.memory import AT_MS, IDENTITY, calendar, journal_in_memory, journal_on_disk

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def database(journal: Journal) -> apsw.Connection:
    return journal._db  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the tests play the attacker


def thing(number: int, state: str = "open", *, is_open: bool = True) -> tuple[int, bytes]:
    tail = b',"open":true' if is_open else b""
    return number, b'{"kind":"sale","number":%d,"key":"s%d","state":"%s"%s}' % (number, number, state.encode(), tail)


def rows(journal: Journal) -> list[tuple[int, str, bytes, bytes]]:
    return list(database(journal).execute("SELECT seq, day, body, hash FROM entry ORDER BY seq"))


def test_every_row_is_chained_to_the_one_before_by_its_own_bytes() -> None:
    journal = journal_in_memory()
    for _ in range(5):
        journal.commit(Step(AT_MS, b'{"type":"X"}'))
    before = GENESIS
    for number, (seq, _, body, kept) in enumerate(rows(journal), 1):
        assert seq == number
        assert kept == chain(before, body) == hashlib.sha256(before + body).digest()
        before = kept
    assert journal.head == before


@pytest.mark.parametrize("table", ["entry", "transfer"])
@pytest.mark.parametrize("attack", ["UPDATE {} SET seq = seq + 100", "DELETE FROM {}"])
def test_nothing_chained_can_be_changed_or_deleted(table: str, attack: str) -> None:
    journal = journal_in_memory()
    journal.commit(Step(AT_MS, b"{}", transfers=[Transfer(1, "direct", "rail:wechat", "payer#1", 5)]))
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        database(journal).execute(attack.format(table))


def test_a_row_cannot_be_put_anywhere_but_at_the_end() -> None:
    journal = journal_in_memory()
    for seq in (1, 3, 99):
        with pytest.raises(apsw.ConstraintError):
            database(journal).execute("INSERT INTO entry VALUES (?, '2026-11-20', x'00', zeroblob(32))", (seq,))
    with pytest.raises(apsw.ConstraintError, match="never goes back"):
        database(journal).execute("INSERT INTO entry VALUES (2, '2026-01-01', x'00', zeroblob(32))")


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = journal_on_disk(path)
    journal.commit(
        Step(
            AT_MS + 5,
            b'{"type":"X"}',
            changes=[thing(1), thing(2, "done", is_open=False)],
            transfers=[Transfer(1, "direct", "rail:wechat", "payer#1", 5)],
        )
    )
    seq, head = journal.seq, journal.head
    journal.close()
    again = Journal.open(connect(path), calendar(), bytes)
    assert (again.seq, again.head, again.identity) == (seq, head, IDENTITY)
    assert (again.transfers, again.things, again.last_at_ms) == (1, 2, AT_MS + 5)
    assert again.open_things() == [thing(1)[1]]
    assert again.find("sale", "s2") == again.thing(2) == thing(2, "done", is_open=False)[1]
    assert again.find("sale", "nobody") is again.thing(99) is None
    assert again.balance("payer#1") == 5
    again.commit(Step(AT_MS + 9, b"{}"))
    again.close()


def test_a_closed_day_keeps_how_everything_stood() -> None:
    journal = journal_in_memory()
    journal.commit(Step(AT_MS, b"{}", transfers=[Transfer(1, "direct", "rail:wechat", "payer#1", 5)]))
    journal.commit(Step(AT_MS + DAY_MS, b"{}", transfers=[Transfer(2, "pending", "payer#1", "carrier:cmcc", 3)]))
    journal.commit(Step(AT_MS + 2 * DAY_MS, b"{}"))
    closed = [body for _, _, body, _ in rows(journal) if DayClosed.__name__.encode() in body]
    assert len(closed) == 2
    sql = "SELECT day, line, amount FROM closing WHERE line IN ('balance/payer', 'promise/carrier:cmcc') ORDER BY 1, 2"
    found = list(database(journal).execute(sql))
    days = sorted({day for day, _, _ in found})
    assert found == [
        (days[0], "balance/payer", 5),
        (days[1], "balance/payer", 5),
        (days[1], "promise/carrier:cmcc", 3),
    ]


def test_the_day_never_goes_back_and_stays_while_the_clock_is_doubtful() -> None:
    journal = journal_in_memory()
    today = journal.day
    journal.commit(Step(AT_MS - 30 * DAY_MS, b"{}"))
    assert journal.day == today
    journal.commit(Step(AT_MS + 400 * DAY_MS, b"{}", clock_trusted=False))
    assert journal.day == today
    journal.commit(Step(AT_MS + DAY_MS, b"{}"))
    assert journal.day > today
    assert [day for _, day, _, _ in rows(journal)] == sorted(day for _, day, _, _ in rows(journal))


def test_personal_data_is_committed_to_and_erased_with_its_salt() -> None:
    journal = journal_in_memory()
    number = b"13812345678"
    kept = Personal(1, "card", number)
    journal.commit(Step(AT_MS, b"{}", changes=[thing(1)], personal=[kept], sales=[1]))
    journal.commit(Step(AT_MS, b"{}", changes=[thing(1, "done", is_open=False)], sales=[1]))
    journal.commit(
        Step(AT_MS + 2 * DAY_MS, b"{}", changes=[thing(2)], personal=[Personal(2, "card", number)], sales=[2])
    )
    assert journal.personal(1, "card") == number
    assert not any(number in body for _, _, body, _ in rows(journal))
    with pytest.raises(apsw.ConstraintError, match="never changed"):
        database(journal).execute("UPDATE personal SET value = x'00'")
    assert journal.erase_personal(AT_MS + 3 * DAY_MS, journal.day) == [1]
    assert journal.personal(1, "card") is None
    assert journal.personal(2, "card") == number
    assert list(database(journal).execute("SELECT sale FROM salt")) == [(2,)]


def bytes_on_disk(path: Path) -> bytes:
    """The database and its log, as somebody reads them who has stolen the disk."""
    return path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()


def name_of(sale: int) -> bytes:
    """What every piece of personal data of this sale begins with."""
    return b"N%07d-" % sale


def salts(journal: Journal) -> dict[int, bytes]:
    return dict(database(journal).execute("SELECT sale, salt FROM salt"))


def sell(journal: Journal, random: Random, at_ms: int, sales: range) -> list[int]:
    """Keep short and long things of each customer, over several pages; those sales that stay open are the answer."""
    still_open: list[int] = []
    for sale in sales:
        kept = [
            Personal(sale, f"{label}", name_of(sale) + b"x" * random.choice((5, 50, 400, 3_000, 9_000)))
            for label in range(random.choice((1, 2, 3)))
        ]
        is_open = random.random() < 0.2
        journal.commit(Step(at_ms, b"{}", changes=[thing(sale, is_open=is_open)], personal=kept, sales=[sale]))
        still_open += [sale] * is_open
    return still_open


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_erased_is_left_anywhere_on_the_disk(tmp_path: Path, seed: int) -> None:
    """The tables grow and shrink over hundreds of pages, and sales of each day stay when those around them go."""
    random, path = Random(seed), tmp_path / "journal.sqlite3"
    journal = Journal.create(connect(path), IDENTITY, calendar(), random.randbytes, at_ms=AT_MS)
    waiting: list[int] = []
    for day in range(5):
        at_ms = AT_MS + day * DAY_MS
        waiting += sell(journal, random, at_ms, range(100 * day + 1, 100 * day + 101))
        random.shuffle(waiting)
        ended, waiting = waiting[:15], waiting[15:]
        for sale in ended:
            kept = Personal(sale, "late", name_of(sale))
            journal.commit(Step(at_ms, b"{}", changes=[thing(sale, is_open=False)], personal=[kept], sales=[sale]))
        journal.commit(Step(at_ms + DAY_MS, b"{}"))
        known = salts(journal)
        erased = journal.erase_personal(at_ms + DAY_MS, journal.day)
        found = bytes_on_disk(path)
        assert len(erased) > 50
        assert [sale for sale in erased if name_of(sale) in found or known[sale] in found] == []
        assert salts(journal).keys() == known.keys() - set(erased)
        assert all((journal.personal(sale, "0") or b"").startswith(name_of(sale)) for sale in waiting)


def test_what_an_older_program_left_in_the_pages_goes_with_the_next_erasure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It overwrote what it erased, and not what lay in a page that was split."""
    path, random = tmp_path / "journal.sqlite3", Random(1)
    with monkeypatch.context() as patch:
        older = tuple(pragma for pragma in DURABLE if pragma[0] != "secure_delete")
        patch.setattr(journal_module, "DURABLE", older)
        journal = Journal.create(connect(path), IDENTITY, calendar(), random.randbytes, at_ms=AT_MS)
    sell(journal, random, AT_MS, range(1, 200))
    journal.commit(Step(AT_MS, ENCODER.encode(PersonalErased(list(range(1, 200)))), sales=range(1, 200)))
    known = salts(journal)
    sql = "PRAGMA secure_delete = ON; DELETE FROM personal WHERE sale; DELETE FROM salt WHERE sale"
    assert database(journal).execute(sql).fetchall() == [(1,)]
    journal.checkpoint(emptying=True)
    left = [sale for sale in known if name_of(sale) in bytes_on_disk(path) or known[sale] in bytes_on_disk(path)]
    assert left
    journal.close()
    journal = Journal.open(connect(path), calendar(), random.randbytes)
    assert journal.erase_personal(AT_MS, journal.day) == []
    assert database(journal).pragma("foreign_keys") == 1
    found = bytes_on_disk(path)
    assert [sale for sale in left if name_of(sale) in found or known[sale] in found] == []


def test_a_database_that_keeps_no_promises_takes_no_money(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="does not keep its promises"):
        Journal.create(connect(None), IDENTITY, calendar(), bytes, at_ms=AT_MS)
    newer = connect(tmp_path / "newer")
    journal = Journal.create(newer, IDENTITY, calendar(), bytes, at_ms=AT_MS)
    newer.execute("PRAGMA user_version = 99")
    journal.close()
    with pytest.raises(JournalError, match="version 99"):
        Journal.open(connect(tmp_path / "newer"), calendar(), bytes)
    with pytest.raises(JournalError, match="no journal"):
        Journal.open(connect(tmp_path / "strange"), calendar(), bytes)
