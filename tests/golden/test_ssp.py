"""SSP packets from the vendor's manual and from real devices, read and written byte for byte.

GA138: Innovative Technology's "SSP Protocol Manual" GA138_2_2_2129A, by the name of its section.
skokov3812: github.com/skokov3812/encrypted-smiley-secure-protocol, logs of NV9 and NV11 in the issues of that number.
kybarg: github.com/kybarg/ssp, lib/utils.test.js; decapod: github.com/decapod-atm/ssp, src/keys.rs.
facts: our own page on cash protocols, frames whose check was made with the verified algorithm.
"""

import pytest

from devices.crc import ssp
from devices.ssp.cipher import Offer, Sealed, Session, fixed_key, is_prime, number_bytes
from devices.ssp.dataset import Channel, Setup, setup, setup_data
from devices.ssp.wire import Decoder, Event, Frame, Happened, encode, events, events_data

PACKETS = [
    ("GA138 Sync", "7F 80 01 11 65 82", True, "11"),
    ("GA138 Sync, reply", "7F 80 01 F0 23 80", True, "F0"),
    ("GA138 Reset", "7F 80 01 01 06 02", True, "01"),
    ("GA138 Host Protocol Version", "7F 80 02 06 08 03 94", True, "06 08"),
    ("GA138 Host Protocol Version, refused", "7F 80 02 06 09 06 14", True, "06 09"),
    ("GA138 Host Protocol Version, FAIL", "7F 80 01 F8 10 00", True, "F8"),
    ("GA138 Poll", "7F 80 01 07 12 02", True, "07"),
    ("GA138 Poll, reset and disabled", "7F 80 03 F0 F1 E8 BF 8C", True, "F0 F1 E8"),
    ("GA138 Poll, credit and stacked", "7F 80 04 F0 EE 01 EB B9 48", True, "F0 EE 01 EB"),
    ("GA138 Get Serial Number", "7F 80 01 0C 2B 82", True, "0C"),
    ("GA138 Get Serial Number, reply", "7F 80 05 F0 00 1C 96 2C D4 97", True, "F0 00 1C 96 2C"),
    ("GA138 Disable", "7F 80 01 09 35 82", True, "09"),
    ("GA138 Enable", "7F 80 01 0A 3F 82", True, "0A"),
    ("GA138 Enable, cannot", "7F 80 01 F5 3D 80", True, "F5"),
    ("GA138 Get Firmware Version", "7F 80 01 20 C0 02", True, "20"),
    (
        "GA138 Get Firmware Version, reply",
        "7F 80 11 F0 4E 56 30 32 30 30 34 31 34 31 34 39 38 30 30 30 DE 55",
        True,
        "F0 4E 56 30 32 30 30 34 31 34 31 34 39 38 30 30 30",
    ),
    (
        "GA138 Get Dataset Version, reply",
        "7F 80 09 F0 45 55 52 30 31 36 31 30 B8 2A",
        True,
        "F0 45 55 52 30 31 36 31 30",
    ),
    ("GA138 Set Inhibits", "7F 80 03 02 07 00 2B B6", True, "02 07 00"),
    ("GA138 Set Inhibits, all", "7F 80 03 02 FF FF 25 A4", True, "02 FF FF"),
    ("GA138 Reject", "7F 80 01 08 30 02", True, "08"),
    ("GA138 Last Reject Code", "7F 80 01 17 71 82", True, "17"),
    ("GA138 Last Reject Code, reply", "7F 80 02 F0 08 0C 20", True, "F0 08"),
    ("GA138 Poll With Ack", "7F 80 01 56 F7 83", True, "56"),
    ("GA138 Poll With Ack, credit", "7F 80 04 F0 CC EE 01 62 AA", True, "F0 CC EE 01"),
    ("GA138 Event Ack", "7F 80 01 57 F2 03", True, "57"),
    ("GA138 Set Generator", "7F 80 09 4A C5 05 8F 3A 00 00 00 00 B2 73", True, "4A C5 05 8F 3A 00 00 00 00"),
    ("GA138 Set Modulus", "7F 80 09 4B 8D A6 13 00 00 00 00 00 6C F6", True, "4B 8D A6 13 00 00 00 00 00"),
    ("GA138 Request Key Exchange", "7F 80 09 4C 79 C8 9C E2 DE 06 00 00 9D 52", True, "4C 79 C8 9C E2 DE 06 00 00"),
    (
        "GA138 Request Key Exchange, reply",
        "7F 80 09 F0 23 68 1B FA E5 3C 27 DB 80 8A",
        True,
        "F0 23 68 1B FA E5 3C 27 DB",
    ),
    ("GA138 Hold", "7F 80 01 18 53 82", True, "18"),
    ("GA138 Setup Request", "7F 80 01 05 1D 82", True, "05"),
    ("GA138 Read, none yet", "7F 80 03 F0 EF 00 CF CA", True, "F0 EF 00"),
    ("GA138 Read, channel 3", "7F 80 03 F0 EF 03 C5 CA", True, "F0 EF 03"),
    ("GA138 Note Credit", "7F 80 03 F0 EE 04 D7 CC", True, "F0 EE 04"),
    ("GA138 Rejecting", "7F 80 02 F0 ED 51 A2", True, "F0 ED"),
    ("GA138 Rejected", "7F 80 02 F0 EC 54 22", True, "F0 EC"),
    ("GA138 Stacking", "7F 80 02 F0 CC 97 A2", True, "F0 CC"),
    ("GA138 Stacked", "7F 80 02 F0 EB 45 A2", True, "F0 EB"),
    ("GA138 Unsafe Jam", "7F 80 02 F0 E9 4A 22", True, "F0 E9"),
    ("GA138 Fraud Attempt", "7F 80 03 F0 E6 02 C0 7C", True, "F0 E6 02"),
    ("GA138 Stacker Full", "7F 80 02 F0 E7 6D A2", True, "F0 E7"),
    ("GA138 Note Cleared From Front", "7F 80 03 F0 E1 00 CC 6E", True, "F0 E1 00"),
    ("GA138 Note Cleared Into Cashbox", "7F 80 03 F0 E2 02 C3 E4", True, "F0 E2 02"),
    ("GA138 Note Path Open", "7F 80 02 F0 E0 7C 22", True, "F0 E0"),
    ("GA138 Channel Disable", "7F 80 02 F0 B5 82 23", True, "F0 B5"),
    ("GA138 Initialising", "7F 80 02 F0 B6 88 23", True, "F0 B6"),
    ("skokov3812 13, sync", "7F 00 01 11 66 08", False, "11"),
    ("skokov3812 13, ok", "7F 00 01 F0 20 0A", False, "F0"),
    ("skokov3812 13, version 6", "7F 00 02 06 06 1B 94", False, "06 06"),
    ("skokov3812 13, generator", "7F 80 09 4A 53 32 00 00 00 00 00 00 B7 07", True, "4A 53 32 00 00 00 00 00 00"),
    ("skokov3812 13, no prime", "7F 80 01 F4 38 00", True, "F4"),
    ("skokov3812 39, no such version", "7F 00 01 F4 3B 8A", False, "F4"),
    ("facts, a check with 7F in it", "7F 80 03 02 00 E6 7F 7F A6", True, "02 00 E6"),
]
IDS = [name for name, *_ in PACKETS]


