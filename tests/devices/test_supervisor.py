"""A device on a real line, looked after in its own thread, before a core in its own: unplugged, plugged in, killed."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.bench.plug import Plug
from devices.counters import JUDGED_FROM
from devices.driver import HostStopped, Inbox, Setting
from devices.link import open_link
from devices.mechanism import Mechanism, Timings
from devices.registry import PROTOCOLS
from devices.simulator import BillSimulator
from devices.supervisor import State, Supervisor
from kiosk.core_thread import CoreThread
from kiosk.flow.facts import CashChosen, SaleOpened
from kiosk.ports.fault import Fault
from kiosk.ports.message import Command
from tests.devices.peripherals import PATIENCE_S, Peripherals
from tests.kiosk.flow.stage import TERMS, Stage, yuan

QUICK = Timings(accept_ms=20, stack_ms=20, return_ms=20, reject_ms=20, initialise_ms=20)


class Machine:
    """One CCNET validator, its supervisor and a core."""

    def __init__(self, folder: Path) -> None:
        self.peripherals = Peripherals()
        simulator = PROTOCOLS["ccnet"].simulator()()
        assert isinstance(simulator, BillSimulator)
        simulator.mechanism = self.mechanism = Mechanism(QUICK)
        self.plug = Plug(simulator, folder / "bill", self.peripherals.loop)
        self.peripherals.do(self.plug.plug_in)
        self.stage = Stage()
        self.inbox = Inbox()
        self.core = CoreThread(self.stage.core, self._obey, lambda: int(time.time() * 1000), HostStopped)
        driver = PROTOCOLS["ccnet"].driver()
        self.supervisor = Supervisor(
            lambda host: driver(host, self.inbox, Setting("bill", "CNY"), time.monotonic),
            lambda: open_link(str(folder / "bill"), driver.line),
            self.core,
            time.monotonic,
        )
        self.supervisor.start()

    def _obey(self, command: Command) -> None:
        if getattr(command, "device", "") == "bill":
            self.inbox.put(command)

    def close(self) -> None:
        """End all threads."""
        self.supervisor.stop()
        self.core.stop()
        self.peripherals.do(self.plug.close)
        self.peripherals.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine that is ready."""
    machine = Machine(tmp_path)
    try:
        wait_for(lambda: machine.supervisor.condition.state is State.READY)
        yield machine
    finally:
        machine.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """Come back as soon as that is so."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        threading.Event().wait(0.005)


def state_is(machine: Machine, state: State, fault: Fault | None = None) -> Callable[[], bool]:
    return lambda: (machine.supervisor.condition.state, machine.supervisor.condition.fault) == (state, fault)


def test_a_note_becomes_money_over_a_real_line(machine: Machine) -> None:
    machine.core.tell(SaleOpened("visit", TERMS))
    sale = machine.core.look(lambda core: core.find("sale", "visit"))
    assert sale is not None
    machine.core.tell(CashChosen(sale.number, ("bill",)))
    wait_for(lambda: bool(machine.peripherals.do(lambda: machine.mechanism.insert(yuan(50)))))
    machine.peripherals.do(machine.plug.live)
    wait_for(lambda: machine.core.look(lambda core: core.journal.balance("cashbox:bill#1")) == -5000)
    wait_for(lambda: machine.mechanism.box == [yuan(50)])


def test_unplugged_it_is_gone_and_plugged_in_it_is_ready_again(machine: Machine) -> None:
    for _ in range(3):
        machine.peripherals.do(machine.plug.unplug)
        wait_for(lambda: machine.supervisor.condition.state is State.GONE)
        machine.peripherals.do(machine.plug.plug_in)
        wait_for(state_is(machine, State.READY))
    assert machine.supervisor.driver.counters.losses == 3


def test_a_device_that_is_lost_again_and_again_works_with_a_warning(machine: Machine) -> None:
    for _ in range(4):
        machine.peripherals.do(machine.plug.unplug)
        wait_for(lambda: machine.supervisor.condition.state is State.GONE)
        machine.peripherals.do(machine.plug.plug_in)
        wait_for(lambda: machine.supervisor.condition.state in {State.READY, State.DEGRADED})
    assert state_is(machine, State.DEGRADED, Fault.UNPLUGGED)()


def test_a_silent_device_is_gone(machine: Machine) -> None:
    machine.peripherals.do(machine.mechanism.power_off)
    wait_for(state_is(machine, State.GONE, Fault.SILENT))
    machine.peripherals.do(machine.mechanism.power_on)
    wait_for(state_is(machine, State.READY))


def test_a_jam_is_a_failure_with_its_vendor_code(machine: Machine) -> None:
    machine.peripherals.do(lambda: machine.mechanism.faults.add(Fault.JAM))
    wait_for(state_is(machine, State.FAILED, Fault.JAM))
    assert machine.supervisor.condition.vendor_code == "43"


def test_a_host_that_stops_brings_the_device_to_rest(machine: Machine) -> None:
    machine.core.tell(SaleOpened("visit", TERMS))
    sale = machine.core.look(lambda core: core.find("sale", "visit"))
    assert sale is not None
    machine.core.tell(CashChosen(sale.number, ("bill",)))
    wait_for(lambda: bool(machine.mechanism.accepted))
    machine.stage.journal.broken = "the disk failed"
    with pytest.raises(HostStopped):
        machine.core.tell(SaleOpened("another", TERMS))
    wait_for(lambda: not machine.mechanism.accepted)


def test_a_validator_that_gives_back_too_much_works_with_a_warning(machine: Machine) -> None:
    wait_for(state_is(machine, State.READY))
    for _ in range(JUDGED_FROM):
        machine.supervisor.driver.counters.refused("dirt")
    assert state_is(machine, State.DEGRADED, Fault.REJECTS_MANY)()
