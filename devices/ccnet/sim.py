"""A CCNET validator, on the other side of the wire."""

from devices.ccnet import wire
from devices.ccnet.wire import Bill, Command, Decoder, Frame, Identification, State
from devices.mechanism import Mechanism, Phase
from devices.simulator import BillSimulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault

BILLS = {2: Bill(5, "CHN", 0), 3: Bill(1, "CHN", 1), 4: Bill(2, "CHN", 1), 5: Bill(5, "CHN", 1), 6: Bill(1, "CHN", 2)}
WHO = Identification("SM-CN1234", "21K7C0012345", bytes(7))

STARTS = {"": State.POWER_UP, "validator": State.POWER_UP_IN_VALIDATOR, "stacker": State.POWER_UP_IN_STACKER}
PHASES = {
    Phase.INITIALISING: State.INITIALISE,
    Phase.ACCEPTING: State.ACCEPTING,
    Phase.STACKING: State.STACKING,
    Phase.RETURNING: State.RETURNING,
}
ENDS = {Phase.STACKED: State.STACKED, Phase.RETURNED: State.RETURNED}
FAULTS = {
    Fault.STACKER_FULL: bytes((State.CASSETTE_FULL,)),
    Fault.BOX_REMOVED: bytes((State.CASSETTE_OUT,)),
    Fault.JAM: bytes((State.JAMMED,)),
    Fault.STACKER_JAM: bytes((State.CASSETTE_JAMMED,)),
    Fault.CHEATED: bytes((State.CHEATED,)),
    Fault.PAUSED: bytes((State.PAUSE,)),
    Fault.MOTOR: bytes((State.FAILURE, 0x50)),
    Fault.SENSOR: bytes((State.FAILURE, 0x55)),
    Fault.OPEN: bytes((State.FAILURE, 0x54)),
    Fault.FIRMWARE: bytes((State.FAILURE, 0x30)),
    Fault.FAILURE: bytes((State.FAILURE, 0xF4)),
}
REASONS = {"inhibited": 0x68, "verification": 0x66}
STARTING = {Phase.START, Phase.INITIALISING}
TELLING = {*STARTS.values(), State.INITIALISE, State.DISABLED, *(State(state[0]) for state in FAULTS.values())}


class CcnetSimulator(BillSimulator):
    """One validator with its bills."""

    faults = frozenset(FAULTS)

    def __init__(
        self,
        mechanism: Mechanism | None = None,
        bills: dict[int, Bill] | None = None,
        who: Identification = WHO,
    ) -> None:
        super().__init__(mechanism)
        self.bills = BILLS if bills is None else bills
        self.who = who
        self._decoder = Decoder()
        self._enabled = self._secure = bytes(3)
        self._recovered: int | None = None  # the type of a bill that went into the box while the power was off
        self._told: bytes = b""  # the last word on a bill that the last answer was, and that the next ACK is for

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(self._worth(kind) for kind in self.bills)

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        if self.mechanism.phase is Phase.OFF:
            self._decoder.drop()
            return
        garbled = self._decoder.garbled
        frames = [frame for frame in self._decoder.feed(data) if frame.body]
        if not frames and self._decoder.garbled > garbled:
            self._answer(wire.NAK)
        for frame in frames:
            if frame.address == wire.VALIDATOR:
                self.mechanism.asked()
                self._answer(self._reply(frame.body))

    def _answer(self, body: bytes) -> None:
        if body:
            self.send(wire.encode(Frame(wire.VALIDATOR, body)))

    # What it answers --------------------------------------------------------------------------------------------------

    def _reply(self, body: bytes) -> bytes:
        if body == wire.ACK:
            self._acknowledged()
            return b""
        self._told = b""
        match body[0]:
            case Command.POLL:
                state = self._state()
                self._told = state if state[0] in ENDS.values() else b""
                return state
            case Command.GET_STATUS:
                return (self._enabled if self.mechanism.accepted else bytes(3)) + self._secure
            case Command.IDENTIFICATION | Command.BILL_TABLE:
                return self._about(body[0]) if self._state()[0] in TELLING else wire.ILLEGAL
            case _:
                return wire.ACK if self._obeys(body) else wire.ILLEGAL

    def _acknowledged(self) -> None:
        if not self._told or self._told != self._state():
            return
        if self.mechanism.phase in ENDS:
            self.mechanism.acknowledge()
        else:
            self._recovered = None
        self._told = b""

    def _about(self, command: int) -> bytes:
        if command == Command.IDENTIFICATION:
            return wire.identification_body(self.who)
        return wire.bill_table_body(self.bills)

    def _obeys(self, body: bytes) -> bool:
        machine = self.mechanism
        match body[0]:
            case Command.RESET:
                self._reset()
            case Command.ENABLE:
                return self._enables(body)
            case Command.SET_SECURITY if len(body) == 1 + len(self._secure):
                self._secure = body[1:]
            case Command.STACK:
                return machine.stack()
            case Command.RETURN:
                return machine.give_back()
            case Command.HOLD if machine.phase is Phase.ESCROW:
                machine.holding = True
            case _:
                return False
        return True

    def _reset(self) -> None:
        machine = self.mechanism
        if machine.phase is Phase.START and machine.found == "stacker":
            self._recovered = self._kind(machine.note)
        self._enabled = bytes(3)
        machine.reset()

    def _enables(self, body: bytes) -> bool:
        kinds = wire.enabled_types(body)
        if kinds is None or self.mechanism.phase in STARTING:
            return False
        self._enabled = body[1:4]
        self.mechanism.accepted = frozenset(self._worth(kind) for kind in kinds if kind in self.bills)
        return True

    def _state(self) -> bytes:
        machine = self.mechanism
        if machine.phase is Phase.START:
            return bytes((STARTS[machine.found],))
        if machine.phase in ENDS:
            return bytes((ENDS[machine.phase], self._kind(machine.note)))
        if machine.broken:
            return FAULTS.get(machine.broken, FAULTS[Fault.FAILURE])
        return self._resting() if machine.phase is Phase.IDLE else self._moving()

    def _moving(self) -> bytes:
        machine = self.mechanism
        match machine.phase:
            case Phase.ESCROW if machine.holding:
                return bytes((State.HOLDING,))
            case Phase.ESCROW:
                return bytes((State.ESCROW, self._kind(machine.note)))
            case Phase.REJECTING:
                return bytes((State.REJECTING, REASONS.get(machine.reason, 0x66)))
            case phase:
                return bytes((PHASES[phase],))

    def _resting(self) -> bytes:
        if self._recovered is not None:
            return bytes((State.STACKED, self._recovered))
        return bytes((State.IDLING if self.mechanism.accepted else State.DISABLED,))

    def _worth(self, kind: int) -> Money:
        bill = self.bills[kind]
        return Money(bill.digit * 10 ** (2 + bill.exponent), "CNY")

    def _kind(self, note: Money | None) -> int:
        return next((kind for kind in self.bills if self._worth(kind) == note), 0)
