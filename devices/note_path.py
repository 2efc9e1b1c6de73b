"""What a bill validator's reports mean, whatever its protocol: which note they are about, and what is new in them.

A validator has one path and at most one note in it. It says how it is, again and again; a note that is reported twice
with no stillness between is the same note, unless its value differs. When a driver begins, the last note that the
journal knows may still be in the path, or its end may still be being repeated: until the path was seen still, reports
are about that one. So it is when the line was lost over a note: nothing that was decided on it before is done to
whatever lies there afterwards.

What is new is kept in mind once the host has taken it: whom a fact did not reach, hears it again.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from devices.counters import Counters
from kiosk.amount import Money
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceFailed, DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteHeld, NoteReturned, NoteStacked, NoteUnaccounted, TellNote
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact

# What a validator reports --------------------------------------------------------------------------------------------


class Report(Struct, frozen=True):
    """How the validator says that it is."""


class Still(Report, frozen=True):
    """Nothing is in the path."""


class Moving(Report, frozen=True):
    """Something moves, or it starts up; nothing can be told yet."""


class Escrowed(Report, frozen=True):
    """A note waits for our decision; no amount: one that we have no name for."""

    amount: Money | None


class Stacked(Report, frozen=True):
    """A note is in the box for good: the point at which it is money."""

    amount: Money | None = None


class Returned(Report, frozen=True):
    """The note is at the mouth again, or in the customer's hand."""


class Rejected(Report, frozen=True):
    """It does not take the note, for the vendor's reason; when the path is still, the note is out."""

    reason: str


class StartedUp(Report, frozen=True):
    """It had no power until now. `note`: in the "stacker", so it is in the box; in the "validator", so it comes out."""

    note: Literal["none", "validator", "stacker"]


class Broken(Report, frozen=True):
    """It takes nothing."""

    fault: Fault
    vendor_code: str = ""


# Which note they are about -------------------------------------------------------------------------------------------

STRANDING = {Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED}  # nobody can tell where the note in the path is now
Stage = Literal["unknown", "escrow", "stacking", "returning", "doubtful", "ended"]
IN_PATH = {"escrow", "stacking", "returning"}


class Note(Struct, frozen=True):
    """The note that reports are about. `unknown`: what it does, this driver has not seen since it began or was lost."""

    position: int
    stage: Stage
    amount: Money | None = None  # as the validator named it
    asked: bool = False  # does the host want to know what became of it?
    stacking: bool = False  # was it ever to be stacked?


