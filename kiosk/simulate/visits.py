"""Customers: each does one thing after the other, changes its mind, and leaves when the screen dies."""

from functools import partial
from typing import TYPE_CHECKING

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
    SaleOpened,
    WalkedAway,
)
from kiosk.flow.reckoning import Sale
from kiosk.flow.terms import Route, Rung, Terms
from kiosk.ports.message import Fact
from kiosk.simulate.agenda import MINUTE, SECOND, Process

if TYPE_CHECKING:
    from kiosk.simulate.world import World

INSERTS_MAX = 14


def yuan(amount: int) -> Money:
    """Whole yuan."""
    return Money(amount * 100, "CNY")


NOTES = tuple(yuan(value) for value in (5, 10, 20, 50, 100))
COINS = (Money(50, "CNY"), yuan(1))
FOREIGN_COIN = Money(500, "HKD")
ACCEPT = (*COINS, *NOTES[:-1])  # hundreds are not taken

CMCC, UNICOM = Route("cmcc", resend_safe=True), Route("unicom", resend_safe=True)
RESELLER = Route("reseller", resend_safe=False)
LADDER = (Rung(yuan(10), yuan(10)), Rung(yuan(20), yuan(20)), Rung(yuan(30), yuan(30)))


def _terms(  # noqa: PLR0913 - a price list reads best by name
    face: int,
    price: int,
    cash: int,
    routes: tuple[Route, ...],
    *,
    fee: int = 0,
    excess: bool = False,
    ladder: tuple[Rung, ...] = (),
    slip: bool = True,
) -> Terms:
    return Terms(
        face=yuan(face),
        price=Money(price, "CNY"),
        cash_price=Money(cash, "CNY"),
        fee=Money(fee, "CNY"),
        routes=routes,
        accept=ACCEPT,
        cash_limit=yuan(150),
        overpay_limit=yuan(45),
        excess="added" if excess else "owed",
        excess_choices=("owed", "added") if excess else ("owed",),
        face_max=yuan(200) if excess else None,
        ladder=ladder,
        slip=slip,
    )


PRICE_LIST = (
    _terms(10, 1000, 1000, (CMCC,)),
    _terms(30, 2995, 2950, (UNICOM,), ladder=LADDER[:2]),
    _terms(50, 4985, 4950, (CMCC, RESELLER), ladder=LADDER),
    _terms(50, 5000, 5000, (RESELLER,), ladder=LADDER),
    _terms(50, 5100, 5100, (UNICOM, CMCC), fee=100),
    _terms(100, 9980, 9950, (CMCC,), excess=True),
    _terms(30, 3000, 3000, (UNICOM, RESELLER), excess=True, ladder=LADDER),
    _terms(20, 2000, 2000, (CMCC,), slip=False),
)


