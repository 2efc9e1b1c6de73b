"""An ID-003 validator, on the other side of the wire."""

from devices.id003 import wire
from devices.id003.wire import Command, Decoder, Frame, Note, Reply, State
from devices.mechanism import Mechanism, Phase
from devices.simulator import BillSimulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault

CHINA = 0x2D
NOTES = tuple(  # not the codes of anybody's specification: a host has to read the table
    Note(denomination, CHINA, value, exponent)
    for denomination, value, exponent in ((0x62, 5, 0), (0x63, 10, 0), (0x64, 20, 0), (0x65, 50, 0), (0x66, 10, 1))
)
VERSION = b"U(CHN)-10-SS ID003-05V216-12 18MAY20 A1B2"

VEND_MAX_MS = 60_000  # an ACK that comes later is not heard, and nothing else but RESET
STACKED_MS = 300  # that STACKED is said
TAKEN_MS = 1_000  # that a returned note is left in the mouth, before the customer takes it

STARTS = {
    "": State.POWER_UP,
    "validator": State.POWER_UP_IN_ACCEPTOR,
    "stacker": State.POWER_UP_IN_STACKER,
}
PHASES = {
    Phase.INITIALISING: State.INITIALISE,
    Phase.ACCEPTING: State.ACCEPTING,
    Phase.STACKING: State.STACKING,
    Phase.RETURNED: State.RETURNING,
}
FAULTS = {
    Fault.STACKER_FULL: Frame(State.STACKER_FULL),
    Fault.BOX_REMOVED: Frame(State.STACKER_OPEN),
    Fault.JAM: Frame(State.ACCEPTOR_JAM),
    Fault.STACKER_JAM: Frame(State.STACKER_JAM),
    Fault.PAUSED: Frame(State.PAUSE),
    Fault.CHEATED: Frame(State.CHEATED),
    Fault.MOTOR: Frame(State.FAILURE, b"\xa2"),
    Fault.OPEN: Frame(State.FAILURE, b"\xaf"),
    Fault.SENSOR: Frame(State.FAILURE, b"\xac"),
    Fault.FIRMWARE: Frame(State.FAILURE, b"\xb2"),
    Fault.FAILURE: Frame(State.FAILURE, b"\xa9"),
}
INHIBITED = b"\x79"  # why it rejects; also when nobody decides while a note lies in escrow
REASONS = {"inhibited": INHIBITED}
OTHER_REASON = b"\x77"

SETTINGS = {  # and what they are after power-up and after RESET
    Command.SET_ENABLE: b"\x00\x00",
    Command.SET_SECURITY: b"\x00\x00",
    Command.SET_MODE: b"\x00",
    Command.SET_INHIBIT: b"\x01",
    Command.SET_DIRECTION: b"\x00",
}
ASKED_BACK = {Command(setting - Command.SET_ENABLE + Command.ENABLED): setting for setting in SETTINGS}


