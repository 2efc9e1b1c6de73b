"""What a bill validator's reports mean, whatever its protocol: which note they are about, and what is new in them.

A validator has one path and at most one note in it. It says how it is, again and again; a note that is reported twice
with no stillness between is the same note. When a driver begins, the last note that the journal knows may still be in
the path, or its end may still be being repeated: until the path was seen still, reports are about that one.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

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
    """It did not take the note, for the vendor's reason."""

    reason: str


class StartedUp(Report, frozen=True):
    """It had no power until now. `note`: where one lies that came in before that; "none" where it tells."""

    note: Literal["none", "validator", "stacker"]


class Broken(Report, frozen=True):
    """It takes nothing."""

    fault: Fault
    vendor_code: str = ""


# Which note they are about -------------------------------------------------------------------------------------------

STRANDING = {Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED}  # nobody can tell where the note in the path is now
Stage = Literal["unknown", "escrow", "stacking", "returning", "doubtful", "ended"]


class Note(Struct, frozen=True):
    """The note that reports are about. `unknown`: the journal's last one, of which this driver has seen nothing yet."""

    position: int
    stage: Stage
    asked: bool = False  # does the host want to know what became of it?
    stacking: bool = False  # was it ever to be stacked?


class Counters(Struct):
    """What a validator went through since its driver began."""

    seen: int = 0
    stacked: int = 0
    returned: int = 0
    jams: int = 0
    rejected: dict[str, int] = {}


class NotePath:
    """The one path of one validator, as its driver knows it."""

    def __init__(self, device: str, last_position: int) -> None:
        self._device = device
        self._last = last_position
        self._note: Note | None = Note(last_position, "unknown")
        self._serial = ""
        self._fault: Broken | None = None
        self._idle_owed = False
        self._ready_owed = True
        self.counters = Counters()

    # What the host wants ---------------------------------------------------------------------------------------------

    def identified(self, serial: str) -> None:
        """The driver has found out which device it is."""
        self._serial = serial

    def closing(self) -> None:
        """The host wants to hear when nothing moves any more."""
        self._idle_owed = True

    def opening(self) -> None:
        """The host has changed its mind."""
        self._idle_owed = False

    def in_escrow(self, position: int) -> bool:
        """Does this very note wait for a decision?"""
        return self._note is not None and (self._note.position, self._note.stage) == (position, "escrow")

    @property
    def decision(self) -> Literal["stacking", "returning", ""]:
        """What the host has decided on the note in the path."""
        if self._note is None or self._note.stage not in {"stacking", "returning"}:
            return ""
        return "stacking" if self._note.stage == "stacking" else "returning"

    def decided(self, stage: Literal["stacking", "returning"]) -> None:
        """The command leaves now."""
        if self._note is not None:
            self._note = replace(self._note, stage=stage, stacking=stage == "stacking")

    def asked(self, command: TellNote) -> Iterator[Fact]:
        """The host wants to know what became of a note; only the last one can still be in the path."""
        note = self._note
        if note is not None and note.position == command.position:
            self._note = replace(note, asked=True, stacking=note.stacking or command.stacking)
        else:
            yield NoteUnaccounted(self._device, command.position, "forgotten")

    # What the validator says -----------------------------------------------------------------------------------------

    def take(self, report: Report) -> Iterator[Fact]:
        """The facts that are new in a report. The driver acknowledges it once they are durable."""
        if not isinstance(report, Broken | Moving):
            self._fault = None
        match report:
            case Still() | StartedUp(note="none"):
                yield from self._gone("forgotten")
                yield from self._rest()
            case Escrowed():
                yield from self._escrowed(report)
            case Stacked() | StartedUp(note="stacker"):
                yield from self._stacked(report.amount if isinstance(report, Stacked) else None)
            case Returned() | StartedUp(note="validator"):
                yield from self._returned()
            case Rejected():
                self.counters.rejected[report.reason] = self.counters.rejected.get(report.reason, 0) + 1
                yield from self._returned()
            case Broken():
                yield from self._broken(report)
            case _:
                pass

    def _escrowed(self, report: Escrowed) -> Iterator[Fact]:
        note = self._note
        if note is not None and note.stage == "unknown" and note.asked:
            self._note = replace(note, stage="escrow", asked=False)
            yield NoteHeld(self._device, note.position)
        elif note is None or note.stage in {"unknown", "ended"}:
            self._last += 1
            self._note = Note(self._last, "escrow")
            self.counters.seen += 1
            yield NoteEscrowed(self._device, self._last, report.amount)

    def _stacked(self, amount: Money | None) -> Iterator[Fact]:
        note = self._whose()
        if note.stage != "ended":
            self._note = replace(note, stage="ended", asked=False)
            self.counters.stacked += 1
            yield NoteStacked(self._device, note.position, amount)

    def _returned(self) -> Iterator[Fact]:
        note = self._note
        if note is not None and (note.stage in {"escrow", "stacking", "returning", "doubtful"} or note.asked):
            self._note = replace(note, stage="ended", asked=False)
            self.counters.returned += 1
            yield NoteReturned(self._device, note.position)

    def _whose(self) -> Note:
        """A note that comes out of nowhere is a new one."""
        if self._note is None or self._note.position == 0:
            self._last += 1
            self._note = Note(self._last, "doubtful")
            self.counters.seen += 1
        return self._note

    def _gone(self, cause: str) -> Iterator[Fact]:
        """The path is empty, and nothing was said of the note that was in it."""
        note, self._note = self._note, None
        if note is None or note.stage == "ended" or (note.stage in {"unknown", "doubtful"} and not note.asked):
            return
        if note.stacking:
            yield NoteUnaccounted(self._device, note.position, cause)
        else:
            yield NoteReturned(self._device, note.position)

    def _broken(self, report: Broken) -> Iterator[Fact]:
        note = self._note
        in_path = note is not None and (note.stage in {"escrow", "stacking", "returning"} or note.asked)
        if note is not None and in_path and report.fault in STRANDING:
            self._note = replace(note, stage="doubtful", asked=False)
            yield NoteUnaccounted(self._device, note.position, report.fault)
        if self._fault == report:
            return
        if report.fault == Fault.BOX_REMOVED:
            yield BoxRemoved(self._device)
        else:
            self.counters.jams += report.fault in {Fault.JAM, Fault.STACKER_JAM}
            yield DeviceFailed(self._device, report.fault, report.vendor_code)
        self._fault = report
        self._ready_owed = True

    def _rest(self) -> Iterator[Fact]:
        if self._ready_owed:
            self._ready_owed = False
            yield BoxInserted(self._device)  # in case it was out when the terminal last looked
            yield DeviceReady(self._device, self._serial)
        if self._idle_owed:
            self._idle_owed = False
            yield DeviceIdle(self._device)
