"""Every device is looked after in a thread of its own: its line opened, its driver run, and begun anew when lost.

Whatever happens to one device, its thread alone deals with it. What state the device is in, anybody may ask.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from devices.driver import DeviceGone, Driver, Host, HostStopped
from devices.link import Link, LinkLost
from kiosk.ports.acceptor import BoxRemoved, DeviceFailed, DeviceReady
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact

FIRST_PAUSE_S = 0.2  # before a lost device is sought again
LONGEST_PAUSE_S = 1.0  # it is sought that often for as long as it takes; some take three seconds more to come to rest
LOSSES_MAX = 3  # within the time below: more than that, and it works, but with a warning
LOSSES_WITHIN_S = 600.0
PEACE_SHARE = 0.5  # of its poll interval, that a device has between two turns at least, however long the first one took
GONE = {Fault.PORT_MISSING, Fault.NOT_SERIAL, Fault.PORT_FORBIDDEN, Fault.PORT_TAKEN, Fault.UNPLUGGED, Fault.SILENT}

log = logging.getLogger(__name__)


class State(StrEnum):
    """How a device is."""

    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"  # it works, and its line is lost or a note rejected more often than it should be
    FAILED = "failed"  # it answers, and takes nothing
    GONE = "gone"  # it does not answer


class Condition(Struct, frozen=True):
    """The state of a device, and why. The words and the remedy for a fault stand in the texts."""

    state: State
    fault: Fault | None = None
    vendor_code: str = ""
    detail: str = ""


class Supervisor:
    """Looks after one device."""

    def __init__(
        self,
        make: Callable[[Host], Driver],
        open_link: Callable[[], Link],
        host: Host,
        clock: Callable[[], float],
    ) -> None:
        self._host = host
        self._open_link = open_link
        self._clock = clock
        self._stopping = threading.Event()
        self._losses: deque[float] = deque(maxlen=LOSSES_MAX + 1)
        self._condition = Condition(State.STARTING)
        self.driver = make(self)
        self._thread = threading.Thread(target=self._look_after, name=f"device {self.driver.setting.name}", daemon=True)

    @property
    def condition(self) -> Condition:
        """How the device is now."""
        if self._condition.state is not State.READY:
            return self._condition
        if len(self._losses) > LOSSES_MAX and self._clock() - self._losses[0] < LOSSES_WITHIN_S:
            return Condition(State.DEGRADED, Fault.UNPLUGGED)
        if self.driver.counters.rejects_many:
            return Condition(State.DEGRADED, Fault.REJECTS_MANY)
        return self._condition

    def start(self) -> None:
        """Begin; this returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Bring the device to rest and end its thread."""
        self._stopping.set()
        self.driver.inbox.wake()
        self._thread.join()

    def tell(self, fact: Fact) -> None:
        """Pass a fact on to the host, and see from it how the device is."""
        self._host.tell(fact)
        match fact:
            case DeviceReady():
                self._condition = Condition(State.READY)
            case DeviceFailed():
                fault = Fault(fact.fault)
                state = State.GONE if fault in GONE else State.FAILED
                self._condition = Condition(state, fault, fact.vendor_code, self._condition.detail)
            case BoxRemoved():
                self._condition = Condition(State.FAILED, Fault.BOX_REMOVED)
            case _:
                pass

    def _look_after(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            begun_s = self._clock()
            try:
                self._work()
            except HostStopped:
                return
            except (LinkLost, DeviceGone) as gone:
                if not self._lose(gone.fault, gone.detail, getattr(gone, "vendor_code", "")):
                    return
            except Exception as error:  # a mistake in one driver must not take the others along
                log.exception("the driver of %s failed", self.driver.setting.name)
                if not self._lose(Fault.FAILURE, f"{type(error).__name__}: {error}"):
                    return
            pause_s = FIRST_PAUSE_S if self._clock() - begun_s > LONGEST_PAUSE_S else min(2 * pause_s, LONGEST_PAUSE_S)
            self._stopping.wait(pause_s)

    def _work(self) -> None:
        """From the opening of the line to its loss, or to the end."""
        driver = self.driver
        link = self._open_link()
        try:
            driver.begin(link)
            while not self._stopping.is_set():
                self._turn()
            driver.rest()
        except HostStopped:
            driver.rest()
            raise
        finally:
            link.close()

    def _turn(self) -> None:
        """Ask it once, and wait until it is due again: an interval is counted from the beginning of the turn."""
        driver = self.driver
        begun_s = self._clock()
        driver.turn()
        left_s = begun_s + driver.poll_interval_s - self._clock()
        driver.inbox.wait(max(left_s, PEACE_SHARE * driver.poll_interval_s))

    def _lose(self, fault: Fault, detail: str, vendor_code: str = "") -> bool:
        """Tell the host; False: it has stopped."""
        if fault in GONE and self._condition.state is not State.GONE:
            self.driver.counters.losses += 1
            self._losses.append(self._clock())
        self._condition = Condition(self._condition.state, self._condition.fault, self._condition.vendor_code, detail)
        try:
            self.driver.lost(fault, vendor_code)
        except HostStopped:
            return False
        return True
