"""Every sentence that a person reads stands in one file per language; here they are found and filled in."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import cast


class MissingTextError(LookupError):
    """There is no such language, or no such sentence in it: a mistake of the program, which the tests look for."""


def text(key: str, /, language: str = "en", **values: object) -> str:
    """The sentence under a key such as "story.fact.NoteStacked", with its values filled in."""
    try:
        return sentences(language)[key].format_map(values)
    except KeyError as error:
        msg = f"{language}: {key}: {error.args[0]} is missing"
        raise MissingTextError(msg) from error


@cache
def sentences(language: str) -> dict[str, str]:
    """All sentences of a language by their keys."""
    file = files(__name__).joinpath(f"{language}.toml")
    if not file.is_file():
        msg = f"there are no texts in {language!r}"
        raise MissingTextError(msg)
    return dict(_flat("", tomllib.loads(file.read_text("utf-8"))))


def _flat(prefix: str, table: dict[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{key}.", cast("dict[str, object]", value))
        else:
            found.append((f"{prefix}{key}", str(value)))
    return found
