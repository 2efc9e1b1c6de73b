"""How soon a device is missed whose cable was pulled or that says nothing more, and how soon it is ready again."""

import statistics
import time
from collections.abc import Iterator
from random import Random
from typing import Literal

from devices.supervisor import State
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.message import Fact
from tests.figures.far import Order, Seen
from tests.figures.figure import Figure
from tests.figures.till import AT_WORK, Till, till

PULLS = 8
SILENCES = 2
AWAY_S = (2.0, 6.0)  # so that it is sought at the longest intervals
SETTLED_S = 2.5  # so long it works before the next time: it was found for good
NOTICED_S, READY_S = 1.0, 5.0
RETRIES_S = {
    "ccnet": 3 * 0.3,
    "ebds": 0.25 + 0.3 + 0.35 + 0.4,
    "ict": 9 * (0.3 + 0.1),  # nine polls and the peace between them
    "ssp": 21 * 1.0,  # which the specification demands
    "essp": 21 * 1.0 + 3 * 1.0,  # and is it the key?
    "id003": 3 * 0.4,
    "cctalk": 4 * 0.3,
    "cctalk-bills": 4 * 0.3,
}  # how long a driver asks in vain by the rules of its protocol, until it believes that nobody is there


def figures(
    pulls: int = PULLS,
    silences: int = SILENCES,
    protocols: tuple[str, ...] = (),
    away_s: tuple[float, float] = AWAY_S,
) -> list[Figure]:
    """The longest of each, for each protocol, and how it is as a rule."""
    with till(protocols=protocols) as it:
        it.start()
        it.wait_until_all_are(AT_WORK)
        pulled = _rounds(it, pulls, away_s, "unplug", "plug")
        silent = _rounds(it, silences, away_s, "power_off", "power_on")
    return [*_pulled(pulled), *_silent(silent)]


Times = dict[str, list[tuple[float, float]]]  # for each device and round: until it was missed, and until it was ready


def _rounds(
    it: Till,
    rounds: int,
    away_s: tuple[float, float],
    away: Literal["unplug", "power_off"],
    back: Literal["plug", "power_on"],
) -> Times:
    random, times = Random(1), Times()
    for _ in range(rounds):
        time.sleep(SETTLED_S + random.random())
        left = it.far.do(Order(away))
        it.wait_until_all_are({State.GONE})
        time.sleep(random.uniform(*away_s))
        came = it.far.do(Order(back))
        it.wait_until_all_are(AT_WORK)
        for protocol in left:
            missed = _after(it, protocol, DeviceFailed, left)
            ready = _after(it, protocol, DeviceReady, came)
            times.setdefault(protocol, []).append((missed, ready))
    return times


def _after(it: Till, protocol: str, kind: type[Fact], seen: dict[str, Seen]) -> float:
    """How long after that moment the fact was told first."""
    moment_s = seen[protocol].at_s[0]
    return min(told.at_s for told in it.facts(protocol, kind) if told.at_s > moment_s) - moment_s


def _pulled(times: Times) -> Iterator[Figure]:
    for protocol, took in times.items():
        yield Figure(f"pulled cable missed, longest, {protocol}", max(a for a, _ in took), "s", at_most=NOTICED_S)
    for protocol, took in times.items():
        yield Figure(f"ready after plugging in, longest, {protocol}", max(b for _, b in took), "s", at_most=READY_S)
        yield Figure(f"ready after plugging in, median, {protocol}", statistics.median(b for _, b in took), "s")


def _silent(times: Times) -> Iterator[Figure]:
    for protocol, took in times.items():
        beyond = max(a for a, _ in took) - RETRIES_S[protocol]
        yield Figure(f"silence missed, beyond the retries, {protocol}", beyond, "s", at_most=NOTICED_S)
