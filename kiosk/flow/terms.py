"""What customer and terminal agree on before any money moves."""

from typing import Literal

from msgspec import Struct

from kiosk.amount import Money

Excess = Literal["owed", "added"]


class Route(Struct, frozen=True, array_like=True):
    """One way to deliver; the next is tried only after a proven final failure of the one before."""

    carrier: str
    resend_safe: bool  # does the carrier promise that the same id sent twice delivers once?


class Rung(Struct, frozen=True, array_like=True):
    """What could be delivered for less, if the customer walks away."""

    price: Money
    face: Money


class Terms(Struct, frozen=True, omit_defaults=True):
    """What was agreed before any money moved; it does not change when the price list does."""

    face: Money  # what the card gets
    price: Money  # what phones and cards pay, fee included
    cash_price: Money  # what cash pays: payable exactly, never more than the price
    fee: Money
    routes: tuple[Route, ...]
    accept: tuple[Money, ...] = ()  # notes and coins that are taken
    cash_limit: Money | None = None  # how much cash one sale may bring in
    overpay_limit: Money | None = None  # how far one note may go beyond the price
    excess: Excess = "owed"
    excess_choices: tuple[Excess, ...] = ("owed",)  # what the customer may choose instead
    face_max: Money | None = None  # how far "added" may go
    ladder: tuple[Rung, ...] = ()  # empty: walking away makes everything owed
    slip: bool = True  # a slip can be printed, or the customer has agreed to do without
