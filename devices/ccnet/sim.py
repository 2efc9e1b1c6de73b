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
ENDS = {Phase.ESCROW: State.ESCROW, Phase.STACKED: State.STACKED, Phase.RETURNED: State.RETURNED}
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
    Fault.FAILURE: bytes((State.FAILURE, 0x57)),
}
REASONS = {"inhibited": 0x68, "verification": 0x66}
STARTING = {Phase.START, Phase.INITIALISING}


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
        self._reported: Phase | None = None  # the end that the last answer told, and the next ACK acknowledges

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        if self.mechanism.phase is Phase.OFF:
            return
        for frame in self._decoder.feed(data):
            if frame.address != wire.VALIDATOR or not frame.body:
                continue
            self.mechanism.asked()
            answer = self._answer(frame.body)
            if answer:
                self.send(wire.encode(Frame(wire.VALIDATOR, answer)))

    # What it answers --------------------------------------------------------------------------------------------------

    def _answer(self, body: bytes) -> bytes:
        if body == wire.ACK:
            self._acknowledged()
            return b""
        if body[0] == Command.POLL:
            return self._state()
        if body[0] in {Command.IDENTIFICATION, Command.BILL_TABLE}:
            return self._about(body[0]) if self._may_tell() else wire.ILLEGAL
        return wire.ACK if self._obeys(body) else wire.ILLEGAL

    def _acknowledged(self) -> None:
        if self._reported is self.mechanism.phase:
            self.mechanism.acknowledge()
        self._reported = None

    def _about(self, command: int) -> bytes:
        if command == Command.IDENTIFICATION:
            return wire.identification_body(self.who)
        return wire.bill_table_body(self.bills)

    def _obeys(self, body: bytes) -> bool:
        machine = self.mechanism
        match body[0]:
            case Command.RESET:
                machine.reset()
                return True
            case Command.ENABLE:
                return self._enables(wire.enabled_types(body))
            case Command.STACK:
                return machine.stack()
            case Command.RETURN:
                return machine.give_back()
            case Command.HOLD:
                machine.holding = machine.phase is Phase.ESCROW
                return machine.holding
            case _:
                return False

    def _enables(self, kinds: frozenset[int] | None) -> bool:
        if kinds is None or self.mechanism.phase in STARTING:
            return False
        self.mechanism.accepted = frozenset(self._worth(kind) for kind in kinds if kind in self.bills)
        return True

    def _may_tell(self) -> bool:
        machine = self.mechanism
        return machine.phase in STARTING or (machine.phase is Phase.IDLE and not machine.accepted)

    def _state(self) -> bytes:
        machine = self.mechanism
        if machine.phase is Phase.START:
            return bytes((STARTS[machine.found],))
        if machine.phase in ENDS and not (machine.phase is Phase.ESCROW and machine.broken):
            self._reported = machine.phase
            return bytes((ENDS[machine.phase], self._kind(machine.note)))
        if machine.broken:
            return FAULTS.get(machine.broken, FAULTS[Fault.FAILURE])
        if machine.phase is Phase.REJECTING:
            return bytes((State.REJECTING, REASONS.get(machine.reason, 0x66)))
        if machine.phase is Phase.IDLE:
            return bytes((State.IDLING if machine.accepted else State.DISABLED,))
        return bytes((PHASES[machine.phase],))

    def _worth(self, kind: int) -> Money:
        bill = self.bills[kind]
        return Money(bill.digit * 10 ** (2 + bill.exponent), "CNY")

    def _kind(self, note: Money | None) -> int:
        return next((kind for kind in self.bills if self._worth(kind) == note), 0)
