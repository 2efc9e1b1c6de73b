"""What would lose money is seen to lose it: were it not, the other tests here would prove nothing."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any, Union
from unittest.mock import patch

import msgspec
import pytest

from kiosk.money import journal
from kiosk.money.step import Step
from kiosk.ports.message import Command
from kiosk.simulate.judge import Judge
from tests.powercut.cabinet import Cabinet
from tests.powercut.campaign import Report, cut_somewhere, live, sum_up
from tests.powercut.conftest import Say
from tests.powercut.scenes import SCENES, Scene

CUTS_A_SCENE = 40

# What a finding says, by its words.
KINDS = {
    "acknowledged rows lost": r"acknowledged row \d+ is gone",
    "notes lost": r"is known to anybody|is in (bill|coin)#|was to be stacked|nothing says so|box \S+ holds",
    "top-ups delivered twice": r"was delivered \d+ times|delivered under a new id",
    "top-ups not in the books": r"(cmcc|unicom|reseller) delivered \d+, the book says",
    "payments not in the books": r"(rail|terminal):\S+ holds",
    "journals unreadable": r"cannot be opened any more|CorruptError|Stopped",
    "acted before it was durable": r"with no durable intent|before it was durable",
}


class HastyCabinet(Cabinet):
    """Does what a step says, and writes it down afterwards."""

    def _who_obeys(self) -> dict[type[Command], Callable[[Any], None]]:
        obey = super()._who_obeys()
        self._decode = msgspec.json.Decoder(Union[tuple(obey)]).decode  # noqa: UP007 - which they are is known only here
        self.drawer.before_commit = self._act
        return obey

    def _act(self, step: Step) -> None:
        commands: list[Command] = [self._decode(data) for data in step.commands]
        super()._do(commands, None)

    def _do(self, commands: list[Command], stop_after: int | None) -> None:
        """Everything has been done already."""


def kinds(report: Report) -> Counter[str]:
    return Counter(kind for finding in report.findings for kind, words in KINDS.items() if re.search(words, finding))


def told(name: str, report: Report) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds(report).most_common())
    return f"negative control, {name}: {report.cuts} power cuts; {counts}"


def test_synchronous_normal_is_seen_to_lose_rows_notes_and_top_ups(say: Say) -> None:
    normal = tuple((name, "1" if name == "synchronous" else value) for name, value in journal.DURABLE)
    with patch.object(journal, "DURABLE", normal):
        report = sum_up(chain.from_iterable(cut_somewhere(scene, CUTS_A_SCENE) for scene in SCENES))
    found = kinds(report)
    assert found["acknowledged rows lost"] > 0
    assert found["notes lost"] > 0
    assert found["top-ups delivered twice"] > 0
    assert found["top-ups not in the books"] > 0
    assert found["journals unreadable"] == 0  # rows are lost, from the last one back; none is damaged
    say(told("synchronous=NORMAL", report))


def test_dropped_fsync_is_seen_to_lose_rows_notes_and_journals(say: Say) -> None:
    report = sum_up(chain.from_iterable(cut_somewhere(scene, CUTS_A_SCENE, fsync_lies=True) for scene in SCENES))
    found = kinds(report)
    assert found["acknowledged rows lost"] > 0
    assert found["notes lost"] > 0
    assert found["top-ups not in the books"] > 0
    assert found["journals unreadable"] > 0
    say(told("fsync dropped", report))


def test_acting_before_the_commit_is_seen_to_lose_notes_and_to_deliver_twice(say: Say) -> None:
    with patch.object(Judge, "stacking"), patch.object(Judge, "sent"):  # blind to the order: what comes of it is shown
        report = sum_up(chain.from_iterable(cut_somewhere(scene, CUTS_A_SCENE, build=HastyCabinet) for scene in SCENES))
    found = kinds(report)
    assert found["notes lost"] > 0
    assert found["top-ups delivered twice"] > 0
    assert found["acknowledged rows lost"] == 0
    say(told("journal after the act", report))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_judge_sees_without_any_cut_that_something_was_done_before_it_was_durable(scene: Scene) -> None:
    assert kinds(sum_up([live(scene, build=HastyCabinet)])) == {"acted before it was durable": 1}
