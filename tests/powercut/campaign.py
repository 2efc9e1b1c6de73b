"""Every scene is lived once without a cut, and once more for each place at which it can be cut."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from tests.powercut.disk import Fate
from tests.powercut.scenes import Scene
from tests.powercut.verdict import come_to_rest, complaints_at_rest, let_people_come


class Outcome(Struct):
    """What a scene came to under one plan of cuts."""

    scene: str
    cuts: tuple[Cut, ...]
    lives: list[Life]
    findings: list[str]
    balances: dict[str, int] = {}  # when all was quiet, before people came
    states: dict[int, str] = {}

    @property
    def cut(self) -> int:
        """How often the power went."""
        return len(self.lives) - 1


def live(
    scene: Scene,
    cuts: Sequence[Cut] = (),
    *,
    seed: str = "1",
    fsync_lies: bool = False,
    goes_on: bool = True,
    cabinet_type: type[Cabinet] = Cabinet,
) -> Outcome:
    """Let a scene happen, with these cuts, and judge it."""
    chance = Random(f"{scene.name} {seed} {cuts[0] if cuts else ''}")
    disk = prepared_disk(chance, fsync_lies=fsync_lies)
    cabinet = cabinet_type(disk, f"{scene.name} {seed}", scene.faults, cuts)
    outcome = Outcome(scene.name, tuple(cuts), cabinet.drawer.lives, cabinet.drawer.findings)
    with patch.object(journal, "CHECKPOINT_COMMITS", scene.checkpoint_commits):
        try:
            cabinet.agenda.process(scene.happen(cabinet) if goes_on else _until_cut(scene, cabinet))
            come_to_rest(cabinet)
            cabinet.drawer.measure()
            outcome.findings += complaints_at_rest(cabinet)
            books = cabinet.drawer.books()
            outcome.balances = books.posted
            outcome.states = {number: thing.state for number, thing in books.things.items()}
            let_people_come(cabinet)
        except Violation as violation:
            outcome.findings.append(str(violation))
        finally:
            cabinet.drawer.bury()
    return outcome


def _until_cut(scene: Scene, cabinet: Cabinet) -> Process:
    for wait_ms in scene.happen(cabinet):
        if cabinet.cuts:
            return
        yield wait_ms


def certain(scene: Scene) -> Scene:
    """Let only happen what always happens, so that the world answers the same however often it is asked."""
    chances = msgspec.to_builtins(scene.faults)
    return replace(scene, faults=Faults(**{name: float(chance == 1) for name, chance in chances.items()}))
