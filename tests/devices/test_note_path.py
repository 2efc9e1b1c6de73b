"""Which note a report is about, and what is new in it: as stories, as one table, and against thousands of accidents."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.note_path import (
    Broken,
    Escrowed,
    Moving,
    NotePath,
    Rejected,
    Report,
    Returned,
    Stacked,
    StartedUp,
    Still,
)
from kiosk.amount import Money
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceFailed, DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteHeld, NoteReturned, NoteStacked, NoteUnaccounted, TellNote
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact

FIFTY, FIVE = Money(5000, "CNY"), Money(500, "CNY")
JAM, PAUSE, OUT = Broken(Fault.JAM, "43"), Broken(Fault.PAUSED, "46"), Broken(Fault.BOX_REMOVED, "42")
READY = [BoxInserted("bill"), DeviceReady("bill", "S1")]


class Path:
    """A path at work, and the host that hears of it."""

    def __init__(self, last: int = 0) -> None:
        self.path = NotePath("bill", last)
        self.path.identified("S1")

    def says(self, *reports: Report) -> list[Fact]:
        """The validator says this; the facts that were new in it."""
        return [fact for report in reports for fact in self.path.take(report)]

    def asked(self, position: int, *, stacking: bool) -> list[Fact]:
        """The host asks after a note; what it hears at once."""
        return list(self.path.asked(TellNote("bill", position, stacking=stacking)))

    def ready(self) -> "Path":
        """It has said once that it is still."""
        self.says(Still())
        return self


def ready(last: int = 6) -> Path:
    """A path that was still."""
    return Path(last).ready()


def note(position: int) -> tuple[str, int]:
    """Whose facts they are."""
    return ("bill", position)


# Stories -------------------------------------------------------------------------------------------------------------


def test_a_validator_that_is_still_is_ready_and_says_so_once() -> None:
    path = Path()
    assert path.says(Moving(), Moving()) == []
    assert path.says(Still()) == READY
    assert path.says(Still(), Still(), Moving(), Still()) == []


def test_a_note_is_announced_stacked_and_forgotten() -> None:
    path = ready()
    assert path.says(Moving(), Escrowed(FIFTY)) == [NoteEscrowed(*note(7), FIFTY)]
    assert path.says(Escrowed(FIFTY), Escrowed(FIFTY)) == [], "it still lies there"
    path.path.decided("stacking")
    assert path.says(Moving(), Stacked(FIFTY)) == [NoteStacked(*note(7), FIFTY)]
    assert path.says(Stacked(FIFTY), Stacked(FIFTY), Moving()) == [], "our acknowledgement was lost"
    assert path.says(Still(), Still()) == []
    assert path.says(Escrowed(FIFTY)) == [NoteEscrowed(*note(8), FIFTY)]


def test_the_next_note_may_follow_with_no_stillness_seen_between() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("stacking")
    path.says(Stacked(FIFTY))
    assert path.says(Moving(), Escrowed(FIFTY)) == [NoteEscrowed(*note(8), FIFTY)]


def test_a_note_is_given_back() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("returning")
    assert path.says(Moving(), Returned(), Returned(), Still()) == [NoteReturned(*note(7))]


def test_a_note_that_nobody_decided_on_comes_back_by_itself() -> None:
    assert ready().says(Escrowed(FIFTY), Returned()) == [NoteEscrowed(*note(7), FIFTY), NoteReturned(*note(7))]
    assert ready().says(Escrowed(FIFTY), Still()) == [NoteEscrowed(*note(7), FIFTY), NoteReturned(*note(7))]


def test_a_note_that_was_to_be_stacked_and_is_gone_is_in_doubt() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("stacking")
    assert path.says(Still()) == [NoteUnaccounted(*note(7), "forgotten")]
    assert path.says(Still()) == []


def test_a_rejected_note_is_returned_when_it_is_out() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("stacking")
    assert path.says(Rejected("operation"), Rejected("operation")) == [], "it is still on its way"
    assert path.says(Still()) == [NoteReturned(*note(7))]
    assert path.path.counters.rejected == {"operation": 2}


def test_a_rejected_note_that_jams_on_its_way_out_is_in_doubt() -> None:
    path = ready()
    path.says(Escrowed(FIFTY), Rejected("operation"))
    assert path.says(JAM) == [NoteUnaccounted(*note(7), "jam"), DeviceFailed("bill", "jam", "43")]


def test_a_note_that_was_never_announced_is_rejected_in_silence() -> None:
    assert ready().says(Moving(), Rejected("optic"), Returned(), Still()) == []


def test_a_jam_puts_the_note_in_doubt_until_the_validator_says_where_it_went() -> None:
    for end, fact in ((Stacked(FIFTY), NoteStacked(*note(7), FIFTY)), (Returned(), NoteReturned(*note(7)))):
        path = ready()
        path.says(Escrowed(FIFTY))
        path.path.decided("stacking")
        assert path.says(JAM, JAM) == [NoteUnaccounted(*note(7), "jam"), DeviceFailed("bill", "jam", "43")]
        assert path.says(Moving(), end, end) == [fact]


def test_a_jammed_note_that_comes_back_into_escrow_is_held_for_the_host() -> None:
    path = ready()
    path.says(Escrowed(FIFTY), JAM)
    assert path.says(Moving(), Escrowed(FIFTY)) == [NoteHeld(*note(7))]
    assert path.path.in_escrow(7)


def test_a_jam_in_an_empty_path_is_only_a_jam() -> None:
    path = ready()
    assert path.says(JAM, JAM, Moving(), JAM) == [DeviceFailed("bill", "jam", "43")]
    assert path.says(Still()) == READY
    assert path.path.counters.jams == 1


def test_the_box_is_taken_out_and_put_back() -> None:
    path = ready()
    assert path.says(OUT, OUT) == [BoxRemoved("bill")]
    assert path.says(Moving(), Still()) == READY


def test_the_host_hears_when_nothing_moves_any_more() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.closing()
    path.path.decided("stacking")
    assert path.says(Moving(), Stacked(FIFTY)) == [NoteStacked(*note(7), FIFTY)]
    assert path.says(Still(), Still()) == [DeviceIdle("bill")]


def test_a_host_that_changes_its_mind_does_not_hear_it() -> None:
    path = ready()
    path.path.closing()
    path.path.opening()
    assert path.says(Still()) == []


def test_a_validator_that_had_no_power_has_to_be_opened_anew() -> None:
    assert ready().says(StartedUp("none"), StartedUp("none"), Moving(), Still(), Still()) == READY


def test_another_value_is_another_note() -> None:
    """We were busy for longer than the validator waited: fifty went out, and five came in."""
    path = ready()
    path.says(Escrowed(FIFTY))
    assert path.says(Escrowed(FIVE)) == [NoteReturned(*note(7)), NoteEscrowed(*note(8), FIVE)]
    assert not path.path.in_escrow(7)
    path.path.decided("stacking")
    assert path.says(Escrowed(FIFTY)) == [NoteUnaccounted(*note(8), "exchanged"), NoteEscrowed(*note(9), FIFTY)]
    assert path.path.decision == "", "nobody has decided on this one"


def test_five_are_not_stacked_for_fifty() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("stacking")
    assert path.says(Stacked(FIVE)) == [NoteUnaccounted(*note(7), "exchanged"), NoteStacked(*note(8), FIVE)]
    assert path.says(Stacked(FIVE), Still()) == []


def test_a_value_that_is_not_said_is_no_other_value() -> None:
    path = ready()
    path.says(Escrowed(FIFTY), Escrowed(None))
    path.path.decided("stacking")
    assert path.says(Escrowed(None), Stacked(None)) == [NoteStacked(*note(7), None)]


# The line is lost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", ["", "stacking", "returning"])
def test_what_was_decided_before_the_line_was_lost_is_not_done_to_what_lies_there_now(decision: str) -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    if decision:
        path.path.decided("stacking" if decision == "stacking" else "returning")
    path.path.interrupted()
    path.says(Broken(Fault.UNPLUGGED))
    assert (path.path.decision, path.path.in_escrow(7)) == ("", False)
    assert path.says(Escrowed(None)) == [NoteHeld(*note(7))], "the host decides again"


def test_after_the_line_was_lost_the_validator_says_how_the_note_ended() -> None:
    ends: list[tuple[Report, Fact]] = [
        (Stacked(FIFTY), NoteStacked(*note(7), FIFTY)),
        (StartedUp("stacker"), NoteStacked(*note(7))),
        (Returned(), NoteReturned(*note(7))),
        (Still(), NoteUnaccounted(*note(7), "forgotten")),
        (JAM, NoteUnaccounted(*note(7), "jam")),
    ]
    for end, fact in ends:
        path = ready()
        path.says(Escrowed(FIFTY))
        path.path.decided("stacking")
        path.path.interrupted()
        path.says(Broken(Fault.SILENT))
        assert path.says(end)[0] == fact
        assert path.says(Still()).count(fact) == 0


def test_a_note_that_had_ended_before_the_line_was_lost_has_ended() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("stacking")
    path.says(Stacked(FIFTY))
    path.path.interrupted()
    assert path.says(Broken(Fault.UNPLUGGED)) == [DeviceFailed("bill", "unplugged")]
    assert path.says(Stacked(FIFTY), Still()) == READY


def test_another_note_after_the_line_was_lost() -> None:
    path = ready()
    path.says(Escrowed(FIFTY))
    path.path.decided("stacking")
    path.path.interrupted()
    assert path.says(Escrowed(FIVE)) == [NoteUnaccounted(*note(7), "exchanged"), NoteEscrowed(*note(8), FIVE)]


# The host begins anew ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stacking", [False, True])
def test_asked_after_the_last_note_the_validator_says_what_became_of_it(*, stacking: bool) -> None:
    forgotten = NoteUnaccounted(*note(7), "forgotten") if stacking else NoteReturned(*note(7))
    ends: list[tuple[Report, Fact]] = [
        (Escrowed(FIFTY), NoteHeld(*note(7))),
        (Stacked(FIFTY), NoteStacked(*note(7), FIFTY)),
        (Returned(), NoteReturned(*note(7))),
        (StartedUp("stacker"), NoteStacked(*note(7))),
        (StartedUp("none"), forgotten),
        (Still(), forgotten),
        (JAM, NoteUnaccounted(*note(7), "jam")),
    ]
    for end, fact in ends:
        path = Path(7)
        assert path.asked(7, stacking=stacking) == []
        assert path.path.awaited  # noqa: PGH005 - a property, of a path and not of a mock
        assert path.path.wanted_before is stacking
        assert path.says(Moving(), end)[0] == fact


def test_found_at_power_up_it_is_returned_once_it_is_out() -> None:
    path = Path(7)
    path.asked(7, stacking=True)
    assert path.says(StartedUp("validator"), Moving()) == []
    assert path.says(Still()) == [NoteReturned(*note(7)), *READY]


def test_a_question_that_comes_late_is_answered_all_the_same() -> None:
    for stacking, fact in ((True, NoteUnaccounted(*note(7), "forgotten")), (False, NoteReturned(*note(7)))):
        for seen in (Still(), Escrowed(FIFTY)):
            path = Path(7)
            path.says(seen)
            assert path.asked(7, stacking=stacking) == [fact]
            assert path.says(Still(), Returned()).count(fact) == 0
    path = Path(7).ready()
    path.asked(7, stacking=True)
    assert path.asked(7, stacking=True) == [], "once"


def test_a_question_after_a_note_whose_end_was_told_is_answered_already() -> None:
    path = Path(7)
    assert path.says(Stacked(FIFTY)) == [NoteStacked(*note(7), FIFTY)]
    assert path.asked(7, stacking=True) == []
    assert path.says(Returned(), Rejected("optic"), Still()) == READY, "that was another one"
    assert path.asked(7, stacking=True) == []


def test_a_question_after_an_older_note_finds_nobody_who_knows() -> None:
    path = Path(7)
    assert path.asked(3, stacking=True) == [NoteUnaccounted(*note(3), "forgotten")]


def test_until_it_was_still_the_end_that_is_repeated_is_that_of_the_last_note() -> None:
    path = Path(7)
    assert path.says(Stacked(FIFTY), Stacked(FIFTY)) == [NoteStacked(*note(7), FIFTY)], "the journal knows it or not"
    assert path.says(Still(), Escrowed(FIVE))[-1] == NoteEscrowed(*note(8), FIVE)


def test_a_note_that_the_journal_does_not_know_is_a_new_one() -> None:
    assert Path(7).says(Escrowed(FIFTY)) == [NoteEscrowed(*note(8), FIFTY)]
    assert Path(7).ready().says(Stacked(FIFTY)) == [NoteStacked(*note(8), FIFTY)]
    assert Path(0).says(Stacked(FIFTY)) == [NoteStacked(*note(1), FIFTY)]
    assert Path(0).says(StartedUp("stacker")) == [NoteStacked(*note(1))]


# Every report in every stage -----------------------------------------------------------------------------------------


def in_escrow(decision: str = "") -> Path:
    """Note 7, of fifty, was announced; perhaps it is decided what to do with it."""
    path = ready()
    path.says(Escrowed(FIFTY))
    match decision:
        case "stacking" | "returning":
            path.path.decided(decision)
        case _:
            pass
    return path


def doubtful() -> Path:
    """Note 7 has jammed, and the host knows."""
    path = in_escrow("stacking")
    path.says(JAM)
    return path


def ended() -> Path:
    """Note 7 is in the box, and the host knows."""
    path = in_escrow("stacking")
    path.says(Stacked(FIFTY))
    return path


def asked(*, stacking: bool) -> Path:
    """The host has begun anew and asks after note 7."""
    path = Path(7)
    assert path.asked(7, stacking=stacking) == []
    return path


def cut() -> Path:
    """The line was lost over note 7, which was to be stacked."""
    path = in_escrow("stacking")
    path.path.interrupted()
    return path


STAGES: dict[str, Callable[[], Path]] = {
    "empty": lambda: ready(7),
    "unknown": lambda: Path(7),
    "asked": lambda: asked(stacking=False),
    "wanted": lambda: asked(stacking=True),
    "escrow": in_escrow,
    "stacking": lambda: in_escrow("stacking"),
    "returning": lambda: in_escrow("returning"),
    "cut": cut,
    "doubtful": doubtful,
    "ended": ended,
}
REPORTS: dict[str, tuple[Report, ...]] = {
    "still": (Still(),),
    "up": (StartedUp("none"),),
    "up/val": (StartedUp("validator"), Still()),
    "up/box": (StartedUp("stacker"),),
    "esc 50": (Escrowed(FIFTY),),
    "esc 5": (Escrowed(FIVE),),
    "esc ?": (Escrowed(None),),
    "box 50": (Stacked(FIFTY),),
    "box 5": (Stacked(FIVE),),
    "box ?": (Stacked(),),
    "out": (Returned(),),
    "reject": (Rejected("optic"), Still()),
    "jam": (JAM,),
    "moving": (Moving(), PAUSE, OUT),
}
LETTERS = {NoteEscrowed: "E", NoteHeld: "H", NoteStacked: "S", NoteReturned: "R", NoteUnaccounted: "U"}
# E escrowed, H held, S stacked, R returned, U unaccounted, with the number of the note
GRID = """
          | still | up | up/val | up/box | esc 50 | esc 5 | esc ? | box 50 | box 5 | box ? | out | reject | jam | moving
