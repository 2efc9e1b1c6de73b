"""What every coin acceptor must live through, whatever it speaks; against every story the ledger ends right.

What is in the box is booked. What nobody can tell is recorded as lost, once, and nobody guesses how much it was.
"""

from collections.abc import Callable
from random import Random

import pytest

from devices.bench.line_faults import LineFaults
from devices.coin_mechanism import CoinTimings
from devices.registry import PROTOCOLS
from kiosk.flow.facts import CancelAsked, CashChosen
from kiosk.ports.acceptor import DeviceFailed, DeviceIdle, DeviceReady
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.coin_rig import CoinRig
from tests.kiosk.flow.stage import yuan

ACCEPTORS = [name for name, protocol in PROTOCOLS.items() if protocol.takes == "coins"]
TIRELESS = CoinTimings(silence_max_ms=None)  # takes coins whether anybody asks or not


@pytest.fixture(params=ACCEPTORS)
def rig(request: pytest.FixtureRequest) -> CoinRig:
    """A coin acceptor that is ready, and nobody before it."""
    rig = CoinRig(request.param)
    rig.ready()
    return rig


def without_loss(rig: CoinRig) -> None:
    """All of it is booked, and nothing else."""
    rig.settled()
    assert rig.booked == rig.there
    assert rig.losses == []
    assert rig.told(CoinsLost) == []


# Every day -----------------------------------------------------------------------------------------------------------


def test_it_says_who_it_is_and_what_it_takes(rig: CoinRig) -> None:
    identity = rig.driver.identity
    assert identity.model
    assert identity.serial
    assert {line.amount for line in identity.denominations} >= {yuan(1), yuan(5), yuan(10)}
    (ready,) = rig.told(DeviceReady)
    assert isinstance(ready, DeviceReady)
    assert (ready.device, ready.serial, ready.position > 0) == ("coin", identity.serial, True)


def test_it_takes_nothing_before_the_journal_knows_where_it_begins(rig: CoinRig) -> None:
    assert [DeviceReady("coin", rig.driver.identity.serial, rig.acceptor().last)] == rig.told(DeviceReady)
    assert not rig.mechanism.accepted


def test_coins_pay_for_a_sale_and_then_it_takes_no_more(rig: CoinRig) -> None:
    sale = rig.open_sale(20)
    for amount in (10, 5, 5):
        rig.drop(amount)
        rig.settle(1)
    rig.run(lambda: rig.stage.state(sale) == "delivering")
    without_loss(rig)
    assert rig.stage.balances() == {"cashbox:coin": -2000, "payer": 2000}
    assert not rig.mechanism.accepted
    assert DeviceIdle("coin") in rig.facts


def test_a_burst_of_as_many_coins_as_it_remembers(rig: CoinRig) -> None:
    rig.open_sale()
    rig.drop(1, 5, 10, 1, 5)
    without_loss(rig)
    assert [fact.amount for fact in rig.facts if isinstance(fact, CoinInserted)] == [
        yuan(amount) for amount in (1, 5, 10, 1, 5)
    ]


def test_a_hundred_coins_and_the_counter_begins_again(rig: CoinRig) -> None:
    for _ in range(3):
        sale = rig.open_sale()
        for count in range(100):
            rig.drop(1)
            if count % 3 == 2:
                rig.settle(0.6)
        rig.run(lambda: rig.stage.state(sale) == "delivering")  # noqa: B023 - it is asked before the next one opens
    without_loss(rig)
    assert rig.booked == yuan(300)
    positions = [fact.position for fact in rig.facts if isinstance(fact, CoinInserted)]
    assert positions == list(range(positions[0], positions[0] + 300))


def test_coins_that_fall_in_when_the_sale_is_over_are_money_too(rig: CoinRig) -> None:
    sale = rig.open_sale(10)
    rig.drop(10, 5, 1)
    rig.run(lambda: rig.stage.state(sale) == "delivering")
    without_loss(rig)
    assert rig.booked == yuan(16)


