"""What goes over a wire, told in plain words: for a technician's log, and for whoever watches the simulated machine.

Nobody acts on these words. A listener hears both directions of one line, in whatever pieces the bytes come.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from kiosk.amount import Money, plain
from kiosk.ports.fault import Fault


class Said(Struct, frozen=True):
    """One thing that was said. Routine: a question after how the device is, or an answer that means nothing new."""

    from_host: bool
    text: str
    routine: bool = False


class Words(Protocol):
    """Hears one line, and tells it."""

    def hear(self, from_host: bool, data: bytes) -> list[Said]:  # noqa: FBT001 - the direction, as a line has it
        """What is whole now."""
        ...


F = TypeVar("F")


class Finder(Protocol[F]):
    """Finds frames in a stream; every protocol's wire has one."""

    garbled: int

    def feed(self, data: bytes) -> list[F]:
        """The frames that are whole now."""
        ...


class FrameWords(ABC, Generic[F]):
    """A listener to a line whose bytes come in frames."""

    def __init__(self, finder: Callable[[], Finder[F]]) -> None:
        self._finders = {True: finder(), False: finder()}

    def hear(self, from_host: bool, data: bytes) -> list[Said]:  # noqa: FBT001 - as promised by Words
        """As promised by Words."""
        finder = self._finders[from_host]
        garbled = finder.garbled
        frames = finder.feed(data)
        said = [self.question(frame) if from_host else self.answer(frame) for frame in frames]
        if finder.garbled > garbled:
            said.insert(0, Said(from_host, f"{finder.garbled - garbled} bytes that are no frame"))
        return said

    @abstractmethod
    def question(self, frame: F) -> Said:
        """What the host says."""

    @abstractmethod
    def answer(self, frame: F) -> Said:
        """What the device says."""


HOW_ARE_YOU = Said(from_host=True, text="how are you?", routine=True)
HEARD = Said(from_host=True, text="heard", routine=True)
YES = Said(from_host=False, text="yes", routine=True)


def asks(text: str) -> Said:
    """The host's."""
    return Said(from_host=True, text=text)


def says(text: str) -> Said:
    """The device's."""
    return Said(from_host=False, text=text)


def named(member: Enum | str) -> str:
    """An enumeration's own name in plain letters."""
    name = member if isinstance(member, str) else member.name
    return name.lower().replace("_", " ")


def fault(what: Fault, code: str) -> Said:
    """Something is wrong with the device; its own code for it goes along."""
    return says(f"{named(what)} (code {code})")


def note(worth: Money | None, kind: int | None) -> str:
    """A note by what it is worth, or by its number while that is not known."""
    if worth is not None:
        return plain(worth)
    return "a note" if kind is None else f"note type {kind}"


def hexadecimal(data: bytes) -> str:
    """Bytes as technicians write them."""
    return data.hex(" ").upper() if data else "nothing"
