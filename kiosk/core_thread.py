"""The core in a thread of its own: facts come from any thread and are taken one after the other.

Who tells a fact waits until all that follows from it is durable, and its commands are with whoever carries them out.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TypeVar

from kiosk.flow.core import Core, Stopped
from kiosk.flow.recover import recover
from kiosk.ports.message import Command, Fact

SWITCH_S = 0.0005  # so long a thread reckons on while others wait; one question to a device waits for several in a row

T = TypeVar("T")
Obey = Callable[[Command], None]


class CoreThread:
    """Runs the core."""

    def __init__(self, core: Core, obey: Obey, clock_ms: Callable[[], int], stopped: type[Exception]) -> None:
        self._core = core
        self._obey = obey
        self._clock_ms = clock_ms
        self._stopped = stopped  # what whoever tells a fact hears once nothing can be made durable any more
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)
        self.why_stopped = ""
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        self._thread.start()

    def recover(self) -> None:
        """Ask the world about everything that is open."""
        self._call(self._recover).result()

    def tell(self, fact: Fact, personal: Mapping[str, bytes] | None = None) -> None:
        """Return once all that follows from the fact is durable and on its way."""
        self._call(self._take, fact, personal).result()

    def look(self, at: Callable[[Core], T]) -> T:
        """What is seen in the core; nobody else may look, because a database is used by one thread at a time."""
        seen: list[T] = []
        self._call(lambda: seen.append(at(self._core))).result()
        return seen[0]

    def stop(self) -> None:
        """Take what was told before, and end."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_forever()

    def _call(self, do: Callable[..., None], *args: object) -> Future[None]:
        future: Future[None] = Future()
        self._loop.call_soon_threadsafe(self._settle, future, do, args)
        return future

    def _settle(self, future: Future[None], do: Callable[..., None], args: tuple[object, ...]) -> None:
        if self.why_stopped:
            future.set_exception(self._stopped(self.why_stopped))
            return
        try:
            do(*args)
        except Stopped as stopped:
            self.why_stopped = stopped.reason
            for command in stopped.commands:
                self._obey(command)
            future.set_exception(self._stopped(stopped.reason))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever told the fact
            future.set_exception(error)
        else:
            future.set_result(None)

    def _take(self, fact: Fact, personal: Mapping[str, bytes] | None) -> None:
        for command in self._core.handle(fact, self._clock_ms(), personal):
            self._obey(command)

    def _recover(self) -> None:
        for commands in recover(self._core, self._clock_ms()):
            for command in commands:
                self._obey(command)
