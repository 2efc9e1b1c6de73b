"""Drivers with a mistake in them, to see that it is found."""

from devices.ccnet.driver import CcnetDriver
from devices.cctalk.bills import CctalkBillDriver
from devices.cctalk.coins import CctalkCoinDriver
from devices.cctalk.positions import Event
from devices.cctalk.wire import Reading
from devices.note_path import Report, Returned, Stacked
from kiosk.ports.bill_validator import NoteStacked
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.fault import Fault


class BreaksDown(CcnetDriver):
    """Believes that every loss has a code."""

    def lost(self, fault: Fault, vendor_code: str = "") -> None:
        """As promised by Driver."""
        super().lost(fault, f"{int(vendor_code, 16):02X}")


class NeverEnds(CcnetDriver):
    """Reads until it hears something."""

    def stack(self) -> None:
        """As promised by BillDriver."""
        while not self.link.read(0):
            pass


class Waits(CcnetDriver):
    """Waits, and asks nobody."""

    def stack(self) -> None:
        """As promised by BillDriver."""
        while True:
            pass


class CreditsTooSoon(CcnetDriver):
    """Takes the command for the deed."""

    def stack(self) -> None:
        """As promised by BillDriver."""
        super().stack()
        self.take(Stacked())


class CreditsTwice(CcnetDriver):
    """Takes each report of a stacked note for another note."""

    position = 10_000

    def take(self, report: Report) -> None:
        """As promised by BillDriver."""
        if isinstance(report, Stacked):
            self.position += 1
            self.host.tell(NoteStacked(self.setting.name, self.position, report.amount))
        else:
            super().take(report)


class ForgetsACredit(CcnetDriver):
    """Takes a stacked note for a returned one."""

    def take(self, report: Report) -> None:
        """As promised by BillDriver."""
        super().take(Returned() if isinstance(report, Stacked) else report)


class NeverComesBack(CcnetDriver):
    """Has enough after a few losses."""

    losses = 0

    def lost(self, fault: Fault, vendor_code: str = "") -> None:
        """As promised by Driver."""
        super().lost(fault, vendor_code)
        self.losses += 1

    def start(self) -> None:
        """As promised by Driver."""
        if self.losses < 3:
            super().start()

    def poll(self) -> None:
        """As promised by BillDriver."""
        if self.losses < 3:
            super().poll()


class CreditsACoinTwice(CctalkCoinDriver):
    """Takes each reading for news."""

    def _catch_up(self, reading: Reading) -> None:
        before = self._log.position
        super()._catch_up(reading)
        if self._log.position > before and reading.results[0].a:
            self._coin(Event(self._log.position + 1, reading.results[0].a, 1))


class ForgetsACoin(CctalkCoinDriver):
    """Believes that a device remembers all."""

    def _lose(self, position: int) -> None:
        self._durable = position


class ForgetsWhereItWas(CctalkCoinDriver):
    """Numbers the events of a device that has lost its power as if it had not."""

    def _coin(self, event: Event) -> None:
        amount = self.identity.amount(event.a)
        if amount is not None:
            self.host.tell(CoinInserted(self.setting.name, (event.position - 1) % 255 + 1, amount))


class StacksWhatIsGivenBack(CctalkBillDriver):
    """Confuses the ways."""

    def give_back(self) -> None:
        """As promised by BillDriver."""
        self.stack()
