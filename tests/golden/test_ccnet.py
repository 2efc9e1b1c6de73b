"""CCNET frames as they stand in manuals and public sources, read and written byte for byte; each says where it is from.

- FACTS: our notes on the vendors' manuals, "CCNET"
- PHP: slowdream/client, app/libs/cashcode/cashcodes.php, the array of commands
- FLS: a public converter from CCNET to ID-003, `crc_test.c` by pdewit, messages recorded from a CashCode FLS
- UAH: a public CashCode emulator for Arduino (hryvnia), its arrays of answers
- MAN: the order of messages in "CashCode NET Interface", MAN_CCNET Rev. 2.3.1 (Nov 2002), appendix 7.1 to 7.5
- OURS: made with the check that all of the above verify
"""

import pytest

from devices.ccnet import wire
from devices.ccnet.sim import CcnetSimulator
from devices.ccnet.wire import Answer, Bill, Command, Decoder, Frame, Identification, State, encode
from devices.mechanism import Mechanism, Timings
from devices.simulator import Simulator
from kiosk.amount import Money

FRAMES = [
    ("02 03 06 00 C2 82", wire.ACK),  # FACTS, PHP
    ("02 03 06 30 41 B3", bytes((Command.RESET,))),  # FACTS, PHP
    ("02 03 06 31 C8 A2", bytes((Command.GET_STATUS,))),  # PHP
    ("02 03 06 32 53 90", bytes((Command.SET_SECURITY,))),  # PHP
    ("02 03 06 33 DA 81", bytes((Command.POLL,))),  # FACTS, PHP, FLS
    ("02 03 06 35 EC E4", bytes((Command.STACK,))),  # FACTS, PHP
    ("02 03 06 36 77 D6", bytes((Command.RETURN,))),  # FACTS, PHP
    ("02 03 06 37 FE C7", bytes((Command.IDENTIFICATION,))),  # PHP, UAH
    ("02 03 06 38 09 3F", bytes((Command.HOLD,))),  # PHP
    ("02 03 06 41 4F D1", bytes((Command.BILL_TABLE,))),  # UAH
    ("02 03 0C 34 FF FF FF FF FF FF FE F7", wire.enable_body(frozenset(range(24)))),  # FACTS, PHP
    ("02 03 0C 34 00 00 00 00 00 00 17 0C", wire.enable_body(frozenset())),  # PHP, UAH
    ("02 03 0C 34 00 FF FF 00 FF FF 27 CC", wire.enable_body(frozenset(range(16)))),  # UAH
    ("02 03 0C 34 FF FF FF 00 00 00 B5 C1", bytes.fromhex("34 FF FF FF 00 00 00")),  # PHP: without escrow, never ours
    ("02 03 0C 34 00 00 7C 00 00 7C 8D 78", wire.enable_body(frozenset(range(2, 7)))),  # OURS
]
SAID = [
    ("02 03 06 10 43 92", Answer(State.POWER_UP)),  # OURS, and so are all without another source
    ("02 03 06 11 CA 83", Answer(State.POWER_UP_IN_VALIDATOR)),
    ("02 03 06 12 51 B1", Answer(State.POWER_UP_IN_STACKER)),
    ("02 03 06 13 D8 A0", Answer(State.INITIALISE)),
    ("02 03 06 14 67 D4", Answer(State.IDLING)),  # FACTS, FLS, UAH
    ("02 03 06 15 EE C5", Answer(State.ACCEPTING)),  # UAH
    ("02 03 06 17 FC E6", Answer(State.STACKING)),  # UAH
    ("02 03 06 18 0B 1E", Answer(State.RETURNING)),
    ("02 03 06 19 82 0F", Answer(State.DISABLED)),  # FACTS, UAH
    ("02 03 06 1A 19 3D", Answer(State.HOLDING)),
    ("02 03 07 1B 05 D4 99", Answer(State.BUSY, 5)),
    ("02 03 07 1C 68 3F 6C", Answer(State.REJECTING, 0x68)),
    ("02 03 06 42 D4 E3", Answer(State.CASSETTE_OUT)),
    ("02 03 06 43 5D F2", Answer(State.JAMMED)),
    ("02 03 06 44 E2 86", Answer(State.CASSETTE_JAMMED)),
    ("02 03 06 45 6B 97", Answer(State.CHEATED)),
    ("02 03 06 46 F0 A5", Answer(State.PAUSE)),
    ("02 03 07 47 50 AB E6", Answer(State.FAILURE, 0x50)),
    ("02 03 07 80 07 33 47", Answer(State.ESCROW, 7)),  # FACTS, UAH
    ("02 03 07 81 07 EB 5E", Answer(State.STACKED, 7)),  # FACTS, UAH
    ("02 03 07 82 03 A7 32", Answer(State.RETURNED, 3)),
]
WRONG = [  # UAH: escrow and stacked of type 3, with the check of another frame
    "02 03 07 80 03 9E 10",
    "02 03 07 81 03 46 09",
]
TABLE = (  # UAH: 5 to 1000 hryvnias
    "02 03 7D"
    " 05 55 4B 52 00 01 55 4B 52 01 02 55 4B 52 01 05 55 4B 52 01"
    " 01 55 4B 52 02 02 55 4B 52 02 05 55 4B 52 02 01 55 4B 52 03" + " 00" * 80 + " F9 E7"
)
FLS = (
    "02 03 27 46 4C 53 2D 45 55 31 30 2D 36 39 33 36 33 39 30 37 4B 49 34 31 41 53 37 34 38 32"
    " 75 ED 8D C8 03 3F 7B 35 DA"
)
UAH = (
    "02 03 27 56 55 2D 55 41 31 38 33 37 41 46 20 20 20 20 30 30 4B 35 30 35 30 32 31 38 31 31"
    " 41 10 00 00 00 C9 FF BB 46"
)
ALL = [text for text, _ in FRAMES] + [text for text, _ in SAID] + [TABLE, FLS, UAH]
NOISE = bytes.fromhex("00 FF 03 06 02 03 07 80 07 33 48 FC 05 11 27 56 02 01 05")  # no frame, nor the start of one


