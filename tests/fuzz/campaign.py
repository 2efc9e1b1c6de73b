"""Life after life of one protocol, until enough has gone wrong."""

import signal
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType

from msgspec import Struct, field

from tests.fuzz.life import Finding, Life
from tests.fuzz.line import HungError

LIFE_MAX_S = 60  # of real time, against a loop that neither reads nor writes; a life takes a tenth of a second
FINDINGS_MAX = 10
FORGED_MAX = 0.03  # of all frames: a check of seven or eight bits lets half as many through, none at all lets more
ENOUGH = 1_000  # frames to say so


class Report(Struct):
    """What was tried, and what came of it."""

    protocol: str
    seed: int
    frames: int = 0  # harmed questions and answers, and noises
    lives: int = 0
    forged: int = 0  # lives that ended with a frame that nobody sent, and that no driver could have told from others
    lost: int = 0
    told: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{count:,} {fact}" for fact, count in sorted(self.told.items()))
        return (
            f"{self.protocol}, seed {self.seed}: {self.frames:,} frames in {self.lives:,} lives, {self.lost:,} losses, "
            f"{self.forged:,} frames forged by accident; {told or 'nothing told'}; {len(self.findings)} findings"
        )


def fuzz(protocol: str, frames: int, seed: int) -> Iterator[Report]:
    """So many frames, beginning with that seed; the report after each life."""
    report = Report(protocol, seed)
    while report.frames < frames and len(report.findings) < FINDINGS_MAX:
        life = Life(protocol, seed + report.lives)
        with _watchdog():
            finding = life.live()
        report.lives += 1
        report.frames += life.line.fuzzed
        report.forged += not life.judging()
        report.lost += life.lost
        report.told += life.host.told
        report.findings += [finding] if finding else []
        if report.frames >= ENOUGH and report.forged > FORGED_MAX * report.frames:
            what = f"{report.forged} of {report.frames} harmed frames were taken for genuine ones: nothing is checked"
            report.findings.append(Finding(protocol, seed, what))
        yield report


@contextmanager
def _watchdog() -> Generator[None]:
    def bite(_signal: int, _frame: FrameType | None) -> None:
        msg = f"a life of {LIFE_MAX_S} s"
        raise HungError(msg)

    before = signal.signal(signal.SIGALRM, bite)
    signal.setitimer(signal.ITIMER_REAL, LIFE_MAX_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
