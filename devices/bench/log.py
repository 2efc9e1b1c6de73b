"""What happened on the simulated machine, in plain words: what people did to it, and what went over its wires."""

import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Literal

from msgspec import Struct

KEPT = 500

Who = Literal["hand", "host", "device"]  # whose doing it was: a person's, the terminal's or the device's


class Line(Struct, frozen=True):
    """One thing that happened."""

    number: int
    at_ms: int  # since 1970
    device: str  # "": the whole machine
    who: Who
    says: str


class Log:
    """The latest of it; whoever wants to hear what comes says so."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._last: dict[str, tuple[Who, str]] = {}  # word on each device's line

    def say(self, device: str, who: Who, says: str) -> None:
        """Write a line; what is said again with nothing new between is written once."""
        if who != "hand" and self._last.get(device) == (who, says):
            return
        self._lines.append(Line(next(self._numbers), round(self._clock() * 1000), device, who, says))
        self._last[device] = who, says

    def after(self, number: int) -> list[Line]:
        """What was written since that line, oldest first."""
        return [line for line in self._lines if line.number > number]
