"""CCNET frames: bytes to messages and back; nothing here knows what a message means.

`02 ADR LEN body CRClo CRChi`, where LEN counts the whole frame. With LEN 0 the length follows the first two bytes of
the body, high byte first. The check is CRC-16/KERMIT over everything before it.
"""

from enum import IntEnum

from msgspec import Struct

from devices.crc import kermit
from devices.frames import FrameFinder

SYNC = 0x02
OVERHEAD = 5  # SYNC, ADR, LEN and the check
SHORT_MAX = 250  # bytes of a frame whose length stands in LEN
LONG_OVERHEAD = 7  # with the two bytes of a long length
LONG_AT = 5  # where those stand
FRAME_MAX = 1024  # longer than any validator sends: a length beyond it is noise

VALIDATOR = 0x03  # the address of a bill validator
ACK = b"\x00"
NAK = b"\xff"
ILLEGAL = b"\x30"  # what a device answers to a command that it does not take now


class Command(IntEnum):
    """What the controller sends to a validator."""

    RESET = 0x30
    GET_STATUS = 0x31
    SET_SECURITY = 0x32
    POLL = 0x33
    ENABLE = 0x34
    STACK = 0x35
    RETURN = 0x36
    IDENTIFICATION = 0x37
    HOLD = 0x38
    BILL_TABLE = 0x41


class State(IntEnum):
    """The first byte of an answer to POLL."""

    POWER_UP = 0x10
    POWER_UP_IN_VALIDATOR = 0x11
    POWER_UP_IN_STACKER = 0x12
    INITIALISE = 0x13
    IDLING = 0x14
    ACCEPTING = 0x15
    STACKING = 0x17
    RETURNING = 0x18
    DISABLED = 0x19
    HOLDING = 0x1A
    BUSY = 0x1B
    REJECTING = 0x1C
    CASSETTE_FULL = 0x41
    CASSETTE_OUT = 0x42
    JAMMED = 0x43
    CASSETTE_JAMMED = 0x44
    CHEATED = 0x45
    PAUSE = 0x46
    FAILURE = 0x47
    ESCROW = 0x80
    STACKED = 0x81
    RETURNED = 0x82


ONE, TWO, EITHER = {1}, {2}, {1, 2}
LENGTHS = {  # of an answer to POLL, where it is not one byte
    State.HOLDING: EITHER,
    State.BUSY: EITHER,  # for how many tenths of a second
    State.REJECTING: EITHER,  # why
    State.FAILURE: EITHER,  # which
    State.ESCROW: TWO,  # the bill type; so in the two that follow
    State.STACKED: TWO,
    State.RETURNED: EITHER,
}


class Answer(Struct, frozen=True):
    """An answer to POLL."""

    state: State
    detail: int | None = None


class Frame(Struct, frozen=True):
    """One frame, to or from the device at that address."""

    address: int
    body: bytes


class Bill(Struct, frozen=True):
    """One line of a bill table: `digit` times 10 ** `exponent` of that country's money."""

    digit: int
    country: str
    exponent: int


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    body = frame.body
    if len(body) + OVERHEAD <= SHORT_MAX:
        start = bytes((SYNC, frame.address, len(body) + OVERHEAD)) + body
    else:
        length = (len(body) + LONG_OVERHEAD).to_bytes(2, "big")
        start = bytes((SYNC, frame.address, 0)) + body[:2] + length + body[2:]
    return start + kermit(start).to_bytes(2, "little")


class Decoder(FrameFinder[Frame]):
    """Finds frames in a stream."""

    def __init__(self) -> None:
        super().__init__(_length, _frame)


def _length(start: bytearray) -> int:
    """How long the frame at the start says that it is, at least; 0: none begins here."""
    if start[0] != SYNC:
        return 0
    if len(start) <= 2:  # noqa: PLR2004 - LEN is the third byte
        return OVERHEAD
    length = start[2]
    if length == 0:
        if len(start) < LONG_AT + 2:
            return LONG_AT + 2
        length = int.from_bytes(start[LONG_AT : LONG_AT + 2], "big")
        return length if LONG_OVERHEAD + 2 <= length <= FRAME_MAX else 0
    return length if length > OVERHEAD else 0


