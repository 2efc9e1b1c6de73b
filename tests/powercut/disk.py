"""What was synced is on the disk; what was not is at the mercy of the power cut.

`Disk` is an APSW VFS, all in memory: the files as the running process sees them, the files as the disk holds them, and
in between, in order, the changes that no sync has made durable. When the power goes, a `Fate` says which of those
landed, and `survivor()` is the disk that the next start finds.

The model promises what ext4, mounted with its defaults, promises to SQLite, and no more:

* A *file's sync* makes its bytes and its size durable, and its name together with the directory changes before that,
  since ext4's journal commits in order. No other file's bytes, no later directory change.
* A *directory's sync* makes every directory change so far durable. As in SQLite's unix VFS it follows the first sync
  of a WAL or journal that was opened to be created (its failure there goes unnoticed) and a delete, if SQLite asks
  for it. Until then a created file may vanish and a deleted one come back, WALs included.
* A *sector* of 512 bytes is whole: it is as one of the writes left it, so no write shows without the earlier ones to
  the same sector. Sectors land in any order. Bytes outside of the written range never change: therefore the disk
  claims POWERSAFE_OVERWRITE, SUBPAGE_READ and sectors of 4096 bytes, exactly as the unix VFS does, so that SQLite
  writes here what it writes there. It claims nothing else.
* *Names and truncations* are journaled: they land in order, and a write after a truncation never before it.
* A *failed sync* is not made good by the next one: a part of the file's changes has landed, the others are forgotten,
  though still readable, until they are written again. A failed write may have written its beginning.

In one place it is crueler than ext4, on purpose: there a sync that makes a file grow commits every earlier name and
truncation too; here these may still be lost, as on ext4 after a sync of bytes that were overwritten in place.

In one place it is louder than the unix VFS: SQLite passes over errors of an automatic checkpoint and of a close, but
APSW raises whatever a VFS in Python raised, so here they reach the caller.

Deterministic, for one seed of `chance` and the same calls: every byte, count and survivor, and the clock, which
stands still. SQLite has one random generator for the process, seeded once, from the *default* VFS, whichever VFS a
connection uses; so each new disk has it seeded anew, from `chance`. WAL salts and SQL's random() then follow the seed
as long as no other disk is made, and no other connection draws, in between. A survivor's salts differ from its
predecessor's, as they must, because `chance` goes on.

WAL needs `PRAGMA locking_mode = EXCLUSIVE` before the first access: there is no shared memory. A dead process closes
its connections in vain: close() raises, and whoever forgets to close hears of it from the garbage collector.
"""
# ruff: noqa: N802, D102, ARG002, FBT001 - SQLite named the x-methods, laid down their arguments, and describes them

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, assert_never

import apsw
import msgspec

if TYPE_CHECKING:
    from random import Random

SECTOR_BYTES: Final = 512
CLAIMED_SECTOR_BYTES: Final = 4096  # what the unix VFS says of any disk
CLAIMS: Final = apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE | apsw.SQLITE_IOCAP_SUBPAGE_READ
CLOCK_JULIAN_MS: Final = 211_939_200_000_000  # a noon in 2005

_JOURNALS: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
_serial_numbers: Final = itertools.count(1)


class Fate(enum.Enum):
    """What became of the changes that were not durable when the power went."""

    LOST = "lost"  # all are gone
    KEPT = "kept"  # all had landed; so it is, too, when the process is killed and the power stays on
    PREFIX = "prefix"  # the first few had landed, in order
    TORN = "torn"  # the first few, a part of the next, and any of those after it, the interrupted one included


Operation: TypeAlias = Literal["create", "write", "truncate", "sync", "sync directory", "delete"]
Fault: TypeAlias = Literal["EIO", "ENOSPC"]

# As the unix VFS reports them; what is missing under ENOSPC needs no space and succeeds on a full disk.
ERROR_CODES: Final[dict[Fault, dict[Operation, int]]] = {
    "EIO": {
        "create": apsw.SQLITE_CANTOPEN,
        "write": apsw.SQLITE_IOERR_WRITE,
        "truncate": apsw.SQLITE_IOERR_TRUNCATE,
        "sync": apsw.SQLITE_IOERR_FSYNC,
        "sync directory": apsw.SQLITE_IOERR_DIR_FSYNC,
        "delete": apsw.SQLITE_IOERR_DELETE,
    },
    "ENOSPC": {
        "create": apsw.SQLITE_CANTOPEN,
        "write": apsw.SQLITE_FULL,
        "sync": apsw.SQLITE_IOERR_FSYNC,
    },
}

# What SQLite says itself of those codes; of an error raised in Python it says nothing.
WORDS: Final = {
    apsw.SQLITE_IOERR: "disk I/O error",
    apsw.SQLITE_FULL: "database or disk is full",
    apsw.SQLITE_CANTOPEN: "unable to open database file",
}

