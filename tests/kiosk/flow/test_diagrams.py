"""The documentation is as true as the tables: its pictures are drawn from them, and they are not stale."""

import re

import pytest

from kiosk.errors import UsageError
from kiosk.flow.core import TABLES
from kiosk.flow.diagrams import document, rewritten
from kiosk.money.accounts import CHART


def text() -> str:
    """The documentation as it stands."""
    return document().read_text("utf-8")


def test_the_drawn_sections_are_not_stale() -> None:
    assert rewritten(text()) == text(), "run `python -m kiosk.flow.diagrams`"


def test_a_section_that_says_something_else_is_drawn_anew() -> None:
    stale = text().replace("closed --> taking: CashWanted", "closed --> taking: Magic")
    assert stale != text()
    assert rewritten(stale) == text()


def test_a_missing_section_is_named_with_its_remedy() -> None:
    with pytest.raises(UsageError, match="no section 'accounts'"):
        rewritten("nothing here")


@pytest.mark.parametrize("kind", TABLES)
def test_every_table_is_drawn_with_all_of_its_states_and_ways(kind: str) -> None:
    table = TABLES[kind]
    section = text().partition(f"### {kind.capitalize()}\n")[2].partition("\n### ")[0]
    for state, meaning in table.states.items():
        assert state == "new" or (f"**{state}**" in section and meaning in section)
    drawn = set(re.findall(r"^    (\S+) --> (\S+)", section, re.MULTILINE))
    ways = {("[*]" if row.state == "new" else row.state, row.to) for row in table.rows if row.to != row.state}
    assert {way for way in drawn if way[1] != "[*]"} == {(state, f"{to}:") for state, to in ways}
    assert {way[0] for way in drawn if way[1] == "[*]"} == table.final


def test_every_account_is_in_the_chart() -> None:
    for name, line in CHART.items():
        assert f"| `{name}` | {line.side} |" in text()