class NotePath:
    """The one path of one validator, as its driver knows it."""

    def __init__(self, device: str, last_position: int, counters: Counters | None = None) -> None:
        self._device = device
        self._last = last_position
        self._note: Note | None = Note(last_position, "unknown") if last_position else None
        self._missed = 0  # the position of a note that was gone before the host asked after it
        self._serial = ""
        self._position = 0
        self._fault: Broken | None = None
        self._idle_owed = False
        self._ready_owed = True
        self.counters = counters or Counters()

    # What the host wants ---------------------------------------------------------------------------------------------

    def identified(self, serial: str, position: int = 0) -> None:
        """The driver has found out which device it is, and what lies before our time if it counts events itself."""
        self._serial, self._position = serial, position

    def closing(self) -> None:
        """The host wants to hear when nothing moves any more."""
        self._idle_owed = True

    def opening(self) -> None:
        """The host has changed its mind."""
        self._idle_owed = False

    def number_from(self, position: int) -> None:
        """The device numbers its events itself: unless it is about a note in the path, the next one is about this."""
        self._last = max(self._last, position - 1)
        if self._note is not None and self._note.stage == "ended":
            self._note = None

    def in_escrow(self, position: int) -> bool:
        """Does this very note wait for a decision?"""
        return self._note is not None and (self._note.position, self._note.stage) == (position, "escrow")

    @property
    def decision(self) -> Literal["stacking", "returning", ""]:
        """What is decided on the note in the path."""
        if self._note is None or self._note.stage not in {"stacking", "returning"}:
            return ""
        return "stacking" if self._note.stage == "stacking" else "returning"

    @property
    def wanted_before(self) -> bool:
        """Does the host ask for a note of which this driver has seen nothing, and which was to be stacked?"""
        return self._note is not None and self._note.stage == "unknown" and self._note.asked and self._note.stacking

    @property
    def awaited(self) -> bool:
        """Is there a note whose end is still to be told?"""
        return self._note is not None and (self._note.stage in IN_PATH or self._note.asked)

    def decided(self, stage: Literal["stacking", "returning"]) -> None:
        """The command leaves now."""
        if self._note is not None:
            self._note = replace(self._note, stage=stage, stacking=stage == "stacking")

    def asked(self, command: TellNote) -> Iterator[Fact]:
        """The host wants to know what became of a note; only the last one can still be in the path."""
        note = self._note
        if command.position == self._missed:
            yield self._vanished(command.position, "forgotten", stacking=command.stacking)
            self._missed = 0
        elif note is not None and note.position == command.position:
            if note.stage != "ended":  # its end was told
                self._note = replace(note, asked=True, stacking=note.stacking or command.stacking)
        elif command.position != self._last:
            yield NoteUnaccounted(self._device, command.position, "forgotten")

    def interrupted(self) -> None:
        """The line or the device is lost: until it is found again, another note may lie where this one lay."""
        if self._note is not None and self._note.stage in IN_PATH:
            self._note = replace(self._note, stage="unknown", asked=True)

    # What the validator says -----------------------------------------------------------------------------------------

    def take(self, report: Report) -> Iterator[Fact]:
        """The facts that are new in a report. The driver acknowledges it once they are durable."""
        if not isinstance(report, Broken | Moving):
            self._fault = None
        match report:
            case Still():
                yield from self._gone("forgotten")
                yield from self._rest()
            case StartedUp():
                self._ready_owed = True  # what it was told to take, it has forgotten
                yield from self._started_up(report)
            case Escrowed():
                yield from self._escrowed(report.amount)
            case Stacked():
                yield from self._stacked(report.amount)
            case Returned():
                yield from self._returned()
            case Rejected():
                self.counters.refused(report.reason)
                self._leaves()
            case Broken():
                yield from self._broken(report)
            case _:
                pass

    def _started_up(self, report: StartedUp) -> Iterator[Fact]:
        match report.note:
            case "stacker":
                yield from self._stacked(None)
            case "validator":
                self._leaves()
            case "none":
                yield from self._gone("forgotten")

    def _escrowed(self, amount: Money | None) -> Iterator[Fact]:
        yield from self._exchanged(amount)
        note = self._note
        if note is None or note.stage == "ended" or (note.stage == "unknown" and not note.asked):
            yield NoteEscrowed(self._device, self._last + 1, amount)
            self._miss(note)
            self._last += 1
            self._note = Note(self._last, "escrow", amount)
            self.counters.recognised()
        elif note.stage in {"unknown", "doubtful"}:
            yield NoteHeld(self._device, note.position)
            self._note = replace(note, stage="escrow", asked=False)

    def _stacked(self, amount: Money | None) -> Iterator[Fact]:
        yield from self._exchanged(amount)
        note = self._note or Note(self._last + 1, "unknown", amount)  # one that comes out of nowhere is a new one
        if note.stage == "ended":
            return
        yield NoteStacked(self._device, note.position, amount)
        if self._note is None:
            self.counters.recognised()
        self._last = note.position
        self._note = replace(note, stage="ended", asked=False)
        self.counters.stacked += 1

    def _returned(self) -> Iterator[Fact]:
        note = self._note
        if note is not None and _open(note):
            yield NoteReturned(self._device, note.position)
            self._note = replace(note, stage="ended", asked=False)
            self.counters.returned += 1

    def _leaves(self) -> None:
        """It is on its way out; a jam may still meet it there."""
        note = self._note
        if note is not None and _open(note):
            self._note = replace(note, stage="returning", asked=False, stacking=False)

    def _exchanged(self, amount: Money | None) -> Iterator[Fact]:
        """A note of another value is another note, whatever became of the first."""
        note = self._note
        if note is not None and amount is not None and note.amount not in {None, amount}:
            yield from self._gone("exchanged")

    def _gone(self, cause: str) -> Iterator[Fact]:
        """The path is empty, and nothing was said of the note that was in it."""
        note = self._note
        if note is not None and (note.stage in IN_PATH or note.asked):
            yield self._vanished(note.position, cause, stacking=note.stacking)
            self.counters.returned += not note.stacking
        self._miss(note)
        self._note = None

    def _miss(self, note: Note | None) -> None:
        """The host may ask after it yet."""
        if note is not None and note.stage == "unknown" and not note.asked:
            self._missed = note.position

    def _vanished(self, position: int, cause: str, *, stacking: bool) -> Fact:
        if stacking:
            return NoteUnaccounted(self._device, position, cause)
        return NoteReturned(self._device, position)

    def _broken(self, report: Broken) -> Iterator[Fact]:
        note = self._note
        if report.fault in STRANDING and note is not None and (note.stage in IN_PATH or note.asked):
            yield NoteUnaccounted(self._device, note.position, report.fault)
            self._note = replace(note, stage="doubtful", asked=False)
        if self._fault == report:
            return
        if report.fault == Fault.BOX_REMOVED:
            yield BoxRemoved(self._device)
        else:
            yield DeviceFailed(self._device, report.fault, report.vendor_code)
            self.counters.jams += report.fault in {Fault.JAM, Fault.STACKER_JAM}
        self._fault = report
        self._ready_owed = True

    def _rest(self) -> Iterator[Fact]:
        if self._ready_owed:
            yield BoxInserted(self._device)  # in case it was out when the terminal last looked
            yield DeviceReady(self._device, self._serial, self._position)
            self._ready_owed = False
        if self._idle_owed:
            yield DeviceIdle(self._device)
            self._idle_owed = False


def _open(note: Note) -> bool:
    """May it still come back? Of one that the host has not asked after, the journal knows the end."""
    return note.stage in IN_PATH or note.stage == "doubtful" or note.asked
