"""Every command of the terminal is a row of this table; only the one that is asked for is loaded.

Nothing else is loaded before `main` runs: whoever interrupts it earlier would see the inside of Python.
"""

import sys

COMMANDS = {
    "check": ("kiosk.commands.check", "read the configuration and name every mistake in it"),
    "init": ("kiosk.commands.init", "begin a new journal, and its secret key where there is none"),
    "adopt": ("kiosk.commands.adopt", "go on with a journal that was restored or moved"),
    "totals": ("kiosk.commands.totals", "print the totals of a business day"),
    "journal": ("kiosk.commands.journal", "verify the journal, list or show its sales, or export it"),
    "diagnose": ("kiosk.commands.diagnose", "ask each configured device who and how it is"),
    "detect": ("kiosk.commands.detect", "find out what answers on a serial port"),
    "bench": ("kiosk.commands.bench", "be the machine without metal: simulated devices and a page"),
    "simulate": ("kiosk.commands.simulate", "run seeded sessions with every kind of fault"),
}

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status; an interruption ends it quietly, whenever it comes."""
    try:
        from kiosk.command_line import run  # noqa: PLC0415 - loading it takes a while

        return run(COMMANDS, sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED
