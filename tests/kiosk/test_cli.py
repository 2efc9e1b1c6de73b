"""The command line answers in sentences, wherever its output goes and whoever has closed it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kiosk import cli
from tests.kiosk.configured import begun

ROOT = Path(__file__).parents[2]
FULL = (
    "kiosk: the output could not be written: No space left on device\n"
    "  remedy: make room where it goes, or send it elsewhere, and run the command again\n"
)
CLOSED = (
    "kiosk: the output is closed, and this command has something to say\n"
    "  remedy: leave it open, or send it to a file or to /dev/null\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a terminal that has begun: its configuration, its key and its journal."""
    begun(tmp_path)
    return tmp_path


def shell(line: str, folder: Path, *, unbuffered: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which $kiosk is the command and $folder the terminal's folder."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1" if unbuffered else "", "PYTHONPATH": str(ROOT)}
    env |= {"kiosk": f"{sys.executable} -m kiosk", "folder": str(folder)}
    return subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True, text=True, check=False)


# Commands and words --------------------------------------------------------------------------------------------------


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


def test_version_is_the_package_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr() == (f"kiosk {project['version']}\n", "")


def test_only_the_chosen_command_is_loaded() -> None:
    program = "import sys, kiosk.cli; kiosk.cli.main(['chek']); print(*(m for m in sys.modules if 'kiosk' in m))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == [
        *("kiosk", "kiosk.cli", "kiosk.command_line", "kiosk.commands", "kiosk.errors", "kiosk.streams"),
    ]


def test_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("kiosk.commands.check.run", interrupted)
    assert cli.main(["check", "--config", "any"]) == 130
    assert capsys.readouterr() == ("", "")


def test_interrupt_ends_quietly_also_while_the_program_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loading:
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "kiosk.command_line", Loading())
    assert cli.main(["--version"]) == 130
    program = "import sys, kiosk.cli; print([m for m in ('argparse', 're', 'pathlib', 'typing') if m in sys.modules])"
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"  # the way to the first thing that catches it is short


def test_file_that_nobody_was_prepared_for_is_no_matter_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    def unprepared(_: object) -> int:
        Path("/nowhere/at/all").read_bytes()
        return 0

    monkeypatch.setattr("kiosk.commands.check.run", unprepared)
    with pytest.raises(FileNotFoundError, match="/nowhere/at/all"):
        cli.main(["check", "--config", "any"])


# Output --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unbuffered", [False, True], ids=["at the last flush", "at once"])
@pytest.mark.parametrize(
    "command",
    [
        "check --config $folder/kiosk.toml",
        "totals --data $folder/data",
        "journal export --data $folder/data",
        "journal verify --data $folder/data",
        "journal --help",
        "--help",
        "--version",
    ],
)
def test_full_disk_behind_the_output_is_a_sentence(folder: Path, command: str, *, unbuffered: bool) -> None:
    done = shell(f"$kiosk {command} > /dev/full", folder, unbuffered=unbuffered)
    assert (done.returncode, done.stderr) == (2, FULL)


def test_full_disk_hides_no_other_mistake(folder: Path) -> None:
    done = shell("$kiosk journal show nobody --data $folder/data > /dev/full", folder)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, 'kiosk: no sale answers to "nobody"')


@pytest.mark.parametrize(
    "command", ["totals --data $folder/data", "journal export --data $folder/data", "check --help"]
)
def test_closed_output_is_a_sentence(folder: Path, command: str) -> None:
    done = shell(f"$kiosk {command} >&-", folder)
    assert (done.returncode, done.stderr) == (2, CLOSED)


def test_nothing_is_begun_that_could_not_be_told(folder: Path) -> None:
    (folder / "data").rename(folder / "earlier")
    assert shell("$kiosk init --config $folder/kiosk.toml >&-", folder).stderr == CLOSED
    assert not (folder / "data").exists()


@pytest.mark.parametrize("where", ["2>&-", "2> /dev/full"])
def test_work_goes_on_where_nobody_hears_complaints(folder: Path, where: str) -> None:
    done = shell(f"$kiosk journal verify --progress --data $folder/data {where}", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Every row, every transfer and every derived table agrees.\n" in done.stdout


@pytest.mark.parametrize("where", ["2>&-", "2> /dev/full", ">&- 2>&-", "> /dev/full 2> /dev/full"])
def test_status_is_right_where_nobody_hears_complaints(folder: Path, where: str) -> None:
    done = shell(f"$kiosk check --config $folder/none.toml {where}", folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_who_has_gone_is_no_error(folder: Path, unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "kiosk", "check", "--config", str(folder / "kiosk.toml")]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_terminal_without_chinese_still_gets_its_report(folder: Path) -> None:
    file = folder / "kiosk.toml"
    file.write_text(file.read_text().replace("Entrance hall", "大堂"), encoding="utf-8")
    done = shell("PYTHONIOENCODING=ascii $kiosk check --config $folder/kiosk.toml", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "demo-0001, \\u5927\\u5802, bench" in done.stdout
