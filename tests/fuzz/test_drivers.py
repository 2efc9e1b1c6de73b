"""A few seconds for each protocol; `python -m tests.fuzz` does it for longer."""

import pytest

from devices.registry import PROTOCOLS
from tests.fuzz.campaign import fuzz

FRAMES = 6_000
SEED = 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_driver_on_a_bad_line(protocol: str) -> None:
    *_, report = fuzz(protocol, FRAMES, SEED)
    assert report.findings == [], "\n".join(map(str, report.findings))
    assert report.frames >= FRAMES
    credited = report.told["NoteStacked"] + report.told["CoinInserted"]
    assert credited > 0, "the weather was so bad that nothing was tried"
    assert report.lost > 0, "the weather was too good"


def test_a_seed_is_a_story_that_can_be_told_again() -> None:
    protocol = next(iter(PROTOCOLS))
    first, again = (str(list(fuzz(protocol, 500, seed=77))[-1]) for _ in range(2))
    assert first == again
