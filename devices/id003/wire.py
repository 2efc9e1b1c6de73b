"""ID-003 frames: bytes to messages and back; nothing here knows what a message means.

`FC LEN CODE data CRClo CRChi`, where LEN counts the whole frame. The check is CRC-16/KERMIT over everything before it.
A code means one thing when the controller says it and another when the acceptor does: only the direction tells.
"""

import re
from enum import IntEnum

from msgspec import Struct

from devices.crc import kermit
from devices.frames import FrameFinder

SYNC = 0xFC
OVERHEAD = 5  # SYNC, LEN, the code and the check: a frame without data
FRAME_MAX = 200  # longer than anything that an acceptor says; SYNC in the place of LEN is a SYNC too many


class Command(IntEnum):
    """What the controller sends."""

    STATUS_REQUEST = 0x11
    RESET = 0x40
    STACK_1 = 0x41  # VEND VALID once the note has passed the stacker's lever
    STACK_2 = 0x42  # VEND VALID once the note is in the stacker
    RETURN = 0x43
    HOLD = 0x44
    ACK = 0x50
    ENABLED = 0x80  # what was set with C0; likewise the following
    SECURE = 0x81
    MODE = 0x82
    INHIBITED = 0x83
    DIRECTIONS = 0x84
    VERSION = 0x88
    CURRENCY_ASSIGN = 0x8A
    SET_ENABLE = 0xC0
    SET_SECURITY = 0xC1
    SET_MODE = 0xC2
    SET_INHIBIT = 0xC3
    SET_DIRECTION = 0xC4


class Reply(IntEnum):
    """What the acceptor answers that is no status. Settings and requests are answered under their own code."""

    ENQ = 0x05  # in interrupt mode: ask me
    COMMUNICATION_ERROR = 0x4A
    INVALID_COMMAND = 0x4B
    ACK = 0x50


class State(IntEnum):
    """The code of an answer to STATUS REQUEST."""

    IDLE = 0x11
    ACCEPTING = 0x12
    ESCROW = 0x13
    STACKING = 0x14
    VEND_VALID = 0x15
    STACKED = 0x16
    REJECTING = 0x17
    RETURNING = 0x18
    HOLDING = 0x19
    DISABLED = 0x1A
    INITIALISE = 0x1B
    POWER_UP = 0x40
    POWER_UP_IN_ACCEPTOR = 0x41
    POWER_UP_IN_STACKER = 0x42
    STACKER_FULL = 0x43
    STACKER_OPEN = 0x44
    ACCEPTOR_JAM = 0x45
    STACKER_JAM = 0x46
    PAUSE = 0x47
    CHEATED = 0x48
    FAILURE = 0x49


BARCODE = 0x6F  # in the place of a denomination: a ticket, whose characters follow
NONE, ONE, PERHAPS_ONE = {0}, {1}, {0, 1}
LENGTHS = {  # of the data of a status, where there may be any
    State.ESCROW: ONE,  # the denomination
    State.VEND_VALID: PERHAPS_ONE,  # likewise, on newer units
    State.STACKED: PERHAPS_ONE,  # where to, on recyclers
    State.REJECTING: PERHAPS_ONE,  # why
    State.FAILURE: PERHAPS_ONE,  # which
}


class Frame(Struct, frozen=True):
    """One frame, in either direction."""

    code: int
    data: bytes = b""


class Status(Struct, frozen=True):
    """An answer to STATUS REQUEST."""

    state: State
    detail: int | None = None


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    start = bytes((SYNC, len(frame.data) + OVERHEAD, frame.code)) + frame.data
    return start + kermit(start).to_bytes(2, "little")


class Decoder(FrameFinder[Frame]):
    """Finds frames in a stream."""

    def __init__(self) -> None:
        super().__init__(_length, _frame)


def _length(start: bytearray) -> int:
    """How long the frame at the start says that it is, at least; 0: none begins here."""
    if start[0] != SYNC:
        return 0
    if len(start) == 1:
        return OVERHEAD
    return start[1] if OVERHEAD <= start[1] <= FRAME_MAX else 0


def _frame(data: bytes) -> Frame | None:
    start, check = data[:-2], data[-2:]
    if kermit(start).to_bytes(2, "little") != check:
        return None
    return Frame(start[2], start[3:])


# What stands in some frames ------------------------------------------------------------------------------------------


def status(frame: Frame) -> Status | None:
    """How the acceptor says that it is; None: there is no such state, or it is not as long as that."""
    try:
        state = State(frame.code)
    except ValueError:
        return None
    ticket = state is State.ESCROW and frame.data[:1] == bytes((BARCODE,))
    if len(frame.data) not in LENGTHS.get(state, NONE) and not ticket:
        return None
    return Status(state, frame.data[0] if frame.data else None)


FIRST_DENOMINATION = 0x61
DENOMINATIONS = 16  # that SET ENABLE can name
NAMED = 8  # by its first byte; the second one is not used by older units
NOTE_BYTES = 4


def enable_data(wanted: frozenset[int], known: frozenset[int]) -> bytes:
    """Take the wanted denominations and no others: 1 is disabled, and 61 is bit 0 of the first byte."""
    older = range(FIRST_DENOMINATION, FIRST_DENOMINATION + NAMED)
    disabled = {code - FIRST_DENOMINATION for code in {*older, *known} - wanted}
    return sum(1 << place for place in disabled if place < DENOMINATIONS).to_bytes(2, "little")


def enabled(data: bytes) -> frozenset[int] | None:
    """The denominations that such data leaves enabled; None if it is none."""
    if len(data) != DENOMINATIONS // 8:
        return None
    mask = int.from_bytes(data, "little")
    return frozenset(FIRST_DENOMINATION + place for place in range(DENOMINATIONS) if not mask >> place & 1)


class Note(Struct, frozen=True):
    """One line of a currency table: `value` times 10 ** `exponent` of that country's money."""

    denomination: int
    country: int
    value: int
    exponent: int


def currency_table(data: bytes) -> tuple[Note, ...] | None:
    """The table without its empty lines; None if it is none, or names a denomination twice."""
    if len(data) % NOTE_BYTES:
        return None
    notes = [Note(*data[start : start + NOTE_BYTES]) for start in range(0, len(data), NOTE_BYTES)]
    if len({note.denomination for note in notes}) < len(notes):
        return None
    return tuple(note for note in notes if note.value)


def currency_table_data(notes: tuple[Note, ...]) -> bytes:
    """The same table as bytes; the first eight denominations always have a line."""
    given = {note.denomination: note for note in notes}
    codes = sorted({*range(FIRST_DENOMINATION, FIRST_DENOMINATION + NAMED), *given})
    lines = (given.get(code, Note(code, 0, 0, 0)) for code in codes)
    return b"".join(bytes((note.denomination, note.country, note.value, note.exponent)) for note in lines)


VERSION = re.compile(r"(?P<model>.+?)\s+\(?ID-?003(?:-\d\d)?\)?\s*(?P<firmware>[Vv]?\S+)", re.ASCII)


class Version(Struct, frozen=True):
    """Which model with which firmware; the protocol has no serial number."""

    model: str
    firmware: str


def version(data: bytes) -> Version | None:
    """What a version says, as in "i(EUR5)100-SS ID003-05V300-45 28JUN23 7F23"; None if it says nothing."""
    text = "".join(char if char.isprintable() else " " for char in data.decode("latin-1")).strip()
    match = VERSION.match(text)
    if match is not None:
        return Version(match["model"], match["firmware"])
    model, _, rest = text.partition(" ")
    return Version(model, rest.strip()) if model else None
