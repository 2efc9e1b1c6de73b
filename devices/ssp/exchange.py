"""One command, one reply: the sequence bit, what is sent again, and the encryption around both.

A packet is sent with the same bit until it is answered; a device that has seen it already repeats its last reply and
does nothing. So no reply is lost as long as it is known which packet nobody has answered: a line that comes back begins
with that one. A host that died does not know it; therefore, without encryption, a poll always bears the bit 0 and a
reply that could be taken for events always belongs to a packet with the bit 1. Whoever comes next sends a command that
does no harm with the bit 0, and if the last thing that the device did was to answer a poll, it says that again.
"""

from collections.abc import Callable

from msgspec import Struct

from devices.driver import DeviceGone
from devices.link import Link, NoLink
from devices.ssp import wire
from devices.ssp.cipher import Session
from devices.ssp.wire import Command, Decoder, Frame, Status
from kiosk.ports.fault import Fault

REPLY_S = 1.0
TRIES = 21  # the first one and twenty more
PROBE_TRIES = 3  # where silence has a meaning of its own
VAIN_MAX = 3  # contacts that may fail at the same packet; a minute has passed then
POLLS = frozenset({Command.POLL, Command.POLL_WITH_ACK})
TELLING = frozenset({
    Command.SETUP_REQUEST,
    Command.GET_SERIAL_NUMBER,
    Command.GET_FIRMWARE_VERSION,
    Command.GET_DATASET_VERSION,
    Command.LAST_REJECT_CODE,
    Command.REQUEST_KEY_EXCHANGE,
})  # fmt: skip


class Packet(Struct, frozen=True):
    """A command on its way."""

    command: Command
    frame: Frame


class Exchange:
    """What goes back and forth between the host and one device."""

    def __init__(self, address: int, clock: Callable[[], float]) -> None:
        self._address = address
        self._clock = clock
        self._link: Link = NoLink()
        self._decoder = Decoder()
        self._session: Session | None = None
        self._bit = True  # of the next packet
        self._unanswered: Packet | None = None
        self._vain = 0  # how often that one was sent again until it was given up
        self._new = True  # nothing was sent yet
        self.missed: list[bytes] = []  # answers to polls that nobody has heard; whoever hears them takes them away
        self.gap = False  # something had to be sent again: the device may have been exchanged

    # A contact -------------------------------------------------------------------------------------------------------

    def begin(self, link: Link, *, encrypted: bool) -> None:
        """Begin over this line, and hear what the device has said and nobody has heard."""
        self._link = link
        self._decoder.drop()
        if self._unanswered is not None:
            self._again(self._unanswered)
        elif self._new and not encrypted:
            self._last_words()
        self._new = False
        self.sync()

    def sync(self) -> None:
        """Let both ends count from 0 again, without encryption."""
        self._bit = True
        self._send(Command.SYNC, TRIES, plain=True)
        self._session = None

    def encrypt(self, session: Session) -> None:
        """From now on everything is encrypted; a device that does not understand this has another key."""
        self._session = session
        self.ask(Command.HOLD, tries=PROBE_TRIES)

    # A command -------------------------------------------------------------------------------------------------------

    def ask(self, command: Command, parameters: bytes = b"", *, tries: int = TRIES) -> bytes:
        """Send a command until it is answered; the reply."""
        if self._session is None:
            self._align(command)
            return self._opened(self._send(command, tries, parameters))
        try:
            reply = self._send(command, tries, parameters)
        except DeviceGone:
            reply = self._probe()
        return self._opened(reply)

    def _probe(self) -> bytes:
        """What was encrypted is not answered. Does anybody understand us without, and is it the key then?

        With the same bit, this too is a repetition for a device that did as it was told: nothing is lost by it.
        """
        unanswered = self._unanswered
        self._bit = unanswered is None or unanswered.frame.sequence
        try:
            reply = self._send(Command.HOLD, PROBE_TRIES, plain=True)
        finally:
            self._unanswered = unanswered
        self._unanswered = None
        return reply

    def _align(self, command: Command) -> None:
        """See to it that the command gets its bit."""
        if command in POLLS and self._bit:
            self._send(Command.SYNC, TRIES)
        elif command in TELLING and not self._bit:
            self._send(Command.HOLD, TRIES)

    def _opened(self, reply: bytes) -> bytes:
        encrypted = reply[0] == wire.STEX
        if self._session is None:
            if encrypted:
                raise DeviceGone(Fault.NO_KEY, "it wants encryption", reply[:1].hex().upper())
            return reply
        opened = self._session.open(reply[1:]) if encrypted else None
        if opened is None or opened.count != self._session.count + 1 or not opened.data:
            detail = "another key or count" if encrypted else "not encrypted"
            raise DeviceGone(Fault.NO_KEY, detail, reply[:1].hex().upper())
        self._session.count = opened.count
        return opened.data

    # What was missed -------------------------------------------------------------------------------------------------

    def _again(self, packet: Packet) -> None:
        """Send the packet that was not answered, unchanged, before a SYNC makes the device forget its reply to it."""
        try:
            reply = self._exchange(packet, TRIES)
        except DeviceGone:
            self._vain += 1
            if self._session is None or self._vain < VAIN_MAX:
                raise
            return  # a living device ignores what it cannot decrypt
        try:
            reply = self._opened(reply)
        except DeviceGone:
            return  # the device has begun anew: what it had to say, it has forgotten or will repeat
        if packet.command in POLLS and reply[0] == Status.OK:
            self.missed.append(reply)

    def _last_words(self) -> None:
        """A reply of more than its status is the answer to a poll, which the last host has perhaps not heard."""
        self._bit = False
        reply = self._send(Command.HOLD, TRIES)
        if reply[0] == Status.OK and len(reply) > 1:
            self.missed.append(reply)

    # The line --------------------------------------------------------------------------------------------------------

    def _send(self, command: Command, tries: int, parameters: bytes = b"", *, plain: bool = False) -> bytes:
        body = bytes((command,)) + parameters
        if self._session is not None and not plain:
            body = bytes((wire.STEX,)) + self._session.seal(body)
        packet = Packet(command, Frame(self._address, self._bit, body))
        if command is not Command.SYNC:  # which may be said at any time, and has an answer that nobody misses
            self._unanswered = packet
        return self._exchange(packet, tries)

    def _exchange(self, packet: Packet, tries: int) -> bytes:
        garbled = self._decoder.garbled
        for attempt in range(tries):
            self.gap |= attempt > 0
            self._link.write(wire.encode(packet.frame))
            reply = self._reply(packet.frame)
            if reply is not None:
                self._unanswered, self._vain = None, 0
                self._bit = not packet.frame.sequence
                return reply
        raise DeviceGone(Fault.GARBLED if self._decoder.garbled > garbled else Fault.SILENT)

    def _reply(self, sent: Frame) -> bytes | None:
        until = self._clock() + REPLY_S
        while (left := until - self._clock()) > 0:
            for frame in self._decoder.feed(self._link.read(left)):
                if (frame.address, frame.sequence) == (sent.address, sent.sequence):
                    return frame.data
        self._decoder.drop()
        return None
