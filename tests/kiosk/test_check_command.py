"""`kiosk check` says what the configuration amounts to, or what is wrong in it, where, and what to do."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk import cli, config

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
  journal     {file.parent}/data (kiosk init will create it)
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
