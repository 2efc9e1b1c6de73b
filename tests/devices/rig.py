"""A device, its driver and the money core on one bench in virtual time; everything runs in this one thread.

Waiting costs nothing: whoever waits lets the simulated peripheral live on until something arrives or the time is up.
"""

from collections.abc import Callable
from math import ceil
from random import Random
from typing import ClassVar

import pytest

from devices.bench.line_faults import LineFaults, carried
from devices.driver import DeviceGone, HostStopped, Inbox, Setting
from devices.link import LinkLost
from devices.registry import PROTOCOLS
from devices.simulator import BillSimulator, Simulator
from kiosk.flow.acceptor import Acceptor
from kiosk.flow.recover import last_positions
from kiosk.ports.fault import Fault
from kiosk.ports.message import Command, Fact
from tests.kiosk.flow.stage import Stage

STEPS_MAX = 100_000  # of one story; a hundredth of it is long


class Line:
    """The link as the driver sees it, and the peripheral behind it."""

    def __init__(self, simulator: Simulator, random: Random) -> None:
        self.simulator = simulator
        self.now_ms = 0
        self.faults = LineFaults()
        self.plugged = True
        self.random = random
        self._arrived = bytearray()

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        self._check()
        self.simulator.receive(data, self.now_ms)
        self._carry()

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        until_ms = self.now_ms + max(0, ceil(within_s * 1000))
        while not self._arrived and self.now_ms < until_ms:
            self._check()
            self.wait_until(until_ms, for_bytes=True)
        self._check()
        data = bytes(self._arrived)
        self._arrived.clear()
        return data

    def close(self) -> None:
        """As promised by Link."""

    def wait_until(self, until_ms: int, *, for_bytes: bool = False) -> None:
        """Let time pass for the peripheral, moment by moment."""
        while self.now_ms < until_ms:
            next_ms = self.simulator.next_ms()
            self.now_ms = until_ms if next_ms is None else min(max(next_ms, self.now_ms + 1), until_ms)
            self.simulator.pass_time(self.now_ms)
            self._carry()
            if for_bytes and self._arrived:
                return

    def _check(self) -> None:
        if not self.plugged:
            self._arrived.clear()
            raise LinkLost(Fault.UNPLUGGED)

    def _carry(self) -> None:
        data = self.simulator.take_sent()
        if data:
            self._arrived += carried(data, self.faults, self.random)


class Patience(Inbox):
    """An inbox whose waiting lets virtual time pass."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def wait(self, seconds: float) -> None:
        """Wait at once."""
        self._line.wait_until(self._line.now_ms + round(seconds * 1000))


class DeviceRig:
    """All of it but the inside of the one device."""

    called: ClassVar[str]  # so the core knows it

    def __init__(self, protocol: str, simulator: Simulator, options: frozenset[str]) -> None:
        self._driver = PROTOCOLS[protocol].driver()
        self.options = options
        self.line = Line(simulator, Random(1))
        self.stage = Stage()
        self.facts: list[Fact] = []
        self.dies_before: set[type[Fact]] = set()  # the host dies before it has committed one of these
        self.dies_after: set[type[Fact]] = set()  # or when it has, before anything of it is done
        self._begin()

    def _begin(self) -> None:
        serial, position = last_positions(self.stage.core).get(self.called, ("", 0))
        at_rest = self.acceptor().state == "closed"
        self.inbox = Patience(self.line)
        setting = Setting(self.called, "CNY", serial, position, options=self.options, at_rest=at_rest)
        self.driver = self._driver(self, self.inbox, setting, lambda: self.line.now_ms / 1000)
        self._started = False

    # The host --------------------------------------------------------------------------------------------------------

    def tell(self, fact: Fact) -> None:
        """As promised by Host; it may die on either side of the commit."""
        if type(fact) in self.dies_before:
            self.dies_before.discard(type(fact))
            raise HostStopped
        self.facts.append(fact)
        commands = self.stage.say(fact)
        if type(fact) in self.dies_after:
            self.dies_after.discard(type(fact))
            raise HostStopped
        self.hand_out(commands)

    def hand_out(self, commands: list[Command]) -> None:
        """Commands for the device lie in its inbox."""
        for command in commands:
            if getattr(command, "device", "") == self.called:
                self.inbox.put(command)

    def say(self, fact: Fact) -> None:
        """Something that the customer does."""
        self.hand_out(self.stage.say(fact))

    def acceptor(self) -> Acceptor:
        """How the core sees the device."""
        found = self.stage.core.find("acceptor", self.called)
        assert isinstance(found, Acceptor)
        return found

    def restart(self) -> None:
        """The host starts again; the device has lived on."""
        self._begin()
        self.hand_out(self.stage.restart())

    # Time ------------------------------------------------------------------------------------------------------------

    def run(self, until: Callable[[], bool], within_s: float = 60) -> None:
        """Let the driver work until that is so. A host that dies starts again two seconds later."""
        end_ms = self.line.now_ms + round(within_s * 1000)
        for _ in range(STEPS_MAX):
            if until():
                return
            assert self.line.now_ms < end_ms, (self.line.simulator.next_ms(), self.facts[-5:], self.stage.all)
            try:
                self._turn()
            except HostStopped:
                self.silence(2)
        pytest.fail("the story does not end")

    def silence(self, seconds: float) -> None:
        """The host is dead for so long, and starts again."""
        self.line.wait_until(self.line.now_ms + round(seconds * 1000))
        self.restart()

    def shake(self, seed: int, faults: LineFaults) -> None:
        """From now on the line is like that."""
        self.line.random, self.line.faults = Random(seed), faults

    def settle(self, seconds: float = 5) -> None:
        """Let so much time pass with the driver at work."""
        end_ms = self.line.now_ms + round(seconds * 1000)
        self.run(lambda: self.line.now_ms >= end_ms, seconds + 60)

    def _turn(self) -> None:
        try:
            if not self._started:
                self.driver.begin(self.line)
                self._started = True
            self.driver.turn()
            self.inbox.wait(self.driver.poll_interval_s)
        except (LinkLost, DeviceGone) as gone:
            self._started = False
            self.driver.lost(gone.fault)
            self.line.wait_until(self.line.now_ms + 500)

    def ready(self) -> None:
        """The device is identified and takes orders."""
        self.run(lambda: bool(self.driver.identity.model))
        self.settle(1)


class Rig(DeviceRig):
    """A bill validator."""

    called = "bill"

    def __init__(self, protocol: str) -> None:
        simulator = PROTOCOLS[protocol].simulator()()
        assert isinstance(simulator, BillSimulator)
        self.mechanism, self.faults = simulator.mechanism, simulator.faults
        self.says_once = simulator.says_once
        super().__init__(protocol, simulator, simulator.options)
