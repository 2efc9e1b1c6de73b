"""A journal was restored and goes on: whatever its lost rows did with the money, none of it may happen a second time.

What the copy holds is marked as copied (`Thing.copied`): a sale of its begins no delivery and no refund any more, and
what is left of its money waits for a person. What was promised under an id goes on being asked about under that id.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from kiosk.flow.claim import Claim
from kiosk.flow.core import Core
from kiosk.flow.facts import ClaimFrozen, Restarted
from kiosk.flow.machine import Thing
from kiosk.flow.reckoning import Sale
from kiosk.money.codes import CodeBook
from kiosk.money.entry import ENCODER
from kiosk.money.journal import Journal
from kiosk.money.step import OWN_STORY, JournalAdopted, Step

HOLDING = ("waiting", "open", "held", "unclaimed")  # claims that hold money or wait for it
ON_THEIR_WAY_OUT = ("paying_out", "refunding")  # these have to end first; what comes back of them is frozen then

T = TypeVar("T", bound=Thing)


def take_over(  # noqa: PLR0913 - what is written, and with what
    journal: Journal,
    adopted: JournalAdopted,
    codes: CodeBook,
    entropy: Callable[[int], bytes],
    at_ms: int,
    *,
    clock_trusted: bool = False,
) -> Core:
    """Write the adoption, close the sales of the copy and freeze its claims.

    Cut off in the midst of it, it is to be begun again: another adoption freezes the rest.
    """
    fact = replace(adopted, things=journal.things)
    journal.commit(Step(at_ms, ENCODER.encode(fact), sales=(OWN_STORY,), clock_trusted=clock_trusted))
    core = Core(journal, codes, entropy)
    for sale in in_states(core, Sale, ("paying",)):
        core.handle(Restarted("sale", sale.number), at_ms, clock_trusted=clock_trusted)
    for claim in in_states(core, Claim, HOLDING):
        core.handle(ClaimFrozen(claim.number), at_ms, clock_trusted=clock_trusted)
    return core


def in_states(core: Core, kind: type[T], states: tuple[str, ...]) -> list[T]:
    """All things of a kind that are in one of these states, oldest first."""
    numbers = core.journal.in_states(str(kind.__struct_config__.tag), states)
    return [thing for number in numbers if isinstance(thing := core.thing(number), kind)]
