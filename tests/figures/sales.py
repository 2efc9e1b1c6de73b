"""A plain cash sale, the daily bread of a terminal: the load that figures are measured with."""

from kiosk.amount import Money
from kiosk.flow.core import Core
from kiosk.flow.facts import CashChosen, SaleOpened
from kiosk.flow.terms import Route, Terms
from kiosk.ports.acceptor import DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteStacked
from kiosk.ports.carrier import SendTopUp, TopUpAccepted
from kiosk.ports.message import Command

AT_MS = 1_767_225_600_000  # 1 January 2026
NOTES_A_SALE = 3


def yuan(amount: int) -> Money:
    """Whole yuan."""
    return Money(amount * 100, "CNY")


TERMS = Terms(
    face=Money(6015, "CNY"),
    price=yuan(60),
    cash_price=yuan(60),
    fee=yuan(0),
    routes=(Route("cmcc", resend_safe=True),),
    accept=(yuan(10), yuan(20), yuan(50)),
)


def ready(core: Core) -> None:
    """The validator reports for work."""
    core.handle(DeviceReady("bill", "serial"), AT_MS)


def cash_sale(core: Core, number: int, at_ms: int) -> int:
    """Three notes of twenty, paid exactly; the moment of its end is the answer."""
    name = f"sale-{number}"
    core.handle(SaleOpened(name, TERMS), at_ms, {"card": b'{"number":"13812345678"}'})
    sale = core.find("sale", name)
    if sale is None:
        raise LookupError(name)
    core.handle(CashChosen(sale.number, ("bill",)), at_ms + 2_000)
    commands: list[Command] = []
    for note in range(NOTES_A_SALE):
        position = number * NOTES_A_SALE + note + 1
        core.handle(NoteEscrowed("bill", position, yuan(20)), at_ms + 4_000)
        commands = core.handle(NoteStacked("bill", position), at_ms + 5_000)
    sent = next(command for command in commands if isinstance(command, SendTopUp))
    core.handle(TopUpAccepted(sent.delivery, TERMS.face, "reference"), at_ms + 8_000)
    core.handle(DeviceIdle("bill"), at_ms + 9_000)
    return at_ms + 60_000
