"""A ccTalk coin acceptor, on the other side of the wire."""

from devices.cctalk.denominations import coin
from devices.cctalk.peripheral import COINS
from devices.cctalk.simulated import Model, Nameplate, Slave
from devices.cctalk.wire import Header, Reading, Result
from devices.coin_mechanism import CoinEvent, CoinMechanism
from devices.mechanism import Phase
from devices.simulator import CoinSimulator
from kiosk.amount import Money
from kiosk.ports.fault import Fault

PLATE = Nameplate(
    "Coin Acceptor",
    "AZK",
    "X6",
    "V1.2",
    123_456,
    {1: "CN010A", 2: "CN050A", 3: "CN100A", 4: "CN500A", 5: "CN1K0A", 7: "CN100B"},
)
FAULTS = {  # as an event, and as a self-check finds it
    Fault.JAM: (14, b"\x03"),
    Fault.SENSOR: (13, b"\x02\x01"),
    Fault.MOTOR: (30, b"\x2b"),
    Fault.CHEATED: (20, b"\x14"),
    Fault.FAILURE: (255, b"\xff"),
}
REJECTED, INHIBITED, SWALLOWED = 1, 2, 36
SORTER_PATH = 1


class _CoinSlave(Slave):
    """What the mechanism does, in the words of ccTalk."""

    def __init__(self, mechanism: CoinMechanism, plate: Nameplate, model: Model) -> None:
        super().__init__(COINS, plate, model)
        self.mechanism = mechanism

    def deaf(self) -> bool:
        """As promised by Slave."""
        return self.mechanism.phase is not Phase.IDLE

    def events(self) -> Reading:
        """As promised by Slave."""
        self.mechanism.asked()
        return Reading(self.mechanism.counter, tuple(self._result(event) for event in self.mechanism.events))

    def found(self) -> bytes:
        """As promised by Slave."""
        fault = self.mechanism.broken
        return FAULTS[fault][1] if fault else b"\x00"

    def reset(self) -> None:
        """As promised by Slave."""
        self.mechanism.reset()

    def inhibited(self) -> None:
        """As promised by Slave."""
        channels = self.channels if self.open else frozenset[int]()
        self.mechanism.accepted = frozenset(money for channel, money in self.coins() if channel in channels)

    def coins(self) -> list[tuple[int, Money]]:
        """Every channel that is one, and its worth."""
        lines = (coin(channel, name, None) for channel, name in self.plate.names.items())
        return [(line.channel, line.amount) for line in lines if line]

    def _result(self, event: CoinEvent) -> Result:
        if event.fault:
            return Result(0, FAULTS[event.fault][0])
        if event.swallowed:
            return Result(0, SWALLOWED)
        channel = next((channel for channel, money in self.coins() if money in {event.credit, event.refused}), 0)
        if event.credit:
            return Result(channel, SORTER_PATH)
        return Result(0, INHIBITED if channel else REJECTED)


class CctalkCoinSimulator(CoinSimulator):
    """One coin acceptor with its coins. A model without a master inhibit can be closed by its mask alone."""

    faults = frozenset(FAULTS)
    refused: frozenset[Header] = frozenset()
    unheard: frozenset[Header] = frozenset()

    def __init__(self, mechanism: CoinMechanism | None = None, plate: Nameplate = PLATE) -> None:
        super().__init__(mechanism)
        self.slave = _CoinSlave(self.mechanism, plate, Model(self.options, self.refused, self.unheard))
        self._starts = self.mechanism.starts

    @property
    def takes(self) -> tuple[Money, ...]:
        """As promised by Simulator."""
        return tuple(money for _, money in self.slave.coins())

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        super().pass_time(now_ms)
        if self.mechanism.starts != self._starts:
            self._starts = self.mechanism.starts
            self.slave.forget()

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        for said in self.slave.hear(data):
            self.send(said)
