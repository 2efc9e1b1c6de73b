"""Virtual time: what is to happen next happens at once, and the clock says that it waited."""

import heapq
from collections.abc import Callable, Generator
from typing import Any

Process = Generator[int, None, None]  # yields how many milliseconds it waits

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


class Agenda:
    """A clock and what it still has to bring about; at the same moment, first asked is first done."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._next = 0
        self._heap: list[tuple[int, int, Callable[..., Any], tuple[Any, ...]]] = []

    def after(self, delay_ms: int, do: Callable[..., Any], *args: Any) -> None:  # noqa: ANN401 - they are passed on as they came
        """Do it when that much time has passed."""
        self._next += 1
        heapq.heappush(self._heap, (self.now_ms + delay_ms, self._next, do, args))

    def process(self, process: Process) -> None:
        """Run it until it waits; go on when it has waited."""
        delay_ms = next(process, None)
        if delay_ms is not None:
            self.after(delay_ms, self.process, process)

    def turn(self) -> bool:
        """Do the next thing; False when nothing is left."""
        if not self._heap:
            return False
        self.now_ms, _, do, args = heapq.heappop(self._heap)
        do(*args)
        return True
