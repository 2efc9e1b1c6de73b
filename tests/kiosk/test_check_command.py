"""`kiosk check` says what the configuration amounts to, or what is wrong in it, where, and what to do."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from kiosk import cli, config
from kiosk.config import Config
from kiosk.errors import UsageError
from kiosk.money.database import FILE_NAME
from kiosk.money.folder import open_for_money
from tests.kiosk.configured import begun, leave_money, running

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "kiosk.example.toml"
NOBODY = 65534


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "machine.key").write_text("5a" * 32)
    (tmp_path / "machine.key").chmod(0o600)
    copy = tmp_path / "kiosk.toml"
    copy.write_bytes(EXAMPLE.read_bytes())
    return copy


def test_right_file_is_summed_up(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--config", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert (
        said.out
        == f"""\
{file} is right.
  terminal    demo-0001, Entrance hall, bench
  day         begins at 04:00, Asia/Shanghai
  languages   zh-Hans, zh-Hant, en
              no texts yet for zh-Hans, zh-Hant: customers cannot choose them
  journal     {file.parent}/data (kiosk init will begin it)
  head copy   none: a rollback of the whole disk would not be noticed here
  personal    wiped 90 days after the end of a sale
  cash        CNY 1.00 5.00 10.00 20.00 50.00 100.00
  limits      1000.00 a sale, 100.00 beyond the price by one note
  excess      owed; the customer may choose owed or added
  walk away   deliver
  claims      never expire; 10 attempts at a code an hour
"""
    )


def test_mistakes_are_told_each_with_its_remedy(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["x = 1", *file.read_text().replace('mode = "bench"', 'mode = "real"').split("\n")]
    file.write_text("\n".join(lines))
    assert cli.main(["check", "--config", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert (
        said.err
        == f"""\
kiosk: {file}:1:x: nothing of this name is known here
  remedy: remove it; known here are terminal, journal, cash, claims, bench, devices
kiosk: {file}:{lines.index('mode = "real"') + 1}:terminal.mode: "real" is not a choice
  remedy: write "live" or "bench"
