"""A driver before a device that speaks something else: it says so, takes nothing, and comes to no harm."""

import pytest

from devices.registry import PROTOCOLS
from kiosk.ports.acceptor import BoxInserted, DeviceFailed, DeviceIdle
from kiosk.ports.fault import Fault
from tests.devices.rig import DeviceRig
from tests.kiosk.flow.stage import yuan

ALIKE = {frozenset({"ssp", "essp"})}  # which speak the same until a key is agreed upon
PAIRS = [
    (spoken, configured)
    for spoken in sorted(PROTOCOLS)
    for configured in sorted(PROTOCOLS)
    if spoken != configured and frozenset({spoken, configured}) not in ALIKE
]
NOT_THIS = {Fault.SILENT, Fault.GARBLED, Fault.WRONG_KIND, Fault.REFUSED, Fault.UNKNOWN_EVENT}


class Strangers(DeviceRig):
    """A driver of one protocol, and a device of another."""

    called = "bill"

    def __init__(self, spoken: str, configured: str) -> None:
        simulator = PROTOCOLS[spoken].simulator()()
        self.mechanism = simulator.mechanism
        options = frozenset({"note1=1.00"}) if configured == "ict" else frozenset[str]()
        super().__init__(configured, simulator, options)


@pytest.mark.parametrize(("spoken", "configured"), PAIRS)
def test_a_device_that_speaks_something_else_is_no_device(spoken: str, configured: str) -> None:
    rig = Strangers(spoken, configured)
    for _ in range(6):
        rig.mechanism.insert(yuan(10))
        rig.settle(10)
    told = [fact for fact in rig.facts if not isinstance(fact, BoxInserted | DeviceIdle)]
    assert all(isinstance(fact, DeviceFailed) for fact in told), told
    assert {Fault(fact.fault) for fact in told if isinstance(fact, DeviceFailed)} <= NOT_THIS
    if spoken != "ict":  # whose orders are single bytes, which every question of the others may hold
        assert rig.mechanism.box == []
        assert not rig.mechanism.accepted


@pytest.mark.parametrize("configured", sorted(PROTOCOLS))
def test_noise_is_no_device(configured: str) -> None:
    """A line on which somebody else's device talks all the time."""
    rig = Strangers("ccnet", configured) if configured != "ccnet" else Strangers("ebds", configured)
    rig.line.faults = rig.line.faults.__class__(corrupted=1.0)
    rig.settle(60)
    assert all(isinstance(fact, DeviceFailed) for fact in rig.facts), rig.facts
