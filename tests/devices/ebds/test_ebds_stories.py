"""The stories of all bill validators, for one that knows value bits only; and some of its own."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from devices.bench.line_faults import LineFaults
from devices.ebds.sim import EbdsSimulator
from devices.mechanism import Phase
from devices.registry import PROTOCOLS
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.conformance import test_bill_stories as stories
from tests.devices.ebds.bench import ValueSimulator
from tests.devices.rig import Rig
from tests.kiosk.flow.stage import yuan


def rig_of(simulator: type[EbdsSimulator], monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Such a validator, ready, and nobody before it."""
    place = f"{simulator.__module__}:{simulator.__name__}"
    monkeypatch.setitem(PROTOCOLS, "of this test", replace(PROTOCOLS["ebds"], simulator_at=place))
    rig = Rig("of this test")
    rig.ready()
    return rig


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """One that knows what its value bits stand for."""
    return rig_of(ValueSimulator, monkeypatch)


@pytest.fixture(params=[EbdsSimulator, ValueSimulator])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A validator of either kind."""
    return rig_of(request.param, monkeypatch)


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
def test_a_plain_one_lives_through_it(plain: Rig, story: Callable[[Rig], None]) -> None:
    story(plain)


@pytest.mark.parametrize("fact", [NoteEscrowed, NoteStacked, NoteReturned])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_host_of_a_plain_one_dies(plain: Rig, fact: type[Fact], when: str) -> None:
    stories.test_the_host_dies_around_a_commit(plain, fact, when)


@pytest.mark.parametrize("phase", [*stories.MOVING, Phase.RETURNING, Phase.STACKED, Phase.RETURNED, Phase.IDLE])
@pytest.mark.parametrize("host_too", [False, True])
def test_the_power_of_a_plain_one_goes(plain: Rig, phase: Phase, *, host_too: bool) -> None:
    stories.test_the_power_goes(plain, phase, host_too=host_too)


@pytest.mark.parametrize("seed", range(3))
def test_answers_of_a_plain_one_are_lost_repeated_or_corrupted(plain: Rig, seed: int) -> None:
    weather = LineFaults(dropped=0.05, repeated=0.05, corrupted=0.05)
    stories.test_answers_are_lost_repeated_or_corrupted(plain, seed, lambda: weather)


# Ends of its own -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host_too", [False, True])
def test_a_note_that_was_on_its_way_into_the_box_is_credited_when_the_power_is_back(
    either: Rig, *, host_too: bool
) -> None:
    stories.open_sale(either)
    stories.insert(either, 20)
    either.run(lambda: either.mechanism.phase is Phase.STACKING)
    either.mechanism.power_off()
    if host_too:
        either.silence(seconds=20)
    else:
        either.settle(20)
    either.mechanism.power_on()
    stories.settled(either)
    assert either.mechanism.box == [yuan(20)]
    assert either.stage.balances() == {"cashbox:bill": -2000, "owed" if host_too else "payer": 2000}
    assert either.stage.all(Suspense) == []


@pytest.mark.parametrize("host_too", [False, True])
def test_a_note_that_lay_in_escrow_comes_out_when_the_power_is_back(either: Rig, *, host_too: bool) -> None:
    stories.open_sale(either, cash_limit=yuan(60))
    stories.insert(either, 20)
    either.run(lambda: either.mechanism.phase is Phase.ESCROW)
    either.mechanism.power_off()
    if host_too:
        either.silence(seconds=20)
    else:
        either.settle(20)
    either.mechanism.power_on()
    stories.settled(either)
    assert either.mechanism.hand == [yuan(20)]
    assert either.stage.balances() == {}
    assert either.stage.all(Suspense) == []


@pytest.mark.parametrize("fault", [Fault.JAM, Fault.FAILURE])
def test_a_reset_is_survived(either: Rig, fault: Fault) -> None:
    stories.open_sale(either)
    either.mechanism.faults.add(fault)
    either.run(lambda: bool(stories.told(either, DeviceFailed)))
    either.settle(30)
    assert [fact.fault for fact in either.facts if isinstance(fact, DeviceFailed)] == [fault]
    either.mechanism.clear(fault)
    either.run(lambda: len(stories.told(either, DeviceReady)) == 2)


def test_hundreds_of_both_kinds_are_taken(either: Rig) -> None:
    channels = [line.channel for line in either.driver.identity.denominations if line.amount == yuan(100)]
    assert channels == [6, 7]
    sale = stories.open_sale(either)
    assert yuan(100) in either.mechanism.accepted
    stories.insert(either, 100)
    either.run(lambda: either.stage.state(sale) == "delivering")
