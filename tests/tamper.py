"""Whatever is done to a journal shows: edits, deletions, reorderings, forgeries and truncations, by the thousand.

The attacker owns the disk: no trigger and no check stops him. He does not have the machine's key.
`python -m tests.tamper [COUNT]` runs them all.
"""
# ruff: noqa: S608, T201 - the tables are our own; a program speaks by printing

import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import cast

import apsw
from msgspec import Struct

from kiosk.money.entry import GENESIS, chain
from kiosk.money.verify import verify
from tests.kiosk.money.lived import KEY, Lived

ATTACKS = 10_000
TRIES_MAX = 100  # until an attack has found something that it can change
CHAINED = ("entry", "transfer")
DERIVED = ("balance", "promise", "movement", "thing", "story", "tally", "business_day", "closing", "identity")
TABLES = (*CHAINED, *DERIVED, "personal", "salt")
FREE = {("personal", "number")}  # a new number says nothing, as long as the order stays, and that is looked at

Value = int | str | bytes


class Attack(Struct, frozen=True):
    """What was done, and what verification says of it."""

    way: str
    what: str
    problems: list[str]


class Attacker:
    """Has the disk with a journal on it, and copies of it as it was after each row."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        lived = Lived()
        self.copies = lived.copies
        self.rows = lived.journal.seq
        self._head = lived.head()
        # The same two days with another note: whole in itself, as only a patient forger can make it.
        self.forgery = list(Lived(first_note=10).copies.values())

    def attack(self) -> Attack:
        """Attack a fresh copy in one way or another."""
        way = self.random.choice(WAYS)
        for _ in range(TRIES_MAX):
            database = opened(self.copies[self.rows])
            try:
                what = way(self, database)
            except apsw.Error:
                continue  # the database cannot even hold it
            if what:
                found = verify(database, self._head, public_key=KEY.public_key())
                return Attack(way.__name__, what, [str(problem) for problem in found.problems])
        raise LookupError(way.__name__)

    def one_of(self, database: apsw.Connection, table: str) -> tuple[list[str], list[Value]]:
        """A random row of a table, and the names of its columns."""
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        rows = database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
        return columns, list(cast("tuple[Value, ...]", self.random.choice(rows)))

    def other(self, value: Value) -> Value:
        """Something else of the same kind."""
        if isinstance(value, int):
            return value + self.random.choice((-100, -1, 1, 100))
        place = self.random.randrange(len(value)) if value else 0
        if isinstance(value, str):
            return f"{value[:place]}{self.random.choice('019aZ#/')}{value[place + 1 :]}"
        flipped = value[place] ^ 1 << self.random.randrange(8)
        return value[:place] + bytes([flipped]) + value[place + 1 :]


def opened(copy: bytes) -> apsw.Connection:
    """A database in memory, whose guards are asleep."""
    database = apsw.Connection(":memory:")
    database.deserialize("main", copy)
    database.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    database.pragma("ignore_check_constraints", 1)
    return database


# Ways ----------------------------------------------------------------------------------------------------------------


def change_a_value(attacker: Attacker, database: apsw.Connection) -> str:
    table = attacker.random.choice(TABLES)
    columns, row = attacker.one_of(database, table)
    place = attacker.random.randrange(len(columns))
    value = attacker.other(row[place])
    if value == row[place] or (table, columns[place]) in FREE:
        return ""
    database.execute(f"UPDATE {table} SET {columns[place]} = ? WHERE {_equal(columns)}", (value, *row))
    return f"{table}.{columns[place]}: {row[place]!r} became {value!r}"


def delete_a_row(attacker: Attacker, database: apsw.Connection) -> str:
    table = attacker.random.choice(TABLES)
    columns, row = attacker.one_of(database, table)
    database.execute(f"DELETE FROM {table} WHERE {_equal(columns)}", row)
    return f"{table}: {row} is gone"


def insert_a_row(attacker: Attacker, database: apsw.Connection) -> str:
    """A copy of another, under another key."""
    table = attacker.random.choice(TABLES)
    columns, row = attacker.one_of(database, table)
    keys = [name for _, name, _, _, _, key in database.execute(f"PRAGMA table_info({table})") if key]
    place = columns.index(attacker.random.choice(keys))
    row[place] = attacker.other(row[place])
    _insert(database, table, row)
    return f"{table}: {row} is new"


def exchange_two_rows(attacker: Attacker, database: apsw.Connection) -> str:
    table = attacker.random.choice(("entry", "transfer", "thing"))
    (key, *columns), one = attacker.one_of(database, table)
    _, other = attacker.one_of(database, table)
    for here, there in ((one, other), (other, one)):
        changes = ", ".join(f"{column} = ?" for column in columns)
        database.execute(f"UPDATE {table} SET {changes} WHERE {key} = ?", (*there[1:], here[0]))
    return "" if one[1:] == other[1:] else f"{table}: {one[0]} and {other[0]} changed places"


def reverse_some_rows(attacker: Attacker, database: apsw.Connection) -> str:
    first, last = sorted(attacker.random.sample(range(1, attacker.rows + 1), 2))
    sql = "SELECT day, body, hash FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq DESC"
    for seq, row in enumerate(database.execute(sql, (first, last)).fetchall(), first):
        database.execute("UPDATE entry SET day = ?, body = ?, hash = ? WHERE seq = ?", (*row, seq))
    return f"rows {first} to {last} stand the other way round"


def close_the_gap(attacker: Attacker, database: apsw.Connection) -> str:
    """Delete rows in the midst, and renumber those behind them."""
    first, behind = sorted(attacker.random.sample(range(1, attacker.rows + 1), 2))
    database.execute("DELETE FROM entry WHERE seq >= ? AND seq < ?", (first, behind))
    database.execute("UPDATE entry SET seq = seq - ?", (behind - first,))
    return f"rows {first} to {behind - 1} are gone, without a gap"


def forget_the_end(attacker: Attacker, database: apsw.Connection) -> str:
    last = attacker.random.randrange(attacker.rows)
    database.execute("DELETE FROM entry WHERE seq > ?", (last,))
    database.execute("DELETE FROM transfer WHERE seq > ?", (last,))
    return f"all is gone beyond row {last}"


def bring_back_an_older_copy(attacker: Attacker, database: apsw.Connection) -> str:
    """Rows and derived tables agree in it."""
    last = attacker.random.choice([seq for seq in attacker.copies if seq < attacker.rows])
    database.deserialize("main", attacker.copies[last])
    return f"the journal is the one of row {last}"


def bring_back_an_older_table(attacker: Attacker, database: apsw.Connection) -> str:
    table = attacker.random.choice(DERIVED)
    before = opened(attacker.random.choice(list(attacker.copies.values())))
    columns = ", ".join(attacker.one_of(database, table)[0])
    old, new = (of.execute(f"SELECT {columns} FROM {table}").fetchall() for of in (before, database))
    database.execute(f"DELETE FROM {table}")
    for row in old:
        _insert(database, table, list(cast("tuple[Value, ...]", row)))
    return "" if old == new else f"{table} is an older one"


def forge_a_row(attacker: Attacker, database: apsw.Connection) -> str:
    """Change a digit, and chain all rows anew."""
    seq = attacker.random.randrange(1, attacker.rows + 1)
    body: bytes = database.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).get
    place = attacker.random.choice([place for place, byte in enumerate(body) if chr(byte).isdigit()])
    digit = attacker.random.choice([digit for digit in b"0123456789" if digit != body[place]])
    forged = body[:place] + bytes([digit]) + body[place + 1 :]
    database.execute("UPDATE entry SET body = ? WHERE seq = ?", (forged, seq))
    head = GENESIS
    rows = cast("list[tuple[int, bytes]]", database.execute("SELECT seq, body FROM entry ORDER BY seq").fetchall())
    for number, row in rows:
        head = chain(head, row)
        database.execute("UPDATE entry SET hash = ? WHERE seq = ?", (head, number))
    return f"row {seq} is forged at byte {place}"


def forge_everything(attacker: Attacker, database: apsw.Connection) -> str:
    """Another story, in which rows, ledger and derived tables agree."""
    number = attacker.random.randrange(len(attacker.forgery))
    database.deserialize("main", attacker.forgery[number])
    return f"it is forgery {number}"


def take_a_guard_away(attacker: Attacker, database: apsw.Connection) -> str:
    guards = database.execute(
        "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('trigger', 'index')"
    ).fetchall()
    kind, name = cast("tuple[str, str]", attacker.random.choice(guards))
    database.execute(f"DROP {kind} {name}")
    return f"{kind} {name} is gone"


def put_a_trap_in(attacker: Attacker, database: apsw.Connection) -> str:
    table = attacker.random.choice(TABLES)
    database.execute(f"CREATE TRIGGER trap AFTER INSERT ON {table} BEGIN DELETE FROM balance; END")
    return f"there is a trap in {table}"


WAYS: tuple[Callable[[Attacker, apsw.Connection], str], ...] = (
    *(change_a_value, change_a_value, change_a_value, delete_a_row, insert_a_row, exchange_two_rows),
    *(reverse_some_rows, close_the_gap, forget_the_end, bring_back_an_older_copy, bring_back_an_older_table),
    *(forge_a_row, forge_everything, take_a_guard_away, put_a_trap_in),
)


def _equal(columns: list[str]) -> str:
    return " AND ".join(f"{column} IS ?" for column in columns)


def _insert(database: apsw.Connection, table: str, row: list[Value]) -> None:
    columns = ", ".join(name for _, name, *_ in database.execute(f"PRAGMA table_info({table})"))
    database.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", row)


def main() -> int:
    """Run all attacks, and name those that were not noticed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ATTACKS
    attacker = Attacker(1)
    ways: Counter[str] = Counter()
    unnoticed = 0
    for _ in range(count):
        attack = attacker.attack()
        ways[attack.way] += 1
        if not attack.problems:
            unnoticed += 1
            print(f"NOT NOTICED  {attack.way}: {attack.what}")
    for way, times in sorted(ways.items()):
        print(f"{times:>7,}  {way}")
    print(f"{count:,} attacks, {unnoticed:,} not noticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
