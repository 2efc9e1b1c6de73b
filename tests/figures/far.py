"""The far side of the lines: simulated peripherals in a process of their own, so that their Python disturbs nobody.

A line on standard input is an order; a line on standard output is the answer. All moments are those of the clock that
both processes share.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Literal

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from devices.bench.plug import Plug
from devices.coin_mechanism import CoinMechanism, CoinTimings
from devices.mechanism import CAPACITY, Mechanism, Phase, Timings
from devices.registry import PROTOCOLS
from devices.simulator import BillSimulator, CoinSimulator, Simulator
from kiosk.amount import Money

NOTE, COIN = Money(2000, "CNY"), Money(100, "CNY")  # what is inserted
MOVE_MS, INITIALISE_MS = 50, 20
PATIENCE_S = 60.0  # for whatever has to come about
LOOK_S = 0.01  # between two looks whether it has
HASTE_S = (0.1, 0.5)  # a customer takes so long for the next note
CONTACTS_S = (0.03, 0.2, 0.6)  # so long a cable may stay in after the host has found it: first words, start, rest
WORKS_SHARE, WORKS_WITHIN_S, WORKS_S = 0.1, 8.0, 0.5  # or until it is open, and takes notes
AWAY_S = 0.2  # and so long it may be out
WHIM_S = 0.4  # between two notes while cables are pulled


class Order(Struct, frozen=True):
    """What is to be done to all devices at once."""

    what: Literal["insert", "asked", "plug", "unplug", "power_on", "power_off", "hotplug"]
    times: int = 0
    seed: int = 0


class Piece(Struct):
    """One note or coin: when the device said first that it is in escrow, was told to stack it, and said its end."""

    shown_s: float = 0
    decided_s: float = 0
    ended_s: float = 0


class Seen(Struct):
    """What happened at one device."""

    at_s: list[float] = field(default_factory=list[float])
    pieces: list[Piece] = field(default_factory=list[Piece])
    times: int = 0
    notes: int = 0


class Answer(Struct):
    """All of it is done, or so much of it."""

    seen: dict[str, Seen] | None = None
    progress: int = 0


async def until(condition: Callable[[], bool]) -> None:
    """Come back as soon as that is so."""
    if not await within(PATIENCE_S, condition):
        raise TimeoutError


async def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Come back as soon as that is so, or the time is up; is it so?"""
    by_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > by_s:
            return False
        await asyncio.sleep(LOOK_S)
    return True


class Overheard(Simulator):
    """A simulator of which the moments are written down.

    Which answer tells of a note is not looked at: it is the first that leaves while the note is there. So what is
    measured from it is too long rather than too short.
    """

    def __init__(self, simulator: BillSimulator | CoinSimulator) -> None:
        super().__init__()
        self.simulator = simulator
        self.seen = Seen()
        self._shown = False
        self._boxed = 0

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        at_s = time.monotonic()
        self.seen.at_s.append(at_s)
        self.simulator.pass_time(now_ms)
        before = self.simulator.mechanism.phase
        self.simulator.receive(data, now_ms)
        if before is Phase.ESCROW and self.simulator.mechanism.phase is Phase.STACKING and self.seen.pieces:
            self.seen.pieces[-1].decided_s = at_s

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""
        self.simulator.pass_time(now_ms)

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return self.simulator.next_ms()

    def take_sent(self) -> bytes:
        """As promised by Simulator."""
        sent = self.simulator.take_sent()
        if sent:
            self._leaves(time.monotonic())
        return sent

    def _leaves(self, at_s: float) -> None:
        machine, pieces = self.simulator.mechanism, self.seen.pieces
        if machine.phase is Phase.ESCROW and not self._shown:
            pieces.append(Piece(at_s))
        self._shown = machine.phase is Phase.ESCROW
        if len(machine.box) > self._boxed:
            if not pieces or pieces[-1].ended_s:  # a coin is never in escrow
                pieces.append(Piece())
            pieces[-1].ended_s = at_s
        self._boxed = len(machine.box)


