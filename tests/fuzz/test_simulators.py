"""What the fuzzer has found in simulated validators: what they say of a note is true, whatever befalls it."""

from devices.ebds import wire as ebds
from devices.ebds.sim import BOOT_MS, EbdsSimulator
from devices.id003 import wire as id003
from devices.id003.sim import Id003Simulator
from devices.mechanism import Phase
from kiosk.ports.fault import Fault
from tests.kiosk.flow.stage import yuan

POLL = ebds.order(0, ebds.Mode.ESCROW, ebds.Configuration.EXTENDED_NOTES | ebds.Configuration.POLICY_B)


def polled_twice(simulator: EbdsSimulator, now_ms: int) -> list[ebds.State]:
    """How it says that it is, before it has obeyed and after that."""
    for ack in (False, True):
        simulator.receive(ebds.encode(ebds.Frame(ebds.Kind.OMNIBUS_COMMAND, ack, POLL)), now_ms)
    answers = [ebds.answer(frame) for frame in ebds.Decoder().feed(simulator.take_sent())]
    return [answer.state for answer in answers if answer]


def test_an_ebds_validator_tells_no_end_of_a_note_that_is_stuck() -> None:
    for fault in (Fault.JAM, Fault.STACKER_JAM, Fault.CHEATED):
        simulator = EbdsSimulator()
        machine = simulator.mechanism
        machine.power_off()
        simulator.pass_time(1)
        machine.note, machine.found = yuan(10), "stacker"
        machine.faults.add(fault)
        machine.remove_box()  # what it complains of is this; the note is stuck all the same
        machine.power_on()
        simulator.pass_time(2)
        assert polled_twice(simulator, BOOT_MS + 2) == [ebds.State.NONE] * 2
        machine.clear(fault)
        machine.insert_box()
        assert polled_twice(simulator, BOOT_MS + 3) == [ebds.State.NONE] * 2
        assert polled_twice(simulator, BOOT_MS + 10_000) == [ebds.State.IDLING] * 2
        assert (machine.box, machine.freed) == ([], [yuan(10)])


def test_an_id003_validator_names_the_note_that_it_has_stacked_until_that_is_heard() -> None:
    simulator = Id003Simulator()
    machine = simulator.mechanism
    machine.reset()
    simulator.pass_time(10_000)
    machine.accepted = frozenset({yuan(10), yuan(20)})
    machine.asked()
    assert machine.insert(yuan(10))
    simulator.pass_time(10_700)
    machine.stack()
    simulator.pass_time(12_000)
    machine.faults.add(Fault.JAM)
    machine.clear(Fault.JAM)
    simulator.pass_time(12_100)
    assert (machine.phase, machine.box) == (Phase.IDLE, [yuan(10)])
    assert machine.insert(yuan(20))
    simulator.receive(id003.encode(id003.Frame(id003.Command.STATUS_REQUEST)), 12_200)
    ten = next(note.denomination for note in simulator.notes if note.value * 10**note.exponent == 10)
    assert id003.Decoder().feed(simulator.take_sent()) == [id003.Frame(id003.State.VEND_VALID, bytes((ten,)))]
