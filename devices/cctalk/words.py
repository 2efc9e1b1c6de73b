"""ccTalk in plain words: coins and bills. An answer does not say what it answers, so the last question decides."""

from collections.abc import Callable

from devices.cctalk import codes, denominations, wire
from devices.cctalk.wire import HOST, Check, Decoder, Frame, Header, Reading, Result, Scaling
from devices.driver import Denomination
from devices.words import (
    HOW_ARE_YOU,
    YES,
    FrameWords,
    Said,
    amount,
    asks,
    fault,
    hexadecimal,
    listed,
    named,
    piece,
    says,
)
from kiosk.amount import Money
from kiosk.ports.fault import Fault

POLLS = {Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES, Header.READ_BUFFERED_BILL_EVENTS}
IDS = {Header.REQUEST_COIN_ID, Header.REQUEST_BILL_ID}
OF_COINS = {Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES, Header.REQUEST_COIN_ID}
OF_BILLS = {Header.READ_BUFFERED_BILL_EVENTS, Header.REQUEST_BILL_ID, Header.ROUTE_BILL}
ORDERS = {
    Header.RESET_DEVICE: "begin anew",
    Header.REQUEST_EQUIPMENT_CATEGORY_ID: "what are you?",
    Header.REQUEST_MANUFACTURER_ID: "who made you?",
    Header.REQUEST_PRODUCT_CODE: "which model are you?",
    Header.REQUEST_SOFTWARE_REVISION: "which firmware have you?",
    Header.REQUEST_SERIAL_NUMBER: "which serial number have you?",
    Header.MODIFY_BILL_OPERATING_MODE: "use your escrow",
    Header.REQUEST_BILL_OPERATING_MODE: "do you use your escrow?",
}
ROUTINE = {
    Header.SIMPLE_POLL: "are you there?",
    Header.PERFORM_SELF_CHECK: "is anything wrong with you?",
    Header.REQUEST_INHIBIT_STATUS: "what are you told to take?",
    Header.REQUEST_MASTER_INHIBIT_STATUS: "are you open?",
}
IN_LETTERS = {
    Header.REQUEST_EQUIPMENT_CATEGORY_ID: "I am a {}",
    Header.REQUEST_MANUFACTURER_ID: "made by {}",
    Header.REQUEST_PRODUCT_CODE: "model {}",
    Header.REQUEST_SOFTWARE_REVISION: "firmware {}",
}
ROUTES = {b"\x00": "give it back", b"\x01": "put it into the box", b"\xff": "hold it"}
STACKED = 0  # what became of a bill
SCALING_BYTES = 3
TURN = 255  # the counter of events, which is followed by 1
Line = Callable[[int, str, Scaling | None], Denomination | None]


class EitherForm:
    """Finds frames in a stream without knowing which form they have: whoever has found one is believed from then on."""

    def __init__(self) -> None:
        self._decoders = [Decoder(Check.CRC), Decoder(Check.SUM)]  # the stronger one is asked first

    @property
    def garbled(self) -> int:
        """As promised by Finder."""
        return min(decoder.garbled for decoder in self._decoders)

    def feed(self, data: bytes) -> list[Frame]:
        """As promised by Finder."""
        found = [(decoder, decoder.feed(data)) for decoder in self._decoders]
        for decoder, frames in found:
            if frames:
                self._decoders = [decoder]
                return frames
        return []

    def drop(self) -> None:
        """As promised by Finder."""
        for decoder in self._decoders:
            decoder.drop()


