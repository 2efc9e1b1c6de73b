"""Simulated acceptors at the level of the ports: they hold real (virtual) notes and coins, and remember what they must.

Their boxes are the physical truth that the ledger is measured against.
"""

from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct

from kiosk.amount import Money
from kiosk.ports.acceptor import (
    AcceptorFact,
    BoxInserted,
    BoxRemoved,
    CloseAcceptor,
    DeviceFailed,
    DeviceIdle,
    DeviceReady,
    OpenAcceptor,
)
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
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.simulate.agenda import MINUTE, SECOND

if TYPE_CHECKING:
    from kiosk.simulate.world import World

RETURNS_AFTER_SILENCE_MS = 3 * SECOND


class Event(Struct):
    """A report that the host has not acknowledged, and the cash in the box that it speaks of."""

    fact: AcceptorFact | NoteFact
    box: int = 0
    amount: int = 0


class Device:
    """A box, a memory of events, and a line to the host."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.world = world
        self.luck = world.luck
        self.open = False
        self.working = True
        self.position = 0
        self.box = 1
        self.boxes: dict[int, int] = {1: 0}  # what is really in each box
        self.queued: dict[int, int] = {1: 0}  # of that, what the host has not been told yet
        self.forgotten: dict[int, int] = {1: 0}  # of that, what nobody will ever tell it
        self.full: list[int] = []  # boxes that were taken out and not counted yet
        self.events: deque[Event] = deque()
        self._pumping = False

    # the host's side

    def open_acceptor(self, command: OpenAcceptor) -> None:
        """Take these denominations."""
        if self.working:
            self.open = bool(command.denominations)

    def close_acceptor(self, _: CloseAcceptor) -> None:
        """Stop; say so when nothing moves."""
        self.open = False
        self.world.agenda.after(self.luck.between(50, 400), self.settle)

    def settle(self) -> None:
        """Report that nothing moves, if that is so."""
        if not self.open:
            self.report(DeviceIdle(self.name))

    def link_up(self) -> None:
        """The host is there again: say that all is well, then repeat what it has not acknowledged."""
        if self.working:
            self.events.appendleft(Event(DeviceReady(self.name, f"serial-{self.name}")))
        self.pump()

    def host_lost(self) -> None:
        """Nobody polls any more."""
        self.open = False
        self.events = deque(event for event in self.events if not isinstance(event.fact, DeviceReady | DeviceIdle))

    # the world's side

    def report(self, fact: AcceptorFact | NoteFact, amount: int = 0) -> None:
        """Remember it until the host has acknowledged it."""
        self.events.append(Event(fact, self.box, amount))
        self.queued[self.box] += amount
        self.pump()

    def pump(self) -> None:
        """Tell the host what it has not acknowledged, in order."""
        if self._pumping:
            return
        self._pumping = True
        while self.events and self.world.host_up:
            event = self.events[0]
            if not self.world.tell(event.fact):
                break  # the host died over it; it stays to be repeated
            if self.luck.chance(self.world.faults.event_repeated):
                self.luck.saw("event_repeated")
                if not self.world.tell(event.fact):
                    break
            if self.events and self.events[0] is event:
                self.events.popleft()
                self._unqueue(event)
        self._pumping = False

    def into_box(self, amount: Money) -> None:
        """It fell into the box: from now on it is really there."""
        self.boxes[self.box] += amount.minor

    def fail(self, fault: str, minutes: int) -> None:
        """Stop working; somebody sees to it after a while."""
        if not self.working:
            return
        self.working = False
        self.open = False
        self.report(DeviceFailed(self.name, fault))
        self.world.agenda.after(minutes * MINUTE, self.mend)

    def mend(self) -> None:
        """Work again."""
        if not self.working:
            self.working = True
            self.report(DeviceReady(self.name, f"serial-{self.name}"))

    def change_box(self) -> None:
        """Somebody takes the box out and puts an empty one in."""
        self.full.append(self.box)
        self.report(BoxRemoved(self.name))
        self.box += 1
        self.boxes[self.box] = self.queued[self.box] = self.forgotten[self.box] = 0
        self.report(BoxInserted(self.name))
        self.report(DeviceReady(self.name))

    def _drop_events(self) -> None:
        """The power went and took the memory along; what lies in the box unannounced is forgotten."""
        for event in self.events:
            self._unqueue(event)
            self._forget(event)
        # Whether a box is in place is seen again at power-up.
        self.events = deque(event for event in self.events if isinstance(event.fact, BoxRemoved | BoxInserted))

    def _unqueue(self, event: Event) -> None:
        if event.amount:
            self.queued[event.box] -= event.amount

    def _forget(self, event: Event) -> None:
        if event.amount:
            self.forgotten[event.box] += event.amount


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
        if not self.open or not self.working or self.note or self.luck.chance(self.world.faults.note_rejected_by_device):
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
        if self._holds(command.position, "escrow"):
            self.note.stage = "stacking"  # pyright: ignore[reportOptionalMemberAccess] - _holds saw it
            self.world.agenda.after(self.luck.between(300, 1200), self._stacked, command.position)

    def return_note(self, command: ReturnNote) -> None:
        """Push it out, if it is still there."""
        if self._holds(command.position, "escrow"):
            self.note.stage = "returning"  # pyright: ignore[reportOptionalMemberAccess] - _holds saw it
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
            if not self._announced(position):
                self.forgotten[self.box] += amount.minor
        self.luck.saw("note_in_doubt")
        self._end(NoteUnaccounted(self.name, position, cause), 0)

    def _announced(self, position: int) -> bool:
        """Does the host know what the note is worth, or will it be told?"""
        return self.world.knows_note(self.name, position) or any(
            isinstance(event.fact, NoteEscrowed) and event.fact.position == position for event in self.events
        )

    def _end(self, fate: NoteFact, amount: int) -> None:
        self.fates[fate.position] = fate
        self.report(fate, amount)
        if not self.open:
            self.settle()

    def power_cut(self) -> None:
        """The note in the path ends somewhere; the memory may be gone."""
        note, self.note = self.note, None
        self.open = False
        forgets = self.luck.chance(self.world.faults.device_forgets)
        if forgets:
            self._drop_events()
            self.fates.clear()
        if note is None:
            return
        if note.stage == "stacking":
            self.luck.saw("power_cut_while_stacking")
        likely_in = {"escrow": 0.15, "stacking": 0.7, "returning": 0.1}[note.stage]
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
        # A stacked note that the host knows is a promise there, and becomes doubt when asked about.
        if isinstance(event.fact, NoteStacked) and self.world.knows_note(self.name, event.fact.position):
            self.in_box[event.fact.position] = event.box
        elif event.amount:
            self.forgotten[event.box] += event.amount


class CoinAcceptor(Device):
    """A coin acceptor: what falls in is in."""

    def insert(self, amount: Money, *, late: bool = False) -> bool:
        """A coin is dropped into the slot; a late one was past the gate when it closed."""
        if not self.working or not (self.open or late):
            return False
        self.into_box(amount)
        self.position += 1
        self.report(CoinInserted(self.name, self.position, amount), amount.minor)
        return True

    def lose_count(self, amounts: list[Money]) -> None:
        """Coins fell in faster than the counter was read: nobody knows which."""
        for amount in amounts:
            self.into_box(amount)
            self.forgotten[self.box] += amount.minor
            self.position += 1
        self.luck.saw("coins_lost")
        self.report(CoinsLost(self.name, self.position))

    def power_cut(self) -> None:
        """The counter may start anew; then nobody knows what fell in last."""
        self.open = False
        if self.events and self.luck.chance(self.world.faults.device_forgets):
            unseen = any(event.amount for event in self.events)
            self._drop_events()
            if unseen:
                self.position += 1
                self.luck.saw("coins_lost")
                self.report(CoinsLost(self.name, self.position))
