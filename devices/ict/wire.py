"""ICT bytes: to messages and back; nothing here knows what a message means.

There is no frame, no length and no check. Most messages are one byte. A power-up is `80 8F`, and a note in escrow is
`81` and its type, with an `8F` between them when ICT106 speaks of it by itself. Types begin at `40`.
"""

from enum import IntEnum

from msgspec import Struct

SECOND = 0x8F  # of a power-up; also between the two bytes of an escrow
TYPE_BASE = 0x3F  # + the number of the type, from 1
TYPES = 16


class Command(IntEnum):
    """What the host sends."""

    ACCEPT = 0x02  # the note in escrow; and the answer to a power-up
    POLL = 0x0C
    REJECT = 0x0F
    HOLD = 0x18
    RESET = 0x30
    ENABLE = 0x3E
    DISABLE = 0x5E


class Word(IntEnum):
    """What the device says: the first byte of a message."""

    STACKED = 0x10
    FAILED = 0x11
    MOTOR_FAILURE = 0x20
    CHECKSUM_ERROR = 0x21
    BILL_JAM = 0x22
    BILL_REMOVE = 0x23
    STACKER_OPEN = 0x24
    SENSOR_PROBLEM = 0x25
    COMMUNICATION_FAILED = 0x26  # ICT106: the host let the time run out, three notes running
    BILL_FISH = 0x27
    STACKER_PROBLEM = 0x28
    BILL_REJECT = 0x29
    INVALID_COMMAND = 0x2A
    EXCLUDED = 0x2F  # the error is over
    ENABLED = 0x3E
    DISABLED = 0x5E
    BUSY = 0x71  # ICT106
    POWER_UP = 0x80
    ESCROW = 0x81
    WAITING = 0xA1  # ICT106: for the answer to its power-up


class Generation(Struct, frozen=True):
    """A generation of the protocol. `explicit`: a poll is also answered with BUSY, WAITING and ESCROW."""

    name: str
    explicit: bool


ICT104 = Generation("ICT104", explicit=False)
ICT106 = Generation("ICT106", explicit=True)


class Message(Struct, frozen=True):
    """Something that the device says; `kind` is the type of a note in escrow, from 1."""

    word: Word
    kind: int = 0


class Noise(Struct, frozen=True):
    """A byte that belongs to no message."""

    byte: int


Heard = Message | Noise

WORDS = {word.value: word for word in Word}
LONGER = {Word.POWER_UP, Word.ESCROW}


def encode(message: Message, *, marked: bool = False) -> bytes:
    """The bytes of a message. `marked`: as ICT106 speaks of an escrow by itself."""
    match message.word:
        case Word.POWER_UP:
            return bytes((Word.POWER_UP, SECOND))
        case Word.ESCROW:
            kind = TYPE_BASE + message.kind
            return bytes((Word.ESCROW, SECOND, kind) if marked else (Word.ESCROW, kind))
        case word:
            return bytes((word,))


class Decoder:
    """Finds messages in a stream that may begin in the middle of one, or hold anything at all."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Heard]:
        """What is whole now."""
        self._bytes += data
        heard: list[Heard] = []
        while self._bytes:
            length = _length(self._bytes)
            if length > len(self._bytes):
                break
            heard.append(_message(self._bytes, length))
            del self._bytes[: max(length, 1)]
        return heard

    def drop(self) -> list[Heard]:
        """The rest will not come: what is there is noise."""
        rest: list[Heard] = [Noise(byte) for byte in self._bytes]
        self._bytes.clear()
        return rest


def _length(start: bytearray) -> int:
    """How many bytes the message at the start has; 0: none begins here."""
    if start[0] not in LONGER:
        return 1 if start[0] in WORDS else 0
    if len(start) == 1:
        return 2
    if start[0] == Word.POWER_UP:
        return 2 if start[1] == SECOND else 0
    if start[1] == SECOND:
        return 3 if len(start) == 2 or _is_type(start[2]) else 0  # noqa: PLR2004 - the third byte is not there yet
    return 2 if _is_type(start[1]) else 0


def _is_type(byte: int) -> bool:
    return 1 <= byte - TYPE_BASE <= TYPES


def _message(data: bytearray, length: int) -> Heard:
    if length == 0:
        return Noise(data[0])
    word = WORDS[data[0]]
    return Message(word, data[length - 1] - TYPE_BASE if word is Word.ESCROW else 0)