def test_cancelled_while_a_coin_falls(rig: CoinRig) -> None:
    sale = rig.open_sale()
    rig.drop(5)
    rig.line.wait_until(rig.line.now_ms + 200)  # it is past the gate
    rig.say(CancelAsked(sale))
    without_loss(rig)
    assert rig.booked == yuan(5)
    assert not rig.mechanism.accepted


def test_a_coin_that_is_not_taken_comes_out_again(rig: CoinRig) -> None:
    rig.open_sale(accept=(yuan(1), yuan(5)))
    rig.drop(10, 3, 5)
    without_loss(rig)
    assert rig.mechanism.hand == [yuan(10), yuan(3)]
    assert rig.booked == yuan(5)


def test_hundreds_of_coins_that_are_not_taken_do_not_make_it_forget_one_that_was(rig: CoinRig) -> None:
    rig.open_sale(accept=(yuan(5),))
    for _ in range(100):
        rig.drop(3, 1, 3)
        rig.settle(0.6)
    rig.silence(2)
    rig.settle(5)
    rig.open_sale(accept=(yuan(5),))
    rig.drop(5)
    without_loss(rig)
    assert rig.booked == yuan(5)


# The host dies, the device lives on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", [CoinInserted, DeviceIdle, DeviceReady])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_host_dies_around_a_commit(rig: CoinRig, fact: type[Fact], when: str) -> None:
    sale = rig.open_sale()
    (rig.dies_before if when == "before" else rig.dies_after).add(fact)
    rig.drop(1, 5, 10)
    rig.settle(5)
    rig.say(CancelAsked(sale))
    without_loss(rig)
    assert rig.booked == yuan(16)


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_dies_before_the_device_was_ever_ready(when: str) -> None:
    for protocol in ACCEPTORS:
        rig = CoinRig(protocol)
        (rig.dies_before if when == "before" else rig.dies_after).add(DeviceReady)
        rig.ready()
        rig.settle(5)
        rig.open_sale()
        rig.drop(1, 5)
        without_loss(rig)


def test_it_dies_again_and_again(rig: CoinRig) -> None:
    rig.open_sale()
    rig.drop(1, 5, 10, 1, 5)
    for when in (rig.dies_before, rig.dies_after, rig.dies_before, rig.dies_after):
        when.add(CoinInserted)
        rig.settle(5)
    without_loss(rig)
    assert rig.booked == yuan(22)


def test_coins_fall_while_the_host_is_dead(rig: CoinRig) -> None:
    rig.mechanism.timings = TIRELESS
    rig.open_sale()
    rig.drop(1, 5)
    rig.settle(2)
    rig.drop(1, 1, 5, 10)
    rig.silence(3)
    without_loss(rig)
    assert rig.booked == yuan(23)


def test_more_coins_fall_while_the_host_is_dead_than_the_device_remembers(rig: CoinRig) -> None:
    rig.mechanism.timings = TIRELESS
    rig.open_sale()
    rig.drop(1)
    rig.settle(2)
    rig.drop(10, 10, 10, 1, 1, 1, 5, 5)
    rig.silence(3)
    rig.settled()
    assert rig.there - rig.booked == yuan(30)
    assert len(rig.losses) == 1
    rig.silence(3)
    rig.settled()
    assert len(rig.losses) == 1  # it is recorded once


def test_a_device_that_is_asked_by_nobody_takes_nothing(rig: CoinRig) -> None:
    rig.open_sale()
    rig.line.wait_until(rig.line.now_ms + 2_000)
    rig.drop(1, 5, 10, 1, 5, 10, 1)
    rig.silence(2)
    without_loss(rig)
    assert rig.booked == yuan(0)


