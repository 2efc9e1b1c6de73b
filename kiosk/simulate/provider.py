"""What every simulated provider has in common: it answers late, twice or not at all.

What runs on the host's side (asking again and again) dies with the host; what runs on theirs does not.
"""

from typing import TYPE_CHECKING

from kiosk.ports.message import Fact
from kiosk.simulate.agenda import MINUTE

if TYPE_CHECKING:
    from kiosk.simulate.world import World

ASK_AGAIN_MS = 30 * MINUTE


class Provider:
    """Whatever answers requests, late, twice or not at all."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.world = world
        self.luck = world.luck
        self.after = world.agenda.after

    def answer(self, fact: Fact, least_ms: int = 80, most_ms: int = 900) -> None:
        """An answer on its way to the host that asked; if that one is gone, it is heard by nobody."""
        delay_ms = self.luck.between(least_ms, most_ms)
        self.after(delay_ms, self._arrive, self.world.epoch, fact)
        if self.luck.chance(self.world.faults.answer_doubled):
            self.luck.saw("answer_doubled")
            self.after(delay_ms + self.luck.between(1, 5000), self._arrive, self.world.epoch, fact)

    def _arrive(self, epoch: int, fact: Fact) -> None:
        if epoch == self.world.epoch and self.world.host_up:
            self.world.tell(fact)

    def dropped(self, situation: str, probability: float) -> bool:
        """Did the line swallow it?"""
        if self.luck.chance(probability):
            self.luck.saw(situation)
            return True
        return False
