"""A bar is drawn in what its stream can carry, and stops nobody's work."""

import io
import sys
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from kiosk.progress_bar import ProgressBar


def drawn(monkeypatch: pytest.MonkeyPatch, encoding: str) -> str:
    """Draw half a bar and a whole one as a terminal of this encoding gets them."""
    stream = io.TextIOWrapper(raw := io.BytesIO(), encoding, errors="backslashreplace")
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("kiosk.progress_bar.INTERVAL_S", 0)
    bar = ProgressBar("rows", wanted=True)
    bar(1, 2)
    bar(2, 2)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_blocks_where_there_are_blocks(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    _, half, whole = drawn(monkeypatch, encoding).split("\r")
    assert half.startswith("█" * 15 + "·" * 15 + " 1 of 2 rows, ")
    assert whole.startswith("█" * 30 + " 2 of 2 rows, ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_plain_signs_where_there_are_none(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    _, half, whole = drawn(monkeypatch, encoding).split("\r")
    assert half.startswith("#" * 15 + "." * 15 + " 1 of 2 rows, ")
    assert whole.startswith("#" * 30 + " 2 of 2 rows, ")


def test_bar_that_cannot_be_drawn_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(cast("BinaryIO", full), "utf-8", write_through=True))
        with pytest.raises(OSError, match="No space left"):
            sys.stderr.write("x")
        bar = ProgressBar("rows", wanted=True)
        bar(1, 1)
        bar.wipe()
