"""What a device went through since its driver began, so that it is known how much of what is put in it takes."""

from collections import Counter, deque

from msgspec import Struct, field

RECENT = 50  # notes or coins, by which it is judged
JUDGED_FROM = 20
TAKEN_LEAST = 0.8  # a clean validator takes more than nine of ten


def _recent() -> deque[bool]:
    return deque(maxlen=RECENT)


class Counters(Struct):
    """Of one device. Seen is what was recognised; what was rejected before counts by its vendor's reason."""

    seen: int = 0
    stacked: int = 0
    returned: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    jams: int = 0
    losses: int = 0  # of its line, or of the device on it
    recent: deque[bool] = field(default_factory=_recent)  # was it recognised?

    def recognised(self) -> None:
        """It knows what this one is worth."""
        self.seen += 1
        self.recent.append(True)

    def refused(self, reason: str) -> None:
        """It gives this one back by itself."""
        self.rejected[reason] += 1
        self.recent.append(False)

    @property
    def acceptance(self) -> float | None:
        """The share of the latest ones that it recognised; None while they are too few to judge by."""
        return sum(self.recent) / len(self.recent) if len(self.recent) >= JUDGED_FROM else None

    @property
    def rejects_many(self) -> bool:
        """Is something wrong with it, or with what people put in?"""
        return self.acceptance is not None and self.acceptance < TAKEN_LEAST
