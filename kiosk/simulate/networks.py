"""Simulated carriers: what they credit to cards is the truth that deliveries are measured against."""

from typing import TYPE_CHECKING

from msgspec import Struct

from kiosk.amount import Money
from kiosk.ports.carrier import (
    AskTopUp,
    SendTopUp,
    TopUpAccepted,
    TopUpDeclined,
    TopUpNotFound,
    TopUpOverdue,
    TopUpReversed,
    TopUpUnheard,
)
from kiosk.ports.message import Fact
from kiosk.simulate.agenda import DAY, HOUR, MINUTE, SECOND
from kiosk.simulate.provider import ASK_AGAIN_MS, Provider

if TYPE_CHECKING:
    from kiosk.simulate.world import World


class TopUp(Struct):
    """A top-up as the carrier knows it."""

    sale: int
    face: Money
    result: Fact | None = None


class Network(Provider):
    """A carrier: `credited` is what cards really got."""

    def __init__(self, name: str, world: "World", *, dedupes: bool) -> None:
        super().__init__(name, world)
        self.dedupes = dedupes
        self.credited = 0
        self.top_ups: dict[str, TopUp] = {}
        self.times_credited: dict[str, int] = {}
        self.hidden: set[str] = set()  # known to the carrier, and not found when asked for

    def send_top_up(self, command: SendTopUp) -> None:
        """Deliver it. Without a promise to know the same id again, a second sending delivers a second time."""
        key, faults = command.delivery, self.world.faults
        self.world.judge.sent(self.name, command)
        if self.dropped("request_dropped", faults.request_dropped):
            self.answer(TopUpUnheard(key), 5 * SECOND, 20 * SECOND)
            return
        if key not in self.top_ups:
            self.top_ups[key] = TopUp(command.sale, command.face)
            self._work(key)
        elif not self.dedupes:
            self._credit(key, command.face)
        result = self.top_ups[key].result
        if result is None:
            self.answer(TopUpUnheard(key), 5 * SECOND, 20 * SECOND)
        elif self.dropped("answer_dropped", faults.answer_dropped):
            if self.luck.chance(faults.top_up_not_found_first):
                self.hidden.add(key)
                self.after(self.luck.between(1, 45) * MINUTE, self.hidden.discard, key)
            self.answer(TopUpUnheard(key), 5 * SECOND, 20 * SECOND)
        else:
            self.answer(result, 300, 6 * SECOND)

    def ask_top_up(self, command: AskTopUp) -> None:
        """Say how it stands; the host asks again until that is final."""
        self.after(self.luck.between(10 * SECOND, ASK_AGAIN_MS), self._ask, self.world.epoch, command)

    def _ask(self, epoch: int, command: AskTopUp) -> None:
        if epoch != self.world.epoch or not self.world.host_up:
            return
        key = command.delivery
        known = self.top_ups.get(key)
        if known is None or key in self.hidden:
            if key in self.hidden:
                self.luck.saw("not_found_then_success")
            self.answer(TopUpNotFound(key))
            if known is None:
                # If it may not be sent again, or was so in vain, a person finds out that it never arrived.
                self.after(2 * DAY, self._person_declines, key)
        elif known.result is None:
            if self.luck.chance(0.1):
                self.answer(TopUpOverdue(key))
            self.after(ASK_AGAIN_MS * 8, self._ask, epoch, command)
        else:
            self.answer(known.result)

    def _person_declines(self, key: str) -> None:
        if key not in self.top_ups:
            self.top_ups[key] = TopUp(0, Money(0, self.world.currency), TopUpDeclined(key, "never_arrived"))
            self.world.tell_surely(TopUpDeclined(key, "never_arrived"))

    def _work(self, key: str) -> None:
        faults = self.world.faults
        if self.luck.chance(faults.top_up_slow):
            late = self.luck.chance(faults.top_up_day_late)
            self.after(DAY if late else self.luck.between(1, 90) * MINUTE, self._decide, key, late)
        else:
            self._decide(key, late=False)

    def _decide(self, key: str, late: bool) -> None:  # noqa: FBT001 - the agenda passes it on by place
        faults, top_up = self.world.faults, self.top_ups[key]
        if self.luck.chance(faults.top_up_declined):
            self.luck.saw("declined_late" if late else "declined")
            top_up.result = TopUpDeclined(key, "barred")
            if self.luck.chance(faults.top_up_declined_then_delivered):
                self.after(self.luck.between(1, 30) * HOUR, self._deliver_after_all, key)
            return
        if late:
            self.luck.saw("success_a_day_late")
        credited = top_up.face
        if self.luck.chance(faults.top_up_short):
            self.luck.saw("shortfall")
            credited = Money(top_up.face.minor // 2, top_up.face.currency)
        elif self.luck.chance(faults.top_up_short / 4):
            self.luck.saw("over_credited")
            credited = Money(top_up.face.minor + 100, top_up.face.currency)
        self._credit(key, credited)
        top_up.result = TopUpAccepted(key, credited, f"{self.name}-{key[:8]}")
        if self.luck.chance(faults.top_up_reversed):
            self.after(7 * DAY, self._reverse, key, credited)

    def _credit(self, key: str, amount: Money) -> None:
        self.credited += amount.minor
        self.times_credited[key] = self.times_credited.get(key, 0) + 1
        self.world.judge.credited(self.name, key, self.times_credited[key])

    def _deliver_after_all(self, key: str) -> None:
        self.luck.saw("declined_then_delivered")
        top_up = self.top_ups[key]
        self._credit(key, top_up.face)
        self.world.tell_surely(TopUpDeclined(key, "barred"))
        top_up.result = TopUpAccepted(key, top_up.face, "late")
        self.world.tell_surely(top_up.result)

    def _reverse(self, key: str, credited: Money) -> None:
        self.luck.saw("reversed_later")
        self.credited -= credited.minor
        top_up = self.top_ups[key]
        if top_up.result is not None:
            self.world.tell_surely(top_up.result)
        top_up.result = TopUpReversed(key)
        self.world.tell_surely(top_up.result)