empty     |       |    |        | S8     | E8     | E8    | E8    | S8     | S8    | S8    |     |        |     |
unknown   |       |    |        | S7     | E8     | E8    | E8    | S7     | S7    | S7    |     |        |     |
asked     | R7    | R7 | R7     | S7     | H7     | H7    | H7    | S7     | S7    | S7    | R7  | R7     | U7  |
wanted    | U7    | U7 | R7     | S7     | H7     | H7    | H7    | S7     | S7    | S7    | R7  | R7     | U7  |
escrow    | R7    | R7 | R7     | S7     |        | R7 E8 |       | S7     | R7 S8 | S7    | R7  | R7     | U7  |
stacking  | U7    | U7 | R7     | S7     |        | U7 E8 |       | S7     | U7 S8 | S7    | R7  | R7     | U7  |
returning | R7    | R7 | R7     | S7     |        | R7 E8 |       | S7     | R7 S8 | S7    | R7  | R7     | U7  |
cut       | U7    | U7 | R7     | S7     | H7     | U7 E8 | H7    | S7     | U7 S8 | S7    | R7  | R7     | U7  |
doubtful  |       |    | R7     | S7     | H7     | E8    | H7    | S7     | S8    | S7    | R7  | R7     |     |
ended     |       |    |        |        | E8     | E8    | E8    |        | S8    |       |     |        |     |
"""


def grid() -> Iterator[tuple[str, str, list[str]]]:
    """Stage, report, and what the host is to hear."""
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in GRID.strip("\n").splitlines()]
    for stage, *cells in lines:
        for report, cell in zip(head[1:], cells, strict=True):
            yield stage, report, cell.split()


def short(facts: list[Fact]) -> list[str]:
    """The facts about notes, in short."""
    return [
        f"{LETTERS[type(fact)]}{fact.position}"
        for fact in facts
        if isinstance(fact, NoteEscrowed | NoteHeld | NoteStacked | NoteReturned | NoteUnaccounted)
    ]


@pytest.mark.parametrize(("stage", "report", "told"), list(grid()))
def test_every_report_in_every_stage(stage: str, report: str, told: list[str]) -> None:
    path = STAGES[stage]()
    assert short(path.says(*REPORTS[report])) == told
    if not told or told[-1][0] not in "EH":
        assert short(path.says(*REPORTS[report])) == [], "said again, it is no news"


def test_the_grid_is_whole() -> None:
    assert {(stage, report) for stage, report, _ in grid()} == {(stage, said) for stage in STAGES for said in REPORTS}


class DeafError(Exception):
    """The host could not take a fact."""


def hear(facts: Iterator[Fact], so_many: int) -> None:
    """A host that takes so many facts, and not the next one."""
    for _ in range(so_many):
        next(facts)
    raise DeafError(next(facts))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("report", [report for reports in REPORTS.values() for report in reports[:1]], ids=str)
def test_whom_a_fact_did_not_reach_hears_it_again(stage: str, report: Report) -> None:
    expected = STAGES[stage]().says(report)
    for so_many in range(len(expected)):
        path = STAGES[stage]()
        with pytest.raises(DeafError):
            hear(path.path.take(report), so_many)
        again = path.says(report)
        assert again[-(len(expected) - so_many) :] == expected[so_many:]


# A thousand accidents ------------------------------------------------------------------------------------------------

NAMED = st.sampled_from([FIFTY, FIVE, None])
SAID = st.one_of(
    st.just(Still()),
    st.just(Moving()),
    st.builds(Escrowed, NAMED),
    st.builds(Stacked, NAMED),
    st.just(Returned()),
    st.just(Rejected("optic")),
    st.builds(StartedUp, st.sampled_from(["none", "validator", "stacker"])),
    st.sampled_from([JAM, PAUSE, OUT]),
)
DONE = st.sampled_from(["decide stacking", "decide returning", "lose the line", "begin anew"])
STORY = st.lists(st.one_of(SAID, SAID, SAID, DONE), max_size=40)
ENDS = (NoteStacked, NoteReturned)


class Oracle:
    """What has to hold of all that the host hears, whatever the validator says."""

    def __init__(self) -> None:
        self.last = 0
        self.announced: dict[int, Money | None] = {}
        self.ended: dict[int, type[Fact]] = {}
        self.doubtful: set[int] = set()
        self.stuck = 0  # the note that is in doubt, until it is said to be somewhere again
        self.wanted: set[int] = set()  # it was decided to stack them
        self.inherited = 0  # the last note of the driver before this one, until it is seen still
        self.stacked_since_still: list[int] = []

    def hears(self, fact: Fact, report: Report | None) -> None:
        """One fact, because of that report."""
        match fact:
            case NoteEscrowed(position=position, amount=amount):
                assert position == self.last + 1, "a number never comes again"
                assert isinstance(report, Escrowed)
                self.last, self.announced[position] = position, amount
                self.inherited = 0
            case NoteHeld(position=position):
                assert isinstance(report, Escrowed)
                assert position == self.last
                self.may_be_told(position)
            case NoteStacked(position=position):
                assert isinstance(report, Stacked | StartedUp), "nothing else puts a note into the box"
                self.ends(position, NoteStacked)
                assert position not in self.stacked_since_still, "once between two stillnesses"
                self.stacked_since_still.append(position)
            case NoteReturned(position=position):
                self.ends(position, NoteReturned)
                if position in self.wanted:
                    assert isinstance(report, Returned | Still | Escrowed | Stacked | StartedUp)
            case NoteUnaccounted(position=position):
                self.may_be_told(position)
                assert position != self.stuck, "doubt is told once"
                self.doubtful.add(position)
                self.stuck = position
            case _:
                pass

    def ends(self, position: int, how: type[Fact]) -> None:
        """It is in the box or in the hand, and that is all that will ever be said of it."""
        if position == self.last + 1:
            assert how is NoteStacked, "one that came out of nowhere"
            self.last, self.inherited = position, 0
            self.announced[position] = None
        self.may_be_told(position)
        self.ended[position] = how

    def may_be_told(self, position: int) -> None:
        """It has not ended; except that a new driver may repeat what the journal knows already."""
        assert position == self.inherited or position not in self.ended, (position, self.ended)
        self.inherited = 0 if position == self.inherited else self.inherited


class Accidents:
    """Plays a story to a path, as a driver would, with a host that keeps an oracle."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self.path = NotePath("bill", 0)
        self.amount: Money | None = None  # of what lies in escrow

    def play(self, step: Report | str) -> None:
        """One thing happens."""
        match step:
            case "decide stacking" | "decide returning":
                self.decide(step.removeprefix("decide "))
            case "lose the line":
                self.path.interrupted()
                self.says(Broken(Fault.UNPLUGGED))
            case "begin anew":
                self.begin_anew()
            case Report():
                self.says(step)
            case _:
                raise AssertionError(step)

    def says(self, report: Report) -> None:
        """The validator says that; a note that lies there is not stacked for another one."""
        for fact in self.path.take(report):
            self.oracle.hears(fact, report)
        if isinstance(report, Still | StartedUp):
            self.oracle.stacked_since_still.clear()
            self.oracle.inherited = 0 if isinstance(report, Still) else self.oracle.inherited
        if isinstance(report, Escrowed | Rejected | StartedUp):
            self.oracle.stuck = 0
        if isinstance(report, Escrowed) and self.path.decision == "stacking":
            announced = self.oracle.announced[self.oracle.last]
            assert None in {announced, report.amount} or announced == report.amount

    def decide(self, decision: str) -> None:
        """The host decides on the last note, if it waits for that."""
        last = self.oracle.last
        if last and self.path.in_escrow(last):
            assert last not in self.oracle.ended
            self.path.decided("stacking" if decision == "stacking" else "returning")
            if decision == "stacking":
                self.oracle.wanted.add(last)

    def begin_anew(self) -> None:
        """The host and its driver start again, from what the journal knows; it asks after what is open."""
        oracle = self.oracle
        oracle.inherited = oracle.last
        oracle.stacked_since_still.clear()  # the journal knows such a repeat from a second note
        self.path = NotePath("bill", oracle.last)
        for position in oracle.announced.keys() - oracle.ended.keys() - oracle.doubtful:
            for fact in self.path.asked(TellNote("bill", position, stacking=position in oracle.wanted)):
                oracle.hears(fact, None)


@settings(max_examples=1000)
@given(STORY)
def test_whatever_a_validator_says_every_note_ends_once(story: list[Report | str]) -> None:
    accidents = Accidents()
    for step in story:
        accidents.play(step)
    accidents.play(Still())
    oracle = accidents.oracle
    assert oracle.announced.keys() == oracle.ended.keys() | (oracle.doubtful & oracle.announced.keys())


@settings(max_examples=500)
@given(STORY, st.sampled_from([0, 7]))
def test_a_validator_that_says_everything_twice_says_nothing_new(story: list[Report | str], last: int) -> None:
    once, twice = NotePath("bill", last), NotePath("bill", last)
    for report in story:
        if isinstance(report, Report):
            first = list(once.take(report))
            assert [*twice.take(report), *twice.take(report)] == first
