"""The inside of a simulated SSP validator: what it does when told, and what it has to say. Simulators only."""

from collections.abc import Callable

from msgspec.structs import replace

from devices.mechanism import Mechanism, Phase, Timings
from devices.ssp import wire
from devices.ssp.dataset import Channel, Setup, setup_data
from devices.ssp.wire import Command, Event, Happened, Status
from kiosk.amount import Money
from kiosk.ports.fault import Fault

TIMINGS = Timings(escrow_max_ms=24 * 3_600_000, silence_max_ms=10_000)  # it holds a note for as long as the host asks
VALUES = (5, 10, 20, 50, 100)
SETUP = Setup(0x00, "0414", "CNY", 100, 8, tuple(Channel(value, "CNY") for value in VALUES))
OLDEST_VERSION, DEFAULT_VERSION = 4, 6
MASK_BYTES = 3  # at most: 24 channels
ACCEPTED, CHANNEL_INHIBIT, HOST_REJECT, ESCROW_TIMEOUT = 0x00, 0x06, 0x08, 0x13  # reject codes
CLEARED = {"validator": Event.NOTE_CLEARED_FROM_FRONT, "stacker": Event.NOTE_CLEARED_INTO_CASHBOX}
MOVING = {
    Phase.ACCEPTING: Happened(Event.READ, b"\0"),
    Phase.STACKING: Happened(Event.STACKING),
    Phase.RETURNING: Happened(Event.REJECTING),
    Phase.REJECTING: Happened(Event.REJECTING),
}
FAULTS = {
    Fault.JAM: Happened(Event.UNSAFE_JAM),
    Fault.STACKER_JAM: Happened(Event.SAFE_JAM),
    Fault.CHEATED: Happened(Event.FRAUD_ATTEMPT, b"\0"),
    Fault.OPEN: Happened(Event.NOTE_PATH_OPEN),
    Fault.BOX_REMOVED: Happened(Event.CASHBOX_REMOVED),
}
OK = bytes((Status.OK,))