class Peripheral:
    """One device, its cable, and whoever stands before it."""

    def __init__(self, protocol: str, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.overheard = Overheard(_quick(protocol))
        self.plug = Plug(self.overheard, path, loop)
        self.machine: Mechanism | CoinMechanism = self.overheard.simulator.mechanism
        self._piece = NOTE if PROTOCOLS[protocol].takes == "notes" else COIN

    def do(self, deed: Callable[[], object]) -> None:
        """Do something to it at this moment, and let it go on."""
        self.overheard.pass_time(self.plug.now_ms())
        deed()
        self.plug.live()

    def set_plugged(self, *, plugged: bool) -> None:
        """Put the cable in, or pull it."""
        if plugged:
            self.plug.plug_in()
        else:
            self.plug.unplug()
        self.overheard.seen.at_s.append(time.monotonic())

    def set_powered(self, *, powered: bool) -> None:
        """Give it power, or cut it."""
        self.do(self.machine.power_on if powered else self.machine.power_off)
        self.overheard.seen.at_s.append(time.monotonic())

    async def fill(self, times: int, random: Random) -> None:
        """So many pieces, one after the other, each at a moment that no clock of the host's knows."""
        boxed = len(self.machine.box) + times
        while len(self.machine.box) < boxed:
            before = len(self.machine.box)
            await until(self._waits)
            await asyncio.sleep(random.uniform(*HASTE_S))
            if self._waits():
                self.do(self._insert)
                await until(lambda before=before: len(self.machine.box) > before or self._waits())
        await until(self._waits)  # by then its end was heard

    async def be_pulled(self, times: int, random: Random, tell: Callable[[], None]) -> None:
        """Have the cable pulled so often, in mid-whatever."""
        customer = asyncio.ensure_future(self._whims(random))
        for _ in range(times):
            self.plug.unplug()
            await asyncio.sleep(random.random() * AWAY_S)
            heard = len(self.overheard.seen.at_s)
            self.plug.plug_in()
            await until(lambda heard=heard: len(self.overheard.seen.at_s) > heard)
            works = random.random() < WORKS_SHARE and await within(WORKS_WITHIN_S, self._waits)
            await asyncio.sleep(random.random() * (WORKS_S if works else random.choice(CONTACTS_S)))
            self.overheard.seen.at_s.clear()
            self.overheard.seen.pieces.clear()
            self.overheard.seen.times += 1
            tell()
        customer.cancel()

    def taken(self) -> Seen:
        """What happened since it was last asked."""
        seen, self.overheard.seen = self.overheard.seen, Seen()
        return seen

    async def _whims(self, random: Random) -> None:
        while True:
            await asyncio.sleep(random.random() * WHIM_S)
            if len(self.machine.box) > CAPACITY // 2:
                self.machine.box.clear()
            if self._waits():
                self.do(self._insert)
                self.overheard.seen.notes += 1

    def _insert(self) -> None:
        self.machine.insert(self._piece)

    def _waits(self) -> bool:
        """Is it open, with nothing on its way?"""
        machine = self.machine
        moving = isinstance(machine, CoinMechanism) and machine.moving
        return machine.phase is Phase.IDLE and self._piece in machine.accepted and not moving


def _quick(protocol: str) -> BillSimulator | CoinSimulator:
    """A simulator in which hardly anything takes its time, so that the host's time is seen."""
    make = PROTOCOLS[protocol].simulator()
    if issubclass(make, CoinSimulator):
        return make(CoinMechanism(CoinTimings(sense_ms=MOVE_MS, fall_ms=MOVE_MS, initialise_ms=INITIALISE_MS)))
    simulator = make()
    assert isinstance(simulator, BillSimulator)
    simulator.mechanism.timings = _quicker(simulator.mechanism.timings)
    return simulator


def _quicker(timings: Timings) -> Timings:
    return replace(
        timings,
        accept_ms=MOVE_MS,
        stack_ms=MOVE_MS,
        return_ms=MOVE_MS,
        reject_ms=MOVE_MS,
        initialise_ms=INITIALISE_MS,
    )


class FarSide:
    """All devices."""

    def __init__(self, folder: Path, protocols: list[str], loop: asyncio.AbstractEventLoop) -> None:
        self._devices = {protocol: Peripheral(protocol, folder / protocol, loop) for protocol in protocols}
        self._done = 0
        for device in self._devices.values():
            device.plug.plug_in()

    async def obey(self, order: Order) -> Answer:
        """Do it to all of them, and say what happened since the last order."""
        if order.what != "asked":
            for device in self._devices.values():
                device.taken()
        match order.what:
            case "plug" | "unplug":
                for device in self._devices.values():
                    device.set_plugged(plugged=order.what == "plug")
            case "power_on" | "power_off":
                for device in self._devices.values():
                    device.set_powered(powered=order.what == "power_on")
            case "insert":
                await self._each(lambda device, random: device.fill(order.times, random), order.seed)
            case "hotplug":
                self._done = 0
                await self._each(lambda device, random: device.be_pulled(order.times, random, self._tell), order.seed)
            case "asked":
                pass
        return Answer({protocol: device.taken() for protocol, device in self._devices.items()})

    def close(self) -> None:
        """Pull every cable."""
        for device in self._devices.values():
            device.plug.close()

    async def _each(self, deed: Callable[[Peripheral, Random], Coroutine[None, None, None]], seed: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for protocol, device in self._devices.items():
                tasks.create_task(deed(device, Random(f"{seed} {protocol}")))

    def _tell(self) -> None:
        self._done += 1
        if self._done % len(self._devices) == 0:
            _say(Answer(progress=self._done // len(self._devices)))


def _say(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


async def serve(folder: Path, protocols: list[str]) -> None:
    """Obey until nobody orders any more."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    far = FarSide(folder, protocols, loop)
    _say(Answer({}))
    try:
        while line := await orders.readline():
            _say(await far.obey(msgspec.json.decode(line, type=Order)))
    finally:
        far.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2:]))
