"""A cash box that was taken out is closed; its count against the book ends in the books too.

What is found to belong to a box after that (a note that had been doubtful) is counted once more, by itself.
"""

from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.facts import BoxCounted, Restarted
from kiosk.flow.machine import Outcome, Table, Thing, ignore, on
from kiosk.flow.told import BoxTaken
from kiosk.money import accounts


class Box(Thing, frozen=True, tag="box", kw_only=True):
    """One box of one acceptor, after it was taken out."""

    device: str = ""
    box: int = 0
    counted: Money | None = None
    book: Money | None = None


def take(box: Box, fact: BoxTaken, out: Outcome) -> Box:
    out.count(f"box/{fact.device}/taken")
    return replace(box, device=fact.device, box=fact.box)


def count(box: Box, fact: BoxCounted, out: Outcome) -> Box:
    cash, collected = accounts.cashbox(box.device, box.box), f"collected:{box.device}"
    there = min(fact.counted, fact.book)
    if there:
        out.move(collected, cash, there)
    if fact.counted < fact.book:
        out.move("shortage", cash, fact.book - fact.counted)
        out.alarm("box_short", box)
    elif fact.counted > fact.book:
        out.move(collected, "surplus", fact.counted - fact.book)
        out.alarm("box_over", box)
    out.count(f"box/{box.device}/counted", fact.counted)
    return replace(
        box,
        counted=fact.counted + box.counted if box.counted else fact.counted,
        book=fact.book + box.book if box.book else fact.book,
    )


def holds_more(_: Box, fact: BoxCounted) -> bool:
    return bool(fact.book)


BOX = Table(
    Box,
    {"removed": "out of the machine, not counted yet", "counted": "counted against the book"},
    "counted",
    on("new", BoxTaken, "removed", take),
    ignore("removed counted", BoxTaken),
    on("removed", BoxCounted, "counted", count),
    on("counted", BoxCounted, "=", count, holds_more),
    ignore("new counted", BoxCounted),
    ignore("new removed counted", Restarted),
)
