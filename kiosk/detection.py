"""Which device is on a port: the known protocols are tried one after the other, until somebody answers."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from devices.driver import Setting
from devices.link import Link, open_link
from devices.registry import PROTOCOLS
from kiosk.examination import Finding, examine
from kiosk.ports.fault import Fault


class Attempt(Struct, frozen=True):
    """How one protocol is tried."""

    protocol: str
    within_s: float = 10.0  # some say who they are when they have started up; silence is known much earlier
    options: frozenset[str] = frozenset()  # without which its driver asks nothing
    nameless: bool = False  # it cannot say what it is


# ICT comes first, and nothing is tried once it has answered: single bytes are its orders, and every other protocol's
# questions hold one that tells it to take the note in escrow. SSP comes last, since it is patient for twenty seconds;
# whoever does not speak it does not speak eSSP.
ATTEMPTS: Final = (
    Attempt("ict", within_s=3.0, options=frozenset({"note1=1.00"}), nameless=True),
    Attempt("ccnet"),
    Attempt("id003"),
    Attempt("ebds"),
    Attempt("cctalk"),
    Attempt("cctalk-bills"),
    Attempt("ssp"),
)

LINE = {Fault.PORT_MISSING, Fault.NOT_SERIAL, Fault.PORT_FORBIDDEN, Fault.PORT_TAKEN, Fault.UNPLUGGED}
KNOWN_BY = {
    Fault.FOREIGN_CURRENCY,
    Fault.NO_DENOMINATIONS,
    Fault.NO_KEY,
    Fault.PAUSED,
}  # only a frame of its own says so


class Detected(Struct, frozen=True):
    """Who answers, and on which protocol; or why the port cannot be tried."""

    protocol: str = ""
    finding: Finding | None = None
    fault: Fault | None = None
    detail: str = ""
    nameless: bool = False  # it cannot say what it is and takes


def detect(port: str, currency: str, trying: Callable[[str], None], line: Callable[..., Link] = open_link) -> Detected:
    """Try them all; `trying` hears of each."""
    for attempt in ATTEMPTS:
        trying(attempt.protocol)
        driver = PROTOCOLS[attempt.protocol].driver()
        setting = Setting("detect", currency, options=attempt.options)
        finding = examine(driver, lambda settings=driver.line: line(port, settings), setting, attempt.within_s)
        if finding.fault in LINE:
            return Detected(fault=finding.fault, detail=finding.detail)
        if _answered(attempt, finding):
            return Detected(attempt.protocol, finding, nameless=attempt.nameless)
    return Detected(fault=Fault.SILENT)


def _answered(attempt: Attempt, finding: Finding) -> bool:
    """Bytes alone prove nothing: noise has them too, and another protocol at another speed."""
    if attempt.nameless:
        return finding.fault is None or finding.money_waits
    return bool(finding.identity.model) or finding.money_waits or finding.fault in KNOWN_BY
