"""The stories of all bill validators, for an older ICT; and ends of its own, before the real money core."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from devices.bench.line_faults import LineFaults
from devices.ict.sim import IctSimulator
from devices.ict.wire import ICT104
from devices.mechanism import Phase
from devices.registry import PROTOCOLS
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked
from kiosk.ports.message import Fact
from tests.conformance import test_bill_stories as stories
from tests.devices.ict.bench import OLDER
from tests.devices.rig import Line, Rig
from tests.kiosk.flow.stage import yuan

HERE = "tests.devices.ict.test_ict_stories"


class Ict106(IctSimulator):
    """The usual one."""


class Ict104(IctSimulator):
    """One that neither says an escrow again nor that it is busy, and polls of which say nothing of a note."""

    generation = ICT104
    options = OLDER


class Clumsy(IctSimulator):
    """One that cannot keep a note that was accepted: it comes out again."""

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        super().receive(data, now_ms)
        if self.mechanism.phase is Phase.STACKING:
            self.mechanism.phase = Phase.RETURNING


class CheckedLine(Line):
    """A serial port that looks at the parity: a byte with a wrong bit arrives as 00."""

    def _carry(self) -> None:
        genuine = self.simulator.take_sent()
        self.simulator.send(genuine)
        before = len(self._arrived)
        super()._carry()
        for at, byte in enumerate(genuine[: len(self._arrived) - before]):
            if self._arrived[before + at] != byte:
                self._arrived[before + at] = 0


def rig_of(simulator: type[IctSimulator], monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Such a validator, ready, and nobody before it."""
    place = f"{HERE}:{simulator.__name__}"
    monkeypatch.setitem(PROTOCOLS, "of this test", replace(PROTOCOLS["ict"], simulator_at=place))
    rig = Rig("of this test")
    rig.ready()
    return rig


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """An ICT104."""
    return rig_of(Ict104, monkeypatch)


@pytest.mark.parametrize("story", [
    stories.test_it_says_who_it_is_and_what_it_takes,
    stories.test_notes_pay_for_a_sale_and_then_it_takes_no_more,
    stories.test_a_hundred_notes_in_a_row,
    stories.test_a_note_that_is_not_taken_is_given_back,
    stories.test_a_note_that_the_sale_does_not_want_is_given_back_out_of_escrow,
    stories.test_cancelled_while_a_note_is_on_its_way,
    stories.test_the_host_goes_silent_while_a_note_lies_in_escrow,
    stories.test_the_box_is_taken_out_and_put_back,
])  # fmt: skip
def test_an_older_one_lives_through_it(older: Rig, story: Callable[[Rig], None]) -> None:
    story(older)


@pytest.mark.parametrize("phase", [*stories.MOVING, Phase.RETURNING, Phase.STACKED, Phase.RETURNED, Phase.IDLE])
@pytest.mark.parametrize("host_too", [False, True])
def test_the_power_of_an_older_one_goes(older: Rig, phase: Phase, *, host_too: bool) -> None:
    stories.test_the_power_goes(older, phase, host_too=host_too)


@pytest.mark.parametrize("phase", [*stories.MOVING, Phase.STACKED])
def test_an_older_one_is_unplugged_in_the_midst_of_a_note(older: Rig, phase: Phase) -> None:
    stories.test_it_is_unplugged_in_the_midst_of_a_note(older, phase)


@pytest.mark.parametrize("fact", [NoteEscrowed, NoteStacked, NoteReturned])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_host_of_an_older_one_dies(older: Rig, fact: type[Fact], when: str) -> None:
    """What it said while nobody listened it does not say again: the note may be in doubt, and no more than that."""
    stories.open_sale(older)
    (older.dies_before if when == "before" else older.dies_after).add(fact)
    stories.insert(older, 20)
    stories.settled(older)
    assert len(older.mechanism.box) + len(older.mechanism.hand) == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("faults", [
    pytest.param(lambda: LineFaults(dropped=0.1), id="dropped"),
    pytest.param(lambda: LineFaults(repeated=0.1), id="repeated"),
])  # fmt: skip
def test_answers_of_an_older_one_are_lost_or_repeated(older: Rig, seed: int, faults: Callable[[], LineFaults]) -> None:
    stories.test_answers_are_lost_repeated_or_corrupted(older, seed, faults)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_port_looks_at_the_parity_an_older_one_stands_corruption_too(older: Rig, seed: int) -> None:
    older.line.__class__ = CheckedLine
    stories.test_answers_are_lost_repeated_or_corrupted(older, seed, lambda: LineFaults(corrupted=0.1))


# Ends of its own -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("simulator", [Ict106, Ict104])
def test_a_quick_customer_and_a_host_that_died_over_the_note_before(
    simulator: type[IctSimulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the first note died with the host, and the second one lies there when it is back."""
    rig = rig_of(simulator, monkeypatch)
    stories.open_sale(rig)
    rig.dies_before.add(NoteStacked)
    stories.insert(rig, 20)
    rig.run(lambda: rig.mechanism.phase is Phase.STACKED)
    rig.run(lambda: rig.mechanism.insert(yuan(20)) or NoteStacked not in rig.dies_before)
    stories.settled(rig)
    assert rig.mechanism.box[0] == yuan(20)
    assert rig.stage.all(Suspense)[0].state == "doubtful"


def test_a_note_that_was_accepted_and_came_out_again_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = rig_of(Clumsy, monkeypatch)
    stories.open_sale(rig)
    stories.insert(rig, 20)
    rig.run(lambda: bool(rig.stage.all(Suspense)))
    stories.settled(rig)
    assert rig.mechanism.hand == [yuan(20)]
    assert rig.stage.balances() == {"doubt:bill": -2000, "suspense": 2000}


def test_three_notes_on_which_nobody_decided_are_a_failure_that_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = rig_of(Ict106, monkeypatch)
    stories.open_sale(rig)
    for _ in range(3):
        assert rig.mechanism.insert(yuan(20))
        rig.line.wait_until(rig.line.now_ms + 7_000)
    rig.settle(10)
    assert [fact.vendor_code for fact in rig.facts if isinstance(fact, DeviceFailed)] == ["26"]
    assert len(stories.told(rig, DeviceReady)) == 2
    stories.insert(rig, 20)
    stories.settled(rig)
    assert rig.stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