def body_of(text: str) -> bytes:
    """The body of the one frame in these bytes."""
    (frame,) = Decoder().feed(bytes.fromhex(text))
    assert frame.address == wire.VALIDATOR
    return frame.body


# Byte for byte -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "body"), FRAMES)
def test_a_command_is_written_and_read_byte_for_byte(text: str, body: bytes) -> None:
    assert encode(Frame(wire.VALIDATOR, body)) == bytes.fromhex(text)
    assert body_of(text) == body


@pytest.mark.parametrize(("text", "answer"), SAID)
def test_an_answer_is_read_and_written_byte_for_byte(text: str, answer: Answer) -> None:
    body = body_of(text)
    assert wire.answer(body) == answer
    assert encode(Frame(wire.VALIDATOR, body)) == bytes.fromhex(text)


def test_a_bill_table() -> None:
    bills = wire.bill_table(body_of(TABLE))
    assert bills is not None
    assert bills == {
        0: Bill(5, "UKR", 0),
        1: Bill(1, "UKR", 1),
        2: Bill(2, "UKR", 1),
        3: Bill(5, "UKR", 1),
        4: Bill(1, "UKR", 2),
        5: Bill(2, "UKR", 2),
        6: Bill(5, "UKR", 2),
        7: Bill(1, "UKR", 3),
    }
    assert encode(Frame(wire.VALIDATOR, wire.bill_table_body(bills))) == bytes.fromhex(TABLE)


@pytest.mark.parametrize(("text", "part", "serial", "asset"), [
    (FLS, "FLS-EU10-693639", "07KI41AS7482", "75 ED 8D C8 03 3F 7B"),
    (UAH, "VU-UA1837AF", "00K505021811", "41 10 00 00 00 C9 FF"),
])  # fmt: skip
def test_an_identification(text: str, part: str, serial: str, asset: str) -> None:
    who = wire.identification(body_of(text))
    assert who is not None
    assert who == Identification(part, serial, bytes.fromhex(asset))
    assert encode(Frame(wire.VALIDATOR, wire.identification_body(who))) == bytes.fromhex(text)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_check_is_no_frame(text: str) -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(text)) == []
    decoder.drop()
    assert decoder.garbled == len(bytes.fromhex(text))


