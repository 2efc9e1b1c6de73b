"""The judge knows the physical truth and a ledger of its own; after every step it compares them with the journal."""

from typing import TYPE_CHECKING

from kiosk.money import accounts
from kiosk.money.ledger import Ledger, LedgerError
from kiosk.money.step import Step
from kiosk.ports.bill_validator import StackNote
from kiosk.ports.carrier import SendTopUp
from kiosk.simulate.witness import GLANCE, Glance, Witness

if TYPE_CHECKING:
    from kiosk.simulate.world import World


class Violation(Exception):  # noqa: N818 - it is a finding
    """A law of money was broken."""


class Judge:
    """One terminal's judge."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.ledger = Ledger()
        self.witness = Witness(world.luck)
        self._changed: list[Glance] = []  # the things that the last step changed
        self._deliveries: dict[int, list[str]] = {}  # per sale the ids under which a top-up was sent

    def booked(self, step: Step) -> None:
        """A step has become durable: the judge's own ledger takes its transfers, or cries out."""
        try:
            for transfer in step.transfers:
                self.ledger.book(transfer)
        except LedgerError as error:
            raise Violation(str(error)) from error
        self._changed = [GLANCE.decode(data) for _, data in step.changes]
        self.witness.booked(step, self._changed)

    def look(self) -> None:
        """Compare after one step."""
        balances, reserved = self.ledger.balances, self.ledger.reserved
        for device in self.world.devices.values():
            escrow = balances.get(f"escrow:{device.name}")
            if escrow:
                self._cry(f"{escrow} stays in escrow:{device.name}")
            cash = accounts.cashbox(device.name, device.box)
            booked = -balances.get(cash, 0)
            there = device.boxes[device.box]
            if booked > there:
                self._cry(f"{cash} is booked with {booked}, but only {there} is in it")
            doubt = -balances.get(accounts.doubt(device.name, device.box), 0)
            known = booked + reserved.get(cash, 0) + doubt + device.queued[device.box] + device.forgotten[device.box]
            if there > known:
                self._cry(f"{there} is in {cash}, but only {known} is known to anybody")
        for thing in self._changed:
            self._look_at(thing)
        self._changed = []

    def _look_at(self, thing: Glance) -> None:
        balances, reserved = self.ledger.balances, self.ledger.reserved
        if thing.kind == "claim":
            worth = balances.get(accounts.owed(thing.number), 0) + balances.get(accounts.unclaimed(thing.number), 0)
            balance = thing.balance.minor if thing.balance else 0
            if worth != balance:
                self._cry(f"claim {thing.number} says {balance}, the ledger {worth}")
        elif thing.kind == "sale" and not thing.open:
            payer = accounts.payer(thing.number)
            if balances.get(payer, 0) != reserved.get(payer, 0):
                self._cry(f"sale {thing.number} is {thing.state} with {balances.get(payer, 0)} of the payer's money")

    def stacking(self, command: StackNote) -> None:
        """The intent to stack has to be in the journal before the command leaves."""
        data = self.world.journal.find("note", f"{command.device}/{command.position}")
        if data is None or GLANCE.decode(data).state != "stacking":
            self._cry(f"note {command.device}/{command.position} is to be stacked with no durable intent")

    def sent(self, carrier: str, command: SendTopUp) -> None:
        """The id has to be in the journal before the request leaves, and a new one only after a proven failure."""
        if self.world.journal.find("delivery", command.delivery) is None:
            self._cry(f"delivery {command.delivery} was sent to {carrier} before it was durable")
        earlier = self._deliveries.setdefault(command.sale, [])
        if command.delivery in earlier:
            self.world.luck.saw("resent_under_same_id")
            return
        for key in earlier:
            data = self.world.journal.find("delivery", key)
            if data is None or GLANCE.decode(data).state not in {"declined", "contradicted", "recovered"}:
                self._cry(f"sale {command.sale} is delivered under a new id while {key} is not proven to have failed")
            self.world.luck.saw("second_route")
        earlier.append(command.delivery)

    def credited(self, carrier: str, key: str, times: int) -> None:
        """A card got its top-up; once is enough."""
        if times > 1:
            self._cry(f"{carrier} delivered {key} {times} times")

    def counted(self, device: str, box: int, counted: int, book: int) -> None:
        """A box that was counted honestly differs from the book by what nobody could know, and by nothing else."""
        forgotten = self.world.devices[device].forgotten[box]
        if counted - book != forgotten:
            self._cry(f"box {device}#{box} holds {counted}, the book says {book}, and {forgotten} was forgotten")

    def final(self) -> None:
        """When nothing is on its way any more, every account has to agree with the truth to the last coin."""
        self._agree_with_providers()
        for account, amount in self.ledger.balances.items():
            kind = accounts.class_of(account).partition(":")[0]
            if kind in {"escrow", "payer"}:
                self._cry(f"{amount} is left in {account}")
        if sum(self.ledger.balances.values()):
            self._cry("the ledger does not add up to nothing")
        for thing in self.world.core.open_things():
            kind = str(thing.__struct_config__.tag)
            if thing.state not in ENDLESS.get(kind, frozenset()):
                self._cry(f"{kind} {thing.number} is {thing.state} at the end")
        for promise in self.ledger.promises.values():
            self._cry(f"transfer {promise.number} is still promised: {promise.debit} → {promise.credit}")

    def _agree_with_providers(self) -> None:
        balances = self.ledger.balances
        for name, provider in self.world.refunders.items():
            held, booked = provider.taken - provider.given_back, -balances.get(name, 0)
            if held != booked:
                self._cry(f"{name} holds {held}, the book says {booked}")
        for name, network in self.world.networks.items():
            booked = balances.get(f"carrier:{name}", 0)
            if network.credited != booked:
                self._cry(f"{name} delivered {network.credited}, the book says {booked}")

    def _cry(self, what: str) -> None:
        raise Violation(what)


# How things may stand for ever that are told of every start: devices that work.
ENDLESS = {"acceptor": frozenset({"closed"})}
