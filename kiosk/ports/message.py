"""The two kinds of message between the core and the world."""

from typing import ClassVar

from msgspec import Struct


class Fact(Struct, frozen=True, tag=True):
    """Something that happened; past tense. It concerns one thing, found by its number or by the world's name for it."""

    about: ClassVar[str]

    def whose(self) -> int | str:
        """The number or the key of the thing that the fact concerns."""
        raise AttributeError(self.about)


class Command(Struct, frozen=True, tag=True):
    """Something to be done by the world; imperative."""
