"""What is asked of a journal is answered in plain words, and whoever sees personal data is named in it first."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from msgspec import json

from kiosk import cli
from kiosk.config import Config
from kiosk.flow.facts import SaleOpened
from kiosk.money import heads
from kiosk.money.database import FILE_NAME
from kiosk.money.folder import open_for_money, open_for_reading
from kiosk.money.step import Step
from tests.kiosk.configured import begun, leave_money, running
from tests.kiosk.money.lived import NUMBER, TERMS

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `kiosk journal`: its status, what it said, and what it complained of."""

    def command(*args: object) -> tuple[int, str, str]:
        capsysbinary.readouterr()
        status = cli.main(["journal", *(str(arg) for arg in args)])
        said = capsysbinary.readouterr()
        return status, said.out.decode(), said.err.decode()

    return command


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A terminal at which one customer left money behind."""
    found = begun(tmp_path)
    with running(found) as core:
        leave_money(core, "first")
    return found


@pytest.fixture
def data(config: Config) -> Path:
    return config.journal.data


def tamper(data: Path, sql: str) -> None:
    with closing(apsw.Connection(str(data / FILE_NAME))) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.execute(sql)


def tail_of(data: Path) -> str:
    """The last group of the code of the claim that is worth something."""
    sql = "SELECT data ->> '$.tail' FROM thing WHERE kind = 'claim' AND data ->> '$.balance' IS NOT NULL"
    with closing(open_for_reading(data)) as connection:
        return connection.execute(sql).get


def last_fact(data: Path) -> dict[str, object]:
    with closing(open_for_reading(data)) as connection:
        body: bytes = connection.execute("SELECT body FROM entry ORDER BY seq DESC LIMIT 1").get
    return json.decode(body)["fact"]


# Verify --------------------------------------------------------------------------------------------------------------

WHOLE = r"""8 rows in \d+\.\d s, [\d,]+ rows a second
  journal         terminal demo-0001, bench, CNY, incarnation [0-9a-f]{16}
  signed head     of row 8, [-\d]+ [:\d]+ UTC; rows beyond it: 0
  authenticity    checked: the head was signed by the owner of this public key
