"""An EBDS validator, on the other side of the wire: a CASHFLOW SC, which reports notes by the lines of its table."""

from typing import ClassVar

from msgspec.structs import replace

from devices.ebds import notes, wire
from devices.ebds.notes import Line
from devices.ebds.simulated import BOOT_MS, CRC, FOREVER_MS, LINES, MODEL, REVISION, TIMINGS, Who, details
from devices.ebds.wire import (
    Answer,
    Aux,
    Configuration,
    Decoder,
    Exceptional,
    Extended,
    Frame,
    Kind,
    Misc,
    Mode,
    State,
    Status,
)
from devices.mechanism import Mechanism, Phase
from devices.simulator import BillSimulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault

PHASES = {
    Phase.IDLE: State.IDLING,
    Phase.ACCEPTING: State.ACCEPTING,
    Phase.ESCROW: State.ESCROWED,
    Phase.STACKING: State.STACKING,
    Phase.STACKED: State.STACKED | State.IDLING,
    Phase.RETURNING: State.RETURNING,
    Phase.RETURNED: State.RETURNED | State.IDLING,
    Phase.REJECTING: State.IDLING,
}
ENDS = {Phase.STACKED, Phase.RETURNED}
STARTING = {Phase.START, Phase.INITIALISING}
FAULTS: dict[Fault, Status | Exceptional | Misc] = {
    Fault.JAM: Status.JAMMED,
    Fault.STACKER_JAM: Misc.STALLED,
    Fault.CHEATED: Status.CHEATED,
    Fault.STACKER_FULL: Status.STACKER_FULL,
    Fault.PAUSED: Status.PAUSED,
    Fault.FAILURE: Exceptional.FAILURE,
    Fault.OPEN: Exceptional.TRANSPORT_OPEN,
    Fault.FIRMWARE: Misc.FLASH_DOWNLOAD,
}
STUCK = {Fault.JAM, Fault.STACKER_JAM}  # it cannot start up before somebody has seen to it


