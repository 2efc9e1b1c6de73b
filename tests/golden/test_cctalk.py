"""ccTalk frames from manuals and public sources, read and written byte for byte; each says where it is from.

- FACTS: our notes on the vendors' manuals, "ccTalk"
- X6: Azkoyen, "Modular X6 ccTalk validator", E 10210 of 12-2005, 5.5 to 5.49, the examples (in decimal there)
- C4J: PierreBeucher/ccTalk4j, src/test/java/…/core: SimpleChecksumMessageTest, CRCChecksumMessageTest and -ParserTest
- OURS: made with the checks that all of the above verify
"""

import pytest

from devices.cctalk import wire
from devices.cctalk.bills_sim import CctalkBillSimulator
from devices.cctalk.coins_sim import CctalkCoinSimulator
from devices.cctalk.wire import HOST, Check, Decoder, Frame, Header, Reading, Result, Scaling, encode
from devices.simulator import Simulator

COINS, BILLS = 2, 40
ASKED = [
    ("02 00 01 FE FF", Frame(COINS, Header.SIMPLE_POLL, source=HOST)),  # FACTS
    ("02 00 01 F5 08", Frame(COINS, Header.REQUEST_EQUIPMENT_CATEGORY_ID, source=HOST)),  # FACTS, C4J
    ("02 00 01 F6 07", Frame(COINS, Header.REQUEST_MANUFACTURER_ID, source=HOST)),  # FACTS
    ("02 00 01 E5 18", Frame(COINS, Header.READ_BUFFERED_CREDIT_OR_ERROR_CODES, source=HOST)),  # FACTS, X6
    ("02 00 01 E6 17", Frame(COINS, Header.REQUEST_INHIBIT_STATUS, source=HOST)),  # X6
    ("02 00 01 E8 15", Frame(COINS, Header.PERFORM_SELF_CHECK, source=HOST)),  # X6
    ("03 00 01 FA 02", Frame(3, 250, source=HOST)),  # X6: address random, never ours
    ("28 00 01 9F 38", Frame(BILLS, Header.READ_BUFFERED_BILL_EVENTS, source=HOST)),  # FACTS, C4J
    ("28 01 01 9A 01 3B", Frame(BILLS, Header.ROUTE_BILL, b"\x01", HOST)),  # FACTS
    ("28 01 01 9A 00 3C", Frame(BILLS, Header.ROUTE_BILL, b"\x00", HOST)),  # OURS
    ("28 01 01 99 03 3A", Frame(BILLS, Header.MODIFY_BILL_OPERATING_MODE, b"\x03", HOST)),  # OURS
    ("02 02 01 E7 1C 00 F8", Frame(COINS, Header.MODIFY_INHIBIT_STATUS, b"\x1c\x00", HOST)),  # OURS
    ("02 01 01 E4 00 18", Frame(COINS, Header.MODIFY_MASTER_INHIBIT_STATUS, b"\x00", HOST)),  # OURS
    ("02 01 01 B8 03 41", Frame(COINS, Header.REQUEST_COIN_ID, b"\x03", HOST)),  # OURS
]
SAID = [
    (  # FACTS
        "01 0D 02 00 43 6F 69 6E 20 41 63 63 65 70 74 6F 72 16",
        Frame(HOST, Header.REPLY, b"Coin Acceptor", COINS),
    ),
    ("01 02 02 00 02 03 F6", Frame(HOST, Header.REPLY, b"\x02\x03", COINS)),  # X6: coil 3 is faulty
    ("01 01 02 00 00 FC", Frame(HOST, Header.REPLY, b"\x00", COINS)),  # X6: no fault
    ("01 02 02 00 00 00 FB", Frame(HOST, Header.REPLY, b"\x00\x00", COINS)),  # X6: all coins inhibited after a reset
    ("01 00 03 00 FC", Frame(HOST, Header.REPLY, b"", 3)),  # X6: ACK
    ("01 01 02 00 06 F6", Frame(HOST, Header.REPLY, b"\x06", COINS)),  # X6
    ("01 00 02 05 F8", Frame(HOST, Header.NAK, b"", COINS)),  # OURS
    ("01 00 02 06 F7", Frame(HOST, Header.BUSY, b"", COINS)),  # OURS
    ("01 01 28 00 FE D8", Frame(HOST, Header.REPLY, b"\xfe", BILLS)),  # OURS: the escrow is empty
]
EVENTS = "01 0B 02 00 06 06 04 00 14 00 17 06 04 0D 02 9E"  # X6: six events, the last five of them
CYCLIC = [
    ("28 00 46 01 3F", Frame(BILLS, Header.RESET_DEVICE)),  # FACTS, C4J
    ("01 03 72 00 41 53 54 C0", Frame(HOST, Header.REPLY, b"AST")),  # C4J: a manufacturer
]
WRONG = [
    ("02 07 01 B9 03 45 55 31 30 30 20 FB", Check.SUM),  # X6, 5.48, as printed: the sum would be EF
    ("01 03 72 00 3F 53 54 C0", Check.CRC),  # C4J: a wrong byte
    ("01 03 72 00 41 53 54 13", Check.CRC),  # C4J: a wrong check
    ("28 00 46 01 3F", Check.SUM),  # the other form
    ("02 00 01 F5 08", Check.CRC),
]
SUMMED = [text for text, _ in ASKED + SAID] + [EVENTS]
ALL = [(text, Check.SUM) for text in SUMMED] + [(text, Check.CRC) for text, _ in CYCLIC]
NOISE = bytes.fromhex("FF FF 80 FC 91 F7 A7 7F 5E 01")  # no frame, nor the start of one