class Visit:
    """One customer before the screen."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.luck = world.luck
        self.epoch = world.epoch
        self.name = f"visit-{number}"
        self.sale = 0

    def there(self) -> bool:
        """Is the screen still the one that the customer touched?"""
        return self.world.host_up and self.world.epoch == self.epoch

    def look(self) -> Sale | None:
        """What the screen shows of the sale."""
        sale = self.world.core.thing(self.sale) if self.there() else None
        return sale if isinstance(sale, Sale) else None

    def paying(self) -> bool:
        """Does it still ask for money?"""
        sale = self.look()
        return sale is not None and sale.state == "paying"

    def touch(self, fact: Fact) -> bool:
        """Touch the screen."""
        return self.there() and self.world.tell(fact)

    def whole(self) -> Process:
        """A visit from the first touch to the last."""
        luck, world = self.luck, self.world
        terms = PRICE_LIST[luck.between(0, len(PRICE_LIST) - 1)]
        number = 13_800_000_000 + luck.between(0, 99_999_999)
        card = {"card": f'{{"kind":"sim","number":"{number}"}}'.encode()}
        if not self.world.tell(SaleOpened(self.name, terms), card) and not self.there():
            return
        opened = world.core.find("sale", self.name)
        if opened is None:
            return
        self.sale = opened.number
        if luck.chance(world.faults.power_cut):
            world.agenda.after(luck.between(1, 40) * SECOND, world.cut_power)
        yield luck.between(1, 4) * SECOND
        way = luck.random.random()
        if way < 0.02:
            yield from self._leave()
            return
        if way < 0.10 and world.pocket:
            yield from self._claim()
        yield from self._pay(luck.random.random())
        yield luck.between(1, 12) * SECOND
        if self.paying():
            yield from self._leave()

    def _pay(self, way: float) -> Process:
        if not self.paying():
            return
        if way < 0.5:
            yield from self._cash()
        elif way < 0.8:
            yield from self._order()
        else:
            yield from self._card()

    def _leave(self) -> Process:
        """Cancel, or just go: then "still there?" runs out."""
        sale = self.look()
        if sale is None or sale.state != "paying":
            return
        money = bool(sale.paid)
        if self.luck.chance(0.5):
            self.luck.saw("cancelled_with_money" if money else "cancelled_without_money")
            self.touch(CancelAsked(self.sale))
        else:
            yield MINUTE
            self.touch(WalkedAway(self.sale))
            after = self.look()
            if after is not None and after.state == "returned":
                self.luck.saw("walked_away_owed")

    def _cash(self) -> Process:
        luck = self.luck
        if luck.chance(0.2):
            self.touch(ExcessChosen(self.sale, "added" if luck.chance(0.5) else "owed"))
        self.touch(CashChosen(self.sale, ("bill", "coin")))
        self._invite_trouble()
        yield luck.between(500, 3000)
        sale = self.look()
        if sale is not None and sale.state == "paying" and not sale.lanes:
            luck.saw("no_paper_no_cash")
            yield from self._pay(0.6)
            return
        yield from self._insert()
        sale = self.look()
        if sale is not None and sale.terms and sale.face and sale.face > sale.terms.face:
            luck.saw("excess_added")
        if sale is not None and sale.state == "paying" and luck.chance(0.5):
            order = luck.chance(0.5)
            if sale.cash:
                luck.saw("cash_then_order" if order else "cash_then_card")
            self.touch(PaymentLeft(self.sale))
            yield from self._pay(0.6 if order else 0.9)

    def _invite_trouble(self) -> None:
        luck, world = self.luck, self.world
        if luck.chance(world.faults.device_fails):
            luck.saw("device_lost")
            world.agenda.after(luck.between(1, 20) * SECOND, world.bill.fail, "link_lost", luck.between(1, 9))
        if luck.chance(world.faults.box_taken_in_visit):
            world.agenda.after(luck.between(1, 20) * SECOND, self._steal_box)

    def _insert(self) -> Process:
        """One note or coin after the other, until it is enough or the mind changes."""
        luck = self.luck
        for _ in range(INSERTS_MAX):
            if not self.paying():
                break
            self._insert_something()
            if luck.chance(0.03):
                yield luck.between(100, 700)  # while the note is still moving
                yield from self._leave()
                break
            yield luck.between(1500, 5000)
            if luck.chance(0.04):
                break
        if luck.chance(self.world.faults.coin_burst_late):
            for _ in range(luck.between(1, 4)):
                self.world.coin.insert(COINS[luck.between(0, 1)], late=True)

    def _insert_something(self) -> None:
        world, luck = self.world, self.luck
        if luck.chance(0.25):
            if luck.chance(world.faults.coins_lost):
                world.coin.lose_count([COINS[1], COINS[0], COINS[1]])
            elif luck.chance(world.faults.coin_is_foreign):
                world.coin.swallow(FOREIGN_COIN)
            else:
                world.coin.insert(COINS[luck.between(0, 1)])
        else:
            world.bill.insert(NOTES[min(luck.between(0, 5), 4) if luck.chance(0.2) else luck.between(1, 3)])

    def _steal_box(self) -> None:
        """Somebody opens the cabinet in the middle of a visit."""
        if self.world.bill.note is None:
            self.luck.saw("box_taken_in_visit")
            self.world.bill.change_box()

    def _order(self) -> Process:
        luck, world = self.luck, self.world
        name = "wechat" if luck.chance(0.75) else "khqr"
        rail = world.rails[name]
        if not self.touch(OrderChosen(self.sale, name, refundable=name == "wechat")):
            return
        key = self._part_key("order")
        for _ in range(40):
            if rail.shown(key) or not self.paying():
                break
            yield SECOND
        if not rail.shown(key):
            return
        yield luck.between(1, 6) * SECOND
        rail.scan(key)
        yield luck.between(1, 9) * SECOND
        if luck.chance(0.05):
            yield from self._leave()
            yield luck.between(0, 2000)
            late = luck.chance(0.5)
            rail.pay(key, late=late)
            return
        if luck.chance(world.faults.paid_late):
            self.touch(PaymentLeft(self.sale))
            world.agenda.after(luck.between(10, 600) * SECOND, partial(rail.pay, key, late=True))
            return
        rail.pay(key)
        yield from self._wait()

    def _card(self) -> Process:
        if self.touch(CardChosen(self.sale, "front")):
            if self.luck.chance(0.06):
                yield self.luck.between(1, 22) * SECOND
                yield from self._leave()
            else:
                yield from self._wait()

    def _wait(self) -> Process:
        """Watch the screen until it says something else."""
        for _ in range(20):
            if not self.paying():
                return
            yield 2 * SECOND

    def _claim(self) -> Process:
        """Pay with an old slip, by typing its code."""
        world, luck = self.world, self.luck
        claim = world.core.thing(world.pocket[luck.between(0, len(world.pocket) - 1)]) if self.there() else None
        if not isinstance(claim, Claim):
            return
        code = world.codes.recognise(world.codes.text(claim.number, claim.renewals))
        if not self.touch(ClaimChosen(self.sale, code.digest)):
            return
        yield luck.between(1, 3) * SECOND
        after = self.look()
        if after is None or claim.balance is None:
            return
        if after.state == "paying" and any(part.kind == "claim" for part in after.parts):
            luck.saw("claim_with_cash" if luck.chance(0.7) else "claim_released")
            if luck.seen["claim_released"] % 2:
                yield from self._leave()
            else:
                yield from self._cash()

    def _part_key(self, kind: str) -> str:
        sale = self.look()
        parts = [part for part in sale.parts if part.kind == kind] if sale else []
        part = self.world.core.thing(parts[-1].number) if parts else None
        return part.key if part else ""