@pytest.mark.parametrize(("_name", "line", "sequence", "data"), PACKETS, ids=IDS)
def test_a_packet_is_read_and_written(_name: str, line: str, data: str, *, sequence: bool) -> None:
    frame = Frame(0, sequence, bytes.fromhex(data))
    assert Decoder().feed(bytes.fromhex(line)) == [frame]
    assert encode(frame) == bytes.fromhex(line)


def test_another_address() -> None:
    """GA138, Get Counters: a hopper's request and the answer to it."""
    line = bytes.fromhex("7F 90 01 58 93 82")
    assert Decoder().feed(line) == [Frame(0x10, sequence=True, data=b"\x58")]
    assert encode(Frame(0x10, sequence=True, data=b"\x58")) == line


def test_one_byte_at_a_time() -> None:
    decoder = Decoder()
    for _name, line, sequence, data in PACKETS:
        found = [frame for byte in bytes.fromhex(line) for frame in decoder.feed(bytes((byte,)))]
        assert found == [Frame(0, sequence, bytes.fromhex(data))]
    assert decoder.garbled == 0


NOISES = [
    "00 FF",
    "02 03 06 33 DA 81",
    "7F",
    "7F 7F",
    "7F 80 20 01 02",
    "7F 80 01 11 65 83",
    "7F 80 00 00 00",
    "F0 7F 00",
]


