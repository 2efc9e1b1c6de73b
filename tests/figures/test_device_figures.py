"""What is measured of the devices has the rows that it should; how fast it is, no test says."""

import math

from devices.registry import PROTOCOLS
from tests.figures import hotplug, idle, latency
from tests.figures.__main__ import GROUPS
from tests.figures.figure import Figure

BILLS = [name for name, protocol in PROTOCOLS.items() if protocol.takes == "notes"]


def sane(figures: list[Figure]) -> bool:
    """Are all of them numbers, and each under a name of its own?"""
    return len({figure.name for figure in figures}) == len(figures) and all(math.isfinite(one.value) for one in figures)


def test_latency_has_a_row_for_each_protocol_under_each_condition() -> None:
    quiet = latency.CONDITIONS[0]
    rows = latency.measured(quiet, notes=1, watched_s=1.5)
    assert sane(rows)
    assert all(row.value >= 0 for row in rows)
    assert {row.name for row in rows} == {
        *(f"escrow to stack, {protocol}, quiet" for protocol in BILLS),
        *(f"credit to journal, {protocol}, quiet" for protocol in PROTOCOLS),
        *(f"poll jitter, 99 of 100, {protocol}, quiet" for protocol in PROTOCOLS),
        "poll jitter, 99 of 100, a process that only waits, quiet",
    }


def test_idling_has_its_processor_and_its_memory() -> None:
    rows = idle.figures(seconds=0.2)
    assert sane(rows)
    assert [row.unit for row in rows] == ["%", "MB", "MB"]
    assert 0 < rows[1].value <= rows[2].value


def test_hotplug_has_three_goals_for_each_protocol() -> None:
    rows = hotplug.figures(pulls=1, silences=1, protocols=("ccnet", "cctalk"), away_s=(0, 0.1))
    assert sane(rows)
    assert len([row for row in rows if row.goal]) == 3 * 2


def test_the_retries_of_every_protocol_are_known() -> None:
    assert hotplug.RETRIES_S.keys() == PROTOCOLS.keys()


def test_a_poll_of_several_messages_counts_once() -> None:
    assert latency.poll_starts([1.0, 1.01, 1.02, 1.2, 1.21, 1.4], 0.06) == [1.0, 1.2, 1.4]


def test_they_can_be_asked_for_by_name() -> None:
    assert {"latency", "idle", "hotplug"} <= GROUPS.keys()
