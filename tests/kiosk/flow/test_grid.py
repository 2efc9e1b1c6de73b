"""No hole in any table: every fact that concerns a thing has a row in every state, and every row can be reached."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from kiosk import flow, ports
from kiosk.amount import Money
from kiosk.flow import facts, told
from kiosk.flow.core import TABLES
from kiosk.flow.facts import Restarted
from kiosk.flow.machine import NEW
from kiosk.ports.message import Command, Fact

for module in pkgutil.iter_modules(ports.__path__):
    importlib.import_module(f"{ports.__name__}.{module.name}")

KINDS = sorted(TABLES)


def leaves(kind: type) -> Iterator[type]:
    """The classes that are meant to be made, not those that only say what others have in common."""
    for child in kind.__subclasses__():
        if child.__subclasses__():
            yield from leaves(child)
        elif child.__module__.startswith(f"{ports.__name__}.") or child.__module__ in {facts.__name__, told.__name__}:
            yield child


FACTS: list[type[Fact]] = sorted(leaves(Fact), key=lambda fact: fact.__name__)
COMMANDS: list[type[Command]] = sorted(leaves(Command), key=lambda command: command.__name__)


def facts_about(kind: str) -> list[type[Fact]]:
    """Every fact that its own `about` addresses to that kind of thing."""
    return [fact for fact in FACTS if fact.about in {kind, "any"}]


# The shape of each table ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_has_a_row_in_every_state(kind: str) -> None:
    table = TABLES[kind]
    holes = [
        f"{state}, {fact.__name__}"
        for fact in facts_about(kind)
        for state in table.states
        if not table.choices(state, fact)
    ]
    assert holes == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_always_finds_a_row_and_no_row_is_hidden(kind: str) -> None:
    """The last row of a fact in a state has no guard, and it is the only one that has none."""
    table = TABLES[kind]
    for fact in table.facts:
        for state in table.states:
            guards = [row.when for row in table.choices(state, fact)]
            assert guards[-1] is None, f"{state}, {fact.__name__} may find no row"
            assert None not in guards[:-1], f"{state}, {fact.__name__} has a row that is never reached"


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_speaks_of_its_own_states_and_facts_alone(kind: str) -> None:
    table = TABLES[kind]
    assert {row.state for row in table.rows} | {row.to for row in table.rows} <= set(table.states)
    assert set(table.facts) == set(facts_about(kind))
    assert table.final | table.resting <= set(table.states)
    assert not table.final & table.resting


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_can_be_reached(kind: str) -> None:
    table = TABLES[kind]
    reached, ahead = {NEW}, {NEW}
    while ahead:
        ahead = {row.to for row in table.rows if row.state in ahead} - reached
        reached |= ahead
    assert reached == set(table.states)


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_says_in_a_line_what_it_means(kind: str) -> None:
    meanings = list(TABLES[kind].states.values())
    assert all(meanings)
    assert len(set(meanings)) == len(meanings)


# Facts and commands between the tables -------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_a_fact_is_handled_by_the_table_that_it_is_about(fact: type[Fact]) -> None:
    handling = [kind for kind, table in TABLES.items() if fact in table.facts]
    assert handling == (list(TABLES) if fact is Restarted else [fact.about])


def called_in(folder: Path) -> set[str]:
    """The names that the code in a folder calls."""
    return {
        node.func.id
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_every_command_is_given_by_somebody() -> None:
    given = called_in(Path(flow.__path__[0]))
    assert [command.__name__ for command in COMMANDS if command.__name__ not in given] == []


# The end of a life ---------------------------------------------------------------------------------------------------

# Facts that tell of money without naming an amount.
MOVES_MONEY = {
    "CardReversed",
    "ClaimUsed",
    "CoinsLost",
    "DoubtSettled",
    "NoteAccounted",
    "NoteRetracted",
    "NoteReturned",
    "NoteStacked",
    "NoteUnaccounted",
    "PayoutDone",
    "PayoutFailed",
    "RefundChargedBack",
    "RefundDone",
    "RefundDoneElsewhere",
    "RefundFailed",
    "SuspenseSettled",
    "TopUpDeclined",
    "TopUpReversed",
    "Undelivered",
}
BORN_ONCE = "it is born under a fresh id, once"
SAID_AGAIN = "it says again what is booked"
NOTHING_BOOKED = "nothing of it was ever booked, so there is nothing to undo"
TWICE = "it was corrected once; a correction is never resolved again, and people have the alarm"
ONE_UNDER_WAY = "only a delivery under way tells it, and that one keeps its sale delivering or doubtful"

# Where a thing at its end, or one that nobody has heard of, leaves such a fact alone: why no money is lost by that.
LEFT_ALONE: dict[tuple[str, str], dict[str, str]] = {
    ("note", "NoteStacked"): {"stacked stray": SAID_AGAIN},
    ("note", "NoteRetracted"): {"stacked stray": SAID_AGAIN},
    ("note", "NoteReturned"): {"new": NOTHING_BOOKED, "returned lost": SAID_AGAIN},
    ("note", "NoteUnaccounted"): {"returned": NOTHING_BOOKED, "stray lost": SAID_AGAIN},
    ("note", "NoteAccounted"): {"new": NOTHING_BOOKED, "stacked returned stray lost": SAID_AGAIN},
    ("box", "BoxCounted"): {"new": "a box is counted after it was taken out", "counted": SAID_AGAIN},
    ("order", "OrderWanted"): {"paid closed suspended taken_back": BORN_ONCE},
    ("authorisation", "AuthorisationWanted"): {"approved declined suspended taken_back": BORN_ONCE},
    ("authorisation", "CardApproved"): {"approved suspended taken_back": SAID_AGAIN},
    ("authorisation", "CardReversed"): {"new declined": NOTHING_BOOKED, "taken_back": TWICE},
    ("delivery", "DeliveryWanted"): {"accepted declined reversed contradicted recovered": BORN_ONCE},
    ("delivery", "TopUpAccepted"): {"accepted contradicted": SAID_AGAIN},
    ("delivery", "TopUpDeclined"): {"new": NOTHING_BOOKED, "declined reversed recovered": SAID_AGAIN},
    ("delivery", "TopUpReversed"): {"new": NOTHING_BOOKED, "declined reversed recovered": SAID_AGAIN},
    ("refund", "RefundWanted"): {"stopped done failed contradicted": BORN_ONCE},
    ("refund", "RefundDone"): {"done": SAID_AGAIN, "contradicted": TWICE},
    ("refund", "RefundDoneElsewhere"): {"done": SAID_AGAIN, "contradicted": TWICE},
    ("refund", "RefundChargedBack"): {"contradicted": TWICE},
    ("refund", "RefundFailed"): {"new": NOTHING_BOOKED, "stopped failed": SAID_AGAIN, "contradicted": TWICE},
    ("claim", "ClaimUsed"): {"new empty spent paid_out refunded": "only the sale that it is held for tells it, once"},
    ("claim", "ClaimRefundEnded"): {
        "new empty spent paid_out refunded": "what comes back after all has a guarded row of its own"
    },
    ("claim", "PayoutDone"): {"paid_out": SAID_AGAIN},
    ("claim", "PayoutFailed"): {"new empty spent refunded": NOTHING_BOOKED},
    ("suspense", "SuspenseArisen"): {"settled": BORN_ONCE},
    ("suspense", "DoubtSettled"): {"new": NOTHING_BOOKED, "settled": SAID_AGAIN},
    ("suspense", "SuspenseSettled"): {"new": NOTHING_BOOKED, "settled": SAID_AGAIN},
    ("sale", "Delivered"): {"new done returned cancelled": ONE_UNDER_WAY},
    ("sale", "Undelivered"): {"new done returned cancelled": ONE_UNDER_WAY},
    ("sale", "DeliveryUndone"): {"new returned cancelled": "only the one delivery of a sale that is done tells it"},
}


def tells_of_money(fact: type[Fact]) -> bool:
    """Does it name an amount, or is it known to move one?"""
    return fact.__name__ in MOVES_MONEY or any(
        hint == Money or hint == Money | None for hint in get_type_hints(fact).values()
    )


def test_what_ended_leaves_a_fact_about_money_alone_only_for_a_reason() -> None:
    found = {
        (kind, fact.__name__): states
        for kind, table in TABLES.items()
        for fact in table.facts
        if tells_of_money(fact)
        and (
            states := {
                state
                for state in table.final | {NEW}
                if (default := table.choices(state, fact)[-1]).do is None and default.to == state
            }
        )
    }
    told = {whose: {state for states in reasons for state in states.split()} for whose, reasons in LEFT_ALONE.items()}
    assert found == told


def test_only_known_facts_are_called_movers_of_money() -> None:
    assert {fact.__name__ for fact in FACTS} >= MOVES_MONEY


# What a terminal has to live through, and the rows that answer it ----------------------------------------------------

EVENTS: dict[str, tuple[str, str]] = {
    "cash: decided in escrow by denomination, limit and remaining sum": ("sale", "NoteOffered"),
    "cash: taken out of escrow": ("note", "NoteWanted"),
    "cash: refused in escrow": ("note", "NoteUnwanted"),
    "cash: stacked": ("note", "NoteStacked"),
    "cash: returned": ("note", "NoteReturned"),
    "cash: coins, which have no escrow": ("acceptor", "CoinInserted"),
    "cash: coins that the device lost count of": ("acceptor", "CoinsLost"),
    "cash: reported in a wrong state": ("acceptor", "StrayNote"),
    "cash: a returned note retracted": ("note", "NoteRetracted"),
    "cash: held, asked after a start": ("note", "NoteHeld"),
    "cash: jammed, fished for or forgotten": ("note", "NoteUnaccounted"),
    "cash: a doubtful note found or not": ("suspense", "DoubtSettled"),
    "cash: jam, cheat, box full, device lost": ("acceptor", "DeviceFailed"),
    "cash: the device is back": ("acceptor", "DeviceReady"),
    "cash: box removed": ("acceptor", "BoxRemoved"),
    "cash: box inserted": ("acceptor", "BoxInserted"),
    "cash: box counted": ("box", "BoxCounted"),
    "cash: cancelled after money is in": ("sale", "CancelAsked"),
    "cash: walked away": ("sale", "WalkedAway"),
    "order: made": ("order", "OrderMade"),
    "order: refused": ("order", "OrderRefused"),
    "order: shown and scanned": ("order", "OrderScanned"),
    "order: paid, twice, late, or in another amount": ("order", "OrderPaid"),
    "order: closed": ("order", "OrderClosed"),
    "order: unheard": ("order", "OrderUnheard"),
    "order: charged back": ("order", "OrderChargedBack"),
    "order: refunded elsewhere": ("order", "OrderRefundedElsewhere"),
    "card: approved": ("authorisation", "CardApproved"),
    "card: declined": ("authorisation", "CardDeclined"),
    "card: unknown": ("authorisation", "CardUnheard"),
    "card: reversed": ("authorisation", "CardReversed"),
    "card: charged back": ("authorisation", "CardChargedBack"),
    "refund: begun": ("refund", "RefundWanted"),
    "refund: processing": ("refund", "RefundProcessing"),
    "refund: unheard": ("refund", "RefundUnheard"),
    "refund: done": ("refund", "RefundDone"),
    "refund: failed": ("refund", "RefundFailed"),
    "refund: abnormal": ("refund", "RefundAbnormal"),
    "refund: done elsewhere": ("refund", "RefundDoneElsewhere"),
    "refund: charged back": ("refund", "RefundChargedBack"),
    "delivery: sent": ("delivery", "DeliveryWanted"),
    "delivery: accepted with the amount credited, in full or short": ("delivery", "TopUpAccepted"),
    "delivery: declined": ("delivery", "TopUpDeclined"),
    "delivery: unknown": ("delivery", "TopUpUnheard"),
    "delivery: not found": ("delivery", "TopUpNotFound"),
    "delivery: overdue": ("delivery", "TopUpOverdue"),
    "delivery: reversed later": ("delivery", "TopUpReversed"),
    "claim: issued": ("claim", "ClaimMade"),
    "claim: funded, and reopened": ("claim", "ClaimFunded"),
    "claim: presented": ("claim", "ClaimPresented"),
    "claim: spent in whole or part": ("claim", "ClaimUsed"),
    "claim: paid out": ("claim", "PayoutDone"),
    "claim: refunded": ("claim", "ClaimRefundEnded"),
    "claim: unclaimed": ("claim", "ClaimExpired"),
    "claim: its code replaced": ("claim", "ClaimReplaced"),
    "claim: frozen": ("claim", "ClaimFrozen"),
    "sale: cash first, another kind for the rest": ("sale", "OrderChosen"),
    "sale: money in any state": ("sale", "MoneyArrived"),
    "any: the power was cut": ("sale", "Restarted"),
}


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_that_happens_in_the_field_is_answered(event: str) -> None:
    kind, name = EVENTS[event]
    table = TABLES[kind]
    fact = next((fact for fact in table.facts if fact.__name__ == name), None)
    assert fact is not None
    assert any(row.do is not None or row.to != row.state for row in table.rows if row.fact is fact)


def test_every_report_from_the_world_is_one_of_those_events() -> None:
    from_the_world = {fact.__name__ for fact in FACTS if fact.__module__.startswith(f"{ports.__name__}.")}
    named = {name for _, name in EVENTS.values()}
    assert from_the_world - named == {"NoteEscrowed", "DeviceIdle"}  # they only lead to the decision, or end a visit