# In pieces, glued together, amid noise -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ALL)
def test_it_comes_one_byte_at_a_time(text: str) -> None:
    decoder = Decoder()
    *start, last = bytes.fromhex(text)
    for byte in start:
        assert decoder.feed(bytes((byte,))) == []
    assert decoder.feed(bytes((last,))) == [Frame(wire.VALIDATOR, body_of(text))]
    assert decoder.garbled == 0


def test_frames_come_glued_together_with_noise_between() -> None:
    expected = [Frame(wire.VALIDATOR, body_of(text)) for text in ALL]
    stream = NOISE.join(bytes.fromhex(text) for text in ["", *ALL, ""])
    whole = Decoder()
    assert whole.feed(stream) == expected
    assert whole.garbled == len(NOISE) * (len(ALL) + 1)
    in_pieces = Decoder()
    assert [frame for byte in stream for frame in in_pieces.feed(bytes((byte,)))] == expected


def test_a_frame_after_half_a_frame_is_found_once_the_rest_is_given_up() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(TABLE)[:60]) == []
    decoder.drop()
    assert decoder.feed(bytes.fromhex("02 03 06 14 67 D4")) == [Frame(wire.VALIDATOR, b"\x14")]


# Lengths -------------------------------------------------------------------------------------------------------------

LONG = "02 03 00 60 00 01 0C" + " 00" * 259 + " AE AB"  # OURS, laid out as FACTS and TerminalClient's CCNet.cpp do it


def test_a_long_frame_has_its_length_behind_the_subcommand() -> None:
    body = b"\x60" + bytes(260)
    assert encode(Frame(wire.VALIDATOR, body)) == bytes.fromhex(LONG)
    assert body_of(LONG) == body


@pytest.mark.parametrize("size", [1, 2, 244, 245, 246, 247, 248, 249, 250, 251, 500, 1000, 1017])
def test_a_body_of_any_size_comes_back(size: int) -> None:
    data = encode(Frame(wire.VALIDATOR, bytes(n % 256 for n in range(size))))
    assert Decoder().feed(data) == [Frame(wire.VALIDATOR, bytes(n % 256 for n in range(size)))]
    assert (data[2] == 0) == (len(data) > 250), "the manual lets LEN say up to 250"


@pytest.mark.parametrize("text", [
    "02 03 00 60 00 00 08 00 00",  # shorter than its own overhead
    "02 03 00 60 00 FF FF 00 00",  # longer than anything that a validator sends
    "02 03 01 C2 82",
    "02 03 05 00 00",  # a frame without a body
])  # fmt: skip
def test_an_impossible_length_is_noise(text: str) -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(text + "02 03 06 14 67 D4")) == [Frame(wire.VALIDATOR, b"\x14")]


@pytest.mark.parametrize("body", ["", "16", "30", "FF", "00", "80", "80 01 02", "81", "14 00", "41 01", "47 50 50"])
def test_no_state_and_no_length_of_one(body: str) -> None:
    assert wire.answer(bytes.fromhex(body)) is None


@pytest.mark.parametrize("size", [0, 1, 33, 35, 119, 121])
def test_no_identification_and_no_table(size: int) -> None:
    assert wire.identification(bytes(size)) is None
    assert wire.bill_table(bytes(size)) is None
    assert wire.enabled_types(bytes(size)) is None


def test_places_behind_the_point() -> None:
    bills = {3: Bill(25, "USA", -2)}
    body = wire.bill_table_body(bills)
    assert body[15:20] == bytes.fromhex("19 55 53 41 82")
    assert wire.bill_table(body) == bills


# Whole sequences -----------------------------------------------------------------------------------------------------