def test_the_journal_begins_anew_before_a_device_that_has_counted(rig: CoinRig) -> None:
    rig.open_sale()
    rig.drop(1, 5, 10)
    rig.settled()
    later = CoinRig(rig.protocol, rig.simulator)
    later.line.now_ms = rig.line.now_ms
    later.ready()
    assert later.told(CoinInserted) == []
    assert later.losses == []
    later.open_sale()
    later.drop(10)
    later.settle(5)
    assert later.booked == yuan(10)


# The power goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host_too", [False, True])
@pytest.mark.parametrize("after_ms", [0, 100, 160, 300, 401, 2_000])
def test_the_power_goes_while_coins_fall(rig: CoinRig, after_ms: int, *, host_too: bool) -> None:
    sale = rig.open_sale()
    rig.drop(1)
    rig.settle(2)
    rig.drop(5, 10)
    rig.line.wait_until(rig.line.now_ms + after_ms)
    rig.mechanism.power_off()
    if host_too:
        rig.silence(5)
    else:
        rig.settle(5)
    rig.mechanism.power_on()
    rig.settled()
    assert len(rig.losses) == 1  # it was open: something may have fallen in
    booked = rig.booked
    rig.say(CancelAsked(sale))
    rig.open_sale()
    rig.drop(1, 10)
    rig.settled()
    assert rig.booked == booked + yuan(11)
    assert len(rig.losses) == 1


@pytest.mark.parametrize("host_too", [False, True])
def test_the_power_goes_at_night(rig: CoinRig, *, host_too: bool) -> None:
    sale = rig.open_sale(11)
    rig.drop(1, 10)
    rig.run(lambda: rig.stage.state(sale) == "delivering")
    rig.run(lambda: rig.acceptor().state == "closed")
    for _ in range(3):
        rig.mechanism.power_off()
        rig.silence(60) if host_too else rig.settle(60)
        rig.mechanism.power_on()
        rig.settle(10)
    rig.open_sale(6)
    rig.drop(1, 5)
    without_loss(rig)
    assert rig.booked == yuan(17)


def test_a_cut_so_short_that_the_host_hardly_notices(rig: CoinRig) -> None:
    rig.mechanism.timings = CoinTimings(initialise_ms=50)
    rig.open_sale()
    rig.drop(1, 1, 1)
    rig.settle(2)
    rig.drop(5, 10)
    rig.line.wait_until(rig.line.now_ms + 450)
    rig.mechanism.power_off()
    rig.mechanism.power_on()
    rig.settled()
    assert rig.there - rig.booked == yuan(15)
    assert len(rig.losses) == 1
    assert len(rig.told(DeviceReady)) == 2


def test_the_power_goes_again_before_the_host_has_seen_that_it_was_gone(rig: CoinRig) -> None:
    rig.open_sale()
    rig.drop(1)
    rig.settle(2)
    rig.drop(5)
    rig.line.wait_until(rig.line.now_ms + 300)
    for _ in range(2):
        rig.mechanism.power_off()
        rig.line.wait_until(rig.line.now_ms + 1_000)
        rig.mechanism.power_on()
        rig.line.wait_until(rig.line.now_ms + 500)
    rig.settled()
    assert rig.there - rig.booked == yuan(5)
    assert len(rig.losses) == 1


def test_after_a_cut_its_counter_catches_up_with_what_the_journal_knows(rig: CoinRig) -> None:
    rig.open_sale()
    rig.drop(1, 1)
    rig.settle(2)
    rig.drop(5)
    rig.line.wait_until(rig.line.now_ms + 300)
    rig.mechanism.power_off()
    rig.mechanism.power_on()
    rig.line.wait_until(rig.line.now_ms + 2_000)
    rig.mechanism.asked()  # by a technician, perhaps: it counts what it refuses
    rig.drop(1, 1)
    rig.line.wait_until(rig.line.now_ms + 500)
    rig.silence(2)
    rig.settled()
    assert rig.there - rig.booked == yuan(5)
    assert len(rig.losses) == 1


