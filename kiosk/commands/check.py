"""`kiosk check` reads the configuration as the terminal will read it, and starts nothing.

It looks at key, heads and journal as the terminal will, too: what is right here takes money there.
"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from kiosk import config
from kiosk.amount import plain
from kiosk.commands import Subparsers
from kiosk.counted import counted
from kiosk.money import folder
from kiosk.money.terminal_config import check_head_places
from kiosk.texts import MissingTextError, sentences


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk check --config FILE`."""
    parser = subparsers.add_parser("check", description="Read the configuration and name every mistake in it.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file of this terminal")


def run(args: Namespace) -> int:
    """Print what the configuration says in a few lines, or let its mistakes be told."""
    path: Path = args.config
    found = config.read(path, to_write=True)
    check_head_places(found)
    begun = folder.check_for_money(found)
    print(f"{path} is right.")
    for name, words in _summary(found, begun=begun):
        print(f"  {name:<12}{words}")
    return 0


def _summary(found: config.Config, *, begun: bool) -> Iterator[tuple[str, str]]:
    terminal, journal, cash, claims = found.terminal, found.journal, found.cash, found.claims
    yield "terminal", f"{terminal.id}, {terminal.place}, {terminal.mode}"
    yield "day", f"begins at {terminal.cutoff:%H:%M}, {terminal.timezone.key}"
    yield "languages", ", ".join(terminal.languages)
    unwritten = [language for language in terminal.languages if not _has_texts(language)]
    if unwritten:
        yield "", f"no texts yet for {', '.join(unwritten)}: customers cannot choose them"
    yield "journal", f"{journal.data}{'' if begun else ' (kiosk init will begin it)'}"
    yield "head copy", str(journal.head_copy or "none: a rollback of the whole disk would not be noticed here")
    yield "personal", f"wiped {counted(journal.keep_personal_days, 'day')} after the end of a sale"
    yield "cash", f"{terminal.currency} {' '.join(map(plain, cash.accept)) or 'none is taken'}"
    yield "limits", f"{plain(cash.limit)} a sale, {plain(cash.overpay_limit)} beyond the price by one note"
    yield "excess", f"{cash.excess}; the customer may choose {' or '.join(cash.excess_choices)}"
    yield "walk away", cash.walk_away
    expiry = f"expire after {counted(claims.expire_days, 'day')}" if claims.expire_days else "never expire"
    yield "claims", f"{expiry}; {counted(claims.code_attempts_per_hour, 'attempt')} at a code an hour"


def _has_texts(language: str) -> bool:
    try:
        sentences(language)
    except MissingTextError:
        return False
    return True
