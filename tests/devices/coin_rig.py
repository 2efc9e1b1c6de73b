"""A coin acceptor, its driver and the money core on one bench in virtual time."""

from devices.registry import PROTOCOLS
from devices.simulator import CoinSimulator, Simulator
from kiosk.amount import Money
from kiosk.flow.facts import CashChosen
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import DeviceReady
from kiosk.ports.message import Fact
from tests.devices.rig import DeviceRig
from tests.kiosk.flow.stage import TERMS, yuan


class CoinRig(DeviceRig):
    """The acceptor is called "coin", and takes payments of a hundred yuan."""

    called = "coin"

    def __init__(self, protocol: str, simulator: Simulator | None = None) -> None:
        simulator = simulator or PROTOCOLS[protocol].simulator()()
        assert isinstance(simulator, CoinSimulator)
        self.protocol, self.simulator = protocol, simulator
        self.mechanism, self.faults = simulator.mechanism, simulator.faults
        super().__init__(protocol, simulator, simulator.options)

    def ready(self) -> None:
        """The host knows the device, and the device waits for a customer."""
        self.run(lambda: self.told(DeviceReady) != [])
        self.settle(2)

    def told(self, kind: type[Fact]) -> list[Fact]:
        """Facts of that kind that the host was told."""
        return [fact for fact in self.facts if type(fact) is kind]

    # Customers -------------------------------------------------------------------------------------------------------

    def open_sale(self, price: int = 100, accept: tuple[Money, ...] = TERMS.accept) -> int:
        """A customer wants to pay so many yuan in coins, as soon as coins are taken."""
        self.run(lambda: self.acceptor().state in {"closed", "draining"})
        sale = self.stage.sale(price=yuan(price), cash_price=yuan(price), face=yuan(price), accept=accept)
        self.say(CashChosen(sale, (self.called,)))
        self.run(lambda: self.acceptor().sale == sale and bool(self.mechanism.accepted))
        return sale

    def drop(self, *amounts: int) -> None:
        """Coins of so many yuan fall in at once."""
        for amount in amounts:
            self.mechanism.insert(yuan(amount))

    def fallen(self) -> None:
        """What was dropped is in the box, or came out again, or is stuck; the host need not know."""
        self.line.wait_until(self.line.now_ms + 1_000)
        assert not self.mechanism.moving

    # The books -------------------------------------------------------------------------------------------------------

    @property
    def booked(self) -> Money:
        """What the journal says is in the box."""
        return Money(-self.stage.journal.balance("cashbox:coin#1"), "CNY")

    @property
    def there(self) -> Money:
        """What is in it."""
        return Money(sum(coin.minor for coin in self.mechanism.box), "CNY")

    @property
    def losses(self) -> list[Suspense]:
        """Each time that coins may have been lost, a person has to look."""
        return [suspense for suspense in self.stage.all(Suspense) if suspense.cause == "coins_lost"]

    def settled(self) -> None:
        """Everything has come to rest, and the books say what is true: what is not booked is recorded as lost."""
        self.settle(30)
        assert self.booked <= self.there, self.facts
        assert self.booked == self.there or self.losses, (self.there, self.booked, self.facts)
        assert all(suspense.amount is None and suspense.device == "coin" for suspense in self.losses)
        assert self.stage.untied() == []
