"""ICT in plain words: single bytes, and no frames. What a type of note is worth, nobody says on this line."""

from devices.ict.driver import FAULTS
from devices.ict.wire import WORDS, Command, Decoder, Heard, Noise, Word
from devices.words import HOW_ARE_YOU, Fold, Said, asks, fault, named, piece, says

ORDERS = {
    Command.REJECT: "give it back",
    Command.HOLD: "hold it",
    Command.RESET: "begin anew",
    Command.ENABLE: "take notes",
    Command.DISABLE: "take nothing",
}
SENTENCES = {
    Word.STACKED: "is in the box",
    Word.FAILED: "is not in the box",
    Word.BILL_REMOVE: "was taken out of the mouth",
    Word.BILL_REJECT: "goes back",
}
STATES = {
    Word.EXCLUDED: "nothing is wrong any more",
    Word.POWER_UP: "has just got power",
    Word.WAITING: "waits for a yes",
    Word.INVALID_COMMAND: "that was not understood",
}
ROUTINE = {Word.ENABLED: "is open", Word.DISABLED: "is closed", Word.BUSY: "is busy"}


class IctWords:
    """A line with one validator. It speaks by itself too: nothing that the host says ends what it says."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._fold = Fold()
        self._kind: int | None = None  # of the note in its path
        self._goes_back = False  # the host wants that

    def hear(self, from_host: bool, data: bytes) -> list[Said]:  # noqa: FBT001 - as promised by Words
        """As promised by Words."""
        told = [self._question(byte) for byte in data] if from_host else map(self._answer, self._decoder.feed(data))
        return [self._fold.repeated(said) for said in told]

    def _question(self, byte: int) -> Said:
        if byte == Command.POLL:
            return HOW_ARE_YOU
        self._goes_back = byte == Command.REJECT
        if byte == Command.ACCEPT:
            return asks("put it into the box" if self._kind else "yes, go on")
        return asks(ORDERS[Command(byte)] if byte in ORDERS else f"a byte that says nothing ({byte:02X})")

    def _answer(self, heard: Heard) -> Said:
        if isinstance(heard, Noise):
            return says(f"a byte that says nothing ({heard.byte:02X})")
        word = WORDS[heard.word]
        if word in FAULTS:
            return self._fold.state(says(fault(FAULTS[word], f"{word:02X}")), broken=True)
        if word in ROUTINE:
            return self._fold.state(says(ROUTINE[word], routine=True))
        if word is Word.ESCROW:
            self._kind = heard.kind
            return self._fold.state(says(f"{piece(None, heard.kind)} waits in escrow"))
        if word in SENTENCES:
            note, self._kind = piece(None, self._kind), None
            refused = word is Word.FAILED and self._goes_back
            return self._fold.state(says(f"{note} {'was given back' if refused else SENTENCES[word]}"))
        return self._fold.state(says(STATES.get(word, named(word))))
