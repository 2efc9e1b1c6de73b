"""ID-003 in plain words."""

from devices.id003 import meaning, wire
from devices.id003.wire import Command, Decoder, Frame, Reply, State, Status
from devices.words import HEARD, HOW_ARE_YOU, YES, FrameWords, Said, asks, fault, hexadecimal, named, note, says
from kiosk.amount import Money, plain

ORDERS = {
    Command.RESET: "begin anew",
    Command.STACK_1: "put it into the box",
    Command.STACK_2: "put it into the box",
    Command.RETURN: "give it back",
    Command.HOLD: "hold it",
    Command.VERSION: "who are you?",
    Command.CURRENCY_ASSIGN: "which notes do you know?",
}
ROUTINE = {State.IDLE: "waits", State.DISABLED: "is closed", State.HOLDING: "holds it"}
OF_A_NOTE = {State.ESCROW: "{} waits in escrow", State.VEND_VALID: "{} is in the box"}


class Id003Words(FrameWords[Frame]):
    """A line with one acceptor."""

    def __init__(self) -> None:
        super().__init__(Decoder)
        self._worth: dict[int, Money] = {}

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        match frame.code:
            case Command.STATUS_REQUEST:
                return HOW_ARE_YOU
            case Command.ACK:
                return HEARD
            case Command.SET_INHIBIT:
                return asks("take nothing" if any(frame.data) else "take notes")
            case Command.SET_ENABLE if kinds := wire.enabled(frame.data):
                taken = [note(self._worth.get(kind), kind) for kind in sorted(kinds) if kind in self._worth]
                return asks(f"of all notes, mean {', '.join(taken)}" if taken else "mean no note")
            case code if code in set(Command):
                return asks(ORDERS.get(Command(code), named(Command(code))))
            case code:
                return asks(f"something else ({code:02X} {hexadecimal(frame.data)})")

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame.code == Reply.ACK:
            return YES
        if frame.code in set(Reply):
            return says(named(Reply(frame.code)))
        status = wire.status(frame)
        if status is not None:
            return self._state(status)
        if frame.code == Command.VERSION and (who := wire.version(frame.data)):
            return says(f"{who.model}, firmware {who.firmware}")
        if frame.code == Command.CURRENCY_ASSIGN and (table := wire.currency_table(frame.data)) is not None:
            self._worth = {line.channel: line.amount for line in meaning.denominations(table)}
            return says(f"notes of {', '.join(plain(worth) for worth in self._worth.values())}")
        return Said(from_host=False, text=f"as it is set: {hexadecimal(frame.data)}", routine=True)

    def _state(self, status: Status) -> Said:
        state = status.state
        broken = meaning.fault(status)
        if broken:
            return fault(broken, meaning.code(status))
        if state is State.REJECTING:
            return says(f"rejects it ({named(meaning.reason(status))})")
        if state in OF_A_NOTE:
            kind = status.detail
            return says(OF_A_NOTE[state].format(note(self._worth.get(kind) if kind is not None else None, kind)))
        routine = ROUTINE.get(state)
        return Said(from_host=False, text=routine, routine=True) if routine else says(named(state))
