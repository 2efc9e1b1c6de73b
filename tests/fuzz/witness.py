"""Stands beside both decoders of a line: a frame that nobody sent, and whose check still holds, is no driver's mistake.

A check of sixteen bits is passed by one accident in 65,536, one of seven bits by far more; and pieces of two frames may
make up an old one. No driver can tell that from what was really sent, so no money that follows from it is held against
it; but it must not break.
"""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol, cast
from unittest import mock

from devices.registry import PROTOCOLS

IN_FLIGHT = 3  # answers that a driver may not have read yet


class Decoder(Protocol):
    """What finds frames in a stream."""

    def feed(self, data: bytes) -> Sequence[object]:
        """The frames that are whole now."""
        ...

    def drop(self) -> object:
        """The rest will not come."""
        ...


def decoder_of(protocol: str) -> type[Decoder]:
    """The decoder of a protocol: each `wire.py` has one."""
    package = PROTOCOLS[protocol].simulator_at.partition(":")[0].rpartition(".")[0]
    return cast("type[Decoder]", import_module(f"{package}.wire").Decoder)


class Witness:
    """Knows what was sent."""

    def __init__(self, protocol: str) -> None:
        self._decoder = decoder_of(protocol)
        self._feed = self._decoder.feed
        self._sent: deque[Sequence[object]] = deque(maxlen=IN_FLIGHT)
        self._asked: deque[Sequence[object]] = deque(maxlen=IN_FLIGHT)
        self._questions = self._decoder()
        self._genuine = self._sent  # what whoever decodes now can have heard
        self.forged = False  # the driver was told something that nobody has said, or the device was

    def saw(self, answer: bytes) -> None:
        """What the device has really sent."""
        self._sent.append(self._feed(self._decoder(), answer))

    @contextmanager
    def watching(self) -> Generator[None]:
        """Compare all that is decoded with what was sent."""

        def feed(decoder: Decoder, data: bytes) -> Sequence[object]:
            frames = self._feed(decoder, data)
            if frames:
                genuine = [frame for said in self._genuine for frame in said]
                self.forged = self.forged or any(frame not in genuine for frame in frames)
            return frames

        with mock.patch.object(self._decoder, "feed", feed):
            yield

    @contextmanager
    def asked(self, question: bytes) -> Generator[None]:
        """What is decoded now is decoded by the device, which was really asked that."""
        self._asked.append(self._feed(self._questions, question))
        self._genuine = self._asked
        yield
        self._genuine = self._sent