class EbdsSimulator(BillSimulator):
    """One validator with its notes."""

    faults = frozenset(FAULTS)
    extended: ClassVar[bool] = True  # it knows the lines of its table, and not what seven value bits stand for

    def __init__(
        self, mechanism: Mechanism | None = None, lines: tuple[Line, ...] = LINES, who: Who | None = None
    ) -> None:
        super().__init__(mechanism or Mechanism(TIMINGS))
        self.lines = lines
        self.who = who or Who()
        self._decoder = Decoder()
        self._timings = self.mechanism.timings
        self._seen = self.mechanism.phase
        self._deaf_until_ms = 0
        self._begin()

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(money for line in self.lines if (money := notes.money(line)))

    def _begin(self) -> None:
        """Of what was before the power went, it knows nothing."""
        self.mechanism.timings = self._timings
        self._ack: bool | None = None  # of the last message
        self._answer = b""  # to it
        self._enabled = frozenset(line.index for line in self.lines)
        self._configuration = Configuration.NONE
        self._value = 0  # of the last note; it lingers
        self._told: Phase | None = None  # an end that the last answer told
        self._end: Phase | None = None  # of a note that it found when it got power, still to be told
        self._found: Money | None = None
        self._held = False  # it keeps such a note in escrow

    # Time ------------------------------------------------------------------------------------------------------------

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        super().pass_time(now_ms)
        self._watch()

    def _watch(self) -> None:
        """Notice that the power went and came, and where the note was."""
        phase, before = self.mechanism.phase, self._seen
        if phase is before:
            return
        self._seen = phase
        if phase in {Phase.OFF, Phase.START} and before is not Phase.OFF:
            self._begin()
            self._held = before is Phase.ESCROW
        if phase is Phase.START:
            self._deaf_until_ms = self.mechanism.now_ms + BOOT_MS
        elif phase is Phase.ACCEPTING:
            self._value = 0

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        machine = self.mechanism
        if machine.phase is Phase.OFF or (machine.phase is Phase.START and now_ms < self._deaf_until_ms):
            self._decoder.drop()
            return
        garbled = self._decoder.garbled
        frames = self._decoder.feed(data)
        if not frames and self._decoder.garbled > garbled:
            self.send(self._answer)  # with the bit of the message before: that refuses this one
        for frame in frames:
            self._receive(frame)
            self._watch()

    def _receive(self, frame: Frame) -> None:
        self.mechanism.asked()
        if frame.kind is Kind.AUXILIARY and frame.data == wire.auxiliary(Aux.SOFT_RESET):
            self._reset()
            return
        if frame.ack != self._ack:
            self._acknowledged()
            self._ack, self._answer = frame.ack, wire.encode(self._answered(frame))
        self.send(self._answer)

    def _acknowledged(self) -> None:
        if self._told is None:
            return
        if self._told is self._end:
            self._end = self._found = None
        elif self._told is self.mechanism.phase:
            self.mechanism.acknowledge()
        self._told = None

    def _reset(self) -> None:
        """As if its power had gone."""
        self.mechanism.power_off()
        self._watch()
        self.mechanism.power_on()
        self._watch()

    # What it answers -------------------------------------------------------------------------------------------------

    def _answered(self, frame: Frame) -> Frame:
        """How it is before it obeys: the next answer tells what it has done."""
        match frame.kind:
            case Kind.OMNIBUS_COMMAND if len(frame.data) == 3:  # noqa: PLR2004 - as an order has
                answer = self._status(frame)
                self._obey(frame.data)
                return answer
            case Kind.EXTENDED if len(frame.data) > 3:  # noqa: PLR2004 - likewise, behind its command
                return self._extended_answer(frame)
            case Kind.AUXILIARY if len(frame.data) == 3:  # noqa: PLR2004 - likewise
                return Frame(Kind.AUXILIARY, frame.ack, self.who.says(frame.data[2]))
            case _:
                return Frame(Kind.AUXILIARY, frame.ack, CRC)

    def _extended_answer(self, frame: Frame) -> Frame:
        command, data = frame.data[0], frame.data[4:]
        match command:
            case Extended.NOTE_SPECIFICATION if self.extended and len(data) == 1:
                told = self._line(data[0])
            case Extended.NOTE_INHIBITS if self.extended:
                self._enabled, told = notes.enabled(data), None
            case Extended.ESCROW_TIMEOUT if len(data) == 2:  # noqa: PLR2004 - of notes, and of barcodes
                self._limit_escrow(data[0])
                told = b""
            case Extended.VALUE_TABLE if not self.extended:
                told = b"".join(self._value_line(value) for value in range(1, notes.VALUES + 1))
            case _:
                return Frame(Kind.AUXILIARY, frame.ack, CRC)
        status = wire.status_bytes(self._how_it_is())
        if told is None:
            return Frame(Kind.OMNIBUS_REPLY, frame.ack, status)
        return Frame(Kind.EXTENDED, frame.ack, bytes((command,)) + status + told)

    def _line(self, index: int) -> bytes:
        line = next((line for line in self.lines if line.index == index), None)
        return details(line, index) if line else bytes((index,)).ljust(wire.DETAILS_BYTES, b"\0")

    def _value_line(self, value: int) -> bytes:
        line = next((line for line in self.lines if line.index == value), None)
        return notes.line_bytes(line) if line else bytes((value,)).ljust(notes.LINE_BYTES, b"\0")

    def _limit_escrow(self, seconds: int) -> None:
        limit_ms = seconds * 1000 if seconds else FOREVER_MS
        self.mechanism.timings = replace(self.mechanism.timings, escrow_max_ms=limit_ms)

    # How it is -------------------------------------------------------------------------------------------------------

    def _status(self, frame: Frame) -> Frame:
        said = self._how_it_is()
        note = self._note(said.state)
        if said.state & State.STACKED or said.state & State.RETURNED:
            self._told = self._end or self.mechanism.phase
        if note is None or not self.extended or Configuration.EXTENDED_NOTES not in Configuration(frame.data[2]):
            return Frame(Kind.OMNIBUS_REPLY, frame.ack, wire.status_bytes(said))
        data = bytes((Extended.NOTE_SPECIFICATION,)) + wire.status_bytes(said) + details(note, 0)
        return Frame(Kind.EXTENDED, frame.ack, data)

    def _note(self, state: State) -> Line | None:
        """The one that is spoken of."""
        if not state & (State.ESCROWED | State.STACKED):
            return None
        worth = self._found or self.mechanism.note
        return next((line for line in self.lines if notes.money(line) == worth), None)

    def _how_it_is(self) -> Answer:
        machine = self.mechanism
        status, exceptional, misc = Status.NONE, Exceptional.NONE, Misc.DEVICE_CAPABILITIES
        if machine.phase in STARTING:
            exceptional |= Exceptional.POWER_UP  # whether its cassette is there, it does not know yet
        elif machine.box_in:
            status |= Status.CASSETTE_ATTACHED
        if machine.phase is Phase.REJECTING:
            status |= Status.REJECTED
        broken = machine.broken
        match FAULTS.get(broken) if broken else None:
            case Status() as bit:
                status |= bit
            case Exceptional() as bit:
                exceptional |= bit
            case Misc() as bit:
                misc |= bit
            case None:
                pass
        state = self._state()
        note = self._note(state)
        if note is not None and not self.extended:
            self._value = note.index
        return Answer(state, status, exceptional, self._value, misc, MODEL, REVISION)

    def _state(self) -> State:
        machine = self.mechanism
        if machine.phase in STARTING:
            return State.ESCROWED if self._keeps else State.NONE
        if self._end is not None and machine.phase is Phase.IDLE:
            return PHASES[self._end]
        out_of_service = machine.broken in {*STUCK, Fault.CHEATED, Fault.FAILURE, Fault.FIRMWARE}
        return State.NONE if out_of_service and machine.phase not in ENDS else PHASES[machine.phase]

    # What it is told -------------------------------------------------------------------------------------------------

    def _obey(self, data: bytes) -> None:
        machine, mode = self.mechanism, Mode(data[1])
        self._configuration = Configuration(data[2])
        if machine.phase is Phase.START:
            self._start_up(mode)
            return
        taken = self._enabled if self._by_line else self._masked(data[0])
        worth = (notes.money(line) for line in self.lines if line.index in taken)
        open_now = data[0] and machine.phase not in STARTING
        machine.accepted = frozenset(money for money in worth if money) if open_now else frozenset()
        if Mode.STACK in mode:
            machine.stack()
        elif Mode.RETURN in mode:
            machine.give_back()

    @property
    def _by_line(self) -> bool:
        return self.extended and Configuration.EXTENDED_NOTES in self._configuration

    def _masked(self, mask: int) -> frozenset[int]:
        return frozenset(line.index for line in self.lines if mask >> line.index - 1 & 1)

    @property
    def _keeps(self) -> bool:
        """Found in escrow, a note stays there by the policies B and C, until somebody decides."""
        machine = self.mechanism
        policy = self._configuration & (Configuration.POLICY_B | Configuration.POLICY_C)
        return machine.phase is Phase.START and machine.found == "validator" and self._held and bool(policy)

    def _start_up(self, mode: Mode) -> None:
        """By the policy of the first order that it hears."""
        machine = self.mechanism
        if machine.broken in STUCK or (self._keeps and not mode & (Mode.STACK | Mode.RETURN)):
            return
        end, note = None, machine.note
        if self._keeps:
            machine.found = "stacker" if Mode.STACK in mode else "validator"
            end = Phase.STACKED if Mode.STACK in mode else Phase.RETURNED
        elif machine.found == "stacker" and note is not None:
            end = Phase.STACKED
        machine.reset()
        if machine.phase is Phase.START:
            return  # the note is stuck, and its end is not yet to be told
        self._end, self._held = end, False
        if end is Phase.STACKED and Configuration.POLICY_B in self._configuration:
            self._found = note
