"""An ICT validator, on the other side of the wire."""

from typing import ClassVar

from devices.ict.wire import ICT106, Command, Generation, Message, Word, encode
from devices.mechanism import Mechanism, Phase, Timings
from devices.simulator import BillSimulator
from kiosk.amount import Money, plain
from kiosk.ports.fault import Fault

NOTES = {kind: Money(yuan * 100, "CNY") for kind, yuan in enumerate((1, 5, 10, 20, 50, 100), 1)}
NEVER_MS = 10**12
TIMINGS = Timings(escrow_max_ms=5_000, silence_max_ms=NEVER_MS)  # the host's decision counts, not that it is there
POWER_UP_EVERY_MS = 2_000
FREE_MS = 600  # after the end of a note, until the path is free
UNDECIDED_MAX = 3  # notes running, after which it gives the host up

FAULTS = {
    Fault.MOTOR: Word.MOTOR_FAILURE,
    Fault.FIRMWARE: Word.CHECKSUM_ERROR,
    Fault.JAM: Word.BILL_JAM,
    Fault.BOX_REMOVED: Word.STACKER_OPEN,
    Fault.SENSOR: Word.SENSOR_PROBLEM,
    Fault.CHEATED: Word.BILL_FISH,
    Fault.STACKER_JAM: Word.STACKER_PROBLEM,
}
ENDS = {Phase.STACKED: Word.STACKED, Phase.RETURNED: Word.FAILED}


class IctSimulator(BillSimulator):
    """One validator with its notes."""

    faults = frozenset(FAULTS)
    options = frozenset(f"note{kind}={plain(money)}" for kind, money in NOTES.items())
    has_checksum = False
    says_once = True
    generation: ClassVar[Generation] = ICT106

    def __init__(self, mechanism: Mechanism | None = None, notes: dict[int, Money] | None = None) -> None:
        super().__init__(mechanism or Mechanism(TIMINGS))
        self.notes = NOTES if notes is None else notes
        self._phase = Phase.OFF  # that it has spoken of
        self._fault: Fault | None = None  # likewise
        self._waiting = False  # for the host's answer to its power-up: inhibited
        self._power_up_ms: int | None = None  # when it says that again
        self._free_ms: int | None = None
        self._decided = False
        self._undecided = 0

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(self.notes.values())

    # Time ------------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        self.mechanism.asked()
        for byte in data:
            if self.mechanism.phase is not Phase.OFF:
                self._obey(byte)
                self._watch()

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator: one moment after the other, since it speaks of each."""
        self._watch()
        while (next_ms := self.next_ms()) is not None and next_ms <= now_ms:
            self._live(next_ms)
        self._live(now_ms)

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        if self._has_news():
            return self.mechanism.now_ms
        moments = (self.mechanism.next_ms(), self._power_up_ms, self._free_ms)
        return min((moment for moment in moments if moment is not None), default=None)

    def _live(self, now_ms: int) -> None:
        self.mechanism.pass_time(now_ms)
        self._watch()
        if self._power_up_ms is not None and self._power_up_ms <= now_ms:
            self._say(Word.POWER_UP)
            self._power_up_ms = now_ms + POWER_UP_EVERY_MS
        if self._free_ms is not None and self._free_ms <= now_ms:
            self._free_ms = None
            self.mechanism.acknowledge()
            self._watch()

    # What it says by itself ------------------------------------------------------------------------------------------

    def _has_news(self) -> bool:
        return self.mechanism.phase is not self._phase or (self._awake() and self.mechanism.broken is not self._fault)

    def _awake(self) -> bool:
        return self.mechanism.phase not in {Phase.OFF, Phase.START}

    def _watch(self) -> None:
        """Speak of what has become different."""
        machine = self.mechanism
        if machine.phase is not self._phase:
            self._phase = machine.phase
            self._entered()
        if self._awake() and machine.broken is not self._fault:
            self._fault = machine.broken
            self._say(FAULTS.get(self._fault, Word.STACKER_PROBLEM) if self._fault else Word.EXCLUDED)

    def _entered(self) -> None:
        match self._phase:
            case Phase.OFF:
                self._waiting, self._fault = False, None
                self._power_up_ms = self._free_ms = None
            case Phase.START:
                self._waiting = True
                self._power_up_ms = self.mechanism.now_ms
            case Phase.ESCROW:
                self._decided = False
                self.send(encode(self._note(), marked=self.generation.explicit))
            case Phase.REJECTING:
                self._say(Word.BILL_REJECT)
            case Phase.STACKED | Phase.RETURNED:
                self._say(ENDS[self._phase])
                self._free_ms = self.mechanism.now_ms + FREE_MS
                self._count_decisions()
            case _:
                pass

    def _count_decisions(self) -> None:
        self._undecided = 0 if self._decided else self._undecided + 1
        if self._undecided == UNDECIDED_MAX and self.generation.explicit:
            self._undecided, self._waiting = 0, True
            self.mechanism.accepted = frozenset()
            self._say(Word.COMMUNICATION_FAILED)

    # What it is told -------------------------------------------------------------------------------------------------

    def _obey(self, byte: int) -> None:
        machine = self.mechanism
        match byte:
            case Command.POLL:
                self.send(encode(self._state()))
            case Command.ACCEPT if self._waiting:
                self._begin()
            case Command.ACCEPT:
                self._decided = machine.stack() or self._decided
            case Command.REJECT:
                self._decided = machine.give_back() or self._decided
            case Command.HOLD:
                machine.hold()
            case Command.ENABLE | Command.DISABLE:
                self._switch(on=byte == Command.ENABLE)
            case Command.RESET:
                self._reset()
            case _:
                self._say(Word.INVALID_COMMAND)

    def _begin(self) -> None:
        """The host is there: it takes notes, until it is told otherwise."""
        self._waiting, self._power_up_ms = False, None
        if self.mechanism.phase is Phase.START:
            self.mechanism.reset()
        self.mechanism.accepted = frozenset(self.notes.values())

    def _switch(self, *, on: bool) -> None:
        if not self._waiting:
            self.mechanism.accepted = frozenset(self.notes.values()) if on else frozenset()
        if self.generation.explicit:
            self.send(encode(self._state()))

    def _reset(self) -> None:
        """As if its power had gone; not while a note is between two places."""
        if self.mechanism.phase in {Phase.STACKING, Phase.RETURNING, Phase.REJECTING}:
            self._say(Word.INVALID_COMMAND)
            return
        self.mechanism.power_off()
        self._watch()
        self.mechanism.power_on()

    # How it is -------------------------------------------------------------------------------------------------------

    def _state(self) -> Message:
        machine, explicit = self.mechanism, self.generation.explicit
        if self._waiting:
            return Message(Word.WAITING if explicit else Word.DISABLED)
        if machine.broken:
            return Message(FAULTS.get(machine.broken, Word.STACKER_PROBLEM))
        if explicit and machine.phase is Phase.ESCROW:
            return self._note()
        if explicit and machine.phase is not Phase.IDLE:
            return Message(Word.BUSY)
        return Message(Word.ENABLED if machine.accepted else Word.DISABLED)

    def _note(self) -> Message:
        kinds = (kind for kind, money in self.notes.items() if money == self.mechanism.note)
        return Message(Word.ESCROW, next(kinds, 1))

    def _say(self, word: Word) -> None:
        self.send(encode(Message(word)))