# The highest lock that others may hold while a file gets this one.
LOCKS_TOLERATED: Final = {
    apsw.SQLITE_LOCK_SHARED: apsw.SQLITE_LOCK_RESERVED,
    apsw.SQLITE_LOCK_RESERVED: apsw.SQLITE_LOCK_SHARED,
    apsw.SQLITE_LOCK_EXCLUSIVE: apsw.SQLITE_LOCK_NONE,
}


class PowerCutError(apsw.IOError):
    """The process is dead, and whatever it asks of the disk happens no more."""

    result: int = apsw.SQLITE_IOERR
    extendedresult: int = apsw.SQLITE_IOERR


class Created(msgspec.Struct, frozen=True):
    """A name came into the directory."""

    name: str
    inode: int


class Deleted(msgspec.Struct, frozen=True):
    """A name went out of the directory."""

    name: str


class Written(msgspec.Struct, frozen=True):
    """Sectors of a file became what one write left there; `offset` is where the first of them begins."""

    inode: int
    offset: int
    sectors: bytes


class Truncated(msgspec.Struct, frozen=True):
    """A file got another size."""

    inode: int
    size: int


Change: TypeAlias = Created | Deleted | Written | Truncated


class Tree(msgspec.Struct, frozen=True):
    """Names, and the bytes of each inode."""

    names: dict[str, int] = {}
    contents: dict[int, bytearray] = {}

    def apply(self, change: Change) -> None:
        """Let one change happen here."""
        match change:
            case Created(name, inode):
                self.names[name] = inode
                _ = self.contents.setdefault(inode, bytearray())
            case Deleted(name):
                _ = self.names.pop(name, None)
            case Written(inode, offset, sectors):
                content = self.contents.setdefault(inode, bytearray())
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(sectors)] = sectors
            case Truncated(inode, size):
                content = self.contents.setdefault(inode, bytearray())
                content.extend(bytes(max(0, size - len(content))))
                del content[size:]
            case _:
                assert_never(change)

    def copy(self) -> Tree:
        """Make an equal tree that shares nothing with this one."""
        return Tree(self.names.copy(), {inode: content[:] for inode, content in self.contents.items()})

    def named(self) -> Tree:
        """Leave out what no name leads to."""
        return Tree(self.names, {inode: self.contents[inode] for inode in self.names.values()})


def _landed(pending: list[Change], interrupted: Change | None, fate: Fate, chance: Random) -> list[Change]:
    match fate:
        case Fate.LOST:
            return []
        case Fate.KEPT:
            return pending
        case Fate.PREFIX:
            return pending[: chance.randint(0, len(pending))]
        case Fate.TORN:
            return _landed_torn(pending if interrupted is None else [*pending, interrupted], chance)
        case _:
            assert_never(fate)


def _landed_torn(pending: list[Change], chance: Random) -> list[Change]:
    reached = chance.randint(0, len(pending))
    landed, lost, later = pending[:reached], pending[reached : reached + 1], pending[reached + 1 :]
    match lost:
        case [Written(inode, offset, sectors)] if len(sectors) > SECTOR_BYTES:
            edge = chance.randrange(SECTOR_BYTES, len(sectors), SECTOR_BYTES)
            parts = Written(inode, offset, sectors[:edge]), Written(inode, offset + edge, sectors[edge:])
            landed.append(chance.choice(parts))
        case _:
            pass  # one sector, one name, one size: whole or not at all
    if chance.getrandbits(1):  # the disk had gone on, out of order
        for change in later:
            if chance.getrandbits(1) or any(_is_journaled_after(change, earlier) for earlier in lost):
                lost.append(change)
            else:
                landed.append(change)
    return landed


def _is_journaled_after(change: Change, lost: Change) -> bool:
    match lost:
        case Created() | Deleted():
            return isinstance(change, Created | Deleted)
        case Truncated(inode):
            return isinstance(change, Written | Truncated) and change.inode == inode
        case Written():
            return False
        case _:
            assert_never(lost)


