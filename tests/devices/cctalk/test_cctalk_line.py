"""What can be wrong with a ccTalk line, or with who is on it: it is named, and nothing is believed."""

import pytest

from devices.cctalk.exchange import ECHO_MISSING, ECHO_UNKNOWN, STARTS_WITHIN_S
from devices.cctalk.simulated import Model
from devices.cctalk.wire import Header
from devices.link import LinkLost
from kiosk.ports.acceptor import DeviceFailed, DeviceReady
from kiosk.ports.coin_acceptor import CoinInserted
from kiosk.ports.fault import Fault
from tests.devices.cctalk.bench import Bench, BillBench, CoinBench, reply
from tests.kiosk.flow.stage import yuan

EVENTS = Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES
YUAN = (3, 1)
CCNET = bytes.fromhex("02 03 06 14 67 D4")
OTHER_SPEED = bytes.fromhex("E0 00 FC 1C 80 FF")


@pytest.mark.parametrize("options", [{"crc"}, {"echo"}, {"crc", "echo"}])
def test_the_forms_that_a_line_can_have(options: set[str]) -> None:
    bench = CoinBench(Model(frozenset(options))).open()
    assert bench.happens(YUAN) == [CoinInserted("coin", 256, yuan(1))]


@pytest.mark.parametrize("bench", [CoinBench(address=11), BillBench(address=41)])
def test_another_address(bench: Bench) -> None:
    bench.begin()
    assert bench.driver.identity.model
    assert {frame.destination for frame in bench.end.asked} == {bench.address}


def test_nobody_there() -> None:
    bench = CoinBench()
    bench.end.silent = True
    assert bench.gone(at_once=True).fault is Fault.SILENT
    assert STARTS_WITHIN_S * 1000 <= bench.line.now_ms <= STARTS_WITHIN_S * 1000 + 1_500
    assert bench.facts == [DeviceFailed("coin", Fault.SILENT)]
    bench.driver.lost(Fault.SILENT)
    assert len(bench.facts) == 1


def test_one_that_needs_a_while_to_start() -> None:
    bench = CoinBench()
    bench.end.raw[Header.SIMPLE_POLL] = [b""] * 5
    bench.begin()
    assert [type(fact) for fact in bench.facts] == [DeviceReady]


def test_it_falls_silent() -> None:
    bench = CoinBench().open()
    bench.end.silent = True
    assert bench.gone().fault is Fault.SILENT


def test_it_is_unplugged() -> None:
    bench = CoinBench().open()
    bench.line.plugged = False
    with pytest.raises(LinkLost):
        bench.turns()


@pytest.mark.parametrize("said", [CCNET, OTHER_SPEED, b"\x00" * 20], ids=["CCNET", "another speed", "zeros"])
def test_another_protocol_on_the_line(said: bytes) -> None:
    bench = CoinBench()
    bench.end.raw[Header.SIMPLE_POLL] = [said] * 30
    assert bench.gone(at_once=True).fault is Fault.GARBLED


@pytest.mark.parametrize("options", [frozenset[str](), frozenset({"crc"})])
def test_a_device_that_speaks_the_other_form_says_nothing(options: frozenset[str]) -> None:
    bench = CoinBench(Model(options))
    bench.model = Model(options ^ {"crc"})
    bench.host_starts()
    assert bench.gone(at_once=True).fault is Fault.SILENT
    assert bench.end.asked == []


@pytest.mark.parametrize("place", range(16))
def test_a_wrong_bit_anywhere_is_noticed_and_asked_again(place: int) -> None:
    bench = CoinBench().open()
    bench.device.happens(YUAN)
    genuine = reply(bytes((1, *YUAN, *bytes(8))), 2)
    harmed = bytearray(genuine)
    harmed[place] ^= 0x04
    bench.end.raw[EVENTS] = [bytes(harmed)]
    assert bench.turns(2) == [CoinInserted("coin", 256, yuan(1))]


def test_nothing_but_wrong_checks() -> None:
    bench = CoinBench().open()
    bench.end.raw[EVENTS] = [reply(bytes(11), 2)[:-1] + b"\x00"] * 9
    assert bench.gone().fault is Fault.GARBLED


@pytest.mark.parametrize("size", [0, 1, 10, 12])
def test_an_answer_of_another_size_is_none(size: int) -> None:
    bench = CoinBench().open()
    bench.end.raw[EVENTS] = [reply(bytes(size), 2)] * 9
    assert bench.gone().fault is Fault.GARBLED


def test_an_answer_of_another_device_is_none() -> None:
    bench = CoinBench().open()
    bench.device.happens(YUAN)
    bench.end.raw[EVENTS] = [reply(bytes(11), 3)] * 2
    assert bench.turns(2) == [CoinInserted("coin", 256, yuan(1))]


