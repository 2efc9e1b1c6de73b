"""SSP in plain words. What is encrypted stays so: nobody here has the key."""

from devices.ssp.dataset import denominations, printed, setup
from devices.ssp.meaning import FAULTS
from devices.ssp.wire import STEX, Command, Decoder, Event, Frame, Happened, Status, events
from devices.words import HEARD, HOW_ARE_YOU, YES, FrameWords, Said, asks, fault, hexadecimal, named, note, says
from kiosk.amount import Money, plain

ORDERS = {
    Command.RESET: "begin anew",
    Command.REJECT: "give it back",
    Command.DISABLE: "take nothing",
    Command.ENABLE: "take notes",
    Command.SETUP_REQUEST: "which notes do you know?",
    Command.GET_SERIAL_NUMBER: "which serial number have you?",
    Command.GET_FIRMWARE_VERSION: "which firmware have you?",
    Command.GET_DATASET_VERSION: "which data set have you?",
    Command.LAST_REJECT_CODE: "why was it rejected?",
}
EVERY_TURN = {Command.SYNC: "are you there?", Command.HOLD: "hold what you have"}
POLLS = {Command.POLL, Command.POLL_WITH_ACK}
IN_LETTERS = {Command.GET_FIRMWARE_VERSION, Command.GET_DATASET_VERSION}
OF_A_NOTE = {
    Event.NOTE_CREDIT: "{} is money now",
    Event.NOTE_CLEARED_FROM_FRONT: "{} was given back at the start",
    Event.NOTE_CLEARED_INTO_CASHBOX: "{} went into the box at the start",
}
ROUTINE = {Event.DISABLED, Event.CHANNEL_DISABLE}
VERSION = 7  # of the protocol, until another one is agreed upon


class SspWords(FrameWords[Frame]):
    """A line with one validator."""

    def __init__(self) -> None:
        super().__init__(Decoder)
        self._asked = 0
        self._version = VERSION
        self._offered = VERSION
        self._worth: dict[int, Money] = {}

    def question(self, frame: Frame) -> Said:  # noqa: PLR0911 - a sentence each
        """As promised by FrameWords."""
        data = frame.data
        self._asked = data[0]
        if data[0] == STEX:
            return Said(from_host=True, text=f"something encrypted ({len(data) - 1} bytes)", routine=True)
        if data[0] in POLLS:
            return HOW_ARE_YOU
        match data[0]:
            case Command.EVENT_ACK:
                return HEARD
            case Command.HOST_PROTOCOL_VERSION if len(data) > 1:
                self._offered = data[1]
                return asks(f"let us speak version {data[1]}")
            case Command.SET_INHIBITS:
                return asks(self._inhibits(data[1:]))
            case code if code in EVERY_TURN:
                return Said(from_host=True, text=EVERY_TURN[Command(code)], routine=True)
            case code if code in set(Command):
                return asks(ORDERS.get(Command(code), named(Command(code))))
            case _:
                return asks(f"something else ({hexadecimal(data)})")

    def _inhibits(self, mask: bytes) -> str:
        bits = int.from_bytes(mask, "little")
        taken = [note(self._worth.get(place + 1), place + 1) for place in range(8 * len(mask)) if bits >> place & 1]
        return f"of all notes, mean {', '.join(taken)}" if taken else "mean no note"

    def answer(self, frame: Frame) -> Said:  # noqa: PLR0911 - a sentence each
        """As promised by FrameWords."""
        status, rest = frame.data[0], frame.data[1:]
        if status == STEX:
            return Said(from_host=False, text=f"something encrypted ({len(rest)} bytes)", routine=True)
        if status != Status.OK and self._asked in EVERY_TURN:
            return Said(from_host=False, text="there is nothing", routine=True)
        if status != Status.OK:
            return says(named(Status(status)) if status in set(Status) else f"something else ({status:02X})")
        if self._asked in POLLS:
            return self._told(rest)
        match self._asked:
            case Command.HOST_PROTOCOL_VERSION:
                self._version = self._offered
                return YES
            case Command.SETUP_REQUEST if known := setup(rest):
                self._worth = {line.channel: line.amount for line in denominations(known)}
                return says(f"notes of {', '.join(plain(worth) for worth in self._worth.values())}")
            case Command.GET_SERIAL_NUMBER:
                return says(f"serial number {int.from_bytes(rest, 'big')}")
            case code if code in IN_LETTERS:
                return says(printed(rest))
            case _:
                return Said(from_host=False, text=f"yes ({hexadecimal(rest)})" if rest else "yes", routine=True)

    def _told(self, data: bytes) -> Said:
        happened = events(data, self._version)
        if happened is None:
            return says(f"events that nobody knows ({hexadecimal(data)})")
        news = [self._event(one) for one in happened if one.event not in ROUTINE]
        if not news:
            return Said(from_host=False, text="waits" if not happened else "is closed", routine=True)
        return says(", ".join(news))

    def _event(self, one: Happened) -> str:
        if one.event in FAULTS:
            return fault(FAULTS[one.event], f"{one.event:02X}").text
        worth = note(self._worth.get(one.channel), one.channel or None)
        if one.event is Event.READ:
            return f"{worth} waits in escrow" if one.channel else "reads it"
        return OF_A_NOTE.get(one.event, named(one.event)).format(worth)
