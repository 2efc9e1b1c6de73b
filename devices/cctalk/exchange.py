"""ccTalk: one question, one answer, on a line where the host may hear itself first.

An answer does not say to which question it belongs, and a sum of eight bits lets too much through. So what comes
unasked is thrown away before each question; what is not as long as the answer has to be is none; and what matters is
asked for until two answers in a row agree: not even one that is always late passes for another then.
"""

from collections.abc import Callable, Iterator

from devices.cctalk import wire
from devices.cctalk.wire import HOST, Check, Decoder, Frame, Header
from devices.driver import DeviceGone
from devices.link import Link, NoLink
from kiosk.ports.fault import Fault

TRIES = 4
ANSWERS_MAX = 5  # until two in a row agree
REPLY_S = 0.3  # an answer with events takes 20 ms on the line; slow devices and adapters are known
SLOW_S = 1.5  # for what makes the device move
STARTS_WITHIN_S = 3.0  # one that has just got power says nothing for a while
BUSY_S = 0.2  # until one that is busy is asked again
ECHO_MISSING = 'what we say does not come back: the line is broken, or the option "echo" is wrong here'
ECHO_UNKNOWN = 'what we say comes back: the option "echo" is missing'
NOTHING, ANYTHING = range(1), range(wire.DATA_MAX + 1)


class Exchange:
    """The host's side of the line."""

    def __init__(self, clock: Callable[[], float], address: int, *, check: Check, echo: bool) -> None:
        self._clock = clock
        self._address = address
        self._check = check
        self._echo = echo
        self._link: Link = NoLink()
        self._decoder = Decoder(check)
        self._unechoed = False  # something else came back than what we had said
        self.repeated = False  # the last question had to be asked again

    def begin(self, link: Link) -> None:
        """From now on over this line."""
        self._link = link
        self._decoder.drop()

    def find(self) -> None:
        """Wait until the device is there."""
        until_s = self._clock() + STARTS_WITHIN_S
        while True:
            try:
                self.order(Header.SIMPLE_POLL)
            except DeviceGone as gone:
                if gone.fault is not Fault.SILENT or self._clock() >= until_s:
                    raise
            else:
                return

    def order(self, header: Header, data: bytes = b"") -> bool:
        """Have something done. False: it is refused."""
        return self._ask(header, data, NOTHING, REPLY_S).header == Header.REPLY

    def tell(self, header: Header, data: bytes = b"", sizes: range = ANYTHING) -> bytes:
        """Have something told, once."""
        answer = self._ask(header, data, sizes, REPLY_S)
        if answer.header != Header.REPLY:
            raise DeviceGone(Fault.REFUSED, f"header {header.value} is refused", f"NAK{header.value}")
        return answer.data

    def learn(
        self, header: Header, data: bytes = b"", sizes: range = ANYTHING, within_s: float = REPLY_S
    ) -> bytes | None:
        """Have something told until two answers in a row agree; None: the device does not know it.

        Some refuse what they do not know, some say nothing.
        """
        before: Frame | None = None
        for _ in range(ANSWERS_MAX):
            answer = self._ask_or_poll(header, data, sizes, within_s)
            if answer == before:
                return answer.data if answer.header == Header.REPLY else None
            before = answer
        raise DeviceGone(Fault.GARBLED, f"header {header.value} is answered each time otherwise")

    def _ask_or_poll(self, header: Header, data: bytes, sizes: range, within_s: float) -> Frame:
        """Silence of a device that is there is a refusal."""
        try:
            return self._ask(header, data, sizes, within_s)
        except DeviceGone as gone:
            if gone.fault is not Fault.SILENT:
                raise
            self.order(Header.SIMPLE_POLL)
            return Frame(HOST, Header.NAK, b"", self._address)

    def _ask(self, header: Header, data: bytes, sizes: range, within_s: float) -> Frame:
        """Ask until there is an answer of one of these sizes, or a refusal."""
        garbled, self._unechoed = self._decoder.garbled, False
        unfit = busy = False
        for attempt in range(TRIES):
            self.repeated = attempt > 0
            answer = self._once(Frame(self._address, header, data, HOST), within_s)
            if answer is None:
                continue
            if answer.header == Header.NAK or (answer.header == Header.REPLY and len(answer.data) in sizes):
                return answer
            busy = answer.header == Header.BUSY
            unfit = not busy
            self._link.read(BUSY_S if busy else 0)
        if busy:
            raise DeviceGone(Fault.REFUSED, "it is busy all the time", f"BUSY{header.value}")
        if self._unechoed:
            raise DeviceGone(Fault.GARBLED, ECHO_MISSING)
        raise DeviceGone(Fault.GARBLED if unfit or self._decoder.garbled > garbled else Fault.SILENT)

    def _once(self, question: Frame, within_s: float) -> Frame | None:
        self._decoder.feed(self._link.read(0))
        self._decoder.drop()  # what comes unasked is a late answer to something else
        said = wire.encode(question, self._check)
        self._link.write(said)
        for heard in self._heard(said, self._clock() + within_s):
            for frame in self._decoder.feed(heard):
                if frame.destination == HOST and frame.source in {0, self._address}:
                    return frame
                if (frame.destination, frame.header, frame.data) == (self._address, question.header, question.data):
                    raise DeviceGone(Fault.GARBLED, ECHO_UNKNOWN)
        self._decoder.drop()
        return None

    def _heard(self, said: bytes, until_s: float) -> Iterator[bytes]:
        """What comes in time, without what we have said ourselves."""
        awaited = said if self._echo else b""
        heard = b""
        while (left := until_s - self._clock()) > 0:
            heard += self._link.read(left)
            if len(heard) < len(awaited):
                continue
            if not heard.startswith(awaited):
                self._unechoed = True
                return
            heard, awaited = heard[len(awaited) :], b""
            if heard:
                yield heard
                heard = b""
        self._unechoed |= bool(heard)
