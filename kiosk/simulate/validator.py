"""A simulated bill validator: one note at a time, and a memory that a power cut may wipe."""

from typing import TYPE_CHECKING

from msgspec import Struct

from kiosk.amount import Money
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteFact,
    NoteHeld,
    NoteRetracted,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.simulate.agenda import SECOND
from kiosk.simulate.device import Device, Event

if TYPE_CHECKING:
    from kiosk.simulate.world import World

RETURNS_AFTER_SILENCE_MS = 3 * SECOND


class Lying(Struct):
    """The note in the device's path."""

    position: int
    amount: Money
    stage: str


class Validator(Device):
    """A bill validator: one note at a time, escrow, stacker."""

    def __init__(self, name: str, world: "World") -> None:
        super().__init__(name, world)
        self.note: Lying | None = None
        self.fates: dict[int, NoteFact] = {}  # what became of each note, as long as the device remembers
        self.in_box: dict[int, int] = {}  # position → box: where the unaccounted ones really are

    # the customer's side

    def insert(self, amount: Money) -> bool:
        """A note is pushed into the mouth; False if it stays in the customer's hand."""
        if (
            not self.open
            or not self.working
            or self.note
            or self.luck.chance(self.world.faults.note_rejected_by_device)
        ):
            return False
        self.position += 1
        self.note = Lying(self.position, amount, "escrow")
        if self.luck.chance(self.world.faults.power_cut_around_note):
            delay_ms = self.luck.between(-1000, 1500)
            if delay_ms < 0:
                self.world.cut_power()
                return False
            self.world.agenda.after(delay_ms, self.world.cut_power)
        if self.luck.chance(self.world.faults.note_stacked_unasked):
            self.luck.saw("note_stacked_unasked")
            self.world.agenda.after(self.luck.between(20, 200), self._stacked, self.position)
        self.report(NoteEscrowed(self.name, self.position, amount))
        return True

    # the host's side

    def stack_note(self, command: StackNote) -> None:
        """Pull it in, if it is still there."""
        if self.note and self._holds(command.position, "escrow"):
            self.note.stage = "stacking"
            self.world.agenda.after(self.luck.between(300, 1200), self._stacked, command.position)

    def return_note(self, command: ReturnNote) -> None:
        """Push it out, if it is still there."""
        if self.note and self._holds(command.position, "escrow"):
            self.note.stage = "returning"
            self.world.agenda.after(self.luck.between(300, 900), self._returned, command.position)

    def tell_note(self, command: TellNote) -> None:
        """Say what became of it."""
        self.world.agenda.after(self.luck.between(20, 200), self._answer, command.position)

    def host_lost(self) -> None:
        super().host_lost()
        if self.note and self.note.stage == "escrow":
            self.luck.saw("host_killed_with_note_in_escrow")
            self.world.agenda.after(RETURNS_AFTER_SILENCE_MS, self._return_by_itself, self.note.position)

    def settle(self) -> None:
        if self.note is None:
            super().settle()

    # what happens in it

    def _holds(self, position: int, stage: str) -> bool:
        return self.note is not None and self.note.position == position and self.note.stage == stage

    def _answer(self, position: int) -> None:
        if not self.world.host_up:
            return
        if self.note and self.note.position == position:
            if self.note.stage == "escrow":
                self.luck.saw("note_held_at_restart")
                self.report(NoteHeld(self.name, position))
            return  # it is moving: its end is reported when it has come
        self.report(self.fates.get(position) or NoteUnaccounted(self.name, position, "forgotten"))

    def _stacked(self, position: int) -> None:
        if self.note is None or self.note.position != position or self.note.stage == "gone":
            return
        amount = self.note.amount
        self.note = None
        if self.luck.chance(self.world.faults.note_jams):
            self._lost_from_sight(position, amount, "jam")
            self.fail("jam", 20)
            return
        self.into_box(amount)
        self._end(NoteStacked(self.name, position, amount), amount.minor)

    def _returned(self, position: int) -> None:
        if self.note is None or self.note.position != position:
            return
        amount = self.note.amount
        self.note = None
        self._end(NoteReturned(self.name, position), 0)
        if self.luck.chance(self.world.faults.note_retracted):
            self.world.agenda.after(15 * SECOND, self._retracted, position, amount, self.box)

    def _retracted(self, position: int, amount: Money, box: int) -> None:
        """Left in the mouth, it is drawn in, unless another one is in the way."""
        if self.note is None and self.working and position == self.position and box == self.box:
            self.luck.saw("note_retracted")
            self.into_box(amount)
            self._end(NoteRetracted(self.name, position, amount), amount.minor)

    def _return_by_itself(self, position: int) -> None:
        if self._holds(position, "escrow"):
            self.luck.saw("note_returned_after_silence")
            self._returned(position)

    def _lost_from_sight(self, position: int, amount: Money, cause: str) -> None:
        """The device cannot tell. Really it is in the box or in a hand."""
        if self.luck.chance(0.5):
            self.into_box(amount)
            self.in_box[position] = self.box
            announcement = self._announcement(position)
            if announcement:  # the host will be told of it with that
                announcement.amount += amount.minor
                self.queued[announcement.box] += amount.minor
            elif not self.world.knows_note(self.name, position):
                self.forgotten[self.box] += amount.minor
        self.luck.saw("note_in_doubt")
        self._end(NoteUnaccounted(self.name, position, cause), 0)

    def _announcement(self, position: int) -> Event | None:
        """The report that the note lies in escrow, if the host has not acknowledged it yet."""
        for event in self.events:
            if type(event.fact) is NoteEscrowed and event.fact.position == position:
                return event
        return None

    def _announced(self, position: int) -> bool:
        """Does the host know what the note is worth, or will it be told?"""
        return self.world.knows_note(self.name, position) or self._announcement(position) is not None

    def _end(self, fate: NoteFact, amount: int) -> None:
        self.fates[fate.position] = fate
        self.report(fate, amount)
        if not self.open:
            self.settle()

    def power_cut(self) -> None:
        """The note in the path ends somewhere; the memory may be gone."""
        super().power_cut()
        note, self.note = self.note, None
        forgets = self.luck.chance(self.world.faults.device_forgets)
        if forgets:
            self._drop_events()
            self.fates.clear()
        if note is None:
            return
        if note.stage == "stacking":
            self.luck.saw("power_cut_while_stacking")
        likely_in = {"escrow": 0.3, "stacking": 0.7, "returning": 0.1}[note.stage]
        if self.luck.chance(0.1):
            self._lost_from_sight(note.position, note.amount, "power_cut")
        elif self.luck.chance(likely_in):
            # The stacker's sensor says that a note came in; what it was worth may be forgotten.
            self.into_box(note.amount)
            known = None if forgets else note.amount
            announced = self._announced(note.position)
            if not announced:
                self.luck.saw("stray_note" if known else "stray_note_of_unknown_value")
            if known or announced:
                self._end(NoteStacked(self.name, note.position, known), note.amount.minor)
            else:
                self.forgotten[self.box] += note.amount.minor
                self._end(NoteStacked(self.name, note.position), 0)
        else:
            self._end(NoteReturned(self.name, note.position), 0)

    def _forget(self, event: Event) -> None:
        # A note that the host knows is a promise there, and becomes doubt when asked about.
        fact = event.fact
        if not event.amount:
            return
        if isinstance(fact, NoteEscrowed | NoteStacked) and self.world.knows_note(self.name, fact.position):
            self.in_box[fact.position] = event.box
        else:
            self.forgotten[event.box] += event.amount
