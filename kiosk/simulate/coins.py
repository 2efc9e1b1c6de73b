"""A simulated coin acceptor: there is no escrow, and its counter may start anew."""

from kiosk.amount import Money
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.simulate.device import Device, Event


class CoinAcceptor(Device):
    """A coin acceptor: what falls in is in."""

    def insert(self, amount: Money, *, late: bool = False) -> bool:
        """A coin is dropped into the slot; a late one was past the gate when it closed."""
        if not self.working or not (self.open or late):
            return False
        self.into_box(amount)
        self.position += 1
        self.report(CoinInserted(self.name, self.position, amount), amount.minor)
        return True

    def swallow(self, amount: Money) -> None:
        """A coin of another country falls in: worth nothing here, and no reason to forget who may want it back."""
        if self.working and self.open:
            self.luck.saw("foreign_coin")
            self.position += 1
            self.report(CoinInserted(self.name, self.position, amount))

    def lose_count(self, amounts: list[Money]) -> None:
        """Coins fell in faster than the counter was read: nobody knows which."""
        for amount in amounts:
            self.into_box(amount)
            self.forgotten[self.box] += amount.minor
            self.position += 1
        self.luck.saw("coins_lost")
        self.report(CoinsLost(self.name, self.position))

    def power_cut(self) -> None:
        """The counter may start anew; then nobody knows what fell in last."""
        super().power_cut()
        if self.events and self.luck.chance(self.world.faults.device_forgets):
            unseen = any(event.amount for event in self.events)
            self._drop_events()
            if unseen:
                self.position += 1
                self.luck.saw("coins_lost")
                self.report(CoinsLost(self.name, self.position))

    def _forget(self, event: Event) -> None:
        # A coin that the host has booked is known to it, though the device never heard so.
        if not (isinstance(event.fact, CoinInserted) and self.world.knows_coin(self.name, event.fact.position)):
            super()._forget(event)
