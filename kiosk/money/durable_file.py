"""A small file is replaced whole or not at all: written new, synced, renamed, and its folder synced."""

import os
from pathlib import Path


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


def sync_folder(path: Path) -> None:
    """Make renames and new names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
