"""What people, fate and the power do to a simulated device, and what is in its box in truth."""

from abc import ABC, abstractmethod
from random import Random
from typing import Protocol

from devices.mechanism import Phase
from devices.simulator import BillSimulator, Simulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault
from tests.fuzz.host import ACCEPTED

JAMS = {Fault.JAM, Fault.STACKER_JAM}
OF_THE_BOX = {Fault.BOX_REMOVED, Fault.STACKER_FULL}  # which follow from what is done to it


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


def people_before(simulator: Simulator, random: Random) -> People:
    """The people who have to do with a device of that kind."""
    if isinstance(simulator, BillSimulator):
        return BeforeNotes(simulator, random)
    return BeforeCoins(vars(simulator)["mechanism"], random)


class BeforeNotes(People):
    """Before a bill validator."""

    def __init__(self, simulator: BillSimulator, random: Random) -> None:
        self._machine = simulator.mechanism
        self._faults = sorted(simulator.faults - OF_THE_BOX)
        self._random = random
        self._removed: list[Money] = []  # what was in boxes that were taken out

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
        machine = self._machine
        taken = [*self._removed, *machine.box]
        if machine.note is not None and machine.found == "stacker" and machine.phase in {Phase.OFF, Phase.START}:
            taken.append(machine.note)
        return taken

    def at_rest(self) -> bool:
        """As promised by People."""
        return self._machine.phase is Phase.IDLE and not self._machine.accepted

    def _repair(self) -> None:
        machine = self._machine
        if machine.phase is Phase.OFF:
            machine.power_on()
        for fault in sorted(machine.faults):
            machine.clear(fault)
        if not machine.box_in:
            machine.insert_box()


class CoinMechanism(Protocol):
    """What is asked of the inside of a simulated coin acceptor."""

    box: list[Money]

    def insert(self, coin: Money) -> bool:
        """Drop a coin in; False: it falls through."""
        ...

    def power_off(self) -> None:
        """The power goes."""
        ...

    def power_on(self) -> None:
        """And is there again."""
        ...


class BeforeCoins(People):
    """Before a coin acceptor: what falls in is in the box, and nothing moves for long."""

    def __init__(self, machine: CoinMechanism, random: Random) -> None:
        self._machine = machine
        self._random = random

    def do_something(self) -> None:
        """As promised by People."""
        chance = self._random.random()
        if chance < 0.6:
            self._machine.insert(self._random.choice(ACCEPTED))
        elif chance < 0.61:
            self._machine.power_off()
        elif chance < 0.7:
            self._machine.power_on()

    def put_right(self) -> None:
        """As promised by People."""
        self._machine.power_on()

    def taken(self) -> list[Money]:
        """As promised by People."""
        return self._machine.box

    def at_rest(self) -> bool:
        """As promised by People."""
        return True