def frame_of(text: str, check: Check = Check.SUM) -> Frame:
    """The one frame in these bytes."""
    (frame,) = Decoder(check).feed(bytes.fromhex(text))
    return frame


# Byte for byte -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "frame"), ASKED + SAID)
def test_a_summed_frame_is_written_and_read_byte_for_byte(text: str, frame: Frame) -> None:
    assert encode(frame) == bytes.fromhex(text)
    assert frame_of(text) == frame


@pytest.mark.parametrize(("text", "frame"), CYCLIC)
def test_a_cyclic_frame_is_written_and_read_byte_for_byte(text: str, frame: Frame) -> None:
    assert encode(frame, Check.CRC) == bytes.fromhex(text)
    assert frame_of(text, Check.CRC) == frame


def test_the_events_of_a_coin_acceptor() -> None:
    frame = frame_of(EVENTS)
    said = Reading(6, (Result(6, 4), Result(0, 20), Result(0, 23), Result(6, 4), Result(13, 2)))
    assert wire.reading(frame.data) == said
    assert encode(Frame(HOST, Header.REPLY, wire.reading_data(said), COINS)) == bytes.fromhex(EVENTS)


def test_what_has_not_happened_yet_is_zeros() -> None:
    assert wire.reading_data(Reading(1, (Result(3, 1),))) == bytes.fromhex("01 03 01 00 00 00 00 00 00 00 00")


def test_a_mask_begins_with_coin_1_in_bit_0_of_its_first_byte() -> None:
    assert wire.mask_data(frozenset({3, 4, 5})) == b"\x1c\x00"  # X6, 5.18: data 1 is coins 1 to 8
    assert wire.mask_data(frozenset({1, 9, 16})) == b"\x01\x81"
    assert wire.masked(b"\x01\x81") == {1, 9, 16}


def test_a_scaling_factor_has_its_low_byte_first() -> None:
    assert wire.scaling(bytes.fromhex("E8 03 00")) == Scaling(1000, 0)  # C4J, BillValidatorTest: 1000, no decimals
    assert wire.scaling_data(Scaling(1000, 0)) == bytes.fromhex("E8 03 00")
    assert wire.scaling(bytes(3)) is None  # a country that the device does not have


