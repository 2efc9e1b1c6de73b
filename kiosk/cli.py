"""Every command of the terminal is a row of this table; only the one that is asked for is loaded."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, TextIO, cast

from kiosk.commands import Subparsers
from kiosk.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

COMMANDS = {
    "check": ("kiosk.commands.check", "read the configuration and name every mistake in it"),
    "init": ("kiosk.commands.init", "begin a new journal, and its secret key where there is none"),
    "adopt": ("kiosk.commands.adopt", "go on with a journal that was restored or moved"),
    "totals": ("kiosk.commands.totals", "print the totals of a business day"),
    "journal": ("kiosk.commands.journal", "show, verify or export the journal"),
    "diagnose": ("kiosk.commands.diagnose", "ask each configured device who and how it is"),
    "detect": ("kiosk.commands.detect", "find out what answers on a serial port"),
    "bench": ("kiosk.commands.bench", "be the machine without metal: simulated devices and a page"),
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

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help; argparse's own printing would keep a full disk to itself."""
        (file or sys.stderr).write(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a person's mistake, and output that goes nowhere, end in a remedy and status 2."""
    try:
        _prepare_streams()
        try:
            return _ended(sys.argv[1:] if argv is None else argv)
        finally:
            _flush()
    except UsageError as error:
        _tell(error)
        return USAGE
    except BrokenPipeError:
        _let_go(sys.stdout)
        return PIPE_BROKEN
    except OSError as error:
        if error.filename is not None:
            raise  # a file that no command was prepared for; only a stream fails without a name
        _let_go(sys.stdout)
        problem = f"the output could not be written: {error.strerror}"
        _tell(UsageError(problem, "make room where it goes, or send it elsewhere, and run the command again"))
        return USAGE


def _ended(argv: Sequence[str]) -> int:
    """Run the command to whichever end it comes."""
    try:
        return _run(argv)
    except UsageError as error:
        _tell(error)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(argv: Sequence[str]) -> int:
    parser = _Parser(prog="kiosk", description="The self-service top-up terminal.", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="show the version and exit")
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
    if chosen == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - it takes a while to load, and no command needs it

        print(f"kiosk {version('kiosk')}")
        return 0
    if not chosen:
        parser.print_help(sys.stderr)
        return USAGE
    problem = f'there is no command "{chosen}"'
    close = get_close_matches(chosen, COMMANDS, n=1)
    raise UsageError(problem, f"did you mean kiosk {close[0]}?" if close else "kiosk --help lists the commands")


# Streams -------------------------------------------------------------------------------------------------------------


def _prepare_streams() -> None:
    """See to it that there is an output, and that it can say everything in some way."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open for as long as the process
    if sys.stdout is None:
        problem = "the output is closed, and this command has something to say"
        raise UsageError(problem, "leave it open, or send it to a file or to /dev/null")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where the locale lacks a letter, the report still comes out


def _flush() -> None:
    """Do now what the interpreter would do at its end, when a failure could not be told any more."""
    try:
        sys.stderr.flush()
    except OSError:
        _let_go(sys.stderr)
    sys.stdout.flush()


def _tell(error: UsageError) -> None:
    try:
        print(error, file=sys.stderr)
    except OSError:
        _let_go(sys.stderr)


def _let_go(stream: TextIO) -> None:
    """Send what is left to nowhere: the interpreter's own last flush must not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
