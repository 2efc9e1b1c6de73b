"""CCNET in plain words."""

from devices.ccnet import wire
from devices.ccnet.driver import FAULTS, worth_of
from devices.ccnet.wire import Answer, Command, Decoder, Frame, State
from devices.words import HEARD, HOW_ARE_YOU, YES, FrameWords, Said, asks, fault, hexadecimal, named, note, says
from kiosk.amount import Money, plain

ORDERS = {
    Command.RESET: "begin anew",
    Command.GET_STATUS: "what do you take?",
    Command.SET_SECURITY: "be as strict as this",
    Command.STACK: "put it into the box",
    Command.RETURN: "give it back",
    Command.IDENTIFICATION: "who are you?",
    Command.HOLD: "hold it",
    Command.BILL_TABLE: "which notes do you know?",
}
ROUTINE = {State.IDLING: "waits", State.DISABLED: "is closed", State.HOLDING: "holds it", State.BUSY: "is busy"}
OF_A_NOTE = {
    State.ESCROW: "{} waits in escrow",
    State.STACKED: "{} is in the box",
    State.RETURNED: "{} was given back",
}


class CcnetWords(FrameWords[Frame]):
    """A line with one validator."""

    def __init__(self) -> None:
        super().__init__(Decoder)
        self._asked = 0
        self._worth: dict[int, Money] = {}

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame.body == wire.ACK:
            return HEARD
        if frame.body == wire.NAK:
            return asks("that was not understood")
        self._asked = frame.body[0]
        if self._asked == Command.POLL:
            return HOW_ARE_YOU
        if self._asked == Command.ENABLE:
            return self._enabling(frame.body)
        known = ORDERS.get(Command(self._asked)) if self._asked in set(Command) else None
        return asks(known or f"something else ({hexadecimal(frame.body)})")

    def _enabling(self, body: bytes) -> Said:
        types = wire.enabled_types(body)
        if not types:
            return asks("take nothing")
        return asks(f"take {', '.join(note(self._worth.get(kind), kind) for kind in sorted(types))}")

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        body = frame.body
        if body == wire.ACK:
            return YES
        if body in {wire.NAK, wire.ILLEGAL}:
            return says("not now" if body == wire.ILLEGAL else "that was not understood")
        match self._asked:
            case Command.IDENTIFICATION if who := wire.identification(body):
                return says(f"{who.part}, serial number {who.serial}")
            case Command.BILL_TABLE if (table := wire.bill_table(body)) is not None:
                self._worth = {kind: worth for kind, bill in table.items() if (worth := worth_of(bill))}
                return says(f"notes of {', '.join(plain(worth) for worth in self._worth.values())}")
            case Command.POLL if state := wire.answer(body):
                return self._state(state)
            case _:
                return Said(from_host=False, text=f"data ({hexadecimal(body)})", routine=True)

    def _state(self, said: Answer) -> Said:
        state, code = said.state, f"{said.state:02X}"
        if state in FAULTS:
            return fault(FAULTS[state], code)
        if state is State.FAILURE:
            return says(f"a failure (code {code} {said.detail or 0:02X})")
        if state is State.REJECTING:
            return says(f"rejects it (reason {said.detail or 0:02X})")
        if state in OF_A_NOTE:
            kind = said.detail
            return says(OF_A_NOTE[state].format(note(self._worth.get(kind) if kind is not None else None, kind)))
        routine = ROUTINE.get(state)
        return Said(from_host=False, text=routine, routine=True) if routine else says(named(state))
