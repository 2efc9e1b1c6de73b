"""SSP packets: bytes to messages and back, and the events in an answer to a poll; nothing here knows what they mean.

`7F SEQ|ADR LEN data CRClo CRChi`. The check (polynomial 0x8005 from FFFF) covers everything but the 7F; afterwards each
7F behind the first one is sent twice, so that a lone 7F always begins a packet.
"""

from enum import IntEnum

from msgspec import Struct

from devices.crc import ssp

STX = 0x7F
STEX = 0x7E  # in place of the command: what follows is encrypted
SEQUENCE = 0x80  # of the second byte: toggles with each new packet
OVERHEAD = 4  # address, length and the check


class Command(IntEnum):
    """What the host sends."""

    RESET = 0x01
    SET_INHIBITS = 0x02
    SETUP_REQUEST = 0x05
    HOST_PROTOCOL_VERSION = 0x06
    POLL = 0x07
    REJECT = 0x08
    DISABLE = 0x09
    ENABLE = 0x0A
    GET_SERIAL_NUMBER = 0x0C
    SYNC = 0x11
    LAST_REJECT_CODE = 0x17
    HOLD = 0x18
    GET_FIRMWARE_VERSION = 0x20
    GET_DATASET_VERSION = 0x21
    SET_GENERATOR = 0x4A
    SET_MODULUS = 0x4B
    REQUEST_KEY_EXCHANGE = 0x4C
    POLL_WITH_ACK = 0x56
    EVENT_ACK = 0x57
    DISABLE_PAYOUT = 0x5B


class Status(IntEnum):
    """The first byte of a reply."""

    OK = 0xF0
    COMMAND_NOT_KNOWN = 0xF2
    WRONG_NO_PARAMETERS = 0xF3
    PARAMETERS = 0xF4
    COMMAND_CANNOT_BE_PROCESSED = 0xF5
    SOFTWARE_ERROR = 0xF6
    FAIL = 0xF8
    KEY_NOT_SET = 0xFA


class Frame(Struct, frozen=True):
    """One packet to the device at that address, or its reply, which bears the same sequence bit."""

    address: int
    sequence: bool
    data: bytes


def encode(frame: Frame) -> bytes:
    """The bytes of a packet."""
    packet = bytes((frame.address | (SEQUENCE if frame.sequence else 0), len(frame.data))) + frame.data
    packet += ssp(packet).to_bytes(2, "little")
    return bytes((STX,)) + packet.replace(b"\x7f", b"\x7f\x7f")


class Decoder:
    """Finds packets in a stream that may begin in the middle of one, or hold anything at all."""

    def __init__(self) -> None:
        self._packet: bytearray | None = None  # none has begun
        self._odd = False  # the last byte was a 7F whose meaning the next one decides
        self.garbled = 0  # bytes that belonged to no packet

    def feed(self, data: bytes) -> list[Frame]:
        """The packets that are whole now."""
        return [frame for byte in data if (frame := self._take(byte)) is not None]

    def drop(self) -> None:
        """The rest will not come: what is there is no packet."""
        self.garbled += self._odd
        self._odd = False
        self._forget()

    def _take(self, byte: int) -> Frame | None:
        if byte == STX and not self._odd:
            self._odd = True
            return None
        if byte != STX and self._odd:
            self._forget()
            self._packet, self._odd = bytearray((byte,)), False
            return None
        if self._packet is None:  # between packets the second of two 7F may still begin one
            self.garbled += 1
            return None
        self._odd = False
        self._packet.append(byte)
        return self._whole(self._packet)

    def _whole(self, packet: bytearray) -> Frame | None:
        if len(packet) < OVERHEAD or len(packet) < packet[1] + OVERHEAD:
            return None
        body, check = bytes(packet[:-2]), bytes(packet[-2:])
        if not packet[1] or ssp(body).to_bytes(2, "little") != check:
            self._forget()
            return None
        self._packet = None
        return Frame(body[0] & ~SEQUENCE, bool(body[0] & SEQUENCE), body[2:])

    def _forget(self) -> None:
        self.garbled += 0 if self._packet is None else len(self._packet) + 1
        self._packet = None


# Events --------------------------------------------------------------------------------------------------------------


