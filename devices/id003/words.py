"""ID-003 in plain words. An answer bears the code of its question, or is a state."""

from devices.id003 import meaning, wire
from devices.id003.wire import Command, Decoder, Frame, Reply, State, Status
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
    Command.STACK_1: "put it into the box",
    Command.STACK_2: "put it into the box",
    Command.RETURN: "give it back",
    Command.HOLD: "hold it",
    Command.VERSION: "who are you?",
    Command.CURRENCY_ASSIGN: "which notes do you know?",
    Command.ENABLED: "which notes are you to take?",
    Command.SECURE: "how strict are you?",
    Command.MODE: "how are you set?",
    Command.INHIBITED: "are you closed?",
    Command.DIRECTIONS: "which way round do you take notes?",
    Command.SET_SECURITY: "be as strict as this",
    Command.SET_MODE: "be set like this",
    Command.SET_DIRECTION: "take notes this way round",
}
REPLIES = {
    Reply.ENQ: "ask me",
    Reply.COMMUNICATION_ERROR: "that was not understood",
    Reply.INVALID_COMMAND: "not now",
}
ROUTINE = {State.IDLE: "waits", State.DISABLED: "is closed", State.HOLDING: "holds it"}
SENTENCES = {
    State.POWER_UP: "has just got power",
    State.POWER_UP_IN_ACCEPTOR: "has just got power, with a note inside",
    State.POWER_UP_IN_STACKER: "has just got power, with a note on its way into the box",
    State.INITIALISE: "starts up",
    State.ACCEPTING: "draws it in",
    State.STACKING: "moves it into the box",
    State.STACKED: "has moved it into the box",
    State.RETURNING: "gives it back",
}
OF_A_NOTE = {State.ESCROW: "waits in escrow", State.VEND_VALID: "is money now"}


class Id003Words(FrameWords[Frame]):
    """A line with one acceptor."""

    def __init__(self) -> None:
        super().__init__(Decoder, wire.encode)
        self._worth: dict[int, Money] = {}
        self._escrow: int | None = None  # the denomination; not every unit says it again with the credit

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        match frame.code:
            case Command.STATUS_REQUEST:
                return HOW_ARE_YOU
            case Command.ACK:
                return HEARD
            case Command.SET_INHIBIT:
                return asks("take nothing" if any(frame.data) else "take notes")
            case Command.SET_ENABLE if (kinds := wire.enabled(frame.data)) is not None:
                taken = kinds & self._worth.keys() if self._worth else kinds
                return asks(f"by notes, mean {listed(taken, self._worth)}" if taken else "by notes, mean none")
            case code if code in ORDERS:
                return asks(ORDERS[Command(code)])
            case code:
                return asks(f"something else ({code:02X} {hexadecimal(frame.data)})")

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame.code == Reply.ACK:
            return YES
        if frame.code in REPLIES:
            return says(REPLIES[Reply(frame.code)])
        status = wire.status(frame)
        if status is not None:
            return self._state(status)
        if frame.code == Command.VERSION and (who := wire.version(frame.data)):
            return says(f"I am {who.model}, firmware {who.firmware}")
        if frame.code == Command.CURRENCY_ASSIGN and (table := wire.currency_table(frame.data)) is not None:
            self._worth = {line.channel: line.amount for line in meaning.denominations(table)}
            return says(f"notes of {listed(self._worth, self._worth)}" if self._worth else "no notes")
        return says(f"set to {hexadecimal(frame.data)}", routine=True)

    def _state(self, status: Status) -> Said:
        state = status.state
        broken = meaning.fault(status)
        if broken:
            return self.fold.state(says(fault(broken, meaning.code(status))), broken=True)
        if state in ROUTINE:
            return self.fold.state(says(ROUTINE[state], routine=True))
        if state is State.REJECTING:
            text = f"rejects it: {_reason(status)} (code {meaning.code(status)})"
        elif state in OF_A_NOTE:
            text = f"{self._note(status)} {OF_A_NOTE[state]}"
        else:
            text = SENTENCES.get(state, named(state))
        return self.fold.state(says(text))

    def _note(self, status: Status) -> str:
        if status.state is State.ESCROW:
            if status.detail == wire.BARCODE:
                return "a ticket"
            self._escrow = status.detail
        kind = self._escrow if status.detail is None else status.detail
        return piece(self._worth.get(kind or 0), kind)


def _reason(status: Status) -> str:
    reason = meaning.REASONS.get(status.detail or 0)
    return named(reason) if reason else "for a reason of its own"
