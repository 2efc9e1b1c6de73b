"""Cables pulled in mid-whatever leave nothing behind; a supervisor keeps the interval that its device is promised."""

import sys
import threading
import time

from devices.driver import Driver, Host, HostStopped, Inbox, Setting
from devices.link import LineSettings, Link, NoLink
from devices.supervisor import PEACE_SHARE, Supervisor
from kiosk.core_thread import SWITCH_S, CoreThread
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.hotplug.campaign import GROWTH_MAX_MB, Inside, Report, campaign
from tests.kiosk.flow.stage import Stage

WARM_UP, COUNTED = 5, 15


def test_every_device_comes_back_and_nothing_leaks() -> None:
    report = campaign(COUNTED, WARM_UP, seed=3)
    assert report.findings == [], str(report)
    assert set(report.pulled.values()) == {COUNTED}


def test_the_campaign_finds_what_it_looks_for() -> None:
    before = Inside(("core",), ("1 pty",), 40.0, 0, 0)
    after = Inside(("core", "lost"), ("2 pty",), 40.0 + GROWTH_MAX_MB + 1, 0, 0)
    report = Report({"a": 2}, {"a": 0}, {}, before, after, ("Traceback",), {"a": "gone"})
    words = ("logged", "a is gone", "not looked for", "threads", "descriptors", "memory")
    assert [word for word, found in zip(words, report.findings, strict=True) if word not in found] == []


# The interval --------------------------------------------------------------------------------------------------------


class Waits(Inbox):
    """An inbox that writes down how long it is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []
        self.enough = threading.Event()

    def wait(self, seconds: float) -> None:
        """Not at all; after a few turns no more are needed."""
        self.waited.append(seconds)
        if len(self.waited) > 3:
            self.enough.set()
            super().wait(seconds)


class Slow(Driver):
    """A driver whose turns take their time, by a clock of their own."""

    line = LineSettings()
    poll_interval_s = 1.0
    takes_s = 0.0
    now_s = 0.0

    def start(self) -> None:
        """As promised by Driver."""

    def turn(self) -> None:
        """As promised by Driver."""
        Slow.now_s += self.takes_s

    def lost(self, fault: Fault, vendor_code: str = "") -> None:
        """As promised by Driver."""

    def rest(self) -> None:
        """As promised by Driver."""


class Nobody:
    """A host that nothing is told to."""

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""


def waited_after_turns_of(seconds: float) -> float:
    """How long the supervisor waits between two turns that take so long."""
    inbox = Waits()

    def make(host: Host) -> Driver:
        driver = Slow(host, inbox, Setting("slow", "CNY"), lambda: Slow.now_s)
        driver.takes_s = seconds
        return driver

    def find() -> Link:
        return NoLink()

    supervisor = Supervisor(make, find, Nobody(), lambda: Slow.now_s)
    supervisor.start()
    assert inbox.enough.wait(20)
    supervisor.stop()
    return round(inbox.waited[0], 6)


def test_what_a_turn_takes_is_part_of_the_interval() -> None:
    assert waited_after_turns_of(0.25) == 0.75


def test_a_slow_device_is_left_in_peace_for_a_while_all_the_same() -> None:
    assert waited_after_turns_of(0.9) == waited_after_turns_of(7) == PEACE_SHARE


def test_no_thread_reckons_on_for_long_while_the_core_has_something_to_do() -> None:
    stage = Stage()
    core = CoreThread(stage.core, lambda _: None, lambda: int(time.time() * 1000), HostStopped)
    core.stop()
    assert sys.getswitchinterval() <= SWITCH_S
