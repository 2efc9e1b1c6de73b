"""EBDS in plain words. Every poll is an order, so it is told when the order changes."""

from devices.ebds import meaning, notes, wire
from devices.ebds.wire import Answer, Aux, Decoder, Extended, Frame, Kind, Mode, State
from devices.words import FrameWords, Said, asks, fault, hexadecimal, named, says
from kiosk.amount import Money, plain

OMNIBUS_BYTES = 3
ASKED = {
    Aux.ACCEPTOR_TYPE: "what are you?",
    Aux.SERIAL_NUMBER: "which serial number have you?",
    Aux.APPLICATION_PART_NUMBER: "which program have you?",
    Aux.VARIANT_NAME: "which notes are you made for?",
    Aux.SOFT_RESET: "begin anew",
}
STATES = (
    (State.ESCROWED, "{} waits in escrow"),
    (State.STACKED, "{} is in the box"),
    (State.RETURNED, "it was given back"),
    (State.ACCEPTING, "draws it in"),
    (State.STACKING, "moves it into the box"),
    (State.RETURNING, "gives it back"),
)


class EbdsWords(FrameWords[Frame]):
    """A line with one acceptor."""

    def __init__(self) -> None:
        super().__init__(Decoder)
        self._ordered = b""
        self._table: dict[int, Money] = {}
        self._told: set[str] = set()

    def question(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        data = frame.data
        if frame.kind is Kind.OMNIBUS_COMMAND and len(data) == OMNIBUS_BYTES:
            changed, self._ordered = data != self._ordered, data
            return Said(from_host=True, text=f"how are you? {_order(data)}", routine=not changed)
        if frame.kind is Kind.AUXILIARY and data[-1:] == bytes((Aux.SOFTWARE_CRC,)):
            return Said(from_host=True, text="are you there?", routine=True)
        if frame.kind is Kind.AUXILIARY and data and data[-1] in set(Aux):
            text = ASKED.get(Aux(data[-1]), named(Aux(data[-1])))
            return Said(from_host=True, text=text, routine=self._again(text))
        if frame.kind is Kind.EXTENDED and data and data[0] in set(Extended):
            text = f"about the {named(Extended(data[0]))}"
            return Said(from_host=True, text=text, routine=self._again(text))
        return asks(f"something else ({hexadecimal(data)})")

    def answer(self, frame: Frame) -> Said:
        """As promised by FrameWords."""
        if frame.kind is Kind.AUXILIARY:
            printed = wire.text(frame.data)
            return Said(from_host=False, text=printed or "I am", routine=not printed or self._again(printed))
        said = wire.answer(frame)
        if said is None:
            return says(f"something else ({hexadecimal(frame.data)})")
        if frame.kind is Kind.EXTENDED and not said.details:
            return self._extended(frame.data)
        return self._state(said)

    def _again(self, text: str) -> bool:
        """Who it is, it is asked with every poll: that is news only once."""
        again = text in self._told
        self._told.add(text)
        return again

    def _extended(self, data: bytes) -> Said:
        line = notes.line(data[1 + wire.STATUS_BYTES :][: notes.LINE_BYTES])
        worth = notes.money(line) if line else None
        if line is None or worth is None:
            return Said(from_host=False, text="nothing more is in the table", routine=True)
        self._table[line.index] = worth
        return says(f"note {line.index} is worth {plain(worth)}")

    def _state(self, said: Answer) -> Said:
        broken = meaning.broken(said, starting=False, started=False)
        if broken:
            return fault(broken.fault, broken.vendor_code)
        line = notes.line(said.details[: notes.LINE_BYTES]) if said.details else None
        worth = notes.money(line) if line else self._table.get(said.value)
        called = plain(worth) if worth else f"note type {said.value}" if said.value else "a note"
        sentence = next((text for bit, text in STATES if bit in said.state), None)
        if sentence is None:
            return Said(from_host=False, text="waits", routine=True)
        return says(sentence.format(called))


def _order(data: bytes) -> str:
    mask, mode = data[0], Mode(data[1] & (Mode.STACK | Mode.RETURN))
    if Mode.STACK in mode:
        return "put it into the box"
    if Mode.RETURN in mode:
        return "give it back"
    return f"take notes (mask {mask:02X})" if mask else "take nothing"