class Id003Simulator(BillSimulator):
    """One validator with its notes."""

    faults = frozenset(FAULTS)

    def __init__(
        self,
        mechanism: Mechanism | None = None,
        notes: tuple[Note, ...] = NOTES,
        version: bytes = VERSION,
        *,
        names_the_credit: bool = True,
        greeted: bool = False,
    ) -> None:
        super().__init__(mechanism)
        self.notes = notes
        self.version = version
        self.names_the_credit = names_the_credit  # does VEND VALID come with the denomination?
        self.greeted = greeted  # does it take no command after a power-up, before that is acknowledged?
        self._decoder = Decoder()
        self._heard_ms = 0
        self._seen = self.mechanism.phase
        self._forget()

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(_worth(note) for note in self.notes)

    def _forget(self) -> None:
        self._settings: dict[int, bytes] = {**SETTINGS}
        self._waits = self.greeted
        self._soon = False  # STACK-1: VEND VALID before the note is in the box
        self._lever_ms: int | None = None  # when it passes the stacker's lever
        self._vend_ms: int | None = None  # since when VEND VALID waits for an ACK
        self._vended = b""  # the denomination that it names
        self._acknowledged = False
        self._stacked_until_ms = 0
        self._taken_ms: int | None = None
        self._undecided = False  # it gives the note back because nobody decided

    # Time ------------------------------------------------------------------------------------------------------------

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        super().pass_time(now_ms)
        machine = self.mechanism
        if machine.phase is not self._seen:
            before, self._seen = self._seen, machine.phase
            self._changed(before, machine.phase)
        if self._lever_ms is not None and self._lever_ms <= machine.now_ms:
            self._lever_ms = None
            self._vend()
        if self._taken_ms is not None and self._taken_ms <= machine.now_ms:
            self._taken_ms = None
            machine.acknowledge()
            self._seen = machine.phase

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        moments = [super().next_ms(), self._lever_ms, self._taken_ms]
        if self.mechanism.phase is Phase.ESCROW:
            moments.append(self._heard_ms + self.mechanism.timings.silence_max_ms + 1)
        return min((moment for moment in moments if moment is not None), default=None)

    def _changed(self, before: Phase, now: Phase) -> None:
        machine = self.mechanism
        match now:
            case Phase.OFF:
                self._forget()
            case Phase.STACKING:
                self._acknowledged = False
                self._lever_ms = machine.now_ms + machine.timings.stack_ms // 2 if self._soon else None
            case Phase.STACKED if self._acknowledged:
                self._end_vend()
            case Phase.STACKED:
                self._vend()
            case Phase.RETURNING:
                silent = machine.now_ms - self._heard_ms > machine.timings.silence_max_ms
                self._undecided = before is Phase.ESCROW and not silent
            case Phase.RETURNED:
                self._taken_ms = machine.now_ms + TAKEN_MS
            case _:
                pass

    def _vend(self) -> None:
        """Name this note until it is acknowledged, whatever becomes of the mechanism meanwhile."""
        if self._vend_ms is None:
            self._vend_ms, self._vended = self.mechanism.now_ms, self._denomination()

    def _end_vend(self) -> None:
        """The note is in the box, and the host knows it."""
        machine = self.mechanism
        machine.acknowledge()
        self._seen = machine.phase
        self._vend_ms, self._stacked_until_ms = None, machine.now_ms + STACKED_MS

    @property
    def mute(self) -> bool:
        """Nobody has acknowledged VEND VALID in time."""
        return self._vend_ms is not None and self.mechanism.now_ms - self._vend_ms >= VEND_MAX_MS

    # What it hears ---------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator. What came to harm is not answered."""
        self.pass_time(now_ms)
        if self.mechanism.phase is Phase.OFF:
            self._decoder.drop()
            return
        for frame in self._decoder.feed(data):
            self.mechanism.asked()
            self._heard_ms = now_ms
            answer = None if self.mute and frame.code != Command.RESET else self._answer(frame)
            self.pass_time(now_ms)  # what it was told to do, it does from now on
            if answer is not None:
                self.send(wire.encode(answer))

    def _answer(self, frame: Frame) -> Frame | None:
        match frame.code:
            case Command.STATUS_REQUEST:
                return self._status()
            case Command.ACK:
                self._acknowledge()
                return None
            case Command.VERSION | Command.CURRENCY_ASSIGN:
                return Frame(frame.code, self._about(frame.code))
            case code if code in ASKED_BACK:
                return Frame(code, self._settings[ASKED_BACK[Command(code)]])
            case code:
                obeyed = self._adjusts(frame) if code in SETTINGS else self._obeys(frame)
                done = frame if code in SETTINGS else Frame(Reply.ACK)
                return done if obeyed else Frame(Reply.INVALID_COMMAND)

    def _about(self, request: int) -> bytes:
        return self.version if request == Command.VERSION else wire.currency_table_data(self.notes)

    def _acknowledge(self) -> None:
        """A power-up, or VEND VALID: nothing else is acknowledged."""
        self._waits = False
        if self._vend_ms is None:
            return
        if self.mechanism.phase is Phase.STACKED:
            self._end_vend()
        else:
            self._vend_ms, self._acknowledged = None, True

    # What it does ----------------------------------------------------------------------------------------------------

    def _obeys(self, frame: Frame) -> bool:
        machine = self.mechanism
        if self._waits and machine.phase is Phase.START:
            return False
        match frame.code:
            case Command.RESET:
                self._forget()
                self._waits = False
                machine.reset()
                self._seen = machine.phase
                return True
            case Command.STACK_1 | Command.STACK_2:
                self._soon = frame.code == Command.STACK_1
                return machine.stack()
            case Command.RETURN:
                returned = machine.give_back()
                self._seen, self._undecided = machine.phase, False
                return returned
            case Command.HOLD:
                return machine.hold()
            case _:
                return False

    def _adjusts(self, setting: Frame) -> bool:
        """Not before RESET; and of modes it knows only the polled one."""
        if self.mechanism.phase is Phase.START or len(setting.data) != len(SETTINGS[Command(setting.code)]):
            return False
        if setting.code == Command.SET_MODE and setting.data != SETTINGS[Command.SET_MODE]:
            return False
        self._settings[setting.code] = setting.data
        taken = wire.enabled(self._settings[Command.SET_ENABLE]) or frozenset()
        inhibited = self._settings[Command.SET_INHIBIT] != b"\x00"
        self.mechanism.accepted = frozenset(
            _worth(note) for note in self.notes if note.denomination in taken and not inhibited
        )
        return True

    # How it is -------------------------------------------------------------------------------------------------------

    def _status(self) -> Frame:
        machine = self.mechanism
        if machine.phase is Phase.START:
            return Frame(STARTS[machine.found])
        if self._vend_ms is not None:
            return Frame(State.VEND_VALID, self._vended if self.names_the_credit else b"")
        if machine.broken:
            return FAULTS.get(machine.broken, FAULTS[Fault.FAILURE])
        return self._resting() if machine.phase is Phase.IDLE else self._moving()

    def _resting(self) -> Frame:
        if self.mechanism.now_ms < self._stacked_until_ms:
            return Frame(State.STACKED)
        return Frame(State.IDLE if self.mechanism.accepted else State.DISABLED)

    def _moving(self) -> Frame:
        machine = self.mechanism
        match machine.phase:
            case Phase.ESCROW if machine.holding:
                return Frame(State.HOLDING)
            case Phase.ESCROW:
                return Frame(State.ESCROW, self._denomination())
            case Phase.REJECTING:
                return Frame(State.REJECTING, REASONS.get(machine.reason, OTHER_REASON))
            case Phase.RETURNING:
                return Frame(State.REJECTING, INHIBITED) if self._undecided else Frame(State.RETURNING)
            case phase:
                return Frame(PHASES[phase])

    def _denomination(self) -> bytes:
        found = (note.denomination for note in self.notes if _worth(note) == self.mechanism.note)
        return bytes((next(found, 0),))


def _worth(note: Note) -> Money:
    return Money(note.value * 10 ** (2 + note.exponent), "CNY")