def _frame(data: bytes) -> Frame | None:
    start, check = data[:-2], data[-2:]
    if kermit(start).to_bytes(2, "little") != check:
        return None
    body = start[3:] if start[2] else start[3:LONG_AT] + start[LONG_AT + 2 :]
    return Frame(start[1], body)


# What stands in some bodies ------------------------------------------------------------------------------------------


def answer(body: bytes) -> Answer | None:
    """How the device says that it is; None: there is no such state, or it is not as long as that."""
    try:
        state = State(body[0])
    except (IndexError, ValueError):
        return None
    if len(body) not in LENGTHS.get(state, ONE):
        return None
    return Answer(state, body[1] if len(body) > 1 else None)


BILL_TYPES = 24
BILL_BYTES = 5
NEGATIVE = 0x80  # bit 7 of the exponent: so many places behind the point
PART_BYTES, SERIAL_BYTES, ASSET_BYTES = 15, 12, 7


def enable_body(types: frozenset[int]) -> bytes:
    """Take these bill types, each of them by way of escrow. Type 0 is bit 0 of the third byte."""
    mask = sum(1 << kind for kind in types).to_bytes(3, "big")
    return bytes((Command.ENABLE,)) + mask + mask


def enabled_types(body: bytes) -> frozenset[int] | None:
    """The types that such a body enables; None if it is none."""
    if len(body) != 7 or body[0] != Command.ENABLE:  # noqa: PLR2004 - the command and two masks
        return None
    mask = int.from_bytes(body[1:4], "big")
    return frozenset(kind for kind in range(BILL_TYPES) if mask >> kind & 1)


def bill_table(body: bytes) -> dict[int, Bill] | None:
    """The table by bill type, without its empty lines; None if it is none."""
    if len(body) != BILL_TYPES * BILL_BYTES:
        return None
    bills: dict[int, Bill] = {}
    for kind in range(BILL_TYPES):
        digit, *country, exponent = body[kind * BILL_BYTES : (kind + 1) * BILL_BYTES]
        if digit:
            places = exponent & ~NEGATIVE
            bills[kind] = Bill(digit, bytes(country).decode("latin-1"), -places if exponent & NEGATIVE else places)
    return bills


def bill_table_body(bills: dict[int, Bill]) -> bytes:
    """The same table as bytes."""
    return b"".join(_bill(bills.get(kind)) for kind in range(BILL_TYPES))


def _bill(bill: Bill | None) -> bytes:
    if bill is None:
        return bytes(BILL_BYTES)
    exponent = NEGATIVE | -bill.exponent if bill.exponent < 0 else bill.exponent
    return bytes((bill.digit,)) + bill.country.encode("latin-1") + bytes((exponent,))


class Identification(Struct, frozen=True):
    """Who the device is: 15 characters, 12 characters, and 7 bytes in the order that they came."""

    part: str
    serial: str
    asset: bytes


def identification(body: bytes) -> Identification | None:
    """What an identification says; None if it is none."""
    if len(body) != PART_BYTES + SERIAL_BYTES + ASSET_BYTES:
        return None
    part, serial = body[:PART_BYTES], body[PART_BYTES : PART_BYTES + SERIAL_BYTES]
    return Identification(_printed(part), _printed(serial), body[PART_BYTES + SERIAL_BYTES :])


def identification_body(who: Identification) -> bytes:
    """The same as bytes."""
    part, serial = who.part.encode("latin-1"), who.serial.encode("latin-1")
    return part.ljust(PART_BYTES)[:PART_BYTES] + serial.ljust(SERIAL_BYTES)[:SERIAL_BYTES] + who.asset


def _printed(text: bytes) -> str:
    return "".join(char for char in text.decode("latin-1") if char.isprintable()).strip()
