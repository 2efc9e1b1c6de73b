"""A journal in memory, for tests that need no disk."""

from datetime import time
from pathlib import Path
from random import Random

from kiosk.money.calendar import Calendar
from kiosk.money.database import connect
from kiosk.money.journal import Journal
from kiosk.money.step import Identity

AT_MS = 1_795_000_000_000  # an afternoon in November 2026
IDENTITY = Identity("test", "incarnation", "bench", "CNY")


def calendar() -> Calendar:
    return Calendar("Asia/Shanghai", time(4))


def journal_in_memory() -> Journal:
    return Journal.create(connect(None), IDENTITY, calendar(), Random(1).randbytes, at_ms=AT_MS, durable=False)


def journal_on_disk(path: Path) -> Journal:
    return Journal.create(connect(path), IDENTITY, calendar(), Random(1).randbytes, at_ms=AT_MS)
