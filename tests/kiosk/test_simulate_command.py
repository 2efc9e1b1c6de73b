"""`kiosk simulate` tells a broken law from a disk that fails: the one is a finding, the other stops the campaign."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from kiosk.cli import main
from kiosk.errors import UsageError
from kiosk.flow.core import Stopped
from kiosk.money.journal import JournalBroken
from kiosk.simulate import campaign
from kiosk.simulate.judge import Violation
from kiosk.simulate.luck import Faults
from kiosk.simulate.world import World

ROOT = Path(__file__).parents[2]
REMEDY = "name a new folder that this account can write to, on a disk with room: 25 MB for each thousand visits"
DEMO = ROOT / "deploy" / "demo"
Capture = pytest.CaptureFixture[str]


def test_one_is_not_many(capsys: Capture) -> None:
    assert main(["simulate", "--sessions", "1", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 visit, ")
    assert out.endswith("\n0 violations\n")


def test_the_visit_that_is_shown_to_newcomers_is_what_they_are_told_it_is(tmp_path: Path, capsys: Capture) -> None:
    """The same seed, the same lives."""
    shown = re.search(r"simulate --sessions \d+ (--seed \d+) .*/0001\" (visit-(\d+))", DEMO.read_text(), re.DOTALL)
    assert shown
    seed, name, visits = shown.groups()
    command = ["simulate", "--sessions", str(int(visits) + 1), *seed.split(), "--data", str(tmp_path / "kept")]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["journal", "show", "--data", str(tmp_path / "kept" / "0001"), name]) == 0
    story = capsys.readouterr().out
    assert re.search(
        r"A note of [^\n]* \(note (\d+)\); the intent to stack it is recorded\.\n[^\n]*The terminal has started anew"
        r".*bill is asked what became of note \1\.\n",
        story,
        re.DOTALL,
    )


# The disk ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kilobytes", [1, 100, 1_000], ids=["no tables", "no row", "no more rows"])
def test_full_disk_breaks_no_law(tmp_path: Path, kilobytes: int) -> None:
    """No file may grow beyond so much: the write fails as on a full disk."""
    data = tmp_path / "kept"
    line = f'ulimit -f {2 * kilobytes} && exec "$@"'
    command = [sys.executable, "-m", "kiosk", "simulate", "--sessions", "1000", "--data", str(data)]
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    problem, remedy = done.stderr.splitlines()
    assert problem.startswith(f"kiosk: {data} cannot hold the journals: ")
    assert problem.endswith("disk I/O error")
    assert remedy == f"  remedy: {REMEDY}"


def test_folder_that_vanishes_breaks_no_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host dies, and when it comes back its folder is gone."""
    data, connect, opened = tmp_path / "kept", campaign.connect, 0

    def connect_without_folder(path: Path | None) -> apsw.Connection:
        nonlocal opened
        opened += 1
        if opened > 1:
            shutil.rmtree(data)
        return connect(path)

    monkeypatch.setattr(campaign, "connect", connect_without_folder)
    with pytest.raises(UsageError) as stopped:
        campaign.campaign(1, 1_000, Faults(host_killed_after_commit=0.5), data)
    assert stopped.value.problem == f"{data} cannot hold the journals: unable to open database file"
    assert stopped.value.remedy == REMEDY


def test_next_terminal_s_folder_that_cannot_be_made_breaks_no_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "VISITS_A_TERMINAL", 1)
    data = tmp_path / "kept"
    lived = campaign.terminals(1, 2, Faults(), data)
    assert next(lived).findings == []
    data.rename(tmp_path / "moved")
    data.touch()
    with pytest.raises(UsageError) as stopped:
        next(lived)
    assert stopped.value.problem == f"{data} cannot hold the journals: Not a directory"


def test_disk_that_keeps_no_promises_breaks_no_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("kiosk.money.journal.DURABLE", (("journal_mode", "impossible"),))
    assert main(["simulate", "--sessions", "1", "--data", str(tmp_path / "kept")]) == 2
    told = capsys.readouterr().err
    assert "the database does not keep its promises" in told
    assert "\n  remedy: put the data folder on a local disk" in told


def broken_by(cause: Exception) -> JournalBroken:
    broken = JournalBroken(f"the journal could not be written: {cause}")
    broken.__cause__ = cause
    return broken


def stopped_by(cause: Exception) -> Stopped:
    stopped = Stopped(str(cause), [])
    stopped.__cause__ = cause
    return stopped


OF_THE_DISK = [
    OSError(28, "No space left on device"),
    JournalBroken("the journal could not be written"),
    apsw.IOError("disk I/O error"),
    broken_by(apsw.FullError("database or disk is full")),
    stopped_by(broken_by(apsw.ReadOnlyError("attempt to write a readonly database"))),
]
OF_OURS = [
    Violation("a law"),
    broken_by(apsw.SQLError("no such table: entry")),
    stopped_by(broken_by(apsw.SQLError("no such table: entry"))),
    stopped_by(apsw.ConstraintError("the ledger refuses")),
    LookupError("a slip of the program"),
]


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def live(_: World, __: int) -> None:
        raise error

    monkeypatch.setattr(campaign, "_live", live)


@pytest.mark.parametrize("error", OF_THE_DISK, ids=repr)
def test_whatever_the_disk_says_stops_the_campaign_only_where_there_is_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_with(error, monkeypatch)
    with pytest.raises(UsageError, match="cannot hold the journals"):
        campaign.campaign(1, 1, Faults(), tmp_path / "kept")
    assert len(campaign.campaign(1, 1, Faults()).findings) == 1


@pytest.mark.parametrize("error", OF_OURS, ids=repr)
def test_whatever_else_goes_wrong_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_with(error, monkeypatch)
    assert len(campaign.campaign(1, 1, Faults(), tmp_path / "kept").findings) == 1


def test_findings_outlive_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The first terminal breaks a law, and the disk fails under the second one."""
    ends = [Violation("a coin is gone"), OSError(28, "No space left on device")]

    def live(_: World, __: int) -> None:
        raise ends.pop(0)

    monkeypatch.setattr(campaign, "VISITS_A_TERMINAL", 1)
    monkeypatch.setattr(campaign, "_live", live)
    assert main(["simulate", "--sessions", "2", "--data", str(tmp_path / "kept")]) == 2
    said = capsys.readouterr()
    assert re.search(r"\n1 violation\n  terminal 1 \(seed 1/1\), row \d+: a coin is gone\n$", said.out)
    assert said.err == (
        f"kiosk: {tmp_path}/kept cannot hold the journals: No space left on device\n  remedy: {REMEDY}\n"
    )
