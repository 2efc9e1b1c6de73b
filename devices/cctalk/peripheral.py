"""What coin acceptors and bill validators have in common on a ccTalk line: who they are, their gate, their events.

A device that has just got power takes nothing and has forgotten what it was told to take; so the mask that it was
opened with last tells whether it was without power since. It is closed by the master inhibit, which leaves that mask
alone.
"""

from collections.abc import Callable

from msgspec import Struct

from devices.cctalk import codes, denominations, wire
from devices.cctalk.exchange import SLOW_S, Exchange
from devices.cctalk.wire import Check, Header, Reading, Scaling
from devices.driver import Denomination, DeviceGone, Identity, Setting
from devices.link import Link
from kiosk.ports.fault import Fault

CHANNELS = 16
READINGS_MAX = 4  # until two that follow each other agree
CLOSED, OPEN = b"\x00", b"\x01"
EVENT_SIZE, MASK_SIZES = range(wire.EVENTS_BYTES, wire.EVENTS_BYTES + 1), range(2, 5)


class Kind(Struct, frozen=True):
    """What the two kinds of device call the same thing."""

    address: int
    categories: frozenset[str]
    events: Header
    name_of: Header
    name_size: int
    line: Callable[[int, str, Scaling | None], Denomination | None]


COINS = Kind(
    2,
    frozenset({"coin acceptor", "coin validator"}),
    Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES,
    Header.REQUEST_COIN_ID,
    6,
    denominations.coin,
)
BILLS = Kind(
    40,
    frozenset({"bill validator"}),
    Header.READ_BUFFERED_BILL_EVENTS,
    Header.REQUEST_BILL_ID,
    7,
    denominations.bill,
)


class Peripheral:
    """One device at its address."""

    def __init__(self, kind: Kind, setting: Setting, clock: Callable[[], float]) -> None:
        self.kind = kind
        self.line = Exchange(
            clock,
            setting.address or kind.address,
            check=Check.CRC if "crc" in setting.options else Check.SUM,
            echo="echo" in setting.options,
        )
        self.fresh: bool | None = None  # it was not opened since it has power; None: that cannot be told
        self.checks_itself = True  # some have no self-check
        self._believed: Reading | None = None
        self._mask: bytes | None = None  # what we have told it last to take; no bytes: nothing since it has power
        self._mask_size = 2
        self._has_master = True

    # Contact ----------------------------------------------------------------------------------------------------------

    def begin(self, link: Link) -> None:
        """Find it, see whether it was without power, and close it."""
        self.line.begin(link)
        self._believed, self.checks_itself = None, True
        self.line.find()
        mask = self.line.learn(Header.REQUEST_INHIBIT_STATUS, sizes=MASK_SIZES)
        self._mask_size = len(mask or bytes(2))
        self._has_master = self._knows_master_inhibit()
        self.fresh = self._is_fresh(mask)
        if not self._has_master:
            self.close()

    def interview(self) -> Identity:
        """Who it is, and what it takes."""
        category = self._says(Header.REQUEST_EQUIPMENT_CATEGORY_ID)
        if category.replace("_", " ").casefold() not in self.kind.categories:
            raise DeviceGone(Fault.WRONG_KIND, category)
        maker, product = self._says(Header.REQUEST_MANUFACTURER_ID), self._says(Header.REQUEST_PRODUCT_CODE)
        number = int.from_bytes(self.line.learn(Header.REQUEST_SERIAL_NUMBER) or b"", "little")
        return Identity(
            f"{maker} {product}".strip() or category,
            self._says(Header.REQUEST_SOFTWARE_REVISION),
            str(number) if number else "",
            self._table(),
        )

    def _says(self, header: Header) -> str:
        return wire.printed(self.line.learn(header) or b"")

    def _table(self) -> tuple[Denomination, ...]:
        size = range(self.kind.name_size, self.kind.name_size + 1)
        names: dict[int, str] = {}
        for channel in range(1, CHANNELS + 1):
            data = self.line.learn(self.kind.name_of, bytes((channel,)), size)
            names[channel] = (data or b"").decode("latin-1")
        countries = {country for name in names.values() if (country := denominations.country_of(name))}
        scalings = {country: self._scaling(country) for country in sorted(countries)}
        lines = (
            self.kind.line(channel, name, scalings.get(denominations.country_of(name)))
            for channel, name in names.items()
        )
        return tuple(line for line in lines if line)

    def _scaling(self, country: str) -> Scaling | None:
        data = self.line.learn(Header.REQUEST_COUNTRY_SCALING_FACTOR, country.encode(), range(3, 4))
        return wire.scaling(data) if data else None

    # Its gate ---------------------------------------------------------------------------------------------------------

    def open(self, channels: frozenset[int]) -> None:
        """Take these and nothing else."""
        self._tell_mask(wire.mask_data(channels, self._mask_size))
        if self._has_master:
            self._have_done(Header.MODIFY_MASTER_INHIBIT_STATUS, OPEN)

    def close(self) -> None:
        """Take nothing."""
        if self._has_master:
            self._have_done(Header.MODIFY_MASTER_INHIBIT_STATUS, CLOSED)
        else:
            self._tell_mask(bytes(self._mask_size))

    def _tell_mask(self, mask: bytes) -> None:
        self._mask = mask
        self._have_done(Header.MODIFY_INHIBIT_STATUS, mask)

    def known(self, *, anew: bool) -> None:
        """What it has counted up to now is known. `anew`: we have not opened it since it has power, or at all."""
        self.fresh = False
        if anew:
            self._mask = b""

    def _knows_master_inhibit(self) -> bool:
        """Some do not, and refuse it or say nothing."""
        return self.line.learn(Header.MODIFY_MASTER_INHIBIT_STATUS, CLOSED, range(1)) is not None

    def _is_fresh(self, mask: bytes | None) -> bool | None:
        if self._mask == b"" or any(mask or b""):
            return False
        if self._mask is None:
            return True if mask and self._has_master else None  # without that, it may have been closed by its mask
        return True if mask and any(self._mask) else None

    def _have_done(self, header: Header, data: bytes) -> None:
        if not self.line.order(header, data):
            raise DeviceGone(Fault.REFUSED, f"header {header.value} is refused", f"NAK{header.value}")

    # How it is --------------------------------------------------------------------------------------------------------

    def reading(self) -> Reading | None:
        """Its events; None: no two readings agree."""
        said = self._read()
        for _ in range(READINGS_MAX):
            if said == self._believed:
                return said
            again = self._read()
            if again == said:
                self._believed = said
            said = again
        return said if said == self._believed else None

    def _read(self) -> Reading:
        said = wire.reading(self.line.tell(self.kind.events, sizes=EVENT_SIZE))
        suspect = self.line.repeated or said.counter == 0
        if suspect and any(self._mask or b"") and self.fresh is False:
            mask = self.line.learn(Header.REQUEST_INHIBIT_STATUS, sizes=MASK_SIZES)
            self.fresh = mask is not None and not any(mask)
        return said

    def fault(self) -> tuple[Fault, str] | None:
        """What its self-check finds, with the vendor's code."""
        found = self.line.learn(Header.PERFORM_SELF_CHECK, within_s=SLOW_S) if self.checks_itself else None
        self.checks_itself = found is not None
        if not found or not found[0]:
            return None
        return codes.FAULTS.get(found[0], Fault.FAILURE), "F" + ".".join(str(byte) for byte in found)
