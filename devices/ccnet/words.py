"""CCNET in plain words. An answer does not say what it answers, so the last question decides."""

from devices.ccnet import wire
from devices.ccnet.driver import FAILURES, FAULTS, REASONS, worth_of
from devices.ccnet.wire import Answer, Command, Decoder, Frame, State
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
    Command.GET_STATUS: "what do you take?",
    Command.SET_SECURITY: "be as strict as this",
    Command.STACK: "put it into the box",
    Command.RETURN: "give it back",
    Command.IDENTIFICATION: "who are you?",
    Command.HOLD: "hold it",
    Command.BILL_TABLE: "which notes do you know?",
}
ROUTINE = {State.IDLING: "waits", State.DISABLED: "is closed", State.HOLDING: "holds it", State.BUSY: "is busy"}
SENTENCES = {
    State.POWER_UP: "has just got power",
    State.POWER_UP_IN_VALIDATOR: "has just got power, with a note inside",
    State.POWER_UP_IN_STACKER: "has just got power, with a note on its way into the box",
    State.INITIALISE: "starts up",
    State.ACCEPTING: "draws it in",
    State.STACKING: "moves it into the box",
    State.RETURNING: "gives it back",
}
OF_A_NOTE = {
    State.ESCROW: "waits in escrow",
    State.STACKED: "is in the box",
    State.RETURNED: "was given back",
}


class CcnetWords(FrameWords[Frame]):
    """A line with one validator."""

    def __init__(self) -> None:
        super().__init__(Decoder, wire.encode)
        self._asked = 0
        self._worth: dict[int, Money] = {}

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        body = frame.body
        if body == wire.ACK:
            return HEARD
        if body == wire.NAK:
            return asks("that was not understood")
        self._asked = body[0]
        if self._asked == Command.POLL:
            return HOW_ARE_YOU
        if (types := wire.enabled_types(body)) is not None:
            return asks(f"take {listed(types, self._worth)}" if types else "take nothing")
        return asks(ORDERS.get(Command(body[0]), "") if body[0] in ORDERS else f"something else ({hexadecimal(body)})")

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        body = frame.body
        if body == wire.ACK:
            return YES
        if body in {wire.NAK, wire.ILLEGAL}:
            return says("not now" if body == wire.ILLEGAL else "that was not understood")
        match self._asked:
            case Command.IDENTIFICATION if who := wire.identification(body):
                return says(f"I am {who.part}, serial number {who.serial}")
            case Command.BILL_TABLE if (table := wire.bill_table(body)) is not None:
                self._worth = {kind: worth for kind, bill in table.items() if (worth := worth_of(bill))}
                return says(f"notes of {listed(self._worth, self._worth)}" if self._worth else "no notes")
            case Command.POLL if state := wire.answer(body):
                return self._state(state)
            case _:
                return says(f"data ({hexadecimal(body)})", routine=True)

    def _state(self, said: Answer) -> Said:
        state, kind = said.state, said.detail
        code = f"{state:02X}" if kind is None else f"{state:02X}{kind:02X}"
        if state in FAULTS:
            known = FAILURES.get(kind or 0, FAULTS[state]) if state is State.FAILURE else FAULTS[state]
            return self.fold.state(says(fault(known, code)), broken=True)
        if state in ROUTINE:
            return self.fold.state(says(ROUTINE[state], routine=True))
        if state is State.REJECTING:
            text = f"rejects it: {named(REASONS.get(kind or 0, 'for a reason of its own'))} (code {code})"
        elif state in OF_A_NOTE:
            text = f"{piece(self._worth.get(kind or 0), kind)} {OF_A_NOTE[state]}"
        else:
            text = SENTENCES.get(state, named(state))
        return self.fold.state(says(text))
