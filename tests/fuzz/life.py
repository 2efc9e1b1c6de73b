"""One life: a driver, its simulated device, a host, and a line in bad weather that clears up at last."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from inspect import signature
from random import Random
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from devices.driver import DeviceGone, Driver, HostStopped, Setting
from devices.link import LinkLost
from devices.registry import PROTOCOLS
from devices.simulator import BillSimulator, CoinSimulator, Simulator
from kiosk.ports.fault import Fault
from tests.devices.rig import Patience
from tests.fuzz.host import DEVICE, LotteryHost
from tests.fuzz.line import CALM, FuzzedLine, Weather
from tests.fuzz.people import people_before
from tests.fuzz.witness import Witness

TURNS_MAX = 250  # in bad weather
FRAMES_MAX = 400  # likewise: where each question is asked twenty times, turns are long
CALM_TURNS_MAX = 2_000  # until everything has come to rest
PAUSE_MS = 500  # before a lost device is sought again
WEATHERS = (
    Weather(harmed=0.1, in_pieces=0.1),
    Weather(harmed=0.3, lost=0.02, in_pieces=0.1),
    Weather(harmed=0.15, noise=0.15, in_pieces=0.1, interference=0.05),
    Weather(harmed=0.5, interference=0.1),
    Weather(noise=0.9, interference=0.5),
    Weather(harmed=0.2, lost=0.1, unplugged=0.002),
    Weather(harmed=0.1, misheard=0.2, lost=0.02, in_pieces=0.1),
    Weather(misheard=0.5, interference=0.1),
)


class Finding(Struct, frozen=True):
    """Something that must not happen, and how to see it again."""

    protocol: str
    seed: int
    what: str

    def __str__(self) -> str:
        return f"{self.what}\n  again: python -m tests.fuzz --protocol {self.protocol} --seed {self.seed} --frames 1"


class Life:
    """From the first contact to rest."""

    def __init__(self, protocol: str, seed: int) -> None:
        self.protocol, self.seed = protocol, seed
        self.random = Random(f"{protocol} {seed}")
        self._driver = PROTOCOLS[protocol].driver()
        simulator = PROTOCOLS[protocol].simulator()
        make = cast("Callable[..., BillSimulator | CoinSimulator]", simulator)
        self.simulator = make(**self._entropy(simulator))
        self.people = people_before(self.simulator, self.random)
        self.checked = self.simulator.has_checksum
        self.repeats = not getattr(self.simulator, "says_once", False)
        self.witness = Witness(protocol)
        self.line = FuzzedLine(self.simulator, self.random, self.witness)
        self.host = LotteryHost(self.random, self.people.taken, self.judging, strict=self.checked)
        self.lost = 0  # times that the line or the device was
        self.begin_anew()
        weather = self.random.choice(WEATHERS)  # whom nothing protects, that device does what it understands
        self.line.weather = weather if self.checked else replace(weather, misheard=0)

    def _entropy(self, of: type[Driver | Simulator]) -> dict[str, object]:
        """Whoever wants randomness of his own gets it from the seed."""
        return {"entropy": self.random.randbytes} if "entropy" in signature(of).parameters else {}

    def judging(self) -> bool:
        """Not once the driver has heard what nobody has said, if it can know that at all."""
        return not (self.checked and self.witness.forged)

    def begin_anew(self) -> None:
        """The host starts again, and with it the driver."""
        self.host.inbox = Patience(self.line)
        options = getattr(self.simulator, "options", frozenset[str]())
        host = self.host
        setting = Setting(DEVICE, "CNY", host.serial, host.last, options=options, at_rest=host.at_rest)
        make = self._driver
        self.driver = make(self.host, self.host.inbox, setting, lambda: self.line.now_ms / 1000, **self._entropy(make))
        self._begun = False
        for command in self.host.open_notes():
            self.host.inbox.put(command)

    # Turn by turn ----------------------------------------------------------------------------------------------------

    def live(self) -> Finding | None:
        """All of it; the first thing that must not happen."""
        try:
            with self.witness.watching():
                for _ in range(TURNS_MAX):
                    self.people.do_something()
                    self._turn()
                    if self.line.fuzzed >= FRAMES_MAX or not self.judging():
                        break
                self._come_to_rest()
        except Exception as error:  # noqa: BLE001 - whatever else comes out of a driver is what we are looking for
            lines = traceback.format_exception(error)
            return Finding(self.protocol, self.seed, f"{lines[-1].strip()}\n{''.join(lines[-4:-1])}".rstrip())
        return None

    def _turn(self) -> None:
        self.line.begin_turn()
        try:
            if not self._begun:
                self.driver.begin(self.line)
                self._begun = True
            self.driver.turn()
            self.host.inbox.wait(self.driver.poll_interval_s)
        except (LinkLost, DeviceGone) as gone:
            self._lose(gone.fault, getattr(gone, "vendor_code", ""))
        except HostStopped:
            self._stop()

    def _lose(self, fault: Fault, vendor_code: str) -> None:
        self.lost += 1
        self._begun = False
        try:
            self.driver.lost(fault, vendor_code)
        except HostStopped:
            self._stop()
        self.line.wait_until(self.line.now_ms + PAUSE_MS)

    def _stop(self) -> None:
        """As the supervisor does it: the device is brought to rest, if it can be."""
        with suppress(LinkLost, DeviceGone, HostStopped):
            self.driver.rest()
        self.line.wait_until(self.line.now_ms + PAUSE_MS)
        self.begin_anew()

    # Rest ------------------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """The weather clears up, and everything is told that there is to tell."""
        self.line.weather = CALM
        self.host.close()
        for _ in range(CALM_TURNS_MAX):
            self.people.put_right()
            at_rest = self.people.at_rest()
            self._turn()  # the driver has asked once more since
            if at_rest and self._begun and self.driver.identity.model and not self.host.open_notes():
                break
        else:
            msg = f"no rest: identified as {self.driver.identity.model!r}, {self.host.open_notes()}, {self.host.told}"
            raise AssertionError(msg)
        if not self.judging() or not self.checked:
            return
        self.host.check_credits("the end")
        if self.repeats:
            self.host.check_box()
