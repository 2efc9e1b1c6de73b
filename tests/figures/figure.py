"""One figure, and what it should reach."""

from msgspec import Struct


class Figure(Struct, frozen=True):
    """A measured number with its goal, if it has one."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least:,.4g}"
        return "" if self.at_most is None else f"≤ {self.at_most:,.4g}"

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most
