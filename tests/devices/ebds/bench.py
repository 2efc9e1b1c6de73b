"""An EBDS device that says what a test wants it to say, its driver, and a host that only listens."""

from random import Random

import pytest

from devices.driver import DeviceGone, HostStopped, Setting
from devices.ebds import wire
from devices.ebds.driver import EbdsDriver
from devices.ebds.sim import EbdsSimulator
from devices.ebds.simulated import CRC, LINES, Who, details
from devices.ebds.wire import Aux, Decoder, Extended, Frame, Kind, encode
from devices.simulator import Simulator
from kiosk.ports.acceptor import OpenAcceptor
from kiosk.ports.bill_validator import NoteEscrowed, StackNote
from kiosk.ports.message import Fact
from tests.devices.rig import Line, Patience
from tests.kiosk.flow.stage import yuan

ALL = tuple(yuan(amount) for amount in (1, 5, 10, 20, 50, 100))
WHO = Who()
BOX = "10"  # data byte 1, when nothing is wrong
TAIL = "10 54 2A"  # data bytes 3 to 5
IDLE, STARTING = "01 10 00", "00 00 01"
LINE_OF = {1: 1, 5: 2, 10: 3, 20: 4, 50: 5, 100: 6}


def said(status: str) -> bytes:
    """The data of an answer to a poll, of which only the first three bytes need be given."""
    data = bytes.fromhex(status)
    return data if len(data) > 3 else data + bytes.fromhex(TAIL)


def noted(status: str, amount: int) -> bytes:
    """The same as an extended answer, with the details of a note of so many yuan."""
    return bytes((Extended.NOTE_SPECIFICATION,)) + said(status) + details(LINES[LINE_OF[amount] - 1], 0)


class Puppet(Simulator):
    """Answers each poll as it is told to, and each question from its book; the same bit is the same answer."""

    def __init__(self, *, extended: bool = True) -> None:
        super().__init__()
        self.state: bytes = said(IDLE)  # what it answers to a poll
        self.soon: list[bytes] = []  # what it answers to the next ones
        self.answers: dict[bytes, Frame | None] = {}  # instead of what it would say to a question that begins so
        self.heard: list[Frame] = []  # what the host has sent, without repetitions
        self.ignored: set[bytes] = set()  # kinds and commands of questions that it takes for noise
        self.repeated = 0
        self.mute = 0  # so many messages are not answered
        self.raw: list[bytes] = []  # bytes instead of the next answers
        self.device = 0
        self._book = EbdsSimulator() if extended else ValueSimulator()
        self._decoder = Decoder()
        self._ack: bool | None = None
        self._answer = b""

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        for frame in self._decoder.feed(data):
            if _asked(frame) in self.ignored:
                continue
            if frame.ack == self._ack:
                self.repeated += 1
            else:
                self.heard.append(frame)
                self._ack, self._answer = frame.ack, self._answered(frame, now_ms)
            if self.mute:
                self.mute -= 1
            else:
                self.send(self.raw.pop(0) if self.raw else self._answer)

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return None

    def _answered(self, frame: Frame, now_ms: int) -> bytes:
        if frame.kind is Kind.OMNIBUS_COMMAND:
            data = self.soon.pop(0) if self.soon else self.state
            kind = Kind.OMNIBUS_REPLY if len(data) == wire.STATUS_BYTES else Kind.EXTENDED
            return encode(Frame(kind, frame.ack, data, self.device))
        asked = _asked(frame)
        if frame.data[:1] == bytes((Extended.NOTE_SPECIFICATION,)):
            asked = asked if asked in self.answers else asked + frame.data[4:5]
        if asked in self.answers:
            answer = self.answers[asked]
            return b"" if answer is None else encode(Frame(answer.kind, frame.ack, answer.data))
        if frame.kind is Kind.AUXILIARY and frame.data[2] == Aux.SOFT_RESET:
            self._ack = None
            return b""
        self._book.receive(encode(frame), now_ms)
        answer_bytes = self._book.take_sent()
        self._book.receive(encode(Frame(Kind.OMNIBUS_COMMAND, not frame.ack, bytes(3))), now_ms)
        self._book.take_sent()
        return answer_bytes

    # What it was told ------------------------------------------------------------------------------------------------

    def polls(self) -> list[bytes]:
        """The orders that came with polls."""
        return [frame.data for frame in self.heard if frame.kind is Kind.OMNIBUS_COMMAND]

    def questions(self) -> list[bytes]:
        """All else: the kind, and the data."""
        others = [frame for frame in self.heard if frame.kind is not Kind.OMNIBUS_COMMAND]
        return [bytes((frame.kind,)) + frame.data for frame in others]

    def resets(self) -> int:
        """How often it was to begin anew."""
        return sum(question[1:] == wire.auxiliary(Aux.SOFT_RESET) for question in self.questions())


