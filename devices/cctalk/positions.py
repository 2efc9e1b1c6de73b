"""A device counts its events from 1 to 255 and then from 1 again; a position says which of them is meant, for ever.

The counter is 0 when the device has just got power. So whoever knows the position of the last event that was booked
can tell from the counter which events are new, as long as there are not more of them than the device remembers.
Positions only grow: after a power cut a new turn of 255 begins.
"""

from msgspec import Struct

from devices.cctalk.wire import EVENTS, Reading

TURN = 255


def counter_of(position: int) -> int:
    """What the counter shows at that position; 0 and 255 are told apart by no position: what follows both is 1."""
    return (position - 1) % TURN + 1 if position > 0 else 0


class Event(Struct, frozen=True):
    """One event that is new."""

    position: int
    a: int
    b: int


class Gap(Struct, frozen=True):
    """What lies between two readings."""

    reset: bool  # the device was without power, or is another one: its count has begun anew
    missed: int  # events that it does not remember any more
    begin: int  # the position before those that it does remember
    events: tuple[Event, ...]  # oldest first


class EventLog:
    """How far the events of one device are known."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._seen: Reading | None = None  # what the device showed last, if all of it is known
        self._turn = 0  # where a newcomer's count begins

    def exchange(self) -> None:
        """Another device is here: what it has counted lies before our time."""
        self._turn = self._next_turn()

    def meet(self, reading: Reading) -> None:
        """That is how far the newcomer has come."""
        self.position, self._seen = self._turn + reading.counter, reading

    def gap(self, reading: Reading, *, fresh: bool | None) -> Gap:
        """What is new. `fresh`: the device was never opened since it has power; None: that cannot be told."""
        counter = reading.counter
        last = self._last(counter, fresh=fresh)
        new = counter if last == 0 else (counter - last) % TURN
        end = self.position + new
        reset = fresh is True or (counter == 0 and last != 0)
        if reset:
            new, end = counter, self._next_turn() + counter
        elif not self._remembers(reading, new):
            end = self._next_turn() + counter
            return Gap(reset=True, missed=counter, begin=end, events=())  # which of them are new, nobody can tell
        events = [Event(end - age, result.a, result.b) for age, result in enumerate(reading.results[:new])]
        return Gap(reset, new - len(events), end - len(events), tuple(reversed(events)))

    def take(self, position: int) -> None:
        """All up to here is known."""
        self.position, self._seen = position, None

    def caught_up(self, reading: Reading) -> None:
        """Everything in this reading is known."""
        self._seen = reading

    def _last(self, counter: int, *, fresh: bool | None) -> int:
        if self._seen is not None:
            return self._seen.counter
        known = counter_of(self.position)
        if known not in {0, TURN}:
            return known
        return 0 if counter == 0 and fresh is False else TURN

    def _remembers(self, reading: Reading, new: int) -> bool:
        """Is what was known still there, behind what is new? Counters may agree by accident, the events will not."""
        return self._seen is None or reading.results[new:] == self._seen.results[: max(0, EVENTS - new)]

    def _next_turn(self) -> int:
        return (self.position // TURN + 1) * TURN
