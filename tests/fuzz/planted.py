"""Drivers with a mistake in them, to see that it is found."""

from devices.ccnet.driver import CcnetDriver
from devices.note_path import Report, Returned, Stacked
from kiosk.ports.bill_validator import NoteStacked
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
