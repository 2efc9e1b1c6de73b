"""A ccTalk bill validator, on the other side of the wire."""

from collections import deque

from devices.cctalk.denominations import bill
from devices.cctalk.peripheral import BILLS
from devices.cctalk.positions import TURN
from devices.cctalk.simulated import Model, Nameplate, Slave
from devices.cctalk.wire import EVENTS, Frame, Header, Reading, Result, Scaling
from devices.mechanism import Mechanism, Phase
from devices.simulator import BillSimulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault

PLATE = Nameplate(
    "Bill Validator",
    "ITL",
    "NV9",
    "CC-1.06",
    654_321,
    {2: "CN0005A", 3: "CN0010A", 4: "CN0020A", 5: "CN0050A", 6: "CN0100A"},
    {"CN": Scaling(100, 2)},
    ".......",
)
FAULTS = {  # as a self-check finds it
    Fault.JAM: b"\x27",
    Fault.STACKER_JAM: b"\x26",
    Fault.CHEATED: b"\x29",
    Fault.BOX_REMOVED: b"\x2c",
    Fault.STACKER_FULL: b"\x2d",
    Fault.MOTOR: b"\x25",
    Fault.SENSOR: b"\x24\x02",
    Fault.OPEN: b"\x33",
    Fault.FIRMWARE: b"\x1e",
    Fault.FAILURE: b"\xff",
}
TOLD_AS = {Fault.JAM: 16, Fault.STACKER_JAM: 15, Fault.CHEATED: 18, Fault.BOX_REMOVED: 11, Fault.STACKER_FULL: 14}
STACKED, ESCROWED = 0, 1
RETURNED, INVALID, INHIBITED, BOX_INSERTED = 1, 2, 4, 12
REASONS = {"inhibited": INHIBITED}
INTO_BOX, BACK, LONGER = b"\x01", b"\x00", b"\xff"
EMPTY, FAILED = b"\xfe", b"\xff"
SHOWN_MS = 300  # that it needs to be ready for the next note
UNASKED_MAX_MS = 5_000  # then it closes itself, and has to be opened again


class _BillSlave(Slave):
    """What the mechanism does, in the words of ccTalk."""

    def __init__(self, mechanism: Mechanism, plate: Nameplate, model: Model) -> None:
        super().__init__(BILLS, plate, model)
        self.mechanism = mechanism
        self.booting = True
        self.asked_ms = self.heard_ms = 0
        self.mode = b"\x00"
        self._counter = 0
        self._events: deque[Result] = deque(maxlen=EVENTS)
        lines = (bill(channel, name, plate.scalings.get(name[:2])) for channel, name in plate.names.items())
        self.bills = {line.amount: line.channel for line in lines if line}

    def happen(self, a: int, b: int) -> None:
        """Remember an event."""
        self._counter = self._counter % TURN + 1
        self._events.appendleft(Result(a, b))

    def kind_of(self, note: Money | None) -> int:
        """Its bill type; 0: none."""
        return 0 if note is None else self.bills.get(note, 0)

    def deaf(self) -> bool:
        """As promised by Slave."""
        return self.booting or self.mechanism.phase is Phase.OFF

    def events(self) -> Reading:
        """As promised by Slave."""
        self.asked_ms = self.mechanism.now_ms
        return Reading(self._counter, tuple(self._events))

    def found(self) -> bytes:
        """As promised by Slave."""
        fault = self.mechanism.broken
        return FAULTS.get(fault, FAULTS[Fault.FAILURE]) if fault else b"\x00"

    def reset(self) -> None:
        """As promised by Slave."""
        self.mechanism.reset()
        self.booting = True
        self.forget()

    def forget(self) -> None:
        """As promised by Slave."""
        super().forget()
        self._counter = 0
        self._events.clear()

    def inhibited(self) -> None:
        """As promised by Slave."""
        channels = self.channels if self.open else frozenset[int]()
        self.mechanism.accepted = frozenset(note for note, channel in self.bills.items() if channel in channels)

    def answer(self, frame: Frame) -> bytes | None:
        """As promised by Slave."""
        self.mechanism.asked()
        self.heard_ms = self.mechanism.now_ms
        match frame.header, frame.data:
            case (Header.ROUTE_BILL, way) if way in {INTO_BOX, BACK, LONGER}:
                return self._routes(way)
            case (Header.MODIFY_BILL_OPERATING_MODE, mode) if len(mode) == 1:
                self.mode = mode
                return b""
            case (Header.REQUEST_BILL_OPERATING_MODE, b""):
                return self.mode
            case _:
                return super().answer(frame)

    def _routes(self, way: bytes) -> bytes:
        machine = self.mechanism
        if machine.phase is not Phase.ESCROW:
            return EMPTY
        if machine.broken and way == INTO_BOX:
            return FAILED
        if way == INTO_BOX:
            machine.stack()
        elif way == BACK:
            machine.give_back()
        return b""


