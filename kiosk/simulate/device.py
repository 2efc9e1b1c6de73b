"""What every simulated acceptor has: a box, a memory of events, and a line to the host.

Its boxes are the physical truth that the ledger is measured against.
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
    NoteFact,
)
from kiosk.simulate.agenda import MINUTE

if TYPE_CHECKING:
    from kiosk.simulate.world import World


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
        self.position: int = 0
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
        slow = self.luck.chance(self.world.faults.slow_to_settle)
        self.world.agenda.after(self.luck.between(5_000, 30_000) if slow else self.luck.between(50, 400), self.settle)

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

    def power_cut(self) -> None:
        """The device dies with the host, and wakes with it."""
        self.open = False

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
