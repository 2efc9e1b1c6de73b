"""The one writer: a step is durable in one transaction, whole, before anything of it is done.

A failed write is never tried again: from then on the journal refuses, the acceptors are told to stop, and the process
starts anew, to find out what the disk really holds.
"""

import os
from collections.abc import Callable, Sequence
from typing import Literal, Self, cast

import apsw
import msgspec
from msgspec import Raw, Struct

from kiosk.money.accounts import box_of
from kiosk.money.calendar import Calendar
from kiosk.money.database import (
    APPLICATION_ID,
    BUSY_MS,
    DURABLE,
    VOLATILE,
    DamagedError,
    JournalError,
    check_version,
    read_identity,
    schema_scripts,
)
from kiosk.money.entry import ENCODER, GENESIS, Change, Commitment, Entry, chain, commit_to
from kiosk.money.step import (
    OWN_STORY,
    DayClosed,
    Identity,
    JournalAdopted,
    JournalBegun,
    PersonalErased,
    Step,
)

Erasable = Literal["personal", "salt"]

ERASABLE: tuple[Erasable, ...] = ("personal", "salt")
CHECKPOINT_COMMITS = 250  # about ten megabytes of write-ahead log


class JournalBroken(Exception):  # noqa: N818 - a state that the machine is in, not a mistake of the caller
    """A write failed. Nothing more is booked by this process; it stops taking money and starts anew."""


class LedgerRefused(Exception):  # noqa: N818 - the ledger's answer
    """The database refused what cannot be true: a second resolve, an overdraft, a gap. Nothing was written."""


class Adopted(Struct, frozen=True):
    """The row by which the journal was taken over from a copy, if ever; the copy held the things up to that number."""

    row: int = 0
    things: int = 0