class CctalkBillSimulator(BillSimulator):
    """One validator with its bills."""

    faults = frozenset(FAULTS)
    refused: frozenset[Header] = frozenset()
    unheard: frozenset[Header] = frozenset()
    recovers: bool = False  # does it tell of a note that it found on its way into the box when it got power?

    def __init__(self, mechanism: Mechanism | None = None, plate: Nameplate = PLATE) -> None:
        super().__init__(mechanism)
        self.slave = _BillSlave(self.mechanism, plate, Model(self.options, self.refused, self.unheard))
        self._seen = self.mechanism.phase
        self._told: set[Fault] = set()  # faults that it remembers as events
        self._shown_until_ms: int | None = None
        self._recovered: Money | None = None

    # Time ------------------------------------------------------------------------------------------------------------

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(self.slave.bills)

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        super().pass_time(now_ms)
        machine = self.mechanism
        if machine.phase is Phase.START:
            self._start()
        if self._shown_until_ms is not None and self._shown_until_ms <= machine.now_ms:
            self._shown_until_ms = None
            machine.acknowledge()
        if machine.phase is not self._seen:
            self._seen = machine.phase
            self._changed(machine.phase)
        if self.slave.open and machine.now_ms - self.slave.asked_ms > UNASKED_MAX_MS:
            self.slave.open = False
            self.slave.inhibited()
        self._tell_faults()

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        machine, moments = self.mechanism, [super().next_ms(), self._shown_until_ms]
        if machine.phase is Phase.START or self._untold():
            moments.append(machine.now_ms)
        if machine.phase is Phase.ESCROW and not machine.holding:
            moments.append(self.slave.heard_ms + machine.timings.silence_max_ms + 1)
        if self.slave.open:
            moments.append(self.slave.asked_ms + UNASKED_MAX_MS + 1)
        return min((moment for moment in moments if moment is not None), default=None)

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        for said in self.slave.hear(data):
            self.send(said)
        self.pass_time(now_ms)  # what it was told to do, it does from now on

    # What happens in it ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Power: a note that was on its way goes on, and it is not told of, unless the model can."""
        machine = self.mechanism
        self._recovered = machine.note if machine.found == "stacker" and self.recovers else None
        self._told.clear()
        self._shown_until_ms = None
        self.slave.reset()

    def _changed(self, phase: Phase) -> None:
        machine, slave = self.mechanism, self.slave
        if slave.booting and phase not in {Phase.INITIALISING, Phase.OFF}:
            slave.booting = False
            if self._recovered is not None:
                slave.happen(slave.kind_of(self._recovered), STACKED)
                self._recovered = None
        match phase:
            case Phase.OFF:
                slave.forget()
            case Phase.ESCROW:
                slave.happen(slave.kind_of(machine.note), ESCROWED)
            case Phase.STACKED:
                slave.happen(slave.kind_of(machine.note), STACKED)
                self._shown_until_ms = machine.now_ms + SHOWN_MS
            case Phase.RETURNED:
                slave.happen(0, RETURNED)
                self._shown_until_ms = machine.now_ms + SHOWN_MS
            case Phase.REJECTING:
                slave.happen(0, REASONS.get(machine.reason, INVALID))
            case _:
                pass

    def _tell_faults(self) -> None:
        if self.slave.deaf():
            return
        for fault in sorted(self._untold()):
            self._told.add(fault)
            self.slave.happen(0, TOLD_AS[fault])
        for fault in sorted(self._told - self._present()):
            self._told.discard(fault)
            if fault is Fault.BOX_REMOVED:
                self.slave.happen(0, BOX_INSERTED)

    def _present(self) -> set[Fault]:
        machine = self.mechanism
        return machine.faults | ({machine.broken} if machine.broken else set[Fault]())

    def _untold(self) -> set[Fault]:
        return set() if self.slave.deaf() else (self._present() & TOLD_AS.keys()) - self._told
