"""A scripted day, figure by figure; a range of days; and days that end in spite of the clock."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.money.business_day import Day, days_within, known_days, read_day, reading
from kiosk.money.tie_outs import tie_outs
from kiosk.money.totals import Figure, Totals, totals
from tests.kiosk.money.scripted_days import Script
from tests.kiosk.money.till import FIRST, SECOND, Till, at, yuan

NONE = Figure(0, 0)


def days_of(folder: Path) -> list[Day]:
    with reading(folder) as journal:
        return [read_day(journal, day) for day in days_within(journal, *known_days(journal))]


def figures(*days: Day) -> Totals:
    return totals(days, "CNY")


def f(count: int | None, amount: str = "0") -> Figure:
    """So many, of so many yuan together."""
    return Figure(count, yuan(amount.removeprefix("-")).minor * (-1 if amount.startswith("-") else 1))


def not_tied(day: Day) -> list[str]:
    return [tie.name for tie in tie_outs(day) if not tie.holds]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    script = Script(tmp_path)
    script.first_day()
    return script


def test_the_first_day_while_it_is_open(script: Script, tmp_path: Path) -> None:
    (day,) = days_of(tmp_path)
    assert not_tied(day) == []
    assert (day.day, day.first_seq, day.last_seq, day.rows) == (FIRST, 1, script.till.journal.seq, day.last_seq)
    assert day.last_hash == script.till.journal.head
    found = figures(day)
    assert found["paid"] == {
        "cash": f(4, "70"),
        "claim": f(1, "20"),
        "rail:wechat": f(4, "179.40"),
        "terminal:front": f(1, "49.85"),
    }
    assert found["delivered"] == {
        "cmcc/accepted": f(3, "145"),
        "cmcc/declined": f(2, "100"),
        "cmcc/reversed": f(1, "50"),
        "cmcc/sent": f(6, "300"),
        "cmcc/unknown": f(1, "50"),
        "reseller/accepted": f(1, "50"),
        "reseller/declined": f(1, "50"),
        "reseller/sent": f(2, "100"),
    }
    assert found["cash"] == {"coin/1.00": f(1, "1"), "note/10.00": f(1, "10"), "note/20.00": f(3, "60")}
    assert found["owed"] == {
        "opening": f(None, "0"),
        "issued": f(3, "26"),
        "revived": NONE,
        "came_back": NONE,
        "carried_over": NONE,
        "spent": f(1, "20"),
        "paid_out": f(1, "1"),
        "refunded": NONE,
        "unclaimed": f(1, "5"),
        "closing": f(None, "0"),
    }
    assert found["unclaimed"] == {
        "opening": f(None),
        "unclaimed": f(1, "5"),
        "revived": NONE,
        "closing": f(None, "5"),
    }
    assert found["suspense"] == {
        "opening": f(None),
        "coin_without_sale": f(1, "1"),
        "jam": f(1, "20"),
        "settled": f(1, "1"),
        "not_there": NONE,
        "closing": f(None, "20"),
    }
    assert found["in_doubt"] == {"notes/bill": f(None, "20"), "deliveries/cmcc": f(1, "48.85")}
    assert found["refunds"] == {
        "begun": f(3, "104.70"),
        "done": f(1, "49.85"),
        "done_elsewhere": f(1, "49.85"),
        "failed": f(1, "5"),
    }
    assert found["corrections"] == {
        "reversed": f(1, "48.85"),
        "reversed_fee": f(1, "1"),
        "reversed_promotion": f(1, "1.15"),
        "shortfall": f(1, "5"),
    }
    assert found["fees"] == {"earned": f(4, "4"), "given_back": f(1, "1")}
    assert found["promotions"] == {"given": f(4, "5.45"), "taken_back": f(1, "1.15")}
    assert found["balances"] == {
        "carrier:cmcc": f(None, "95"),
        "carrier:reseller": f(None, "50"),
        "cashbox:coin": f(None, "1"),
        "collected:bill": f(None, "69"),
        "doubt:bill": f(None, "20"),
        "fee": f(None, "3"),
        "payer": f(None, "49.85"),
        "payout:desk": f(None, "1"),
        "promotion": f(None, "-4.30"),
        "rail:wechat": f(None, "129.55"),
        "shortage": f(None, "-1"),
        "surplus": f(None, "1"),
        "suspense": f(None, "20"),
        "unclaimed": f(None, "5"),
    }
    assert found["promises"] == {"carrier:cmcc": f(1, "48.85"), "fee": f(1, "1")}
    assert found["boxes"] == {"bill/counted": f(1, "69"), "bill/taken": f(1)}
    assert found["since_collection"] == {"bill#2": NONE, "coin#1": f(1, "1"), "coin#1/coin/1.00": f(1, "1")}
    assert found["since_installation"]["cash/bill/note/20.00"] == f(3, "60")


def test_the_same_day_once_it_is_closed_shows_how_it_stood(script: Script, tmp_path: Path) -> None:
    (open_day,) = days_of(tmp_path)
    script.second_day()
    first, _second = days_of(tmp_path)
    assert first.now is None
    assert not_tied(first) == []
    assert first.last_seq == open_day.last_seq + 1  # the row that closes the day
    assert figures(first) == figures(open_day)


def test_the_second_day(script: Script, tmp_path: Path) -> None:
    script.second_day()
    first, second = days_of(tmp_path)
    assert not_tied(second) == []
    assert (second.day, second.first_seq) == (SECOND, first.last_seq + 1)
    found = figures(second)
    assert found["paid"] == {"suspense": f(1, "20")}
    assert found["delivered"] == {"cmcc/accepted": f(1, "50")}
    assert found["cash"] == {"note/20.00": f(1, "20")}
    assert found["owed"] == {
        "opening": f(None),
        "issued": f(1, "20"),
        "revived": f(1, "5"),
        "came_back": f(1, "5"),
        "carried_over": NONE,
        "spent": NONE,
        "paid_out": NONE,
        "refunded": f(1, "5"),
        "unclaimed": NONE,
        "closing": f(None, "25"),
    }
    assert found["unclaimed"] == {
        "opening": f(None, "5"),
        "unclaimed": NONE,
        "revived": f(1, "5"),
        "closing": f(None),
    }
    assert found["suspense"] == {
        "opening": f(None, "20"),
        "settled": f(1, "20"),
        "not_there": NONE,
        "closing": f(None),
    }
    assert found["in_doubt"] == {}
    assert found["refunds"] == {"begun": f(1, "5"), "done": f(1, "5")}
    assert found["corrections"] == {"refund_came_back": f(1, "5")}
    assert found["claims"] == {"reopened": f(2, "25")}
    assert found["promises"] == {}
    # The note was found in the box that had been taken out; the one that is in use since is still empty.
    assert found["since_collection"] == {"bill#2": NONE, "coin#1": f(1, "1"), "coin#1/coin/1.00": f(1, "1")}
    assert found["balances"]["cashbox:bill"] == f(None, "20")
    assert found["since_installation"]["cash/bill/note/20.00"] == f(4, "80")
    assert found["since_installation"]["paid/cash"] == f(4, "70")


def test_days_add_up_and_standings_do_not(script: Script, tmp_path: Path) -> None:
    script.second_day()
    first, second = days_of(tmp_path)
    both = figures(first, second)
    assert both["paid"] == {**both["paid"], "cash": f(4, "70"), "suspense": f(1, "20")}
    assert both["delivered"]["cmcc/accepted"] == f(4, "195")
    assert both["owed"]["opening"] == f(None)
    assert both["owed"]["issued"] == f(4, "46")
    assert both["owed"]["closing"] == f(None, "25")
    assert both["fees"] == {"earned": f(5, "5"), "given_back": f(1, "1")}
    assert both["balances"] == figures(second)["balances"]
    assert both["since_installation"] == figures(second)["since_installation"]


def test_a_day_begins_at_the_cut_off_hour(tmp_path: Path) -> None:
    till = Till(tmp_path, "2026-11-20 23:00")
    till.cash(till.sale(), "20")
    till.now_ms = at("2026-11-21 03:59")
    till.say_note("10")
    till.now_ms = at("2026-11-21 04:00")
    till.say_note("50")
    before, after = days_of(tmp_path)
    assert (before.day, after.day) == ("2026-11-20", "2026-11-21")
    assert figures(before)["cash"] == {"note/10.00": f(1, "10"), "note/20.00": f(1, "20")}
    assert figures(after)["cash"] == {"note/50.00": f(1, "50")}
    assert figures(before, after)["paid"] == {"cash": f(3, "80")}
    assert not_tied(before) == not_tied(after) == []


def test_days_without_work_do_not_exist(tmp_path: Path) -> None:
    till = Till(tmp_path, "2026-11-20 12:00")
    till.cash(till.sale(), "20")
    till.now_ms = at("2026-11-24 12:00")
    till.say_note("10")
    first, last = days_of(tmp_path)
    assert (first.day, last.day) == ("2026-11-20", "2026-11-24")
    assert figures(last)["since_installation"]["paid/cash"] == f(2, "30")
    assert not_tied(first) == not_tied(last) == []


def set_back(till: Till) -> None:
    till.now_ms = at("2026-11-19 12:00")


def doubted(till: Till) -> None:
    till.now_ms = at("2031-01-01 12:00")
    till.clock_trusted = False


@pytest.mark.parametrize("clock_goes_wrong", [set_back, doubted])
def test_a_wrong_clock_stays_in_the_day_that_was_reached(
    tmp_path: Path, clock_goes_wrong: Callable[[Till], None]
) -> None:
    till = Till(tmp_path, "2026-11-20 12:00")
    till.cash(till.sale(), "10")
    till.now_ms = at("2026-11-21 12:00")
    till.say_note("20")
    clock_goes_wrong(till)
    till.say_note("20")
    till.now_ms = at("2026-11-22 12:00")
    till.clock_trusted = True
    till.say_note("50")
    first, second, third = days_of(tmp_path)
    assert [day.day for day in (first, second, third)] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert figures(second)["cash"] == {"note/20.00": f(2, "40")}
    assert (second.first_seq, second.last_seq) == (first.last_seq + 1, third.first_seq - 1)
    assert not_tied(first) == not_tied(second) == not_tied(third) == []


def test_counters_since_installation_never_decrease(script: Script, tmp_path: Path) -> None:
    script.second_day()
    first, second = (figures(day)["since_installation"] for day in days_of(tmp_path))
    for name, figure in first.items():
        assert (second[name].count or 0, second[name].amount) >= (figure.count or 0, figure.amount), name
