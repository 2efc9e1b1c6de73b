"""What becomes of a note: once the host knows of it, a poll lets it through, and nothing else does."""

from random import Random

import pytest

from devices.mechanism import Phase
from devices.ssp.sim import SspSimulator
from devices.ssp.wire import Command, Frame, encode
from kiosk.flow.suspense import Suspense
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteFact,
    NoteReturned,
    NoteStacked,
    StackNote,
)
from kiosk.ports.message import Fact
from tests.devices.ssp.bench import POLLS, Bench, acknowledged, encrypted, plain
from tests.kiosk.flow.stage import yuan


@pytest.fixture(params=[plain, acknowledged, encrypted])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A validator that is ready, and nobody before it."""
    bench = request.param()
    assert isinstance(bench, Bench)
    bench.ready()
    return bench


def in_clear(bench: Bench) -> Bench:
    """The same, where the packets can be read."""
    if bench.device.encrypted:
        pytest.skip("what is encrypted cannot be read on the line")
    return bench


def escrowed(bench: Bench) -> int:
    """A note lies in escrow and the host knows it; so many packets had been sent then."""
    known = len(bench.told(NoteEscrowed))
    bench.run(lambda: len(bench.told(NoteEscrowed)) > known)
    return len(bench.sent_before[NoteEscrowed])


# A poll lets it through ----------------------------------------------------------------------------------------------


def test_while_nothing_is_decided_it_is_held_and_not_polled(bench: Bench) -> None:
    in_clear(bench).open_sale()
    bench.deaf = True
    bench.insert(20)
    known = escrowed(bench)
    bench.settle(8)
    assert set(bench.commands()[known:]) == {Command.HOLD}
    assert bench.mechanism.phase is Phase.ESCROW
    bench.inbox.put(StackNote("bill", 1))
    bench.run(lambda: bench.mechanism.box == [yuan(20)])


def test_what_is_never_decided_on_is_given_back(bench: Bench) -> None:
    bench.open_sale()
    bench.deaf = True
    bench.insert(20)
    bench.run(lambda: bench.mechanism.hand == [yuan(20)], within_s=20)
    bench.settle(20)
    assert len(bench.told(NoteReturned)) == 1
    assert bench.stage.balances() == {}


def test_a_note_that_goes_its_own_way_while_it_is_held_is_told(bench: Bench) -> None:
    """HOLD is refused then, and the next poll tells what happened."""
    bench.open_sale()
    bench.deaf = True
    bench.insert(20)
    escrowed(bench)
    bench.mechanism.give_back()
    bench.run(lambda: bool(bench.told(NoteReturned)), within_s=5)
    assert bench.stage.balances() == {}


def test_what_the_host_does_not_want_is_rejected_before_the_next_poll(bench: Bench) -> None:
    in_clear(bench).open_sale(limit=10)
    bench.insert(20)
    known = escrowed(bench)
    bench.run(lambda: bench.mechanism.hand == [yuan(20)])
    asked = [command for command in bench.commands()[known:] if command in {*POLLS, Command.REJECT}]
    assert asked[0] == Command.REJECT


def test_a_poll_that_is_sent_again_is_not_another_one() -> None:
    """The device tells of the escrow as often as it is asked with the same bit; with the other one, the note is in."""
    bench = plain()
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.run(lambda: bench.mechanism.phase is Phase.ESCROW)
    bench.device.take_sent()
    for bit, answer, phase in [(True, "EF 03", "escrow")] * 3 + [(False, "CC", "stacking")] * 2:
        bench.device.receive(encode(Frame(0, bit, b"\x07")), bench.line.now_ms)
        assert bench.device.take_sent() == encode(Frame(0, bit, b"\xf0" + bytes.fromhex(answer)))
        assert bench.mechanism.phase == phase


def test_a_note_that_nobody_polls_for_goes_back_after_ten_seconds() -> None:
    bench = plain()
    bench.ready()
    bench.open_sale()
    bench.insert(20)
    bench.line.wait_until(bench.line.now_ms + 10_000)
    assert bench.mechanism.hand == []
    bench.line.wait_until(bench.line.now_ms + 1_500)
    assert bench.mechanism.hand == [yuan(20)]
    bench.settle(2)
    assert bench.driver.path.counters.rejected == {"escrow_timeout": 1}


class Scripted(SspSimulator):
    """A device that answers the next polls with just these events."""

    def __init__(self) -> None:
        super().__init__(entropy=Random(3).randbytes)
        self.script: list[str] = []

    def _plain(self, data: bytes) -> bytes:
        if data[0] == Command.POLL and self.script:
            return b"\xf0" + bytes.fromhex(self.script.pop(0))
        return super()._plain(data)


@pytest.mark.parametrize(
    ("script", "fact"),
    [
        ("EF00 EF00 EF02 CC CC CCEE02 CC EB", NoteStacked("bill", 1, yuan(10))),
        ("EF00 EF02 EF02 CC EE02 CC EB E8", NoteStacked("bill", 1, yuan(10))),
        ("EF02 CC EE02 EE02 EB", NoteStacked("bill", 1, yuan(10))),
        ("EF00 EF02 ED ED EC", NoteReturned("bill", 1)),
        ("EF02EDEC", NoteReturned("bill", 1)),
        ("EF00 ED ED EC", None),
    ],
)
def test_notes_as_real_devices_tell_of_them(script: str, fact: Fact | None) -> None:
    """The first and last as an NV200 does: sixtyeight/kassomat-payout, docs/examples.md. The others differ in order."""
    device = Scripted()
    bench = Bench(device)
    bench.ready()
    bench.open_sale()
    device.script = script.split()
    bench.run(lambda: not device.script)
    bench.settle(20)
    assert [told for told in bench.facts if isinstance(told, NoteFact)] == ([] if fact is None else [fact])
    assert bench.stage.all(Suspense) == []


def test_two_notes_in_one_answer() -> None:
    """The second one was never decided on, and is not let through by the poll that follows."""
    device = Scripted()
    bench = Bench(device)
    bench.ready()
    bench.open_sale(limit=15)
    device.script = ["EF02", "CC", "EE02EBEF01"]
    bench.run(lambda: not device.script)
    bench.settle(3)
    assert bench.told(NoteStacked) == [NoteStacked("bill", 1, yuan(10))]
    assert bench.told(NoteEscrowed)[-1] == NoteEscrowed("bill", 2, yuan(5))
