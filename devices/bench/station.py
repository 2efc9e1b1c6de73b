"""One simulated device of the bench: what a hand can do to it, and how it is."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from devices.bench.line_faults import LineFaults
from devices.bench.log import Log, Who
from devices.bench.plug import Plug
from devices.coin_mechanism import CoinMechanism
from devices.mechanism import Mechanism, Phase
from devices.registry import PROTOCOLS
from devices.simulator import BillSimulator, CoinSimulator
from devices.words import Words
from kiosk.amount import Money, plain
from kiosk.ports.fault import Fault

HOST_AWAY_MS = 3_000  # a device that nobody has spoken to for so long has no host
BOX_FAULTS = frozenset({Fault.BOX_REMOVED})  # which are set and cleared by moving the box

CUTS = {Phase.ACCEPTING, Phase.ESCROW, Phase.STACKING, Phase.RETURNING}  # in which the power can be cut
PHASES = {
    Phase.OFF: "without power",
    Phase.START: "has just got power",
    Phase.INITIALISING: "starts up",
    Phase.IDLE: "waits",
    Phase.ACCEPTING: "draws it in",
    Phase.ESCROW: "holds it, and waits for a decision",
    Phase.STACKING: "moves it into the box",
    Phase.STACKED: "has it in the box",
    Phase.RETURNING: "gives it back",
    Phase.RETURNED: "has given it back",
    Phase.REJECTING: "rejects it",
}


class Place(Struct, frozen=True):
    """What a device speaks, and where its line is to be."""

    protocol: str
    port: str
    key: str = ""  # of its encryption; nothing: the default


class RefusedError(Exception):
    """What was asked for cannot be done now: why, and what helps."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class Cash(Struct, frozen=True):
    """Notes or coins in one place."""

    count: int
    sum: str  # in whole units, as a plain number
    pieces: list[str]  # the latest of them


class State(Struct, frozen=True):
    """How the device is, for whoever looks at the bench."""

    name: str
    protocol: str
    title: str
    kind: str  # "notes" or "coins"
    port: str
    plugged: bool
    powered: bool
    host: bool  # does anybody speak to it?
    phase: str
    says: str  # the same in words
    pieces: list[str]  # that there are to be inserted
    accepted: list[str]  # that it takes now
    in_path: str  # what is in its path, if anything is
    box: Cash
    removed: Cash  # in boxes that were taken out
    hand: Cash  # what came out again
    faults: list[Fault]  # that are there now
    next_faults: list[Fault]  # that wait for the next piece
    possible: list[Fault]  # that its protocol has a word for
    cut_in: Phase | None  # the phase in which its power will be cut
    box_in: bool | None  # None: its box cannot be taken out
    line: LineFaults = field(default_factory=LineFaults)


class Station:
    """One device with its plug, its hand-made faults and its voice in the log."""

    def __init__(self, name: str, place: Place, log: Log, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.protocol = place.protocol
        self._log = log
        self._loop = loop
        self._words: Words = PROTOCOLS[place.protocol].words()
        self._simulator = _made(place)
        self.machine: Mechanism | CoinMechanism = self._simulator.mechanism
        self._heard_s: float | None = None  # when somebody spoke to it
        self._removed: list[Money] = []
        self.plug = Plug(self._simulator, Path(place.port), loop, self._overhear)

    # What a hand does ------------------------------------------------------------------------------------------------

    def insert(self, amount: str) -> bool:
        """Push a note or a coin in; False: as things stand, it comes out again, or is not drawn in."""
        piece = self._piece(amount)
        drawn = bool(self._do(lambda: self.machine.insert(piece)))
        ending = "" if drawn else ": it is not taken"
        self._say(f"{amount} is inserted{ending}")
        return drawn

    def withdraw(self) -> bool:
        """Pull a note back while it is drawn in."""
        machine = self._validator("only a note can be pulled back")
        pulled = bool(self._do(machine.withdraw))
        self._say("the note is pulled back" if pulled else "nothing is within reach to be pulled back")
        return pulled

    def take_back(self) -> list[str]:
        """Take out of the tray what came back."""
        taken, self.machine.hand[:] = [plain(piece) for piece in self.machine.hand], []
        self._say(f"taken out of the tray: {' '.join(taken)}" if taken else "the tray is empty")
        return taken

    def set_fault(self, fault: Fault, *, at_next: bool) -> None:
        """Let it be broken now, or by the next piece."""
        if fault not in self.possible():
            known = ", ".join(sorted(self.possible()))
            problem = f"{self.protocol} has no word for the fault {fault}"
            raise RefusedError(problem, f"use one of: {known}")
        if fault in BOX_FAULTS:
            self.remove_box()
        elif at_next:
            self._do(lambda: self.machine.next_faults.append(fault))
            self._say(f"fault for the next one: {fault}")
        else:
            self._do(lambda: self.machine.faults.add(fault))
            self._say(f"fault: {fault}")

    def clear_fault(self, fault: Fault) -> None:
        """See to it; what does not exist is already seen to."""
        if fault in BOX_FAULTS:
            self.insert_box()
            return
        self.machine.next_faults[:] = [other for other in self.machine.next_faults if other is not fault]
        self._do(lambda: self.machine.clear(fault))
        self._say(f"seen to: {fault}")

    def clear_faults(self) -> None:
        """See to all of them."""
        for fault in {*self.state().faults, *self.machine.next_faults}:
            self.clear_fault(fault)

    def remove_box(self) -> None:
        """Take the box out, with what is in it."""
        machine = self._validator("its box cannot be taken out")
        if machine.box_in:
            self._do(lambda: self._removed.extend(machine.remove_box()))
            self._say("the box is taken out")

    def insert_box(self) -> None:
        """Put an empty box in."""
        machine = self._validator("its box cannot be taken out")
        if not machine.box_in:
            self._do(machine.insert_box)
            self._say("an empty box is put in")

    def set_line(self, faults: LineFaults) -> None:
        """Let its line be that bad."""
        self.plug.faults = faults
        bad = faults != LineFaults()
        said = f"lost {faults.dropped:.0%}, corrupted {faults.corrupted:.0%}, repeated {faults.repeated:.0%}"
        self._say(f"the line is bad: {said}, {faults.delayed_ms} ms late" if bad else "the line is good")

    def set_plugged(self, *, plugged: bool) -> None:
        """Put the cable in, or pull it."""
        if plugged != self.plug.plugged:
            self.plug.plug_in() if plugged else self.plug.unplug()
            self._words = PROTOCOLS[self.protocol].words()
            self._say("plugged in" if plugged else "unplugged")

    def set_powered(self, *, powered: bool) -> None:
        """Give it power, or cut it."""
        if powered != self.powered:
            self._do(self.machine.power_on if powered else self.machine.power_off)
            self._say("the power is on" if powered else "the power is cut")

    def cut_power_in(self, phase: Phase) -> None:
        """Cut its power in the middle of that phase, the next time that it comes to it."""
        machine = self._validator("a coin acceptor has no such phases")
        if phase not in CUTS:
            problem = f"nothing moves in the phase {phase}"
            raise RefusedError(problem, f"use one of: {', '.join(sorted(CUTS))}")
        machine.cut_in = phase
        self._say(f"the power will be cut in the phase {phase}")

    # How it is -------------------------------------------------------------------------------------------------------

    @property
    def powered(self) -> bool:
        """Has it power?"""
        return self.machine.phase is not Phase.OFF

    def possible(self) -> frozenset[Fault]:
        """The faults that its protocol has a word for; a box can be taken out of every validator."""
        return self._simulator.faults | (BOX_FAULTS if isinstance(self.machine, Mechanism) else frozenset[Fault]())

    def state(self) -> State:
        """All of it, as it is now."""
        machine = self.machine
        broken = [fault for fault in BOX_FAULTS if isinstance(machine, Mechanism) and not machine.box_in]
        return State(
            name=self.name,
            protocol=self.protocol,
            title=PROTOCOLS[self.protocol].title,
            kind=PROTOCOLS[self.protocol].takes,
            port=str(self.plug.path),
            plugged=self.plug.plugged,
            powered=self.powered,
            host=self._has_host(),
            phase=machine.phase,
            says=PHASES[machine.phase],
            pieces=_written(sorted(set(self._simulator.takes))),
            accepted=_written(sorted(machine.accepted)),
            in_path=_in_path(machine),
            box=_cash(machine.box),
            removed=_cash(self._removed),
            hand=_cash(machine.hand),
            faults=sorted([*machine.faults, *broken]),
            next_faults=list(machine.next_faults),
            possible=sorted(self.possible()),
            cut_in=machine.cut_in if isinstance(machine, Mechanism) else None,
            box_in=machine.box_in if isinstance(machine, Mechanism) else None,
            line=replace(self.plug.faults),
        )

    def _has_host(self) -> bool:
        return self._heard_s is not None and (self._loop.time() - self._heard_s) * 1000 < HOST_AWAY_MS

    # ------------------------------------------------------------------------------------------------------------------

    def _do(self, deed: Callable[[], object]) -> object:
        """Do something to it at this moment, and let it go on."""
        self._simulator.pass_time(self.plug.now_ms())
        done = deed()
        self.plug.live()
        return done

    def _piece(self, amount: str) -> Money:
        for piece in self._simulator.takes:
            if plain(piece) == amount:
                return piece
        known = ", ".join(_written(sorted(set(self._simulator.takes))))
        problem = f"{self.name} knows no {PROTOCOLS[self.protocol].takes} of {amount}"
        raise RefusedError(problem, f"use one of: {known}")

    def _validator(self, why_not: str) -> Mechanism:
        if isinstance(self.machine, Mechanism):
            return self.machine
        problem = f"{self.name} takes coins"
        raise RefusedError(problem, why_not)

    def _overhear(self, from_host: bool, data: bytes) -> None:  # noqa: FBT001 - the direction, as the plug tells it
        if from_host:
            self._heard_s = self._loop.time()
        for said in self._words.hear(from_host, data):
            if not said.routine:
                self._log.say(self.name, "host" if said.from_host else "device", said.text)

    def _say(self, says: str) -> None:
        self._log.say(self.name, _HAND, says)


_HAND: Who = "hand"
SHOWN = 12  # pieces of a pile


def _made(place: Place) -> BillSimulator | CoinSimulator:
    protocol = PROTOCOLS[place.protocol]
    make = cast("Callable[..., BillSimulator | CoinSimulator]", protocol.simulator())
    return make(key=place.key) if protocol.encrypted and place.key else make()


def _written(pieces: list[Money]) -> list[str]:
    return [plain(piece) for piece in pieces]


def _cash(pieces: list[Money]) -> Cash:
    total = plain(Money(sum(piece.minor for piece in pieces), pieces[0].currency)) if pieces else "0"
    return Cash(len(pieces), total, _written(pieces[-SHOWN:]))


def _in_path(machine: Mechanism | CoinMechanism) -> str:
    if isinstance(machine, CoinMechanism) or machine.note is None or machine.phase is Phase.IDLE:
        return ""
    return plain(machine.note)
