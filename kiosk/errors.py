"""A mistake of the person at the keyboard is told with its remedy, never with a traceback."""


class UsageError(Exception):
    """What was asked cannot be done as it stands; the command ends with status 2."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"kiosk: {self.problem}\n  remedy: {self.remedy}"
