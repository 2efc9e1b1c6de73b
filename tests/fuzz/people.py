"""What people, fate and the power do to a simulated device, and what is in its box in truth."""

from abc import ABC, abstractmethod
from random import Random

from devices.mechanism import Phase
from devices.simulator import BillSimulator, CoinSimulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault
from tests.fuzz.host import ACCEPTED

JAMS = {Fault.JAM, Fault.STACKER_JAM}
OF_THE_BOX = {Fault.BOX_REMOVED, Fault.STACKER_FULL}  # which follow from what is done to it
HANDFULS = (1, 1, 1, 1, 2, 4, 8)  # coins at once; more than a device remembers, too


class People(ABC):
    """All who have to do with one device."""

    @abstractmethod
    def do_something(self) -> None:
        """Anything at all."""

    @abstractmethod
    def put_right(self) -> None:
        """See to it that it works."""

    @abstractmethod
    def taken(self) -> list[Money]:
        """All that is in its boxes, ever, or so far on its way that it cannot come back."""

    @abstractmethod
    def at_rest(self) -> bool:
        """Is it closed, and nothing moves in it?"""


def people_before(simulator: BillSimulator | CoinSimulator, random: Random) -> People:
    """The people who have to do with a device of that kind."""
    return BeforeNotes(simulator, random) if isinstance(simulator, BillSimulator) else BeforeCoins(simulator, random)


class BeforeNotes(People):
    """Before a bill validator."""

    def __init__(self, simulator: BillSimulator, random: Random) -> None:
        self._machine = simulator.mechanism
        self._faults = sorted(simulator.faults - OF_THE_BOX)
        self._random = random
        self._removed: list[Money] = []  # what was in boxes that were taken out, or on its way into one

    def do_something(self) -> None:
        """As promised by People."""
        machine, chance = self._machine, self._random.random()
        if chance < 0.4:
            machine.insert(self._random.choice(ACCEPTED))
        elif chance < 0.405:
            machine.power_off()
        elif chance < 0.41 and self._faults:
            machine.faults.add(self._random.choice(self._faults))
        elif chance < 0.414:
            machine.next_faults += [fault for fault in self._faults if fault in JAMS][:1]
        elif chance < 0.418:
            self._removed += machine.remove_box()
        elif chance < 0.48:
            self._repair()

    def put_right(self) -> None:
        """As promised by People."""
        self._machine.next_faults.clear()
        self._repair()

    def taken(self) -> list[Money]:
        """As promised by People."""
        return [*self._removed, *self._machine.box, *self._on_its_way()]

    def at_rest(self) -> bool:
        """As promised by People."""
        return self._machine.phase is Phase.IDLE and not self._machine.accepted

    def _on_its_way(self) -> list[Money]:
        """A note that it cannot give back any more, if there is one."""
        machine = self._machine
        if machine.note is None or machine.found != "stacker" or machine.phase not in {Phase.OFF, Phase.START}:
            return []
        return [machine.note]

    def _repair(self) -> None:
        machine = self._machine
        if machine.phase is Phase.OFF:
            machine.power_on()
        for fault in sorted(machine.faults):
            on_its_way = self._on_its_way()
            machine.clear(fault)
            if not self._on_its_way():  # the technician has it in hand, and the customer does not
                self._removed += on_its_way
        if not machine.box_in:
            machine.insert_box()


class BeforeCoins(People):
    """Before a coin acceptor."""

    def __init__(self, simulator: CoinSimulator, random: Random) -> None:
        self._machine = simulator.mechanism
        self._faults = sorted(simulator.faults)
        self._random = random

    def do_something(self) -> None:
        """As promised by People."""
        machine, chance = self._machine, self._random.random()
        if chance < 0.45:
            for _ in range(self._random.choice(HANDFULS)):
                machine.insert(self._random.choice(ACCEPTED))
        elif chance < 0.455:
            machine.power_off()
        elif chance < 0.46:
            machine.faults.add(self._random.choice(self._faults))
        elif chance < 0.465:
            machine.next_faults.append(self._random.choice(self._faults))
        elif chance < 0.467:
            machine.swallows += 1
        elif chance < 0.53:
            self._repair()

    def put_right(self) -> None:
        """As promised by People."""
        self._machine.next_faults.clear()
        self._machine.swallows = 0
        self._repair()

    def taken(self) -> list[Money]:
        """As promised by People."""
        return self._machine.box

    def at_rest(self) -> bool:
        """As promised by People."""
        return not self._machine.accepted and not self._machine.moving

    def _repair(self) -> None:
        self._machine.power_on()
        for fault in sorted(self._machine.faults):
            self._machine.clear(fault)
