"""A small file is replaced whole or not at all: written new, synced, renamed, and its folder synced."""

import errno
import os
from pathlib import Path

KEPT_MAX = 1_000  # files that are kept under names like one another


def write_durably(path: Path, content: bytes, *, keep: Path | None = None) -> None:
    """Replace the file; what it was goes to `keep`, if one is named."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if keep is not None and path.exists():
        path.replace(keep)
    new.replace(path)
    sync_folder(path.parent)


def keep_as_evidence(path: Path, name: Path) -> Path:
    """Keep what the file holds under that name too, or the first like it that is free: what is kept stays for ever."""
    content = path.read_bytes()
    for number in range(1, KEPT_MAX + 1):
        kept = name if number == 1 else name.with_name(f"{name.stem}.{number}{name.suffix}")
        if not kept.exists():
            write_durably(kept, content)
            return kept
        if kept.read_bytes() == content:
            return kept
    raise FileExistsError(errno.EEXIST, f"{KEPT_MAX} files like {name} are kept already")


def sync_folder(path: Path) -> None:
    """Make renames and new names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