@pytest.mark.parametrize("noise", NOISES)
def test_glued_together_with_noise_between(noise: str) -> None:
    """A lone 7F begins a packet wherever it stands, so that noise costs no packet that follows it."""
    decoder = Decoder()
    between = bytes.fromhex(noise)
    found = decoder.feed(between + between.join(bytes.fromhex(line) for _, line, *_ in PACKETS))
    assert found == [Frame(0, sequence, bytes.fromhex(data)) for _, _, sequence, data in PACKETS]
    assert decoder.garbled > 0


def test_a_wrong_check_is_no_packet() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex("7F 80 01 F0 23 81")) == []
    assert decoder.garbled == 6


def test_the_rest_of_a_packet_that_never_comes_is_dropped() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex("7F 80 09 F0 23 68 7F")) == []
    decoder.drop()
    assert decoder.garbled == 7
    assert decoder.feed(bytes.fromhex("7F 80 01 F0 23 80")) == [Frame(0, sequence=True, data=b"\xf0")]


# Events --------------------------------------------------------------------------------------------------------------


def test_events_of_one_answer() -> None:
    """GA138, Poll: credit of channel 1 and stacked; Poll With Ack: stacking and credit."""
    assert events(bytes.fromhex("EE 01 EB"), 8) == [Happened(Event.NOTE_CREDIT, b"\x01"), Happened(Event.STACKED)]
    assert events(bytes.fromhex("CC EE 01"), 8) == [Happened(Event.STACKING), Happened(Event.NOTE_CREDIT, b"\x01")]
    assert events(b"", 8) == []


def test_the_length_of_an_event_depends_on_the_version() -> None:
    """kybarg, lib/utils.js: CA with value and country from version 8 on; GA138: EE of SMART Currency in version 9."""
    paid_in = bytes.fromhex("CA F4 01 00 00 43 4E 59 E8")
    assert events(paid_in, 8) == [
        Happened(Event.PAID_INTO_STACKER_AT_POWER_UP, paid_in[1:8]),
        Happened(Event.DISABLED),
    ]
    assert events(bytes.fromhex("CA E8"), 7) == [
        Happened(Event.PAID_INTO_STACKER_AT_POWER_UP),
        Happened(Event.DISABLED),
    ]
    credit = bytes.fromhex("EE 43 4E 59 E8 03 00 00")
    assert events(credit, 9) == [Happened(Event.NOTE_CREDIT, credit[1:])]
    assert events(credit, 8) is None


@pytest.mark.parametrize(("event", "since"), [("E1 00", 5), ("E2 02", 5), ("E0", 6), ("B5", 7)])
def test_an_event_below_its_version_is_unknown(event: str, since: int) -> None:
    """GA138, "Protocol minimum version" of each event."""
    assert events(bytes.fromhex(event), since - 1) is None
    assert events(bytes.fromhex(event), since) is not None


@pytest.mark.parametrize("answer", ["99", "EE 01 99", "99 EE 01", "EE", "CC EF", "DA 01 00 00 00 00 43 4E 59"])
def test_an_answer_with_an_unknown_part_is_unknown_as_a_whole(answer: str) -> None:
    assert events(bytes.fromhex(answer), 8) is None


def test_events_are_written_as_they_are_read() -> None:
    answer = bytes.fromhex("F1 E2 02 EF 00 CC EE 01 EB E8")
    assert events_data(events(answer, 8) or []) == answer


# The dataset ---------------------------------------------------------------------------------------------------------