def test_it_is_busy_for_a_while() -> None:
    bench = CoinBench().open()
    bench.device.happens(YUAN)
    bench.end.raw[EVENTS] = [reply(b"", 2, Header.BUSY)] * 2
    assert bench.turns(2) == [CoinInserted("coin", 256, yuan(1))]


def test_it_is_busy_for_ever() -> None:
    bench = CoinBench().open()
    bench.end.raw[EVENTS] = [reply(b"", 2, Header.BUSY)] * 9
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "BUSY229")


def test_it_refuses_what_every_device_knows() -> None:
    bench = CoinBench().open()
    bench.end.raw[EVENTS] = [reply(b"", 2, Header.NAK)] * 9
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "NAK229")


def test_no_two_readings_agree() -> None:
    bench = CoinBench().open()
    bench.end.raw[EVENTS] = [reply(bytes((count, *YUAN, *bytes(8))), 2) for count in range(1, 6)]
    assert bench.turns() == []  # it is asked again at the next turn


def test_it_says_each_time_that_it_is_somebody_else() -> None:
    bench = CoinBench()
    bench.end.raw[Header.REQUEST_SERIAL_NUMBER] = [reply(bytes((count, 0, 0)), 2) for count in range(1, 9)]
    assert bench.gone(at_once=True).fault is Fault.GARBLED


# Its own echo --------------------------------------------------------------------------------------------------------


def test_an_echo_that_nobody_has_configured() -> None:
    bench = CoinBench(Model(frozenset({"echo"})))
    bench.model = Model()
    bench.host_starts()
    gone = bench.gone(at_once=True)
    assert (gone.fault, gone.detail) == (Fault.GARBLED, ECHO_UNKNOWN)


def test_an_echo_that_is_configured_and_does_not_come() -> None:
    bench = CoinBench()
    bench.model = Model(frozenset({"echo"}))
    bench.host_starts()
    gone = bench.gone(at_once=True)
    assert (gone.fault, gone.detail) == (Fault.GARBLED, ECHO_MISSING)


def test_an_echo_that_comes_and_nothing_else() -> None:
    bench = CoinBench(Model(frozenset({"echo"}))).open()
    bench.device.model = Model(frozenset({"echo"}), unheard=frozenset({EVENTS}))
    assert bench.gone().fault is Fault.SILENT


def test_an_echo_that_comes_to_harm_is_said_again() -> None:
    bench = CoinBench(Model(frozenset({"echo"}))).open()
    bench.device.happens(YUAN)
    bench.end.raw[EVENTS] = [bytes.fromhex("02 00 01 E5 19") + reply(bytes(11), 2)]
    assert bench.turns(2) == [CoinInserted("coin", 256, yuan(1))]


def test_the_hosts_own_words_are_no_answer() -> None:
    """On a line that echoes in pieces, what we say and what is answered come in any portions."""
    bench = CoinBench(Model(frozenset({"echo"}))).open()
    bench.device.happens(YUAN)
    genuine = bytes.fromhex("02 00 01 E5 18") + reply(bytes((1, *YUAN, *bytes(8))), 2)
    for cut in range(1, len(genuine)):
        bench.end.raw[EVENTS] = [genuine[:cut]]
        bench.turns()
    assert bench.turns() == []


# Who is on it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bench", "category"), [
    (CoinBench(category="Payout"), "Payout"),
    (CoinBench(category="Bill Validator"), "Bill Validator"),
    (CoinBench(category="Changer"), "Changer"),
    (BillBench(category="Coin Acceptor"), "Coin Acceptor"),
    (BillBench(category="Bill Recycler"), "Bill Recycler"),
])  # fmt: skip
def test_a_device_of_another_kind(bench: Bench, category: str) -> None:
    gone = bench.gone(at_once=True)
    assert (gone.fault, gone.detail) == (Fault.WRONG_KIND, category)
    assert not bench.device.open


@pytest.mark.parametrize("bench", [CoinBench(category="COIN_ACCEPTOR"), BillBench(category="Bill_Validator")])
def test_some_write_it_otherwise(bench: Bench) -> None:
    assert bench.begin().driver.identity.model


def test_a_device_that_does_not_say_what_it_is() -> None:
    bench = CoinBench(Model(refused=frozenset({Header.REQUEST_EQUIPMENT_CATEGORY_ID})))
    assert bench.gone(at_once=True).fault is Fault.WRONG_KIND


def test_a_device_that_says_little_of_itself() -> None:
    silent = frozenset({Header.REQUEST_MANUFACTURER_ID, Header.REQUEST_PRODUCT_CODE, Header.REQUEST_SOFTWARE_REVISION})
    for model in (Model(refused=silent), Model(unheard=silent)):
        identity = CoinBench(model).begin().driver.identity
        assert (identity.model, identity.firmware, identity.serial) == ("Coin Acceptor", "", "123456")
