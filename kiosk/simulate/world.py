"""One terminal and all that stands around it: what kills the host, what the host asks of whom, and what it is told."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from kiosk.amount import Money
from kiosk.flow.acceptor import Acceptor
from kiosk.flow.core import Core
from kiosk.flow.order import Order
from kiosk.flow.recover import recover
from kiosk.flow.refund import Refund
from kiosk.money.codes import CodeBook
from kiosk.money.journal import Journal
from kiosk.money.step import Step
from kiosk.ports.acceptor import CloseAcceptor, OpenAcceptor
from kiosk.ports.alarm import RaiseAlarm
from kiosk.ports.bill_validator import ReturnNote, StackNote, TellNote
from kiosk.ports.card_terminal import AbortCard, AskCard, AuthoriseCard
from kiosk.ports.carrier import AskTopUp, SendTopUp
from kiosk.ports.message import Command, Fact
from kiosk.ports.qr_rail import AskOrder, CloseOrder, MakeOrder
from kiosk.ports.refunds import AskRefund, SendRefund
from kiosk.ports.slip import PrintSlip
from kiosk.simulate.agenda import MINUTE, SECOND, Agenda
from kiosk.simulate.coins import CoinAcceptor
from kiosk.simulate.device import Device
from kiosk.simulate.judge import Judge
from kiosk.simulate.luck import Luck
from kiosk.simulate.networks import Network
from kiosk.simulate.rails import Rail, Refunds, Terminal
from kiosk.simulate.validator import Validator

POCKET_MAX = 40  # slips that customers keep to come back with


class Store(Protocol):
    """Where the terminal's journal is, across the deaths of its host."""

    def reopen(self, watch: Callable[[Step], None]) -> Journal:
        """Open it as a starting host does."""
        ...


