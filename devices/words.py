"""What goes over a wire, told in plain words: for a technician's log, and for whoever watches the simulated machine.

Nobody acts on these words. A listener hears both directions of one line, in whatever pieces the bytes come. One of the
two speaks at a time: what one of them has left half said when the other one begins, was no frame.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from kiosk.amount import AmountError, Money, plain
from kiosk.ports.fault import Fault

NOISE_MAX = 16  # bytes that are told in one sentence


class Said(Struct, frozen=True):
    """One thing that was said. Routine: a question after how the device is, or an answer that means nothing new."""

    from_host: bool
    text: str
    routine: bool = False


class Words(Protocol):
    """Hears one line, both directions, and tells it in plain words."""

    def hear(self, from_host: bool, data: bytes) -> list[Said]:  # noqa: FBT001 - the direction, as a line has it
        """What is whole now."""
        ...


# One direction of a line ---------------------------------------------------------------------------------------------

F = TypeVar("F")


class Finder(Protocol[F]):
    """Finds frames in a stream; every protocol's wire has one."""

    @property
    def garbled(self) -> int:
        """How many bytes belonged to no frame."""
        ...

    def feed(self, data: bytes) -> list[F]:
        """The frames that are whole now."""
        ...

    def drop(self) -> None:
        """The rest will not come."""
        ...


class Ear(Generic[F]):
    """What one of the two says: frames, and the bytes between them that are none, each where it came."""

    def __init__(self, finder: Finder[F], encode: Callable[[F], bytes]) -> None:
        self._finder = finder
        self._encode = encode
        self._pending = bytearray()  # that the finder has not decided on
        self._noise = bytearray()

    def hear(self, byte: int) -> list[F | bytes]:
        """What is whole with this byte."""
        self._pending.append(byte)
        garbled = self._finder.garbled
        whole: list[F | bytes] = []
        for frame in self._finder.feed(bytes((byte,))):
            self._skip_to(self._encode(frame))
            whole += [*self._told(), frame]
        if not whole:
            self._lose(self._finder.garbled - garbled)
        return whole + self._told() if len(self._noise) >= NOISE_MAX else whole

    def end(self) -> list[bytes]:
        """It says no more for now."""
        self._finder.drop()
        self._lose(len(self._pending))
        return self._told()

    def _skip_to(self, said: bytes) -> None:
        """A frame may also be written in a way that is not ours: then nobody knows where it began."""
        at = self._pending.find(said)
        self._lose(max(at, 0))
        del self._pending[: len(said) if at >= 0 else len(self._pending)]

    def _lose(self, count: int) -> None:
        self._noise += self._pending[:count]
        del self._pending[:count]

    def _told(self) -> list[bytes]:
        noise = bytes(self._noise)
        self._noise.clear()
        return [noise] if noise else []


# Both of them --------------------------------------------------------------------------------------------------------


class Fold:
    """Makes routine of what is no news."""

    def __init__(self) -> None:
        self._last: dict[bool, str] = {}
        self._state = ""
        self._broken = False

    def repeated(self, said: Said) -> Said:
        """What one of them says twice running is news once."""
        again = self._last.get(said.from_host) == said.text
        self._last[said.from_host] = said.text
        return Said(said.from_host, said.text, routine=said.routine or again)

    def state(self, said: Said, *, broken: bool = False) -> Said:
        """How the device is, is news when it changes; that it is at rest is none, unless something was wrong before."""
        healed = self._broken and not broken and said.routine
        again, self._state, self._broken = said.text == self._state, said.text, broken
        if healed:
            return says(f"nothing is wrong any more: {said.text}")
        return says(said.text, routine=said.routine or again)


class FrameWords(ABC, Generic[F]):
    """A listener to a line whose bytes come in frames."""

    def __init__(self, finder: Callable[[], Finder[F]], encode: Callable[[F], bytes]) -> None:
        self._ears = {True: Ear(finder(), encode), False: Ear(finder(), encode)}
        self.fold = Fold()

    def hear(self, from_host: bool, data: bytes) -> list[Said]:  # noqa: FBT001 - as promised by Words
        """As promised by Words."""
        said = [_noise(not from_host, rest) for rest in self._ears[not from_host].end()] if data else []
        for byte in data:
            said += [self._tell(from_host, whole) for whole in self._ears[from_host].hear(byte)]
        return said

    def _tell(self, from_host: bool, whole: F | bytes) -> Said:  # noqa: FBT001 - the direction
        if isinstance(whole, bytes):
            return _noise(from_host, whole)
        return self.fold.repeated(self.question(whole) if from_host else self.answer(whole))

    @abstractmethod
    def question(self, frame: F) -> Said:
        """What the host says."""

    @abstractmethod
    def answer(self, frame: F) -> Said:
        """What the device says."""


def _noise(from_host: bool, data: bytes) -> Said:  # noqa: FBT001 - the direction
    return Said(from_host, f"bytes that are no frame: {hexadecimal(data)}")


# Sentences -----------------------------------------------------------------------------------------------------------

HOW_ARE_YOU = Said(from_host=True, text="how are you?", routine=True)
HEARD = Said(from_host=True, text="heard", routine=True)
YES = Said(from_host=False, text="yes", routine=True)

FAULTS = {
    Fault.JAM: "jam in the acceptor",
    Fault.STACKER_JAM: "jam on the way into the box",
    Fault.STACKER_FULL: "the box is full",
    Fault.BOX_REMOVED: "the box is out",
    Fault.CHEATED: "somebody tries to cheat",
    Fault.PAUSED: "something is in the mouth that should not be there",
    Fault.OPEN: "a lid is open",
    Fault.MOTOR: "a motor fails",
    Fault.SENSOR: "a sensor fails",
    Fault.FIRMWARE: "the firmware fails",
    Fault.FAILURE: "a failure",
}


def asks(text: str, *, routine: bool = False) -> Said:
    """The host's."""
    return Said(from_host=True, text=text, routine=routine)


def says(text: str, *, routine: bool = False) -> Said:
    """The device's."""
    return Said(from_host=False, text=text, routine=routine)


def named(member: Enum | str) -> str:
    """An enumeration's own name in plain letters."""
    name = member if isinstance(member, str) else member.name
    return name.lower().replace("_", " ")


def fault(what: Fault, code: str) -> str:
    """What is wrong with the device; its own code for it goes along."""
    return f"{FAULTS.get(what) or named(what)} (code {code})"


def amount(worth: Money) -> str:
    """What something is worth; a currency that we do not know is written out."""
    try:
        return plain(worth)
    except AmountError:
        return f"{worth.minor} {worth.currency}"


def piece(worth: Money | None, kind: int | None, what: str = "note") -> str:
    """A note by what it is worth, or by its number while that is not known."""
    if worth is not None:
        return f"a {what} of {amount(worth)}"
    return f"{what} type {kind}" if kind else f"a {what}"


def listed(kinds: Iterable[int], worth: dict[int, Money]) -> str:
    """Several kinds of notes or coins, each by what it is worth or by its number."""
    return ", ".join(amount(worth[kind]) if kind in worth else f"type {kind}" for kind in sorted(kinds))


def hexadecimal(data: bytes) -> str:
    """Bytes as technicians write them."""
    return data.hex(" ").upper() if data else "nothing"
