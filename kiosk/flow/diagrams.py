"""The pictures in the documentation are drawn from the tables that run, so they cannot say anything else.

`python -m kiosk.flow.diagrams` rewrites the marked sections of kiosk/ARCHITECTURE.md; a test fails when they are stale.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from kiosk.errors import UsageError
from kiosk.flow.core import TABLES
from kiosk.flow.machine import NEW, Row, Table
from kiosk.money.accounts import CHART

DOCUMENT: Final = "ARCHITECTURE.md"
CROWD: Final = 3  # as many states with a fact in common are drawn as one
APART: Final = {"claim": "frozen"}  # so many ways lead to and from this state that they have a picture of their own
LINES: Final = '%%{init: {"flowchart": {"curve": "rounded"}}}%%'  # on its usual curve Mermaid lays labels on labels
BIRTH: Final = "[*]"
BREAK: Final = "<br/>"
SPACE: Final = "\N{NO-BREAK SPACE}"  # inside "Fact [guard]": a label breaks between facts only


class Way(NamedTuple):
    """A change of state at a fact, which is in the words of a label."""

    state: str
    fact: str
    to: str


def document() -> Path:
    """Where the documentation stands beside the code."""
    return Path(str(files("kiosk"))) / DOCUMENT


def rewritten(text: str) -> str:
    """The same text, with every marked section drawn anew."""
    for name, draw in SECTIONS.items():
        begin, end = f"<!-- begin {name}: drawn by kiosk.flow.diagrams -->", f"<!-- end {name} -->"
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found or not found_end:
            problem = f"{DOCUMENT} has no section {name!r}"
            raise UsageError(problem, f"put the lines {begin} and {end} where it belongs")
        text = f"{before}{begin}\n\n{draw()}\n{end}{after}"
    return text


def _chart() -> str:
    """The chart of accounts."""
    lines = ["| account | side | cannot be overdrawn | what it holds |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {line.side} | {'yes' if line.guarded else ''} | {line.meaning} |" for name, line in CHART.items()
    ]
    return "\n".join(lines) + "\n"


def _tables() -> str:
    """All tables, one after the other."""
    return "\n".join(line for table in TABLES.values() for line in _table(table))


def _table(table: Table[Any]) -> Iterator[str]:
    """One table: what is drawn, what is told, the states, and the facts that change none of them."""
    ways = _ways(table)
    drawn = [way for way in ways if not _is_over(table, way.state)]
    told = _joined((way for way in ways if _is_over(table, way.state)), 1)
    apart = APART.get(table.kind, "")
    yield f"### {table.kind.capitalize()}\n"
    yield from _picture(table, [way for way in drawn if apart not in (way.state, way.to)])
    if apart:
        yield f"To and from `{apart}`:\n"
        yield from _picture(table, [way for way in drawn if apart in (way.state, way.to)])
    if told:
        yield f"After its end: {'; '.join(_sentence(*arrow, facts) for arrow, facts in told.items())}.\n"
    yield "| state | meaning |\n|---|---|"
    yield from (f"| {_state(table, name)} | {meaning} |" for name, meaning in table.states.items() if name != NEW)
    yield ""
    stays = dict.fromkeys(row.fact.__name__ for row in table.rows if row.to == row.state and row.do is not None)
    if stays:
        yield f"Acted on without a change of state: {', '.join(f'`{name}`' for name in stays)}.\n"


def _state(table: Table[Any], name: str) -> str:
    """A state with its sign."""
    if name in table.final:
        return f"**{name}** ■"
    return f"**{name}** ◦" if name in table.resting else f"**{name}**"


def _ways(table: Table[Any]) -> list[Way]:
    """Every change of state, once, in the order of the states that are left."""
    ways = dict.fromkeys(Way(row.state, _words(table, row), row.to) for row in table.rows if row.to != row.state)
    return sorted(ways, key=lambda way: list(table.states).index(way.state))


def _words(table: Table[Any], row: Row) -> str:
    """The fact, and under which condition it is this row and not another one."""
    name = row.fact.__name__
    if len({choice.to for choice in table.choices(row.state, row.fact)}) == 1:
        return name
    guard = row.when.__name__.replace("_", SPACE) if row.when else "otherwise"
    return f"{name}{SPACE}[{guard}]"


def _is_over(table: Table[Any], state: str) -> bool:
    """Whether it is an end; one in which lives begin, and from which they go on to what is no end, is a beginning."""
    begins = any(row.state == NEW and row.to == state for row in table.rows)
    goes_on = any(row.state == state and row.to not in table.final for row in table.rows)
    return state in table.final and not (begins and goes_on)


def _joined(ways: Iterable[Way], crowd: int) -> dict[tuple[tuple[str, ...], str], list[str]]:
    """The facts of each arrow, which leaves one state, or all at once that have a fact in common and are a crowd."""
    sources: dict[tuple[str, str], list[str]] = {}
    for way in ways:
        sources.setdefault((way.fact, way.to), []).append(way.state)
    arrows: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (fact, to), states in sources.items():
        for group in [states] if len(states) >= crowd else [[state] for state in states]:
            arrows.setdefault((tuple(group), to), []).append(fact)
    return arrows


def _picture(table: Table[Any], ways: list[Way]) -> Iterator[str]:
    """A state diagram of these ways."""
    births = (way for way in ways if way.state == NEW)
    others = (way for way in ways if way.state != NEW)
    arrows = _joined(births, CROWD) | _joined(others, CROWD)
    crowds = dict.fromkeys(states for states, _ in arrows if len(states) >= CROWD)
    names = {states: f"any{number}" for number, states in enumerate(crowds, 1)}
    drawn = {to for _, to in arrows} | {states[0] for states, _ in arrows if states not in names}
    ends = [name for name in table.states if name in drawn & table.final]
    yield f"```mermaid\n{LINES}\nstateDiagram-v2"
    for states, name in names.items():
        yield f'    state "{BREAK.join(states)}" as {name}'
    for (states, to), facts in arrows.items():
        source = BIRTH if states == (NEW,) else names.get(states, states[0])
        yield f"    {source} --> {to}: {BREAK.join(facts)}"
    if names:
        yield f"    classDef any stroke-dasharray:4\n    class {','.join(names.values())} any"
    if ends:
        yield f"    classDef final stroke-width:4px\n    class {','.join(ends)} final"
    yield "```\n"


def _sentence(states: tuple[str, ...], to: str, facts: list[str]) -> str:
    """An arrow in words."""
    at = ", ".join("`{}`{}{}".format(*fact.partition(SPACE)) for fact in facts)
    return f"{', '.join(f'`{state}`' for state in states)} at {at} → `{to}`"


SECTIONS: dict[str, Callable[[], str]] = {"accounts": _chart, "tables": _tables}


def main() -> None:
    """Rewrite the document in place."""
    path = document()
    path.write_text(rewritten(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    try:
        main()
    except UsageError as error:
        raise SystemExit(str(error)) from error
