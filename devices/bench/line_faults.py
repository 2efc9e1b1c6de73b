"""What a bad line does to the answers that travel over it, as data: with which chance, and how late."""

from random import Random
from typing import Annotated

from msgspec import Meta, Struct

LATE_MAX_MS = 60_000
CORRUPTED_BITS = 8  # one of a byte's bits is turned


Chance = Annotated[float, Meta(ge=0, le=1)]


class LineFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """The chance of each for one answer, and how late all of them come."""

    dropped: Chance = 0
    corrupted: Chance = 0
    repeated: Chance = 0
    delayed_ms: Annotated[int, Meta(ge=0, le=LATE_MAX_MS)] = 0


def carried(data: bytes, faults: LineFaults, random: Random) -> bytes:
    """What arrives of an answer: all of it, nothing, one bit of it turned, or twice."""
    chance = random.random()
    if chance < faults.dropped:
        return b""
    chance -= faults.dropped
    if chance < faults.corrupted:
        place = random.randrange(len(data))
        turned = data[place] ^ 1 << random.randrange(CORRUPTED_BITS)
        return data[:place] + bytes((turned,)) + data[place + 1 :]
    return data + data if chance - faults.corrupted < faults.repeated else data
