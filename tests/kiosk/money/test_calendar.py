"""The business day begins at the cut-off hour of the place, whatever its clocks do."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from kiosk.money.calendar import Calendar


def ms(text: str, zone: str, *, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-20 03:59:59", "2026-11-19"),
        ("2026-11-20 04:00:00", "2026-11-20"),
        ("2026-11-20 23:59:59", "2026-11-20"),
        ("2026-11-21 00:00:00", "2026-11-20"),
        ("2026-03-01 03:00:00", "2026-02-28"),
        ("2026-01-01 03:59:59.999", "2025-12-31"),
    ],
)
def test_the_night_belongs_to_the_day_before(moment: str, day: str) -> None:
    assert Calendar("Asia/Shanghai", time(4)).day_of(ms(moment, "Asia/Shanghai")) == day


def test_the_zone_is_the_terminal_s_not_the_computer_s() -> None:
    moment = int(datetime(2026, 11, 20, 20, tzinfo=UTC).timestamp() * 1000)
    assert Calendar("Asia/Shanghai", time(4)).day_of(moment) == "2026-11-21"
    assert Calendar("Europe/London", time(4)).day_of(moment) == "2026-11-20"


def test_an_hour_that_comes_twice_stays_in_one_day() -> None:
    berlin = Calendar("Europe/Berlin", time(2, 30))
    first, second = (ms("2026-10-25 02:45:00", "Europe/Berlin", fold=fold) for fold in (0, 1))
    assert second - first == 3_600_000
    assert berlin.day_of(first) == berlin.day_of(second) == "2026-10-25"


def test_a_cutoff_that_does_not_exist_gives_one_answer_whatever_was_asked_before() -> None:
    moments = [ms("2026-03-29 01:00:00", "Europe/Berlin") + minute * 60_000 for minute in range(0, 240, 5)]
    forwards = Calendar("Europe/Berlin", time(2, 30))
    in_order = [forwards.day_of(moment) for moment in moments]
    assert in_order == [Calendar("Europe/Berlin", time(2, 30)).day_of(moment) for moment in moments]
    assert in_order == sorted(in_order)
    assert set(in_order) == {"2026-03-28", "2026-03-29"}
