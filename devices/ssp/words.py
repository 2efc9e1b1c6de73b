"""SSP in plain words. What is encrypted stays so: nobody here has the key."""

from devices.ssp.dataset import denominations, printed, setup
from devices.ssp.driver import HOST_REJECT
from devices.ssp.meaning import FAULTS, REASONS
from devices.ssp.wire import STEX, Command, Decoder, Event, Frame, Happened, Status, encode, events
from devices.words import (
    HEARD,
    HOW_ARE_YOU,
    YES,
    FrameWords,
    Said,
    asks,
    fault,
    hexadecimal,
    listed,
    named,
    piece,
    says,
)
from kiosk.amount import Money

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
    Command.SET_GENERATOR: "here is the first number of our key",
    Command.SET_MODULUS: "here is the second number of our key",
    Command.REQUEST_KEY_EXCHANGE: "here is my part of our key",
    Command.DISABLE_PAYOUT: "pay nothing out",
}
EVERY_TURN = {Command.SYNC: "are you there?", Command.HOLD: "hold what you have"}
POLLS = {Command.POLL, Command.POLL_WITH_ACK}
IN_LETTERS = {Command.GET_FIRMWARE_VERSION: "firmware {}", Command.GET_DATASET_VERSION: "data set {}"}
REFUSALS = {
    Status.COMMAND_NOT_KNOWN: "that is not known here",
    Status.WRONG_NO_PARAMETERS: "that is incomplete",
    Status.PARAMETERS: "that cannot be so",
    Status.COMMAND_CANNOT_BE_PROCESSED: "not now",
    Status.SOFTWARE_ERROR: "the firmware fails",
    Status.FAIL: "that failed",
    Status.KEY_NOT_SET: "there is no key",
}
OF_A_NOTE = {
    Event.NOTE_CREDIT: "{} is money now",
    Event.NOTE_CLEARED_FROM_FRONT: "{} was given back at the start",
    Event.NOTE_CLEARED_INTO_CASHBOX: "{} went into the box at the start",
}
SENTENCES = {
    Event.SLAVE_RESET: "has just got power",
    Event.INITIALISING: "starts up",
    Event.STACKING: "moves it into the box",
    Event.STACKED: "it is in the box",
    Event.NOTE_STORED: "it is in the store",
    Event.REJECTING: "gives it back",
    Event.CASHBOX_REPLACED: "the box is in again",
    Event.PAID_INTO_STACKER_AT_POWER_UP: "a note went into the box at the start",
    Event.PAID_INTO_STORE_AT_POWER_UP: "a note went into the store at the start",
}
REASONS_TOLD = {**REASONS, HOST_REJECT: "it was told to"}
CLOSED = {Event.DISABLED, Event.CHANNEL_DISABLE}
VERSION = 7  # of the protocol, until another one is agreed upon


class SspWords(FrameWords[Frame]):
    """A line with one validator."""

    def __init__(self) -> None:
        super().__init__(Decoder, encode)
        self._asked: Frame | None = None
        self._version = VERSION
        self._worth: dict[int, Money] = {}
        self._note = "a note"  # in its path

    # The host --------------------------------------------------------------------------------------------------------

    def question(self, frame: Frame) -> Said:  # noqa: PLR0911 - a sentence each
        """As promised by FrameWords."""
        self._asked = frame
        code, data = frame.data[0], frame.data[1:]
        if code == STEX:
            return asks(f"something encrypted ({len(data)} bytes)", routine=True)
        if code in POLLS:
            return HOW_ARE_YOU
        match code:
            case Command.EVENT_ACK:
                return HEARD
            case Command.HOST_PROTOCOL_VERSION if data:
                return asks(f"let us speak version {data[0]}")
            case Command.SET_INHIBITS:
                return asks(self._by_notes(data))
            case code if code in EVERY_TURN:
                return asks(EVERY_TURN[Command(code)], routine=True)
            case code if code in ORDERS:
                return asks(ORDERS[Command(code)])
            case _:
                return asks(f"something else ({hexadecimal(frame.data)})")

    def _by_notes(self, mask: bytes) -> str:
        bits = int.from_bytes(mask, "little")
        channels = {place + 1 for place in range(8 * len(mask)) if bits >> place & 1}
        meant = channels & self._worth.keys() if self._worth else channels
        return f"by notes, mean {listed(meant, self._worth)}" if meant else "by notes, mean none"

    # The device ------------------------------------------------------------------------------------------------------

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame == self._asked:
            return says("the question comes back", routine=True)
        status, data = frame.data[0], frame.data[1:]
        if status == STEX:
            return says(f"something encrypted ({len(data)} bytes)", routine=True)
        asked = self._asked.data if self._asked else b"\x00"
        if status == Status.OK:
            return self._obeyed(asked, data)
        if asked[0] in EVERY_TURN:
            return says("there is nothing", routine=True)
        code = f"(code {hexadecimal(frame.data)})"
        return says(f"{REFUSALS[Status(status)]} {code}" if status in REFUSALS else f"something else {code}")

    def _obeyed(self, asked: bytes, data: bytes) -> Said:  # noqa: PLR0911 - a sentence each
        if asked[0] in POLLS:
            return self._happened(data)
        match asked[0]:
            case Command.HOST_PROTOCOL_VERSION if len(asked) > 1:
                self._version = asked[1]
                return YES
            case Command.SETUP_REQUEST if known := setup(data):
                self._worth = {line.channel: line.amount for line in denominations(known)}
                told = f"notes of {listed(self._worth, self._worth)}" if self._worth else "no notes"
                return says(f"I am {known.firmware}, {told}")
            case Command.GET_SERIAL_NUMBER if data:
                return says(f"serial number {int.from_bytes(data, 'big')}")
            case Command.LAST_REJECT_CODE if data:
                return says(f"{named(REASONS_TOLD.get(data[0], 'for a reason of its own'))} (code {data[0]:02X})")
            case Command.REQUEST_KEY_EXCHANGE if data:
                return says("here is mine")
            case code if code in IN_LETTERS and data:
                return says(IN_LETTERS[Command(code)].format(printed(data)))
            case _:
                return says(f"yes ({hexadecimal(data)})" if data else "yes", routine=True)

    def _happened(self, data: bytes) -> Said:
        happened = events(data, self._version)
        if happened is None:
            return self.fold.state(says(f"something that nobody knows ({hexadecimal(data)})"))
        news = [self._event(one) for one in happened if one.event not in CLOSED]
        if not news:
            return self.fold.state(says("is closed" if happened else "nothing new", routine=True))
        return self.fold.state(says(", ".join(news)))  # a fault may be said once, and last: its end is not told

    def _event(self, one: Happened) -> str:
        if one.event in FAULTS:
            return fault(FAULTS[one.event], f"{one.event:02X}")
        note = piece(self._worth.get(one.channel), one.channel)
        if one.event is Event.READ:
            self._note = note
            return f"{note} waits in escrow" if one.channel else "draws it in"
        if one.event is Event.REJECTED:
            return f"{self._note} was given back"
        return OF_A_NOTE.get(one.event, SENTENCES.get(one.event, named(one.event))).format(note)
