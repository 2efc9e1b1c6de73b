"""The stories of all coin acceptors and bill validators, for models and lines that are not the usual ones."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from devices.bench.line_faults import LineFaults
from devices.cctalk.bills_sim import CctalkBillSimulator
from devices.cctalk.coins_sim import CctalkCoinSimulator
from devices.cctalk.wire import Header
from devices.mechanism import Phase
from devices.registry import PROTOCOLS
from kiosk.flow.facts import CancelAsked
from kiosk.ports.acceptor import DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteReturned, NoteStacked
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.message import Fact
from tests.conformance import test_bill_stories as bill_stories
from tests.conformance import test_coin_stories as coin_stories
from tests.devices.coin_rig import CoinRig
from tests.devices.rig import Rig
from tests.kiosk.flow.stage import yuan

MASTER = frozenset({Header.MODIFY_MASTER_INHIBIT_STATUS})
SELF_CHECK = frozenset({Header.PERFORM_SELF_CHECK})


class CyclicCoins(CctalkCoinSimulator):
    """One that speaks the other form."""

    options = frozenset({"crc"})


class EchoedCoins(CctalkCoinSimulator):
    """One on a wire that echoes."""

    options = frozenset({"echo"})


class MaskedCoins(CctalkCoinSimulator):
    """An old one, which refuses the master inhibit and says nothing to a self-check."""

    refused = MASTER
    unheard = SELF_CHECK


class CyclicBills(CctalkBillSimulator):
    """One that speaks the other form, on a wire that echoes."""

    options = frozenset({"crc", "echo"})


class RecoveringBills(CctalkBillSimulator):
    """One that tells of a note that went into the box while the power was gone."""

    recovers = True


class MaskedBills(CctalkBillSimulator):
    """One that refuses the master inhibit and cannot change how it works."""

    refused = MASTER


LOST = LineFaults(dropped=0.1)
CORRUPTED = LineFaults(corrupted=0.1)
EVERYTHING = LineFaults(dropped=0.05, repeated=0.05, corrupted=0.05)
lines = pytest.mark.parametrize("faults", [LOST, CORRUPTED, EVERYTHING], ids=["lost", "corrupted", "everything"])


def the_same(faults: LineFaults) -> Callable[[], LineFaults]:
    """As the stories want it."""
    return lambda: faults


# Coins ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[CyclicCoins, EchoedCoins, MaskedCoins])
def coins(request: pytest.FixtureRequest) -> CoinRig:
    """Such an acceptor, ready, and nobody before it."""
    rig = CoinRig("cctalk", request.param())
    rig.ready()
    return rig


@pytest.mark.parametrize("story", [
    coin_stories.test_it_says_who_it_is_and_what_it_takes,
    coin_stories.test_coins_pay_for_a_sale_and_then_it_takes_no_more,
    coin_stories.test_a_burst_of_as_many_coins_as_it_remembers,
    coin_stories.test_a_hundred_coins_and_the_counter_begins_again,
    coin_stories.test_coins_that_fall_in_when_the_sale_is_over_are_money_too,
    coin_stories.test_cancelled_while_a_coin_falls,
    coin_stories.test_hundreds_of_coins_that_are_not_taken_do_not_make_it_forget_one_that_was,
    coin_stories.test_it_dies_again_and_again,
    coin_stories.test_coins_fall_while_the_host_is_dead,
    coin_stories.test_more_coins_fall_while_the_host_is_dead_than_the_device_remembers,
    coin_stories.test_a_coin_that_is_swallowed_is_recorded_and_credited_to_nobody,
    coin_stories.test_more_coins_fall_while_it_is_unplugged_than_it_remembers,
    coin_stories.test_a_cut_so_short_that_the_host_hardly_notices,
])  # fmt: skip
def test_such_an_acceptor_lives_through_it(coins: CoinRig, story: Callable[[CoinRig], None]) -> None:
    story(coins)


@pytest.mark.parametrize("fact", [CoinInserted, DeviceIdle, DeviceReady])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_host_of_such_an_acceptor_dies(coins: CoinRig, fact: type[Fact], when: str) -> None:
    coin_stories.test_the_host_dies_around_a_commit(coins, fact, when)


@pytest.mark.parametrize("host_too", [False, True])
def test_the_power_of_such_an_acceptor_goes(coins: CoinRig, *, host_too: bool) -> None:
    coin_stories.test_the_power_goes_while_coins_fall(coins, 300, host_too=host_too)


@pytest.mark.parametrize("host_too", [False, True])
def test_it_goes_at_night(coins: CoinRig, *, host_too: bool) -> None:
    coin_stories.test_the_power_goes_at_night(coins, host_too=host_too)


@lines
@pytest.mark.parametrize("seed", range(3))
def test_answers_of_such_an_acceptor_are_harmed(coins: CoinRig, seed: int, faults: LineFaults) -> None:
    coin_stories.test_answers_are_lost_repeated_or_corrupted(coins, seed, the_same(faults))


def test_a_box_holds_what_is_booked_over_many_nights(coins: CoinRig) -> None:
    """Customers, restarts and cuts in turn; no position is ever used twice."""
    for night in range(8):
        sale = coins.open_sale()
        coins.drop(1, 5, 10, 1)
        coins.settle(2)
        coins.say(CancelAsked(sale))
        coins.settle(5)
        if night % 2:
            coins.mechanism.power_off()
        coins.silence(5)
        coins.mechanism.power_on()
        coins.settle(5)
    coin_stories.without_loss(coins)
    positions = [fact.position for fact in coins.facts if isinstance(fact, CoinInserted)]
    assert len(set(positions)) == len(positions) == 32


# Bills ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[CyclicBills, RecoveringBills, MaskedBills])
def bills(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Such a validator, ready, and nobody before it."""
    place = f"{__name__}:{request.param.__name__}"
    protocol = replace(PROTOCOLS["cctalk-bills"], simulator_at=place)
    monkeypatch.setitem(PROTOCOLS, "of this test", protocol)
    rig = Rig("of this test")
    rig.ready()
    return rig


