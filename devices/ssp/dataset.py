"""What a validator says of itself and of its dataset, in its reply to SETUP REQUEST.

Unit type, firmware, country, value multiplier, number of channels, then per channel a value and a security level, the
real value multiplier and the protocol version; from version 6 on a country and a full value per channel as well.
"""

from msgspec import Struct

from devices.driver import Denomination
from kiosk.amount import MINOR_UNITS_MAX, Money, decimals

HEAD_BYTES = 12  # up to the number of channels
TAIL_BYTES = 4  # the real value multiplier and the protocol version
COUNTRY_BYTES, VALUE_BYTES = 3, 4
EXPANDED_SINCE = 6  # the protocol version
SECURITY = 2  # what every channel says of an obsolete level


class Channel(Struct, frozen=True):
    """One line of the dataset: the full value in whole units of that country's money."""

    value: int
    country: str


class Setup(Struct, frozen=True):
    """The whole reply. `multiplier`: with it, a value becomes one of the smallest unit, as 5 EUR are 500 cents."""

    unit: int
    firmware: str
    country: str
    multiplier: int
    version: int
    channels: tuple[Channel, ...]


def setup(data: bytes) -> Setup | None:
    """What such a reply says, behind its status; None if it is none."""
    count = data[HEAD_BYTES - 1] if len(data) >= HEAD_BYTES else 0
    tail = HEAD_BYTES + 2 * count
    end = tail + TAIL_BYTES
    if not count or len(data) < end:
        return None
    version = data[end - 1]
    if version >= EXPANDED_SINCE:
        channels = _expanded(data[end:], count)
    else:
        factor = int.from_bytes(data[8:11], "big")
        country = printed(data[5:8])
        channels = tuple(Channel(value * factor, country) for value in data[HEAD_BYTES : HEAD_BYTES + count])
    if channels is None:
        return None
    multiplier = int.from_bytes(data[tail : tail + 3], "big")
    return Setup(data[0], printed(data[1:5]), printed(data[5:8]), multiplier, version, channels)


def setup_data(known: Setup) -> bytes:
    """The same as bytes. From version 6 on the values stand in the expanded part alone."""
    count = len(known.channels)
    head = bytes((known.unit,)) + _bytes(known.firmware, 4) + _bytes(known.country, COUNTRY_BYTES)
    tail = known.multiplier.to_bytes(3, "big") + bytes((known.version,))
    if known.version < EXPANDED_SINCE:
        values = bytes(channel.value for channel in known.channels)
        return head + bytes((0, 0, 1, count)) + values + bytes((SECURITY,)) * count + tail
    countries = b"".join(_bytes(channel.country, COUNTRY_BYTES) for channel in known.channels)
    full = b"".join(channel.value.to_bytes(VALUE_BYTES, "little") for channel in known.channels)
    return head + bytes((0, 0, 0, count)) + bytes(2 * count) + tail + countries + full


def denominations(known: Setup) -> tuple[Denomination, ...]:
    """The channels that are worth something."""
    return tuple(
        Denomination(number, money)
        for number, channel in enumerate(known.channels, 1)
        if (money := _money(channel, known.multiplier)) is not None
    )


def _money(channel: Channel, multiplier: int) -> Money | None:
    """What a channel is worth. Where the device's smallest unit is not that of the currency, it is not believed."""
    currency = channel.country.upper()
    try:
        right = multiplier == 10 ** decimals(currency)
    except ValueError:
        return Money(channel.value, currency)  # a currency that nobody knows is not ours either
    worth = channel.value * multiplier if right else 0
    return Money(worth, currency) if 0 < worth <= MINOR_UNITS_MAX else None


def model(firmware: str) -> str:
    """The full version of an NV200's firmware begins with NV0200."""
    letters, number = firmware[:2], firmware[2:6]
    known = letters.isascii() and letters.isalpha() and number.isascii() and number.isdecimal()
    return f"{letters}{int(number)}" if known else firmware or "SSP"


def _expanded(data: bytes, count: int) -> tuple[Channel, ...] | None:
    if len(data) < count * (COUNTRY_BYTES + VALUE_BYTES):
        return None
    countries, values = data[: count * COUNTRY_BYTES], data[count * COUNTRY_BYTES :]
    return tuple(
        Channel(
            int.from_bytes(values[number * VALUE_BYTES : (number + 1) * VALUE_BYTES], "little"),
            printed(countries[number * COUNTRY_BYTES : (number + 1) * COUNTRY_BYTES]),
        )
        for number in range(count)
    )


def printed(data: bytes) -> str:
    """A text of the device without what cannot be printed."""
    return "".join(char for char in data.decode("latin-1") if char.isprintable()).strip()


def _bytes(text: str, count: int) -> bytes:
    return text.encode("latin-1").ljust(count)[:count]
