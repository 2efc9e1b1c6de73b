"""Every line of the totals has a section and a name; days add up, and standings are those of the first and the last."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from kiosk.amount import Money, plain
from kiosk.money.accounts import line_of
from kiosk.money.business_day import Day, Sum, add, without_boxes

Section = Literal[
    "paid",
    "delivered",
    "cash",
    "cash_out",
    "owed",
    "in_doubt",
    "suspense",
    "refunds",
    "corrections",
    "fees",
    "promotions",
    "claims",
    "sales",
    "notes",
    "orders",
    "cards",
    "boxes",
    "alarms",
    "standing",
    "promises",
    "since_collection",
    "since_installation",
]


class Figure(Struct, frozen=True):
    """One line. What is no number of things has no count."""

    count: int | None
    amount: int


Totals = dict[str, dict[str, Figure]]
