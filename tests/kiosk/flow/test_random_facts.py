"""Facts in any order, true, false, late, twice and about nobody: nothing is ever raised, and no law ever breaks."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kiosk.flow.chaos import Chaos
from tests.kiosk.flow.stage import ONE_DAY_MS


@pytest.mark.parametrize("seed", range(40))
def test_no_law_breaks_in_a_long_chaos(seed: int) -> None:
    chaos = Chaos(Random(seed))
    for _ in range(4):
        chaos.play(steps=50)
        chaos.stage.now_ms += ONE_DAY_MS
    assert chaos.stage.untied() == []


@given(st.randoms(use_true_random=False), st.integers(1, 40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_no_law_breaks_in_a_short_chaos_that_hypothesis_can_shorten(random: Random, steps: int) -> None:
    Chaos(random).play(steps)
