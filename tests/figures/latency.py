"""How fast the terminal answers its devices, on real lines and with a real journal on disk.

All protocols at once, which is harder than any terminal has it: each note of one waits for the commits of the others.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

from msgspec import Struct

from devices.registry import PROTOCOLS
from kiosk.ports.bill_validator import NoteStacked
from kiosk.ports.coin_acceptor import CoinInserted
from tests.figures.far import Order, Seen
from tests.figures.figure import Figure
from tests.figures.till import AT_WORK, Till, busy, till

NOTES = 30
WATCHED_S = 40.0  # polls are watched for so long
BEYOND_INTERVAL_MS = 10
JITTER_MAX_MS = 20
QUIET_SHARE = 0.3  # of a poll interval: after so much silence, what comes next is the next poll
BARE_INTERVAL_S = 0.2
PYTHONS_SWITCH_S = 0.005  # how long a thread computes before another may, unless somebody says otherwise


class Condition(Struct, frozen=True):
    """What else goes on in the process."""

    name: str
    beside: Callable[[], AbstractContextManager[None]]
    switch_s: float | None = None  # None: as the product sets it
    judged: bool = True


CONDITIONS = (
    Condition("quiet", nullcontext),
    Condition("busy", busy),
    Condition("busy, Python's own switching", busy, PYTHONS_SWITCH_S, judged=False),
)


def figures(notes: int = NOTES, watched_s: float = WATCHED_S) -> list[Figure]:
    """All of them, under each condition."""
    return [figure for condition in CONDITIONS for figure in measured(condition, notes, watched_s)]


def measured(condition: Condition, notes: int, watched_s: float) -> list[Figure]:
    product_s = sys.getswitchinterval()
    with till() as it, condition.beside():
        it.start()
        if condition.switch_s is not None:
            sys.setswitchinterval(condition.switch_s)
        try:
            it.wait_until_all_are(AT_WORK)
            paid = it.far.do(Order("insert", notes, seed=1))
            it.far.do(Order("asked"))
            bare_ms = _jitter_of_a_bare_process(watched_s)
            watched = it.far.do(Order("asked"))
            rows = [*_decisions(paid), *_credits(it, paid), *_jitters(watched), bare_ms]
        finally:
            sys.setswitchinterval(product_s)
    return [_as(figure, condition) for figure in rows]


def _as(figure: Figure, condition: Condition) -> Figure:
    goal = figure.at_most if condition.judged else None
    return Figure(f"{figure.name}, {condition.name}", figure.value, figure.unit, at_most=goal)


def _interval_ms(protocol: str) -> float:
    return PROTOCOLS[protocol].driver().poll_interval_s * 1000


def _decisions(paid: dict[str, Seen]) -> Iterator[Figure]:
    for protocol, seen in paid.items():
        took = [1000 * (piece.decided_s - piece.shown_s) for piece in seen.pieces if piece.decided_s and piece.shown_s]
        if took:
            goal = _interval_ms(protocol) + BEYOND_INTERVAL_MS
            yield Figure(f"escrow to stack, {protocol}", statistics.median(took), "ms", at_most=goal)


def _credits(it: Till, paid: dict[str, Seen]) -> Iterator[Figure]:
    for protocol, seen in paid.items():
        durable = [told.durable_s for told in it.facts(protocol, NoteStacked, CoinInserted)]
        ended = [piece.ended_s for piece in seen.pieces if piece.ended_s]
        took = [1000 * (known - said) for said, known in zip(ended, durable, strict=True)]
        yield Figure(f"credit to journal, {protocol}", statistics.median(took), "ms", at_most=_interval_ms(protocol))


def _jitters(watched: dict[str, Seen]) -> Iterator[Figure]:
    for protocol, seen in watched.items():
        nominal_ms = _interval_ms(protocol)
        polls = poll_starts(seen.at_s, QUIET_SHARE * nominal_ms / 1000)
        off = [abs(1000 * (after - before) - nominal_ms) for before, after in pairwise(polls)]
        yield Figure(f"poll jitter, 99 of 100, {protocol}", _percentile(off, 0.99), "ms", at_most=JITTER_MAX_MS)


def _jitter_of_a_bare_process(seconds: float) -> Figure:
    """What no terminal could better: that of a process which does nothing but wait, on this machine at this time."""
    command = [sys.executable, "-m", "tests.figures.latency", str(seconds)]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    return Figure("poll jitter, 99 of 100, a process that only waits", float(printed), "ms")


def main() -> None:
    """Wait again and again, as a poll does, and print how far off the intervals are."""
    woken: list[float] = []
    until_s = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < until_s:
        time.sleep(BARE_INTERVAL_S)
        woken.append(time.monotonic())
    off = [abs(1000 * (after - before - BARE_INTERVAL_S)) for before, after in pairwise(woken)]
    print(_percentile(off, 0.99))


def poll_starts(heard_s: list[float], quiet_s: float) -> list[float]:
    """When the host began to speak after a silence: a poll may be several messages."""
    return [after for before, after in pairwise([float("-inf"), *heard_s]) if after - before > quiet_s]


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


if __name__ == "__main__":
    main()