# What can be wrong with it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.JAM, Fault.CHEATED, Fault.MOTOR, Fault.SENSOR, Fault.OPEN, Fault.FAILURE])
def test_a_fault_is_told_and_when_it_is_seen_to_the_device_is_ready_again(rig: CoinRig, fault: Fault) -> None:
    if fault not in rig.faults:
        pytest.skip(f"this protocol has no word for {fault}")
    rig.open_sale()
    rig.mechanism.faults.add(fault)
    rig.run(lambda: rig.told(DeviceFailed) != [])
    (failed,) = rig.told(DeviceFailed)
    assert isinstance(failed, DeviceFailed)
    assert (failed.fault, bool(failed.vendor_code)) == (fault, True)
    rig.settle(30)
    assert not rig.mechanism.accepted
    rig.mechanism.clear(fault)
    rig.run(lambda: len(rig.told(DeviceReady)) == 2)
    rig.run(lambda: bool(rig.mechanism.accepted))
    rig.drop(5)
    without_loss(rig)
    assert rig.booked == yuan(5)


@pytest.mark.parametrize("fault", [Fault.JAM, Fault.CHEATED])
def test_a_coin_that_a_fault_meets_past_the_gate(rig: CoinRig, fault: Fault) -> None:
    if fault not in rig.faults:
        pytest.skip(f"this protocol has no word for {fault}")
    rig.open_sale()
    rig.mechanism.next_faults.append(fault)
    rig.drop(10)
    rig.settle(1)
    rig.drop(5)
    rig.settle(10)
    rig.mechanism.clear(fault)
    without_loss(rig)
    assert sorted(rig.mechanism.hand) == [yuan(5), yuan(10)]
    assert rig.booked == yuan(0)


def test_a_coin_that_is_swallowed_is_recorded_and_credited_to_nobody(rig: CoinRig) -> None:
    rig.open_sale()
    rig.mechanism.swallows = 1
    rig.drop(10)
    rig.settle(2)
    rig.drop(5)
    rig.settled()
    assert (rig.there, rig.booked) == (yuan(15), yuan(5))
    assert len(rig.losses) == 1


@pytest.mark.parametrize("is_open", [False, True])
def test_it_begins_anew_by_itself(rig: CoinRig, *, is_open: bool) -> None:
    sale = rig.open_sale()
    rig.drop(1, 5)
    rig.settle(2)
    if not is_open:
        rig.say(CancelAsked(sale))
        rig.settle(5)
    rig.mechanism.reset()
    rig.settled()
    assert rig.booked == rig.there == yuan(6)
    assert len(rig.losses) == is_open  # what it had not told when it was open, nobody can know


# The line ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_ms", [0, 200, 450])
def test_it_is_unplugged_while_coins_fall(rig: CoinRig, after_ms: int) -> None:
    rig.open_sale()
    rig.drop(1, 5, 10)
    rig.line.wait_until(rig.line.now_ms + after_ms)
    rig.line.plugged = False
    rig.settle(20)
    rig.line.plugged = True
    without_loss(rig)


def test_more_coins_fall_while_it_is_unplugged_than_it_remembers(rig: CoinRig) -> None:
    rig.mechanism.timings = TIRELESS
    rig.open_sale()
    rig.drop(1)
    rig.settle(2)
    rig.line.plugged = False
    rig.drop(10, 10, 1, 1, 5, 5, 5)
    rig.settle(20)
    rig.line.plugged = True
    rig.settled()
    assert rig.there - rig.booked == yuan(20)
    assert len(rig.losses) == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("faults", [
    pytest.param(lambda: LineFaults(dropped=0.1), id="dropped"),
    pytest.param(lambda: LineFaults(repeated=0.1), id="repeated"),
    pytest.param(lambda: LineFaults(corrupted=0.1), id="corrupted"),
    pytest.param(lambda: LineFaults(dropped=0.05, repeated=0.05, corrupted=0.05), id="everything"),
])  # fmt: skip
def test_answers_are_lost_repeated_or_corrupted(rig: CoinRig, seed: int, faults: Callable[[], LineFaults]) -> None:
    rig.shake(seed, faults())
    for _ in range(5):
        sale = rig.open_sale(30)
        while rig.stage.state(sale) == "paying":
            rig.drop(1, 5)
            rig.settle(1)
    rig.shake(seed, LineFaults())
    without_loss(rig)
    assert rig.booked >= yuan(150)


