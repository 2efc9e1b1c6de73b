"""The simulated machine: every configured device on its line, the power of all of them, and one log."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from devices.bench.log import Log
from devices.bench.plug import PortInUse
from devices.bench.station import Place, RefusedError, State, Station


class Picture(Struct, frozen=True):
    """The whole machine, as whoever looks at the bench sees it."""

    terminal: str
    currency: str
    devices: list[State]


class Machine:
    """All devices of one kiosk, in the time of one event loop."""

    def __init__(
        self, terminal: str, currency: str, places: Mapping[str, Place], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._terminal = terminal
        self._currency = currency
        self.log = Log()
        self.stations = {name: Station(name, place, self.log, loop) for name, place in places.items()}

    def station(self, name: str) -> Station:
        """The device of that name."""
        try:
            return self.stations[name]
        except KeyError:
            known = ", ".join(self.stations)
            problem = f"there is no device {name}"
            raise RefusedError(problem, f"use one of: {known}") from None

    def begin(self) -> None:
        """Plug everything in and give it power; nothing is left plugged in if that fails."""
        for station in self.stations.values():
            path = Path(station.plug.path)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                station.plug.plug_in()
            except PortInUse:
                self.close()
                problem = f"{path} is there already: another bench has it, or it is not a simulated line"
                remedy = f"end the other bench, or write another port under [devices.{station.name}]"
                raise RefusedError(problem, remedy) from None
            except OSError as error:
                self.close()
                problem = f"the line {path} cannot be made: {error.strerror}"
                raise RefusedError(problem, f"write another port under [devices.{station.name}]") from error
        self.log.say("", "hand", "everything is plugged in and has power")

    def set_powered(self, *, powered: bool) -> None:
        """Give the whole machine power, or cut it."""
        for station in self.stations.values():
            station.set_powered(powered=powered)

    def picture(self) -> Picture:
        """How everything is now."""
        return Picture(self._terminal, self._currency, [station.state() for station in self.stations.values()])

    def close(self) -> None:
        """Pull every cable."""
        for station in self.stations.values():
            station.plug.close()
