"""Successive terminals of a thousand visits each, every one with a journal, a seed and a judge of its own."""

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import time as clock_time
from pathlib import Path

from msgspec import Struct, field

from kiosk.errors import UsageError
from kiosk.flow.core import Stopped
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.database import FILE_NAME, connect
from kiosk.money.journal import Journal, JournalBroken
from kiosk.money.step import Identity, Step
from kiosk.simulate.agenda import DAY, SECOND, Process
from kiosk.simulate.judge import Violation
from kiosk.simulate.luck import SOMETIMES, Faults, Luck
from kiosk.simulate.staff import Staff
from kiosk.simulate.visits import Visit
from kiosk.simulate.world import World

VISITS_A_TERMINAL = 1_000
ALL_SITUATIONS_FROM = 100_000  # visits from which on every situation must have come up
BEGIN_MS = 1_767_225_600_000  # 1 January 2026
CURRENCY = "CNY"
ROOM_MB = 25  # what the journal of one terminal needs at most
# How SQLite says that it was the disk; whatever else it says is a mistake of ours. Only money may import their classes.
DISK_FAILURES = {"CantOpenError", "CorruptError", "FullError", "IOError", "NotADBError", "ReadOnlyError"}
TURNS_MAX = 1_000_000  # what one terminal may take to come to rest; a hundredth of it is ordinary


class Finding(Struct, frozen=True):
    """A broken law, and how to see it again."""

    terminal: int
    seed: str
    step: int
    law: str


class Report(Struct):
    """What a campaign saw."""

    seed: int
    sessions: int = 0
    steps: int = 0
    rows: int = 0
    seconds: float = 0.0  # of real time
    sometimes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    journal_head: str = ""

    @property
    def never(self) -> list[str]:
        """Situations that a long enough campaign should have met."""
        return [name for name in SOMETIMES if not self.sometimes[name]]

    @property
    def failed(self) -> bool:
        """Was a law broken, or was the campaign blind to something?"""
        return bool(self.findings) or (self.sessions >= ALL_SITUATIONS_FROM and bool(self.never))


class Watched(Journal):
    """A journal whose durable steps somebody else reads too."""

    watch: Callable[[Step], None] | None = None

    def commit(self, step: Step) -> int:
        seq = super().commit(step)
        if self.watch:
            self.watch(step)
        return seq


class Shelf:
    """Keeps one terminal's journal while its host dies and comes back: in memory, or in a folder."""

    def __init__(self, luck: Luck, calendar: Calendar, folder: Path | None) -> None:
        self._entropy = luck.random.randbytes
        self._calendar = calendar
        self._path = None if folder is None else folder / FILE_NAME
        self.incarnation = luck.random.randbytes(8).hex()
        if self._path:
            self._path.parent.mkdir(parents=True)
        self._connection = connect(self._path)
        self.journal: Watched | None = None

    def reopen(self, watch: Callable[[Step], None]) -> Journal:
        """Make it at first; afterwards open what is there, as a starting host does."""
        durable = self._path is not None
        if self.journal is None:
            identity = Identity("simulated", self.incarnation, "bench", CURRENCY)
            journal = Watched.create(
                self._connection, identity, self._calendar, self._entropy, at_ms=BEGIN_MS, durable=durable
            )
        else:
            if durable:
                self.journal.close()
                self._connection = connect(self._path)
            journal = Watched.open(self._connection, self._calendar, self._entropy, durable=durable)
        journal.watch = watch
        self.journal = journal
        return journal

    def close(self) -> None:
        """Let it go."""
        if self.journal is None:
            self._connection.close()
        else:
            self.journal.close()


