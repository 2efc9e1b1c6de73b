"""One terminal whose journal lies on a simulated disk: when the power goes, host, disk and devices stop together.

The host is the product's own Core on the product's own Journal. What the next start finds is what the disk kept of it,
and every acknowledged row has to be there. A dead host does nothing more.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from datetime import time
from functools import lru_cache
from random import Random
from typing import Literal

import apsw
import msgspec
from msgspec import Struct

from kiosk.amount import Money
from kiosk.flow.core import Core, Stopped
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.database import FILE_NAME, JournalError
from kiosk.money.entry import GENESIS
from kiosk.money.journal import Journal, JournalBroken
from kiosk.money.step import Identity, Step
from kiosk.ports.acceptor import AcceptorFact
from kiosk.ports.bill_validator import NoteFact, StackNote
from kiosk.ports.message import Command, Fact
from kiosk.simulate.campaign import BEGIN_MS, CURRENCY, Watched
from kiosk.simulate.judge import Violation
from kiosk.simulate.luck import Faults, Luck
from kiosk.simulate.world import World
from tests.kiosk.flow.laws import Books
from tests.powercut.disk import Disk, Fate, Tree

CALENDAR = Calendar("Asia/Shanghai", time(4))
IDENTITY = Identity("simulated", "incarnation", "bench", CURRENCY)
ROWS_A_STEP_MAX = 2  # a step that begins a business day closes the one before it


class Cut(Struct, frozen=True):
    """When the power goes in one life of the host: before its n-th disk operation, or at its n-th outside moment."""

    at: Literal["operation", "moment"]
    number: int
    fate: Fate

    def __str__(self) -> str:
        return f"{self.at} {self.number}, {self.fate.value}"


class Life(Struct):
    """One life of the host, from a start to the next cut."""

    cut: Cut | None
    operations: int = 0
    moments: int = 0
    started: int = 0  # disk operations until recovery was over


class HostDiedError(Exception):
    """The power went between two outside actions; `heard` if the last report had been acknowledged to its device."""

    def __init__(self, *, heard: bool) -> None:
        super().__init__("the power went")
        self.heard = heard


def connect(disk: Disk) -> apsw.Connection:
    """Open the journal's file there. There is no shared memory on that disk: one connection has it for itself."""
    connection = apsw.Connection(FILE_NAME, vfs=disk.name)
    _ = connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    return connection


def close(connection: apsw.Connection) -> None:
    """Close it; a dead process does so in vain."""
    with contextlib.suppress(apsw.Error):
        connection.close(force=True)


def create(connection: apsw.Connection) -> Journal:
    """Make a new journal there, as `kiosk init` does."""
    return Journal.create(connection, IDENTITY, CALENDAR, Random("create").randbytes, at_ms=BEGIN_MS)


@lru_cache(maxsize=1)
def _new_journal() -> dict[str, bytes]:
    disk = Disk(Random("new"))
    create(connect(disk)).close()
    return disk.files()


def prepared_disk(chance: Random, *, fsync_lies: bool = False) -> Disk:
    """Take a disk on which there is a new journal."""
    files = enumerate(_new_journal().items(), 1)
    tree = Tree()
    for inode, (name, content) in files:
        tree.names[name] = inode
        tree.contents[inode] = bytearray(content)
    return Disk(chance, fsync_lies=fsync_lies, durable=tree)


class Overheard(Watched):
    """A journal that says what it is about to commit, too."""

    before: Callable[[Step], None] | None = None

    def commit(self, step: Step) -> int:
        """Say it first, then make it durable."""
        if self.before:
            self.before(step)
        return super().commit(step)


class Drawer:
    """Keeps the journal across the lives of its host, under a plan of cuts: one for each life, as long as they last."""

    def __init__(self, disk: Disk, entropy: Callable[[int], bytes], cuts: Sequence[Cut] = ()) -> None:
        self.disk = disk
        self.before_commit: Callable[[Step], None] | None = None
        self.lives: list[Life] = []
        self.acknowledged = (0, GENESIS)  # the last row that the host was told is durable
        self.findings: list[str] = []
        self._planned = deque(cuts)
        self._entropy = entropy
        self._watch: Callable[[Step], None] | None = None
        self.connection, self.journal = self._start()
        self._acknowledge()

    @property
    def life(self) -> Life:
        """The present life of the host."""
        return self.lives[-1]

    def measure(self) -> None:
        """Note how far the present life has come."""
        self.life.operations = self.disk.operations

    def reopen(self, watch: Callable[[Step], None]) -> Journal:
        """Give it to a starting host."""
        self._watch = watch
        return self.journal

    def bury(self) -> None:
        """The process is dead; its connection goes in vain."""
        close(self.connection)

    def find_what_survived(self) -> Books:
        """Open it on what the disk kept, as the next start will, and hold it against what was acknowledged."""
        self.bury()
        self.measure()
        self.disk = self.disk.survivor()
        try:
            self.connection, self.journal = self._start()
            books = self.books()
        except (apsw.Error, JournalBroken, JournalError, LookupError, msgspec.DecodeError) as error:
            msg = f"the journal cannot be opened any more: {error}"
            raise Violation(msg) from error
        seq, head = self.acknowledged
        if self.journal.hash_of(seq) != head:
            self.findings.append(f"acknowledged row {seq} is gone, row {self.journal.seq} is the last")
        elif self.journal.seq > seq + ROWS_A_STEP_MAX:
            self.findings.append(f"row {self.journal.seq} is there, though row {seq} was the last that was begun")
        self.findings += books.broken_laws()
        self._acknowledge()
        return books

    def books(self) -> Books:
        """Read all that it says."""
        return Books(lambda sql: self.connection.execute(sql).fetchall())

    def _start(self) -> tuple[apsw.Connection, Overheard]:
        """Begin the next life; each in which the power goes before the journal is open is over at once."""
        for _ in range(len(self._planned) + 1):
            cut = self._planned.popleft() if self._planned else None
            self.lives.append(Life(cut))
            if cut and cut.at == "operation":
                self.disk.cut_at(cut.number, cut.fate)
            connection = connect(self.disk)
            try:
                return connection, self._open(connection)
            except (apsw.Error, JournalBroken):
                close(connection)
                if not self.disk.is_cut:
                    raise
                self.measure()
                self.disk = self.disk.survivor()
        msg = "more lives than cuts"
        raise LookupError(msg)

    def _open(self, connection: apsw.Connection) -> Overheard:
        journal = Overheard.open(connection, CALENDAR, self._entropy)
        journal.before = self._commits
        journal.watch = self._committed
        return journal

    def _commits(self, step: Step) -> None:
        if self.before_commit:
            self.before_commit(step)

    def _committed(self, step: Step) -> None:
        self._acknowledge()
        if self._watch:
            self._watch(step)

    def _acknowledge(self) -> None:
        self.acknowledged = self.journal.seq, self.journal.head


