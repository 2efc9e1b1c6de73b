"""Coins: there is no escrow. What is reported is in the box."""

from kiosk.amount import Money
from kiosk.ports.acceptor import AcceptorFact


class CoinInserted(AcceptorFact, frozen=True):
    """A coin fell into the box. The same position again is the same coin again."""

    position: int
    amount: Money


class CoinsLost(AcceptorFact, frozen=True):
    """The device's event counter jumped: coins up to this position may be in the box and nobody knows which."""

    position: int
