"""One message, one answer: the ACK bit, what is sent again, and what is no answer.

A message with the bit of the one before is no new message: the device says its last answer again and does nothing. So
it is sent unchanged until it is answered, and no answer is lost. The next message, with the other bit, acknowledges it.

Which bit the device has heard last, a host that begins anew does not know. Therefore a poll always bears the bit 0, and
between two polls there is always a question with the bit 1, whose answer tells nothing of notes. Whoever comes next
begins with a poll: if the last thing that the device did was to answer a poll, then it says that answer again, and what
the host before has perhaps not made durable is not lost.
"""

from collections.abc import Callable

from devices.driver import DeviceGone
from devices.ebds import wire
from devices.ebds.wire import Decoder, Frame, Kind
from devices.link import Link, NoLink
from kiosk.ports.fault import Fault

TRIES = 4
REPLY_S, BACK_OFF_S = 0.25, 0.05  # a device begins within 35 ms, and the longest answer takes 85
POLL, QUESTION = False, True  # the ACK bit of each
ANSWERS = {Kind.OMNIBUS_REPLY, Kind.AUXILIARY, Kind.EXTENDED}


class Exchange:
    """What goes back and forth between the host and one device."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._link: Link = NoLink()
        self._decoder = Decoder()
        self.polled = False  # the last message that was answered is a poll: a question is due

    def begin(self, link: Link) -> None:
        """Go on over this line."""
        self._link = link
        self._decoder.drop()

    def poll(self, order: bytes) -> Frame:
        """Poll once, and give the order that goes with it."""
        answer = self._exchange(Frame(Kind.OMNIBUS_COMMAND, POLL, order))
        self.polled = True
        return answer

    def ask(self, kind: Kind, data: bytes) -> Frame:
        """Ask a question."""
        answer = self._exchange(Frame(kind, QUESTION, data))
        self.polled = False
        return answer

    def reset(self) -> None:
        """Let it begin anew; no answer comes, and of the bits it remembers nothing."""
        self._link.write(wire.encode(Frame(Kind.AUXILIARY, QUESTION, wire.auxiliary(wire.Aux.SOFT_RESET))))
        self.polled = False

    # The line --------------------------------------------------------------------------------------------------------

    def _exchange(self, sent: Frame) -> Frame:
        self._decoder.feed(self._link.read(0))
        self._decoder.drop()  # what comes unasked is a late answer to something else
        garbled, refused = self._decoder.garbled, False
        for attempt in range(TRIES):
            self._link.write(wire.encode(sent))
            until = self._clock() + REPLY_S + attempt * BACK_OFF_S
            while (left := until - self._clock()) > 0:
                for frame in self._decoder.feed(self._link.read(left)):
                    if _is_answer(frame, sent):
                        return _from_an_acceptor(frame)
                    refused |= frame != sent
            self._decoder.drop()
        raise DeviceGone(Fault.GARBLED if refused or self._decoder.garbled > garbled else Fault.SILENT)


def _is_answer(frame: Frame, sent: Frame) -> bool:
    """With another bit it is a refusal, or an answer to something before; and an acceptor without its head echoes."""
    return frame.kind in ANSWERS and frame.ack == sent.ack and frame != sent


def _from_an_acceptor(frame: Frame) -> Frame:
    if frame.device:
        raise DeviceGone(Fault.WRONG_KIND, "a recycler, or something unknown", f"{frame.device:X}")
    return frame