class Journal:
    """An open journal and its head."""

    def __init__(self, connection: apsw.Connection, calendar: Calendar, entropy: Callable[[int], bytes]) -> None:
        self._db = connection
        self._run = connection.cursor().execute
        self._run_all = connection.cursor().executemany
        self._calendar = calendar
        self._entropy = entropy
        self._lock: int | None = None
        self._unchecked = 0  # commits since the last checkpoint
        self._durable = False
        self.broken = ""
        self.seq = 0
        self.head = GENESIS
        self.day = ""
        self.last_at_ms = 0
        self.transfers = 0
        self.things = 0
        self.adopted = Adopted()
        self.identity = Identity("", "", "bench", "")

    # Making and opening ----------------------------------------------------------------------------------------------

    @classmethod
    def create(  # noqa: PLR0913 - a journal is born with all of this
        cls,
        connection: apsw.Connection,
        identity: Identity,
        calendar: Calendar,
        entropy: Callable[[int], bytes],
        *,
        at_ms: int,
        durable: bool = True,
    ) -> Self:
        """Make an empty database into a journal whose first row says whose it is."""
        journal = cls(connection, calendar, entropy)
        journal._prepare(durable=durable)
        journal._migrate(from_version=0)
        begun = JournalBegun(**msgspec.structs.asdict(identity))
        journal.commit(Step(at_ms, ENCODER.encode(begun), sales=(OWN_STORY,)))
        return journal

    @classmethod
    def open(
        cls,
        connection: apsw.Connection,
        calendar: Calendar,
        entropy: Callable[[int], bytes],
        *,
        durable: bool = True,
    ) -> Self:
        """Go on with a journal, after a look at its last row; the whole of it is verified elsewhere."""
        journal = cls(connection, calendar, entropy)
        journal._prepare(durable=durable)
        version = check_version(connection)
        if version < len(schema_scripts()):
            journal._migrate(version)
        journal._read_head()
        return journal

    @classmethod
    def look_at(cls, connection: apsw.Connection, calendar: Calendar) -> Self:
        """A journal over a connection that only reads, to be asked and not to be written."""
        journal = cls(connection, calendar, bytes)
        journal._read_head()
        return journal

    def _prepare(self, *, durable: bool) -> None:
        self._db.set_busy_timeout(BUSY_MS)
        wanted = DURABLE if durable else VOLATILE
        try:
            for name, value in wanted:
                self._run(f"PRAGMA {name} = {value}")
            held = {name: str(self._run(f"PRAGMA {name}").get) for name, _ in wanted}
        except apsw.Error as error:
            raise JournalBroken(str(error)) from error
        if held != dict(wanted):
            differing = ", ".join(
                f"{name} is {held[name]}, not {right}" for name, right in wanted if held[name] != right
            )
            msg = f"the database does not keep its promises: {differing}"
            raise JournalError(msg, "put the data folder on a local disk with a file system that supports locking")
        self._durable = durable

    def _migrate(self, from_version: int) -> None:
        try:
            self._run("BEGIN IMMEDIATE")
            for number, script in enumerate(schema_scripts()[from_version:], from_version + 1):
                self._run(script)
                self._run(f"PRAGMA user_version = {number}")
            self._run(f"PRAGMA application_id = {APPLICATION_ID}")
            self._run("COMMIT")
        except apsw.Error as error:
            raise self._break(error) from error

    def _read_head(self) -> None:
        row = self._run("SELECT seq, day, hash, body FROM entry ORDER BY seq DESC LIMIT 1").get
        if row is None:
            msg = "the journal has no first row"
            raise JournalError(msg, "it was cut off while it was made: remove its folder and run `kiosk init` again")
        self.seq, self.day, self.head, body = row
        before = self._run("SELECT hash FROM entry WHERE seq = ?", (self.seq - 1,)).get or GENESIS
        if chain(before, body) != self.head:
            msg = f"row {self.seq} does not belong to the row before it"
            raise DamagedError(msg, "take no money; run `kiosk journal verify` and call the operator")
        self.last_at_ms = msgspec.json.decode(body, type=_Moment).at
        self.transfers = self._run("SELECT coalesce(max(number), 0) FROM transfer").get
        self.things = self._run("SELECT coalesce(max(number), 0) FROM thing").get
        self.identity = read_identity(self._db)
        self.adopted = self._read_adoption()

    def _read_adoption(self) -> Adopted:
        """What the row says by which this journal is ours."""
        row = self._run("SELECT seq, body FROM entry JOIN identity USING (seq)").get
        try:
            fact = msgspec.json.decode(row[1], type=_OwnRow).fact
        except (TypeError, msgspec.DecodeError) as error:
            msg = "the row that says whose journal this is cannot be read"
            raise JournalError(msg, "take no money; run `kiosk journal verify`, and do what it says") from error
        return Adopted(row[0], fact.things) if isinstance(fact, JournalAdopted) else Adopted()

    # Writing ---------------------------------------------------------------------------------------------------------

    def commit(self, step: Step) -> int:
        """Make one step durable, whole or not at all; its sequence number is the answer."""
        if self.broken:
            raise JournalBroken(self.broken)
        day = max(self.day, self._calendar.day_of(step.at_ms)) if step.clock_trusted or not self.day else self.day
        try:
            self._run("BEGIN IMMEDIATE")
            if day != self.day:
                self._turn_day(step.at_ms, day)
            self._write(step, day)
            self._run("COMMIT")
        except apsw.ConstraintError as error:
            # The database refused what cannot be true. Nothing was written; the caller's reckoning is wrong.
            self._run("ROLLBACK")
            self._read_head()
            raise LedgerRefused(str(error)) from error
        except apsw.Error as error:
            raise self._break(error) from error
        self._unchecked += 1
        if self._durable and self._unchecked >= CHECKPOINT_COMMITS:
            self.checkpoint()
        return self.seq

    def _write(self, step: Step, day: str) -> None:
        seq = self.seq + 1
        run, run_all = self._run, self._run_all
        sales = sorted(set(step.sales))
        personal = [(kept, self._salt(kept.sale)) for kept in step.personal]
        body = ENCODER.encode(
            Entry(
                seq,
                step.at_ms,
                day,
                Raw(step.fact),
                [Change(number, Raw(data)) for number, data in step.changes],
                list(step.transfers),
                list(step.tallies),
                [Raw(command) for command in step.commands],
                [Commitment(kept.sale, kept.label, commit_to(salt, kept.value)) for kept, salt in personal],
                sales,
                not step.clock_trusted,
            )
        )
        head = chain(self.head, body)
        run("INSERT INTO entry VALUES (?, ?, ?, ?)", (seq, day, body, head))
        if step.changes:
            run_all(
                "INSERT INTO thing VALUES (?, ?, ?)"
                " ON CONFLICT (number) DO UPDATE SET seq = excluded.seq, data = excluded.data",
                [(number, seq, data.decode()) for number, data in step.changes],
            )
            self.things = max(self.things, *(number for number, _ in step.changes))
        for transfer in step.transfers:
            run("INSERT INTO transfer VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (
                transfer.number, seq, transfer.kind, transfer.debit, transfer.credit, transfer.amount,
                transfer.of, transfer.cause,
            ))  # fmt: skip
            self.transfers = transfer.number
        for tally in step.tallies:
            run(
                "INSERT INTO tally VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount",
                (day, tally.line, tally.count, tally.amount),
            )
        for sale in sales:
            run("INSERT INTO story VALUES (?, ?)", (sale, seq))
        for kept, _ in personal:
            run("INSERT INTO personal (sale, seq, label, value) VALUES (?, ?, ?, ?)",
                (kept.sale, seq, kept.label, kept.value))  # fmt: skip
        if b'"type":"Journal' in step.fact[:20]:
            self._identify(seq, step.fact)
        self.seq, self.head, self.day, self.last_at_ms = seq, head, day, step.at_ms

    def _identify(self, seq: int, fact: bytes) -> None:
        identity = msgspec.json.decode(fact, type=JournalBegun | JournalAdopted)
        self._run(
            "INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq,"
            " terminal = excluded.terminal, incarnation = excluded.incarnation, mode = excluded.mode",
            (seq, identity.terminal, identity.incarnation, identity.mode, identity.currency),
        )
        self.identity = Identity(identity.terminal, identity.incarnation, identity.mode, identity.currency)
        if isinstance(identity, JournalAdopted):
            self.adopted = Adopted(seq, identity.things)

    def _turn_day(self, at_ms: int, day: str) -> None:
        if self.day:
            self._write(Step(at_ms, ENCODER.encode(DayClosed(self.day))), self.day)
            for sql in CLOSE_DAY:
                self._run(sql, {"day": self.day})
            self._fold_settled_boxes()
        self._run("INSERT INTO business_day VALUES (?, ?)", (day, self.seq + 1))

    def _fold_settled_boxes(self) -> None:
        """A box that was counted out is counted with its device from now on, or closings would grow with every box."""
        sql = "SELECT line, count, amount FROM closing WHERE day = ? AND line GLOB '*#*'"
        for line, count, amount in cast("list[tuple[str, int, int]]", self._run(sql, (self.day,)).fetchall()):
            account, folded = box_of(line)
            if self.balance(account) == 0:
                self._run("DELETE FROM closing WHERE day = ? AND line = ?", (self.day, line))
                self._run(
                    "INSERT INTO closing VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount",
                    (self.day, folded, count, amount),
                )

    def _salt(self, sale: int) -> bytes:
        salt = self._run("SELECT salt FROM salt WHERE sale = ?", (sale,)).get
        if salt is None:
            salt = self._entropy(16)
            self._run("INSERT INTO salt VALUES (?, ?)", (sale, salt))
        return salt

    def erase_personal(self, at_ms: int, before_day: str) -> list[int]:
        """Wipe what is known of customers whose sale ended before that day, salts included."""
        sales: list[int] = [
            sale
            for (sale,) in self._run(
                "SELECT sale FROM salt JOIN thing ON thing.number = sale JOIN entry ON entry.seq = thing.seq"
                " WHERE NOT open AND day < ? ORDER BY sale",
                (before_day,),
            )
        ]
        if sales:
            self.commit(Step(at_ms, ENCODER.encode(PersonalErased(sales)), sales=sales))
        try:
            self._run("PRAGMA foreign_keys = OFF")  # or a table would be emptied row by row, which spares its pages
            self._run("BEGIN IMMEDIATE")
            for table in ERASABLE:
                self._write_anew(table, sales)
            self._run("COMMIT")
            self._run("PRAGMA foreign_keys = ON")
        except apsw.Error as error:
            raise self._break(error) from error
        self.checkpoint(emptying=True)  # in any case: a power cut may have left in the log what was wiped before it
        return sales

    def _write_anew(self, table: Erasable, without: Sequence[int]) -> None:
        """Empty a table, which overwrites its pages, and put back what stays; as much as is kept for customers.

        A page keeps copies of rows that moved to another one when it was split or joined, and deleting the row itself
        does not reach these.
        """
        gone = ENCODER.encode(without).decode()
        kept = f"SELECT * FROM {table} WHERE sale NOT IN (SELECT value FROM json_each(?)) ORDER BY 1"  # noqa: S608 - names of ours
        rows = self._run(kept, (gone,)).fetchall()
        self._run(f"DELETE FROM {table}")  # noqa: S608 - as above
        if rows:
            self._run_all(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608 - as above

    def checkpoint(self, *, emptying: bool = False) -> None:
        """Move the write-ahead log into the database. SQLite's own would swallow a failed sync, so it is off."""
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if emptying else apsw.SQLITE_CHECKPOINT_PASSIVE
        self._db.set_busy_timeout(0)  # nobody is waited for
        try:
            self._db.wal_checkpoint(mode=mode)
        except apsw.BusyError:
            return  # a reader is at work: the log stays a little longer
        except apsw.Error as error:
            raise self._break(error) from error
        finally:
            self._db.set_busy_timeout(BUSY_MS)
        self._unchecked = 0

    def _break(self, error: Exception, done: str = "written") -> JournalBroken:
        self.broken = f"the journal could not be {done}: {error}"
        # Closing must not sync again what could not be synced.
        self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        return JournalBroken(self.broken)

    # Reading ---------------------------------------------------------------------------------------------------------

    def thing(self, number: int) -> bytes | None:
        """A thing as it stands, by its number."""
        return self._look_up("SELECT data FROM thing WHERE number = ?", (number,))

    def find(self, kind: str, key: str) -> bytes | None:
        """A thing as it stands, by the name that the world knows it by."""
        return self._look_up("SELECT data FROM thing WHERE kind = ? AND key = ?", (kind, key))

    def _look_up(self, sql: str, bindings: tuple[int | str, ...]) -> bytes | None:
        """A step that cannot read what it has to know is no step: a disk that fails here has failed."""
        try:
            data: str | None = self._run(sql, bindings).get
        except apsw.Error as error:
            raise self._break(error, "read") from error
        return None if data is None else data.encode()

    def open_things(self) -> list[bytes]:
        """Everything that is not at its end, oldest first."""
        return [data.encode() for (data,) in self._run("SELECT data FROM thing WHERE open ORDER BY number")]

    def in_states(self, kind: str, states: Sequence[str]) -> list[int]:
        """The numbers of all things of a kind that are in one of these states, oldest first."""
        sql = (
            "SELECT number FROM thing WHERE kind = ? AND data ->> '$.state' IN (SELECT value FROM json_each(?))"
            " ORDER BY number"
        )
        return [number for (number,) in self._run(sql, (kind, ENCODER.encode(states).decode()))]

    def balance(self, account: str) -> int:
        """Credits less debits, of what is posted."""
        return self._run("SELECT posted FROM balance WHERE account = ?", (account,)).get or 0

    def personal(self, sale: int, label: str) -> bytes | None:
        """The latest that is known of a customer under that label; None once it was erased."""
        sql = "SELECT value FROM personal WHERE sale = ? AND label = ? ORDER BY number DESC LIMIT 1"
        return self._run(sql, (sale, label)).get

    def hash_of(self, seq: int) -> bytes | None:
        """The hash of a row, if there is such a row."""
        return self._run("SELECT hash FROM entry WHERE seq = ?", (seq,)).get

    def broken_row(self, rows: int) -> int:
        """The first of the last so many rows that does not follow from the one before it; 0 if all do."""
        first = max(self.seq - rows, 0) + 1
        before = self.hash_of(first - 1) or GENESIS
        for expected, (seq, body, head) in enumerate(self._run(TAIL, (first,)), first):
            if seq != expected or chain(before, body) != head:
                return expected
            before = head
        return 0

    def incarnations(self) -> list[str]:
        """All that this journal has had, the present one first."""
        sql = "SELECT body FROM entry JOIN story USING (seq) WHERE sale = ? ORDER BY seq DESC"
        return [msgspec.json.decode(body, type=_OwnRow).fact.incarnation for (body,) in self._run(sql, (OWN_STORY,))]

    def close(self) -> None:
        """Let the database and the lock go."""
        self._db.close(True)  # noqa: FBT003 - apsw's own signature
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def hold(self, lock: int) -> None:
        """Keep the folder's lock for as long as the journal is open."""
        self._lock = lock


class _Moment(Struct):
    at: int


class _OwnRow(Struct):
    fact: JournalBegun | JournalAdopted


TAIL = "SELECT seq, body, hash FROM entry WHERE seq >= ? ORDER BY seq"

# How everything stands when a day closes: yesterday's closing and today's movements, nothing older.
CLOSE_DAY = (
    """
    INSERT INTO closing SELECT :day, line, sum(count), sum(amount) FROM (
        SELECT line, count, amount FROM closing
        WHERE day = (SELECT max(day) FROM closing) AND line NOT GLOB 'promise/*'
        UNION ALL SELECT 'balance/' || credit, count, amount FROM movement WHERE day = :day
        UNION ALL SELECT 'balance/' || debit, count, -amount FROM movement WHERE day = :day
        UNION ALL SELECT 'ever/' || line, count, amount FROM tally WHERE day = :day
    ) GROUP BY line
    """,
    """
    INSERT INTO closing
    SELECT :day, 'promise/' || iif(instr(credit, '#'), substr(credit, 1, instr(credit, '#') - 1), credit),
           count(*), sum(amount)
    FROM promise GROUP BY 2
    """,
)
