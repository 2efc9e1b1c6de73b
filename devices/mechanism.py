"""The inside of a simulated bill validator, whatever it speaks: a note on its way, a box, a customer's hand, and time.

Simulators only: no driver looks in here. Time is given in milliseconds; whoever owns the mechanism lets it pass.
"""

from enum import StrEnum

from msgspec import Struct

from kiosk.amount import Money
from kiosk.ports.fault import Fault

ACCEPT_MS = 600  # from the mouth into escrow
STACK_MS = 900  # from escrow into the box
RETURN_MS = 700  # from escrow back into the mouth
REJECT_MS = 500
INITIALISE_MS = 1500
ESCROW_MAX_MS = 10_000  # a note that nobody decides on is given back
SILENCE_MAX_MS = 3_000  # and so is one whose host has stopped asking
CAPACITY = 1_000
STRANDING = frozenset({Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED})  # a note that meets one stays where it is


class Phase(StrEnum):
    """Where the mechanism is. `start_*`: under power again, and not initialised yet."""

    OFF = "off"
    START = "start"
    INITIALISING = "initialising"
    IDLE = "idle"
    ACCEPTING = "accepting"
    ESCROW = "escrow"
    STACKING = "stacking"
    STACKED = "stacked"
    RETURNING = "returning"
    RETURNED = "returned"
    REJECTING = "rejecting"


IN_PATH = {Phase.START, Phase.ACCEPTING, Phase.ESCROW, Phase.STACKING, Phase.RETURNING}  # the note is nowhere else


class Timings(Struct, frozen=True):
    """How long things take in this model."""

    accept_ms: int = ACCEPT_MS
    stack_ms: int = STACK_MS
    return_ms: int = RETURN_MS
    reject_ms: int = REJECT_MS
    initialise_ms: int = INITIALISE_MS
    escrow_max_ms: int = ESCROW_MAX_MS
    silence_max_ms: int = SILENCE_MAX_MS


