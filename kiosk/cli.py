"""Every command of the terminal is a row of this table; only the one that is asked for is loaded."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn, Protocol, cast

from kiosk.commands import Subparsers
from kiosk.errors import UsageError

COMMANDS = {
    "check": ("kiosk.commands.check", "read the configuration and name every mistake in it"),
    "init": ("kiosk.commands.init", "begin a new journal, and its secret key where there is none"),
    "adopt": ("kiosk.commands.adopt", "go on with a journal that was restored or moved"),
    "totals": ("kiosk.commands.totals", "print the totals of a business day"),
    "journal": ("kiosk.commands.journal", "show, verify or export the journal"),
    "simulate": ("kiosk.commands.simulate", "run seeded sessions with every kind of fault"),
}

PIPE_BROKEN = 1
USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


class Command(Protocol):
    """What each module in kiosk/commands offers."""

    def add(self, subparsers: Subparsers) -> None:
        """Declare the command and its options."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit status."""
        ...


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"{self.prog} --help shows what can be written")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a person's mistake ends in its remedy and status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where the locale lacks a letter, the report still comes out
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except UsageError as error:
        print(error, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # The reader has gone: the interpreter's own last flush must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_BROKEN
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(argv: Sequence[str]) -> int:
    parser = _Parser(prog="kiosk", description="The self-service top-up terminal.", allow_abbrev=False)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    chosen = argv[0] if argv else ""
    for name, (module, line) in COMMANDS.items():
        if name == chosen:
            command = cast("Command", import_module(module))
            command.add(subparsers)
            return command.run(parser.parse_args(argv))
        subparsers.add_parser(name, help=line)

    if chosen in {"-h", "--help"}:
        parser.print_help()
        return 0
    if not chosen:
        parser.print_help(sys.stderr)
        return USAGE
    problem = f'there is no command "{chosen}"'
    close = get_close_matches(chosen, COMMANDS, n=1)
    raise UsageError(problem, f"did you mean kiosk {close[0]}?" if close else "kiosk --help lists the commands")
