"""One note: from escrow to the box, to the hand, or to where nobody can tell."""

import pytest

from kiosk.flow.facts import DoubtSettled
from kiosk.flow.note import Note
from kiosk.flow.suspense import Suspense
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteFact,
    NoteHeld,
    NoteRetracted,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from tests.kiosk.flow.stage import Stage, yuan


def test_a_note_that_fits_is_stacked_and_is_the_payers() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    position = stage.escrow(20)
    assert stage.said[-1] == StackNote("bill", position)
    assert stage.balances() == {}  # only a promise
    stage.say(NoteStacked("bill", position))
    assert stage.note(position) == "stacked"
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
    assert stage.books().posted[f"payer#{sale}"] == 2000


def test_the_intent_to_stack_is_durable_before_the_command_leaves() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.restart()  # from what the journal holds
    assert stage.note(position) == "stacking"


def test_stacked_twice_is_credited_once() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteStacked("bill", position), NoteStacked("bill", position), NoteRetracted("bill", position))
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}


def test_the_same_escrow_reported_twice_is_one_note() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    assert stage.say(NoteEscrowed("bill", position, yuan(20))) == []
    assert len(stage.all(Note)) == 1


def test_a_returned_note_leaves_nothing_behind() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteReturned("bill", position), NoteReturned("bill", position))
    assert stage.note(position) == "returned"
    assert stage.balances() == {}


def test_stacked_although_it_was_to_be_returned_is_money_all_the_same() -> None:
    stage = Stage()
    stage.cash_sale(accept=(yuan(10),))
    position = stage.escrow(20)
    assert stage.said[-1] == ReturnNote("bill", position)
    stage.say(NoteStacked("bill", position))
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}


def test_a_returned_note_retracted_is_booked_as_a_correction() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteReturned("bill", position), NoteRetracted("bill", position))
    assert stage.note(position) == "stacked"
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
    assert stage.counted("correction/retracted") == 2000
    assert "note_retracted" in stage.alarms()


def test_a_stacked_note_that_comes_out_again_is_the_operators_loss() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteStacked("bill", position), NoteReturned("bill", position))
    assert stage.note(position) == "lost"
    assert stage.balances() == {"loss:returned_after_stacked": -2000, "payer": 2000}
    assert "note_returned_after_stacked" in stage.alarms()


@pytest.mark.parametrize("back", [NoteStacked, NoteRetracted])
def test_and_when_it_goes_in_once_more_the_loss_is_made_good(back: type[NoteStacked | NoteRetracted]) -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteStacked("bill", position), NoteReturned("bill", position), back("bill", position))
    assert stage.note(position) == "stacked"
    assert stage.balances() == {
        "cashbox:bill": -2000,
        "loss:returned_after_stacked": -2000,
        "recovered:stacked_again": 2000,
        "payer": 2000,
    }


def test_stacked_with_another_value_keeps_the_one_from_escrow_and_alarms() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteStacked("bill", position, yuan(50)))
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
    assert "note_amount_differs" in stage.alarms()


# Nobody's notes ------------------------------------------------------------------------------------------------------


def test_a_note_that_nobody_asked_for_is_given_back() -> None:
    stage = Stage()
    position = stage.escrow(20)
    assert stage.said[-1] == ReturnNote("bill", position)
    stage.say(NoteReturned("bill", position))
    assert stage.balances() == {}


def test_and_when_it_is_stacked_all_the_same_it_is_suspense() -> None:
    stage = Stage()
    position = stage.escrow(20)
    stage.say(NoteStacked("bill", position))
    assert stage.balances() == {"cashbox:bill": -2000, "suspense": 2000}
    assert stage.only(Suspense).cause == "note_without_sale"


def test_stacked_without_ever_having_been_announced() -> None:
    stage = Stage()
    stage.cash_sale()
    stage.say(NoteStacked("bill", stage.next_position(), yuan(20)))
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
    assert "stray_note" in stage.alarms()