def test_a_frame_that_no_device_sends_is_written_and_not_believed() -> None:
    assert encode(Frame(HOST, 127, b"", BILLS)) == bytes.fromhex("01 00 28 7F 58")  # C4J
    assert Decoder().feed(bytes.fromhex("01 00 28 7F 58")) == []


@pytest.mark.parametrize(("text", "check"), WRONG)
def test_a_wrong_check_is_no_frame(text: str, check: Check) -> None:
    decoder = Decoder(check)
    assert decoder.feed(bytes.fromhex(text)) == []
    decoder.drop()
    assert decoder.garbled == len(bytes.fromhex(text))


# In pieces, glued together, amid noise -------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "check"), ALL)
def test_it_comes_one_byte_at_a_time(text: str, check: Check) -> None:
    decoder = Decoder(check)
    *start, last = bytes.fromhex(text)
    for byte in start:
        assert decoder.feed(bytes((byte,))) == []
    assert decoder.feed(bytes((last,))) == [frame_of(text, check)]
    assert decoder.garbled == 0


@pytest.mark.parametrize("check", Check)
def test_they_come_glued_together(check: Check) -> None:
    texts = [text for text, its in ALL if its is check]
    glued = b"".join(bytes.fromhex(text) for text in texts)
    assert Decoder(check).feed(glued) == [frame_of(text, check) for text in texts]


@pytest.mark.parametrize("check", Check)
def test_they_come_with_noise_between(check: Check) -> None:
    texts = [text for text, its in ALL if its is check]
    decoder = Decoder(check)
    stream = b"".join(NOISE + bytes.fromhex(text) for text in texts)
    frames = [frame for byte in stream for frame in decoder.feed(bytes((byte,)))]
    assert frames == [frame_of(text, check) for text in texts]
    assert decoder.garbled == len(NOISE) * len(texts)


def test_a_length_that_nothing_has_is_noise() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x01\xff" + bytes.fromhex("01 01 02 00 00 FC")) == [Frame(HOST, Header.REPLY, b"\x00", COINS)]


# Whole conversations with the simulated devices ----------------------------------------------------------------------


def answers(simulator: Simulator, *asked: str) -> list[str]:
    """What it answers to each of these frames."""
    for now_ms in (0, 5_000):
        simulator.pass_time(now_ms)
    told: list[str] = []
    for text in asked:
        simulator.receive(bytes.fromhex(text), 5_000)
        told.append(simulator.take_sent().hex(" ").upper())
    return told


def test_the_simulated_coin_acceptor_answers_as_the_manual_says() -> None:
    assert answers(CctalkCoinSimulator(), "02 00 01 F5 08", "02 00 01 E6 17", "02 00 01 E8 15", "02 00 01 E5 18") == [
        "01 0D 02 00 43 6F 69 6E 20 41 63 63 65 70 74 6F 72 16",  # FACTS
        "01 02 02 00 00 00 FB",  # X6
        "01 01 02 00 00 FC",  # X6
        "01 0B 02 00 00 00 00 00 00 00 00 00 00 00 00 F2",  # OURS: nothing has happened
    ]


def test_the_simulated_bill_validator_answers_likewise() -> None:
    assert answers(CctalkBillSimulator(), "28 00 01 9F 38", "28 01 01 9A 01 3B", "28 01 01 9A 00 3C") == [
        "01 0B 28 00 00 00 00 00 00 00 00 00 00 00 00 CC",
        "01 01 28 00 FE D8",
        "01 01 28 00 FE D8",
    ]


def test_nobody_answers_what_is_not_for_him_or_came_to_harm() -> None:
    assert answers(CctalkCoinSimulator(), "28 00 01 9F 38", "02 00 01 F5 09", "28 00 46 01 3F") == ["", "", ""]
