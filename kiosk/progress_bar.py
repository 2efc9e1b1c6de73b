"""A bar for whoever waits: how far, of how much, how fast. It goes to the error stream, and only to a person."""

import sys
import time
from contextlib import suppress

WIDTH = 30
INTERVAL_S = 0.2  # between two drawings
BLOCKS = "█·"  # done, and not done yet
ASCII = "#."  # the same, for a terminal that has no blocks


class ProgressBar:
    """Drawn while rows are read; wiped when it is done."""

    def __init__(self, what: str, *, wanted: bool = False) -> None:
        self._what = what
        self._shown = wanted or sys.stderr.isatty()
        self._done, self._left = BLOCKS if _can_carry(sys.stderr.encoding, BLOCKS) else ASCII
        self._begun = self._drawn = time.monotonic()
        self._width = 0

    def __call__(self, done: int, of: int) -> None:
        """So many of so many are done."""
        now = time.monotonic()
        if not self._shown or (now - self._drawn < INTERVAL_S and done < of):
            return
        self._drawn = now
        filled = WIDTH * done // max(of, 1)
        rate = round(done / max(now - self._begun, 1e-9))
        bar = self._done * filled + self._left * (WIDTH - filled)
        line = f"{bar} {done:,} of {of:,} {self._what}, {rate:,} a second"
        self._width = max(self._width, len(line))
        _write(f"\r{line:<{self._width}}")

    def wipe(self) -> None:
        """Leave the line as it was."""
        if self._width:
            _write(f"\r{'':<{self._width}}\r")


def _can_carry(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _write(text: str) -> None:
    with suppress(OSError):  # a bar that cannot be drawn stops nobody's work
        sys.stderr.write(text)
        sys.stderr.flush()
