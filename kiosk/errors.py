"""A mistake of the person at the keyboard is told with its remedy, never with a traceback."""

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class UsageError(Exception):
    """What was asked cannot be done as it stands; the command ends with status 2."""

    status = 2

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"kiosk: {self.problem}\n  remedy: {self.remedy}"


def room_or(number: int | None, otherwise: str) -> str:
    """The remedy for a failed system call: whoever has no room needs no other folder and no other rights."""
    return "make room on that disk, and run the command again" if number in FULL else otherwise
