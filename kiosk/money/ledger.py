"""Every movement of money debits one account and credits another; a promise is kept or dropped once.

The database enforces this in schema/0001.sql. The Ledger here says the same a second time, in Python, so that
verification does not ask the accused.
"""

from typing import Literal

from msgspec import Struct

from kiosk.money.accounts import line_of

Kind = Literal["direct", "pending", "post", "void", "correction"]


class LedgerError(Exception):
    """A transfer that cannot be true."""


class Transfer(Struct, frozen=True, array_like=True):
    """One immutable movement. `of` names the promise that a post or a void resolves, or what a correction corrects."""

    number: int
    kind: Kind
    debit: str
    credit: str
    amount: int  # minor units of the journal's one currency
    of: int = 0
    cause: str = ""


class Promise(Struct, frozen=True, array_like=True):
    """A pending transfer, remembered by whoever has to resolve it. Number 0: there is none."""

    number: int
    debit: str
    credit: str
    amount: int


class Ledger:
    """Balances and open promises, reckoned transfer by transfer."""

    def __init__(self) -> None:
        self.numbers = 0
        self.balances: dict[str, int] = {}  # credits less debits, of what is posted
        self.reserved: dict[str, int] = {}  # pending debits
        self.promises: dict[int, Transfer] = {}

    def book(self, transfer: Transfer) -> None:
        """Take one transfer, or say why it cannot be."""
        number, kind, amount = transfer.number, transfer.kind, transfer.amount
        debit, credit = transfer.debit, transfer.credit
        if number != self.numbers + 1:
            msg = f"transfer {number} follows {self.numbers}"
            raise LedgerError(msg)
        if amount <= 0 or debit == credit:
            msg = f"transfer {number} moves {amount} from {debit} to {credit}"
            raise LedgerError(msg)
        self.numbers = number
        if kind == "pending":
            self.promises[number] = transfer
            self._reserve(debit, amount)
            self._guard(debit, number)
            return
        if kind in ("post", "void"):
            promise = self.promises.pop(transfer.of, None)
            if promise is None or (promise.debit, promise.credit, promise.amount) != (debit, credit, amount):
                msg = f"transfer {number} resolves {transfer.of}, which is no such open promise"
                raise LedgerError(msg)
            self._reserve(debit, -amount)
            if kind == "void":
                return
        self._move(debit, -amount)
        self._move(credit, amount)
        self._guard(debit, number)

    def _move(self, account: str, amount: int) -> None:
        balance = self.balances.get(account, 0) + amount
        if balance:
            self.balances[account] = balance
        else:
            self.balances.pop(account, None)  # a settled sale leaves nothing behind, so that memory stays flat

    def _reserve(self, account: str, amount: int) -> None:
        reserved = self.reserved.get(account, 0) + amount
        if reserved:
            self.reserved[account] = reserved
        else:
            self.reserved.pop(account, None)

    def _guard(self, account: str, number: int) -> None:
        short = self.reserved.get(account, 0) - self.balances.get(account, 0)
        if short > 0 and line_of(account).guarded:
            msg = f"transfer {number} overdraws {account} by {short}"
            raise LedgerError(msg)
