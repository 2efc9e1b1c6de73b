"""From counters to positions and back: nothing is numbered twice, and nothing that is not remembered is made up."""

from collections import deque
from random import Random

import pytest

from devices.cctalk.positions import Event, EventLog, Gap, counter_of
from devices.cctalk.wire import EVENTS, Reading, Result


def reading(counter: int, *results: tuple[int, int]) -> Reading:
    """So many events, the last of them oldest first."""
    return Reading(counter, tuple(Result(a, b) for a, b in reversed(results)))


FIVE = [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]


def numbered(*positions: int) -> tuple[Event, ...]:
    """The last of FIVE, under these positions."""
    return tuple(Event(position, a, b) for position, (a, b) in zip(positions, FIVE[5 - len(positions) :], strict=True))


@pytest.mark.parametrize(("position", "counter"), [
    (0, 0), (1, 1), (254, 254), (255, 255), (256, 1), (509, 254), (510, 255), (511, 1),
])  # fmt: skip
def test_what_a_counter_shows_at_a_position(position: int, counter: int) -> None:
    assert counter_of(position) == counter


@pytest.mark.parametrize(("position", "counter", "fresh", "reset", "missed", "new"), [
    (7, 7, False, False, 0, []),
    (7, 9, False, False, 0, [8, 9]),
    (7, 12, False, False, 0, [8, 9, 10, 11, 12]),
    (7, 13, False, False, 1, [9, 10, 11, 12, 13]),
    (254, 2, False, False, 0, [255, 256, 257]),  # 255 is followed by 1
    (255, 1, False, False, 0, [256]),
    (509, 4, None, False, 0, [510, 511, 512, 513, 514]),
    (7, 7, None, False, 0, []),
    (7, 0, None, True, 0, []),  # it has just got power
    (7, 0, False, True, 0, []),
    (7, 2, True, True, 0, [256, 257]),  # it got power, and has counted since
    (7, 7, True, True, 2, [258, 259, 260, 261, 262]),
    (200, 3, False, False, 53, [254, 255, 256, 257, 258]),  # backwards, or very far
    (255, 0, False, False, 0, []),  # a turn that has just begun
    (255, 0, None, True, 0, []),  # or the power was gone: that cannot be told, so it may have been
    (255, 0, True, True, 0, []),
    (255, 255, False, False, 0, []),
    (0, 0, False, False, 0, []),
    (0, 2, False, False, 0, [1, 2]),
])  # fmt: skip
def test_what_is_new(  # noqa: PLR0913 - the columns of a table
    *, position: int, counter: int, fresh: bool | None, reset: bool, missed: int, new: list[int]
) -> None:
    gap = EventLog(position).gap(reading(counter, *FIVE), fresh=fresh)
    begin = new[0] - 1 if new else 255 * (position // 255 + 1) if reset else position
    assert gap == Gap(reset, missed, begin, numbered(*new))


def test_a_turn_that_has_begun_is_not_forgotten_by_who_has_seen_it() -> None:
    log = EventLog(7)
    gap = log.gap(reading(0), fresh=None)
    log.take(gap.begin)
    log.caught_up(reading(0))
    assert log.gap(reading(0), fresh=False) == Gap(reset=False, missed=0, begin=255, events=())
    assert log.gap(reading(1, (3, 0)), fresh=False).events == (Event(256, 3, 0),)


@pytest.mark.parametrize(("before", "after"), [
    (reading(7, *FIVE), reading(7, *FIVE[1:], (9, 0))),  # as many, and others
    (reading(7, *FIVE), reading(8, *FIVE)),
    (reading(254, *FIVE), reading(3, *FIVE)),  # one of them could still be known
    (reading(7, *FIVE), reading(9, (0, 2), (0, 2), (0, 2), (0, 2), (0, 2))),
])  # fmt: skip
def test_one_that_remembers_other_events_than_before_begins_anew(before: Reading, after: Reading) -> None:
    log = EventLog(7)
    log.meet(before)
    log.take(before.counter)
    log.caught_up(before)
    end = 255 * (1 if before.counter < 255 else 2) + after.counter
    assert log.gap(after, fresh=False) == Gap(reset=True, missed=after.counter, begin=end, events=())
    assert EventLog(before.counter).gap(after, fresh=False).reset is False  # who has not seen it before, cannot tell


def test_what_is_known_moves_on_in_its_memory() -> None:
    log = EventLog(7)
    log.caught_up(reading(7, *FIVE))
    for new in range(6):
        events = [(count, 9) for count in range(new)]
        assert log.gap(reading(7 + new, *FIVE[new:], *events), fresh=False).reset is False
    assert log.gap(reading(13, *[(9, 9)] * 5), fresh=False).missed == 1


@pytest.mark.parametrize(("known", "counter", "position"), [(0, 0, 255), (0, 37, 292), (300, 37, 547), (510, 0, 765)])
def test_where_a_newcomer_begins(known: int, counter: int, position: int) -> None:
    log = EventLog(known)
    log.exchange()
    log.meet(reading(counter))
    assert log.position == position > known
    assert counter_of(position) in {counter, counter or 255}


@pytest.mark.parametrize("seed", range(20))
def test_a_long_life(seed: int) -> None:
    """Bursts, restarts of the host, and cuts: each event is numbered once, or counted as missed."""
    random = Random(seed)
    log, counter, kept, count = EventLog(0), 0, deque[Result](maxlen=EVENTS), 0
    log.exchange()
    log.meet(reading(0))
    unread, last = 0, log.position
    for _ in range(2_000):
        for _ in range(random.choice((0, 0, 1, 2, 4, 6))):
            counter, count, unread = counter % 255 + 1, count + 1, unread + 1
            kept.appendleft(Result(count % 200 + 1, 0))
        if random.random() < 0.05:
            counter, unread = 0, 0
            kept.clear()
        if random.random() < 0.1:
            log = EventLog(log.position)
        gap = log.gap(Reading(counter, tuple(kept)), fresh=False)
        assert gap.reset or (gap.missed, len(gap.events)) == (max(unread - EVENTS, 0), min(unread, EVENTS))
        for event in gap.events:
            assert event.position > last
            last = event.position
        assert [event.a for event in gap.events] == [result.a for result in reversed([*kept][: len(gap.events)])]
        log.take(gap.begin + len(gap.events))
        log.caught_up(Reading(counter, tuple(kept)))
        last, unread = log.position, 0
