"""A host without a journal: it decides by lot, stops now and then, and looks for every credit in the box."""

from collections import Counter
from collections.abc import Callable
from random import Random

from devices.driver import HostStopped, Inbox
from kiosk.amount import Money
from kiosk.ports.acceptor import CloseAcceptor, DeviceIdle, DeviceReady, OpenAcceptor
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteHeld,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.message import Command, Fact

DEVICE = "bill"
ACCEPTED = tuple(Money(amount * 100, "CNY") for amount in (1, 5, 10, 20, 50, 100))
STACKED, RETURNED, UNDECIDED = 0.75, 0.2, 0.05  # what is decided on a note, with which chance
STOPS = 0.01  # the chance that it stops around a fact


class WrongCreditError(Exception):
    """Money was told of that is not there, or money that is there is told of by nobody."""


class LotteryHost:
    """Knows what it was told, and outlives every driver."""

    def __init__(
        self, random: Random, taken: Callable[[], list[Money]], judging: Callable[[], bool], *, strict: bool
    ) -> None:
        self._random = random
        self._taken = taken  # the money that the device has really put into its box, ever
        self._judging = judging  # does the money still have to be right?
        self._strict = strict  # each credit has to be there; otherwise only wanted
        self.calm = False  # it does not stop any more, and takes nothing more
        self.inbox = Inbox()
        self.last = 0
        self.serial = ""
        self.announced: dict[int, Money | None] = {}
        self.wanted: set[int] = set()
        self.credited: dict[int, Money | None] = {}
        self.returned: set[int] = set()
        self.doubtful: set[int] = set()
        self.coins: dict[int, Money] = {}
        self.lost_coins: Counter[Money] = Counter()  # in the box, and nobody knows of them, when that was told last
        self.at_rest = False  # the device is closed, and nothing is on its way into it
        self.told: Counter[str] = Counter()

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        stops = 0 if self.calm else self._random.random()
        if 0 < stops < STOPS:
            raise HostStopped
        self.told[type(fact).__name__] += 1
        self._take(fact)
        if 0 < stops < 2 * STOPS:
            raise HostStopped

    def open_notes(self) -> list[Command]:
        """What a new driver is asked: what became of these?"""
        ended = self.credited.keys() | self.returned | self.doubtful
        open_ones = sorted(self.announced.keys() - ended)
        return [TellNote(DEVICE, position, stacking=position in self.wanted) for position in open_ones]

    def close(self) -> None:
        """Take nothing more, and have every note told."""
        self.calm = True
        self.inbox.put(CloseAcceptor(DEVICE))

    def _take(self, fact: Fact) -> None:
        match fact:
            case DeviceReady():
                self.serial = fact.serial or self.serial
                self.last = max(self.last, fact.position)
                self._open()
            case DeviceIdle():
                self.at_rest = True
                self._open()
            case NoteEscrowed():
                self._escrowed(fact)
            case NoteHeld():
                self.inbox.put(ReturnNote(DEVICE, fact.position))
            case NoteStacked():
                self._stacked(fact)
            case NoteReturned():
                self._ends(fact.position)
                self.returned.add(fact.position)
            case NoteUnaccounted():
                self.doubtful.add(fact.position)
            case CoinInserted():
                self._coin(fact)
            case CoinsLost() if fact.position > self.last:  # the core, too, ignores another
                self.last, self.lost_coins = fact.position, self._untold()
            case _:
                pass

    def _open(self) -> None:
        if self.calm or self._random.random() < 0.05:
            self.inbox.put(CloseAcceptor(DEVICE))
        else:
            self.at_rest = False
            self.inbox.put(OpenAcceptor(DEVICE, ACCEPTED))

    def _escrowed(self, fact: NoteEscrowed) -> None:
        if fact.position <= self.last:
            msg = f"{fact} after {self.last}"
            raise WrongCreditError(msg)
        self.last = fact.position
        self.announced[fact.position] = fact.amount
        chance = self._random.random()
        if fact.amount is None or self.calm or chance < RETURNED:
            self.inbox.put(ReturnNote(DEVICE, fact.position))
        elif chance < RETURNED + STACKED:
            self.wanted.add(fact.position)
            self.inbox.put(StackNote(DEVICE, fact.position))

    def _stacked(self, fact: NoteStacked) -> None:
        position = fact.position
        if position in self.credited:
            return  # a new driver may repeat what the journal knows
        self._ends(position)
        amount = self.announced.get(position)
        self.credited[position] = fact.amount if amount is None else amount
        self.last = max(self.last, position)
        if not self._judging():
            return
        if self._strict:
            self.check_credits(fact)
        elif position not in self.wanted:
            msg = f"{fact} was never to be stacked"
            raise WrongCreditError(msg)

    def _ends(self, position: int) -> None:
        if self._judging() and self._strict and position in self.credited.keys() | self.returned:
            msg = f"note {position} ended twice"
            raise WrongCreditError(msg)

    def _coin(self, fact: CoinInserted) -> None:
        if self.coins.get(fact.position, fact.amount) != fact.amount:
            msg = f"{fact} was {self.coins[fact.position]} before"
            raise WrongCreditError(msg)
        if fact.position <= self.last:
            return  # as the core does it: it is one that it knows
        self.coins[fact.position] = fact.amount
        self.last = fact.position
        if self._judging():
            self.check_credits(fact)

    def check_credits(self, cause: object = "") -> None:
        """All that was credited is in the box."""
        values = [*self.credited.values(), *self.coins.values()]
        box = self._taken()
        too_much = Counter(value for value in values if value is not None) - Counter(box)
        if too_much or len(values) > len(box):
            msg = f"{cause} credits {dict(too_much)} beyond {box}"
            raise WrongCreditError(msg)

    def check_box(self) -> None:
        """All that is in the box was credited, or is known to be in doubt; and every note has ended."""
        if still_open := self.announced.keys() - self.credited.keys() - self.returned - self.doubtful:
            msg = f"of these nobody told the end: {still_open}"
            raise WrongCreditError(msg)
        credited = [*self.credited.values(), *self.coins.values()]
        doubtful = [self.announced.get(position) for position in self.doubtful - self.credited.keys()]
        untold = self._untold()
        excuses = Counter(value for value in doubtful if value is not None) + self.lost_coins
        if (untold - excuses).total() > [*credited, *doubtful].count(None):
            msg = f"{dict(untold)} are in the box; of {dict(excuses)} it is known that they are in doubt"
            raise WrongCreditError(msg)

    def _untold(self) -> Counter[Money]:
        """What is in the box, and was credited to nobody."""
        credited = [*self.credited.values(), *self.coins.values()]
        return Counter(self._taken()) - Counter(value for value in credited if value is not None)
