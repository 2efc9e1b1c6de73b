"""A till to measure: the core on a journal on disk, and a supervised driver for each simulated device.

The devices live in another process, on ptys. A customer stands before each of them who never goes away.
"""

import os
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import time as clock_time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devices.driver import Driver, Host, HostStopped, Inbox, Setting
from devices.link import Link, open_link
from devices.registry import PROTOCOLS
from devices.supervisor import State, Supervisor
from kiosk.amount import Money
from kiosk.core_thread import CoreThread
from kiosk.flow.core import Core
from kiosk.flow.facts import CashChosen, SaleOpened
from kiosk.flow.terms import Route, Terms
from kiosk.money.calendar import Calendar
from kiosk.money.codes import CodeBook
from kiosk.money.database import FILE_NAME, connect
from kiosk.money.journal import Journal
from kiosk.money.step import Identity
from kiosk.ports.acceptor import AcceptorFact, DeviceReady
from kiosk.ports.bill_validator import NoteFact
from kiosk.ports.carrier import SendTopUp, TopUpAccepted
from kiosk.ports.message import Command, Fact
from tests.figures.far import COIN, NOTE, Answer, Order, Seen

PATIENCE_S = 90.0  # a device that is silent is given up after half a minute at the latest
LOOK_S = 0.01
AT_WORK = {State.READY, State.DEGRADED}
NEVER_PAID = Money(100_000_00, "CNY")


class Told(Struct, frozen=True):
    """A fact that a driver told: when it did so, and when all that follows from it was durable."""

    fact: Fact
    at_s: float
    durable_s: float


