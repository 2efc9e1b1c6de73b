"""The inside of a simulated validator: whatever is done to it, every note is in exactly one place."""

from collections.abc import Callable
from random import Random

import pytest

from devices.mechanism import IN_PATH, STRANDING, Mechanism, Phase
from kiosk.amount import Money
from kiosk.ports.fault import Fault

TEN, FIFTY = Money(1000, "CNY"), Money(5000, "CNY")


def ready() -> Mechanism:
    machine = Mechanism()
    machine.reset()
    machine.pass_time(2_000)
    machine.accepted = frozenset({TEN, FIFTY})
    machine.asked()
    return machine


def live(machine: Mechanism, ms: int) -> None:
    machine.asked()
    machine.pass_time(machine.now_ms + ms)


def in_escrow() -> Mechanism:
    machine = ready()
    assert machine.insert(FIFTY)
    live(machine, 600)
    assert machine.phase is Phase.ESCROW
    return machine


def stuck(fault: Fault) -> Mechanism:
    machine = in_escrow()
    machine.next_faults.append(fault)
    machine.stack()
    live(machine, 900)
    assert machine.broken is fault
    return machine


@pytest.mark.parametrize("fault", sorted(STRANDING))
def test_a_stuck_note_stays_where_it_is_until_somebody_takes_it_out(fault: Fault) -> None:
    machine = stuck(fault)
    machine.reset()
    live(machine, 5_000)
    assert machine.note == FIFTY
    assert machine.box == machine.hand == []
    machine.clear(fault)
    assert (machine.note, machine.freed, machine.broken) == (None, [FIFTY], None)
    assert machine.phase is Phase.IDLE


def test_of_two_faults_the_last_one_that_is_seen_to_frees_the_note() -> None:
    machine = stuck(Fault.JAM)
    machine.faults.add(Fault.CHEATED)
    machine.clear(Fault.JAM)
    assert machine.freed == []
    machine.clear(Fault.CHEATED)
    assert machine.freed == [FIFTY]


def test_a_note_can_be_pulled_back_while_it_is_drawn_in_and_no_longer() -> None:
    machine = ready()
    assert machine.insert(TEN)
    assert machine.withdraw()
    assert machine.hand == [TEN]
    live(machine, 1_000)
    assert machine.phase is Phase.IDLE
    assert not in_escrow().withdraw()


def test_a_fault_that_is_seen_to_takes_no_note_that_has_left() -> None:
    machine = in_escrow()
    machine.give_back()
    live(machine, 700)
    machine.faults.add(Fault.JAM)
    machine.clear(Fault.JAM)
    assert (machine.hand, machine.freed) == ([FIFTY], [])


def test_a_note_for_which_there_is_no_box_comes_out_when_there_is_one() -> None:
    machine = in_escrow()
    machine.stack()
    machine.remove_box()
    live(machine, 900)
    assert machine.box == machine.hand == []
    machine.insert_box()
    assert (machine.box, machine.hand) == ([], [FIFTY])


def deeds(machine: Mechanism, random: Random, removed: list[Money]) -> list[Callable[[], object]]:
    """What may be done to it."""
    fault = random.choice(sorted(Fault))
    return [
        machine.stack,
        machine.give_back,
        machine.hold,
        machine.acknowledge,
        machine.reset,
        machine.withdraw,
        machine.power_off,
        machine.power_on,
        machine.insert_box,
        lambda: removed.extend(machine.remove_box()),
        lambda: machine.faults.add(fault),
        lambda: machine.clear(random.choice(sorted(machine.faults or {fault}))),
        lambda: machine.next_faults.append(fault),
        lambda: setattr(machine, "accepted", frozenset({TEN, FIFTY})),
        *[lambda: live(machine, random.randrange(2_000))] * 8,
    ]


@pytest.mark.parametrize("seed", range(200))
def test_every_note_is_in_one_place(seed: int) -> None:
    random, machine = Random(seed), ready()
    inserted: list[Money] = []
    removed: list[Money] = []
    for _ in range(200):
        note = random.choice((TEN, FIFTY))
        if machine.insert(note):
            inserted.append(note)
        random.choice(deeds(machine, random, removed))()
        on_its_way = machine.note is not None and (machine.phase in IN_PATH or bool(machine.found))
        places = [*machine.box, *removed, *machine.hand, *machine.freed, *[machine.note] * on_its_way]
        assert sorted(places, key=repr) == sorted(inserted, key=repr)