def terminals(seed: int, sessions: int, faults: Faults, data: Path | None = None) -> Iterator[Report]:
    """Run one terminal after the other; the report grows with each."""
    report = Report(seed)
    heads = hashlib.sha256()
    if data is not None:
        _empty(data)
    for number in range(-(-sessions // VISITS_A_TERMINAL)):
        visits = min(VISITS_A_TERMINAL, sessions - number * VISITS_A_TERMINAL)
        folder = None if data is None else data / f"{number + 1:04d}"
        try:
            heads.update(_terminal(report, number + 1, f"{seed}/{number + 1}", visits, faults, folder))
        except Exception as error:
            if data is None or not _is_of_the_disk(error):
                raise
            raise _unusable(data, error) from error
        report.journal_head = heads.hexdigest()
        yield report


def campaign(seed: int, sessions: int, faults: Faults, data: Path | None = None) -> Report:
    """Run all of them; the last report is the whole one."""
    return deque(terminals(seed, sessions, faults, data), maxlen=1)[0]


def _empty(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        used = any(data.iterdir())
    except OSError as error:
        raise _unusable(data, error) from error
    if used:
        msg = f"{data} is not empty"
        raise UsageError(msg, "name a new folder: a campaign never writes over journals")


def _unusable(data: Path, error: Exception) -> UsageError:
    why = error.strerror if isinstance(error, OSError) else error
    remedy = "name a new folder that this account can write to, on a disk with room: "
    return UsageError(f"{data} cannot hold the journals: {why}", f"{remedy}{ROOM_MB} MB for each thousand visits")


def _is_of_the_disk(error: BaseException) -> bool:
    """Did the disk fail, where no law of money was broken?"""
    while isinstance(error, Stopped | JournalBroken) and error.__cause__:
        error = error.__cause__
    return isinstance(error, OSError | JournalBroken) or type(error).__name__ in DISK_FAILURES


def _terminal(  # noqa: PLR0913, PLR0917 - one terminal is all of this
    report: Report, number: int, seed: str, visits: int, faults: Faults, folder: Path | None
) -> bytes:
    luck = Luck(seed, faults)
    begun = time.perf_counter()
    with closing(Shelf(luck, Calendar("Asia/Shanghai", clock_time(4)), folder)) as shelf:
        world = None
        try:
            world = World(shelf, luck, CodeBook(luck.random.randbytes(32), shelf.incarnation), BEGIN_MS, CURRENCY)
            _live(world, visits)
        except Exception as error:
            not_begun = shelf.journal is None and isinstance(error, UsageError)  # such as a disk that cannot lock
            if folder is not None and (not_begun or _is_of_the_disk(error)):
                raise
            law = str(error) if isinstance(error, Violation) else f"{type(error).__name__}: {error}"
            report.findings.append(Finding(number, seed, world.journal.seq if world else 0, law))
        journal = shelf.journal
        report.sessions += visits
        report.steps += world.steps if world else 0
        report.rows += journal.seq if journal else 0
        report.sometimes.update(luck.seen)
        report.seconds += time.perf_counter() - begun
        return journal.head if journal else b""


def _live(world: World, visits: int) -> None:
    staff = Staff(world)
    world.agenda.process(_days(world, staff, visits))
    for _ in range(TURNS_MAX):
        if not world.agenda.turn():
            break
    else:
        msg = f"the terminal did not come to rest within {TURNS_MAX} turns"
        raise Violation(msg)
    tidy_up(world, staff)
    world.judge.final()


def _days(world: World, staff: Staff, visits: int) -> Process:
    """One visit after the other; some follow at once, some nights are long."""
    luck = world.luck
    for number in range(1, visits + 1):
        day = world.journal.day
        yield from Visit(world, number).whole()
        yield luck.between(0, 300) if luck.chance(0.2) else luck.between(1, 600) * SECOND
        if world.journal.day != day:
            luck.saw("day_closed")
        if number % 40 == 0:
            staff.serve()
        if number % 150 == 0:
            for device in world.devices.values():
                staff.collect(device)
            staff.settle_suspense()
        if number % 500 == 0 and world.host_up and world.journal.erase_personal(world.agenda.now_ms, world.journal.day):
            luck.saw("personal_erased")


def tidy_up(world: World, staff: Staff) -> None:
    """Weeks later: every box is counted, every doubt is looked for, and whatever that brings about has ended."""
    for _ in range(20):
        for device in world.devices.values():
            staff.collect(device)
            staff.count(device)
        staff.settle_suspense()
        world.agenda.after(DAY, lambda: None)
        for _turn in range(TURNS_MAX):
            if not world.agenda.turn():
                break
        if world.host_up and not staff.waiting() and not any(device.events for device in world.devices.values()):
            return
    msg = f"staff did not come to an end: {staff.waiting()}"
    raise Violation(msg)
