"""A validator that speaks SSP, or eSSP, on the other side of the wire: packets, sequence bits and encryption."""

import os
from typing import ClassVar

from devices.mechanism import Mechanism, Phase
from devices.simulator import BillSimulator
from devices.ssp import cipher, wire
from devices.ssp.cipher import Entropy, Session
from devices.ssp.dataset import Setup
from devices.ssp.simulated import FAULTS, OK, SETUP, TIMINGS, Validator
from devices.ssp.wire import Command, Decoder, Event, Frame, Status
from kiosk.amount import Money
from kiosk.ports.fault import Fault

ADDRESS = 0
CREDITS = {Event.NOTE_CREDIT, Event.NOTE_CLEARED_INTO_CASHBOX}
NEGOTIATION = {Command.SET_GENERATOR, Command.SET_MODULUS, Command.REQUEST_KEY_EXCHANGE}


class SspSimulator(BillSimulator):
    """One validator with its dataset."""

    faults = frozenset(FAULTS) | {Fault.STACKER_FULL}
    encrypted: ClassVar[bool] = False

    def __init__(
        self,
        mechanism: Mechanism | None = None,
        setup: Setup = SETUP,
        *,
        with_ack: bool | None = None,
        key: str = cipher.DEFAULT_KEY,
        entropy: Entropy = os.urandom,
    ) -> None:
        super().__init__(mechanism or Mechanism(TIMINGS))
        acks = self.encrypted if with_ack is None else with_ack
        self.validator = Validator(self.mechanism, setup, with_ack=acks)
        self._fixed_key = cipher.fixed_key(key) or b""
        self._entropy = entropy
        self._decoder = Decoder()
        self._forget()

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(self.validator.channels().values())

    def _forget(self) -> None:
        self._last: tuple[bool, bytes] | None = None  # the sequence bit of the last packet, and the reply to it
        self._primes: dict[int, int] = {}
        self._session: Session | None = None
        self._out_of_service = False  # somebody encrypts with another key

    # Time ------------------------------------------------------------------------------------------------------------

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        super().pass_time(now_ms)
        self.validator.mechanism = self.mechanism
        if self.mechanism.phase is Phase.OFF:
            self._forget()
            self.validator.forget()
        elif self.mechanism.phase is Phase.START:
            self._forget()
            self.validator.start_up()
        self.validator.watch()

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        by_itself = super().next_ms()
        if self.mechanism.phase is not Phase.ESCROW:
            return by_itself
        given_up_ms = self.validator.heard_ms + self.mechanism.timings.silence_max_ms + 1
        return given_up_ms if by_itself is None else min(by_itself, given_up_ms)

    # The line --------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        if self.mechanism.phase is Phase.OFF:
            return
        for frame in self._decoder.feed(data):
            reply = self._reply(frame) if frame.address == ADDRESS else b""
            if reply:
                self.send(wire.encode(Frame(ADDRESS, frame.sequence, reply)))

    def _reply(self, frame: Frame) -> bytes:
        """What bears the sequence bit of the packet before is that packet again, and its reply is said again."""
        if frame.data[0] == Command.SYNC:
            self.validator.heard()
            self._last = (True, OK)  # the next packet is a new one if it bears the bit 0
            return OK
        if self._last is not None and self._last[0] is frame.sequence:
            return self._last[1]
        if frame.data[0] == Command.RESET:
            self._restart()
            return OK
        reply = self._decrypted(frame.data) if frame.data[0] == wire.STEX else self._plain(frame.data)
        if reply:
            self._last = (frame.sequence, reply)
        return reply

    def _restart(self) -> None:
        self.mechanism.power_off()
        self.mechanism.power_on()
        self.pass_time(self.mechanism.now_ms)

    # Encryption ------------------------------------------------------------------------------------------------------

    def _plain(self, data: bytes) -> bytes:
        """Once there is a key, only what is worth money is said encrypted to whoever asks without encryption."""
        if not self.encrypted:
            return self.validator.obey(data[0], data[1:])
        if data[0] in NEGOTIATION and not self._out_of_service:
            return self._negotiated(data[0], data[1:])
        if self._session is None or self._out_of_service:
            return bytes((Status.KEY_NOT_SET,))
        if data[0] in {Command.POLL_WITH_ACK, Command.EVENT_ACK}:
            return bytes((Status.COMMAND_CANNOT_BE_PROCESSED,))
        reply = self.validator.obey(data[0], data[1:])
        told = wire.events(reply[1:], self.validator.version) if data[0] == Command.POLL else None
        return self._sealed(self._session, reply) if any(one.event in CREDITS for one in told or []) else reply

    def _decrypted(self, data: bytes) -> bytes:
        """Another key puts it out of service until it is reset; another count is as if nothing was said."""
        if self._session is None or self._out_of_service:
            return bytes((Status.KEY_NOT_SET,)) if self.encrypted else bytes((Status.COMMAND_NOT_KNOWN,))
        opened = self._session.open(data[1:])
        if opened is None or not opened.data:
            self._out_of_service = True
            self.mechanism.accepted = frozenset()
            return b""
        if opened.count != self._session.count:
            return b""
        reply = self.validator.obey(opened.data[0], opened.data[1:])
        self._session.count += 1
        return self._sealed(self._session, reply)

    def _sealed(self, session: Session, reply: bytes) -> bytes:
        return bytes((wire.STEX,)) + session.seal(reply)

    def _negotiated(self, command: int, parameters: bytes) -> bytes:
        self.validator.heard()
        if len(parameters) != cipher.NUMBER_BYTES:
            return bytes((Status.WRONG_NO_PARAMETERS,))
        number = int.from_bytes(parameters, "little")
        if command != Command.REQUEST_KEY_EXCHANGE:
            if not cipher.is_prime(number):
                return bytes((Status.PARAMETERS,))
            self._primes[command] = number
            return OK
        if self._primes.keys() != {Command.SET_GENERATOR, Command.SET_MODULUS}:
            return bytes((Status.FAIL,))
        part = cipher.answer(self._entropy, self._primes[Command.SET_GENERATOR], self._primes[Command.SET_MODULUS])
        self._session = Session(self._fixed_key, part.agreed(number), self._entropy)
        return OK + cipher.number_bytes(part.public)


class EsspSimulator(SspSimulator):
    """The same, and it does nothing before a key is agreed upon."""

    encrypted = True
