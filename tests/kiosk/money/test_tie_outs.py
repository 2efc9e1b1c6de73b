"""Whatever is reported in whatever order, the day ties out; whatever is changed afterwards, a tie-out names it."""

from pathlib import Path
from random import Random

import pytest

from kiosk.money.business_day import Sum, days_within, known_days, read_day, reading
from kiosk.money.tie_outs import Tie, tie_outs
from kiosk.money.totals import totals
from tests.kiosk.flow.stage import ONE_DAY_MS
from tests.kiosk.flow.test_random_facts import Chaos
from tests.kiosk.money.scripted_days import Script
from tests.kiosk.money.till import FIRST, SECOND


def differing(folder: Path, day: str) -> dict[str, Tie]:
    with reading(folder) as journal:
        return {tie.name: tie for tie in tie_outs(read_day(journal, day)) if not tie.holds}


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """The first day is closed, the second one is open."""
    script = Script(tmp_path)
    script.first_day()
    script.second_day()
    return script


# What is changed, on which day, and the tie-outs that have to say so.
TAMPERINGS = {
    "a payment counted too high": (
        "UPDATE tally SET amount = amount + 100 WHERE line = 'paid/rail:wechat'",
        FIRST,
        {"paid by rail:wechat", "counter of paid/rail:wechat"},
    ),
    "a note counted twice": (
        "UPDATE tally SET count = count + 1 WHERE line = 'cash/bill#1/note/2000' AND day = :first",
        FIRST,
        {"cash into bill", "pieces worth 2000 into bill#1", "counter of cash/bill/note/2000"},
    ),
    "a note counted as another one": (
        "UPDATE tally SET line = 'cash/bill#1/note/5000' WHERE line = 'cash/bill#1/note/2000' AND day = :second",
        SECOND,
        {"pieces worth 2000 into bill#1", "pieces worth 5000 into bill#1"},
    ),
    "a note of today counted away": (
        "DELETE FROM tally WHERE line = 'cash/bill#1/note/2000' AND day = :second",
        SECOND,
        {"cash into bill", "pieces worth 2000 into bill#1"},
    ),
    "a top-up credited to another carrier": (
        "UPDATE tally SET line = 'delivery/other/accepted' WHERE line = 'delivery/reseller/accepted'",
        FIRST,
        {
            "delivered by other",
            "delivered by reseller",
            "top-ups accepted, other",
            "top-ups accepted, reseller",
            "counter of delivery/other/accepted",
            "counter of delivery/reseller/accepted",
        },
    ),
    "a fee that nobody earned": (
        "UPDATE tally SET amount = amount + 1, count = count + 1 WHERE line = 'fee/earned' AND day = :second",
        SECOND,
        {"fees earned"},
    ),
    "a correction hidden": (
        "DELETE FROM tally WHERE line = 'correction/shortfall'",
        FIRST,
        {"corrections, shortfall", "counter of correction/shortfall"},
    ),
    "a refund counted as done that was not": (
        "UPDATE tally SET amount = amount + 500, count = count + 1 WHERE line = 'refund/done' AND day = :second",
        SECOND,
        {"refunds done"},
    ),
    "a claim paid out twice": (
        "UPDATE tally SET amount = amount * 2, count = 2 WHERE line = 'owed/paid_out'",
        FIRST,
        {"owed: paid out", "owed at the end", "counter of owed/paid_out"},
    ),
    "a fee moved too low": (
        "UPDATE movement SET amount = amount - 100 WHERE debit = 'payer' AND credit = 'fee' AND day = :first",
        FIRST,
        {"fees earned", "from payer to fee", "balance of payer", "balance of fee"},
    ),
    "cash moved on to another device": (
        "UPDATE movement SET debit = 'cashbox:coin' WHERE debit = 'cashbox:bill' AND day = :second",
        SECOND,
        {
            "cash into bill",
            "cash into coin",
            "from cashbox:bill to doubt:bill",
            "from cashbox:coin to doubt:bill",
            "balance of cashbox:bill",
            "balance of cashbox:coin",
        },
    ),
    "a movement taken away": (
        "DELETE FROM movement WHERE debit = 'owed' AND credit = 'payer'",
        FIRST,
        {"owed: spent", "paid by claim", "from owed to payer", "balance of owed", "balance of payer"},
    ),
    "a closing balance changed": (
        "UPDATE closing SET amount = amount + 1 WHERE line = 'balance/surplus'",
        FIRST,
        {"balance of surplus", "all balances"},
    ),
    "the same, seen from the next day": (
        "UPDATE closing SET amount = amount + 1 WHERE line = 'balance/surplus'",
        SECOND,
        {"balance of surplus"},
    ),
    "a counter since installation set back": (
        "UPDATE closing SET amount = 0, count = 0 WHERE line = 'ever/paid/cash'",
        FIRST,
        {"counter of paid/cash"},
    ),
    "an open promise forgotten at the closing": (
        "DELETE FROM closing WHERE line = 'promise/carrier:cmcc'",
        FIRST,
        {"promises to carrier:cmcc"},
    ),
    "a balance of today changed": (
        "UPDATE balance SET posted = posted + 1 WHERE account = 'cashbox:coin#1'",
        SECOND,
        {"balance of cashbox:coin", "all balances", "cash in box coin#1"},
    ),
    "a claim made worth more": (
        (
            "UPDATE balance SET posted = posted + 10000 WHERE account = (SELECT min(account) FROM balance"
            " WHERE account GLOB 'owed#*' AND posted > 0)"
        ),
        SECOND,
        {"balance of owed", "owed at the end", "all balances"},
    ),
    "something reserved for nobody": (
        (
            "UPDATE balance SET reserved = reserved + 5 WHERE account = (SELECT min(account) FROM balance"
            " WHERE account GLOB 'owed#*' AND posted > 5)"
        ),
        SECOND,
        {"reserved out of owed"},
    ),
    "the day begins a row too late": (
        "UPDATE business_day SET first_seq = first_seq + 1 WHERE day = :second",
        FIRST,
        {"rows"},
    ),
}


