"""ICT in plain words. What a type of note is worth, nobody says on this line."""

from devices.ict.driver import FAULTS
from devices.ict.wire import WORDS, Command, Decoder, Message, Noise, Word
from devices.words import HOW_ARE_YOU, Said, asks, fault, named, note, says

ORDERS = {
    Command.ACCEPT: "yes: go on, or put it into the box",
    Command.REJECT: "give it back",
    Command.HOLD: "hold it",
    Command.RESET: "begin anew",
    Command.ENABLE: "take notes",
    Command.DISABLE: "take nothing",
}
SENTENCES = {
    Word.STACKED: "it is in the box",
    Word.FAILED: "it could not be put into the box",
    Word.BILL_REMOVE: "it was taken out of the mouth",
    Word.BILL_REJECT: "it is given back",
    Word.EXCLUDED: "nothing is wrong any more",
    Word.POWER_UP: "I have just got power",
    Word.WAITING: "I wait for a yes",
}
ROUTINE = {Word.ENABLED: "is open", Word.DISABLED: "is closed", Word.BUSY: "is busy"}


class IctWords:
    """A line with one validator: single bytes, and no frames."""

    def __init__(self) -> None:
        self._decoder = Decoder()

    def hear(self, from_host: bool, data: bytes) -> list[Said]:  # noqa: FBT001 - as promised by Words
        """As promised by Words."""
        if from_host:
            return [_question(byte) for byte in data]
        return [_answer(heard) for heard in self._decoder.feed(data)]


def _question(byte: int) -> Said:
    if byte == Command.POLL:
        return HOW_ARE_YOU
    return asks(ORDERS[Command(byte)] if byte in set(Command) else f"something else ({byte:02X})")


def _answer(heard: Message | Noise) -> Said:
    if isinstance(heard, Noise):
        return says(f"a byte that says nothing ({heard.byte:02X})")
    word = WORDS[heard.word]
    if word in FAULTS:
        return fault(FAULTS[word], f"{word:02X}")
    if word is Word.ESCROW:
        return says(f"{note(None, heard.kind)} waits in escrow")
    routine = ROUTINE.get(word)
    return Said(from_host=False, text=routine, routine=True) if routine else says(SENTENCES.get(word, named(word)))
