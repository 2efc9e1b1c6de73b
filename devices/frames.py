"""Finding frames in a stream that may begin in the middle of one, or hold anything at all."""

from collections.abc import Callable
from typing import Generic, TypeVar

F = TypeVar("F")


class FrameFinder(Generic[F]):
    """For protocols whose frames say early how long they are.

    `length` tells of the bytes at the start how many the frame has, or at least has as far as can be seen; 0: none
    begins here. `frame` reads that many bytes; None: they are no frame after all.
    """

    def __init__(self, length: Callable[[bytearray], int], frame: Callable[[bytes], F | None]) -> None:
        self._length = length
        self._frame = frame
        self._bytes = bytearray()
        self.garbled = 0  # bytes that belonged to no frame

    def feed(self, data: bytes) -> list[F]:
        """The frames that are whole now."""
        self._bytes += data
        frames: list[F] = []
        while self._bytes:
            length = self._length(self._bytes)
            if length > len(self._bytes):
                break
            frame = self._frame(bytes(self._bytes[:length])) if length else None
            if frame is None:
                del self._bytes[0]
                self.garbled += 1
            else:
                frames.append(frame)
                del self._bytes[:length]
        return frames

    def drop(self) -> None:
        """The rest will not come: what is there is no frame."""
        self.garbled += len(self._bytes)
        self._bytes.clear()
