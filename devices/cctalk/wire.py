"""ccTalk frames: bytes to messages and back; nothing here knows what a message means.

`DST LEN SRC HDR data SUM`, where LEN counts the data alone and the sum of all bytes is 0 modulo 256; or, in the other
form, `DST LEN CRClo HDR data CRChi` with CRC-16/XMODEM over DST, LEN, HDR and data. Which one a device speaks is set
inside it. A frame has no byte of its own to begin with: what tells a frame from noise is its check, and who may say
what to whom.
"""

from enum import Enum, IntEnum

from msgspec import Struct

from devices.crc import xmodem
from devices.frames import FrameFinder

HOST = 1  # the address of whoever asks
OVERHEAD = 5  # everything but the data
DATA_MAX = 64  # longer than anything that is said here: a length beyond it is noise
SOURCE_AT, HEADER_AT = 2, 3


class Check(Enum):
    """Which form a frame has."""

    SUM = "sum"
    CRC = "crc"


class Header(IntEnum):
    """What a frame asks for, or that it answers."""

    REPLY = 0  # and ACK, when there is no data
    RESET_DEVICE = 1
    NAK = 5
    BUSY = 6
    REQUEST_BILL_OPERATING_MODE = 152
    MODIFY_BILL_OPERATING_MODE = 153
    ROUTE_BILL = 154
    REQUEST_COUNTRY_SCALING_FACTOR = 156
    REQUEST_BILL_ID = 157
    READ_BUFFERED_BILL_EVENTS = 159
    REQUEST_COIN_ID = 184
    REQUEST_MASTER_INHIBIT_STATUS = 227
    MODIFY_MASTER_INHIBIT_STATUS = 228
    READ_BUFFERED_CREDIT_OR_ERROR_CODES = 229
    REQUEST_INHIBIT_STATUS = 230
    MODIFY_INHIBIT_STATUS = 231
    PERFORM_SELF_CHECK = 232
    REQUEST_SOFTWARE_REVISION = 241
    REQUEST_SERIAL_NUMBER = 242
    REQUEST_PRODUCT_CODE = 244
    REQUEST_EQUIPMENT_CATEGORY_ID = 245
    REQUEST_MANUFACTURER_ID = 246
    SIMPLE_POLL = 254


REPLIES = {Header.REPLY, Header.NAK, Header.BUSY}


class Frame(Struct, frozen=True):
    """One frame. In the cyclic form nobody says who sends it: `source` is 0 then."""

    destination: int
    header: int
    data: bytes = b""
    source: int = 0


def encode(frame: Frame, check: Check = Check.SUM) -> bytes:
    """The bytes of a frame."""
    start = bytes((frame.destination, len(frame.data)))
    body = bytes((frame.header,)) + frame.data
    if check is Check.SUM:
        said = start + bytes((frame.source,)) + body
        return said + bytes((-sum(said) & 0xFF,))
    low, high = xmodem(start + body).to_bytes(2, "little")
    return start + bytes((low,)) + body + bytes((high,))


class Decoder(FrameFinder[Frame]):
    """Finds frames in a stream."""

    def __init__(self, check: Check = Check.SUM) -> None:
        super().__init__(self._said, self._read)
        self._check = check

    def _said(self, start: bytearray) -> int:
        """How long the frame at the start says that it is, at least; 0: none begins here."""
        if not self._plausible(start):
            return 0
        return start[1] + OVERHEAD if len(start) > 1 else OVERHEAD

    def _plausible(self, start: bytearray) -> bool:
        """May a frame begin here? Devices talk to the host alone, and only to answer."""
        if len(start) > 1 and start[1] > DATA_MAX:
            return False
        if len(start) > SOURCE_AT and self._check is Check.SUM and (start[0] == HOST) == (start[SOURCE_AT] == HOST):
            return False
        return len(start) <= HEADER_AT or (start[0] == HOST) == (start[HEADER_AT] in REPLIES)

    def _read(self, said: bytes) -> Frame | None:
        source = said[SOURCE_AT] if self._check is Check.SUM else 0
        frame = Frame(said[0], said[HEADER_AT], said[HEADER_AT + 1 : -1], source)
        return frame if encode(frame, self._check) == said else None


# What stands in some frames ------------------------------------------------------------------------------------------

EVENTS = 5  # as many as a device remembers
EVENTS_BYTES = 1 + 2 * EVENTS


class Result(Struct, frozen=True):
    """What happened: `a` is a coin or a bill and `b` what became of it; or `a` is 0 and `b` a code."""

    a: int
    b: int


class Reading(Struct, frozen=True):
    """How many events there were since the device has power (255 is followed by 1), and the last five, newest first."""

    counter: int
    results: tuple[Result, ...]


def reading(data: bytes) -> Reading:
    """The events that stand in so many bytes."""
    return Reading(data[0], tuple(Result(*data[at : at + 2]) for at in range(1, EVENTS_BYTES, 2)))


def reading_data(said: Reading) -> bytes:
    """The same as bytes; of what has not happened yet there are zeros."""
    pairs = b"".join(bytes((result.a, result.b)) for result in said.results)
    return bytes((said.counter,)) + pairs.ljust(2 * EVENTS, b"\x00")


def mask_data(channels: frozenset[int], size: int = 2) -> bytes:
    """Take these and nothing else. Coin or bill 1 is bit 0 of the first byte."""
    return sum(1 << channel - 1 for channel in channels).to_bytes(size, "little")


def masked(data: bytes) -> frozenset[int]:
    """The channels that such a mask takes."""
    mask = int.from_bytes(data, "little")
    return frozenset(channel for channel in range(1, 8 * len(data) + 1) if mask >> channel - 1 & 1)


SCALING_BYTES = 3


class Scaling(Struct, frozen=True):
    """How a country's ids are meant: a value times `factor`, with so many of the digits behind the point."""

    factor: int
    decimals: int


def scaling(data: bytes) -> Scaling | None:
    """What three bytes say of a country; None: it is none of the device's."""
    if len(data) != SCALING_BYTES:
        return None
    factor = int.from_bytes(data[:2], "little")
    return Scaling(factor, data[2]) if factor else None


def scaling_data(said: Scaling | None) -> bytes:
    """The same as bytes."""
    return bytes(3) if said is None else said.factor.to_bytes(2, "little") + bytes((said.decimals,))


def printed(data: bytes) -> str:
    """What a device says of itself in letters."""
    return "".join(char for char in data.decode("latin-1") if char.isprintable()).strip()