@pytest.mark.parametrize(("sql", "day", "names"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_what_was_changed_is_named(script: Script, sql: str, day: str, names: set[str]) -> None:
    folder = script.till.folder
    assert differing(folder, FIRST) == differing(folder, SECOND) == {}
    script.till.tamper(sql)
    assert set(differing(folder, day)) >= names
    if day == SECOND:
        assert set(differing(folder, day)) == names


def test_both_figures_stand_beside_each_other(script: Script) -> None:
    script.till.tamper("UPDATE tally SET amount = amount + 100 WHERE line = 'paid/rail:wechat'")
    tie = differing(script.till.folder, FIRST)["paid by rail:wechat"]
    assert (tie.left_says, tie.left) == ("the machines counted", Sum(4, 180_40))
    assert (tie.right_says, tie.right) == ("the ledger moved", Sum(4, 179_40))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE tally SET line = 'cash' WHERE line = 'cash/bill#1/note/2000' AND day = :second",
        "UPDATE tally SET line = 'cash/bill#1' WHERE line = 'cash/bill#1/note/2000' AND day = :second",
        "UPDATE tally SET line = 'cash/bill#1/note/many' WHERE line = 'cash/bill#1/note/2000' AND day = :second",
        "UPDATE tally SET line = '' WHERE line = 'fee/earned' AND day = :second",
        "UPDATE tally SET line = 'delivery' WHERE line = 'delivery/cmcc/accepted' AND day = :second",
        "UPDATE movement SET credit = 'nonsense' WHERE credit = 'fee' AND day = :second",
        "UPDATE closing SET line = 'nonsense' WHERE line = 'balance/surplus'",
        "UPDATE closing SET line = 'balance/nonsense' WHERE line = 'balance/surplus'",
        "UPDATE business_day SET first_seq = 0 WHERE day = :second",
        "UPDATE balance SET account = 'nonsense' WHERE account = 'fee'",
    ],
)
def test_nonsense_is_a_difference_too(script: Script, sql: str) -> None:
    script.till.tamper(sql)
    for day in (FIRST, SECOND):
        with reading(script.till.folder) as journal:
            assert totals([read_day(journal, day)], "CNY")
    assert differing(script.till.folder, SECOND) or differing(script.till.folder, FIRST)


@pytest.mark.parametrize("seed", range(6))
def test_days_of_chaos_tie_out(seed: int) -> None:
    chaos = Chaos(Random(seed))
    stage = chaos.stage
    for _ in range(4):
        chaos.play(40)
        stage.now_ms += ONE_DAY_MS
    days = days_within(stage.connection, *known_days(stage.connection))
    assert len(days) == 4
    for day in days:
        assert [tie for tie in tie_outs(read_day(stage.connection, day)) if not tie.holds] == []
