"""The documentation is as true as the tables: its pictures are drawn from them, and they are not stale."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.errors import UsageError
from kiosk.flow.core import TABLES
from kiosk.flow.diagrams import document, rewritten
from kiosk.flow.machine import Table
from kiosk.money.accounts import CHART

Way = tuple[str, str, str]  # state, fact with its condition, state

each_kind = pytest.mark.parametrize("kind", TABLES)


def text() -> str:
    """The documentation as it stands."""
    return document().read_text("utf-8")


def section(kind: str) -> str:
    """What it says about one table."""
    found = re.search(rf"^### {kind.capitalize()}\n(.*?)^(?=###? |<!-- end )", text(), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def pictures(kind: str) -> list[str]:
    """The diagrams of one table."""
    return re.findall(r"^```mermaid\n(.*?)^```$", section(kind), re.MULTILINE | re.DOTALL)


def arrows(picture: str) -> Iterator[tuple[list[str], list[str], str]]:
    """What one diagram draws: from these states, at these facts, to that one."""
    crowds = {name: states.split("<br/>") for states, name in re.findall(r'state "(.+)" as (\S+)', picture)}
    for source, to, label in re.findall(r"^    (\S+) --> (\S+): (.+)$", picture, re.MULTILINE):
        yield crowds.get(source, ["new" if source == "[*]" else source]), label.split("<br/>"), to


def sentences(kind: str) -> Iterator[tuple[list[str], list[str], str]]:
    """What is told under the diagrams of one table, in the same form."""
    for told in re.findall(r"^After its end: (.+)\.$", section(kind), re.MULTILINE):
        for sentence in told.replace("`", "").split("; "):
            states, _, rest = sentence.partition(" at ")
            facts, _, to = rest.partition(" → ")
            yield states.split(", "), facts.split(", "), to


def drawn(kind: str) -> list[Way]:
    return [way for picture in pictures(kind) for arrow in arrows(picture) for way in single(*arrow)]


def told(kind: str) -> list[Way]:
    return [way for sentence in sentences(kind) for way in single(*sentence)]


def single(states: list[str], facts: list[str], to: str) -> Iterator[Way]:
    """The ways of which one arrow is made."""
    return ((state, fact.replace("\N{NO-BREAK SPACE}", " "), to) for state in states for fact in facts)


def ways(table: Table[Any]) -> Iterator[Way]:
    """The ways that the table itself knows."""
    for row in table.rows:
        if row.to != row.state:
            guard = row.when.__name__.replace("_", " ") if row.when else "otherwise"
            only = len({choice.to for choice in table.choices(row.state, row.fact)}) == 1
            yield row.state, row.fact.__name__ if only else f"{row.fact.__name__} [{guard}]", row.to


def test_the_drawn_sections_are_not_stale() -> None:
    assert rewritten(text()) == text(), "run `python -m kiosk.flow.diagrams`"


def test_a_section_that_says_something_else_is_drawn_anew() -> None:
    stale = text().replace("closed --> taking: CashWanted", "closed --> taking: Magic")
    assert stale != text()
    assert rewritten(stale) == text()


def test_a_missing_section_is_named_with_its_remedy() -> None:
    with pytest.raises(UsageError, match="no section 'accounts'"):
        rewritten("nothing here")


@each_kind
def test_every_way_out_of_every_state_is_drawn_or_told_exactly_once(kind: str) -> None:
    assert Counter(drawn(kind) + told(kind)) == Counter(set(ways(TABLES[kind])))


@each_kind
def test_only_ends_have_an_afterwards_and_it_is_not_drawn(kind: str) -> None:
    left = {state for state, _, _ in drawn(kind)} & TABLES[kind].final
    assert left == ({"empty"} if kind == "claim" else set())  # a claim may begin at an end, and go on
    assert {state for state, _, _ in told(kind)} <= TABLES[kind].final - left


@each_kind
def test_every_state_is_explained_and_ends_are_marked(kind: str) -> None:
    table = TABLES[kind]
    for state, meaning in table.states.items():
        sign = " ■" if state in table.final else " ◦" if state in table.resting else ""
        assert state == "new" or f"| **{state}**{sign} | {meaning} |" in section(kind)
    for picture in pictures(kind):
        alone = {states[0] for states, _, _ in arrows(picture) if len(states) == 1}
        seen = alone | {to for _, _, to in arrows(picture)}
        marked = [name for names in re.findall(r"class (\S+) final", picture) for name in names.split(",")]
        assert sorted(marked) == sorted(seen & table.final)


@each_kind
def test_a_fact_that_many_states_have_in_common_is_one_arrow_and_has_a_line_to_itself(kind: str) -> None:
    for picture in pictures(kind):
        lines = [(fact, to) for states, facts, to in arrows(picture) if states != ["new"] for fact in facts]
        assert all(" " not in fact for fact, _ in lines)
        assert all(count < 3 for count in Counter(lines).values())


def test_frozen_has_a_picture_of_its_own() -> None:
    whole, apart = pictures("claim")
    assert "frozen" not in whole
    assert all("frozen" in [*states, to] for states, _, to in arrows(apart))


def test_every_account_is_in_the_chart() -> None:
    for name, line in CHART.items():
        assert f"| `{name}` | {line.side} |" in text()
