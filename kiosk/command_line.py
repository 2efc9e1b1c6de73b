"""One command of the table is loaded, reads its options, and is run to whichever end it comes."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from kiosk import streams
from kiosk.commands import Subparsers
from kiosk.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Commands = Mapping[str, tuple[str, str]]  # by name: its module, and one line about it

PIPE_BROKEN = 1
USAGE = 2


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

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help; argparse's own printing would keep a full disk to itself."""
        (file or sys.stderr).write(message)


def run(commands: Commands, argv: Sequence[str]) -> int:
    """Run one command; a person's mistake, and output that goes nowhere, end in a remedy and status 2."""
    try:
        streams.prepare()
        try:
            return _ended(commands, argv)
        finally:
            streams.flush()
    except UsageError as error:
        streams.complain(error)
        return error.status
    except BrokenPipeError:
        streams.let_go(sys.stdout)
        return PIPE_BROKEN
    except OSError as error:
        if error.filename is not None:
            raise  # a file that no command was prepared for; only a stream fails without a name
        streams.let_go(sys.stdout)
        problem = f"the output could not be written: {error.strerror}"
        streams.complain(
            UsageError(problem, "make room where it goes, or send it elsewhere, and run the command again")
        )
        return USAGE


def _ended(commands: Commands, argv: Sequence[str]) -> int:
    """Run the command to whichever end it comes."""
    try:
        return _run(commands, argv)
    except UsageError as error:
        streams.complain(error)
        return error.status


def _run(commands: Commands, argv: Sequence[str]) -> int:
    parser = _Parser(prog="kiosk", description="The self-service top-up terminal.", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    chosen = argv[0] if argv else ""
    for name, (module, line) in commands.items():
        if name == chosen:
            command = cast("Command", import_module(module))
            command.add(subparsers)
            return command.run(parser.parse_args(argv))
        subparsers.add_parser(name, help=line)

    if chosen in {"-h", "--help"}:
        parser.print_help()
        return 0
    if chosen == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - it takes a while to load, and no command needs it

        sys.stdout.write(f"kiosk {version('kiosk')}\n")
        return 0
    if not chosen:
        parser.print_help(sys.stderr)
        return USAGE
    problem = f'there is no command "{chosen}"'
    close = get_close_matches(chosen, commands, n=1)
    raise UsageError(problem, f"did you mean kiosk {close[0]}?" if close else "kiosk --help lists the commands")