POWER_UP = """  7.1
→ 02 03 06 33 DA 81         poll
← 02 03 06 10 43 92         power up
→ 02 03 06 00 C2 82         ACK
→ 02 03 06 30 41 B3         reset
← 02 03 06 00 C2 82         ACK
→ 02 03 06 33 DA 81
← 02 03 06 13 D8 A0         initialise
→ 02 03 06 00 C2 82
→ 02 03 06 31 C8 A2         status: nothing enabled
← 02 03 0B 00 00 00 00 00 00 A8 67
→ 02 03 06 00 C2 82
1500 ms
→ 02 03 06 33 DA 81
← 02 03 06 19 82 0F         disabled
→ 02 03 06 00 C2 82
"""
ENABLE = """  7.2
→ 02 03 0C 34 00 00 7C 00 00 7C 8D 78
← 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 14 67 D4         idling
→ 02 03 06 00 C2 82
"""
DISABLE = """  7.3
→ 02 03 0C 34 00 00 00 00 00 00 17 0C
← 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 19 82 0F
→ 02 03 06 00 C2 82
"""
INTO_ESCROW = """
insert
→ 02 03 06 33 DA 81
← 02 03 06 15 EE C5         accepting
→ 02 03 06 00 C2 82
600 ms
→ 02 03 06 33 DA 81
← 02 03 07 80 03 17 01      escrow, type 3
→ 02 03 06 00 C2 82
"""
STACKING = """  7.4
→ 02 03 06 35 EC E4         stack
← 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 17 FC E6         stacking
→ 02 03 06 00 C2 82
"""
STACKED = """
900 ms
→ 02 03 06 33 DA 81
← 02 03 07 81 03 CF 18      stacked, type 3
→ 02 03 06 33 DA 81         it was not acknowledged
← 02 03 07 81 03 CF 18      and is said again
→ 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 14 67 D4
"""
RETURNED = """  7.5
→ 02 03 06 36 77 D6         return
← 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 18 0B 1E         returning
→ 02 03 06 00 C2 82
700 ms
→ 02 03 06 33 DA 81
← 02 03 07 82 03 A7 32      returned, type 3
→ 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 14 67 D4
"""
REFUSED = """
→ 02 03 06 35 EC E4         stack, and there is nothing to stack
← 02 03 06 30 41 B3         illegal command; as a command it would be a reset
→ 02 03 06 37 FE C7         who are you? It may take a note, and does not say now
← 02 03 06 30 41 B3
→ 02 03 06 33 DA 80         a wrong check
← 02 03 06 FF BA 8D         NAK
→ 02 01 06 33 62 34         and another address is none of its business
"""


class Transcript:
    """Plays the host's side of a transcript to a simulator, and compares its answers."""

    def __init__(self) -> None:
        self.mechanism = Mechanism(Timings(silence_max_ms=60_000))
        self.simulator: Simulator = CcnetSimulator(self.mechanism)
        self.now_ms = 0

    def play(self, *parts: str) -> None:
        """Line by line."""
        for line in "".join(parts).splitlines():
            said = line[1:].partition("    ")[0]
            match line[:1]:
                case "→":
                    assert self.simulator.take_sent() == b"", line
                    self.simulator.receive(bytes.fromhex(said), self.now_ms)
                case "←":
                    assert self.simulator.take_sent().hex(" ").upper() == said.strip(), line
                case "i":
                    assert self.mechanism.insert(Money(1000, "CNY"))
                case " " | "":
                    pass
                case _:
                    self.now_ms += int(line.split()[0])
        assert self.simulator.take_sent() == b""


def test_the_sequences_of_the_manual() -> None:
    transcript = Transcript()
    transcript.play(POWER_UP, ENABLE, INTO_ESCROW, STACKING, STACKED, INTO_ESCROW, RETURNED, REFUSED, DISABLE)
    assert transcript.mechanism.box == transcript.mechanism.hand == [Money(1000, "CNY")]


RECOVERED = """
→ 02 03 06 33 DA 81
← 02 03 06 12 51 B1         power up, with a bill in the stacker
→ 02 03 06 00 C2 82
→ 02 03 06 30 41 B3
← 02 03 06 00 C2 82
1500 ms
→ 02 03 06 33 DA 81
← 02 03 07 81 03 CF 18      stacked, type 3: the credit is recovered
→ 02 03 06 33 DA 81
← 02 03 07 81 03 CF 18
→ 02 03 06 00 C2 82
→ 02 03 06 33 DA 81
← 02 03 06 19 82 0F
"""


def test_a_credit_is_recovered_after_a_power_cut() -> None:
    """As the manual's table of states has it: after reset and initialising the state changes to stacked."""
    transcript = Transcript()
    transcript.play(POWER_UP, ENABLE, INTO_ESCROW, STACKING)
    for _ in range(2):  # the power goes again before anybody asks
        transcript.mechanism.power_off()
        transcript.mechanism.power_on()
    transcript.play(RECOVERED)
    assert transcript.mechanism.box == [Money(1000, "CNY")]
