"""What goes over each protocol's wire, told in words while a real driver works with a real simulator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.registry import PROTOCOLS
from devices.words import Said, Words
from kiosk.flow.facts import CancelAsked, CashChosen
from kiosk.ports.fault import Fault
from tests.devices.coin_rig import CoinRig
from tests.devices.rig import DeviceRig, Rig
from tests.kiosk.flow.stage import yuan

NOTES = sorted(name for name, protocol in PROTOCOLS.items() if protocol.takes == "notes")
READABLE = sorted(set(NOTES) - {"essp"})
VALUED = sorted(set(READABLE) - {"ict"})  # on whose wire it is said what a note is worth


class Listener:
    """Between a rig's driver and its simulator."""

    def __init__(self, rig: DeviceRig, words: Words) -> None:
        self.said: list[Said] = []
        self.heard: list[tuple[bool, bytes]] = []
        self._words = words
        write, read = rig.line.write, rig.line.read

        def overheard_write(data: bytes) -> None:
            self._hear(from_host=True, data=data)
            write(data)

        def overheard_read(within_s: float) -> bytes:
            data = read(within_s)
            self._hear(from_host=False, data=data)
            return data

        rig.line.write, rig.line.read = overheard_write, overheard_read  # type: ignore[method-assign]

    def _hear(self, *, from_host: bool, data: bytes) -> None:
        self.heard.append((from_host, data))
        self.said += self._words.hear(from_host, data)

    def news(self) -> list[str]:
        """What is not routine."""
        return [said.text for said in self.said if not said.routine]


def lived(protocol: str) -> Listener:
    """A note is taken, another one is given back, and the path jams."""
    rig = Rig(protocol)
    listener = Listener(rig, PROTOCOLS[protocol].words())
    rig.ready()
    sale = rig.stage.sale(price=yuan(100), cash_price=yuan(100), face=yuan(100))
    rig.say(CashChosen(sale, ("bill",)))
    rig.run(lambda: bool(rig.mechanism.accepted))
    rig.mechanism.insert(yuan(20))
    rig.run(lambda: rig.mechanism.box == [yuan(20)])
    rig.settle()
    rig.say(CancelAsked(sale))
    rig.settle()
    rig.mechanism.faults.add(Fault.JAM)
    rig.settle()
    return listener


def in_order(told: list[str], *parts: str) -> bool:
    """Do these come in it, one after the other?"""
    rest = iter(told)
    return all(any(part in line for line in rest) for part in parts)


@pytest.mark.parametrize("protocol", VALUED)
def test_the_life_of_a_note_is_told_by_its_worth(protocol: str) -> None:
    told = lived(protocol).news()
    last = "money now" if protocol == "ssp" else "20.00 is in the box"
    assert in_order(told, "20.00 waits in escrow", last, "take nothing", "jam (code"), told
    assert any("100.00" in line for line in told), "it is told what the device takes"


def test_where_nobody_says_what_a_note_is_worth_its_type_is_told() -> None:
    assert in_order(
        lived("ict").news(),
        "take notes",
        "note type 4 waits in escrow",
        "put it into the box",
        "it is in the box",
        "take nothing",
        "jam (code 22)",
    )


def test_what_is_encrypted_stays_so() -> None:
    listener = lived("essp")
    assert any("encrypted" in said.text for said in listener.said)
    assert not any("20.00" in said.text or "escrow" in said.text for said in listener.said)


def test_coins_are_told_by_their_worth() -> None:
    rig = CoinRig("cctalk")
    listener = Listener(rig, PROTOCOLS["cctalk"].words())
    rig.ready()
    rig.open_sale()
    rig.drop(5, 1)
    rig.fallen()
    rig.settle()
    rig.mechanism.faults.add(Fault.JAM)
    rig.settle()
    told = listener.news()
    assert in_order(told, "Coin Acceptor", "AZK", "number 3 is 1.00", "take them", "5.00 is in the box"), told
    assert in_order(told, "1.00 is in the box", "jam (code 14)"), told


@pytest.mark.parametrize("protocol", sorted(set(PROTOCOLS) - {"cctalk"}))
def test_a_device_that_waits_makes_no_news(protocol: str) -> None:
    rig = Rig(protocol)
    listener = Listener(rig, PROTOCOLS[protocol].words())
    rig.ready()
    rig.settle(10)
    before = len(listener.news())
    rig.settle(20)
    assert listener.news()[before:] == []


@pytest.mark.parametrize("protocol", READABLE)
def test_bytes_one_by_one_say_the_same(protocol: str) -> None:
    listener = lived(protocol)
    words = PROTOCOLS[protocol].words()
    apart = [
        said for from_host, data in listener.heard for byte in data for said in words.hear(from_host, bytes((byte,)))
    ]
    assert [said.text for said in apart] == [said.text for said in listener.said]


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=20))
def test_nothing_that_a_line_holds_upsets_it(protocol: str, heard: list[tuple[bool, bytes]]) -> None:
    words = PROTOCOLS[protocol].words()
    for from_host, data in heard:
        for said in words.hear(from_host, data):
            assert said.text


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_harmed_frames_upset_it_as_little(protocol: str) -> None:
    """What a whole life said, with every byte in turn another one."""
    rig = CoinRig(protocol) if protocol == "cctalk" else Rig(protocol)
    listener = Listener(rig, PROTOCOLS[protocol].words())
    rig.ready()
    words = PROTOCOLS[protocol].words()
    for place, (from_host, data) in enumerate(listener.heard):
        harmed = bytearray(data)
        if harmed:
            harmed[place % len(harmed)] ^= 1 << place % 8
        words.hear(from_host, bytes(harmed))
    assert words.hear(from_host=True, data=b"") == []
