"""A business day begins at the operator's cut-off hour, in the terminal's own time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class Calendar:
    """Which business day a moment belongs to; today's bounds are kept, since each commit asks."""

    def __init__(self, timezone: str, cutoff: time) -> None:
        self._zone = ZoneInfo(timezone)
        self._cutoff = cutoff
        self._day = ""
        self._from_ms = 0
        self._until_ms = 0

    def day_of(self, at_ms: int) -> str:
        """The business day, written 2026-11-20."""
        if not self._from_ms <= at_ms < self._until_ms:
            self._settle(at_ms)
        return self._day

    def _settle(self, at_ms: int) -> None:
        day = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(self._zone).date()
        if at_ms < self._begin_ms(day):
            day -= timedelta(days=1)
        self._day = day.isoformat()
        self._from_ms = self._begin_ms(day)
        self._until_ms = self._begin_ms(day + timedelta(days=1))

    def _begin_ms(self, day: date) -> int:
        begin = datetime.combine(day, self._cutoff, tzinfo=self._zone)
        return int(begin.timestamp()) * 1000
