"""What every driver is: a loop in a thread of its own, which asks its device how it is and does what the host decided.

The host is whoever has the journal. A driver tells it a fact and goes on when all that follows is durable: only then is
a credit acknowledged to the device. Its commands lie in the inbox and are carried out before the next question.
"""

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Protocol

from msgspec import Struct

from devices.counters import Counters
from devices.link import LineSettings, Link, NoLink
from devices.note_path import Broken, Escrowed, NotePath, Report
from kiosk.amount import Money
from kiosk.ports.acceptor import CloseAcceptor, OpenAcceptor
from kiosk.ports.bill_validator import ReturnNote, StackNote, TellNote
from kiosk.ports.fault import Fault
from kiosk.ports.message import Command, Fact

TABLE_MAX = 64  # lines of a denomination table that are believed


class HostStopped(Exception):  # noqa: N818 - a state that the host is in
    """Nothing more can be made durable: the device is to be brought to rest and left alone."""


class DeviceGone(Exception):  # noqa: N818 - a state that the device is in
    """It cannot be worked with as it is; the driver begins anew after a while."""

    def __init__(self, fault: Fault, detail: str = "", vendor_code: str = "") -> None:
        super().__init__(fault, detail)
        self.fault = fault
        self.detail = detail
        self.vendor_code = vendor_code


class Host(Protocol):
    """Who has the journal."""

    def tell(self, fact: Fact) -> None:
        """Return once all that follows from it is durable and in the inboxes; or raise HostStopped."""
        ...


class Inbox:
    """Commands on their way to a driver."""

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self._arrived = threading.Condition()

    def put(self, command: Command) -> None:
        """Leave a command; the driver's wait ends."""
        with self._arrived:
            self._commands.append(command)
            self._arrived.notify_all()

    def wake(self) -> None:
        """End a wait that is going on."""
        with self._arrived:
            self._arrived.notify_all()

    def take(self) -> Command | None:
        """The oldest one, if there is any."""
        with self._arrived:
            return self._commands.popleft() if self._commands else None

    def wait(self, seconds: float) -> None:
        """Wait that long, or until a command arrives or somebody wakes us."""
        with self._arrived:
            if not self._commands:
                self._arrived.wait(seconds)


class Denomination(Struct, frozen=True):
    """One line of the device's own table: under which number it takes what."""

    channel: int
    amount: Money


class Identity(Struct, frozen=True):
    """What the device says of itself."""

    model: str
    firmware: str = ""
    serial: str = ""
    denominations: tuple[Denomination, ...] = ()

    def amount(self, channel: int) -> Money | None:
        """What that channel is worth, if the table says so."""
        return next((line.amount for line in self.denominations if line.channel == channel), None)

    def channels(self, accept: tuple[Money, ...]) -> frozenset[int]:
        """The channels of these denominations."""
        return frozenset(line.channel for line in self.denominations if line.amount in accept)


class Setting(Struct, frozen=True):
    """What a driver is given besides its line."""

    name: str  # by which the journal and the configuration know the device
    currency: str
    serial: str = ""  # of the device that the journal knows under this name
    position: int = 0  # of the last event that the journal knows of it
    address: int = 0  # 0: the protocol's usual one
    key: str = ""  # of its encryption, in hexadecimal
    options: frozenset[str] = frozenset()  # what is particular about this model or this line
    at_rest: bool = False  # the journal knows it closed, with nothing on its way into it


class Driver(ABC):
    """One device, as the thread that owns its line sees it. What it knows of a note outlives the line."""

    line: ClassVar[LineSettings]
    poll_interval_s: ClassVar[float] = 0.2

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        self.host = host
        self.inbox = inbox
        self.setting = setting
        self.clock = clock
        self.counters = Counters()
        self.identity = Identity("")
        self.link: Link = NoLink()

    def begin(self, link: Link) -> None:
        """Begin over this line: find out who is there and bring it to rest, or raise LinkLost or DeviceGone."""
        self.link = link
        self.identity = Identity("")
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Make the first contact."""

    @abstractmethod
    def turn(self) -> None:
        """Carry out what the host decided, and ask once how the device is."""

    @abstractmethod
    def lost(self, fault: Fault, vendor_code: str = "") -> None:
        """Tell the host that the line or the device is gone for now."""

    @abstractmethod
    def rest(self) -> None:
        """Let it take nothing more; the host has stopped."""

    def check_table(self, denominations: tuple[Denomination, ...]) -> None:
        """A table that is not in our currency, or of nothing, is a device that was set up for somebody else."""
        if not denominations:
            raise DeviceGone(Fault.NO_DENOMINATIONS)
        foreign = {line.amount.currency for line in denominations} - {self.setting.currency}
        if foreign:
            raise DeviceGone(Fault.FOREIGN_CURRENCY, ", ".join(sorted(foreign)))


class BillDriver(Driver):
    """What all bill validators have in common, whatever they speak: one path with at most one note in it."""

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self.path = NotePath(setting.name, setting.position, self.counters)

    def turn(self) -> None:
        """As promised by Driver."""
        self.obey()
        self.poll()
        self.obey()  # what the host decided on this very report need not wait for the next one

    def obey(self) -> None:
        """Carry out all that lies in the inbox."""
        while (command := self.inbox.take()) is not None:
            match command:
                case OpenAcceptor():
                    self.path.opening()
                    self.enable(self.identity.channels(command.denominations))
                case CloseAcceptor():
                    self.enable(frozenset())
                    self.path.closing()
                case StackNote() if self.path.in_escrow(command.position):
                    self.path.decided("stacking")
                    self.stack()
                case ReturnNote() if self.path.in_escrow(command.position):
                    self.path.decided("returning")
                    self.give_back()
                case TellNote():
                    for fact in self.path.asked(command):
                        self.host.tell(fact)
                case _:
                    pass  # a decision on a note that is not there any more

    def take(self, report: Report) -> None:
        """Tell the host what is new in a report; afterwards it may be acknowledged."""
        for fact in self.path.take(report):
            self.host.tell(fact)
        if isinstance(report, Escrowed):
            self.decide_again()

    def decide_again(self) -> None:
        """It still lies in escrow: what was decided on it has not been heard."""
        match self.path.decision:
            case "stacking":
                self.stack()
            case "returning":
                self.give_back()
            case _:
                pass

    def lost(self, fault: Fault, vendor_code: str = "") -> None:
        """As promised by Driver."""
        self.path.interrupted()
        self.take(Broken(fault, vendor_code))

    def rest(self) -> None:
        """As promised by Driver."""
        self.enable(frozenset())

    @abstractmethod
    def poll(self) -> None:
        """Ask once how it is, `take` what it says, and acknowledge it."""

    @abstractmethod
    def enable(self, channels: frozenset[int]) -> None:
        """Take these and nothing else; none of them: take nothing."""

    @abstractmethod
    def stack(self) -> None:
        """Put the note in escrow into the box."""

    @abstractmethod
    def give_back(self) -> None:
        """Return the note in escrow."""