Every row, every transfer and every derived table agrees\.
If rows and head were set back together, nothing here can show it: that needs a head that was printed or
sent elsewhere \(--head FILE\)\.
"""


def test_a_whole_journal_is_believed(data: Path, run: Run) -> None:
    status, out, err = run("verify", "--data", data, "--public-key", data.parent / "machine.key.pub")
    assert (status, err) == (0, "")
    assert re.fullmatch(WHOLE, out), out


def test_the_configuration_names_key_and_head(tmp_path: Path, run: Run) -> None:
    away = tmp_path / "elsewhere.head"
    found = begun(tmp_path, head_copy=str(away))
    status, out, err = run("verify", "--config", tmp_path / "kiosk.toml")
    assert (status, err) == (0, "")
    assert "  authenticity    checked: the head was signed by the owner of this public key\n" in out
    assert "  head elsewhere  of row 1, " in out
    (found.journal.data / "head.json").unlink()
    away.write_bytes(b"{")
    assert (
        f"{away} holds no signed head: elsewhere.head is torn" in run("verify", "--config", tmp_path / "kiosk.toml")[2]
    )


def test_without_a_public_key_authenticity_is_unchecked(data: Path, run: Run) -> None:
    status, out, _ = run("verify", "--data", data)
    assert status == 0
    assert (
        "  authenticity    unchecked: it takes a signed head, and --public-key FILE from outside the data folder\n"
        in out
    )


def test_another_public_key_is_told(data: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "other.pub").write_text("5a" * 32)
    status, out, _ = run("verify", "--data", data, "--public-key", tmp_path / "other.pub")
    assert status == 1
    assert "  authenticity    WRONG: a head was not signed by the owner of this public key\n" in out
    assert "This journal CANNOT be believed:\n  the signed head was not signed by the owner of this public key\n" in out


def test_the_first_bad_row_is_named(data: Path, run: Run) -> None:
    tamper(data, "UPDATE entry SET body = x'00' WHERE seq IN (4, 6)")
    status, out, _ = run("verify", "--data", data)
    assert status == 1
    lines = out.splitlines()
    place = lines.index("This journal CANNOT be believed:")
    assert lines[place + 1] == "  row 4: its hash does not follow from its bytes and the row before it"
    assert "agrees" not in out
    assert "Take no money with it, and keep it as it is. Put the newest copy back that can be believed, then run" in out


def test_a_public_key_without_any_head_is_not_believed(data: Path, run: Run) -> None:
    for head in data.glob("head*"):
        head.unlink()
    key = data.parent / "machine.key.pub"
    status, out, _ = run("verify", "--data", data, "--public-key", key)
    assert status == 1
    assert "CANNOT be believed:\n  no signed head was found, so the public key proves nothing (--head FILE" in out
    status, out, _ = run("verify", "--data", data, "--public-key", key, "--json")
    assert (status, json.decode(out)["believed"]) == (1, False)
    assert run("verify", "--data", data)[0] == 0


def test_what_comes_from_inside_the_data_folder_proves_nothing(data: Path, run: Run) -> None:
    (data / "key.pub").write_bytes((data.parent / "machine.key.pub").read_bytes())
    (data.parent / "linked.json").symlink_to(data / "head.json")
    for option, what, path in (
        ("--public-key", "public key", data / "key.pub"),
        ("--head", "head", data / "head.json"),
        ("--head", "head", data / "head.previous.json"),
        ("--head", "head", data.parent / "linked.json"),
    ):
        status, out, err = run("verify", "--data", data, option, path)
        assert (status, out) == (2, "")
        assert err == (
            f"kiosk: the {what} {path} lies inside the data folder, which it is to prove\n"
            "  remedy: name a copy of it that was kept elsewhere\n"
        )


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--head", "holds no signed head: a pipe cannot be read: this is a pipe, a socket or a device, not a file"),
        ("--public-key", "cannot be read: this is a pipe, a socket or a device, not a file"),
        ("--data", "holds no journal"),
    ],
)
def test_nobody_waits_for_a_pipe(data: Path, option: str, problem: str) -> None:
    pipe = data.parent / "a pipe"
    if option == "--data":
        pipe.mkdir()
        os.mkfifo(pipe / "head.json")
    else:
        os.mkfifo(pipe)
    command = [sys.executable, "-m", "kiosk", "journal", "verify", "--data", str(data), option, str(pipe)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert problem in ended.stderr


def test_one_row_is_one_row(tmp_path: Path, run: Run) -> None:
    out = run("verify", "--data", begun(tmp_path / "young").journal.data)[1]
    assert out.startswith("1 row in ")


def test_rows_beyond_the_head_are_counted_and_missing_ones_are_found(config: Config, data: Path, run: Run) -> None:
    copy = (data / FILE_NAME).read_bytes()
    with running(config) as core:
        leave_money(core, "second")
    head = (data / "head.json").read_bytes()
    with closing(open_for_money(config)) as journal:
        journal.commit(Step(journal.last_at_ms, b'{"type":"DeviceIdle","device":"bill"}'))
    status, out, _ = run("verify", "--data", data)
    assert (status, "; rows beyond it: 1\n" in out) == (0, True)
    (data / FILE_NAME).write_bytes(copy)
    status, out, _ = run("verify", "--data", data)
    assert status == 1
    assert "  row 9: the signed head vouches for row 15, and the journal ends with row 8: 7 rows are missing\n" in out

    # Rows and head set back together: only a head from elsewhere tells.
    (data / "head.json").unlink()
    elsewhere = data.parent / "sent by mail.json"
    elsewhere.write_bytes(head)
    assert run("verify", "--data", data)[0] == 0
    status, out, _ = run("verify", "--data", data, "--head", elsewhere, "--public-key", data.parent / "machine.key.pub")
    assert status == 1
    assert "row 9: the head kept elsewhere vouches for row 15" in out
    assert re.search(r"\n  head elsewhere  of row 15, [-\d]+ [:\d]+ UTC; rows beyond it: 0\n", out)
    assert "nothing here can show it" not in out


def test_a_torn_head_is_a_warning(data: Path, run: Run) -> None:
    (data / "head.json").write_bytes(b"{")
    status, out, _ = run("verify", "--data", data)
    assert status == 0
    assert "head.json is torn\n" in out
    assert "head.previous.json of row 1 is used instead\n" in out
    (data / "head.previous.json").unlink()
    status, out, _ = run("verify", "--data", data)
    assert status == 0
    assert "  signed head     none: rows that were cut off at the end would not be missed\n" in out


def test_programs_read_the_same(data: Path, run: Run) -> None:
    status, out, _ = run("verify", "--data", data, "--json")
    report = json.decode(out)
    assert status == 0
    assert (report["believed"], report["rows"], report["problems"]) == (True, 8, [])
    assert (report["head"]["head"]["seq"], report["head"]["signature"]) == (8, "unchecked")
    assert report["rate"] > 0
    tamper(data, "DELETE FROM entry WHERE seq = 5")
    status, out, _ = run("verify", "--data", data, "--json")
    report = json.decode(out)
    assert (status, report["believed"]) == (1, False)
    assert report["problems"][0] == {"row": 5, "what": "it is missing; row 6 comes next"}


def test_a_bar_is_drawn_for_a_person_only(data: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "8 of 8 rows" not in run("verify", "--data", data)[2]
    assert "8 of 8 rows" in run("verify", "--data", data, "--progress")[2]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    drawn = run("verify", "--data", data)[2]
    assert re.search(r"█{30} 8 of 8 rows, [\d,]+ a second", drawn)
    assert drawn.endswith("\r")  # and wiped when it is done


def test_the_terminal_may_run_meanwhile(config: Config, data: Path, run: Run) -> None:
    with running(config) as core:
        leave_money(core, "second")
        assert run("verify", "--data", data)[0] == 0
        assert run("show", "second", "--data", data)[0] == 0
        assert run("export", "--data", data)[0] == 0


@pytest.mark.parametrize("verb", [("verify",), ("show", "first"), ("export",)])
@pytest.mark.parametrize(
    ("content", "problem", "ended"),
    [
        (None, "holds no journal", 2),
        (b"", "all rows of the journal in", 1),
        (b"nothing of ours" * 99, "is damaged: it does not begin as a database does", 1),
    ],
)
def test_what_is_no_journal_is_told(  # noqa: PLR0913 - what is there, and what is said of it
    data: Path, run: Run, *, verb: tuple[str, ...], content: bytes | None, problem: str, ended: int
) -> None:
    (data / FILE_NAME).unlink()
    if content is not None:
        (data / FILE_NAME).write_bytes(content)
    status, out, err = run(*verb, "--data", data)
    assert (status, out) == (ended, "")
    assert problem in err
    assert "\n  remedy: " in err


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ((), "the following arguments are required: VERB"),
        (("mend",), "invalid choice: 'mend'"),
        (("verify",), "one of the arguments --data --config is required"),
        (("verify", "--data", "{data}", "--public-key", "{data}/none"), "cannot be read: No such file or directory"),
        (("verify", "--data", "{data}", "--public-key", "{data}/head.json"), "does not hold 32 bytes"),
        (("verify", "--data", "{data}", "--head", "{data}/none"), "none holds no signed head: it does not exist"),
        (
            ("verify", "--data", "{data}", "--head", "{data}/journal.sqlite3"),
            "journal.sqlite3 cannot be read: File too large",
        ),
        (("show", "first"), "one of the arguments --data --config is required"),
        (("show", "--data", "{data}"), "the following arguments are required: SALE"),
        (("show", "nobody", "--data", "{data}"), 'no sale answers to "nobody"'),
        (("show", "first", "--data", "{data}", "--unmasked"), "whoever sees personal data is named in the journal"),
        (("show", "first", "--config", "{config}", "--unmasked"), "whoever sees personal data is named in the journal"),
        (("export", "--data", "{data}", "--unmasked", "--by", "Ann"), "write --config FILE --by NAME with --unmasked"),
        (("export", "--config", "{config}", "--unmasked", "--by", "\x1b"), "--by is empty, or has characters that"),
        (
            ("show", "first", "--config", "{config}", "--unmasked", "--by", "Ann\nBob"),
            "--by is empty, or has characters",
        ),
        (("show", "first", "--config", "{config}", "--unmasked", "--by", " "), "--by is empty, or has characters"),
        (("export", "--config", "{config}", "--unmasked", "--by", "A" * 501), "--by has 501 characters"),
        (("export", "--config", "{data}/none"), "cannot be read"),
    ],
)
def test_wrong_words_are_told(data: Path, run: Run, args: tuple[str, ...], problem: str) -> None:
    status, out, err = run(*(arg.format(data=data, config=data.parent / "kiosk.toml") for arg in args))
    assert (status, out) == (2, "")
    assert problem in err
    assert "\n  remedy: " in err


def test_each_verb_says_what_it_is_for(run: Run, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    told = capsysbinary.readouterr().out.decode()
    assert re.search(r"^    verify +say whether every row", told, re.MULTILINE)
    assert re.search(r"^    show +tell the story of one sale$", told, re.MULTILINE)
    assert re.search(r"^    export +print every row for other programs$", told, re.MULTILINE)


# List ----------------------------------------------------------------------------------------------------------------


def test_the_sales_of_a_day_are_listed(config: Config, data: Path, run: Run) -> None:
    with running(config) as core:
        leave_money(core, "second", 10)
        number = leave_money(core, "third").sale
    tamper(data, f"DELETE FROM personal WHERE sale = {number}")  # noqa: S608 - a number
    status, out, err = run("list", "--config", data.parent / "kiosk.toml")
    assert (status, err) == (0, "")
    first, head, *lines = out.splitlines()
    assert re.fullmatch(r"3 sales of \d{4}-\d\d-\d\d", first)
    assert head.split() == ["number", "time", "paid", "delivered", "state", "name", "card"]
    assert [re.sub(r"\d\d:\d\d:\d\d", "TIME", line).split(maxsplit=6)[1:] for line in lines] == [
        ["TIME", "20.00", "0.00", "returned", "first", "138 **** 5678"],
        ["TIME", "10.00", "0.00", "returned", "second", "138 **** 5678"],
        ["TIME", "20.00", "0.00", "returned", "third", "gone"],
    ]
    assert run("show", lines[0].split()[0], "--data", data)[1].startswith(f"Sale {lines[0].split()[0]} (first)")
    day = first.split()[-1]
    assert run("list", "--data", data, "--day", day)[0] == 0
    assert run("list", "--data", data, "--day", "2020-01-01") == (0, "0 sales of 2020-01-01\n", "")
    assert '"x" is no day' in run("list", "--data", data, "--day", "x")[2]


# Show ----------------------------------------------------------------------------------------------------------------


def test_a_sale_is_told_in_the_terminal_s_own_time(data: Path, run: Run) -> None:
    status, out, err = run("show", "first", "--config", data.parent / "kiosk.toml")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert re.fullmatch(r"Sale \d+ \(first\), returned", lines[0])
    assert lines[1:3] == ["  card: 138 **** 5678", ""]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d, Asia/Shanghai", lines[3])
    assert [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in lines[4:]] == [
        "A sale of CN¥50.00 is opened at CN¥49.85 (CN¥49.00 in cash).",
        "The customer chooses cash (bill); bill is to take cash.",
        "A note of CN¥20.00 lies in bill's escrow (note 2); the intent to stack it is recorded.",
        "Note 2 is in bill's box for good.",
        "The customer cancels; CN¥20.00 is owed now; a slip is to be printed (returned); bill is to take nothing more.",
        "",
        "Paid CN¥20.00: bill CN¥20.00",
        f"Owed CN¥20.00 under the code ending in {tail_of(data)} (open)",
    ]


def test_it_answers_to_the_last_group_of_its_code(data: Path, run: Run) -> None:
    assert run("show", tail_of(data).lower(), "--data", data)[1].startswith("Sale ")


def test_several_are_listed_and_one_is_to_be_named(config: Config, data: Path, run: Run) -> None:
    with running(config) as core:
        leave_money(core, "second")
    tamper(data, "UPDATE thing SET data = json_set(data, '$.tail', 'ABCD') WHERE kind = 'claim'")
    status, out, err = run("show", "ABCD", "--data", data)
    assert status == 2
    assert re.fullmatch(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d  Sale \d+ \((?:first|second)\), returned\n){2}", out), out
    assert err == (
        'kiosk: 2 sales answer to "ABCD"\n  remedy: write the name of one of them, which stands in brackets\n'
    )
    assert run("show", "second", "--data", data)[0] == 0


def test_who_sees_it_unmasked_stands_in_the_journal_first(config: Config, data: Path, run: Run) -> None:
    args = ("show", "first", "--config", data.parent / "kiosk.toml", "--unmasked", "--by", "Ann")
    status, out, err = run(*args)
    assert (status, err) == (0, "")
    assert f"\n  card number: {NUMBER}\n" in out
    assert "Ann asks to see what is known of the customer, unmasked; nobody vouched for the clock." in out
    fact = last_fact(data)
    assert (fact["type"], fact["by"]) == ("PersonalShown", "Ann")
    assert run("verify", "--data", data)[0] == 0
    assert heads.find(data / "head.json").warnings == ()
    with closing(open_for_money(config)) as journal:
        seq = journal.seq
        status, out, err = run(*args)
        assert (status, out, journal.seq) == (2, "", seq)
    assert "is being written by another process\n  remedy: stop the terminal that runs on it" in err


def test_everything_that_is_known_is_told_in_words(config: Config, data: Path, run: Run) -> None:
    known = {
        "card": b'{"number":"13812345678","holder":"Wang\\nLi","age":44}',
        "note": b"just words",
        "answer": b'["a", 1]',
        "deep": b'{"a":{"b":1}}',
        "none": b"{}",
    }
    with running(config) as core:
        core.handle(SaleOpened("known", TERMS), core.journal.last_at_ms, known)
    _, out, _ = run("show", "known", "--config", data.parent / "kiosk.toml", "--unmasked", "--by", "Ann")
    assert out[: out.index("\n\n")].splitlines()[1:] == [
        "  card number: 13812345678",
        "  card holder: Wang\\nLi",
        "  card age: 44",
        "  note: just words",
        '  answer: ["a", 1]',
        '  deep: {"a":{"b":1}}',
        "  none: {}",
    ]
    masked = run("show", "known", "--data", data)[1]
    assert "  card: 138 **** 5678\n  note: kept, not shown\n" in masked


@pytest.mark.parametrize("verb", [("show", "first"), ("export",)])
def test_a_head_that_cannot_be_written_is_told_and_counts(tmp_path: Path, run: Run, verb: tuple[str, ...]) -> None:
    away = tmp_path / "disk" / "kiosk.head"
    away.parent.mkdir()
    config = begun(tmp_path, head_copy=str(away))
    with running(config) as core:
        leave_money(core, "first")
    away.parent.rename(tmp_path / "unplugged")
    status, out, err = run(*verb, "--config", tmp_path / "kiosk.toml", "--unmasked", "--by", "Ann")
    assert (status, NUMBER in out) == (1, True)
    assert err == (
        f"kiosk: the signed head {away} could not be written: No such file or directory\n"
        "  remedy: see to that place: the next head is written there as well\n"
    )


# Export --------------------------------------------------------------------------------------------------------------


def test_every_row_is_one_line(data: Path, run: Run) -> None:
    status, out, err = run("export", "--data", data)
    rows = [json.decode(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [row["row"]["seq"] for row in rows] == list(range(1, 9))
    assert NUMBER not in out
    assert [row["personal"] for row in rows if "personal" in row] == [
        [{"sale": rows[2]["row"]["sales"][0], "label": "card", "value": "138 **** 5678"}]
    ]


def test_an_unmasked_export_is_journaled(data: Path, run: Run) -> None:
    status, out, _ = run("export", "--config", data.parent / "kiosk.toml", "--unmasked", "--by", "Ann")
    assert status == 0
    assert NUMBER in out
    assert json.decode(out.splitlines()[-1])["row"]["fact"] == {"type": "PersonalShown", "by": "Ann", "sales": []}


def test_a_reader_that_goes_away_is_no_mistake(data: Path) -> None:
    command = f"{sys.executable} -m kiosk journal export --data '{data}' | true"
    ended = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
