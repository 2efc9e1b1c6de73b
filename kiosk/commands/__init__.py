"""One command, one module: `add` declares its options, `run` does it and returns the exit status."""

from argparse import ArgumentParser
from typing import Protocol


class Subparsers(Protocol):
    """Where a command declares itself."""

    def add_parser(self, name: str, *, description: str | None = None) -> ArgumentParser:
        """Open the parser of one command."""
        ...
