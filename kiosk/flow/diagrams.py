"""The pictures in the documentation are drawn from the tables that run, so they cannot say anything else.

`python -m kiosk.flow.diagrams` rewrites the marked sections of kiosk/ARCHITECTURE.md; a test fails when they are stale.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from kiosk.errors import UsageError
from kiosk.flow.core import TABLES
from kiosk.flow.machine import NEW, Row, Table
from kiosk.money.accounts import CHART

DOCUMENT: Final = "ARCHITECTURE.md"
FACTS_PER_LINE: Final = 2  # of one arrow's label
ENTRANCE = EXIT = "[*]"


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
    lines = ["| account | side | cannot be overdrawn | what it holds |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {line.side} | {'yes' if line.guarded else ''} | {line.meaning} |" for name, line in CHART.items()
    ]
    return "\n".join(lines) + "\n"


def _tables() -> str:
    return "\n".join(_table(table) for table in TABLES.values())


def _table(table: Table[Any]) -> str:
    title = f"### {table.kind.capitalize()}"
    states = [
        "| state | meaning |",
        "|---|---|",
        *(f"| {_state(table, name)} | {table.states[name]} |" for name in _own(table)),
    ]
    stays = ", ".join(f"`{name}`" for name in _acted_on_without_moving(table))
    also = f"\nActed on without a change of state: {stays}.\n" if stays else ""
    return "\n".join([title, "", "```mermaid", *_picture(table), "```", "", *states, also])


def _own(table: Table[Any]) -> Iterator[str]:
    return (name for name in table.states if name != NEW)


def _state(table: Table[Any], name: str) -> str:
    if name in table.final:
        return f"**{name}** ■"
    return f"**{name}** ◦" if name in table.resting else f"**{name}**"


def _picture(table: Table[Any]) -> Iterator[str]:
    yield "stateDiagram-v2"
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        if row.to != row.state:
            arrows.setdefault((row.state, row.to), []).append(_words(table, row))
    for (state, to), words in arrows.items():
        yield f"    {ENTRANCE if state == NEW else state} --> {to}: {_label(list(dict.fromkeys(words)))}"
    for name in _own(table):
        if name in table.final:
            yield f"    {name} --> {EXIT}"


def _words(table: Table[Any], row: Row) -> str:
    """The fact, and under which condition it is this row and not another one."""
    name = row.fact.__name__
    if len({choice.to for choice in table.choices(row.state, row.fact)}) == 1:
        return name
    return f"{name} [{_spoken(row.when) if row.when else 'otherwise'}]"


def _spoken(guard: Callable[..., bool]) -> str:
    return guard.__name__.replace("_", " ")


def _label(words: list[str]) -> str:
    lines = [", ".join(words[start : start + FACTS_PER_LINE]) for start in range(0, len(words), FACTS_PER_LINE)]
    return ",<br/>".join(lines)


def _acted_on_without_moving(table: Table[Any]) -> list[str]:
    return list(dict.fromkeys(row.fact.__name__ for row in table.rows if row.to == row.state and row.do is not None))


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