GBP = "00 30 31 30 30 47 42 50 00 00 01 03 05 0A 14 02 02 02 40 00 00 05"


def test_a_dataset_of_version_5() -> None:
    """GA138, Setup Request: 5, 10 and 20 GBP, firmware 1.00."""
    packet = bytes.fromhex(f"7F 80 17 F0 {GBP} 61 81")
    (frame,) = Decoder().feed(packet)
    assert encode(frame) == packet
    known = Setup(0, "0100", "GBP", 0x400000, 5, (Channel(5, "GBP"), Channel(10, "GBP"), Channel(20, "GBP")))
    assert setup(frame.data[1:]) == known
    assert setup_data(known) == bytes.fromhex(GBP)


def test_a_dataset_of_version_6() -> None:
    """GA138, Banknote Validator, the table for versions of 6 and more."""
    data = bytes.fromhex(
        "06 30 34 31 34 45 55 52 00 00 00 02 00 00 00 00 00 00 64 06 45 55 52 45 55 52 05 00 00 00 F4 01 00 00"
    )
    known = Setup(6, "0414", "EUR", 100, 6, (Channel(5, "EUR"), Channel(500, "EUR")))
    assert setup(data) == known
    for short in range(len(data)):
        assert setup(data[:short]) is None


# Encryption ----------------------------------------------------------------------------------------------------------


def test_a_reply_of_a_real_device_is_opened() -> None:
    """kybarg, extractPacketData: an encrypted serial number, the reply to the first command of a session."""
    (frame,) = Decoder().feed(bytes.fromhex("7F 00 11 7E 70 2F FE 1D 41 19 44 AD DA D1 DF D6 77 F5 33 CC 63 1D"))
    fixed = fixed_key("0123456701234567")
    assert fixed is not None
    assert fixed == bytes.fromhex("67 45 23 01 67 45 23 01")
    session = Session(fixed, 0x6595, bytes)
    assert session.open(frame.data[1:]) == Sealed(1, bytes.fromhex("F0 00 4A 78 B4"))
    assert Session(fixed, 0x6594, bytes).open(frame.data[1:]) is None


def test_what_a_real_device_encrypted_is_built_like_that() -> None:
    """skokov3812 44: the packet, and what was in it, seven commands into the session: an NV11 whose float is broken."""
    (frame,) = Decoder().feed(bytes.fromhex("7F 00 11 7E 89 63 EE 30 72 F1 28 48 23 DA 48 D8 E0 76 5D FD 4D 2E"))
    assert len(frame.data) == 17
    plain = bytes.fromhex("02 07 00 00 00 F0 C6 BA B3 78 19 66 EF 04 06 F4")
    assert ssp(plain[:-2]).to_bytes(2, "little") == plain[-2:]
    assert events(plain[6:7], 6) == [Happened(Event.PAYOUT_OUT_OF_SERVICE)]


def test_a_key_is_agreed_upon() -> None:
    """decapod, test_known_keys: a host's two primes and secret, both public numbers, and the key."""
    offer = Offer(generator=0x7FCC9EE3, modulus=0x7F1C7181, secret=0x7F2BCEEC)
    assert offer.public == 0x0C043F46
    assert offer.agreed(0x634C0016) == 0x7BF49046


def test_primes() -> None:
    """GA138, Set Generator and Set Modulus; skokov3812 13: a device refused 12883, which is 13 times 991."""
    assert is_prime(982_451_653)
    assert is_prime(1_287_821)
    assert not is_prime(12_883)
    assert number_bytes(982_451_653) == bytes.fromhex("C5 05 8F 3A 00 00 00 00")


def test_a_command_is_sealed_in_blocks() -> None:
    """GA138, Encryption Layer: length, count, data, packing and check are a multiple of 16 bytes."""
    session = Session(bytes(8), 1, bytes)
    session.count = 0x01020304
    for length in range(1, 40):
        sealed = session.seal(bytes(length))
        assert len(sealed) % 16 == 0
        assert len(sealed) - 16 < 1 + 4 + length + 2 <= len(sealed)
        assert session.open(sealed) == Sealed(0x01020304, bytes(length))