def test_stacked_without_announcement_and_without_a_value() -> None:
    """It is in the box, and nobody can say what it is: recorded, never guessed."""
    stage = Stage()
    position = stage.next_position()
    stage.say(NoteStacked("bill", position))
    assert stage.balances() == {}
    assert (stage.only(Suspense).cause, stage.only(Suspense).amount) == ("note_of_unknown_value", None)
    stage.say(NoteStacked("bill", position, yuan(20)), NoteStacked("bill", position, yuan(20)))  # the value at last
    assert stage.balances() == {"cashbox:bill": -2000, "suspense": 2000}


def test_a_stray_that_comes_out_again_is_an_alarm() -> None:
    stage = Stage()
    position = stage.next_position()
    stage.say(NoteStacked("bill", position, yuan(20)), NoteReturned("bill", position))
    assert stage.note(position) == "stray"
    assert "note_contradiction" in stage.alarms()


def test_returned_without_announcement_was_never_money() -> None:
    stage = Stage()
    assert stage.say(NoteReturned("bill", stage.next_position())) == []
    assert stage.balances() == {}


def test_a_number_that_was_lost_and_is_announced_afterwards_goes_back() -> None:
    """The device had given it up; it must not be two notes under one number."""
    stage = Stage()
    stage.cash_sale()
    position = stage.next_position()
    stage.say(NoteUnaccounted("bill", position, "jam"))
    assert ReturnNote("bill", position) in stage.say(NoteEscrowed("bill", position, yuan(20)))
    assert len(stage.all(Note)) == 1
    assert "note_contradiction" in stage.alarms()


# Doubt ---------------------------------------------------------------------------------------------------------------


def jammed(stage: Stage) -> int:
    """A note of twenty yuan jams while it is being stacked."""
    position = stage.escrow(20)
    stage.say(NoteUnaccounted("bill", position, "jam"))
    return position


def test_a_note_that_nobody_can_find_is_in_doubt() -> None:
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    assert stage.note(position) == "in_doubt"
    assert stage.balances() == {"doubt:bill": -2000, "suspense": 2000}
    assert {"note_unaccounted"} <= stage.alarms()


@pytest.mark.parametrize("fact", [NoteStacked, NoteRetracted])
def test_the_device_finds_it_in_the_box(fact: type[NoteStacked | NoteRetracted]) -> None:
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    stage.say(fact("bill", position))
    assert stage.note(position) == "stacked"
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
    assert stage.only(Suspense).state == "settled"


def test_found_in_time_it_pays_the_price_in_cash() -> None:
    stage = Stage()
    sale = stage.cash_sale()
    position = stage.escrow(50)
    stage.say(NoteUnaccounted("bill", position, "jam"), NoteStacked("bill", position))
    assert stage.state(sale) == "delivering"
    assert stage.balances() == {"cashbox:bill": -5000, "payer": 4900, "owed": 100}


def test_the_device_gives_it_back() -> None:
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    stage.say(NoteReturned("bill", position))
    assert stage.note(position) == "returned"
    assert stage.balances() == {}


@pytest.mark.parametrize(("found", "state", "balances"), [
    (True, "stacked", {"cashbox:bill": -2000, "payer": 2000}),
    (False, "returned", {}),
])  # fmt: skip
def test_the_count_of_the_box_ends_the_doubt(found: bool, state: str, balances: dict[str, int]) -> None:  # noqa: FBT001 - a column of the table above
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    stage.say(DoubtSettled(stage.only(Suspense).number, found=found, by="anna"))
    assert stage.note(position) == state
    assert stage.balances() == balances


def test_what_the_count_missed_and_the_device_stacks_afterwards_is_corrected() -> None:
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    stage.say(DoubtSettled(stage.only(Suspense).number, found=False, by="anna"), NoteStacked("bill", position))
    assert stage.balances() == {"cashbox:bill": -2000, "payer": 2000}
    assert "note_retracted" in stage.alarms()


def test_what_the_count_found_and_the_device_gives_back_afterwards_is_a_loss() -> None:
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    stage.say(DoubtSettled(stage.only(Suspense).number, found=True, by="anna"), NoteReturned("bill", position))
    assert stage.balances() == {"loss:returned_after_stacked": -2000, "payer": 2000}