class CctalkWords(FrameWords[Frame]):
    """A line with one device."""

    def __init__(self) -> None:
        super().__init__(EitherForm, _encoded)
        self._asked = Frame(0, 0)
        self._bills = False  # or coins
        self._scalings: dict[str, Scaling] = {}
        self._names: dict[int, str] = {}
        self._counter: int | None = None
        self._note = "a note"  # in escrow

    # The host --------------------------------------------------------------------------------------------------------

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords. There is one wire: whoever listens at the host hears answers there too."""
        if frame.destination == HOST:
            return asks("an answer comes back", routine=True)
        self._asked = frame
        if frame.header in OF_COINS | OF_BILLS:
            self._bills = frame.header in OF_BILLS
        if frame.header in POLLS:
            return HOW_ARE_YOU
        if frame.header in ROUTINE:
            return asks(ROUTINE[Header(frame.header)], routine=True)
        return asks(ORDERS[Header(frame.header)]) if frame.header in ORDERS else self._order(frame)

    def _order(self, frame: Frame) -> Said:
        data = frame.data
        match frame.header:
            case Header.MODIFY_MASTER_INHIBIT_STATUS:
                return asks(f"take {self._what}s" if any(data) else "take nothing")
            case Header.MODIFY_INHIBIT_STATUS:
                taken = wire.masked(data)
                return asks(f"by {self._what}s, mean {listed(taken, self._worth()) or 'none'}")
            case Header.ROUTE_BILL:
                return asks(ROUTES.get(data, f"route {hexadecimal(data)}"))
            case Header.REQUEST_COUNTRY_SCALING_FACTOR:
                return asks(f"how do you count money of {wire.printed(data)}?", routine=True)
            case header if header in IDS and data:
                return asks(f"what is {self._what} type {data[0]}?", routine=True)
            case header:
                return asks(f"something else ({header} {hexadecimal(data)})")

    # The device ------------------------------------------------------------------------------------------------------

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame.destination != HOST:
            return says("the question comes back", routine=True)
        if frame.header != Header.REPLY:
            return says("no" if frame.header == Header.NAK else "not now")
        return self._told(self._asked, frame.data) if frame.data else YES

    def _told(self, asked: Frame, data: bytes) -> Said:  # noqa: PLR0911 - a sentence each
        match asked.header:
            case header if header in POLLS and len(data) == wire.EVENTS_BYTES:
                return self._events(wire.reading(data))
            case header if header in IDS and asked.data:
                return self._named(asked.data[0], wire.printed(data))
            case Header.REQUEST_COUNTRY_SCALING_FACTOR if len(data) == SCALING_BYTES:
                return self._scaled(wire.printed(asked.data), wire.scaling(data))
            case Header.REQUEST_SERIAL_NUMBER:
                return says(f"serial number {int.from_bytes(data, 'little')}")
            case Header.PERFORM_SELF_CHECK:
                return self._checked(data)
            case Header.REQUEST_INHIBIT_STATUS:
                told = wire.masked(data)
                return says(f"to take {listed(told, self._worth())}" if told else "to take nothing", routine=True)
            case header if header in IN_LETTERS:
                return says(IN_LETTERS[Header(header)].format(wire.printed(data)))
            case _:
                return says(f"data ({hexadecimal(data)})", routine=True)

    def _checked(self, data: bytes) -> Said:
        if data[0] == 0:
            return self.fold.state(says("all is well", routine=True))
        code = ".".join(str(byte) for byte in data)
        return self.fold.state(says(fault(codes.FAULTS.get(data[0], Fault.FAILURE), code)), broken=True)

    # What a coin or a bill is worth ----------------------------------------------------------------------------------

    @property
    def _what(self) -> str:
        return "note" if self._bills else "coin"

    def _worth(self) -> dict[int, Money]:
        line: Line = denominations.bill if self._bills else denominations.coin
        lines = (line(channel, name, self._scalings.get(name[:2])) for channel, name in self._names.items())
        return {line.channel: line.amount for line in lines if line}

    def _named(self, channel: int, name: str) -> Said:
        self._names[channel] = name
        worth = self._worth().get(channel)
        kind = f"{self._what} type {channel}"
        if worth:
            return says(f"{kind} is {amount(worth)}")
        known = bool(denominations.country_of(name))
        return says(f"{kind} is {name}" if known else f"{kind} is nothing", routine=not known)

    def _scaled(self, country: str, scaling: Scaling | None) -> Said:
        if scaling is None:
            return says("not at all", routine=True)
        self._scalings[country] = scaling
        worth = self._worth()
        told = f": {self._what}s of {listed(worth, worth)}" if worth else ""
        return says(f"money of {country} by {scaling.factor}, with {scaling.decimals} decimals{told}")

    # What happened ---------------------------------------------------------------------------------------------------

    def _events(self, reading: Reading) -> Said:
        before, self._counter = self._counter, reading.counter
        if before and not reading.counter:
            return says("has been without power")
        new = 0 if before is None else (reading.counter - before) % TURN
        news = [self._event(result) for result in reversed(reading.results[:new])]
        if new > len(news):
            news.insert(0, "some of what happened was missed")
        return says(", ".join(news)) if news else says("nothing new", routine=True)

    def _event(self, result: Result) -> str:
        if result.a:
            what = piece(self._worth().get(result.a), result.a, self._what)
            if result.b == STACKED or not self._bills:
                return f"{what} is in the box"
            self._note = what
            return f"{what} waits in escrow"
        if not self._bills:
            return _coin_event(result.b)
        return f"{self._note} was given back" if result.b == codes.BILL_RETURNED else _bill_event(result.b)


def _coin_event(code: int) -> str:
    if code in codes.UNCREDITED_COINS:
        return f"a coin is lost on its way: {named(codes.UNCREDITED_COINS[code])} (code {code})"
    match codes.COINS.get(code):
        case Fault() as what:
            return fault(what, str(code))
        case str() as reason:
            return f"a coin falls through: {named(reason)} (code {code})"
        case None:
            return f"something that nobody knows (code {code})"


def _bill_event(code: int) -> str:  # noqa: PLR0911 - a sentence each
    if code == codes.BILL_MASTER_INHIBIT:
        return "has closed itself"
    if code == codes.UNKNOWN_BILL_STACKED:
        return "a note that nobody knows is in the box"
    if code == codes.BARCODE:
        return "a ticket waits in escrow"
    if code not in codes.BILLS:
        return f"something that nobody knows (code {code})"
    match codes.BILLS[code]:
        case Fault() as what:
            return fault(what, str(code))
        case str() as reason:
            return f"rejects it: {named(reason)} (code {code})"
        case None:
            return f"the box is all right again (code {code})"


def _encoded(frame: Frame) -> bytes:
    """Only in one of the two forms it is said who speaks."""
    return wire.encode(frame, Check.SUM if frame.source else Check.CRC)