class Far:
    """The process in which the devices live."""

    def __init__(self, folder: Path, protocols: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.figures.far", str(folder), *protocols],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._hear(lambda _: None)

    def do(self, order: Order, progress: Callable[[int], None] = lambda _: None) -> dict[str, Seen]:
        """Have it done, and hear what happened."""
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(msgspec.json.encode(order) + b"\n")
        pipe.flush()
        return self._hear(progress)

    def close(self) -> None:
        """Let it end."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def _hear(self, progress: Callable[[int], None]) -> dict[str, Seen]:
        pipe = self._process.stdout
        assert pipe is not None
        while line := pipe.readline():
            answer = msgspec.json.decode(line, type=Answer)
            if answer.seen is not None:
                return answer.seen
            progress(answer.progress)
        msg = "the process with the devices has ended"
        raise RuntimeError(msg)


class Till:
    """The core, the drivers and the customers. `sales_end`: each note pays a sale, not a part of an endless one."""

    def __init__(
        self, folder: Path, protocols: list[str], *, sales_end: bool = False, facts_kept: int = 100_000
    ) -> None:
        self._sales_end = sales_end
        self.told: deque[Told] = deque(maxlen=facts_kept)
        self.found: Counter[str] = Counter()  # times that each line was opened
        self.far = Far(folder, protocols)
        self.journal = Journal.create(
            connect(folder / FILE_NAME),
            Identity("figures", "figures", "bench", "CNY"),
            Calendar("Asia/Shanghai", clock_time(4)),
            os.urandom,
            at_ms=_now_ms(),
        )
        self.core = Core(self.journal, CodeBook(bytes(32), "figures"), os.urandom)
        self._thread = CoreThread(self.core, self._obey, _now_ms, HostStopped)
        self._inboxes = {protocol: Inbox() for protocol in protocols}
        self._folder = folder
        self._sales: dict[int, str] = {}  # sale and device of each customer
        self._sent: deque[SendTopUp] = deque()
        self.supervisors: dict[str, Supervisor] = {}

    def start(self) -> None:
        """Let the drivers begin."""
        for protocol in self._inboxes:
            self.supervisors[protocol] = self._supervisor(protocol)
        for supervisor in self.supervisors.values():
            supervisor.start()

    def close(self) -> None:
        """End everything."""
        for supervisor in self.supervisors.values():
            supervisor.stop()
        self._thread.stop()
        self.journal.close()
        self.far.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(self, fact: Fact) -> None:
        """As promised by Host; and the customer does what people do."""
        at_s = time.monotonic()
        self._thread.tell(fact)
        self.told.append(Told(fact, at_s, time.monotonic()))
        if isinstance(fact, DeviceReady):
            self._choose_cash(fact.device)
        while self._sent:
            self._deliver(self._sent.popleft())

    def all_are(self, states: set[State]) -> bool:
        """Is every device so?"""
        return all(supervisor.condition.state in states for supervisor in self.supervisors.values())

    def wait_until_all_are(self, states: set[State]) -> None:
        """Wait for it."""
        by_s = time.monotonic() + PATIENCE_S
        while not self.all_are(states):
            if time.monotonic() > by_s:
                raise TimeoutError({name: supervisor.condition for name, supervisor in self.supervisors.items()})
            time.sleep(LOOK_S)

    def facts(self, device: str, *kinds: type[Fact]) -> list[Told]:
        """What was told of that kind by that device."""
        return [told for told in list(self.told) if isinstance(told.fact, kinds) and _device(told.fact) == device]

    # Inside ----------------------------------------------------------------------------------------------------------

    def _supervisor(self, protocol: str) -> Supervisor:
        driver = PROTOCOLS[protocol].driver()
        setting = Setting(protocol, "CNY", options=PROTOCOLS[protocol].simulator().options)

        def make(host: Host) -> Driver:
            return driver(host, self._inboxes[protocol], setting, time.monotonic)

        def find() -> Link:
            link = open_link(str(self._folder / protocol), driver.line)
            self.found[protocol] += 1
            return link

        return Supervisor(make, find, self, time.monotonic)

    def _obey(self, command: Command) -> None:
        if isinstance(command, SendTopUp):
            self._sent.append(command)
            return
        inbox = self._inboxes.get(getattr(command, "device", ""))
        if inbox is not None:
            inbox.put(command)

    def _choose_cash(self, device: str) -> None:
        sale = next((sale for sale, owner in list(self._sales.items()) if owner == device), None)
        if sale is None:
            sale = self._open_sale(device)
        self._thread.tell(CashChosen(sale, (device,)))

    def _open_sale(self, device: str) -> int:
        name = f"sale-{self.journal.seq}-{device}"
        self._thread.tell(SaleOpened(name, self._terms(device)), {"card": b'{"number":"13812345678"}'})
        sale = self._thread.look(lambda core: core.find("sale", name))
        assert sale is not None
        self._sales[sale.number] = device
        return sale.number

    def _terms(self, device: str) -> Terms:
        piece = NOTE if PROTOCOLS[device].takes == "notes" else COIN
        price = piece if self._sales_end else NEVER_PAID
        routes = (Route("cmcc", resend_safe=True),)
        return Terms(
            face=price, price=price, cash_price=price, fee=replace(price, minor=0), routes=routes, accept=(piece,)
        )

    def _deliver(self, sent: SendTopUp) -> None:
        """The carrier has it done at once, and the next customer comes."""
        self._thread.tell(TopUpAccepted(sent.delivery, sent.face, "reference"))
        device = self._sales.pop(sent.sale, None)
        if device is not None:
            self._choose_cash(device)


@contextmanager
def till(*, sales_end: bool = False, facts_kept: int = 100_000, protocols: tuple[str, ...] = ()) -> Generator[Till]:
    """A till in a temporary folder, with every protocol of the registry; its drivers are not started yet."""
    with (
        TemporaryDirectory() as folder,
        Till(Path(folder), list(protocols or PROTOCOLS), sales_end=sales_end, facts_kept=facts_kept) as it,
    ):
        yield it


@contextmanager
def busy() -> Generator[None]:
    """Another thread reckons all the while, in Python."""
    stopping = threading.Event()

    def reckon() -> None:
        number = 0
        while not stopping.is_set():
            for _ in range(10_000):
                number = (number * 31 + 7) % 1_000_003

    thread = threading.Thread(target=reckon, name="busy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _device(fact: Fact) -> str:
    return fact.device if isinstance(fact, AcceptorFact | NoteFact) else ""


def _now_ms() -> int:
    return int(time.time() * 1000)