@pytest.mark.parametrize("story", [
    bill_stories.test_it_says_who_it_is_and_what_it_takes,
    bill_stories.test_notes_pay_for_a_sale_and_then_it_takes_no_more,
    bill_stories.test_a_hundred_notes_in_a_row,
    bill_stories.test_a_note_that_is_not_taken_is_given_back,
    bill_stories.test_a_note_that_the_sale_does_not_want_is_given_back_out_of_escrow,
    bill_stories.test_cancelled_while_a_note_is_on_its_way,
    bill_stories.test_the_host_goes_silent_while_a_note_lies_in_escrow,
    bill_stories.test_the_box_is_taken_out_and_put_back,
])  # fmt: skip
def test_such_a_validator_lives_through_it(bills: Rig, story: Callable[[Rig], None]) -> None:
    story(bills)


@pytest.mark.parametrize("phase", [*bill_stories.MOVING, Phase.RETURNING, Phase.STACKED, Phase.RETURNED, Phase.IDLE])
@pytest.mark.parametrize("host_too", [False, True])
def test_the_power_of_such_a_validator_goes(bills: Rig, phase: Phase, *, host_too: bool) -> None:
    bill_stories.test_the_power_goes(bills, phase, host_too=host_too)


@pytest.mark.parametrize("fact", [NoteEscrowed, NoteStacked, NoteReturned, DeviceIdle, DeviceReady])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_host_of_such_a_validator_dies(bills: Rig, fact: type[Fact], when: str) -> None:
    bill_stories.test_the_host_dies_around_a_commit(bills, fact, when)


@lines
@pytest.mark.parametrize("seed", range(3))
def test_answers_of_such_a_validator_are_harmed(bills: Rig, seed: int, faults: LineFaults) -> None:
    bill_stories.test_answers_are_lost_repeated_or_corrupted(bills, seed, the_same(faults))


def test_a_note_that_went_into_the_box_without_power_is_booked_when_the_device_tells(bills: Rig) -> None:
    bill_stories.open_sale(bills)
    bill_stories.insert(bills, 20)
    bills.run(lambda: bills.mechanism.phase is Phase.STACKING)
    bills.mechanism.power_off()
    bills.settle(5)
    bills.mechanism.power_on()
    bill_stories.settled(bills)
    tells = isinstance(bills.line.simulator, RecoveringBills)
    booked = {"cashbox:bill": -2000, "payer": 2000} if tells else {"doubt:bill": -2000, "suspense": 2000}
    assert bills.mechanism.box == [yuan(20)]
    assert bills.stage.balances() == booked
