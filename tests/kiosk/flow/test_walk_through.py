"""The power-cut walk-through of kiosk/ARCHITECTURE.md, moment by moment: one note of fifty for a top-up of fifty.

At each moment: what the journal holds, what a start asks, and where the money is after each answer that can come.
"""

import pytest

from kiosk.flow.facts import DoubtSettled
from kiosk.flow.suspense import Suspense
from kiosk.ports.acceptor import DeviceIdle
from kiosk.ports.bill_validator import (
    NoteFact,
    NoteHeld,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.carrier import AskTopUp, SendTopUp, TopUpAccepted, TopUpDeclined, TopUpNotFound
from kiosk.ports.message import Fact
from tests.kiosk.flow.stage import Stage, yuan

IN_THE_BOX = {"cashbox:bill": -5000, "owed": 5000}


def fate(fact: type[NoteFact], position: int) -> Fact:
    """What the device may say of the note after the start."""
    return NoteUnaccounted("bill", position, "forgotten") if fact is NoteUnaccounted else fact("bill", position)


# 1 · the note lies in escrow, and its report was not committed --------------------------------------------------------


def test_at_1_the_journal_knows_nothing_and_the_note_goes_back() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.next_position()
    assert not any(isinstance(command, TellNote) for command in stage.restart())
    assert stage.say(NoteHeld("bill", position)) == [ReturnNote("bill", position)]
    stage.say(NoteReturned("bill", position))
    assert stage.balances() == {}


def test_at_1_a_device_that_stacked_it_by_itself_makes_it_the_sales() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.next_position()
    stage.restart()
    stage.say(NoteStacked("bill", position, yuan(50)))
    assert stage.balances() == IN_THE_BOX
    assert "stray_note" in stage.alarms()


def test_at_1_after_the_device_was_idle_nobody_knows_whose_it_is() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.restart()
    stage.say(DeviceIdle("bill"), NoteStacked("bill", stage.next_position(), yuan(50)))
    assert stage.balances() == {"cashbox:bill": -5000, "suspense": 5000}


# 2, 3, 4 · the intent is durable; StackNote left or not, the note is stacked or not -----------------------------------


@pytest.mark.parametrize(("answer", "balances"), [
    (NoteStacked, IN_THE_BOX),
    (NoteReturned, {}),
    (NoteUnaccounted, {"doubt:bill": -5000, "suspense": 5000}),
])  # fmt: skip
def test_at_2_to_4_the_device_says_what_became_of_it(answer: type[NoteFact], balances: dict[str, int]) -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(50)
    assert stage.note(position) == "stacking"
    commands = stage.restart()
    assert TellNote("bill", position, stacking=True) in commands
    assert not any(isinstance(command, StackNote) for command in commands)  # never repeated blindly
    stage.say(fate(answer, position))
    assert stage.balances() == balances


def test_at_2_a_note_that_still_lies_there_goes_back() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    position = stage.escrow(50)
    stage.restart()
    assert stage.say(NoteHeld("bill", position)) == [ReturnNote("bill", position)]
    stage.say(NoteReturned("bill", position))
    assert stage.state(sale) == "cancelled"
    assert stage.balances() == {}


@pytest.mark.parametrize(("found", "balances"), [(True, IN_THE_BOX), (False, {})])
def test_at_3_a_note_in_doubt_is_decided_by_the_count_of_the_box(found: bool, balances: dict[str, int]) -> None:  # noqa: FBT001 - a column of the table above
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(50)
    stage.restart()
    stage.say(NoteUnaccounted("bill", position, "forgotten"))
    stage.say(DoubtSettled(stage.only(Suspense).number, found=found, by="anna"))
    assert stage.balances() == balances


def test_at_4_a_device_that_repeats_the_report_is_believed_once() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(50)
    stage.restart()
    stage.say(NoteStacked("bill", position), NoteStacked("bill", position))
    assert stage.balances() == IN_THE_BOX


# 5, 6 · the price is there; the top-up's id is durable, and it was sent or not ----------------------------------------


def test_at_5_the_carrier_is_asked_before_anything_is_sent() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(50)
    stage.say(NoteStacked("bill", stage.positions))  # the device was not acknowledged and says it again
    assert stage.balances() == {"cashbox:bill": -5000, "payer": 4900, "owed": 100}
    commands = stage.restart()
    assert AskTopUp(stage.delivery(), "cmcc") in commands
    assert not any(isinstance(command, SendTopUp) for command in commands)
    assert stage.state(sale) == "doubtful"


@pytest.mark.parametrize(("answer", "balances"), [
    (TopUpAccepted, {"cashbox:bill": -5000, "carrier:cmcc": 5000, "promotion": -100, "owed": 100}),
    (TopUpDeclined, IN_THE_BOX),
    (TopUpNotFound, {"cashbox:bill": -5000, "payer": 4900, "owed": 100}),
])  # fmt: skip
def test_at_5_and_6_the_carriers_answer_decides(answer: type[Fact], balances: dict[str, int]) -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(50)
    stage.restart()
    answers: dict[type[Fact], Fact] = {
        TopUpAccepted: TopUpAccepted(stage.delivery(), yuan(50)),
        TopUpDeclined: TopUpDeclined(stage.delivery(), "no"),
        TopUpNotFound: TopUpNotFound(stage.delivery()),
    }
    stage.say(answers[answer])
    assert stage.balances() == balances


def test_at_5_an_id_that_the_carrier_still_does_not_know_is_sent_again() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.insert(50)
    delivery = stage.delivery()
    stage.restart()
    stage.say(TopUpNotFound(delivery), TopUpNotFound(delivery))
    assert [send.delivery for send in stage.commands(SendTopUp)] == [delivery, delivery]


# 7 · the answer is committed ------------------------------------------------------------------------------------------


def test_at_7_it_is_over_and_nothing_is_asked() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    stage.insert(50)
    stage.say(TopUpAccepted(stage.delivery(), yuan(50)))
    commands = stage.restart()
    assert not any(isinstance(command, AskTopUp | SendTopUp | TellNote) for command in commands)
    assert stage.state(sale) == "done"
