"""What a person writes at the command line stands in the journal for ever, so it has to say something."""

from kiosk.errors import UsageError

LONGEST = 500  # characters


def journaled(option: str, written: str) -> str:
    """Give back what was written for an option, or refuse what nobody could read in the journal later."""
    if not (written.strip() and written.isprintable()):
        problem = f"{option} is empty, or has characters that cannot be printed"
        raise UsageError(problem, "write a short text on one line")
    if len(written) > LONGEST:
        problem = f"{option} has {len(written):,} characters"
        raise UsageError(problem, f"write a short text, of {LONGEST} characters at most")
    return written
