"""A device that says what a test wants it to say, its driver, and a host that only listens."""

from random import Random

import pytest

from devices.driver import DeviceGone, HostStopped, Setting
from devices.id003 import wire
from devices.id003.driver import Id003Driver
from devices.id003.sim import NOTES, VERSION
from devices.id003.wire import Command, Decoder, Frame, Reply, State, encode
from devices.simulator import Simulator
from kiosk.ports.acceptor import OpenAcceptor
from kiosk.ports.bill_validator import NoteEscrowed, StackNote
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.rig import Line, Patience
from tests.kiosk.flow.stage import yuan

ALL = tuple(yuan(amount) for amount in (5, 10, 20, 50, 100))
DISABLED, IDLE = Frame(State.DISABLED), Frame(State.IDLE)
INVALID = Frame(Reply.INVALID_COMMAND)
CLOSED, OPENED = Frame(Command.SET_INHIBIT, b"\x01"), Frame(Command.SET_INHIBIT, b"\x00")
QUESTIONS = {Command.STATUS_REQUEST, Command.VERSION, Command.CURRENCY_ASSIGN, Command.ACK}


def frame(text: str) -> Frame:
    """A code and its data, as they stand in a table."""
    code, *data = bytes.fromhex(text)
    return Frame(code, bytes(data))


class Puppet(Simulator):
    """A device that says what a test wants it to say."""

    def __init__(self) -> None:
        super().__init__()
        self.state = DISABLED  # what it answers to a status request
        self.answers: dict[int, Frame] = {
            Command.VERSION: Frame(Command.VERSION, VERSION),
            Command.CURRENCY_ASSIGN: Frame(Command.CURRENCY_ASSIGN, wire.currency_table_data(NOTES)),
        }
        self.heard: list[Frame] = []
        self.obeys = True  # when it is opened or closed, it is
        self.raw: dict[int, list[bytes]] = {}  # bytes instead of the next answers to that command
        self._decoder = Decoder()

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        for heard in self._decoder.feed(data):
            self.heard.append(heard)
            raw = self.raw.get(heard.code)
            if raw:
                self.send(raw.pop(0))
            elif heard.code != Command.ACK:
                self.send(encode(self._answer(heard)))

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return None

    def _answer(self, heard: Frame) -> Frame:
        if heard.code == Command.STATUS_REQUEST:
            return self.state
        if heard.code in self.answers:
            return self.answers[heard.code]
        if heard.code == Command.SET_INHIBIT and self.obeys and self.state in {IDLE, DISABLED}:
            self.state = IDLE if heard == OPENED else DISABLED
        return heard if heard.code >= Command.SET_ENABLE else Frame(Reply.ACK)

    def commands(self) -> list[Frame]:
        """What it has heard, without questions and acknowledgements."""
        return [heard for heard in self.heard if heard.code not in QUESTIONS]


class Bench:
    """A puppet, its driver, and a host that only listens."""

    def __init__(self, currency: str = "CNY", position: int = 0) -> None:
        self.device = Puppet()
        self.line = Line(self.device, Random(1))
        self.inbox = Patience(self.line)
        self.facts: list[Fact] = []
        self.unheard: type[Fact] | None = None  # the host stops at such a fact
        setting = Setting("bill", currency, position=position)
        self.driver = Id003Driver(self, self.inbox, setting, lambda: self.line.now_ms / 1000)

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        if type(fact) is self.unheard:
            raise HostStopped
        self.facts.append(fact)

    def ready(self) -> "Bench":
        """It is identified, and takes everything."""
        self.met()
        self.inbox.put(OpenAcceptor("bill", ALL))
        self.turns(2)
        assert self.device.state == IDLE
        self.facts.clear()
        self.device.heard.clear()
        return self

    def turns(self, count: int = 1) -> list[Fact]:
        """So many turns; all that the host has heard."""
        for _ in range(count):
            self.driver.turn()
            self.inbox.wait(self.driver.poll_interval_s)
        return self.facts

    def says(self, *frames: str) -> list[Fact]:
        """One turn for each of these answers to a status request; all that the host has heard."""
        for text in frames:
            self.device.state = frame(text)
            self.turns()
        return self.facts

    def gone(self) -> DeviceGone:
        """Why the next turn fails; the host is told as the supervisor does it."""
        with pytest.raises(DeviceGone) as gone:
            self.turns()
        self.driver.lost(gone.value.fault, gone.value.vendor_code)
        return gone.value

    def refused(self) -> DeviceGone:
        """Why the first contact fails."""
        with pytest.raises(DeviceGone) as gone:
            self.met()
        return gone.value

    def met(self) -> "Bench":
        """It was met, and has said twice how it is."""
        self.driver.begin(self.line)
        self.turns(2)
        return self

    def lose(self, fault: Fault = Fault.SILENT) -> None:
        """The device is lost and found again."""
        self.driver.lost(fault)
        self.driver.begin(self.line)

    # A note ----------------------------------------------------------------------------------------------------------

    def escrowed(self) -> "Bench":
        """Note 1, of fifty, lies in escrow."""
        assert self.says("12", "13 65") == [NoteEscrowed("bill", 1, yuan(50))]
        self.facts.clear()
        return self

    def stacking(self) -> "Bench":
        """It is to be stacked, and has begun to move."""
        self.escrowed()
        self.inbox.put(StackNote("bill", 1))
        assert self.says("14") == []
        self.device.heard.clear()
        return self
