"""The same laws twice: the Ledger in Python and the triggers in the database have to agree on every transfer."""

from random import Random

import pytest

from kiosk.money.journal import Journal, LedgerRefused
from kiosk.money.ledger import Kind, Ledger, LedgerError, Transfer
from kiosk.money.step import Step
from tests.kiosk.money.memory import AT_MS, journal_in_memory

ACCOUNTS = ("cashbox:bill#1", "escrow:bill", "payer#1", "payer#2", "owed#3", "carrier:cmcc", "rail:wechat", "fee")


def refused_by_ledger(ledger: Ledger, transfer: Transfer) -> bool:
    try:
        ledger.book(transfer)
    except LedgerError:
        return True
    return False


def refused_by_journal(journal: Journal, *transfers: Transfer) -> bool:
    try:
        journal.commit(Step(AT_MS, b"{}", transfers=transfers))
    except LedgerRefused:
        return True
    return False


def move(number: int, debit: str, credit: str, amount: int) -> Transfer:
    return Transfer(number, "direct", debit, credit, amount)


@pytest.mark.parametrize(
    ("story", "wrong"),
    [
        ([], move(1, "payer#1", "carrier:cmcc", 1)),  # spent before it was paid
        ([], move(1, "rail:wechat", "payer#1", 0)),  # nothing moves
        ([], move(1, "rail:wechat", "payer#1", -5)),  # backwards
        ([], move(1, "fee", "fee", 5)),  # from itself to itself
        ([], move(2, "rail:wechat", "payer#1", 5)),  # a gap
        ([], Transfer(1, "post", "payer#1", "fee", 5, 7)),  # resolves nothing
        ([], Transfer(1, "pending", "payer#1", "fee", 5)),  # promised without having it
        (
            [move(1, "rail:wechat", "payer#1", 5), Transfer(2, "pending", "payer#1", "fee", 5)],
            move(3, "payer#1", "owed#3", 1),  # what is promised cannot be spent as well
        ),
        (
            [move(1, "rail:wechat", "payer#1", 5), Transfer(2, "pending", "payer#1", "fee", 5)],
            Transfer(3, "post", "payer#1", "fee", 4, 2),  # kept for another amount
        ),
        (
            [move(1, "rail:wechat", "payer#1", 5), Transfer(2, "pending", "payer#1", "fee", 5)],
            Transfer(3, "post", "payer#1", "carrier:cmcc", 5, 2),  # kept for another account
        ),
        (
            [
                move(1, "rail:wechat", "payer#1", 9),
                Transfer(2, "pending", "payer#1", "fee", 5),
                Transfer(3, "void", "payer#1", "fee", 5, 2),
            ],
            Transfer(4, "post", "payer#1", "fee", 5, 2),  # resolved twice
        ),
    ],
)
def test_both_refuse_what_cannot_be_true(story: list[Transfer], wrong: Transfer) -> None:
    ledger, journal = Ledger(), journal_in_memory()
    for transfer in story:
        ledger.book(transfer)
    if story:
        journal.commit(Step(AT_MS, b"{}", transfers=story))
    before = journal.seq, journal.head
    assert refused_by_ledger(ledger, wrong)
    assert refused_by_journal(journal, wrong)
    assert (journal.seq, journal.head) == before


def test_both_agree_on_random_transfers() -> None:
    chance = Random(5)
    ledger, journal = Ledger(), journal_in_memory()
    refused = taken = 0
    for _ in range(3_000):
        promises = list(ledger.promises.values())
        kinds: tuple[Kind, ...] = ("direct", "direct", "pending", "post", "void", "correction")
        kind = chance.choice(kinds)
        debit, credit = chance.sample(ACCOUNTS, 2)
        amount, of, cause = chance.randint(1, 20), 0, ""
        if kind in {"post", "void"}:
            if promises and chance.random() < 0.8:
                promise = chance.choice(promises)
                debit, credit, amount, of = promise.debit, promise.credit, promise.amount, promise.number
            else:
                of = chance.randint(1, ledger.numbers + 1)
        elif kind == "correction":
            of, cause = max(1, ledger.numbers), "test"
        transfer = Transfer(ledger.numbers + 1, kind, debit, credit, amount, of, cause)
        # A ledger that has refused may have begun to reckon, so each asks a copy first.
        trial = Ledger()
        trial.numbers, trial.balances = ledger.numbers, dict(ledger.balances)
        trial.reserved, trial.promises = dict(ledger.reserved), dict(ledger.promises)
        says_no = refused_by_ledger(trial, transfer)
        assert refused_by_journal(journal, transfer) == says_no
        if says_no:
            refused += 1
        else:
            taken += 1
            ledger = trial
    assert min(refused, taken) > 300
    assert {account: journal.balance(account) for account in ACCOUNTS if journal.balance(account)} == ledger.balances
    assert sum(ledger.balances.values()) == 0
