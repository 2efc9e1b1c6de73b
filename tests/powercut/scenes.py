"""Short pieces of a terminal's life, each with everything in it that moves money in one way.

Nothing goes wrong in them but what the scene wants and the planned cuts; a customer whose screen dies goes away.
"""

from collections.abc import Callable
from functools import partial

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kiosk.amount import Money
from kiosk.flow.claim import Claim
from kiosk.flow.facts import (
    CancelAsked,
    CardChosen,
    CashChosen,
    ClaimChosen,
    ExcessChosen,
    OrderChosen,
    PaymentLeft,
    Terms,
    WalkedAway,
)
from kiosk.money.journal import CHECKPOINT_COMMITS
from kiosk.simulate.agenda import DAY, HOUR, MINUTE, SECOND, Process
from kiosk.simulate.luck import Faults
from kiosk.simulate.staff import Staff
from kiosk.simulate.visits import CMCC, LADDER, PRICE_LIST, RESELLER, UNICOM, Visit, yuan
from tests.powercut.cabinet import Cabinet

CARD = b'{"kind":"sim","number":"13812345678"}'
JIAO_5 = Money(50, "CNY")
QUIET = replace(
    msgspec.convert(dict.fromkeys(Faults.__struct_fields__, 0.0), Faults),
    device_forgets=0.3,
)
FIFTY = PRICE_LIST[2]  # 49.85, in cash 49.50; what is too much is owed; leaving early delivers a rung
TEN = PRICE_LIST[0]
ALL_OR_NOTHING = replace(FIFTY, ladder=())


class Scene(Struct, frozen=True):
    """What happens, what goes wrong in it besides the cuts, and how often the log is moved into the database."""

    name: str
    happen: Callable[[Cabinet], Process]
    faults: Faults = QUIET
    checkpoint_commits: int = CHECKPOINT_COMMITS


class Customer(Visit):
    """One who knows what they want."""

    def __init__(self, cabinet: Cabinet, terms: Terms, number: int = 1) -> None:
        super().__init__(cabinet, number)
        self.terms = terms
