"""Every scene is lived once without a cut, and once more for each place at which it can be cut."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from unittest.mock import patch

from msgspec import Struct

from kiosk.money import journal
from kiosk.simulate.campaign import Watched
from kiosk.simulate.judge import Violation
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
    scene: Scene, cuts: Sequence[Cut] = (), *, seed: str = "1", fsync_lies: bool = False, kind: type[Watched] = Watched
) -> Outcome:
    """Let a scene happen, with these cuts, and judge it."""
    disk = prepared_disk(Random(f"{scene.name} {seed} {cuts}"), fsync_lies=fsync_lies)
    cabinet = Cabinet(disk, f"{scene.name} {seed}", scene.faults, cuts, kind)
    outcome = Outcome(scene.name, tuple(cuts), cabinet.lives, cabinet.drawer.findings)
    with patch.object(journal, "CHECKPOINT_COMMITS", scene.checkpoint_commits):
        try:
            cabinet.agenda.process(scene.happen(cabinet))
            come_to_rest(cabinet)
            _ = cabinet.measure()
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