def test_a_doubtful_note_that_turns_up_in_escrow_goes_back() -> None:
    stage = Stage()
    stage.cash_sale()
    position = jammed(stage)
    assert ReturnNote("bill", position) in stage.say(NoteHeld("bill", position))
    assert stage.note(position) == "in_doubt"  # until the device says that it is out
    stage.say(NoteReturned("bill", position))
    assert stage.balances() == {}


def test_a_note_in_the_box_that_the_device_cannot_find_any_more_is_an_alarm() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.say(NoteStacked("bill", position), NoteUnaccounted("bill", position, "fished"))
    assert stage.note(position) == "stacked"
    assert "note_contradiction" in stage.alarms()


def test_a_note_of_which_nobody_knew_that_got_lost() -> None:
    stage = Stage()
    stage.say(NoteUnaccounted("bill", stage.next_position(), "jam"))
    assert stage.balances() == {}
    assert stage.only(Suspense).amount is None


# After a power cut ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "state", "balances"), [
    (NoteStacked, "stacked", {"cashbox:bill": -2000, "owed": 2000}),
    (NoteReturned, "returned", {}),
    (NoteHeld, "returning", {}),
])  # fmt: skip
def test_the_device_is_asked_what_became_of_the_note(
    answer: type[NoteFact], state: str, balances: dict[str, int]
) -> None:
    """Insert 20 · power cut · boot reports stacked → owed 20."""
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    assert TellNote("bill", position, stacking=True) in stage.restart()
    stage.say(answer("bill", position))
    assert stage.note(position) == state
    assert stage.balances() == balances


def test_a_note_that_still_lies_in_escrow_after_the_cut_is_given_back() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.restart()
    assert stage.say(NoteHeld("bill", position)) == [ReturnNote("bill", position)]
    stage.say(NoteReturned("bill", position))
    assert stage.balances() == {}


def test_the_device_is_told_of_a_note_that_was_never_to_be_stacked() -> None:
    stage = Stage()
    stage.cash_sale(cash_limit=yuan(1))
    position = stage.escrow(20)
    assert TellNote("bill", position) in stage.restart()


def test_the_device_forgot_the_note_over_the_cut() -> None:
    stage = Stage()
    stage.cash_sale()
    position = stage.escrow(20)
    stage.restart()
    stage.say(NoteUnaccounted("bill", position, "forgotten"))
    assert stage.balances() == {"doubt:bill": -2000, "suspense": 2000}
    assert TellNote("bill", position, stacking=True) in stage.restart()  # and it is asked again at every start


def test_a_note_in_escrow_that_was_not_durable_yet_is_given_back() -> None:
    """The power went before the report was committed: the device has it, the journal does not."""
    stage = Stage()
    position = stage.next_position()
    assert stage.say(NoteHeld("bill", position)) == [ReturnNote("bill", position)]
    stage.say(NoteReturned("bill", position))
    assert stage.note(position) == "returned"


@pytest.mark.parametrize("fact", [NoteStacked, NoteRetracted])
def test_and_when_it_is_stacked_nevertheless_it_is_a_stray(fact: type[NoteStacked | NoteRetracted]) -> None:
    stage = Stage()
    position = stage.next_position()
    stage.say(NoteHeld("bill", position), fact("bill", position, yuan(20)))
    assert stage.balances() == {"cashbox:bill": -2000, "suspense": 2000}


def test_and_when_it_is_lost_nevertheless_it_is_recorded() -> None:
    stage = Stage()
    position = stage.next_position()
    stage.say(NoteHeld("bill", position), NoteUnaccounted("bill", position, "jam"))
    assert stage.note(position) == "stray"
    assert stage.only(Suspense).amount is None


@pytest.mark.parametrize("fact", [NoteStacked, NoteRetracted])
def test_and_when_it_is_drawn_in_after_its_return_it_is_a_stray_too(fact: type[NoteStacked | NoteRetracted]) -> None:
    stage = Stage()
    position = stage.next_position()
    stage.say(NoteHeld("bill", position), NoteReturned("bill", position), fact("bill", position, yuan(20)))
    assert stage.balances() == {"cashbox:bill": -2000, "suspense": 2000}