class Event(IntEnum):
    """What an answer to a poll lists, the oldest first."""

    CHANNEL_DISABLE = 0xB5
    INITIALISING = 0xB6
    PAYOUT_OUT_OF_SERVICE = 0xC6
    NOTE_FLOAT_REMOVED = 0xC7
    NOTE_FLOAT_ATTACHED = 0xC8
    PAID_INTO_STACKER_AT_POWER_UP = 0xCA
    PAID_INTO_STORE_AT_POWER_UP = 0xCB
    STACKING = 0xCC
    DEVICE_FULL = 0xCF
    NOTE_STORED = 0xDB
    NOTE_PATH_OPEN = 0xE0
    NOTE_CLEARED_FROM_FRONT = 0xE1
    NOTE_CLEARED_INTO_CASHBOX = 0xE2
    CASHBOX_REMOVED = 0xE3
    CASHBOX_REPLACED = 0xE4
    FRAUD_ATTEMPT = 0xE6
    STACKER_FULL = 0xE7
    DISABLED = 0xE8
    UNSAFE_JAM = 0xE9
    SAFE_JAM = 0xEA
    STACKED = 0xEB
    REJECTED = 0xEC
    REJECTING = 0xED
    NOTE_CREDIT = 0xEE
    READ = 0xEF
    SLAVE_RESET = 0xF1


# From which protocol version on an event is followed by how many bytes. What dispensing devices say besides is left out
# on purpose: this host never lets anything be dispensed, so that such an event is one that it does not understand.
DATA_BYTES: dict[Event, dict[int, int]] = {
    Event.CHANNEL_DISABLE: {7: 0},
    Event.INITIALISING: {4: 0},
    Event.PAYOUT_OUT_OF_SERVICE: {6: 0},
    Event.NOTE_FLOAT_REMOVED: {4: 0},
    Event.NOTE_FLOAT_ATTACHED: {4: 0},
    Event.PAID_INTO_STACKER_AT_POWER_UP: {4: 0, 8: 7},  # value and country
    Event.PAID_INTO_STORE_AT_POWER_UP: {4: 0, 8: 7},
    Event.STACKING: {4: 0},
    Event.DEVICE_FULL: {4: 0},
    Event.NOTE_STORED: {4: 0},
    Event.NOTE_PATH_OPEN: {6: 0},
    Event.NOTE_CLEARED_FROM_FRONT: {5: 1},  # channel, or 0
    Event.NOTE_CLEARED_INTO_CASHBOX: {5: 1},
    Event.CASHBOX_REMOVED: {4: 0},
    Event.CASHBOX_REPLACED: {4: 0},
    Event.FRAUD_ATTEMPT: {4: 1},
    Event.STACKER_FULL: {4: 0},
    Event.DISABLED: {4: 0},
    Event.UNSAFE_JAM: {4: 0},
    Event.SAFE_JAM: {4: 0},
    Event.STACKED: {4: 0},
    Event.REJECTED: {4: 0},
    Event.REJECTING: {4: 0},
    Event.NOTE_CREDIT: {4: 1, 9: 7},
    Event.READ: {4: 1, 9: 7},
    Event.SLAVE_RESET: {4: 0},
}
# With POLL WITH ACK, these are repeated until EVENT ACK.
ACKNOWLEDGED = frozenset({
    Event.NOTE_CREDIT,
    Event.FRAUD_ATTEMPT,
    Event.NOTE_CLEARED_FROM_FRONT,
    Event.NOTE_CLEARED_INTO_CASHBOX,
    Event.PAID_INTO_STACKER_AT_POWER_UP,
    Event.PAID_INTO_STORE_AT_POWER_UP,
})  # fmt: skip


class Happened(Struct, frozen=True):
    """One event and its data."""

    event: Event
    data: bytes = b""

    @property
    def channel(self) -> int:
        """The channel that the data name; 0: none, or one that the device does not know."""
        return self.data[0] if len(self.data) == 1 else 0


def data_bytes(event: Event, version: int) -> int | None:
    """How many bytes follow the event in that protocol version; None: it does not occur there."""
    return next((count for since, count in reversed(DATA_BYTES[event].items()) if since <= version), None)


def events(data: bytes, version: int) -> list[Happened] | None:
    """All events of an answer; None if one of them is unknown, since then nobody can tell where the next one begins."""
    happened: list[Happened] = []
    at = 0
    while at < len(data):
        event = Event(data[at]) if data[at] in _EVENTS else None
        count = None if event is None else data_bytes(event, version)
        if event is None or count is None or at + count >= len(data):
            return None
        happened.append(Happened(event, data[at + 1 : at + 1 + count]))
        at += 1 + count
    return happened


def events_data(happened: list[Happened]) -> bytes:
    """The same list as bytes."""
    return b"".join(bytes((one.event,)) + one.data for one in happened)


_EVENTS = frozenset(Event)