def _asked(frame: Frame) -> bytes:
    """The kind of a question, and its command."""
    return bytes((frame.kind,)) + (frame.data[2:3] if frame.kind is Kind.AUXILIARY else frame.data[:1])


class ValueSimulator(EbdsSimulator):
    """One that knows what its seven value bits stand for, and nothing of extended notes."""

    extended = False


class Bench:
    """A puppet, its driver, and a host that only listens."""

    def __init__(
        self, currency: str = "CNY", position: int = 0, *, extended: bool = True, before: "Bench | None" = None
    ) -> None:
        self.extended = before.extended if before else extended
        self.device = before.device if before else Puppet(extended=extended)
        self.line = before.line if before else Line(self.device, Random(1))
        self.inbox = Patience(self.line)
        self.facts: list[Fact] = []
        self.unheard: type[Fact] | None = None  # the host stops at such a fact
        setting = Setting("bill", currency, position=position)
        self.driver = EbdsDriver(self, self.inbox, setting, lambda: self.line.now_ms / 1000)

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        if type(fact) is self.unheard:
            raise HostStopped
        self.facts.append(fact)

    def begin(self, turns: int = 4) -> list[Fact]:
        """Make contact; all that the host has heard."""
        self.driver.begin(self.line)
        return self.turns(turns)

    def ready(self) -> "Bench":
        """It is identified, and takes everything."""
        self.begin()
        self.inbox.put(OpenAcceptor("bill", ALL))
        self.turns(4)
        assert self.device.polls()[-1][0] == 0x7F
        self.facts.clear()
        self.device.heard.clear()
        return self

    def turns(self, count: int = 1) -> list[Fact]:
        """So many turns; all that the host has heard."""
        for _ in range(count):
            self.driver.turn()
            self.inbox.wait(self.driver.poll_interval_s)
        return self.facts

    def says(self, *statuses: str | bytes) -> list[Fact]:
        """One turn for each of these answers to a poll; all that the host has heard."""
        for status in statuses:
            self.device.state = status if isinstance(status, bytes) else said(status)
            self.turns()
        return self.facts

    def gone(self, turns: int = 1) -> DeviceGone:
        """Why the next turn fails, or one of so many; the host is told as the supervisor does it."""
        with pytest.raises(DeviceGone) as gone:
            self.turns(turns)
        self.driver.lost(gone.value.fault, gone.value.vendor_code)
        return gone.value

    def escrowed(self) -> "Bench":
        """Note 1, of fifty, lies in escrow."""
        assert self.says("02 10 00", self.fifty("04 10 28")) == [NoteEscrowed("bill", 1, yuan(50))]
        self.facts.clear()
        return self

    def stacking(self) -> "Bench":
        """And is to be stacked."""
        self.escrowed().inbox.put(StackNote("bill", 1))
        self.turns()
        self.facts.clear()
        return self

    def fifty(self, status: str) -> bytes:
        """Said of fifty yuan, in the device's way."""
        return noted(status, 50) if self.extended else said(status)


def crc() -> Frame:
    """What a device answers to a question that it does not know."""
    return Frame(Kind.AUXILIARY, ack=True, data=CRC)
