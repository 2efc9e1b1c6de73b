"""Slips: what the customer carries away. The core says which; receipts say what is on it."""

from typing import Literal, Protocol

from kiosk.ports.message import Command

SlipKind = Literal["sale", "pending", "returned", "owed", "claim"]


class PrintSlip(Command, frozen=True):
    """Print a slip about a sale, or about the claim alone."""

    slip: SlipKind
    sale: int
    claim: int


class SlipPrinter(Protocol):
    """Whatever brings a slip to the customer."""

    def print_slip(self, command: PrintSlip) -> None:
        """Print it, or keep it until there is paper."""
        ...
