"""The encrypted form: how a key is agreed upon, and what a wrong key, a wrong count or none at all leads to."""

from random import Random

import pytest

from devices.driver import DeviceGone
from devices.ssp import cipher, wire
from devices.ssp.cipher import Session
from devices.ssp.driver import EsspDriver, SspDriver
from devices.ssp.sim import EsspSimulator, SspSimulator
from devices.ssp.wire import Command, Frame
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.bill_validator import NoteStacked
from kiosk.ports.fault import Fault
from tests.devices.ssp.bench import Bench
from tests.kiosk.flow.stage import yuan

OTHER_KEY = "0011223344556677"
IN_CLEAR = {Command.SYNC, Command.HOLD, Command.SET_GENERATOR, Command.SET_MODULUS, Command.REQUEST_KEY_EXCHANGE}


def device(key: str = cipher.DEFAULT_KEY, *, with_ack: bool | None = None) -> EsspSimulator:
    """A validator whose entropy is known."""
    return EsspSimulator(with_ack=with_ack, key=key, entropy=Random(3).randbytes)


def refused(bench: Bench) -> DeviceGone:
    """Why the driver does not begin with this device."""
    with pytest.raises(DeviceGone) as gone:
        bench.driver.begin(bench.line)
    return gone.value


def faults(bench: Bench) -> set[str]:
    """What the host was told that is wrong with it."""
    return {fact.fault for fact in bench.told(DeviceFailed) if isinstance(fact, DeviceFailed)}


def test_nothing_but_the_negotiation_is_said_in_clear() -> None:
    bench = Bench(device(), EsspDriver)
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.box == [yuan(20)])
    bench.settle(5)
    assert set(bench.commands()) == IN_CLEAR | {wire.STEX}
    assert bench.commands().count(Command.REQUEST_KEY_EXCHANGE) == 1
    assert bench.stage.balances() == {"cashbox:bill": -2000, "payer": 2000}


def test_the_keys_come_from_the_entropy_that_is_given() -> None:
    said = [Bench(device(), EsspDriver) for _ in range(2)]
    for bench in said:
        bench.ready()
    assert said[0].sent() == said[1].sent()
    generator, modulus = (frame.data[1:] for frame in said[0].sent()[1:3])
    offer = cipher.offer(Random(7).randbytes)
    assert (generator, modulus) == (cipher.number_bytes(offer.generator), cipher.number_bytes(offer.modulus))
    assert offer.generator > offer.modulus
    assert cipher.is_prime(offer.generator)
    assert cipher.is_prime(offer.modulus)
    assert offer.modulus.bit_length() == cipher.PRIME_BITS


def test_entropy_that_is_none_gives_no_key() -> None:
    with pytest.raises(ValueError, match="no primes"):
        cipher.offer(lambda count: b"\xff" * count)


def test_every_contact_has_a_key_of_its_own() -> None:
    bench = Bench(device(), EsspDriver)
    bench.ready()
    bench.line.plugged = False
    bench.settle(5)
    bench.line.plugged = True
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)
    primes = [frame.data for frame in bench.sent() if frame.data[0] == Command.SET_GENERATOR]
    assert len(primes) == len(set(primes)) == 2


@pytest.mark.parametrize("key", ["0011223344556677", "0123456701234566"])
def test_another_key_is_no_key(key: str) -> None:
    bench = Bench(device(), EsspDriver, key=key)
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    bench.settle(120)
    assert faults(bench) == {Fault.NO_KEY}
    assert bench.told(DeviceReady) == []
    assert not bench.driver.identity.model


def test_a_device_that_another_key_put_out_of_service_is_brought_back() -> None:
    bench = Bench(device(OTHER_KEY), EsspDriver)
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    bench.key = OTHER_KEY
    bench.restart()
    bench.run(lambda: bool(bench.told(DeviceReady)))
    assert Command.RESET in bench.commands()


def test_a_reset_is_not_sent_again_and_again() -> None:
    bench = Bench(device(OTHER_KEY), EsspDriver)
    bench.settle(170)
    assert bench.commands().count(Command.RESET) == 3


