"""ccTalk in plain words: coins and bills. An answer does not say what it answers, so the last question decides."""

from collections.abc import Callable

from devices.cctalk import codes, wire
from devices.cctalk.denominations import bill, coin
from devices.cctalk.wire import HOST, Decoder, Frame, Header, Reading, Result, Scaling
from devices.driver import Denomination
from devices.words import HOW_ARE_YOU, YES, FrameWords, Said, asks, hexadecimal, named, note, says
from kiosk.amount import Money, plain
from kiosk.ports.fault import Fault

POLLS = {Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES, Header.READ_BUFFERED_BILL_EVENTS}
IDS = {Header.REQUEST_COIN_ID, Header.REQUEST_BILL_ID}
ORDERS = {
    Header.RESET_DEVICE: "begin anew",
    Header.SIMPLE_POLL: "are you there?",
    Header.REQUEST_EQUIPMENT_CATEGORY_ID: "what are you?",
    Header.REQUEST_MANUFACTURER_ID: "who made you?",
    Header.REQUEST_PRODUCT_CODE: "which model are you?",
    Header.REQUEST_SOFTWARE_REVISION: "which firmware have you?",
    Header.REQUEST_INHIBIT_STATUS: "which do you take?",
    Header.REQUEST_COUNTRY_SCALING_FACTOR: "how does that country count?",
    Header.MODIFY_BILL_OPERATING_MODE: "hold notes in escrow, and stack them",
    Header.REQUEST_SERIAL_NUMBER: "which serial number have you?",
}
IN_LETTERS = {
    Header.REQUEST_EQUIPMENT_CATEGORY_ID,
    Header.REQUEST_MANUFACTURER_ID,
    Header.REQUEST_PRODUCT_CODE,
    Header.REQUEST_SOFTWARE_REVISION,
}
ROUTES = {b"\x00": "give it back", b"\x01": "put it into the box", b"\xff": "hold it"}
Line = Callable[[int, str, Scaling | None], Denomination | None]


class CctalkWords(FrameWords[Frame]):
    """A line with one device."""

    def __init__(self) -> None:
        super().__init__(Decoder)
        self._asked = Frame(0, 0)
        self._scalings: dict[str, Scaling] = {}
        self._names: dict[int, str] = {}
        self._counter: int | None = None

    def question(self, frame: Frame) -> Said:  # noqa: PLR0911 - a sentence each
        """As promised by FrameWords."""
        if frame.destination == HOST:  # one wire: the host hears what devices say
            return Said(from_host=True, text="an answer passes by", routine=True)
        self._asked = frame
        data = frame.data
        match frame.header:
            case header if header in POLLS:
                return HOW_ARE_YOU
            case Header.PERFORM_SELF_CHECK:
                return Said(from_host=True, text="is anything wrong with you?", routine=True)
            case Header.MODIFY_MASTER_INHIBIT_STATUS:
                return asks("take them" if any(data) else "take nothing")
            case Header.MODIFY_INHIBIT_STATUS:
                taken = [note(self._worth(channel), channel) for channel in sorted(wire.masked(data))]
                return asks(f"mean {', '.join(taken)}" if taken else "mean nothing")
            case Header.ROUTE_BILL:
                return asks(ROUTES.get(data, f"route {hexadecimal(data)}"))
            case header if header in IDS:
                return Said(from_host=True, text=f"what is number {data[0] if data else 0}?", routine=True)
            case header if header in set(Header):
                return asks(ORDERS.get(Header(header), named(Header(header))))
            case header:
                return asks(f"something else ({header} {hexadecimal(data)})")

    def answer(self, frame: Frame) -> Said:  # noqa: PLR0911 - a sentence each
        """As promised by FrameWords."""
        if frame.destination != HOST:
            return Said(from_host=False, text="the question comes back", routine=True)
        if frame.header != Header.REPLY:
            return says("no" if frame.header == Header.NAK else "not now")
        data, asked = frame.data, self._asked
        if not data:
            return YES
        match asked.header:
            case header if header in POLLS and len(data) == wire.EVENTS_BYTES:
                return self._events(wire.reading(data))
            case header if header in IDS and asked.data:
                return self._named(asked.data[0], wire.printed(data))
            case Header.REQUEST_COUNTRY_SCALING_FACTOR if known := wire.scaling(data):
                self._scalings[wire.printed(asked.data)] = known
                return says(
                    f"{wire.printed(asked.data)} counts by {known.factor}, {known.decimals} digits are decimals"
                )
            case header if header in IN_LETTERS:
                return says(wire.printed(data))
            case Header.REQUEST_SERIAL_NUMBER:
                return says(f"serial number {int.from_bytes(data, 'little')}")
            case Header.PERFORM_SELF_CHECK:
                return self._checked(data)
            case _:
                return Said(from_host=False, text=f"data ({hexadecimal(data)})", routine=True)

    def _named(self, channel: int, name: str) -> Said:
        self._names[channel] = name
        worth = self._worth(channel)
        return (
            says(f"number {channel} is {plain(worth)}")
            if worth
            else Said(from_host=False, text=f"number {channel} is nothing", routine=True)
        )

    def _worth(self, channel: int) -> Money | None:
        name = self._names.get(channel, "")
        scaling = self._scalings.get(name[:2])
        line = (bill if self._is_of_bills() else coin)(channel, name, scaling)
        return line.amount if line else None

    def _is_of_bills(self) -> bool:
        return bool(self._scalings)

    def _events(self, reading: Reading) -> Said:
        new = 0 if self._counter is None else (reading.counter - self._counter) % 255
        self._counter = reading.counter
        news = [self._event(result) for result in reversed(reading.results[:new])]
        return says(", ".join(news)) if news else Said(from_host=False, text="nothing new", routine=True)

    def _event(self, result: Result) -> str:
        if result.a and not self._is_of_bills():
            return f"{note(self._worth(result.a), result.a)} is in the box"
        if result.a:
            worth = note(self._worth(result.a), result.a)
            return f"{worth} is in the box" if result.b == 0 else f"{worth} waits in escrow"
        if self._is_of_bills() and result.b == codes.BILL_RETURNED:
            return "it was given back"
        meant = (codes.BILLS if self._is_of_bills() else codes.COINS | codes.UNCREDITED_COINS).get(result.b)
        word = named(meant) if meant else "news"
        return f"{word} (code {result.b})"

    @staticmethod
    def _checked(data: bytes) -> Said:
        if data[0] == 0:
            return Said(from_host=False, text="nothing is wrong", routine=True)
        found = codes.FAULTS.get(data[0], Fault.FAILURE)
        return says(f"{named(found)} (code {hexadecimal(data)})")
