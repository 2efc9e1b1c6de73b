"""Same seed, same lives: on disk or in memory, byte for byte."""

import json
from collections import Counter
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.money.database import FILE_NAME, connect
from kiosk.simulate.campaign import Report, campaign
from kiosk.simulate.luck import SOMETIMES, Faults

VISITS = 1_500  # two terminals, the second one shorter


def lived(seed: int, visits: int = VISITS, data: Path | None = None) -> Report:
    return campaign(seed, visits, Faults(), data)


def test_no_law_is_broken_and_every_visit_is_lived() -> None:
    report = lived(seed=3)
    assert report.findings == []
    assert report.sessions == VISITS
    assert report.rows > 5 * VISITS


def test_same_seed_same_journal_on_disk_and_in_memory(tmp_path: Path) -> None:
    in_memory, on_disk = lived(4, 300), lived(4, 300, tmp_path / "kept")
    assert in_memory.journal_head == on_disk.journal_head
    assert in_memory.sometimes == on_disk.sometimes
    assert lived(5, 300).journal_head != in_memory.journal_head


def test_terminals_are_kept_as_numbered_folders(tmp_path: Path) -> None:
    report = lived(6, 1_001, tmp_path)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["0001", "0002"]
    rows = 0
    for number in ("0001", "0002"):
        db = connect(tmp_path / number / FILE_NAME)
        rows += db.execute("SELECT count(*) FROM entry").get
        db.close()
    assert rows == report.rows


def test_situations_that_never_came_up_fail_only_a_long_lived() -> None:
    short = Report(1, sessions=99_999)
    long = Report(1, sessions=100_000)
    assert short.never == list(SOMETIMES)
    assert not short.failed
    assert long.failed
    assert not Report(1, sessions=100_000, sometimes=Counter(SOMETIMES)).failed


def test_the_command_reports_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--sessions", "50", "--seed", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["sessions"] == 50
    assert report["violations"] == 0
    assert report["sessions_per_s"] > 0
    assert report["sometimes"]["host_killed_before_commit"] >= 0
    assert len(report["journal_head"]) == 64


def test_the_command_keeps_nothing_over_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("precious")
    assert main(["simulate", "--sessions", "5", "--data", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["simulate", "--sessions", "5", "--data", str(tmp_path / "mine")]) == 2
    assert "cannot hold the journals" in capsys.readouterr().err
    assert main(["simulate", "--sessions", "0"]) == 2