class Cabinet(World):
    """Everything around one terminal, on one disk, under a plan of cuts: one for each life, as long as they last."""

    def __init__(self, disk: Disk, seed: str, faults: Faults, cuts: Sequence[Cut] = ()) -> None:
        luck = Luck(seed, faults)
        self._seed = seed
        self.asked_to_stack: dict[int, Money] = {}  # position → the note that the host wanted in the box
        self.wiped_after = -1  # how many cuts there had been when the night's work was done last
        self._to_device = False
        self.drawer = Drawer(disk, luck.random.randbytes, cuts)
        super().__init__(self.drawer, luck, CodeBook(bytes(32), IDENTITY.incarnation), BEGIN_MS, CURRENCY)
        self.drawer.life.started = self.drawer.disk.operations

    @property
    def cuts(self) -> int:
        """How often the power went."""
        return len(self.drawer.lives) - 1

    # The host --------------------------------------------------------------------------------------------------------

    def tell(self, fact: Fact, personal: dict[str, bytes] | None = None) -> bool:
        """Bring a fact to the host; the power may go at any point of what that brings about."""
        outer, self._to_device = self._to_device, isinstance(fact, AcceptorFact | NoteFact)
        try:
            return super().tell(fact, personal)
        except HostDiedError as died:
            self.die()
            return died.heard
        except Stopped as stopped:
            self.stop(stopped)
            return False
        finally:
            self._to_device = outer

    def boot(self) -> None:
        """Start the host; the power may go again while it recovers."""
        try:
            super().boot()
        except HostDiedError:
            self.die()
        except Stopped as stopped:
            self.stop(stopped)
        else:
            self.drawer.life.started = self.drawer.disk.operations

    def stop(self, stopped: Stopped) -> None:
        """The core refuses to go on; here only because the power went in the midst of a commit."""
        if not self.drawer.disk.is_cut:
            raise stopped
        self.die()

    def wipe(self) -> None:
        """Do the night's work: forget the customers of the days before."""
        if not self.host_up:
            return
        try:
            _ = self.journal.erase_personal(self.agenda.now_ms, CALENDAR.day_of(self.agenda.now_ms))
        except JournalBroken as broken:
            self.stop(Stopped(str(broken), self.core.rest()))
        else:
            self.wiped_after = self.cuts

    def die(self) -> None:
        """The power went while the host was at work."""
        if self.host_up:  # else it went within a report within this one
            self.cut_power()

    def cut_power(self) -> None:
        """Host, disk and devices stop together; how the devices come out of it is another matter at each place."""
        self.luck.random.seed(f"{self._seed}, cut {self.cuts}: {self.drawer.life.cut}")
        self.lose_host()
        super().cut_power()

    def lose_host(self) -> None:
        """The process is dead: from now on, all that anybody knows of its journal is what survived."""
        self.judge.ledger = self.drawer.find_what_survived().ledger
        self.journal = self.drawer.journal
        self.core = Core(self.journal, self.codes, self.luck.random.randbytes)

    # What it does outside --------------------------------------------------------------------------------------------

    def _do(self, commands: list[Command], stop_after: int | None) -> None:
        self._pass()
        for command in commands[:stop_after]:
            super()._do([command], None)
            self._pass()

    def _pass(self) -> None:
        """Between two outside actions the power may go, whether the device has heard or not."""
        if not self.host_up:
            raise HostDiedError(heard=False)
        self._pass_moment(heard=False)
        if self._to_device:
            self._pass_moment(heard=True)

    def _pass_moment(self, *, heard: bool) -> None:
        self.drawer.life.moments += 1
        cut = self.drawer.life.cut
        if cut and cut.at == "moment" and cut.number == self.drawer.life.moments:
            self.drawer.disk.cut(cut.fate)
            raise HostDiedError(heard=heard)

    def _stack(self, command: StackNote) -> None:
        if self.bill.note:
            self.asked_to_stack[command.position] = self.bill.note.amount
        super()._stack(command)
