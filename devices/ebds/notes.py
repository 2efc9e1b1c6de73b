"""What a device says of its notes, as bytes and back: one line at a time, or the values of its seven value bits.

A line is an index, three characters of a currency, three digits, a sign and two digits of a power of ten: "CNY" "005"
"+" "01" are fifty yuan. Behind it, an extended line has how the note lies, which series it is, and what it is held for.
"""

from msgspec import Struct

from devices.ebds.wire import DETAILS_BYTES
from kiosk.amount import MINOR_UNITS_MAX, AmountError, Money, decimals

LINE_BYTES = 10
VALUES = 7  # lines of a value table: as many as the value bits can tell
CLASSIFIED_AT = 15  # in an extended line
DOUBTED = {1, 2, 3}  # unidentified, suspected of being counterfeit, suspected of being worth nothing
SIGNS = {"+": 1, "-": -1}
CURRENCIES = {"RUR": "RUB", "MXP": "MXN"}  # older datasets have the older codes

FEW, FEW_BYTES = 50, 8  # notes that a CASHFLOW SC knows, and the bytes that enable them
MANY_BYTES = 19  # for the 128 of an SC Advance
BITS = 7  # of a byte


class Line(Struct, frozen=True):
    """One note of a table: `digits` times 10 ** `power`, in whole units of that currency."""

    index: int
    currency: str
    digits: int
    power: int


def line(data: bytes) -> Line | None:
    """What the first ten bytes say; None if they are no such line."""
    text = data[1:LINE_BYTES].decode("latin-1")
    currency, digits, sign, power = text[:3], text[3:6], text[6:7], text[7:]
    numbers = digits.isdecimal() and power.isdecimal() and len(text) == LINE_BYTES - 1
    if not numbers or sign not in SIGNS or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        return None
    return Line(data[0], currency, int(digits), SIGNS[sign] * int(power))


def line_bytes(known: Line) -> bytes:
    """The same as bytes."""
    sign = "-" if known.power < 0 else "+"
    return bytes((known.index,)) + f"{known.currency}{known.digits:03}{sign}{abs(known.power):02}".encode("ascii")


def is_empty(data: bytes) -> bool:
    """Is there nothing behind the index?"""
    return not any(data[1:])


def is_doubted(details: bytes) -> bool:
    """Does the device hold the note for something else than good money?"""
    return len(details) == DETAILS_BYTES and details[CLASSIFIED_AT] in DOUBTED


def money(known: Line) -> Money | None:
    """What it is worth; a currency that we do not know is not ours. None: nothing, or more than any note."""
    currency = CURRENCIES.get(known.currency, known.currency)
    try:
        places = decimals(currency) + known.power
    except AmountError:
        return Money(max(known.digits, 1), currency)
    worth = known.digits * 10**places if places >= 0 else 0
    return Money(worth, currency) if 0 < worth <= MINOR_UNITS_MAX else None


def value_table(data: bytes) -> tuple[Line, ...] | None:
    """The lines of a value table that are not empty; None if it is none."""
    if len(data) != VALUES * LINE_BYTES:
        return None
    parts = [data[at : at + LINE_BYTES] for at in range(0, len(data), LINE_BYTES)]
    lines = [line(part) for part in parts if not is_empty(part)]
    known = tuple(one for one in lines if one is not None)
    indices = {one.index for one in known}
    return known if len(known) == len(lines) == len(indices) and indices <= {*range(1, VALUES + 1)} else None


def enables(indices: frozenset[int], highest: int) -> bytes:
    """Take these notes of the table and no others; how many bytes that needs, its highest index tells."""
    mask = sum(1 << index - 1 for index in indices)
    count = FEW_BYTES if highest <= FEW else MANY_BYTES
    return bytes(mask >> BITS * byte & (1 << BITS) - 1 for byte in range(count))


def enabled(data: bytes) -> frozenset[int]:
    """Which notes these bytes enable."""
    bits = (BITS * byte + bit for byte in range(len(data)) for bit in range(BITS) if data[byte] >> bit & 1)
    return frozenset(bit + 1 for bit in bits)
