"""EBDS frames: bytes to messages and back; nothing here knows what a message means.

`02 LEN CTL data 03 XOR`, where LEN counts the whole frame and XOR covers LEN, CTL and data. CTL holds the kind of the
message (bits 4 to 6), the kind of the device (1 to 3) and the ACK bit (0). No byte is above 7F.
"""

from enum import IntEnum, IntFlag

from msgspec import Struct

from devices.frames import FrameFinder

STX = 0x02
ETX = 0x03
OVERHEAD = 5  # STX, LEN, CTL, ETX and XOR
BYTE_MAX = 0x7F  # of any byte, and so of a frame's length

KIND, DEVICE, ACK = 0x70, 0x0E, 0x01  # the parts of CTL


class Kind(IntEnum):
    """Of a message."""

    OMNIBUS_COMMAND = 0x10
    OMNIBUS_REPLY = 0x20
    BOOKMARK = 0x30
    CALIBRATE = 0x40
    FLASH_DOWNLOAD = 0x50
    AUXILIARY = 0x60
    EXTENDED = 0x70


class Aux(IntEnum):
    """The third data byte of an auxiliary command. Its answer does not say to which one it belongs."""

    SOFTWARE_CRC = 0x00  # and so answers a device that does not know the command
    ACCEPTOR_TYPE = 0x04
    SERIAL_NUMBER = 0x05
    BOOT_PART_NUMBER = 0x06
    APPLICATION_PART_NUMBER = 0x07
    VARIANT_NAME = 0x08
    VARIANT_PART_NUMBER = 0x09
    SOFT_RESET = 0x7F


class Extended(IntEnum):
    """The first data byte of an extended command, and of its answer."""

    BARCODE = 0x01
    NOTE_SPECIFICATION = 0x02
    NOTE_INHIBITS = 0x03
    ESCROW_TIMEOUT = 0x04
    VALUE_TABLE = 0x06


# An omnibus command, byte by byte ------------------------------------------------------------------------------------


class Mode(IntFlag):
    """Data byte 1."""

    NONE = 0x00
    ORIENTATION = 0x0C  # both bits: a note may come in any of four ways
    ESCROW = 0x10
    STACK = 0x20
    RETURN = 0x40


class Configuration(IntFlag):
    """Data byte 2."""

    NONE = 0x00
    NO_PUSH = 0x01
    BARCODES = 0x02
    POLICY_B = 0x04  # power-up: keep a note in escrow; say the value of one that was on its way into the box
    POLICY_C = 0x08
    EXTENDED_NOTES = 0x10
    EXTENDED_COUPONS = 0x20


# An omnibus reply, byte by byte --------------------------------------------------------------------------------------


class State(IntFlag):
    """Data byte 0."""

    NONE = 0x00
    IDLING = 0x01
    ACCEPTING = 0x02
    ESCROWED = 0x04
    STACKING = 0x08
    STACKED = 0x10
    RETURNING = 0x20
    RETURNED = 0x40


class Status(IntFlag):
    """Data byte 1."""

    NONE = 0x00
    CHEATED = 0x01
    REJECTED = 0x02
    JAMMED = 0x04
    STACKER_FULL = 0x08
    CASSETTE_ATTACHED = 0x10
    PAUSED = 0x20
    CALIBRATION = 0x40


class Exceptional(IntFlag):
    """Data byte 2, without its bits 3 to 5, which are the value."""

    NONE = 0x00
    POWER_UP = 0x01
    INVALID_COMMAND = 0x02
    FAILURE = 0x04
    TRANSPORT_OPEN = 0x40


class Misc(IntFlag):
    """Data byte 3."""

    NONE = 0x00
    STALLED = 0x01
    FLASH_DOWNLOAD = 0x02
    PRE_STACK = 0x04
    RAW_BARCODE = 0x08
    DEVICE_CAPABILITIES = 0x10
    DISABLED = 0x20
    RESERVED = 0x40


VALUE, VALUE_AT = 0x38, 3  # in data byte 2
STATUS_BYTES = 6
DETAILS_BYTES = 18  # of a note, behind the status, where extended notes are reported


