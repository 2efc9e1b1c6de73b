"""What simulated ccTalk devices have in common: they hear what is for them, say who they are, and can be inhibited."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from msgspec import Struct

from devices.cctalk import wire
from devices.cctalk.peripheral import Kind
from devices.cctalk.wire import HOST, Check, Decoder, Frame, Header, Reading, Scaling

MASK_SIZE = 2  # bytes: sixteen coins or bills


class Nameplate(Struct, frozen=True):
    """Who a device is, and what it has a name for."""

    category: str
    maker: str
    product: str
    revision: str
    serial: int
    names: dict[int, str]  # of coins or bills, by channel
    scalings: dict[str, Scaling] = {}
    nameless: str = "......"  # for a channel that is not programmed


class Model(Struct, frozen=True):
    """How a model speaks, and what it does not know: it says so, or nothing."""

    options: frozenset[str] = frozenset()
    refused: frozenset[Header] = frozenset()
    unheard: frozenset[Header] = frozenset()

    @property
    def has_master(self) -> bool:
        """Can it be closed without forgetting what it was to take?"""
        return Header.MODIFY_MASTER_INHIBIT_STATUS not in self.refused | self.unheard


class Slave(ABC):
    """The device's side of the line."""

    def __init__(self, kind: Kind, plate: Nameplate, model: Model) -> None:
        self.kind = kind
        self.plate = plate
        self.model = model
        self.address = kind.address
        self.channels: frozenset[int] = frozenset()  # as the mask has it
        self.open = not model.has_master  # as the master inhibit has it
        self._check = Check.CRC if "crc" in model.options else Check.SUM
        self._echoes = "echo" in model.options
        self._decoder = Decoder(self._check)

    @abstractmethod
    def deaf(self) -> bool:
        """Does it hear nothing now?"""

    @abstractmethod
    def events(self) -> Reading:
        """What it remembers; it has been asked."""

    @abstractmethod
    def found(self) -> bytes:
        """What its self-check finds."""

    @abstractmethod
    def reset(self) -> None:
        """Begin anew."""

    @abstractmethod
    def inhibited(self) -> None:
        """Something else is to be taken from now on."""

    def forget(self) -> None:
        """The power was gone."""
        self.channels, self.open = frozenset(), not self.model.has_master
        self._decoder.drop()
        self.inhibited()

    def hear(self, data: bytes) -> Iterator[bytes]:
        """What is on the line after the host has said that: on one wire, first what it has said."""
        if self._echoes:
            yield data
        if self.deaf():
            self._decoder.drop()
            return
        for frame in self._decoder.feed(data):
            if frame.destination != self.address or frame.header in self.model.unheard:
                continue
            answer = None if frame.header in self.model.refused else self.answer(frame)
            header = Header.NAK if answer is None else Header.REPLY
            yield wire.encode(Frame(HOST, header, answer or b"", self.address), self._check)

    def answer(self, frame: Frame) -> bytes | None:
        """The data that answer it; None: it is refused."""
        told = self._told()
        if frame.header in told and not frame.data:
            return told[frame.header]()
        if frame.header == self.kind.name_of and len(frame.data) == 1:
            return self.plate.names.get(frame.data[0], self.plate.nameless).encode()
        if frame.header == Header.REQUEST_COUNTRY_SCALING_FACTOR:
            return wire.scaling_data(self.plate.scalings.get(frame.data.decode("latin-1")))
        return b"" if self._obeys(frame) else None

    def _obeys(self, frame: Frame) -> bool:
        match frame.header, frame.data:
            case (Header.SIMPLE_POLL, b""):
                pass
            case (Header.RESET_DEVICE, b""):
                self.reset()
            case (Header.MODIFY_INHIBIT_STATUS, data) if len(data) == MASK_SIZE:
                self.channels = wire.masked(data)
                self.inhibited()
            case (Header.MODIFY_MASTER_INHIBIT_STATUS, data) if len(data) == 1:
                self.open = bool(data[0] & 1)
                self.inhibited()
            case _:
                return False
        return True

    def _told(self) -> dict[int, Callable[[], bytes]]:
        """What is asked for without saying more."""
        plate = self.plate
        return {
            self.kind.events: lambda: wire.reading_data(self.events()),
            Header.PERFORM_SELF_CHECK: self.found,
            Header.REQUEST_EQUIPMENT_CATEGORY_ID: plate.category.encode,
            Header.REQUEST_MANUFACTURER_ID: plate.maker.encode,
            Header.REQUEST_PRODUCT_CODE: plate.product.encode,
            Header.REQUEST_SOFTWARE_REVISION: plate.revision.encode,
            Header.REQUEST_SERIAL_NUMBER: lambda: plate.serial.to_bytes(3, "little"),
            Header.REQUEST_INHIBIT_STATUS: lambda: wire.mask_data(self.channels, MASK_SIZE),
            Header.REQUEST_MASTER_INHIBIT_STATUS: lambda: bytes((self.open,)),
        }
