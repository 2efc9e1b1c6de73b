"""Simulated devices in a thread of their own, on real lines."""

import asyncio
import threading
from collections.abc import Callable

PATIENCE_S = 20  # how long a condition may take on a busy machine; none of them takes a second on a quiet one


class Peripherals:
    """An event loop in a thread, in which simulated devices live."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, action: Callable[[], object]) -> object:
        """Do something where the devices live, and wait until it is done."""

        async def done() -> object:
            return action()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(PATIENCE_S)

    def close(self) -> None:
        """End."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
