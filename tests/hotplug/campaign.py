"""The campaign: every protocol at once, each cable pulled in mid-whatever, and what this process holds afterwards."""

import gc
import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.figures.far import Order
from tests.figures.idle import memory_mb
from tests.figures.till import AT_WORK, Till, till

FACTS_KEPT = 100  # what is remembered for looking at must not pass for a leak
MISSED_MAX = 1  # of all openings: once in 8,000 one was not counted, and how that came about is not known
GROWTH_MAX_MB = 8.0  # what the database and the interpreter keep for later settles within it


class Inside(Struct, frozen=True):
    """What this process holds."""

    threads: tuple[str, ...]
    handles: tuple[str, ...]  # of what kind, and how many of each
    memory_mb: float
    objects: int
    open_things: int  # that the core waits for: doubts stay open until a person has looked


class Report(Struct, frozen=True):
    """What came of it."""

    pulled: dict[str, int]  # times that each cable was out
    found: dict[str, int]  # times that its line was opened
    notes: dict[str, int]  # that were inserted meanwhile
    before: Inside
    after: Inside
    logged: tuple[str, ...]
    conditions: dict[str, str]

    @property
    def findings(self) -> list[str]:
        """What is wrong."""
        found = [f"logged: {line}" for line in self.logged]
        found += [f"{name} is {state}" for name, state in self.conditions.items() if state not in AT_WORK]
        found += [
            f"{name} was not looked for each time: opened {self.found[name]} times after {pulled} pulls"
            for name, pulled in self.pulled.items()
            if self.found[name] < pulled - MISSED_MAX
        ]
        if self.before.threads != self.after.threads:
            found.append(f"threads before {self.before.threads}, after {self.after.threads}")
        if self.before.handles != self.after.handles:
            found.append(f"descriptors before {self.before.handles}, after {self.after.handles}")
        growth_mb = self.after.memory_mb - self.before.memory_mb
        if growth_mb > GROWTH_MAX_MB:
            found.append(f"memory has grown by {growth_mb:.1f} MB")
        return found

    def __str__(self) -> str:
        lines = [
            f"{name}: pulled {times} times, found {self.found[name]} times, {self.notes[name]} notes or coins"
            for name, times in self.pulled.items()
        ]
        for inside, when in ((self.before, "before"), (self.after, "after")):
            lines.append(
                f"{when}: {len(inside.threads)} threads, descriptors: {', '.join(inside.handles)}; "
                f"{inside.memory_mb:.1f} MB, {inside.objects} objects, {inside.open_things} open things"
            )
        return "\n".join([*lines, *(f"FOUND: {finding}" for finding in self.findings)])


def campaign(times: int, warm_up: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> Report:
    """Pull each cable so often, after a warm-up."""
    with errors_heard() as logged, till(sales_end=True, facts_kept=FACTS_KEPT) as it:
        it.start()
        it.wait_until_all_are(AT_WORK)
        it.far.do(Order("hotplug", warm_up, seed))
        before = _inside(it)
        it.found.clear()
        seen = it.far.do(Order("hotplug", times, seed + 1), progress)
        after = _inside(it)
        found = dict(it.found)
        conditions = {name: supervisor.condition.state.value for name, supervisor in it.supervisors.items()}
    pulled, notes = ({name: one.times for name, one in seen.items()}, {name: one.notes for name, one in seen.items()})
    return Report(pulled, found, notes, before, after, tuple(logged), conditions)


@contextmanager
def errors_heard() -> Generator[list[str]]:
    """What is logged as an error meanwhile, with its traceback."""
    heard: list[str] = []
    ear = _Ear(heard)
    root = logging.getLogger()
    root.addHandler(ear)
    try:
        yield heard
    finally:
        root.removeHandler(ear)


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """As promised by Handler."""
        self._heard.append(self.format(record))


def _inside(it: Till) -> Inside:
    """As it is when every device is at work."""
    it.wait_until_all_are(AT_WORK)
    gc.collect()
    return Inside(
        tuple(sorted(thread.name for thread in threading.enumerate())),
        tuple(f"{count} {kind}" for kind, count in sorted(_handles().items())),
        memory_mb(),
        len(gc.get_objects()),
        len(it.core.open_things()),
    )


def _handles() -> Counter[str]:
    """What lies behind each descriptor, without the numbers that differ each time."""
    kinds: Counter[str] = Counter()
    for handle in Path("/proc/self/fd").iterdir():
        try:
            kind = str(handle.readlink())
        except FileNotFoundError:  # the one that reads the folder
            continue
        kinds["pty" if kind.startswith("/dev/pts/") else kind.partition(":")[0].rpartition("/")[2]] += 1
    return kinds
