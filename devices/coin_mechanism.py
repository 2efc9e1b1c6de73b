"""The inside of a simulated coin acceptor, whatever it speaks: coins that fall, a gate, a box, a memory of five events.

Simulators only: no driver looks in here. Time is given in milliseconds; whoever owns the mechanism lets it pass.
"""

from collections import deque

from msgspec import Struct

from devices.mechanism import INITIALISE_MS, Phase
from kiosk.amount import Money
from kiosk.ports.fault import Fault

SENSE_MS = 150  # from the slot to the gate
FALL_MS = 250  # from the gate to the sensor that credits
SILENCE_MAX_MS = 1_000  # a host that has asked for nothing so long gets no more coins
EVENTS_KEPT = 5
COUNTER_MAX = 255  # it is followed by 1


class CoinTimings(Struct, frozen=True):
    """How long things take in this model."""

    sense_ms: int = SENSE_MS
    fall_ms: int = FALL_MS
    initialise_ms: int = INITIALISE_MS
    silence_max_ms: int | None = SILENCE_MAX_MS  # None: it goes on whether it is asked or not


class CoinEvent(Struct, frozen=True):
    """Something that it remembers: a coin that is credited, or why none is."""

    credit: Money | None = None
    refused: Money | None = None
    fault: Fault | None = None
    swallowed: bool = False


class Falling(Struct, frozen=True):
    """A coin on its way."""

    coin: Money
    until_ms: int
    accepted: bool  # it is past the gate, which was open


class CoinMechanism:
    """One coin acceptor's inside."""

    def __init__(self, timings: CoinTimings | None = None, *, now_ms: int = 0) -> None:
        self.timings = timings or CoinTimings()
        self.now_ms = now_ms
        self.phase = Phase.INITIALISING
        self.accepted: frozenset[Money] = frozenset()
        self.box: list[Money] = []
        self.hand: list[Money] = []  # what customers got back
        self.stuck: list[Money] = []
        self.starts = 0  # times that it has forgotten all
        self.counter = 0
        self.events: deque[CoinEvent] = deque(maxlen=EVENTS_KEPT)  # newest first
        self.faults: set[Fault] = set()  # that are there now
        self.next_faults: list[Fault] = []  # each of them meets one of the next coins, past the gate
        self.swallows = 0  # so many of the next coins reach the box without being credited
        self._told: set[Fault] = set()  # faults that it remembers as events
        self._falling: list[Falling] = []
        self._until_ms: int | None = now_ms + self.timings.initialise_ms
        self._asked_ms = now_ms

    # The customer's side ---------------------------------------------------------------------------------------------

    def insert(self, coin: Money) -> bool:
        """Drop a coin into the slot. False: as things stand, it will come out again."""
        self._falling.append(Falling(coin, self.now_ms + self.timings.sense_ms, accepted=False))
        return self._takes(coin)

    @property
    def moving(self) -> bool:
        """Is a coin on its way?"""
        return bool(self._falling)

    # The technician's side -------------------------------------------------------------------------------------------

    def clear(self, fault: Fault) -> None:
        """See to a fault; a coin that was stuck is taken out by hand."""
        self.faults.discard(fault)
        if not self.faults:
            self.hand += self.stuck
            self.stuck.clear()

    def power_off(self) -> None:
        """The power goes: the gate falls shut, and what is past it falls on unseen."""
        if self.phase is Phase.OFF:
            return
        self._forget()
        self.phase, self._until_ms = Phase.OFF, None

    def power_on(self) -> None:
        """And is there again."""
        if self.phase is Phase.OFF:
            self.phase, self._until_ms = Phase.INITIALISING, self.now_ms + self.timings.initialise_ms

    # The protocol's side ---------------------------------------------------------------------------------------------

    @property
    def broken(self) -> Fault | None:
        """Why it takes nothing, if it is broken."""
        return min(self.faults) if self.faults else None

    def asked(self) -> None:
        """The host has asked for events."""
        self._asked_ms = self.now_ms

    def reset(self) -> None:
        """Begin anew, as if the power had gone."""
        self._forget()
        self.phase, self._until_ms = Phase.INITIALISING, self.now_ms + self.timings.initialise_ms

    # Time ------------------------------------------------------------------------------------------------------------

    def pass_time(self, now_ms: int) -> None:
        """It is that late now."""
        while (next_ms := self.next_ms()) is not None and next_ms <= now_ms:
            self.now_ms = max(self.now_ms, next_ms)
            self._happen()
        self.now_ms = max(self.now_ms, now_ms)

    def next_ms(self) -> int | None:
        """When something happens by itself."""
        moments = [falling.until_ms for falling in self._falling]
        if self._until_ms is not None:
            moments.append(self._until_ms)
        if self.phase is Phase.IDLE and self.faults - self._told:
            moments.append(self.now_ms)
        return min(moments, default=None)

    def _happen(self) -> None:
        if self._until_ms is not None and self._until_ms <= self.now_ms:
            self.phase, self._until_ms = Phase.IDLE, None
        self._told &= self.faults
        for fault in sorted(self.faults - self._told) if self.phase is Phase.IDLE else ():
            self._told.add(fault)
            self._remember(CoinEvent(fault=fault))
        arrived = [falling for falling in self._falling if falling.until_ms <= self.now_ms]
        self._falling = [falling for falling in self._falling if falling.until_ms > self.now_ms]
        for falling in arrived:
            if falling.accepted:
                self._credit(falling.coin)
            else:
                self._at_the_gate(falling.coin)

    def _at_the_gate(self, coin: Money) -> None:
        if self._takes(coin):
            self._falling.append(Falling(coin, self.now_ms + self.timings.fall_ms, accepted=True))
            return
        self.hand.append(coin)
        if self.phase is Phase.IDLE and self._attended():
            self._remember(CoinEvent(refused=coin))

    def _credit(self, coin: Money) -> None:
        fault = self.next_faults.pop(0) if self.next_faults else None
        if fault is not None:
            self.faults.add(fault)  # it is told as one
            (self.hand if fault is Fault.CHEATED else self.stuck).append(coin)
            return
        self.box.append(coin)
        if self.swallows:
            self.swallows -= 1
            self._remember(CoinEvent(swallowed=True))
        else:
            self._remember(CoinEvent(credit=coin))

    def _takes(self, coin: Money) -> bool:
        return self.phase is Phase.IDLE and not self.broken and coin in self.accepted and self._attended()

    def _attended(self) -> bool:
        silence_max_ms = self.timings.silence_max_ms
        return silence_max_ms is None or self.now_ms - self._asked_ms <= silence_max_ms

    def _remember(self, event: CoinEvent) -> None:
        self.counter = self.counter % COUNTER_MAX + 1
        self.events.appendleft(event)

    def _forget(self) -> None:
        for falling in self._falling:
            (self.box if falling.accepted else self.hand).append(falling.coin)
        self._falling.clear()
        self.starts += 1
        self.accepted, self.counter = frozenset(), 0
        self.events.clear()
        self._told.clear()