"""
    )


def test_absent_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--config", str(tmp_path / "no.toml")]) == 2
    assert capsys.readouterr().err == (
        f"kiosk: {tmp_path}/no.toml: it cannot be read: No such file or directory\n"
        "  remedy: name the configuration with --config FILE, and let this account read it\n"
    )


def test_languages_that_have_texts_need_no_word(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace('languages = ["zh-Hans", "zh-Hant", "en"]', 'languages = ["en"]'))
    assert cli.main(["check", "--config", str(file)]) == 0
    assert "  languages   en\n  journal " in capsys.readouterr().out


def test_one_is_not_many(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = file.read_text()
    for line in ("keep_personal_days = 90", "# expire_days = 365", "code_attempts_per_hour = 10"):
        assert line in text
        text = text.replace(line, re.sub(r"\d+", "1", line.removeprefix("# ")))
    file.write_text(text)
    assert cli.main(["check", "--config", str(file)]) == 0
    out = capsys.readouterr().out
    assert "  personal    wiped 1 day after the end of a sale\n" in out
    assert "  claims      expire after 1 day; 1 attempt at a code an hour\n" in out


def test_newcomer_is_told_the_line_that_makes_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example is copied, checked, begun as the remedy says, and checked again."""
    (tmp_path / "my kiosk.toml").write_bytes(EXAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert cli.main(["check", "--config", "my kiosk.toml"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[1:] == ["  remedy: run: kiosk init --config 'my kiosk.toml'"]
    command = shlex.split(told[1].removeprefix("  remedy: run: kiosk "))
    assert cli.main(command) == 0
    assert cli.main(["check", "--config", "my kiosk.toml"]) == 0


def a_foreign_key(found: Config) -> None:
    found.journal.machine_key.write_text("5a" * 32)


def a_half_made_journal(found: Config) -> None:
    for path in found.journal.data.iterdir():
        path.unlink()
    (found.journal.data.parent / "elsewhere.head").unlink()
    (found.journal.data / FILE_NAME).touch()


def a_journal_that_was_set_back(found: Config) -> None:
    before = {path: path.read_bytes() for path in found.journal.data.iterdir()}
    with running(found) as core:
        leave_money(core, "later")
    for path, content in before.items():
        path.write_bytes(content)


def rows_that_were_cut_off(found: Config) -> None:
    (found.journal.data.parent / "elsewhere.head").unlink()
    before = (found.journal.data / FILE_NAME).read_bytes()
    with running(found) as core:
        leave_money(core, "later")
    (found.journal.data / FILE_NAME).write_bytes(before)


def an_adoption_without_its_head(found: Config) -> None:
    before = {path: path.read_bytes() for path in found.journal.data.glob("head*")}
    options = ["--by", "Ann", "--reason", "moved"]
    assert cli.main(["adopt", "--config", str(found.journal.data.parent / "kiosk.toml"), *options]) == 0
    for path, content in before.items():
        path.write_bytes(content)


def no_journal_any_more(found: Config) -> None:
    (found.journal.data / FILE_NAME).unlink()


def a_changed_row(found: Config) -> None:
    with closing(apsw.Connection(str(found.journal.data / FILE_NAME))) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.execute("UPDATE entry SET body = x'7b7d' WHERE seq = 3")


@pytest.mark.parametrize(
    "spoil",
    [
        *(a_foreign_key, a_half_made_journal, a_journal_that_was_set_back, rows_that_were_cut_off),
        *(an_adoption_without_its_head, no_journal_any_more, a_changed_row),
    ],
)
def test_nothing_is_right_with_which_the_terminal_would_take_no_money(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Config], None]
) -> None:
    """The words are those with which it would refuse."""
    found = begun(tmp_path, head_copy=str(tmp_path / "elsewhere.head"))
    with running(found) as core:
        leave_money(core, "first")
    command = ["check", "--config", str(tmp_path / "kiosk.toml")]
    capsys.readouterr()
    assert cli.main(command) == 0
    assert f"  journal     {found.journal.data}\n" in capsys.readouterr().out
    spoil(found)
    capsys.readouterr()
    before = {path: path.read_bytes() for path in found.journal.data.iterdir()}
    status = cli.main(command)
    said = capsys.readouterr()
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(UsageError) as refused:
        open_for_money(found)
    assert (status, said.out, said.err) == (refused.value.status, "", f"{refused.value}\n")
    assert status


def test_a_terminal_at_work_is_checked_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = begun(tmp_path)
    with running(found) as core:
        leave_money(core, "first")
        assert cli.main(["check", "--config", str(tmp_path / "kiosk.toml")]) == 0
    assert capsys.readouterr().err == ""


def test_a_copy_of_the_head_needs_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    away = tmp_path / "disk" / "elsewhere.head"
    away.parent.mkdir()
    found = begun(tmp_path, head_copy=str(away))
    away.parent.rename(tmp_path / "unplugged")
    capsys.readouterr()
    assert cli.main(["check", "--config", str(tmp_path / "kiosk.toml")]) == 2
    assert capsys.readouterr().err == (
        f"kiosk: there is no folder {tmp_path}/disk for the copy of the signed head, elsewhere.head\n"
        "  remedy: mount the disk that holds it, make the folder, or name another path as head_copy\n"
    )
    assert found.journal.data.is_dir()


def test_pipe_is_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "kiosk", "check", "--config", str(tmp_path / "pipe")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == (
        f"kiosk: {tmp_path}/pipe: this is a pipe, a socket or a device, not a file\n"
        "  remedy: name the configuration itself\n"
    )
    assert done.returncode == 2


@pytest.mark.parametrize(("data", "closed"), [("data", "data"), ("closed/data", "closed")])
def test_data_folder_has_to_be_writable(file: Path, capsys: pytest.CaptureFixture[str], data: str, closed: str) -> None:
    """`check` speaks for the terminal, which will write; whoever only reads a journal is not asked for more."""
    lines = file.read_text().replace('data = "data"', f'data = "{data}"')
    file.write_text(lines)
    (file.parent / closed).mkdir()
    assert cli.main(["check", "--config", str(file)]) == 0
    capsys.readouterr()
    with without_rights(file.parent / closed):
        assert config.read(file).journal.data == file.parent / data
        assert cli.main(["check", "--config", str(file)]) == 2
    line = lines.split("\n").index(f'data = "{data}"') + 1
    assert capsys.readouterr().err == (
        f"kiosk: {file}:{line}:journal.data: this account cannot write to the folder {file.parent / closed}\n"
        "  remedy: let it, with chown or chmod, or run kiosk as the account that owns the folder\n"
    )


@contextmanager
def without_rights(folder: Path) -> Generator[None]:
    """Be an account that may look into this folder and not write to it, also where the tests run as root."""
    folder.chmod(0o555)
    if os.geteuid() == 0:
        for above in list(folder.parents)[:3]:
            above.chmod(above.stat().st_mode | 0o055)
        os.chown(folder.parent / "machine.key", NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        folder.chmod(0o755)
