"""A disk that fails or is full: no money is taken any more, the reason is clear, and nothing acknowledged is lost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

import pytest
from msgspec import Struct

from kiosk.flow.core import Stopped
from kiosk.money.journal import JournalBroken
from kiosk.money.step import Step
from kiosk.ports.acceptor import CloseAcceptor
from kiosk.simulate.luck import Faults
from tests.powercut.cabinet import Cabinet, Cut, prepared_disk
from tests.powercut.campaign import FATES, live
from tests.powercut.conftest import Say
from tests.powercut.disk import Disk, Fate, Fault
from tests.powercut.scenes import SCENES, Scene

SCENES_HERE = tuple(scene for scene in SCENES if scene.name in {"walked away", "nights"})  # the log is moved in both
REASONS = {
    "EIO": {"the journal could not be written: disk I/O error"},
    "ENOSPC": {
        "the journal could not be written: database or disk is full",
        "the journal could not be written: disk I/O error",  # the sync of what was taken before
    },
}


class Failure(Struct, frozen=True):
    """Which operation fails, once or as every later one, and what becomes of the rest when the process has ended."""

    at: int
    fault: Fault
    lasting: bool
    fate: Fate


class FailingCabinet(Cabinet):
    """Its disk fails in the first life of the host."""

    def __init__(  # noqa: PLR0913, PLR0917 - a failure, and what a cabinet is made of
        self,
        failure: Failure,
        reasons: list[str],
        disk: Disk,
        seed: str,
        faults: Faults,
        cuts: Sequence[Cut],
    ) -> None:
        self.failure = failure
        self.reasons = reasons
        disk.fail_at(failure.at, failure.fault, lasting=failure.lasting)
        super().__init__(disk, seed, faults, cuts)

    def stop(self, stopped: Stopped) -> None:
        """Bring the acceptors to rest, as a shell does; nothing is tried again, and the process ends."""
        disk, journal = self.drawer.disk, self.drawer.journal
        self.reasons.append(stopped.reason)
        known = {device for device in self.devices if self.core.find("acceptor", device)}
        assert {command.device for command in stopped.commands if isinstance(command, CloseAcceptor)} == known
        for command in stopped.commands:
            self._obey[type(command)](command)
        assert not any(device.open for device in self.devices.values())
        operations = disk.operations
        with pytest.raises(JournalBroken, match=stopped.reason):
            _ = journal.commit(Step(self.agenda.now_ms, b"{}"))
        journal.close()
        assert disk.operations == operations
        assert disk.syncs_after_failed_sync == 0
        disk.cut(self.failure.fate)
        if self.failure.fate is Fate.KEPT:  # the power stays on: the devices go on without their host
            self.lose_host()
            self.kill()
        else:
            self.die()


def failures(operations: int) -> Iterator[tuple[int, bool]]:
    """Each operation fails once, for then a second try would succeed; every third one is the first of many, too."""
    for at in range(2, operations + 1):
        yield at, False
        if at % 3 == 0:
            yield at, True


@pytest.mark.parametrize("fault", REASONS)
@pytest.mark.parametrize("scene", SCENES_HERE, ids=lambda scene: scene.name)
def test_failing_disk_stops_the_taking_of_money_and_loses_nothing(scene: Scene, fault: Fault, say: Say) -> None:
    operations = live(scene).lives[0].operations
    seen: Counter[str] = Counter()
    for at, lasting in failures(operations):
        reasons: list[str] = []
        failure = Failure(at, fault, lasting, FATES[(at + lasting) % len(FATES)])
        outcome = live(scene, build=partial(FailingCabinet, failure, reasons))
        assert outcome.findings == [], failure
        assert outcome.cuts == len(reasons) <= 1, failure
        seen.update(reasons or ["unnoticed"])
    unnoticed = seen.pop("unnoticed", 0)
    assert set(seen) == REASONS[fault]
    assert unnoticed <= 4, seen  # a directory that cannot be synced; truncating a file needs no space
    say(f"{fault} at each operation of {scene.name!r}: {seen.total()} stops, {unnoticed} unnoticed, 0 violations")


@pytest.mark.parametrize("fault", REASONS)
def test_terminal_does_not_start_on_a_disk_that_fails(fault: Fault) -> None:
    disk = prepared_disk(Random(1))
    with pytest.raises(JournalBroken, match="unable to open database file"):
        _ = FailingCabinet(Failure(1, fault, lasting=True, fate=Fate.KEPT), [], disk, "1", SCENES[0].faults, ())
