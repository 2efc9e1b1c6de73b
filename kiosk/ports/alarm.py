"""Alarms: something that a person has to know, with the thing that it concerns."""

from typing import Protocol

from kiosk.ports.message import Command


class RaiseAlarm(Command, frozen=True):
    """Tell the operator; the cause is a key of the texts."""

    cause: str
    thing: int


class AlarmBell(Protocol):
    """Whoever passes alarms on."""

    def raise_alarm(self, command: RaiseAlarm) -> None:
        """Pass it on."""
        ...