class Mechanism:
    """One validator's inside."""

    def __init__(self, timings: Timings | None = None, *, now_ms: int = 0) -> None:
        self.timings = timings or Timings()
        self.now_ms = now_ms
        self.phase = Phase.START
        self.note: Money | None = None  # in the path, or just gone out of it
        self.found = ""  # at power-up: "", "validator" or "stacker"
        self.reason = ""  # of a rejection
        self.accepted: frozenset[Money] = frozenset()
        self.box: list[Money] = []
        self.hand: list[Money] = []  # what customers got back
        self.freed: list[Money] = []  # what technicians took out of the path
        self.box_in = True
        self.faults: set[Fault] = set()  # that are there now
        self.next_faults: list[Fault] = []  # each of them meets one of the next notes, while it moves into the box
        self.cut_in: Phase | None = None  # the power goes in the middle of that phase
        self.holding = False
        self._until_ms: int | None = None  # the phase ends by itself
        self._asked_ms = now_ms

    # The customer's side ---------------------------------------------------------------------------------------------

    def insert(self, note: Money) -> bool:
        """Push a note into the mouth; False: it is not drawn in."""
        if self.phase is not Phase.IDLE or self.broken or not self.accepted:
            return False
        self.note = note
        self._enter(Phase.ACCEPTING, self.timings.accept_ms)
        return True

    def withdraw(self) -> bool:
        """Pull the note back while it is drawn in; False: it is not within reach."""
        if self.phase is not Phase.ACCEPTING:
            return False
        self.reason = "withdrawn"
        self._to_hand()
        self._enter(Phase.REJECTING, self.timings.reject_ms)
        return True

    # The technician's side -------------------------------------------------------------------------------------------

    def remove_box(self) -> list[Money]:
        """Take the box out; what was in it is the answer."""
        taken, self.box, self.box_in = self.box, [], False
        return taken

    def insert_box(self) -> None:
        """Put an empty box in; the validator initialises."""
        self.box_in = True
        if self.phase not in {Phase.OFF, Phase.START} and self._clear_path():
            self._enter(Phase.INITIALISING, self.timings.initialise_ms)

    def clear(self, fault: Fault) -> None:
        """See to a fault; a note that was stuck is taken out by hand."""
        self.faults.discard(fault)
        if fault in STRANDING and not self.faults & STRANDING and self.note is not None and self.phase is not Phase.OFF:
            if self.phase in IN_PATH:
                self.freed.append(self.note)
            self.note, self.found = None, ""
            if self.phase is not Phase.START:
                self._enter(Phase.IDLE)

    def power_off(self) -> None:
        """The power goes."""
        if self.phase is Phase.OFF:
            return
        if self.phase in {Phase.ACCEPTING, Phase.RETURNING, Phase.ESCROW}:
            self.found = "validator"
        elif self.phase is Phase.STACKING:
            self.found = "stacker"
        elif self.phase is not Phase.START:  # the note has left the path, and the memory of it goes with the power
            self.found, self.note = "", None
        self.phase, self._until_ms = Phase.OFF, None
        self.accepted, self.holding = frozenset(), False

    def power_on(self) -> None:
        """And is there again."""
        if self.phase is Phase.OFF:
            self.phase = Phase.START
            self._asked_ms = self.now_ms

    # The protocol's side ---------------------------------------------------------------------------------------------

    @property
    def broken(self) -> Fault | None:
        """Why it takes nothing, if it is broken."""
        if not self.box_in:
            return Fault.BOX_REMOVED
        if len(self.box) >= CAPACITY:
            return Fault.STACKER_FULL
        return min(self.faults) if self.faults else None

    def asked(self) -> None:
        """The host is there."""
        self._asked_ms = self.now_ms

    def reset(self) -> None:
        """Begin anew."""
        if self.phase is not Phase.OFF and self._clear_path():
            self.accepted, self.holding = frozenset(), False
            self._enter(Phase.INITIALISING, self.timings.initialise_ms)

    def stack(self) -> bool:
        """Put the note in escrow into the box."""
        return self._leave_escrow(Phase.STACKING, self.timings.stack_ms)

    def give_back(self) -> bool:
        """Return the note in escrow."""
        return self._leave_escrow(Phase.RETURNING, self.timings.return_ms)

    def hold(self) -> bool:
        """Keep the note in escrow for as long as it takes."""
        if self.phase is not Phase.ESCROW:
            return False
        self.holding, self._until_ms = True, None
        return True

    def acknowledge(self) -> None:
        """The host has heard how it ended."""
        if self.phase in {Phase.STACKED, Phase.RETURNED}:
            self.note = None
            self._enter(Phase.IDLE)

    # Time ------------------------------------------------------------------------------------------------------------

    def pass_time(self, now_ms: int) -> None:
        """It is that late now."""
        while self._until_ms is not None and self._until_ms <= now_ms:
            self.now_ms = max(self.now_ms, self._until_ms)
            self._until_ms = None
            self._end_phase()
        self.now_ms = max(self.now_ms, now_ms)
        silent = self.now_ms - self._asked_ms > self.timings.silence_max_ms
        if self.phase is Phase.ESCROW and silent and not self.holding:
            self.give_back()

    def next_ms(self) -> int | None:
        """When something happens by itself."""
        return self._until_ms

    def _clear_path(self) -> bool:
        """A note in the path goes where it can go; False: it is stuck."""
        if self.note is not None and self.phase in IN_PATH:
            if self.faults & STRANDING:
                return False
            (self.box if self.found == "stacker" else self.hand).append(self.note)
        self.note, self.found = None, ""
        return True

    def _leave_escrow(self, phase: Phase, duration_ms: int) -> bool:
        if self.phase is not Phase.ESCROW:
            return False
        self.holding = False
        self._enter(phase, duration_ms)
        return True

    def _enter(self, phase: Phase, duration_ms: int | None = None) -> None:
        self.phase = phase
        self._until_ms = None if duration_ms is None else self.now_ms + duration_ms
        if phase is self.cut_in:
            self._until_ms = self.now_ms + (duration_ms or 0) // 2

    def _end_phase(self) -> None:
        if self.phase is self.cut_in:
            self.cut_in = None
            self.power_off()
            return
        match self.phase:
            case Phase.INITIALISING | Phase.REJECTING:
                self._enter(Phase.IDLE)
            case Phase.ACCEPTING:
                self._accepted()
            case Phase.ESCROW:
                self.give_back()
            case Phase.STACKING:
                self._stacked()
            case Phase.RETURNING:
                self._to_hand()
                self._enter(Phase.RETURNED)
            case _:
                pass

    def _accepted(self) -> None:
        if self.note in self.accepted:
            self._enter(Phase.ESCROW, self.timings.escrow_max_ms)
        else:
            self.reason = "inhibited"
            self._to_hand()
            self._enter(Phase.REJECTING, self.timings.reject_ms)

    def _to_hand(self) -> None:
        if self.note is not None:
            self.hand.append(self.note)

    def _stacked(self) -> None:
        if not self.box_in:
            return  # it stays where it is until there is a box, and comes out again
        fault = self.next_faults.pop(0) if self.next_faults else None
        if fault is not None:
            self.faults.add(fault)
            return  # the note is stuck where it is
        if self.note is not None:
            self.box.append(self.note)
        self._enter(Phase.STACKED)
