"""`kiosk totals` in its three formats, its differences and its remedies."""

import csv
import io
import re
from pathlib import Path

import apsw
import msgspec
import pytest
from msgspec.structs import replace

from kiosk.cli import main
from kiosk.money.business_day import read_day, reading
from kiosk.money.database import FILE_NAME
from kiosk.money.heads import sign, write
from kiosk.money.journal import Journal
from kiosk.money.secret import MachineKey
from tests.kiosk.money.scripted_days import Script
from tests.kiosk.money.till import CALENDAR, FIRST, SECOND, Till, yuan

KEY = MachineKey(bytes(32))
Capture = pytest.CaptureFixture[str]


class Side(msgspec.Struct, forbid_unknown_fields=True):
    """One of two figures that should be the same."""

    says: str
    count: int
    amount: str


class Difference(msgspec.Struct, forbid_unknown_fields=True):
    """A tie-out that does not hold."""

    day: str
    name: str
    sides: tuple[Side, Side]


class TieOuts(msgspec.Struct, forbid_unknown_fields=True):
    """How many hold."""

    checked: int
    differing: list[Difference]


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One line of a section."""

    count: int | None
    amount: str


class Range(msgspec.Struct, forbid_unknown_fields=True):
    """The rows of a day."""

    day: str
    closed: bool
    first_seq: int
    last_seq: int
    last_hash: str


class HeadSays(msgspec.Struct, forbid_unknown_fields=True):
    """What the signed head has against the journal."""

    agrees: bool | None
    words: str


class Written(msgspec.Struct, forbid_unknown_fields=True):
    """All that is written, and nothing else."""

    terminal: str
    incarnation: str
    mode: str
    currency: str
    days: list[Range]
    head: HeadSays
    totals: dict[str, dict[str, Line]]
    tie_outs: TieOuts


@pytest.fixture
def script(tmp_path: Path) -> Script:
    script = Script(tmp_path / "data")
    script.first_day()
    script.second_day()
    return script


def totals(script: Script, *options: str) -> int:
    return main(["totals", "--data", str(script.till.folder), *options])


def as_json(capture: Capture) -> Written:
    return msgspec.json.decode(capture.readouterr().out, type=Written)


def section(table: str, title: str) -> list[list[str]]:
    """The lines below a title, each in its words and figures."""
    lines = table.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(title))
    end = lines.index("", start)
    return [re.split(r" {2,}", line.strip()) for line in lines[start + 1 : end]]


def test_the_present_day_is_shown_unless_another_one_is_asked_for(script: Script, capsys: Capture) -> None:
    assert totals(script, "--format", "json") == 0
    written = as_json(capsys)
    assert [day.day for day in written.days] == [SECOND]
    assert not written.days[0].closed
    assert written.days[0].last_seq == script.till.journal.seq
    assert written.days[0].last_hash == script.till.journal.head.hex()
    assert (written.terminal, written.mode, written.currency) == ("till-1", "bench", "CNY")
    assert written.tie_outs.checked > 30
    assert written.tie_outs.differing == []


def test_table_of_a_closed_day(script: Script, capsys: Capture) -> None:
    assert totals(script, "--day", FIRST) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Totals of {FIRST} (closed)\nterminal till-1, bench, incarnation first, CNY\n")
    with reading(script.till.folder) as journal:
        day = read_day(journal, FIRST)
    assert f"{FIRST}  1-{day.last_seq}" in out
    assert day.last_hash.hex() in out
    assert section(out, "Paid") == [
        ["cash", "4", "70.00"],
        ["claim", "1", "20.00"],
        ["rail:wechat", "4", "179.40"],
        ["terminal:front", "1", "49.85"],
        ["all", "10", "319.25"],
    ]
    assert section(out, "Owed") == [
        ["opening", "0.00"],
        ["+ issued", "3", "26.00"],
        ["+ revived", "0", "0.00"],
        ["+ came back", "0", "0.00"],
        ["- carried over", "0", "0.00"],
        ["- spent", "1", "20.00"],
        ["- paid out", "1", "1.00"],
        ["- refunded", "0", "0.00"],
        ["- unclaimed", "1", "5.00"],
        ["closing", "0.00"],
    ]
    assert section(out, "In doubt") == [["notes bill", "20.00"], ["deliveries cmcc", "1", "48.85"]]
    assert section(out, "Since collection") == [
        ["bill#2", "0", "0.00"],
        ["coin#1", "1", "1.00"],
        ["coin#1 coin 1.00", "1", "1.00"],
    ]
    assert re.search(r"\nAll \d+ tie-outs hold\.\n$", out)


@pytest.mark.parametrize("options", [(), ("--day", FIRST), ("--from", FIRST, "--to", SECOND)])
def test_a_table_fits_and_its_figures_stand_below_each_other(
    script: Script, capsys: Capture, options: tuple[str, ...]
) -> None:
    assert totals(script, *options) == 0
    lines = capsys.readouterr().out.split("\n")
    assert max(map(len, lines)) <= 100
    assert {len(line) for line in lines if re.search(r" \d+\.\d\d$", line)} == {88}


def test_what_did_not_happen_is_said_so(tmp_path: Path, capsys: Capture) -> None:
    Till(tmp_path, f"{FIRST} 12:00")
    assert main(["totals", "--data", str(tmp_path)]) == 0
    nothing = re.findall(r"^(\w+).* none$", capsys.readouterr().out, re.MULTILINE)
    assert nothing == [
        *("Paid", "Top", "Notes", "Owed", "In", "Suspense", "Refunds", "Corrections", "Fees", "Promotions", "Since"),
    ]


def test_csv_is_one_flat_table_of_days(script: Script, capsys: Capture) -> None:
    assert totals(script, "--from", FIRST, "--to", SECOND, "--format", "csv") == 0
    out = capsys.readouterr().out
    assert out.startswith("day,section,name,count,amount\n")
    rows = list(csv.DictReader(io.StringIO(out), strict=True))
    by_name = {(row["day"], row["section"], row["name"]): (row["count"], row["amount"]) for row in rows}
    assert len(by_name) == len(rows)
    assert by_name[FIRST, "paid", "cash"] == ("4", "70.00")
    assert by_name[SECOND, "paid", "suspense"] == ("1", "20.00")
    assert by_name[FIRST, "cash", "note/20.00"] == ("3", "60.00")
    assert by_name[FIRST, "balances", "promotion"] == ("", "-4.30")
    assert by_name[SECOND, "owed", "closing"] == ("", "25.00")
    assert all(re.fullmatch(r"-?\d+\.\d\d", row["amount"]) for row in rows if row["section"] not in {"rows", "head"})
    ranges = [row["name"] for row in rows if row["section"] == "rows"]
    assert [name.partition("/")[2] for name in ranges][1] == script.till.journal.head.hex()


def test_a_range_adds_up(script: Script, capsys: Capture) -> None:
    assert totals(script, "--from", FIRST, "--to", SECOND, "--format", "json") == 0
    written = as_json(capsys)
    assert [day.day for day in written.days] == [FIRST, SECOND]
    assert written.days[1].first_seq == written.days[0].last_seq + 1
    assert written.totals["paid"]["suspense"] == Line(1, "20.00")
    assert written.totals["owed"]["closing"] == Line(None, "25.00")
    assert totals(script, "--from", FIRST, "--to", SECOND) == 0
    assert capsys.readouterr().out.startswith(f"Totals of 2 business days, {FIRST} to {SECOND} (still open)\n")


@pytest.mark.parametrize(
    ("sql", "name", "sides"),
    [
        (
            "UPDATE tally SET amount = amount + 100 WHERE line = 'paid/rail:wechat'",
            "paid by rail:wechat",
            (Side("the machines counted", 4, "180.40"), Side("the ledger moved", 4, "179.40")),
        ),
        (
            "UPDATE movement SET amount = amount - 100 WHERE debit = 'payer' AND credit = 'fee' AND day = :first",
            "fees earned",
            (Side("the machines counted", 4, "4.00"), Side("the ledger moved", 4, "3.00")),
        ),
    ],
    ids=["tally", "movement"],
)
def test_a_difference_ends_in_status_1_and_is_named(
    script: Script, capsys: Capture, sql: str, name: str, sides: tuple[Side, Side]
) -> None:
    script.till.tamper(sql)
    assert totals(script, "--day", FIRST, "--format", "json") == 1
    assert Difference(FIRST, name, sides) in as_json(capsys).tie_outs.differing

    assert totals(script, "--day", FIRST) == 1
    table = capsys.readouterr().out
    assert re.search(r"\n\d of \d+ tie-outs do NOT hold:\n", table)
    told = re.split(r" {2,}|\n +", table[table.index(f"{FIRST}  {name}\n") :])
    expected = [word for side in sides for word in (side.says, str(side.count), side.amount)]
    assert told[:8] == [FIRST, name, *expected]

    assert totals(script, "--day", FIRST, "--format", "csv") == 1
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    for side in sides:
        assert [FIRST, "differing", f"{name}: {side.says}", str(side.count), side.amount] in rows

    assert totals(script, "--from", FIRST, "--to", SECOND) == 1
    assert totals(script, "--day", SECOND) == 0


@pytest.mark.parametrize(
    ("seq", "changes", "problem"),
    [
        (0, {}, ""),
        (-1, {}, ""),
        (2, {}, "vouches for row {later}, and the journal ends with row {last}: 2 rows are missing"),
        (0, {"hash": "00"}, "vouches for another row {last}: rows were changed"),
        (0, {"incarnation": "other"}, "vouches for row {last} of another journal (terminal till-1, incarnation other;"),
        (0, {"at": 1}, "was not signed by the owner of this public key"),
    ],
)
def test_a_journal_that_its_own_head_contradicts_ends_in_status_1(
    script: Script, capsys: Capture, seq: int, changes: dict[str, object], problem: str
) -> None:
    """Rows that were cut off tie out as well as those that are left."""
    journal, place = script.till.journal, script.till.folder / "head.json"
    last = journal.seq
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "seq", last + seq)
        patch.setattr(journal, "head", journal.hash_of(last + seq) or bytes(32))
        head = sign(journal, KEY.signing_key(), 0)
    write(replace(head, **changes), [place])
    key = script.till.folder.parent / "machine.key.pub"
    key.write_text(KEY.public_key().hex())
    said = f"{place} {problem.format(last=last, later=last + seq)}"
    assert totals(script, "--public-key", str(key)) == bool(problem)
    table = capsys.readouterr().out
    assert ("\nThe journal does NOT agree with its signed head: " + said in table) == bool(problem)
    assert "tie-outs hold.\n" in table
    assert totals(script, "--public-key", str(key), "--format", "json") == bool(problem)
    found = as_json(capsys).head
    assert (found.agrees, found.words.startswith(said)) == (not problem, bool(problem))
    totals(script, "--public-key", str(key), "--format", "csv")
    assert (f"{SECOND},head," in capsys.readouterr().out) == bool(problem)


def test_a_missing_head_is_only_mentioned(script: Script, capsys: Capture) -> None:
    assert totals(script) == 0
    said = "No signed head proves the journal: rows that were cut off at the end would not be missed."
    assert f"\n{said}\n" in capsys.readouterr().out
    (script.till.folder / "head.json").write_bytes(b"{")
    assert totals(script) == 0
    assert "proves the journal: head.json is torn; rows that were cut off" in capsys.readouterr().out


def test_a_single_difference_is_one(script: Script, capsys: Capture) -> None:
    script.till.tamper("UPDATE tally SET count = count + 1 WHERE line = 'alarm/suspense'")
    assert totals(script, "--day", FIRST) == 1
    assert re.search(r"\n1 of \d+ tie-outs does NOT hold:\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "problem", "remedy"),
    [
        (("--day", "2026-11-19"), "2026-11-19 lies before the first business day", f"from {FIRST} on"),
        (("--day", "2026-11-22"), "2026-11-22 lies after the present business day", f"up to {SECOND}"),
        (("--from", "2026-11-01", "--to", "2026-11-02"), "2026-11-02 lies before", f"from {FIRST} on"),
        (("--from", FIRST, "--to", "2027-01-01"), "2027-01-01 lies after", f"up to {SECOND}"),
        (("--day", "tomorrow"), '"tomorrow" is no day', "year-month-day"),
        (("--day", "2026-11-31"), '"2026-11-31" is no day', "year-month-day"),
        (("--day", "20261120"), '"20261120" is no day', "year-month-day"),
        (("--day", ""), '"" is no day', "year-month-day"),
        (("--from", "2026-W47-5", "--to", SECOND), '"2026-W47-5" is no day', "year-month-day"),
        (("--from", SECOND, "--to", FIRST), f"--from {SECOND} comes after --to {FIRST}", "earlier day first"),
        (("--from", FIRST), "a range has two ends", "both --from and --to"),
        (("--to", FIRST), "a range has two ends", "both --from and --to"),
        (("--day", FIRST, "--from", FIRST, "--to", SECOND), "exclude each other", "one day, or the two ends"),
        (("--format", "xml"), "'xml'", "--help"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    script: Script, capsys: Capture, options: tuple[str, ...], problem: str, remedy: str
) -> None:
    assert totals(script, *options) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    told = re.fullmatch(r"kiosk: (.+)\n  remedy: (.+)\n", captured.err)
    assert told, captured.err
    assert problem in told[1]
    assert remedy in told[2]


def test_yesterday_is_the_business_day_before_the_present_one(script: Script, capsys: Capture, tmp_path: Path) -> None:
    assert totals(script, "--day", "yesterday") == 0
    assert capsys.readouterr().out.startswith(f"Totals of {FIRST} (closed)\n")
    Till(tmp_path / "new", f"{FIRST} 12:00")
    assert main(["totals", "--data", str(tmp_path / "new"), "--day", "yesterday"]) == 2
    assert f"there is no business day before the present one, {FIRST}\n" in capsys.readouterr().err


def test_a_range_may_begin_before_the_first_day(script: Script, capsys: Capture) -> None:
    assert totals(script, "--from", "2020-01-01", "--to", SECOND) == 0
    assert capsys.readouterr().out.startswith(f"Totals of 2 business days, {FIRST} to {SECOND} (still open)\n")


def test_a_day_without_work_is_no_day_of_the_journal(tmp_path: Path, capsys: Capture) -> None:
    till = Till(tmp_path, "2026-11-20 12:00")
    till.now_ms += 4 * 86_400_000
    till.sale()
    for options in (["--day", "2026-11-22"], ["--from", "2026-11-21", "--to", "2026-11-23"]):
        assert main(["totals", "--data", str(tmp_path), *options]) == 2
        assert "nothing was booked" in capsys.readouterr().err
    assert main(["totals", "--data", str(tmp_path), "--from", "2026-11-20", "--to", "2026-11-23"]) == 0


@pytest.mark.parametrize("content", [None, b"", b"not a database, but long enough to look like one" * 100])
def test_a_folder_without_a_journal(tmp_path: Path, capsys: Capture, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    assert main(["totals", "--data", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.match(rf"kiosk: .*{re.escape(str(tmp_path))}.*\n  remedy: ", captured.err)
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else [FILE_NAME])


def test_a_damaged_journal_is_told_and_not_traced_back(script: Script, capsys: Capture) -> None:
    with apsw.Connection(str(script.till.folder / FILE_NAME)) as connection:
        connection.execute("DROP TABLE tally")
    assert totals(script) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"kiosk: the journal in {script.till.folder} cannot be read: ")
    assert "\n  remedy: take no money; run `kiosk journal verify`\n" in told


def test_a_terminal_at_work_is_neither_waited_for_nor_held_up(tmp_path: Path, capsys: Capture) -> None:
    till = Till(tmp_path, f"{FIRST} 12:00", durable=True)
    till.cash(till.sale(), "20")
    writer = apsw.Connection(str(tmp_path / FILE_NAME))
    writer.execute("BEGIN IMMEDIATE; UPDATE tally SET amount = 0")  # what is not committed is not seen
    assert main(["totals", "--data", str(tmp_path)]) == 0
    assert section(capsys.readouterr().out, "Paid")[0] == ["cash", "1", "20.00"]
    writer.execute("ROLLBACK")
    writer.close()
    with reading(tmp_path) as journal:
        before = read_day(journal, FIRST)
        till.say_note("10")
        assert read_day(journal, FIRST) == before
        with pytest.raises(apsw.ReadOnlyError):
            journal.execute("DELETE FROM tally")
    assert main(["totals", "--data", str(tmp_path)]) == 0
    assert section(capsys.readouterr().out, "Paid")[0] == ["cash", "2", "30.00"]
    till.journal.close()
    assert main(["totals", "--data", str(tmp_path)]) == 0  # after a clean stop there is no log and no shared memory
    reopened = Journal.open(apsw.Connection(str(tmp_path / FILE_NAME)), CALENDAR, bytes)
    assert reopened.balance("cashbox:bill#1") == -yuan("30").minor
    reopened.close()
