"""EBDS in plain words. Every poll is an order too: it is told when the order changes."""

from devices.ebds import meaning, notes, wire
from devices.ebds.wire import Answer, Aux, Decoder, Exceptional, Extended, Frame, Kind, Mode, State, Status
from devices.words import HOW_ARE_YOU, FrameWords, Said, amount, asks, fault, hexadecimal, listed, piece, says
from kiosk.amount import Money

ORDER_BYTES = 3
ALL = 0x7F  # the mask of a host that enables notes one by one
QUESTIONS = {
    Aux.SOFTWARE_CRC: "are you there?",
    Aux.ACCEPTOR_TYPE: "what are you?",
    Aux.SERIAL_NUMBER: "which serial number have you?",
    Aux.BOOT_PART_NUMBER: "which boot program have you?",
    Aux.APPLICATION_PART_NUMBER: "which program have you?",
    Aux.VARIANT_NAME: "which notes are you made for?",
    Aux.VARIANT_PART_NUMBER: "which data set have you?",
    Aux.SOFT_RESET: "begin anew",
}
ANSWERS = {
    Aux.ACCEPTOR_TYPE: "I am {}",
    Aux.SERIAL_NUMBER: "serial number {}",
    Aux.BOOT_PART_NUMBER: "boot program {}",
    Aux.APPLICATION_PART_NUMBER: "program {}",
    Aux.VARIANT_NAME: "made for {}",
    Aux.VARIANT_PART_NUMBER: "data set {}",
}
OF_A_NOTE = {State.ESCROWED: "waits in escrow", State.STACKED: "is in the box", State.RETURNED: "was given back"}
STATES = {
    State.ACCEPTING: "draws it in",
    State.STACKING: "moves it into the box",
    State.RETURNING: "gives it back",
}


class EbdsWords(FrameWords[Frame]):
    """A line with one acceptor."""

    def __init__(self) -> None:
        super().__init__(Decoder, wire.encode)
        self._asked: Frame | None = None
        self._told: dict[Aux, str] = {}  # who it is, it is asked with every poll: that is news only once
        self._mask: int | None = None
        self._action = Mode.NONE
        self._worth: dict[int, Money] = {}
        self._note = "a note"  # in its path; how it ended, it may say without its value

    # The host --------------------------------------------------------------------------------------------------------

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        self._asked = frame
        match frame.kind:
            case Kind.OMNIBUS_COMMAND if len(frame.data) == ORDER_BYTES:
                return self._order(frame.data)
            case Kind.AUXILIARY if (asked := _aux(frame)) is not None:
                known = asked is Aux.SOFTWARE_CRC or asked in self._told
                return asks(QUESTIONS[asked], routine=known)
            case Kind.EXTENDED if len(frame.data) > ORDER_BYTES:
                return self._special(frame.data[0], frame.data[1 + ORDER_BYTES :])
            case kind:
                return asks(f"something else ({kind:02X} {hexadecimal(frame.data)})")

    def _order(self, data: bytes) -> Said:
        mask, action = data[0], Mode(data[1]) & (Mode.STACK | Mode.RETURN)
        before, self._mask = (self._mask, self._action), mask
        self._action = action
        if action:
            text = "give it back" if Mode.RETURN in action else "put it into the box"
            return asks(text, routine=before[1] == action)
        if mask == before[0]:
            return HOW_ARE_YOU
        if mask == ALL:
            return asks("take notes")
        values = {place + 1 for place in range(notes.VALUES) if mask >> place & 1}
        return asks(f"take {listed(values, self._worth)}" if values else "take nothing")

    def _special(self, command: int, data: bytes) -> Said:
        match command:
            case Extended.NOTE_SPECIFICATION if data:
                return asks(f"what is note type {data[0]} worth?", routine=True)
            case Extended.NOTE_INHIBITS:
                wanted = notes.enabled(data)
                return asks(f"by notes, mean {listed(wanted, self._worth)}" if wanted else "by notes, mean none")
            case Extended.ESCROW_TIMEOUT if data:
                return asks(f"give a note back after {data[0]} seconds")
            case Extended.VALUE_TABLE:
                return asks("which notes do you know?")
            case _:
                return asks(f"something else ({command:02X} {hexadecimal(data)})")

    # The device ------------------------------------------------------------------------------------------------------

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame == self._asked:
            return says("the question comes back", routine=True)
        if frame.kind is Kind.AUXILIARY:
            return self._who(frame)
        said = wire.answer(frame)
        if said is None:
            return says(f"something else ({frame.kind:02X} {hexadecimal(frame.data)})")
        if frame.kind is Kind.EXTENDED and not said.details:
            return self._table(frame.data[0], frame.data[1 + wire.STATUS_BYTES :]) or self._state(said)
        return self._state(said)

    def _who(self, frame: Frame) -> Said:
        asked, text = self._asked and _aux(self._asked), wire.text(frame.data)
        if asked is None or asked not in ANSWERS or not text:
            return says("yes", routine=True)
        before, self._told[asked] = self._told.get(asked), text
        return says(ANSWERS[asked].format(text), routine=text == before)

    def _table(self, command: int, data: bytes) -> Said | None:
        lines = notes.value_table(data) if command == Extended.VALUE_TABLE else None
        if lines is not None:
            self._worth = {line.index: worth for line in lines if (worth := notes.money(line))}
            return says(f"notes of {listed(self._worth, self._worth)}" if self._worth else "no notes")
        if command != Extended.NOTE_SPECIFICATION:
            return None
        line = notes.line(data)
        worth = notes.money(line) if line else None
        if line is None or worth is None:
            return says("nothing more", routine=True)
        before, self._worth[line.index] = self._worth.get(line.index), worth
        return says(f"note type {line.index} is worth {amount(worth)}", routine=worth == before)

    def _state(self, said: Answer) -> Said:
        starting = Exceptional.POWER_UP in said.exceptional
        ended = said.state & meaning.ENDS
        broken = None if ended else meaning.broken(said, starting=starting, started=False)
        if broken:
            return self.fold.state(says(fault(broken.fault, broken.vendor_code)), broken=True)
        return self.fold.state(self._moving(said) if ended or not starting else says("has just got power"))

    def _moving(self, said: Answer) -> Said:
        if (state := next((state for state in OF_A_NOTE if state in said.state), None)) is not None:
            if state is State.ESCROWED or said.details:
                self._note = self._called(said)
            return says(f"{self._note} {OF_A_NOTE[state]}")
        if Status.REJECTED in said.status:
            return says("rejects it")
        if Exceptional.INVALID_COMMAND in said.exceptional:
            return says("that was not understood")
        text = next((text for state, text in STATES.items() if state in said.state), None)
        return says(text) if text else says("waits", routine=True)

    def _called(self, said: Answer) -> str:
        line = notes.line(said.details)
        return piece(notes.money(line) if line else self._worth.get(said.value), line.index if line else said.value)


def _aux(frame: Frame) -> Aux | None:
    """Which question it is, if it is one that we know."""
    code = frame.data[-1] if frame.kind is Kind.AUXILIARY and frame.data else None
    return Aux(code) if code in set(Aux) else None