class Answer(Struct, frozen=True):
    """How the device says that it is."""

    state: State
    status: Status = Status.CASSETTE_ATTACHED
    exceptional: Exceptional = Exceptional.NONE
    value: int = 0  # 1 to 7; it lingers when the note has long gone
    misc: Misc = Misc.NONE
    model: int = 0
    revision: int = 0
    details: bytes = b""  # of the note in escrow, or of the one that was stacked


# Frames --------------------------------------------------------------------------------------------------------------


class Frame(Struct, frozen=True):
    """One frame, in either direction."""

    kind: Kind
    ack: bool
    data: bytes
    device: int = 0  # what kind of device answers: 0 an acceptor, 1 a recycler


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    body = bytes((len(frame.data) + OVERHEAD, frame.kind | frame.device << 1 | frame.ack)) + frame.data
    return bytes((STX,)) + body + bytes((ETX, check(body)))


def check(body: bytes) -> int:
    """All of them, one upon the other."""
    value = 0
    for byte in body:
        value ^= byte
    return value


class Decoder(FrameFinder[Frame]):
    """Finds frames in a stream."""

    def __init__(self) -> None:
        super().__init__(_length, _frame)


def _length(start: bytearray) -> int:
    """How long the frame at the start says that it is, at least; 0: none begins here."""
    if start[0] != STX:
        return 0
    if len(start) == 1:
        return OVERHEAD
    return start[1] if OVERHEAD <= start[1] <= BYTE_MAX else 0


def _frame(data: bytes) -> Frame | None:
    body, end, kind = data[1:-2], data[-2:], data[2] & KIND
    if end != bytes((ETX, check(body))) or max(body) > BYTE_MAX or not kind:
        return None
    if kind == Kind.OMNIBUS_REPLY and len(body) != STATUS_BYTES + 2:
        return None  # seven bits of XOR are not much: whatever else is known of a frame has to hold
    return Frame(Kind(kind), bool(data[2] & ACK), data[3:-2], (data[2] & DEVICE) >> 1)


# What stands in some of them -----------------------------------------------------------------------------------------


def order(mask: int, mode: Mode, configuration: Configuration) -> bytes:
    """The three bytes that every omnibus command has, and every extended one behind its first."""
    return bytes((mask, mode, configuration))


def answer(frame: Frame) -> Answer | None:
    """How the device says that it is; None: this kind of frame, or one of this length, does not say that.

    What an extended answer says of a note belongs to the one in the path if its index is 0; otherwise we had asked.
    """
    if frame.kind is Kind.OMNIBUS_REPLY and len(frame.data) == STATUS_BYTES:
        return _answer(frame.data, b"")
    if frame.kind is Kind.EXTENDED and len(frame.data) > STATUS_BYTES:
        status, rest = frame.data[1 : 1 + STATUS_BYTES], frame.data[1 + STATUS_BYTES :]
        noted = frame.data[0] == Extended.NOTE_SPECIFICATION and len(rest) == DETAILS_BYTES and not rest[0]
        return _answer(status, rest if noted else b"")
    return None


def _answer(status: bytes, details: bytes) -> Answer:
    state, flags, exceptional, misc, model, revision = status
    return Answer(
        State(state),
        Status(flags),
        Exceptional(exceptional & ~VALUE),
        (exceptional & VALUE) >> VALUE_AT,
        Misc(misc),
        model,
        revision,
        details,
    )


def status_bytes(said: Answer) -> bytes:
    """The same as bytes, without the details."""
    exceptional = said.exceptional | said.value << VALUE_AT
    return bytes((said.state, said.status, exceptional, said.misc, said.model, said.revision))


def auxiliary(command: Aux) -> bytes:
    """The data of an auxiliary command; only a reset has anything before its own byte."""
    filler = BYTE_MAX if command is Aux.SOFT_RESET else 0
    return bytes((filler, filler, command))


def text(data: bytes) -> str:
    """What an auxiliary answer says: it ends where a character cannot be printed. A CRC says nothing."""
    length = next((at for at, byte in enumerate(data) if not ord(" ") <= byte < BYTE_MAX), len(data))
    return data[:length].decode("ascii").strip()
