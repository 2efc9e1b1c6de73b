"""A disk that is full is called so, with the remedy that helps: a small one of its own is mounted for the test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kiosk.configured import write_config

ROOT = Path(__file__).parents[2]
MOUNTED = ["unshare", "--map-root-user", "--mount", "/bin/sh", "-c"]
FILLED = "cat /dev/zero > disk/filling 2> /dev/null"


def on_a_small_disk(folder: Path, kilobytes: int, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which $kiosk is the command, where ./disk has so much room and vanishes afterwards."""
    (folder / "disk").mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "kiosk": f"{sys.executable} -m kiosk"}
    mount = f"mount -t tmpfs -o size={kilobytes}k none disk"
    may = subprocess.run([*MOUNTED, mount], cwd=folder, capture_output=True, check=False)
    if may.returncode:
        pytest.skip("this account may not mount anything")
    return subprocess.run(
        [*MOUNTED, f"{mount}; {line}"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kilobytes", [8, 32, 64, 128])
def test_a_journal_that_finds_no_room_is_not_begun(tmp_path: Path, kilobytes: int) -> None:
    write_config(tmp_path, data="disk/data")
    done = on_a_small_disk(tmp_path, kilobytes, "$kiosk init --config kiosk.toml")
    data = tmp_path / "disk" / "data"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"kiosk: no journal could be made in {data}: the disk is full\n"
        f"  remedy: make room there, remove {data}/journal.sqlite3* and run `kiosk init` again\n"
    )


@pytest.mark.parametrize("what", ["machine_key", "data"])
def test_nothing_can_be_made_where_no_name_has_room(tmp_path: Path, what: str) -> None:
    write_config(tmp_path, **{what: "disk/new"})
    done = on_a_small_disk(tmp_path, 4, f"mount -o remount,nr_inodes=1 disk; {FILLED}; $kiosk init --config kiosk.toml")
    assert done.returncode == 2
    assert "cannot be made: No space left on device\n  remedy: make room on that disk, and run" in done.stderr


def test_what_is_on_a_full_disk_can_be_read(tmp_path: Path) -> None:
    write_config(tmp_path, data="disk/data")
    line = f"""
        $kiosk init --config kiosk.toml > begun && {FILLED}
        $kiosk totals --data disk/data && $kiosk journal verify --data disk/data && $kiosk check --config kiosk.toml
    """
    done = on_a_small_disk(tmp_path, 300, line)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Every row, every transfer and every derived table agrees." in done.stdout


def test_what_would_have_to_be_written_there_is_told(tmp_path: Path) -> None:
    write_config(tmp_path, data="disk/data")
    line = f"""
        $kiosk init --config kiosk.toml > begun && {FILLED}
        $kiosk adopt --config kiosk.toml --by Ann --reason moved
    """
    done = on_a_small_disk(tmp_path, 300, line)
    assert (done.returncode, done.stdout) == (2, "")
    assert "/disk/data/journal.sqlite3 cannot be opened: No space left on device\n" in done.stderr
    assert "  remedy: make room on that disk, and run the command again\n" in done.stderr
