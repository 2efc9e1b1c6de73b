"""A validator that says what a test wants it to say, its driver, and a host that does as the test wants."""

from collections.abc import Callable
from random import Random

from devices.driver import Setting
from devices.ict.driver import IctDriver
from devices.ict.sim import IctSimulator
from devices.ict.wire import Command
from devices.simulator import Simulator
from kiosk.ports.acceptor import OpenAcceptor
from kiosk.ports.bill_validator import NoteEscrowed, StackNote
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.rig import Line, Patience
from tests.kiosk.flow.stage import yuan

ALL = tuple(yuan(amount) for amount in (1, 5, 10, 20, 50, 100))
TWENTY = "81 43"  # note 4 of the simulator's options
USUAL = IctSimulator.options
OLDER = USUAL | {"ict104"}


class Puppet(Simulator):
    """One that obeys what it hears, and otherwise says what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "5E"  # what it answers to a poll; nothing: it does not
        self.soon: list[str] = []  # what it answers to the next ones
        self.heard = bytearray()  # without the polls
        self.obeys = True

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        for byte in data:
            if byte == Command.POLL:
                self.send(bytes.fromhex(self.soon.pop(0) if self.soon else self.state))
                continue
            self.heard.append(byte)
            if self.obeys and byte in {Command.ENABLE, Command.DISABLE} and self.state in {"3E", "5E"}:
                self.state = f"{byte:02X}"

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return None


class Bench:
    """All of it; the host notes what it is told, and decides nothing unless `decides`."""

    def __init__(self, options: frozenset[str] = USUAL, currency: str = "CNY", position: int = 0) -> None:
        self.device = Puppet()
        self.line = Line(self.device, Random(1))
        self.inbox = Patience(self.line)
        self.facts: list[Fact] = []
        self.decides: Callable[[Fact], None] = lambda _: None
        setting = Setting("bill", currency, position=position, options=options)
        self.driver = IctDriver(self, self.inbox, setting, lambda: self.line.now_ms / 1000)

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        self.facts.append(fact)
        self.decides(fact)

    def say(self, text: str) -> None:
        """The device says something unasked, and it arrives."""
        self.device.send(bytes.fromhex(text))
        self.wait(0.001)

    def wait(self, seconds: float) -> None:
        """So much time passes."""
        self.line.wait_until(self.line.now_ms + round(seconds * 1000))

    def turns(self, count: int = 1) -> list[Fact]:
        """So many turns; all that the host has heard."""
        for _ in range(count):
            self.driver.turn()
            self.inbox.wait(self.driver.poll_interval_s)
        return self.facts

    def settle(self, seconds: float = 10) -> list[Fact]:
        """As many turns as fit."""
        until_ms = self.line.now_ms + round(seconds * 1000)
        while self.line.now_ms < until_ms:
            self.turns()
        return self.facts

    def ready(self) -> "Bench":
        """It is there, takes everything, and has been at rest for a while."""
        self.driver.begin(self.line)
        self.settle()
        self.inbox.put(OpenAcceptor("bill", ALL))
        self.turns(3)
        assert self.device.state == "3E"
        self.facts.clear()
        self.device.heard.clear()
        return self

    def escrow(self, text: str = TWENTY) -> list[Fact]:
        """A note lies in escrow, and says so at each poll."""
        self.say(text)
        self.device.state = text
        return self.turns()

    def lose(self, fault: Fault = Fault.UNPLUGGED) -> None:
        """The line was away for a moment, and is there again."""
        self.driver.lost(fault)
        self.driver.begin(self.line)


def stacks(bench: Bench) -> Callable[[Fact], None]:
    """Every note is wanted."""

    def decide(fact: Fact) -> None:
        if isinstance(fact, NoteEscrowed):
            bench.inbox.put(StackNote("bill", fact.position))

    return decide
