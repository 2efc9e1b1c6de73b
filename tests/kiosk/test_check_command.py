"""The command line answers in sentences: what is right, what is wrong and where, and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk import cli

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "kiosk.example.toml"


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
  remedy: remove it; known here are terminal, journal, cash, claims
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


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["chek"], 'kiosk: there is no command "chek"\n  remedy: did you mean kiosk check?\n'),
        (["launch"], 'kiosk: there is no command "launch"\n  remedy: kiosk --help lists the commands\n'),
        (["--loud"], 'kiosk: there is no command "--loud"\n  remedy: kiosk --help lists the commands\n'),
        (
            ["check"],
            """\
kiosk: the following arguments are required: --config
  remedy: kiosk check --help shows what can be written
""",
        ),
    ],
)
def test_mistyped_command_is_a_sentence(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    assert capsys.readouterr().err == said


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    for name, (_, line) in cli.COMMANDS.items():
        assert [name, line] in lines


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: kiosk ")


def test_only_the_chosen_command_is_loaded() -> None:
    program = "import sys, kiosk.cli; kiosk.cli.main(['chek']); print(*(m for m in sys.modules if 'kiosk' in m))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["kiosk", "kiosk.cli", "kiosk.commands", "kiosk.errors"]


def test_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("kiosk.commands.check.run", interrupted)
    assert cli.main(["check", "--config", "any"]) == 130
    assert capsys.readouterr() == ("", "")


def kiosk(*argv: str, stdout: int, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "kiosk", *argv]
    return subprocess.run(command, cwd=ROOT, env=env, stdout=stdout, stderr=subprocess.PIPE, check=False)


def test_reader_who_has_gone_is_no_error(file: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = kiosk("check", "--config", str(file), stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_terminal_without_chinese_still_gets_its_report(file: Path) -> None:
    file.write_text(file.read_text().replace("Entrance hall", "大堂"), encoding="utf-8")
    done = kiosk(
        "check", "--config", str(file), stdout=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"demo-0001, \\u5927\\u5802, bench" in done.stdout
