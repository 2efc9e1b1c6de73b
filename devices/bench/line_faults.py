"""What a bad line does to the answers that travel over it, as data: with which chance, and how late."""

from random import Random

from msgspec import Struct

CORRUPTED_BITS = 8  # one of a byte's bits is turned


class LineFaults(Struct, frozen=True):
    """The chance of each for one answer, and how late all of them come."""

    dropped: float = 0
    corrupted: float = 0
    repeated: float = 0
    delayed_ms: int = 0


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
