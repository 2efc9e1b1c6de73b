"""A ccTalk device that says what a test wants it to say, its driver, and a host that only listens."""

from collections import deque
from random import Random
from typing import ClassVar

import pytest
from msgspec.structs import replace

from devices.cctalk import bills_sim, coins_sim, wire
from devices.cctalk.bills import CctalkBillDriver
from devices.cctalk.coins import CctalkCoinDriver
from devices.cctalk.peripheral import BILLS, COINS, Kind
from devices.cctalk.simulated import Model, Nameplate, Slave
from devices.cctalk.wire import EVENTS, HOST, Check, Decoder, Frame, Header, Reading, Result
from devices.driver import DeviceGone, Driver, HostStopped, Setting
from devices.simulator import Simulator
from kiosk.ports.acceptor import CloseAcceptor, OpenAcceptor
from kiosk.ports.message import Command, Fact
from tests.devices.rig import Line, Patience
from tests.kiosk.flow.stage import yuan

ALL = tuple(yuan(amount) for amount in (1, 5, 10, 20, 50, 100))


class Puppet(Slave):
    """Counts the events that a test tells it of, and obeys."""

    counter = 0
    check = b"\x00"  # what its self-check finds
    routed: bytes | None = b""  # how it answers when it is told to move a bill; None: it refuses
    mode: bytes | None = b"\x00"
    resets = 0

    def __init__(self, kind: Kind, plate: Nameplate, model: Model) -> None:
        super().__init__(kind, plate, model)
        self.results: deque[Result] = deque(maxlen=EVENTS)
        self.routes: list[bytes] = []

    def happens(self, *events: tuple[int, int]) -> None:
        """These events, oldest first."""
        for a, b in events:
            self.counter = self.counter % 255 + 1
            self.results.appendleft(Result(a, b))

    def loses_power(self) -> None:
        """And has it again at once."""
        self.counter = 0
        self.results.clear()
        self.forget()

    def deaf(self) -> bool:
        """As promised by Slave."""
        return False

    def events(self) -> Reading:
        """As promised by Slave."""
        return Reading(self.counter, tuple(self.results))

    def found(self) -> bytes:
        """As promised by Slave."""
        return self.check

    def reset(self) -> None:
        """As promised by Slave."""
        self.resets += 1
        self.loses_power()

    def inhibited(self) -> None:
        """As promised by Slave."""

    def answer(self, frame: Frame) -> bytes | None:
        """As promised by Slave."""
        if frame.header == Header.ROUTE_BILL:
            self.routes.append(frame.data)
            return self.routed
        if frame.header == Header.MODIFY_BILL_OPERATING_MODE and self.mode is not None:
            self.mode = frame.data
            return b""
        if frame.header == Header.REQUEST_BILL_OPERATING_MODE:
            return self.mode
        return super().answer(frame)


class PuppetLine(Simulator):
    """The puppet's end of the line, where things can go wrong on purpose."""

    def __init__(self, puppet: Puppet, check: Check) -> None:
        super().__init__()
        self.puppet = puppet
        self.asked: list[Frame] = []
        self.raw: dict[int, list[bytes]] = {}  # bytes instead of the next answers to that header
        self.silent = False
        self.late = False  # each answer comes when the next question has been asked
        self._waiting = b""
        self._check = check

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        answer = b"".join(self.puppet.hear(data))
        for frame in Decoder(self._check).feed(data):
            self.asked.append(frame)
            if self.raw.get(frame.header):
                answer = self.raw[frame.header].pop(0)
        if self.late:
            answer, self._waiting = self._waiting, answer
        if not self.silent:
            self.send(answer)

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return None

    def orders(self) -> list[tuple[int, bytes]]:
        """What was to change something."""
        kept = {
            Header.MODIFY_INHIBIT_STATUS, Header.MODIFY_MASTER_INHIBIT_STATUS, Header.ROUTE_BILL, Header.RESET_DEVICE,
        }  # fmt: skip
        return [(frame.header, frame.data) for frame in self.asked if frame.header in kept]


class Bench:
    """All of it."""

    kind: ClassVar[Kind]
    plate: ClassVar[Nameplate]
    make: ClassVar[type[CctalkCoinDriver | CctalkBillDriver]]
    called: ClassVar[str]

    def __init__(
        self, model: Model | None = None, *, names: dict[int, str] | None = None, category: str = "", address: int = 0
    ) -> None:
        self.model = model or Model()
        plate = replace(self.plate, category=category or self.plate.category)
        if names is not None:
            plate = replace(plate, names=names)
        self.device = Puppet(self.kind, plate, self.model)
        self.device.address = address or self.kind.address
        self.end = PuppetLine(self.device, Check.CRC if "crc" in self.model.options else Check.SUM)
        self.line = Line(self.end, Random(1))
        self.facts: list[Fact] = []
        self.unheard: type[Fact] | None = None  # the host stops at such a fact
        self.address = address
        self.host_starts()

    def host_starts(self, serial: str = "", position: int = 0, *, at_rest: bool = False, currency: str = "CNY") -> None:
        """A host with another driver, and what the journal tells it of the device."""
        self.inbox = Patience(self.line)
        setting = Setting(
            self.called,
            currency,
            serial,
            position,
            address=self.address,
            options=self.model.options,
            at_rest=at_rest,
        )
        self.driver: Driver = self.make(self, self.inbox, setting, lambda: self.line.now_ms / 1000)

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        if type(fact) is self.unheard:
            raise HostStopped
        self.facts.append(fact)

    def say(self, *commands: Command) -> None:
        """The host decides."""
        for command in commands:
            self.inbox.put(command)

    def begin(self) -> "Bench":
        """Over this line, until the device is at rest; what the host has heard is kept."""
        self.driver.begin(self.line)
        self.facts = self.turns(20)
        return self

    def turns(self, count: int = 1) -> list[Fact]:
        """So many turns; what the host has heard since it was last asked."""
        for _ in range(count):
            self.driver.turn()
            self.inbox.wait(self.driver.poll_interval_s)
        heard, self.facts = self.facts, []
        return heard

    def passes(self, seconds: float) -> list[Fact]:
        """So much time, with the driver at work."""
        return self.turns(round(seconds / self.driver.poll_interval_s))

    def open(self) -> "Bench":
        """It is ready, and takes everything."""
        self.begin()
        self.say(OpenAcceptor(self.called, ALL))
        self.turns(2)
        assert self.device.open
        self.end.asked.clear()
        self.facts.clear()
        return self

    def close(self) -> None:
        """The host wants nothing more."""
        self.say(CloseAcceptor(self.called))

    def happens(self, *events: tuple[int, int]) -> list[Fact]:
        """These events between two turns; what the host hears of them."""
        self.device.happens(*events)
        return self.turns()

    def gone(self, *, at_once: bool = False) -> DeviceGone:
        """Why it cannot be worked with; the host is told as the supervisor does it."""
        with pytest.raises(DeviceGone) as gone:
            self.driver.begin(self.line) if at_once else self.turns(3)
        self.driver.lost(gone.value.fault, gone.value.vendor_code)
        return gone.value


class CoinBench(Bench):
    """A coin acceptor with the serial number 123456."""

    kind, plate, make, called = COINS, coins_sim.PLATE, CctalkCoinDriver, "coin"


class BillBench(Bench):
    """A bill validator with the serial number 654321."""

    kind, plate, make, called = BILLS, bills_sim.PLATE, CctalkBillDriver, "bill"


def reply(data: bytes, source: int, header: int = Header.REPLY) -> bytes:
    """An answer, as a device sends it."""
    return wire.encode(Frame(HOST, header, data, source))
