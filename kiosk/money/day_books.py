"""What moved and what was counted on each business day, reckoned anew and held against the tables derived of it.

The books of a closed day never change, so they are compared as soon as the rows have passed that day.
"""

from collections.abc import Iterable, Mapping

import apsw

from kiosk.money.accounts import box_of, class_of, line_of
from kiosk.money.ledger import Transfer

Line = tuple[str, ...]
Sums = tuple[int, int]  # count, amount
Books = dict[Line, Sums]


class DayBooks:
    """The books of the present day, and how everything stood when the last one closed."""

    def __init__(self) -> None:
        self.compared = 0  # rows of the three tables that were found right
        self._movement: Books = {}
        self._tally: Books = {}
        self._closing: Books = {}

    def move(self, transfer: Transfer) -> None:
        """Take a transfer that moves money; an account that is in no chart is a KeyError."""
        line = class_of(transfer.debit), class_of(transfer.credit)
        if line not in self._movement:
            line_of(transfer.debit)
            line_of(transfer.credit)
        _add(self._movement, line, 1, transfer.amount)

    def count(self, tallies: Iterable[tuple[str, int, int]]) -> None:
        """Take what was counted."""
        for line, count, amount in tallies:
            _add(self._tally, (line,), count, amount)

    def compare(self, connection: apsw.Connection, day: str) -> str:
        """How the tables of the present day differ, in words; nothing if they agree."""
        return self._compare(connection, "movement", "debit, credit", day, self._movement) or self._compare(
            connection, "tally", "line", day, self._tally
        )

    def close(
        self, connection: apsw.Connection, day: str, promises: Iterable[Transfer], balances: Mapping[str, int]
    ) -> str:
        """The day is over: compare its tables, reckon and compare how everything stands, and begin the next books."""
        differs = self.compare(connection, day)
        closing = {line: sums for line, sums in self._closing.items() if not line[0].startswith("promise/")}
        for (debit, credit), (count, amount) in self._movement.items():
            _add(closing, (f"balance/{credit}",), count, amount)
            _add(closing, (f"balance/{debit}",), count, -amount)
        for (line,), (count, amount) in self._tally.items():
            _add(closing, (f"ever/{line}",), count, amount)
        for (line,), (count, amount) in [*closing.items()]:
            if "#" in line and box_of(line)[0] not in balances:
                del closing[line,]
                _add(closing, (box_of(line)[1],), count, amount)
        for promise in promises:
            _add(closing, (f"promise/{class_of(promise.credit)}",), 1, promise.amount)
        self._closing, self._movement, self._tally = closing, {}, {}
        return differs or self._compare(connection, "closing", "line", day, closing)

    def _compare(
        self, connection: apsw.Connection, table: str, columns: str, day: str, right: Mapping[Line, Sums]
    ) -> str:
        sql = f"SELECT {columns}, count, amount FROM {table} WHERE day = ?"  # noqa: S608 - names of ours
        found: Books = {row[:-2]: row[-2:] for row in connection.execute(sql, (day,))}
        self.compared += len(right)
        for line in {**right, **found} if found != right else ():
            if found.get(line) != right.get(line):
                there, said = _written(found.get(line)), _written(right.get(line))
                return f"the table {table} has {there} for {' to '.join(line)} on {day}, and the rows say {said}"
        return ""


def _add(books: Books, line: Line, count: int, amount: int) -> None:
    counted, total = books.get(line, (0, 0))
    books[line] = (counted + count, total + amount)


def _written(sums: Sums | None) -> str:
    return f"{sums[0]} of {sums[1]} together" if sums else "nothing"