class Validator:
    """A mechanism with a dataset and a list of events."""

    def __init__(self, mechanism: Mechanism, setup: Setup, *, with_ack: bool) -> None:
        self.mechanism = mechanism
        self.setup = setup  # with the highest protocol version that it knows
        self.with_ack = with_ack  # does it take POLL WITH ACK?
        self.serial = 4_880_564
        self.firmware, self.dataset = b"NV02004141498000", b"CNY01610"
        self.waiting: list[bytes] = []  # what the next poll tells
        self.unacked = b""  # what POLL WITH ACK repeats
        self.heard_ms = 0
        self.forget()

    # Power -----------------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """The power is gone, and with it whatever it has not told."""
        self.waiting.clear()
        self.unacked = b""
        self.version = min(DEFAULT_VERSION, self.setup.version)
        self._shown = False  # was the host told which note is in escrow?
        self._ended = False  # was it told how the last one ended?
        self._mask = 0
        self._enabled = False
        self._reject_code = ACCEPTED
        self._when_started: list[Happened] = []
        self._seen, self._box_in, self._full = self.mechanism.phase, self.mechanism.box_in, False

    def start_up(self) -> None:
        """Under power again: a note that lies in the path is cleared out of it."""
        self.forget()
        machine = self.mechanism
        self._when_started = [Happened(Event.SLAVE_RESET)]
        if machine.found:
            self._when_started.append(Happened(CLEARED[machine.found], self._channel()))
        self._when_started.append(Happened(Event.DISABLED))
        machine.reset()
        self._seen = machine.phase

    def heard(self) -> None:
        """The host is there; whatever it was told last, it knows."""
        self.heard_ms = self.mechanism.now_ms
        self.mechanism.asked()
        if self._ended and not self.unacked:
            self._ended = False
            self.mechanism.acknowledge()
            self._seen = self.mechanism.phase

    # What happens ----------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """What has changed in the mechanism since the last look becomes an event."""
        machine, before = self.mechanism, self._seen
        if machine.box_in and not self._box_in:
            self._tell(Event.CASHBOX_REPLACED)
        full = machine.broken is Fault.STACKER_FULL
        if full and not self._full:
            self._tell(Event.STACKER_FULL)
        self._seen, self._box_in, self._full = machine.phase, machine.box_in, full
        if machine.phase is not before:
            self._changed(before, machine.phase)

    def _changed(self, before: Phase, now: Phase) -> None:
        if before is Phase.INITIALISING:
            self.waiting += [wire.events_data([one]) for one in self._when_started]
            self._when_started = []
        if now is Phase.ESCROW:
            self._shown, self._reject_code = False, ACCEPTED
        elif now is Phase.RETURNING:
            self._reject_code = self._reject_code or ESCROW_TIMEOUT
        elif now is Phase.STACKED:
            self._tell(Event.NOTE_CREDIT, self._channel())
            self._tell(Event.STACKED)
        elif now is Phase.RETURNED:
            self._tell(Event.REJECTED)
        elif now is Phase.IDLE and before in {Phase.ACCEPTING, Phase.REJECTING}:
            self._reject_code = CHANNEL_INHIBIT
            self._tell(Event.REJECTED)

    def _tell(self, event: Event, data: bytes = b"") -> None:
        if wire.data_bytes(event, self.version) is not None:
            self.waiting.append(wire.events_data([Happened(event, data)]))

    # What it says ----------------------------------------------------------------------------------------------------

    def poll(self, *, with_ack: bool) -> bytes:
        """The answer to a poll. Once the host was told which note is in escrow, the next poll lets it through."""
        if with_ack and self.unacked:
            return OK + self.unacked
        machine = self.mechanism
        if machine.phase is Phase.ESCROW and self._shown:
            machine.stack()
            self.watch()
        told = b"".join(self.waiting) + wire.events_data(self._now(with_ack=with_ack))
        self.waiting.clear()
        self._ended = machine.phase in {Phase.STACKED, Phase.RETURNED}
        happened = wire.events(told, self.version) or []
        if with_ack and any(one.event in wire.ACKNOWLEDGED for one in happened):
            self.unacked = told
        return OK + told

    def _now(self, *, with_ack: bool) -> list[Happened]:
        """What is told again and again, for as long as it is so."""
        machine = self.mechanism
        if machine.phase is Phase.INITIALISING:
            return [Happened(Event.INITIALISING)] if with_ack else []
        if machine.broken:
            fault = FAULTS.get(machine.broken)
            return [] if fault is None or wire.data_bytes(fault.event, self.version) is None else [fault]
        if machine.phase is Phase.ESCROW:
            self._shown = True
            return [Happened(Event.READ, self._channel())]
        return [MOVING[machine.phase]] if machine.phase in MOVING else []

    def _channel(self) -> bytes:
        note = self.mechanism.note
        return bytes((next((number for number, worth in self.channels().items() if worth == note), 0),))

    def channels(self) -> dict[int, Money]:
        """What each channel is worth."""
        return {
            number: Money(channel.value * self.setup.multiplier, channel.country)
            for number, channel in enumerate(self.setup.channels, 1)
        }

    # What it is told -------------------------------------------------------------------------------------------------

    def obey(self, command: int, parameters: bytes) -> bytes:
        """Carry a command out; the reply."""
        self.heard()
        if command == Command.POLL or (command == Command.POLL_WITH_ACK and self.with_ack):
            return self.poll(with_ack=command == Command.POLL_WITH_ACK)
        tells: dict[int, Callable[[], bytes]] = {
            Command.SETUP_REQUEST: lambda: setup_data(replace(self.setup, version=self.version)),
            Command.GET_SERIAL_NUMBER: lambda: self.serial.to_bytes(4, "big"),
            Command.GET_FIRMWARE_VERSION: lambda: self.firmware,
            Command.GET_DATASET_VERSION: lambda: self.dataset,
            Command.LAST_REJECT_CODE: lambda: bytes((self._reject_code,)),
        }
        does: dict[int, Callable[[bytes], Status]] = {
            Command.SYNC: lambda _: Status.OK,
            Command.DISABLE_PAYOUT: lambda _: Status.OK,
            Command.HOLD: lambda _: _possible(self.mechanism.phase is Phase.ESCROW),
            Command.REJECT: self._reject,
            Command.SET_INHIBITS: self._inhibit,
            Command.ENABLE: self._enable,
            Command.DISABLE: self._disable,
            Command.HOST_PROTOCOL_VERSION: self._speak,
            Command.EVENT_ACK: self._acknowledged,
        }
        if command in tells:
            return OK + tells[command]()
        return bytes((does[command](parameters) if command in does else Status.COMMAND_NOT_KNOWN,))

    def _reject(self, _: bytes) -> Status:
        given_back = self.mechanism.give_back()
        if given_back:
            self._reject_code = HOST_REJECT
            self.watch()
        return _possible(given_back)

    def _inhibit(self, mask: bytes) -> Status:
        if not 1 <= len(mask) <= MASK_BYTES:
            return Status.WRONG_NO_PARAMETERS
        self._mask = int.from_bytes(mask, "little")
        if not self._mask:
            self._tell(Event.CHANNEL_DISABLE)
        self._open()
        return Status.OK

    def _enable(self, _: bytes) -> Status:
        self._enabled = True
        self._open()
        return Status.OK

    def _disable(self, _: bytes) -> Status:
        self._enabled = False
        self._tell(Event.DISABLED)
        self._open()
        return Status.OK

    def _open(self) -> None:
        taken = {worth for number, worth in self.channels().items() if self._mask >> number - 1 & 1}
        self.mechanism.accepted = frozenset(taken if self._enabled else ())

    def _speak(self, parameters: bytes) -> Status:
        if len(parameters) != 1:
            return Status.WRONG_NO_PARAMETERS
        if not OLDEST_VERSION <= parameters[0] <= self.setup.version:
            return Status.FAIL
        self.version = parameters[0]
        return Status.OK

    def _acknowledged(self, _: bytes) -> Status:
        if not self.with_ack:
            return Status.COMMAND_NOT_KNOWN
        waited = bool(self.unacked)
        self.unacked = b""
        self.heard()
        return _possible(waited)


def _possible(done: bool) -> Status:  # noqa: FBT001 - the question itself
    return Status.OK if done else Status.COMMAND_CANNOT_BE_PROCESSED
