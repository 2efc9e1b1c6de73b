"""Each scene is lived once without a cut, and once more for every place at which it can be cut."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random
from unittest.mock import patch

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kiosk.money import journal
from kiosk.simulate.agenda import Process
from kiosk.simulate.judge import Violation
from kiosk.simulate.luck import Faults
from tests.powercut.cabinet import Cabinet, Cut, Life, prepared_disk
from tests.powercut.disk import Disk, Fate
from tests.powercut.scenes import NUMBER, SCENES, Scene
from tests.powercut.verdict import (
    come_to_rest,
    complaints_at_rest,
    complaints_of_memory,
    complaints_of_verification,
    let_people_come,
)

FATES = tuple(Fate)
MORE_CUTS_MAX = 5  # how often a recovery is cut again
VERIFIED_EVERY = 5  # reading the journal from its first row takes a third of the time that the scene does

Build = Callable[[Disk, str, Faults, Sequence[Cut]], Cabinet]
Fates = Callable[[int], Sequence[Fate]]  # what to try at the n-th place


class Outcome(Struct):
    """What a scene came to under one plan of cuts."""

    scene: str
    seed: str
    plan: tuple[Cut, ...]
    lives: list[Life]
    findings: list[str]
    balances: dict[str, int] = {}  # when all was quiet, before people came
    states: dict[int, str] = {}
    head: bytes = b""
    seen: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def cuts(self) -> int:
        """How often the power really went."""
        return len(self.lives) - 1

    @property
    def where(self) -> str:
        """How to see it again."""
        return f"{self.scene}, seed {self.seed}, {' then '.join(map(str, self.plan)) or 'uncut'}"


class Report(Struct):
    """What a campaign saw."""

    lived: int = 0
    cuts: int = 0
    by_cuts: Counter[int] = msgspec.field(default_factory=Counter)  # how many runs had so many cuts
    seen: Counter[str] = msgspec.field(default_factory=Counter)  # which situations came up
    findings: list[str] = []
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.lived += 1
        self.cuts += outcome.cuts
        self.by_cuts[outcome.cuts] += 1
        self.seen.update(outcome.seen)
        self.findings += [f"{outcome.where}: {finding}" for finding in outcome.findings]

    def add_all(self, other: "Report") -> None:
        """Take over what another one saw; time is not added up, for they may have run side by side."""
        self.lived += other.lived
        self.cuts += other.cuts
        self.by_cuts.update(other.by_cuts)
        self.seen.update(other.seen)
        self.findings += other.findings

    def __str__(self) -> str:
        rate = round(self.cuts / self.seconds) if self.seconds else 0
        return f"{self.cuts:,} power cuts, {len(self.findings)} violations, {rate} cuts/s"


# One life after the other --------------------------------------------------------------------------------------------


def live(  # noqa: PLR0913 - what a run may differ in
    scene: Scene,
    plan: Sequence[Cut] = (),
    *,
    seed: str = "1",
    fsync_lies: bool = False,
    goes_on: bool = True,
    verified: bool = True,
    build: Build = Cabinet,
) -> Outcome:
    """Let a scene happen under this plan, and judge it; unless it `goes_on`, it ends with the first cut."""
    chance = Random(f"{scene.name} {seed} {plan[0] if plan else ''}")  # further cuts leave the first one as it was
    disk = prepared_disk(chance, fsync_lies=fsync_lies)
    with patch.object(journal, "CHECKPOINT_COMMITS", scene.checkpoint_commits):
        cabinet = build(disk, f"{scene.name} {seed}", scene.faults, plan)
        drawer = cabinet.drawer
        outcome = Outcome(scene.name, seed, tuple(plan), drawer.lives, drawer.findings)
        try:
            cabinet.agenda.process(scene.happen(cabinet) if goes_on else _until_cut(scene, cabinet))
            come_to_rest(cabinet)
            drawer.measure()
            outcome.findings += complaints_at_rest(cabinet)
            if scene.forgets:
                outcome.findings += complaints_of_memory(cabinet, NUMBER)
            books = drawer.books()
            outcome.balances = books.posted
            outcome.states = {number: thing.state for number, thing in books.things.items()}
            let_people_come(cabinet)
            if verified:
                outcome.findings += complaints_of_verification(cabinet)
        except Violation as violation:
            outcome.findings.append(str(violation))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is a finding, with its place
            outcome.findings.append(f"{type(error).__name__}: {error}")
        finally:
            outcome.head = drawer.journal.head
            outcome.seen = cabinet.luck.seen
            drawer.bury()
    return outcome


def _until_cut(scene: Scene, cabinet: Cabinet) -> Process:
    happening = scene.happen(cabinet)
    while not cabinet.cuts:
        wait_ms = next(happening, None)
        if wait_ms is None:
            return
        yield wait_ms


def live_again(scene: Scene, first: Cut, more: Sequence[Cut], once: Outcome) -> Outcome:
    """Recover once more, with cuts in between: the ledger has to come out as it did without them."""
    again = live(scene, (first, *more), seed=once.seed, goes_on=False)
    if (again.balances, again.states) != (once.balances, once.states):
        again.findings.append(f"the ledger is {again.balances}, {again.states}, not {once.balances}, {once.states}")
    return again


def certain(scene: Scene) -> Scene:
    """Let only happen what always happens, so that the world answers the same however often it is asked."""
    chances: dict[str, float] = msgspec.to_builtins(scene.faults)
    return replace(scene, faults=msgspec.convert({name: chance // 1 for name, chance in chances.items()}, Faults))


# Plans ---------------------------------------------------------------------------------------------------------------


def every_fate(_: int) -> Sequence[Fate]:
    """Try them all."""
    return FATES


def torn_above_all(n: int) -> Sequence[Fate]:
    """Tearing differs from place to place; of the others, which take turns, every second place is enough."""
    return (Fate.TORN,) if n % 2 else (Fate.TORN, FATES[n // 2 % 3])


def one_in_turn(n: int) -> Sequence[Fate]:
    """Where nothing is on its way to the disk, one is as good as another."""
    return (FATES[n % 4],)


def cuts_of(uncut: Outcome, at_operations: Fates, at_moments: Fates) -> Iterator[Cut]:
    """Every place at which this run could have been cut."""
    (life,) = uncut.lives
    for n in range(1, life.operations + 1):
        yield from (Cut("operation", n, fate) for fate in at_operations(n))
    for n in range(1, life.moments + 1):
        yield from (Cut("moment", n, fate) for fate in at_moments(n))


def more_cuts(once: Outcome, chance: Random) -> list[Cut]:
    """Plan one to five cuts in the recovery that follows the first."""
    reach = max(1, once.lives[-1].started)
    times = chance.randint(1, MORE_CUTS_MAX)
    return [Cut("operation", chance.randint(1, reach), chance.choice(FATES)) for _ in range(times)]


# Campaigns -----------------------------------------------------------------------------------------------------------


def cut_all_everywhere() -> Report:
    """Every scene, on as many processors as there are."""
    report, begun = Report(), time.perf_counter()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for of_one in pool.map(_cut_nth_everywhere, range(len(SCENES))):
            report.add_all(of_one)
    report.seconds = time.perf_counter() - begun
    return report


def _cut_nth_everywhere(scene: int) -> Report:
    return sum_up(cut_everywhere(SCENES[scene]))


def cut_everywhere(scene: Scene) -> Iterator[Outcome]:
    """One cut a run, at every operation and every moment outside."""
    uncut = live(scene)
    yield uncut
    for cut in cuts_of(uncut, torn_above_all, one_in_turn):
        yield live(scene, (cut,), verified=cut.number % VERIFIED_EVERY == 0)


def cut_recoveries(scene: Scene, samples: int, *, seed: str = "1") -> Iterator[Outcome]:
    """Some first cuts, and one to five more in the recovery after each."""
    scene, chance = certain(scene), Random(f"{scene.name} {seed}")
    cuts = list(cuts_of(live(scene, seed=seed), every_fate, every_fate))
    for first in chance.sample(cuts, samples):
        once = live(scene, (first,), seed=seed, goes_on=False)
        yield once
        yield live_again(scene, first, more_cuts(once, chance), once)


def cut_somewhere(scene: Scene, samples: int, *, fsync_lies: bool = False, build: Build = Cabinet) -> Iterator[Outcome]:
    """Some cuts, of this disk and this cabinet."""
    cuts = list(cuts_of(live(scene), every_fate, every_fate))
    for cut in Random(scene.name).sample(cuts, samples):
        yield live(scene, (cut,), fsync_lies=fsync_lies, build=build)


def cut_at_random(cuts: int, seed: int) -> Iterator[Outcome]:
    """Every cut of every scene with every fate, in any order, some with more cuts after them; then the next seed."""
    done = 0
    for number in range(seed, seed + cuts):
        chance, name = Random(number), str(number)
        uncut = [(scene, live(scene, seed=name)) for scene in SCENES]
        plans = [(scene, cut) for scene, once in uncut for cut in cuts_of(once, every_fate, every_fate)]
        chance.shuffle(plans)
        for scene, first in plans:
            for outcome in _one_plan(scene, first, name, chance):
                done += outcome.cuts
                yield outcome
            if done >= cuts:
                return


def _one_plan(scene: Scene, first: Cut, seed: str, chance: Random) -> Iterable[Outcome]:
    once = live(scene, (first,), seed=seed)
    yield once
    if chance.randrange(4) == 0 and once.cuts:
        yield live(scene, (first, *more_cuts(once, chance)), seed=seed)


def summing_up(outcomes: Iterable[Outcome]) -> Iterator[Report]:
    """Live them all; the report grows with each."""
    report, begun = Report(), time.perf_counter()
    for outcome in outcomes:
        report.add(outcome)
        report.seconds = time.perf_counter() - begun
        yield report


def sum_up(outcomes: Iterable[Outcome]) -> Report:
    """Live them all."""
    report = Report()
    for report in summing_up(outcomes):  # noqa: B007 - only the last one is wanted
        pass
    return report
