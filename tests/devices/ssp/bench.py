"""One SSP validator and its driver, with whatever device, key and host a test wants, and a record of what was sent."""

from random import Random

from devices.driver import Setting
from devices.simulator import Simulator
from devices.ssp.driver import EsspDriver, SspDriver
from devices.ssp.sim import EsspSimulator, SspSimulator
from devices.ssp.wire import Command, Decoder, Frame
from kiosk.flow.facts import CashChosen
from kiosk.flow.recover import last_positions
from kiosk.ports import message
from kiosk.ports.message import Fact
from tests.devices.rig import Line, Patience, Rig
from tests.kiosk.flow.stage import yuan

PRICE = 100
POLLS = {Command.POLL, Command.POLL_WITH_ACK}


class RecordedLine(Line):
    """A line that remembers the packets of the host, and loses the answers to so many of those that begin like that."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator, Random(1))
        self.sent: list[Frame] = []
        self.loses = 0
        self.loses_at: set[int] = set()
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        sent = self._decoder.feed(data) if self.plugged else []
        self.sent += sent
        super().write(data)
        if self.loses and any(frame.data[0] in self.loses_at for frame in sent):
            self.loses -= 1
            self._arrived.clear()


class Bench(Rig):
    """The rig, with one device of our choice."""

    def __init__(
        self,
        simulator: SspSimulator | None = None,
        driver: type[SspDriver] = SspDriver,
        *,
        key: str = "",
        line: RecordedLine | None = None,
    ) -> None:
        self.key = key
        self.device = simulator or SspSimulator(entropy=Random(3).randbytes)
        self.deaf = False  # what the host decides does not reach the driver
        self.orderly = False  # a host that dies lets its driver bring the device to rest
        self.sent_before: dict[type[Fact], list[int]] = {}  # the commands that had left when such a fact was told
        super().__init__("ssp")
        self.mechanism = self.device.mechanism
        self.line: Line = line or RecordedLine(self.device)
        self._driver = driver
        self._begin()

    def _begin(self) -> None:
        serial, position = last_positions(self.stage.core).get("bill", ("", 0))
        self.inbox = Patience(self.line)
        setting = Setting("bill", "CNY", serial, position, key=self.key)
        self.driver = self._driver(self, self.inbox, setting, lambda: self.line.now_ms / 1000, Random(7).randbytes)
        self._started = False

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        self.sent_before[type(fact)] = self.commands()
        super().tell(fact)

    def silence(self, seconds: float) -> None:
        """The host is dead for so long, and starts again."""
        if self.orderly:
            self.driver.rest()
        super().silence(seconds)

    def lose(self, answers: int, *begins: int) -> None:
        """So many answers will be lost, to packets that begin like that."""
        assert isinstance(self.line, RecordedLine)
        self.line.loses, self.line.loses_at = answers, set(begins)

    def sent(self) -> list[Frame]:
        """The packets of the host."""
        return self.line.sent if isinstance(self.line, RecordedLine) else []

    def commands(self) -> list[int]:
        """The first bytes of what was sent."""
        return [frame.data[0] for frame in self.sent()]

    def hand_out(self, commands: list[message.Command]) -> None:
        """Unless nothing gets through, commands for the device lie in its inbox."""
        if not self.deaf:
            super().hand_out(commands)

    # A customer ------------------------------------------------------------------------------------------------------

    def open_sale(self, *, limit: int = PRICE) -> int:
        """A customer wants to pay a hundred yuan in cash, as soon as cash is offered, and may put in so many."""
        self.run(lambda: self.acceptor().state in {"closed", "draining"})
        sale = self.stage.sale(price=yuan(PRICE), cash_price=yuan(PRICE), face=yuan(PRICE), cash_limit=yuan(limit))
        self.say(CashChosen(sale, ("bill",)))
        self.run(lambda: bool(self.mechanism.accepted))
        return sale

    def insert(self, amount: int) -> None:
        """A note of so many yuan is drawn in."""
        self.run(lambda: self.mechanism.insert(yuan(amount)))

    def told(self, kind: type[Fact]) -> list[Fact]:
        """Facts of that kind that the host was told."""
        return [fact for fact in self.facts if type(fact) is kind]


def plain() -> Bench:
    """A validator that is polled without acknowledgement."""
    return Bench()


def acknowledged() -> Bench:
    """One that takes POLL WITH ACK without encryption."""
    return Bench(SspSimulator(with_ack=True, entropy=Random(3).randbytes))


def encrypted() -> Bench:
    """One with encryption."""
    return Bench(EsspSimulator(entropy=Random(3).randbytes), EsspDriver)
