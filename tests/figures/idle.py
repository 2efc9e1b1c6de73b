"""What it costs to wait: all drivers at work, none with anything to do.

Measured in a process of its own, so that its memory is its own.
"""

import gc
import json
import subprocess
import sys
import time
from pathlib import Path

from tests.figures.figure import Figure
from tests.figures.till import AT_WORK, till

SECONDS = 30.0
SETTLED_S = 3.0
CPU_MAX_PERCENT = 5
MEMORY_MAX_MB = 60
MEGABYTE = 1024  # in kilobytes


def figures(seconds: float = SECONDS) -> list[Figure]:
    """Processor and memory."""
    line = subprocess.run(
        [sys.executable, "-m", "tests.figures.idle", str(seconds)], check=True, capture_output=True
    ).stdout
    percent, before_mb, after_mb, drivers = json.loads(line)
    return [
        Figure(f"processor, {drivers} idle drivers, of one core", percent, "%", at_most=CPU_MAX_PERCENT),
        Figure("memory before the drivers started", before_mb, "MB"),
        Figure(f"memory with {drivers} drivers", after_mb, "MB", at_most=MEMORY_MAX_MB),
    ]


def memory_mb() -> float:
    """What of this process lies in memory now."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / MEGABYTE


def main() -> None:
    """Measure once, in this process."""
    seconds = float(sys.argv[1])
    with till() as it:
        gc.collect()
        before_mb = memory_mb()
        it.start()
        it.wait_until_all_are(AT_WORK)
        time.sleep(SETTLED_S)
        begun_s, used_s = time.monotonic(), time.process_time()
        time.sleep(seconds)
        used_s, took_s = time.process_time() - used_s, time.monotonic() - begun_s
        print(json.dumps([100 * used_s / took_s, before_mb, memory_mb(), len(it.supervisors)]))


if __name__ == "__main__":
    main()
