"""A small file is replaced whole or not at all: written new, synced, renamed, and its folder synced.

Whatever lies in its place when it is read, nobody waits for it, and no more is read than such a file can have.
"""

import errno
import os
import stat
from pathlib import Path

SMALL = 4096  # bytes; our own small files have a few hundred at most
KEPT_MAX = 1_000  # files that are kept under names like one another


def read_small(path: Path) -> bytes:
    """What a small file holds. A folder, a pipe, a device or a large file in its place is an OSError, at once."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "this is a pipe, a socket or a device, not a file", str(path))
        content = os.read(handle, SMALL + 1)
    finally:
        os.close(handle)
    if len(content) > SMALL:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def write_durably(path: Path, content: bytes, *, keep: Path | None = None) -> None:
    """Replace the file; what it was goes to `keep`, if one is named."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # what a command that was cut off has left, or anybody has put there
    with new.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if keep is not None and path.exists():
        path.replace(keep)
    new.replace(path)
    sync_folder(path.parent)


def keep_as_evidence(path: Path, name: Path) -> Path:
    """Keep what the file holds under that name too, or the first like it that is free: what is kept stays for ever."""
    content = read_small(path)
    for number in range(1, KEPT_MAX + 1):
        kept = name if number == 1 else name.with_name(f"{name.stem}.{number}{name.suffix}")
        if not kept.exists():
            write_durably(kept, content)
            return kept
        if read_small(kept) == content:
            return kept
    raise FileExistsError(errno.EEXIST, f"{KEPT_MAX} files like {name} are kept already")


def sync_folder(path: Path) -> None:
    """Make renames and new names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