class Disk(apsw.VFS):
    """One disk and the one process that uses it, until the power is cut."""

    def __init__(self, chance: Random, *, fsync_lies: bool = False, durable: Tree | None = None) -> None:
        """Register the disk as the VFS `name`; it is unregistered when nothing refers to it any more."""
        self.name: Final = f"disk-{next(_serial_numbers)}"
        super().__init__(self.name, exclude={"xGetLastError", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall"})
        self.chance: Final = chance
        self.fsync_lies: Final = fsync_lies  # a negative control: syncs succeed and make nothing durable
        self.is_cut: bool = False
        self.operations: int = 0
        self.failed_syncs: int = 0
        self.syncs_after_failed_sync: int = 0  # of files that were open when a sync failed
        self.open_files: Final[list[OpenFile]] = []
        self.cached: Final = Tree() if durable is None else durable.copy()
        self._durable: Final = Tree() if durable is None else durable
        self._pending: list[Change] = []  # in the cache, not durable yet, in order
        self._interrupted: Change | None = None
        self._cut_at: int | None = None
        self._fate: Fate = Fate.LOST
        self._failure: tuple[int, Fault, bool] | None = None
        self._inodes: Final = itertools.count(1 + max(self._durable.contents, default=0))
        self._reseed_sqlite()

    def _reseed_sqlite(self) -> None:
        default = apsw.vfs_names()[0]
        apsw.set_default_vfs(self.name)
        try:
            _ = apsw.randomness(0)  # forget the generator's state
            _ = apsw.randomness(1)  # draw, and so fetch a new one from the default VFS
        finally:
            apsw.set_default_vfs(default)

    # What goes wrong, and what survives it

    def cut_at(self, n: int, fate: Fate) -> None:
        """Cut the power when the n-th operation, counted from this disk's first as 1, is about to happen."""
        self._require_ahead(n)
        self._cut_at = n
        self._fate = fate

    def cut(self, fate: Fate) -> None:
        """Cut the power now, between two operations."""
        self.is_cut = True
        self._fate = fate

    def fail_at(self, n: int, fault: Fault, *, lasting: bool) -> None:
        """Let the n-th operation fail, or else the next that this fault can hit; if lasting, all that follow too."""
        self._require_ahead(n)
        self._failure = (n, fault, lasting)

    def _require_ahead(self, n: int) -> None:
        if n <= self.operations:
            message = f"operation {n} is past: {self.operations} have happened, plan a later one"
            raise ValueError(message)

    def require_power(self) -> None:
        """Let nothing happen once the power is cut."""
        if self.is_cut:
            message = "the power is cut: go on with disk.survivor()"
            raise PowerCutError(message)

    def survivor(self, fate: Fate | None = None) -> Disk:
        """Build the disk that the next start finds, by the fate given with the cut or by another one."""
        if not self.is_cut:
            message = "the power is on: cut it before asking what survived"
            raise ValueError(message)
        tree = self._durable.copy()
        for change in _landed(self._pending, self._interrupted, fate or self._fate, self.chance):
            tree.apply(change)
        return Disk(self.chance, fsync_lies=self.fsync_lies, durable=tree.named())

    def files(self) -> dict[str, bytes]:
        """Copy the files as the process sees them: on a survivor not yet used, what is durable."""
        return {name: bytes(self.cached.contents[inode]) for name, inode in sorted(self.cached.names.items())}

    # What happens

    def do(self, operation: Operation, change: Change | None = None) -> None:
        """Count one operation and let it happen in the cache, unless the power or the disk fails first."""
        self.require_power()
        self.operations += 1
        if self.operations == self._cut_at:
            self.is_cut = True
            self._interrupted = change
            self.require_power()
        code = self._failure_code(operation)
        if code is not None:
            if isinstance(change, Written):
                written = self.chance.randrange(0, len(change.sectors), SECTOR_BYTES)
                if written:
                    self._cache(Written(change.inode, change.offset, change.sectors[:written]))
            error = apsw.exception_for(code)
            error.args = (WORDS[code & 0xFF],)
            raise error
        if change is not None:
            self._cache(change)

    def _failure_code(self, operation: Operation) -> int | None:
        if self._failure is None:
            return None
        n, fault, lasting = self._failure
        code = ERROR_CODES[fault].get(operation)
        if self.operations < n or code is None:
            return None
        if not lasting:
            self._failure = None
        return code

    def _cache(self, change: Change) -> None:
        self.cached.apply(change)
        self._pending.append(change)

    def sync(self, inode: int) -> None:
        """Make one file durable: its bytes, its size, and its name with the directory changes before that."""
        try:
            self.do("sync")
        except apsw.Error:
            if not self.is_cut:
                self.failed_syncs += 1
                changes = self._changes_of(inode)
                self._land(changes[: self.chance.randint(0, len(changes))])
                self._pending = [it for it in self._pending if not (isinstance(it, Written) and it.inode == inode)]
            raise
        named_at = max(
            (at for at, it in enumerate(self._pending) if isinstance(it, Created) and it.inode == inode), default=-1
        )
        self._land(self._changes_of(inode) + [at for at in self._directory_changes() if at <= named_at])

    def sync_directory(self) -> None:
        """Make every name and every deletion durable."""
        self.do("sync directory")
        self._land(self._directory_changes())

    def _changes_of(self, inode: int) -> list[int]:
        return [at for at, it in enumerate(self._pending) if isinstance(it, Written | Truncated) and it.inode == inode]

    def _directory_changes(self) -> list[int]:
        return [at for at, it in enumerate(self._pending) if isinstance(it, Created | Deleted)]

    def _land(self, positions: list[int]) -> None:
        if self.fsync_lies:
            return
        for at in positions:
            self._durable.apply(self._pending[at])
        landed = set(positions)
        self._pending = [change for at, change in enumerate(self._pending) if at not in landed]

    # What SQLite asks of a VFS

    def xOpen(  # pyright: ignore[reportIncompatibleMethodOverride] - a VFSFile would be a file of another VFS
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> OpenFile:
        self.require_power()
        wanted = flags[1] = flags[0]
        if name is None:  # a temporary file, which has no name to survive by
            inode = next(self._inodes)
            self.cached.contents[inode] = bytearray()
            return OpenFile(self, inode, syncs_directory=False)
        path = name if isinstance(name, str) else name.filename()
        inode = self.cached.names.get(path)
        if inode is None and wanted & apsw.SQLITE_OPEN_CREATE:
            inode = next(self._inodes)
            self.do("create", Created(path, inode))
        elif inode is None or wanted & apsw.SQLITE_OPEN_EXCLUSIVE:
            raise apsw.exception_for(apsw.SQLITE_CANTOPEN)
        is_new_journal = wanted & apsw.SQLITE_OPEN_CREATE and wanted & _JOURNALS
        return OpenFile(self, inode, syncs_directory=bool(is_new_journal))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.require_power()
        if filename not in self.cached.names:
            raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
        self.do("delete", Deleted(filename))
        if syncdir:
            self.sync_directory()

    def xAccess(self, pathname: str, flags: int) -> bool:
        self.require_power()
        return pathname in self.cached.names

    def xFullPathname(self, name: str) -> str:
        self.require_power()
        return name

    def xRandomness(self, numbytes: int) -> bytes:
        return self.chance.randbytes(numbytes)

    def xSleep(self, microseconds: int) -> int:
        return microseconds

    def xCurrentTimeInt64(self) -> int:
        return CLOCK_JULIAN_MS


class OpenFile:
    """A file, as one connection has it open."""

    def __init__(self, disk: Disk, inode: int, *, syncs_directory: bool) -> None:
        """Open the inode; with `syncs_directory` its first sync is followed by one of the directory."""
        self.inode: Final = inode
        self.lock: int = apsw.SQLITE_LOCK_NONE
        self._disk: Final = disk
        self._content: Final = disk.cached.contents[inode]
        self._syncs_directory: bool = syncs_directory
        self._failed_syncs_before: Final = disk.failed_syncs
        disk.open_files.append(self)

    def xClose(self) -> None:
        if self in self._disk.open_files:
            self._disk.open_files.remove(self)

    def xRead(self, amount: int, offset: int) -> bytearray:
        self._disk.require_power()
        return self._content[offset : offset + amount]

    def xWrite(self, data: bytes, offset: int) -> None:
        start = offset - offset % SECTOR_BYTES
        end = offset + len(data)
        before = bytes(self._content[start:offset]).ljust(offset - start, b"\0")
        after = bytes(self._content[end : end + -end % SECTOR_BYTES])
        self._disk.do("write", Written(self.inode, start, before + data + after))

    def xTruncate(self, newsize: int) -> None:
        self._disk.do("truncate", Truncated(self.inode, newsize))

    def xSync(self, flags: int) -> None:
        if self._disk.failed_syncs > self._failed_syncs_before:
            self._disk.syncs_after_failed_sync += 1
        self._disk.sync(self.inode)
        if self._syncs_directory:
            self._syncs_directory = False
            try:
                self._disk.sync_directory()
            except apsw.Error:
                self._disk.require_power()  # a directory that cannot be synced is no error to the unix VFS either

    def xFileSize(self) -> int:
        self._disk.require_power()
        return len(self._content)

    def xLock(self, level: int) -> None:
        self._disk.require_power()
        if self._highest_lock_of_others() > LOCKS_TOLERATED[level]:
            raise apsw.exception_for(apsw.SQLITE_BUSY)
        self.lock = max(self.lock, level)

    def xUnlock(self, level: int) -> None:
        self.lock = min(self.lock, level)

    def xCheckReservedLock(self) -> bool:
        self._disk.require_power()
        return max(self.lock, self._highest_lock_of_others()) >= apsw.SQLITE_LOCK_RESERVED

    def _highest_lock_of_others(self) -> int:
        others = (file.lock for file in self._disk.open_files if file.inode == self.inode and file is not self)
        return max(others, default=apsw.SQLITE_LOCK_NONE)

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return CLAIMED_SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:
        return CLAIMS
