"""A device that gives back too much of what it is fed with is known for it, and forgiven when it does better."""

import pytest

from devices.counters import JUDGED_FROM, RECENT, Counters


def fed(recognised: int, refused: int) -> Counters:
    counters = Counters()
    for _ in range(recognised):
        counters.recognised()
    for _ in range(refused):
        counters.refused("dirt")
    return counters


def test_too_few_are_no_judgement() -> None:
    counters = fed(0, JUDGED_FROM - 1)
    assert (counters.acceptance, counters.rejects_many) == (None, False)


@pytest.mark.parametrize(
    ("recognised", "refused", "many"), [(20, 0, False), (16, 4, False), (15, 5, True), (0, 20, True)]
)
def test_one_in_five_is_the_limit(recognised: int, refused: int, many: bool) -> None:  # noqa: FBT001 - a table
    assert fed(recognised, refused).rejects_many is many


def test_only_the_latest_count() -> None:
    counters = fed(0, 30)
    for _ in range(RECENT):
        counters.recognised()
    assert (counters.acceptance, counters.rejects_many) == (1.0, False)
    assert (counters.seen, counters.rejected) == (RECENT, {"dirt": 30})


def test_each_device_has_its_own() -> None:
    assert Counters().recent is not Counters().recent
    assert Counters().rejected is not Counters().rejected