@pytest.mark.parametrize("key", ["12", "0123456701234567ff", "what a key"])
def test_what_is_no_key_is_said_so(key: str) -> None:
    gone = refused(Bench(device(), EsspDriver, key=key))
    assert (gone.fault, gone.detail) == (Fault.NO_KEY, "a key is written as 16 hexadecimal digits")


def test_a_device_without_encryption_has_no_key() -> None:
    gone = refused(Bench(SspSimulator(), EsspDriver))
    assert (gone.fault, gone.vendor_code) == (Fault.NO_KEY, "4A:F2")


def test_a_device_that_wants_encryption_is_not_spoken_to_without() -> None:
    gone = refused(Bench(device(), SspDriver))
    assert (gone.fault, gone.vendor_code) == (Fault.NO_KEY, "08:FA")


def test_a_credit_that_is_said_encrypted_is_not_believed_without_a_key() -> None:
    bench = Bench(device(), EsspDriver)
    bench.ready()
    bench._driver = SspDriver  # noqa: SLF001 - somebody changed the configuration  # pyright: ignore[reportPrivateUsage]
    bench.restart()
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert faults(bench) == {Fault.NO_KEY}
    assert bench.told(NoteStacked) == []


def test_without_poll_with_ack_encryption_would_lose_what_a_dead_host_has_not_heard() -> None:
    bench = Bench(device(with_ack=False), EsspDriver)
    bench.driver.begin(bench.line)
    with pytest.raises(DeviceGone) as gone:
        bench.driver.poll()
    assert (gone.value.fault, gone.value.vendor_code) == (Fault.FIRMWARE, "F2")


# The count -----------------------------------------------------------------------------------------------------------


class Forged(EsspSimulator):
    """A device whose replies somebody changes."""

    how = ""

    def _sealed(self, session: Session, reply: bytes) -> bytes:
        if self.how == "in clear":
            return reply
        if self.how == "count":
            session.count += 1
        if self.how == "empty":
            return super()._sealed(session, b"")
        sealed = super()._sealed(session, reply)
        return sealed[:-1] if self.how == "cut" else sealed


@pytest.mark.parametrize("how", ["in clear", "count", "empty", "cut"])
def test_a_reply_that_is_not_the_next_one_of_this_session_is_no_reply(how: str) -> None:
    simulator = Forged(entropy=Random(3).randbytes)
    bench = Bench(simulator, EsspDriver)
    bench.ready()
    simulator.how = how
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert faults(bench) == {Fault.NO_KEY}
    simulator.how = ""
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)


class Skipping(EsspSimulator):
    """A device that believes that it has heard one command more."""

    skips = 0

    def _decrypted(self, data: bytes) -> bytes:
        if self.skips and self._session is not None:
            self.skips -= 1
            self._session.count += 1
        return super()._decrypted(data)


def test_a_device_with_another_count_does_not_answer_and_gets_a_new_key() -> None:
    simulator = Skipping(entropy=Random(3).randbytes)
    bench = Bench(simulator, EsspDriver)
    bench.ready()
    simulator.skips = 1
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert faults(bench) == {Fault.NO_KEY}
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)


def test_a_device_that_was_without_power_has_forgotten_the_key() -> None:
    bench = Bench(device(), EsspDriver)
    bench.ready()
    bench.mechanism.power_off()
    bench.line.wait_until(bench.line.now_ms + 3_000)
    bench.mechanism.power_on()
    bench.run(lambda: len(bench.told(DeviceReady)) == 2)
    assert faults(bench) == {Fault.NO_KEY}


class Sulking(EsspSimulator):
    """A device that answers nothing any more, until it is told to begin anew."""

    sulks = False

    def _reply(self, frame: Frame) -> bytes:
        self.sulks = self.sulks and frame.data[0] != Command.SYNC
        return b"" if self.sulks else super()._reply(frame)


def test_what_is_never_answered_is_not_asked_for_ever() -> None:
    simulator = Sulking(entropy=Random(3).randbytes)
    bench = Bench(simulator, EsspDriver)
    bench.ready()
    simulator.sulks = True
    bench.run(lambda: bool(bench.told(DeviceFailed)))
    assert faults(bench) == {Fault.SILENT}
    bench.run(lambda: len(bench.told(DeviceReady)) == 2, within_s=120)
