"""A cash box: taken out, counted blind, and what the count says against the book."""

import pytest

from kiosk.amount import Money
from kiosk.flow.box import Box
from kiosk.flow.facts import BoxCounted, DoubtSettled
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import BoxRemoved
from kiosk.ports.bill_validator import NoteUnaccounted
from tests.kiosk.flow.stage import Stage, yuan


def box_with(*notes: int) -> Stage:
    """A box with these notes in it was taken out; their sale is over."""
    stage = Stage()
    stage.cash_sale(cash_price=yuan(1), face=yuan(1), price=yuan(1))
    stage.insert(*notes)
    stage.say(BoxRemoved("bill"))
    return stage


def count(stage: Stage, counted: int) -> None:
    """Somebody counts it."""
    book = Money(-stage.journal.balance("cashbox:bill#1"), "CNY")
    stage.say(BoxCounted("bill", 1, yuan(counted), book, "anna"))


@pytest.mark.parametrize(("counted", "found", "alarm"), [
    (20, {"collected:bill": -2000}, set[str]()),
    (15, {"collected:bill": -1500, "shortage": -500}, {"box_short"}),
    (0, {"shortage": -2000}, {"box_short"}),
    (25, {"collected:bill": -2500, "surplus": 500}, {"box_over"}),
])  # fmt: skip
def test_the_count_against_the_book(counted: int, found: dict[str, int], alarm: set[str]) -> None:
    stage = box_with(20)
    count(stage, counted)
    balances = stage.balances()
    assert "cashbox:bill" not in balances
    assert {name: amount for name, amount in balances.items() if name not in {"payer", "owed"}} == found
    assert stage.alarms() & {"box_short", "box_over"} == alarm


def test_an_empty_box_may_be_counted_too() -> None:
    stage = Stage()
    stage.say(BoxRemoved("bill"))
    count(stage, 0)
    assert stage.only(Box).state == "counted"
    assert stage.balances() == {}


def test_a_box_is_counted_once() -> None:
    stage = box_with(20)
    count(stage, 20)
    before = stage.balances()
    count(stage, 50)
    assert stage.balances() == before
    assert stage.only(Box).counted == yuan(20)


def test_what_is_found_to_belong_to_a_counted_box_is_counted_by_itself() -> None:
    stage = box_with(20)
    stage.say(NoteUnaccounted("bill", stage.escrow(50), "jam"))
    count(stage, 20)
    stage.say(DoubtSettled(stage.only(Suspense).number, found=True, by="anna"))
    count(stage, 50)
    assert (stage.only(Box).counted, stage.only(Box).book) == (yuan(70), yuan(70))
    assert "cashbox:bill" not in stage.balances()
    assert stage.balances()["collected:bill"] == -7000
    assert stage.untied() == []


def test_a_box_in_the_machine_is_not_counted() -> None:
    stage = Stage()
    stage.say(BoxCounted("bill", 1, yuan(50), yuan(0), "anna"))
    assert stage.balances() == {}


def test_the_box_is_closed_with_the_row_that_reports_it() -> None:
    stage = Stage()
    stage.say(BoxRemoved("bill"), BoxRemoved("bill"))
    assert [(box.device, box.box, box.state) for box in stage.all(Box)] == [("bill", 1, "removed")]