class World:
    """Everything around one terminal."""

    def __init__(self, store: Store, luck: Luck, codes: CodeBook, start_ms: int, currency: str) -> None:
        self.luck = luck
        self.faults = luck.faults
        self.currency = currency
        self.codes = codes
        self.agenda = Agenda(start_ms)
        self.judge = Judge(self)
        self.store = store
        self.epoch = 0
        self.host_up = True
        self.steps = 0
        self.pocket: deque[int] = deque(maxlen=POCKET_MAX)
        self.bill = Validator("bill", self)
        self.coin = CoinAcceptor("coin", self)
        self.devices: dict[str, Device] = {"bill": self.bill, "coin": self.coin}
        self.rails = {"wechat": Rail("wechat", self), "khqr": Rail("khqr", self)}
        self.terminal = Terminal("front", self)
        self.refunders: dict[str, Refunds] = {
            **{f"rail:{name}": rail for name, rail in self.rails.items()},
            "terminal:front": self.terminal,
        }
        self.networks = {
            "cmcc": Network("cmcc", self, dedupes=True),
            "unicom": Network("unicom", self, dedupes=True),
            "reseller": Network("reseller", self, dedupes=False),
        }
        self.journal = store.reopen(self.judge.booked)
        self.core = Core(self.journal, codes, luck.random.randbytes)
        self._obey = self._who_obeys()
        for device in self.devices.values():
            device.link_up()

    def _who_obeys(self) -> dict[type[Command], Callable[[Any], None]]:
        devices, rails, refunders, networks = self.devices, self.rails, self.refunders, self.networks
        terminal, bill = self.terminal, self.bill
        return {
            OpenAcceptor: lambda command: devices[command.device].open_acceptor(command),
            CloseAcceptor: lambda command: devices[command.device].close_acceptor(command),
            StackNote: self._stack,
            ReturnNote: bill.return_note,
            TellNote: bill.tell_note,
            MakeOrder: lambda command: rails[command.rail].make_order(command),
            AskOrder: lambda command: rails[command.rail].ask_order(command),
            CloseOrder: lambda command: rails[command.rail].close_order(command),
            AuthoriseCard: terminal.authorise_card,
            AbortCard: terminal.abort_card,
            AskCard: terminal.ask_card,
            SendRefund: lambda command: refunders[command.provider].send_refund(command),
            AskRefund: lambda command: refunders[command.provider].ask_refund(command),
            SendTopUp: lambda command: networks[command.carrier].send_top_up(command),
            AskTopUp: lambda command: networks[command.carrier].ask_top_up(command),
            PrintSlip: self._print,
            RaiseAlarm: lambda _: None,
        }

    # The host ----------------------------------------------------------------------------------------------------

    def tell(self, fact: Fact, personal: dict[str, bytes] | None = None) -> bool:
        """Bring a fact to the host. True once it is acknowledged; the host may die on any side of that."""
        if not self.host_up:
            return False
        faults, fate = self.faults, self.luck.random.random()
        if fate < faults.host_killed_before_commit:
            self.luck.saw("host_killed_before_commit")
            self.kill()
            return False
        trusted = not self.luck.chance(faults.clock_doubtful)
        if not trusted:
            self.luck.saw("clock_doubtful")
        commands = self.core.handle(fact, self.agenda.now_ms, personal, clock_trusted=trusted)
        self.steps += 1
        self.judge.look()
        fate -= faults.host_killed_before_commit
        if fate < faults.host_killed_after_commit:
            self.luck.saw("host_killed_after_commit")
            self.kill()
            return False
        fate -= faults.host_killed_after_commit
        self._do(commands, stop_after=len(commands) // 2 if fate < faults.host_killed_between_commands else None)
        return True

    def tell_surely(self, fact: Fact) -> None:
        """What the provider's daily file says reaches the host, if not today then tomorrow."""
        if not self.tell(fact):
            self.agenda.after(MINUTE, self.tell_surely, fact)

    def _do(self, commands: list[Command], stop_after: int | None) -> None:
        for index, command in enumerate(commands):
            if index == stop_after:
                self.luck.saw("host_killed_between_commands")
                self.kill()
                return
            self._obey[type(command)](command)

    def kill(self, *, for_ms: int = 0) -> None:
        """The host dies; devices, providers and customers live on."""
        if not self.host_up:
            return
        self.host_up = False
        self.epoch += 1
        for device in self.devices.values():
            device.host_lost()
        self.agenda.after(for_ms or self._down_ms(), self.boot)

    def _down_ms(self) -> int:
        """A watchdog is quick; a whole start takes its time."""
        return self.luck.between(800, 2800) if self.luck.chance(0.4) else self.luck.between(3, 20) * SECOND

    def cut_power(self) -> None:
        """Everything in the cabinet dies at once."""
        self.luck.saw("power_cut")
        self.kill(for_ms=self.luck.between(1, 30) * MINUTE)
        for device in self.devices.values():
            device.power_cut()

    def boot(self) -> None:
        """The host starts: it opens the journal, tells every open thing, and asks the world."""
        self.journal = self.store.reopen(self.judge.booked)
        self.core = Core(self.journal, self.codes, self.luck.random.randbytes)
        self.host_up = True
        for commands in recover(self.core, self.agenda.now_ms):
            self.judge.look()
            self.steps += 1
            if self.luck.chance(self.faults.host_killed_after_commit):
                self.luck.saw("host_killed_in_recovery")
                self.kill()
                return
            self._do(commands, None)
        for device in self.devices.values():
            device.link_up()

    # What the world may ask of it --------------------------------------------------------------------------------

    def knows_note(self, device: str, position: int) -> bool:
        """Is the note in the journal?"""
        return self.journal.find("note", f"{device}/{position}") is not None

    def knows_coin(self, device: str, position: int) -> bool:
        """Is the coin in the journal?"""
        acceptor = self.core.find("acceptor", device)
        return isinstance(acceptor, Acceptor) and position <= acceptor.last

    def amount_of(self, kind: str, key: str) -> Money:
        """What an order was for."""
        order = self.core.find(kind, key)
        if not isinstance(order, Order) or order.amount is None:
            raise LookupError(key)
        return order.amount

    def refund_of(self, key: str) -> tuple[str, Money]:
        """Which payment a refund goes back to, and how much of it."""
        refund = self.core.find("refund", key)
        if not isinstance(refund, Refund) or refund.amount is None:
            raise LookupError(key)
        return refund.payment, refund.amount

    def _stack(self, command: StackNote) -> None:
        self.judge.stacking(command)
        self.bill.stack_note(command)

    def _print(self, command: PrintSlip) -> None:
        if command.slip != "sale" or self.luck.chance(0.1):
            self.pocket.append(command.claim)
