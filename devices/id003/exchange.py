"""ID-003: one question, one answer. A late or repeated answer is not taken for the answer to another question."""

from collections.abc import Callable

from devices.driver import DeviceGone
from devices.id003 import wire
from devices.id003.wire import Command, Decoder, Frame, Reply, Status
from devices.link import Link, NoLink
from kiosk.ports.fault import Fault

TRIES = 3
REPLY_S = 0.4  # the specification and the field know 50 to 300 ms
TABLE_REPLY_S = 1.0  # version and currency table take longer

REFUSED = {Reply.INVALID_COMMAND, Reply.COMMUNICATION_ERROR}
TOLD = {Command.VERSION, Command.CURRENCY_ASSIGN}
ANSWERED_BY_ITS_CODE = {command for command in Command if command >= Command.ENABLED}  # settings and requests
STATUS = set(range(256)) - {*Reply, *ANSWERED_BY_ITS_CODE}


class Exchange:
    """The controller's side of the line."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._link: Link = NoLink()
        self._decoder = Decoder()
        self.silent_from_s: float | None = None  # nothing at all was heard since then

    def begin(self, link: Link) -> None:
        """From now on over this line."""
        self._link = link
        self._decoder.drop()

    def status(self) -> Status:
        """How it is."""
        frame = self._ask(Frame(Command.STATUS_REQUEST), STATUS)
        status = wire.status(frame)
        if status is None:
            raise DeviceGone(Fault.UNKNOWN_EVENT, vendor_code=f"{frame.code:02X}{frame.data.hex().upper()}")
        return status

    def order(self, command: Command) -> None:
        """Send a command that moves something. Whether it was obeyed, the next status shows."""
        self._ask(Frame(command), {Reply.ACK, Reply.INVALID_COMMAND})

    def adjust(self, setting: Frame) -> bool:
        """Send a setting; does the device repeat it?"""
        return self._ask(setting, {setting.code, Reply.INVALID_COMMAND}) == setting

    def tell(self, request: Command) -> bytes:
        """What it tells of itself; nothing: it refuses."""
        answer = self._ask(Frame(request), {request, Reply.INVALID_COMMAND}, TABLE_REPLY_S)
        return answer.data if answer.code == request else b""

    def try_to_tell(self, request: Command) -> Frame | None:
        """The same, asked once."""
        answer = self._once(Frame(request), {request}, TABLE_REPLY_S)
        return answer if answer is not None and answer.code == request else None

    def send(self, command: Command) -> None:
        """Send what is not answered."""
        self._link.write(wire.encode(Frame(command)))

    def _ask(self, frame: Frame, fitting: set[int], within_s: float = REPLY_S) -> Frame:
        """Send it until there is an answer that fits."""
        garbled = self._decoder.garbled
        refused = ""
        for _ in range(TRIES):
            answer = self._once(frame, fitting, within_s)
            if answer is not None and answer.code in fitting:
                self.silent_from_s = None
                return answer
            refused = refused if answer is None else f"{answer.code:02X}"
        if refused or self._decoder.garbled > garbled:
            self.silent_from_s = None
            raise DeviceGone(Fault.GARBLED, vendor_code=refused)
        self.silent_from_s = self._clock() if self.silent_from_s is None else self.silent_from_s
        raise DeviceGone(Fault.SILENT)

    def _once(self, frame: Frame, fitting: set[int], within_s: float) -> Frame | None:
        """What fits, or the refusal, or nothing."""
        self._decoder.feed(self._link.read(0))
        self._decoder.drop()  # what comes unasked is a late answer to something else
        self._link.write(wire.encode(frame))
        until = self._clock() + within_s
        while (left := until - self._clock()) > 0:
            for answer in self._decoder.feed(self._link.read(left)):
                if answer.code in fitting or answer.code in REFUSED:
                    return answer
        self._decoder.drop()
        return None