class Fate:
    """Customers, technicians, cables and the power, by lot."""

    def __init__(self, rig: CoinRig, seed: int) -> None:
        self._rig = rig
        self._random = Random(seed)
        rig.mechanism.timings = CoinTimings(silence_max_ms=self._random.choice((None, 1_000)))

    def strikes(self) -> None:
        """Something happens."""
        few, many, foreign = self._random.randint(1, 4), self._random.randint(5, 9), self._random.randint(1, 8)
        self._random.choice((
            lambda: self._rig.drop(*self._random.choices((1, 5, 10), k=few)),
            lambda: self._rig.drop(*self._random.choices((1, 5, 10), k=few)),
            lambda: self._rig.drop(*self._random.choices((1, 5, 10), k=many)),
            lambda: self._rig.drop(*[3] * foreign),
            self._open,
            self._open,
            self._cancel,
            self._kill,
            self._cut,
            self._unplug,
            self._rig.mechanism.reset,
            lambda: self._rig.shake(few, LineFaults(0.05, 0.05, 0.05)),
        ))()  # fmt: skip
        self._rig.settle(self._random.choice((0.1, 0.4, 2)))

    def spares(self) -> None:
        """Everything comes to rest."""
        self._rig.shake(1, LineFaults())
        self._rig.dies_before.clear()
        self._rig.dies_after.clear()
        self._rig.settle(8)

    def _open(self) -> None:
        if self._rig.acceptor().state == "closed":
            sale = self._rig.stage.sale(price=yuan(500), cash_price=yuan(500), face=yuan(500))
            self._rig.say(CashChosen(sale, ("coin",)))

    def _cancel(self) -> None:
        if self._rig.acceptor().sale:
            self._rig.say(CancelAsked(self._rig.acceptor().sale))

    def _kill(self) -> None:
        dies = self._random.choice((self._rig.dies_before, self._rig.dies_after))
        dies.add(self._random.choice((CoinInserted, CoinsLost, DeviceReady, DeviceIdle)))
        if self._random.random() < 0.5:
            self._rig.silence(self._random.choice((0.5, 3)))

    def _cut(self) -> None:
        self._rig.mechanism.power_off()
        self._rig.line.wait_until(self._rig.line.now_ms + self._random.choice((10, 500, 5_000)))
        self._rig.mechanism.power_on()

    def _unplug(self) -> None:
        self._rig.line.plugged = False
        self._rig.settle(self._random.choice((0.5, 3)))
        self._rig.line.plugged = True


@pytest.mark.parametrize("seed", range(5))
def test_a_life_in_which_anything_happens(rig: CoinRig, seed: int) -> None:
    """Whenever it comes to rest, what is missing in the books has been recorded as lost since it was complete."""
    fate = Fate(rig, seed)
    missing, losses = yuan(0), 0
    for _ in range(12):
        for _ in range(4):
            fate.strikes()
        fate.spares()
        now_missing = rig.there - rig.booked
        assert now_missing >= missing
        assert now_missing == missing or len(rig.losses) > losses, rig.facts
        missing, losses = now_missing, len(rig.losses)
    rig.settled()
    told = {fact.position: fact.amount.minor for fact in rig.facts if isinstance(fact, CoinInserted)}
    assert sum(told.values()) == rig.booked.minor
