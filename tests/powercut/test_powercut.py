"""Cut the power anywhere: what was acknowledged is there, and each note is delivered, returned, owed or in doubt."""

import contextlib
from collections import Counter
from itertools import chain
from random import Random

from kiosk.money.database import FILE_NAME, JournalError
from kiosk.money.journal import Journal, JournalBroken
from tests.powercut.cabinet import CALENDAR, IDENTITY, Cut, close, connect, create
from tests.powercut.campaign import (
    FATES,
    MORE_CUTS_MAX,
    certain,
    cut_all_everywhere,
    cut_recoveries,
    cuts_of,
    every_fate,
    live,
    live_again,
    one_in_turn,
    sum_up,
)
from tests.powercut.conftest import Say
from tests.powercut.disk import Disk, Fate, PowerCutError
from tests.powercut.scenes import SCENES, Scene

CUTS_LEAST = 5_000
RECOVERIES_A_SCENE = 20
# Cuts that never brought one of these about would prove little.
SOMETIMES = {
    "coins_lost",
    "found_by_count",
    "not_there_by_count",
    "note_in_doubt",
    "power_cut_while_stacking",
    "resent_under_same_id",
    "stray_note_of_unknown_value",
    "walked_away_delivered",
}


def scene_called(name: str) -> Scene:
    return next(scene for scene in SCENES if scene.name == name)


def test_uncut_scenes_end_as_they_are_meant_to() -> None:
    balances = {scene.name: live(certain(scene)).balances for scene in SCENES}
    assert balances["cash"] == {
        "cashbox:bill#1": -6000,
        "cashbox:coin#1": -250,
        "carrier:unicom": 5000,
        "fee": 100,
        "owed#4": 1150,
    }
    assert balances["walked away"] == {"cashbox:bill#1": -2500, "carrier:cmcc": 2000, "owed#4": 500}
    assert balances["phone"] == {"rail:khqr": -1000, "cashbox:bill#1": -1000, "carrier:cmcc": 2000}
    assert balances["declined"] == {"cashbox:bill#1": -2000, "owed#4": 2000}
    assert balances["claim"]["carrier:cmcc"] == 6000
    assert balances["box"]["collected:bill"] == -2000


def test_every_operation_and_every_outside_moment_can_be_cut(say: Say) -> None:
    report = cut_all_everywhere()
    assert report.findings == []
    assert report.cuts >= CUTS_LEAST
    assert set(report.seen) >= SOMETIMES
    say(f"power cut at every operation and outside moment: {report}")


def test_recovery_cut_one_to_five_times_more_comes_to_the_same_ledger(say: Say) -> None:
    report = sum_up(chain.from_iterable(cut_recoveries(scene, RECOVERIES_A_SCENE) for scene in SCENES))
    assert report.findings == []
    assert report.lived == 2 * RECOVERIES_A_SCENE * len(SCENES)
    assert min(report.by_cuts[1 + more] for more in range(1, MORE_CUTS_MAX + 1)) > RECOVERIES_A_SCENE
    say(f"recovery cut again, one to five times: {report}")


def test_recovery_cut_at_each_of_its_operations_comes_to_the_same_ledger() -> None:
    scene = certain(scene_called("claim"))
    uncut = live(scene)
    first = next(cut for cut in cuts_of(uncut, every_fate, one_in_turn) if cut.number == uncut.lives[0].operations // 2)
    once = live(scene, (first,), goes_on=False)
    assert once.findings == []
    operations = once.lives[1].started
    assert operations > 20
    for n in range(1, operations + 1):
        for fate in FATES:
            again = live_again(scene, first, (Cut("operation", n, fate),), once)
            assert again.findings == [], again.where
            assert again.cuts == 2


def cut_while_made(n: int, fate: Fate) -> Disk:
    disk = Disk(Random(f"{n} {fate}"))
    disk.cut_at(n, fate)
    with contextlib.suppress(PowerCutError, JournalBroken):
        connection = connect(disk)
        try:
            create(connection).close()
        finally:
            close(connection)
    return disk.survivor()


def test_journal_cut_while_it_is_made_is_whole_or_says_how_to_begin_again() -> None:
    uncut = Disk(Random(1))
    create(connect(uncut)).close()
    verdicts: Counter[str] = Counter()
    for n in range(1, uncut.operations + 1):
        for fate in FATES:
            survivor = cut_while_made(n, fate)
            connection = connect(survivor)
            try:
                journal = Journal.open(connection, CALENDAR, Random(1).randbytes)
            except JournalError as error:
                verdicts["half made" if error.remedy else "helpless"] += 1
            else:
                assert (journal.seq, journal.identity) == (1, IDENTITY)
                verdicts["whole"] += 1
            finally:
                connection.close()
            assert set(survivor.files()) <= {FILE_NAME, f"{FILE_NAME}-wal"}
    assert set(verdicts) == {"half made", "whole"}
    assert min(verdicts["half made"], verdicts["whole"]) > 10


def test_same_plan_makes_the_same_journal_and_another_cut_another_one() -> None:
    scene = scene_called("cash")
    plan = Cut("operation", 150, FATES[-1]), Cut("operation", 9, FATES[1])
    first, again, other = live(scene, plan), live(scene, plan), live(scene, plan[:1])
    assert first.head == again.head
    assert first.head != other.head
