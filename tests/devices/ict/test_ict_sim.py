"""The simulated ICT validator by itself: what it says unasked, what it answers, and what it does without a decision."""

import pytest

from devices.ict.sim import NOTES, POWER_UP_EVERY_MS, TIMINGS, IctSimulator
from devices.ict.wire import ICT104
from devices.mechanism import Phase
from kiosk.ports.fault import Fault
from tests.kiosk.flow.stage import yuan


class Older(IctSimulator):
    """One that says neither busy nor waiting."""

    generation = ICT104


class Talk:
    """A validator, and somebody who talks to it."""

    def __init__(self, validator: IctSimulator) -> None:
        self.validator = validator
        self.mechanism = validator.mechanism
        self.now_ms = 0

    def send(self, text: str) -> str:
        """Say these bytes; what it answers at once."""
        self.validator.receive(bytes.fromhex(text), self.now_ms)
        return self.validator.take_sent().hex(" ")

    def wait(self, milliseconds: int) -> str:
        """Let time pass; what it says meanwhile."""
        self.now_ms += milliseconds
        self.validator.pass_time(self.now_ms)
        return self.validator.take_sent().hex(" ")

    def begin(self) -> "Talk":
        """It is there, and takes notes."""
        assert self.wait(1) == "80 8f"
        self.send("02")
        self.wait(2_000)
        assert self.send("0C") == "3e"
        return self

    def insert(self, amount: int) -> str:
        """A note goes in, as far as escrow; what it says meanwhile."""
        assert self.mechanism.insert(yuan(amount))
        return self.wait(TIMINGS.accept_ms)


@pytest.fixture
def talk() -> Talk:
    """One of ICT106."""
    return Talk(IctSimulator()).begin()


def test_it_says_its_power_up_until_it_is_answered() -> None:
    talk = Talk(IctSimulator())
    assert talk.wait(1) == "80 8f"
    assert talk.wait(POWER_UP_EVERY_MS) == "80 8f"
    assert talk.wait(2 * POWER_UP_EVERY_MS) == "80 8f 80 8f"
    assert talk.send("3E 0C") == "a1 a1"  # it is inhibited until then
    assert talk.send("02 0C") == "71"
    assert talk.wait(10 * POWER_UP_EVERY_MS) == ""
    assert talk.send("0C") == "3e"


def test_each_poll_is_answered_with_how_it_is(talk: Talk) -> None:
    assert talk.send("5E") == "5e"
    assert talk.send("3E") == "3e"
    talk.mechanism.insert(yuan(20))
    assert talk.send("0C") == "71"
    assert talk.wait(TIMINGS.accept_ms) == "81 8f 43"
    assert talk.send("0C") == "81 43"
    assert talk.send("02 0C") == "71"
    assert talk.wait(TIMINGS.stack_ms) == "10"
    assert talk.send("0C") == "71"
    assert talk.wait(1_000) == ""
    assert talk.send("0C") == "3e"
    assert talk.mechanism.box == [yuan(20)]


def test_one_that_is_older_says_less() -> None:
    talk = Talk(Older())
    assert talk.wait(1) == "80 8f"
    assert talk.send("0C") == "5e"
    talk.send("02")
    talk.wait(2_000)
    assert talk.send("5E 3E") == ""
    assert talk.insert(20) == "81 43"
    assert talk.send("0C") == "3e"
    assert talk.send("02 0C") == "3e"
    assert talk.wait(TIMINGS.stack_ms) == "10"


@pytest.mark.parametrize(("kind", "amount"), [(kind, money.minor // 100) for kind, money in NOTES.items()])
def test_each_note_has_its_type(talk: Talk, kind: int, amount: int) -> None:
    assert talk.insert(amount) == f"81 8f {0x3F + kind:02x}"


def test_a_rejected_note_comes_back(talk: Talk) -> None:
    talk.insert(50)
    assert talk.send("0F") == ""
    assert talk.wait(TIMINGS.return_ms) == "11"
    assert talk.mechanism.hand == [yuan(50)]


def test_a_note_on_which_nothing_is_decided_comes_back_though_it_is_polled(talk: Talk) -> None:
    talk.insert(50)
    for _ in range(9):
        assert talk.wait(500) == ""
        assert talk.send("0C") == "81 44"
    assert talk.wait(500 + TIMINGS.return_ms) == "11"
    assert talk.mechanism.hand == [yuan(50)]


def test_a_note_that_is_held_waits_for_as_long_as_it_takes(talk: Talk) -> None:
    talk.insert(50)
    assert talk.send("18") == ""
    assert talk.wait(60_000) == ""
    assert talk.send("02") == ""
    assert talk.wait(TIMINGS.stack_ms) == "10"


def test_nothing_is_held_or_decided_where_no_note_is(talk: Talk) -> None:
    assert talk.send("18 02 0F 0C") == "3e"


def test_after_three_notes_without_a_decision_it_gives_the_host_up(talk: Talk) -> None:
    said = ""
    for _ in range(3):
        talk.insert(20)
        said = talk.wait(TIMINGS.escrow_max_ms + TIMINGS.return_ms)
        talk.wait(1_000)
    assert said == "11 26"
    assert talk.send("3E 0C") == "a1 a1"
    assert not talk.mechanism.insert(yuan(20))
    assert talk.send("02 0C") == "3e"


def test_a_decision_makes_it_count_anew(talk: Talk) -> None:
    for decision in ("", "", "0F", "", ""):
        talk.insert(20)
        talk.send(decision)
        talk.wait(TIMINGS.escrow_max_ms + 2_000)
    assert talk.send("0C") == "3e"


def test_an_error_is_said_when_it_comes_and_when_it_goes(talk: Talk) -> None:
    talk.mechanism.faults.add(Fault.SENSOR)
    assert talk.wait(1) == "25"
    assert talk.send("0C") == "25"
    talk.mechanism.clear(Fault.SENSOR)
    assert talk.wait(1) == "2f"
    assert talk.send("0C") == "3e"


def test_a_box_that_is_full_has_no_word_of_its_own(talk: Talk) -> None:
    talk.mechanism.box = [yuan(1)] * 1_000
    assert talk.wait(1) == "28"


def test_a_note_that_is_not_to_come_in_is_rejected(talk: Talk) -> None:
    talk.mechanism.insert(yuan(20))
    talk.send("5E")
    assert talk.wait(TIMINGS.accept_ms) == "29"
    assert talk.mechanism.hand == [yuan(20)]


def test_a_reset_gives_the_note_in_escrow_back_and_begins_anew(talk: Talk) -> None:
    talk.insert(20)
    assert talk.send("30") == ""
    assert talk.wait(1) == "80 8f"
    talk.send("02")
    assert talk.mechanism.hand == [yuan(20)]


def test_it_is_not_reset_over_a_note_that_moves(talk: Talk) -> None:
    talk.insert(20)
    assert talk.send("02 30") == "2a"
    assert talk.wait(TIMINGS.stack_ms) == "10"


def test_a_byte_that_is_no_command_is_refused(talk: Talk) -> None:
    assert talk.send("77") == "2a"


def test_without_power_it_hears_and_says_nothing(talk: Talk) -> None:
    talk.mechanism.power_off()
    assert talk.wait(60_000) == ""
    assert talk.send("02 0C 30") == ""
    assert talk.mechanism.phase is Phase.OFF


def test_it_speaks_of_each_moment_even_if_time_passes_in_one_leap(talk: Talk) -> None:
    talk.mechanism.insert(yuan(20))
    assert talk.wait(60_000) == "81 8f 43 11"
