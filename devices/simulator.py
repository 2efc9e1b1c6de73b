"""What every simulated peripheral is, on the other side of the wire: bytes in, bytes out, and time that passes.

It has no line of its own: whoever owns it (the bench in real time, a test in virtual time) carries the bytes.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from devices.coin_mechanism import CoinMechanism
from devices.mechanism import Mechanism
from kiosk.amount import Money
from kiosk.ports.fault import Fault


class Simulator(ABC):
    """One peripheral."""

    has_checksum: ClassVar[bool] = True  # of what comes to harm on the line, its host notices nearly everything

    def __init__(self) -> None:
        self._sent = bytearray()

    @abstractmethod
    def receive(self, data: bytes, now_ms: int) -> None:
        """Bytes from the host."""

    @abstractmethod
    def pass_time(self, now_ms: int) -> None:
        """It is that late now."""

    @abstractmethod
    def next_ms(self) -> int | None:
        """When it will do something by itself."""

    def send(self, data: bytes) -> None:
        """Bytes for the host."""
        self._sent += data

    def take_sent(self) -> bytes:
        """What it has sent since it was last asked."""
        sent = bytes(self._sent)
        self._sent.clear()
        return sent


M = TypeVar("M", Mechanism, CoinMechanism)


class CashSimulator(Simulator, Generic[M]):
    """One that takes cash: a protocol around a mechanism."""

    faults: ClassVar[frozenset[Fault]]  # for which the protocol has a word
    options: ClassVar[frozenset[str]] = frozenset()  # what its driver has to be told about it

    def __init__(self, mechanism: M) -> None:
        super().__init__()
        self.mechanism = mechanism

    @property
    @abstractmethod
    def takes(self) -> tuple[Money, ...]:
        """What it has names for."""

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        self.mechanism.pass_time(now_ms)

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return self.mechanism.next_ms()


class BillSimulator(CashSimulator[Mechanism]):
    """A bill validator."""

    says_once: ClassVar[bool] = False  # how a note ended, it says unchecked, and never again: what is lost, is in doubt

    def __init__(self, mechanism: Mechanism | None = None) -> None:
        super().__init__(mechanism or Mechanism())


class CoinSimulator(CashSimulator[CoinMechanism]):
    """A coin acceptor."""

    def __init__(self, mechanism: CoinMechanism | None = None) -> None:
        super().__init__(mechanism or CoinMechanism())
