"""The output and the error stream: what is to be said comes out, or it is said why not."""

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from kiosk.errors import UsageError


def prepare() -> None:
    """See to it that there is an output, and that it can say everything in some way."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open for as long as the process
    if sys.stdout is None:
        problem = "the output is closed, and this command has something to say"
        raise UsageError(problem, "leave it open, or send it to a file or to /dev/null")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where the locale lacks a letter, the report still comes out


def flush() -> None:
    """Do now what the interpreter would do at its end, when a failure could not be told any more."""
    try:
        sys.stderr.flush()
    except OSError:
        let_go(sys.stderr)
    sys.stdout.flush()


def tell_what_is_done(lines: Iterable[str]) -> None:
    """Say it after the work, so that nobody does the work again because the words were lost."""
    try:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        let_go(sys.stdout)
        problem = f"all is done, and only the words about it could not be written: {error.strerror}"
        remedy = "do not run the command again; `kiosk journal verify` and `kiosk journal export` tell of what was done"
        raise UsageError(problem, remedy) from error


def complain(error: UsageError) -> None:
    """Tell a mistake with its remedy, if anybody can hear it."""
    try:
        sys.stderr.write(f"{error}\n")
    except OSError:
        let_go(sys.stderr)


def let_go(stream: TextIO) -> None:
    """Send what is left to nowhere: the interpreter's own last flush must not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
