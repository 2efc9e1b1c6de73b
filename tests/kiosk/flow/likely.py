"""What a command is likely to bring about, in a world that means well and does not always succeed."""

from kiosk.amount import Money
from kiosk.ports.acceptor import CloseAcceptor, DeviceIdle, OpenAcceptor
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteHeld,
    NoteRetracted,
    NoteReturned,
    NoteStacked,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.card_terminal import AbortCard, AskCard, AuthoriseCard, CardApproved, CardDeclined, CardUnheard
from kiosk.ports.carrier import AskTopUp, SendTopUp, TopUpAccepted, TopUpDeclined, TopUpNotFound, TopUpUnheard
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.message import Command, Fact
from kiosk.ports.qr_rail import AskOrder, CloseOrder, MakeOrder, OrderClosed, OrderMade, OrderPaid
from kiosk.ports.refunds import AskRefund, RefundDone, RefundFailed, RefundProcessing, SendRefund

FATES = (NoteStacked, NoteStacked, NoteStacked, NoteReturned, NoteRetracted, NoteHeld)


def answers(command: Command, position: int, amount: Money) -> tuple[Fact, ...]:
    """Facts that may follow; `position` and `amount` serve where the command does not say them."""
    return _device(command, position, amount) or _payment(command, amount) or _afterwards(command, amount)


def _device(command: Command, next_position: int, amount: Money) -> tuple[Fact, ...]:
    match command:
        case OpenAcceptor(device):
            return (NoteEscrowed(device, next_position, amount), CoinInserted(device, next_position, amount))
        case CloseAcceptor(device):
            return (DeviceIdle(device),)
        case StackNote(device, position) | ReturnNote(device, position) | TellNote(device, position):
            return tuple(fate(device, position) for fate in FATES)
        case _:
            return ()


def _payment(command: Command, other: Money) -> tuple[Fact, ...]:
    match command:
        case MakeOrder(order, _, amount):
            return (OrderMade(order), OrderPaid(order, amount, "p1"), OrderPaid(order, amount, "p1"))
        case AskOrder(order) | CloseOrder(order):
            return (OrderClosed(order), OrderPaid(order, other, "p1"))
        case AuthoriseCard(card, _, amount):
            return (CardApproved(card, amount), CardDeclined(card, "no"), CardUnheard(card))
        case AskCard(card) | AbortCard(card):
            return (CardApproved(card, other), CardDeclined(card, "no"))
        case _:
            return ()


def _afterwards(command: Command, other: Money) -> tuple[Fact, ...]:
    match command:
        case SendTopUp(delivery, _, _, face):
            return (TopUpAccepted(delivery, face), TopUpDeclined(delivery, "no"), TopUpUnheard(delivery))
        case AskTopUp(delivery):
            return (TopUpAccepted(delivery, other), TopUpDeclined(delivery, "no"), TopUpNotFound(delivery))
        case SendRefund(refund) | AskRefund(refund):
            return (RefundProcessing(refund), RefundDone(refund), RefundFailed(refund, "no"))
        case _:
            return ()
