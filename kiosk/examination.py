"""A device is examined by its own driver, without a core: found out who it is and how it is, and nothing is booked.

News of money is not taken: who has no journal must not acknowledge it. The device keeps it for the terminal.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from devices.driver import DeviceGone, Driver, HostStopped, Identity, Inbox, Setting
from devices.link import Link, LinkLost
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, DeviceFailed, DeviceIdle, DeviceReady
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact

READY_WITHIN_S = 45.0  # the slowest validator needs forty seconds to initialise
SETTLED_AFTER_S = 2.0  # a fault that has not gone away by then is told


class Finding(Struct, frozen=True):
    """What was found out about one device."""

    identity: Identity
    fault: Fault | None = None
    vendor_code: str = ""
    detail: str = ""
    money_waits: bool = False  # it has something to report that only the terminal may hear


class _Listener:
    """Hears how the device is, and lets it keep what is about money."""

    def __init__(self) -> None:
        self.ready = False
        self.failed: DeviceFailed | None = None
        self.failed_at_s = 0.0

    def tell(self, fact: Fact) -> None:
        match fact:
            case DeviceReady():
                self.ready, self.failed = True, None
            case DeviceFailed():
                self._fail(fact)
            case BoxRemoved():
                self._fail(DeviceFailed(fact.device, Fault.BOX_REMOVED))
            case BoxInserted() | DeviceIdle():
                pass
            case _:
                raise HostStopped

    def _fail(self, fact: DeviceFailed) -> None:
        self.ready, self.failed, self.failed_at_s = False, fact, time.monotonic()


def examine(
    driver_class: type[Driver],
    open_link: Callable[[], Link],
    setting: Setting,
    within_s: float = READY_WITHIN_S,
) -> Finding:
    """Work with the device until it is ready, or until it is certain why it is not."""
    listener = _Listener()
    driver = driver_class(listener, Inbox(), setting, time.monotonic)
    until_s = time.monotonic() + within_s
    link: Link | None = None
    try:
        link = open_link()
        driver.begin(link)
        while not listener.ready and time.monotonic() < until_s:
            driver.turn()
            driver.inbox.wait(driver.poll_interval_s)
            if listener.failed and time.monotonic() - listener.failed_at_s > SETTLED_AFTER_S:
                break
    except (LinkLost, DeviceGone) as gone:
        return Finding(driver.identity, gone.fault, getattr(gone, "vendor_code", ""), gone.detail)
    except HostStopped:
        return Finding(driver.identity, money_waits=True)
    finally:
        if link is not None:
            link.close()
    if listener.failed:
        return Finding(driver.identity, Fault(listener.failed.fault), listener.failed.vendor_code)
    return Finding(driver.identity, None if listener.ready else Fault.REFUSED)
