"""EBDS frames as they stand in manuals and public sources, read and written byte for byte; each says where it is from.

- FACTS: our notes on the vendors' manuals, "EBDS"
- SC6607R: Ghostrider93/Bill-Acceptor-SC6607R-RS232, docs/PROTOCOL.md, CASHBOX.md, DIAGNOSTICS.md: captured traffic
- CRATE: decapod-atm/ebds, the tests in `src/…` of each message, which follow the EBDS Protocol Specification
- APEX: the public .NET library for the Pyramid Apex 7000, `SlaveCodex_Test`
- MPOST: eighthave/MPOST_Linux, `Acceptor.cpp`, the vendor's own host: the payloads, with the check added
- OURS: made with the check that all of the above verify
"""

import pytest

from devices.ebds import notes, wire
from devices.ebds.interview import CLOSED
from devices.ebds.notes import Line
from devices.ebds.sim import EbdsSimulator
from devices.ebds.wire import (
    Answer,
    Aux,
    Configuration,
    Decoder,
    Exceptional,
    Frame,
    Kind,
    Misc,
    Mode,
    State,
    Status,
    encode,
)
from devices.mechanism import Mechanism, Timings
from devices.simulator import Simulator
from kiosk.amount import Money

ORDER, STATUS, AUX, EXTENDED = Kind.OMNIBUS_COMMAND, Kind.OMNIBUS_REPLY, Kind.AUXILIARY, Kind.EXTENDED
EXT = Configuration.EXTENDED_NOTES
IN, CAPABLE = Status.CASSETTE_ATTACHED, Misc.DEVICE_CAPABILITIES
SC_NOTES, SC_ADVANCE_NOTES = 50, 128

SENT = [
    (
        "02 08 10 7F 10 00 03 77",
        Frame(ORDER, ack=False, data=wire.order(0x7F, Mode.ESCROW, Configuration.NONE)),
    ),  # FACTS
    ("02 08 11 7F 30 00 03 56", Frame(ORDER, ack=True, data=bytes((0x7F, Mode.ESCROW | Mode.STACK, 0)))),  # FACTS
    ("02 08 10 7F 50 00 03 37", Frame(ORDER, ack=False, data=bytes((0x7F, Mode.ESCROW | Mode.RETURN, 0)))),  # FACTS
    ("02 08 10 7F 1C 10 03 6B", Frame(ORDER, ack=False, data=wire.order(0x7F, CLOSED, EXT))),  # SC6607R
    ("02 08 10 00 10 10 03 18", Frame(ORDER, ack=False, data=wire.order(0, Mode.ESCROW, EXT))),  # SC6607R
    ("02 08 10 00 1C 00 03 04", Frame(ORDER, ack=False, data=wire.order(0, CLOSED, Configuration.NONE))),  # SC6607R
    ("02 08 10 7F 1C 00 03 7B", Frame(ORDER, ack=False, data=wire.order(0x7F, CLOSED, Configuration.NONE))),  # SC6607R
    ("02 08 60 7F 7F 7F 03 17", Frame(AUX, ack=False, data=wire.auxiliary(Aux.SOFT_RESET))),  # FACTS, CRATE, MPOST
    ("02 08 60 00 00 00 03 68", Frame(AUX, ack=False, data=wire.auxiliary(Aux.SOFTWARE_CRC))),  # MPOST
    ("02 08 60 00 00 04 03 6C", Frame(AUX, ack=False, data=wire.auxiliary(Aux.ACCEPTOR_TYPE))),  # MPOST
    ("02 08 61 00 00 05 03 6C", Frame(AUX, ack=True, data=wire.auxiliary(Aux.SERIAL_NUMBER))),  # MPOST
    ("02 0A 70 02 00 00 00 01 03 79", Frame(EXTENDED, ack=False, data=bytes.fromhex("02 00 00 00 01"))),  # CRATE
    ("02 09 70 06 00 00 00 03 7F", Frame(EXTENDED, ack=False, data=bytes.fromhex("06 00 00 00"))),  # CRATE
    ("02 0B 70 04 00 00 00 01 02 03 7C", Frame(EXTENDED, ack=False, data=bytes.fromhex("04 00 00 00 01 02"))),  # CRATE
    (
        "02 11 70 03 00 00 00 01 00 00 00 00 00 00 00 03 63",  # CRATE: only the first of 50
        Frame(EXTENDED, ack=False, data=bytes.fromhex("03 00 00 00") + notes.enables(frozenset({1}), SC_NOTES)),
    ),
    (
        "02 1C 70 03 00 00 00 01" + " 00" * 18 + " 03 6E",  # CRATE: only the first of 128
        Frame(EXTENDED, ack=False, data=bytes.fromhex("03 00 00 00") + notes.enables(frozenset({1}), SC_ADVANCE_NOTES)),
    ),
]
SAID = [
    ("02 0B 21 01 10 00 00 01 02 03 38", Answer(State.IDLING, model=1, revision=2)),  # FACTS
    ("02 0B 21 04 10 08 00 01 02 03 35", Answer(State.ESCROWED, value=1, model=1, revision=2)),  # FACTS
    ("02 0B 20 01 10 00 00 54 2A 03 44", Answer(State.IDLING, model=0x54, revision=0x2A)),  # SC6607R: its box is in
    (
        "02 0B 21 01 00 00 10 55 23 03 4D",  # SC6607R: its box is out, and it calls that idling
        Answer(State.IDLING, Status.NONE, misc=CAPABLE, model=0x55, revision=0x23),
    ),
    ("02 0B 21 01 10 00 00 11 11 03 3B", Answer(State.IDLING, model=0x11, revision=0x11)),  # APEX
    (
        "02 0B 21 11 10 28 00 11 11 03 03",  # APEX, with another value, and the check that belongs to it
        Answer(State.STACKED | State.IDLING, value=5, model=0x11, revision=0x11),
    ),
    ("02 0B 21 41 10 00 00 11 11 03 7B", Answer(State.RETURNED | State.IDLING, model=0x11, revision=0x11)),  # likewise
    (
        "02 0B 21 20 11 00 00 11 11 03 1B",  # likewise: it cheats, and goes back
        Answer(State.RETURNING, IN | Status.CHEATED, model=0x11, revision=0x11),
    ),
    ("02 0B 21 01 12 00 00 11 11 03 39", Answer(State.IDLING, IN | Status.REJECTED, model=0x11, revision=0x11)),
    ("02 0B 21 00 14 00 00 11 11 03 3E", Answer(State.NONE, IN | Status.JAMMED, model=0x11, revision=0x11)),
    ("02 0B 21 00 18 00 00 11 11 03 32", Answer(State.NONE, IN | Status.STACKER_FULL, model=0x11, revision=0x11)),
    ("02 0B 21 00 10 04 00 11 11 03 3E", Answer(State.NONE, IN, Exceptional.FAILURE, model=0x11, revision=0x11)),
    (
        "02 0B 21 00 00 01 00 11 11 03 2B",  # likewise: it starts up, and does not know yet that its box is in
        Answer(State.NONE, Status.NONE, Exceptional.POWER_UP, model=0x11, revision=0x11),
    ),
    ("02 0C 70 03 00 00 00 00 00 00 03 7F", Answer(State.NONE, Status.NONE)),  # CRATE: the other answer to inhibits
    ("02 0D 70 0B 00 00 00 00 00 00 01 03 77", Answer(State.NONE, Status.NONE)),  # CRATE: a note was retrieved
]
YEN = "00 4A 50 59 30 30 32 2B 30 33 00 41 41 42 41 00 00 00"
TWO_THOUSAND_YEN = f"02 1E 70 02 00 00 00 00 00 00 {YEN} 03 36"  # CRATE
DOLLARS = (
    "02 52 70 06 00 00 00 00 00 00"  # CRATE
    " 01 55 53 44 30 30 31 2B 30 30 02 55 53 44 30 30 32 2B 30 30 03 55 53 44 30 30 35 2B 30 30"
    " 04 55 53 44 30 30 31 2B 30 31 05 55 53 44 30 30 32 2B 30 31 06 55 53 44 30 30 35 2B 30 31"
    " 07 55 53 44 30 30 31 2B 30 32 03 7F"
)
VALUES = bytes.fromhex(DOLLARS)[10:-2]
TEXTS = [
    ("02 0E 60 32 38 30 30 30 30 31 32 33 03 54", "280000123"),  # CRATE: an application part number
    ("02 0E 60 32 38 36 30 30 30 31 32 33 03 52", "286000123"),  # CRATE: one of the other kind
    ("02 25 60 53 43 4E 4C 20 36 36 37 30 52" + " 00" * 22 + " 03 22", "SCNL 6670R"),  # CRATE: a variant name
    ("02 0B 60 00 00 00 00 00 00 03 6B", ""),  # CRATE: capabilities, or a CRC: nothing that can be printed
]
WRONG = [
    "02 0B 21 02 10 00 00 11 11 03 3B",  # APEX: the check of another frame
    "02 08 10 00 3F 7E",  # SC6607R: what came while its motor ran
    "02 0B A1 01 10 00 00 01 02 03 B8",  # OURS: eight bits, where there are seven
    "02 0B 21 01 10 00 00 01 02 04 38",  # OURS: no end
    "02 05 00 03 05",  # OURS: of no kind
    "02 0A 21 01 10 00 00 01 03 3B",  # OURS: a status that lacks a byte
]
ALL = [text for text, _ in SENT + SAID] + [TWO_THOUSAND_YEN, DOLLARS] + [text for text, _ in TEXTS]
NOISE = bytes.fromhex("00 7F 03 02 04 02 03 02 80 02 08 10 00 3F 7E 02 02 0B 21 02 10 00 00 11 11 03 3B FF")


def the_frame(text: str) -> Frame:
    """The one frame in these bytes."""
    (frame,) = Decoder().feed(bytes.fromhex(text))
    return frame


# Byte for byte -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "frame"), SENT)
def test_a_command_is_written_and_read_byte_for_byte(text: str, frame: Frame) -> None:
    assert encode(frame) == bytes.fromhex(text)
    assert the_frame(text) == frame


@pytest.mark.parametrize(("text", "answer"), SAID)
def test_an_answer_is_read_and_written_byte_for_byte(text: str, answer: Answer) -> None:
    frame = the_frame(text)
    assert wire.answer(frame) == answer
    assert encode(frame) == bytes.fromhex(text)
    start = frame.data[:1] if frame.kind is EXTENDED else b""
    assert frame.data.startswith(start + wire.status_bytes(answer))


def test_an_extended_note() -> None:
    frame = the_frame(TWO_THOUSAND_YEN)
    answer = wire.answer(frame)
    assert answer is not None
    assert answer.details == bytes.fromhex(YEN)
    line = notes.line(answer.details)
    assert line is not None
    assert line == Line(0, "JPY", 2, 3)
    assert notes.money(line) == Money(2000, "JPY")
    assert notes.line_bytes(line) == bytes.fromhex(YEN)[: notes.LINE_BYTES]
    assert encode(frame) == bytes.fromhex(TWO_THOUSAND_YEN)


def test_a_line_that_was_asked_for_is_no_note_in_the_path() -> None:
    frame = the_frame(TWO_THOUSAND_YEN)
    asked = Frame(frame.kind, frame.ack, frame.data[:7] + b"\x03" + frame.data[8:])
    assert wire.answer(asked) == Answer(State.NONE, Status.NONE)
    assert notes.line(asked.data[7:]) == Line(3, "JPY", 2, 3)


def test_a_value_table() -> None:
    frame = the_frame(DOLLARS)
    lines = notes.value_table(frame.data[7:])
    assert lines is not None
    assert [(line.index, notes.money(line)) for line in lines] == [
        (index, Money(dollars * 100, "USD")) for index, dollars in enumerate((1, 2, 5, 10, 20, 50, 100), 1)
    ]
    assert b"".join(map(notes.line_bytes, lines)) == frame.data[7:]
    assert encode(frame) == bytes.fromhex(DOLLARS)


@pytest.mark.parametrize(("text", "said"), TEXTS)
def test_a_text(text: str, said: str) -> None:
    frame = the_frame(text)
    assert (frame.kind, wire.text(frame.data)) == (AUX, said)
    assert wire.answer(frame) is None
    assert encode(frame) == bytes.fromhex(text)


@pytest.mark.parametrize(("data", "said"), [
    (b"", ""), (b"AB\0CD", "AB"), (b"AB\x7fCD", "AB"), (b"  21K7  \0", "21K7"), (b"\x01AB", ""), (b"A" * 32, "A" * 32),
])  # fmt: skip
def test_a_text_ends_where_it_cannot_be_printed(data: bytes, said: str) -> None:
    assert wire.text(data) == said


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_frame_is_none(text: str) -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(text)) == []
    decoder.drop()
    assert decoder.garbled == len(bytes.fromhex(text))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {STATUS, EXTENDED}])
def test_other_kinds_tell_no_status(kind: Kind) -> None:
    assert wire.answer(Frame(kind, ack=False, data=bytes.fromhex("01 10 00 00 54 2A"))) is None


def test_an_extended_answer_without_a_status() -> None:
    assert wire.answer(Frame(EXTENDED, ack=False, data=bytes.fromhex("02 01 10 00 00 54"))) is None


def test_a_recycler_is_told_from_an_acceptor() -> None:
    frame = Frame(STATUS, ack=True, data=bytes.fromhex("01 10 00 00 54 2A"), device=1)
    assert encode(frame).hex(" ").upper() == "02 0B 23 01 10 00 00 54 2A 03 47"
    assert the_frame("02 0B 23 01 10 00 00 54 2A 03 47") == frame


# In pieces, glued together, amid noise -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ALL)
def test_it_comes_one_byte_at_a_time(text: str) -> None:
    decoder = Decoder()
    *start, last = bytes.fromhex(text)
    for byte in start:
        assert decoder.feed(bytes((byte,))) == []
    assert decoder.feed(bytes((last,))) == [the_frame(text)]
    assert decoder.garbled == 0


def test_frames_come_glued_together_with_noise_between() -> None:
    expected = [the_frame(text) for text in ALL]
    stream = NOISE.join(bytes.fromhex(text) for text in ["", *ALL, ""])
    whole = Decoder()
    assert whole.feed(stream) == expected
    whole.drop()
    assert whole.garbled == len(NOISE) * (len(ALL) + 1)
    in_pieces = Decoder()
    assert [frame for byte in stream for frame in in_pieces.feed(bytes((byte,)))] == expected


def test_a_frame_after_half_a_frame_is_found_once_the_rest_is_given_up() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(DOLLARS)[:60]) == []
    decoder.drop()
    assert decoder.feed(bytes.fromhex(SAID[0][0])) == [the_frame(SAID[0][0])]


@pytest.mark.parametrize("size", [0, 1, 2, 7, 60, 121, 122])
def test_data_of_any_size_comes_back(size: int) -> None:
    frame = Frame(Kind.FLASH_DOWNLOAD, ack=True, data=bytes(n % 128 for n in range(size)))
    assert Decoder().feed(encode(frame)) == [frame]


# What a note is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "money"), [
    (Line(1, "CNY", 5, 1), Money(5000, "CNY")),
    (Line(1, "CNY", 5, -1), Money(50, "CNY")),
    (Line(1, "CNY", 500, -2), Money(500, "CNY")),
    (Line(1, "RUR", 1, 3), Money(100_000, "RUB")),
    (Line(1, "MXP", 20, 0), Money(2000, "MXN")),
    (Line(1, "QQQ", 7, 0), Money(7, "QQQ")),
    (Line(1, "QQQ", 0, 0), Money(1, "QQQ")),
    (Line(1, "CNY", 0, 0), None),
    (Line(1, "CNY", 1, 99), None),
    (Line(1, "CNY", 1, -3), None),
])  # fmt: skip
def test_what_a_line_is_worth(line: Line, money: Money | None) -> None:
    assert notes.money(line) == money
    assert notes.line(notes.line_bytes(line)) == line


@pytest.mark.parametrize("text", ["CNY00+", "CNY0A5+01", "CNY005 01", "cny005+01", "C Y005+01", "CNY005+0x", "\0" * 9])
def test_no_line(text: str) -> None:
    assert notes.line(b"\x01" + text.encode("latin-1")) is None


@pytest.mark.parametrize("table", [
    pytest.param(VALUES[:-1], id="too short"),
    pytest.param(VALUES + b"\0", id="too long"),
    pytest.param(b"\x02" + VALUES[1:], id="an index twice"),
    pytest.param(b"\x08" + VALUES[1:], id="no value bits for it"),
    pytest.param(b"\x00" + VALUES[1:], id="no index"),
    pytest.param(VALUES.replace(b"002+01", b"0x2+01"), id="no number"),
])  # fmt: skip
def test_no_value_table(table: bytes) -> None:
    assert notes.value_table(table) is None


def test_a_value_that_stands_for_nothing() -> None:
    lines = notes.value_table(VALUES[:10] + b"\x02" + bytes(9) + VALUES[20:])
    assert lines is not None
    assert [line.index for line in lines] == [1, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(("indices", "highest", "text"), [
    ({1}, 50, "01 00 00 00 00 00 00 00"),
    ({7, 8, 14, 15}, 15, "40 41 01 00 00 00 00 00"),
    ({50}, 50, "00 00 00 00 00 00 00 01"),
    ({51, 128}, 128, "00 00 00 00 00 00 00 02" + " 00" * 10 + " 02"),
    (set[int](), 7, "00 00 00 00 00 00 00 00"),
])  # fmt: skip
def test_which_notes_are_enabled(indices: set[int], highest: int, text: str) -> None:
    assert notes.enables(frozenset(indices), highest) == bytes.fromhex(text)
    assert notes.enabled(bytes.fromhex(text)) == indices


# Whole sequences, in the order that SC6607R shows; OURS --------------------------------------------------------------

POWER_UP = """  the first order says what to do with a note that it may have found
→ 02 08 10 00 1C 14 03 10         closed; extended notes; policy B
← 02 0B 20 00 00 01 10 54 2A 03 44         power up
→ 02 08 61 00 00 04 03 6D         what type?
← 02 19 61 53 43 4E 38 33 30 37 52 00 00 00 00 00 00 00 00 00 00 00 00 03 78
5000 ms
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 01 10 00 10 54 2A 03 54         idling
"""
TABLE = """
→ 02 0B 71 04 00 1C 14 0A 0A 03 76         at most ten seconds in escrow
← 02 0C 71 04 01 10 00 10 54 2A 03 06
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 01 10 00 10 54 2A 03 54
→ 02 0A 71 02 00 1C 14 05 03 74         what is note 5?
← 02 1E 71 02 01 10 00 10 54 2A 05 43 4E 59 30 30 35 2B 30 31 02 41 45 42 41 00 00 00 03 59
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 01 10 00 10 54 2A 03 54
→ 02 0A 71 02 00 1C 14 08 03 79         and note 8?
← 02 1E 71 02 01 10 00 10 54 2A 08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03 1A
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 01 10 00 10 54 2A 03 54
→ 02 09 71 06 00 1C 04 03 66         what are the value bits?
← 02 0B 61 03 0F 02 0A 00 00 03 6E         it does not know that question, and tells its CRC
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 01 10 00 10 54 2A 03 54
→ 02 11 71 03 00 1C 14 14 00 00 00 00 00 00 00 03 7F         take the notes 3 and 5
← 02 0B 21 01 10 00 10 54 2A 03 55
→ 02 08 10 7F 1C 14 03 6F         open
← 02 0B 20 01 10 00 10 54 2A 03 54
→ 02 08 61 00 00 00 03 69         a question, between two polls
← 02 0B 61 03 0F 02 0A 00 00 03 6E
"""
INTO_ESCROW = """
insert
→ 02 08 10 7F 1C 14 03 6F
← 02 0B 20 02 10 00 10 54 2A 03 57         accepting
600 ms
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6F
← 02 1E 70 02 04 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 5A         ten, in escrow
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
"""
STACKED = """
→ 02 08 10 7F 3C 14 03 4F         stack
← 02 1E 70 02 04 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 5A
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6F
← 02 0B 20 08 10 00 10 54 2A 03 5D         stacking
900 ms
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6F
← 02 1E 70 02 11 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 4F         stacked
→ 02 08 10 7F 1C 14 03 6F         the same bit: the same answer
← 02 1E 70 02 11 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 4F
→ 02 08 10 00 5C 14 03 50         and whatever else it says, it is not obeyed
← 02 1E 70 02 11 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 4F
→ 02 08 61 00 00 00 03 69         the other bit acknowledges
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6F
← 02 0B 20 01 10 00 10 54 2A 03 54
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
"""
RETURNED = """
→ 02 08 10 7F 5C 14 03 2F         return
← 02 1E 70 02 04 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 5A
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6F
← 02 0B 20 20 10 00 10 54 2A 03 75         returning
700 ms
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6E         a wrong check: what was said last, with its other bit
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 7F 1C 14 03 6F
← 02 0B 20 41 10 00 10 54 2A 03 14         returned
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 00 1C 14 03 10         close
← 02 0B 20 01 10 00 10 54 2A 03 54
"""


class Transcript:
    """Plays the host's side of a transcript to a simulator, and compares its answers."""

    def __init__(self) -> None:
        self.mechanism = Mechanism(Timings(initialise_ms=5000, silence_max_ms=60_000))
        self.simulator: Simulator = EbdsSimulator(self.mechanism)
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


def test_the_sequences() -> None:
    transcript = Transcript()
    transcript.play(POWER_UP, TABLE, INTO_ESCROW, STACKED, INTO_ESCROW, RETURNED)
    assert transcript.mechanism.box == transcript.mechanism.hand == [Money(1000, "CNY")]


RECOVERED = """
2000 ms
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 00 00 01 10 54 2A 03 44         power up
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
5000 ms
→ 02 08 10 00 1C 14 03 10
← 02 1E 70 02 11 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 4F     of what value
→ 02 08 61 00 00 00 03 69
← 02 0B 61 03 0F 02 0A 00 00 03 6E
→ 02 08 10 00 1C 14 03 10
← 02 0B 20 01 10 00 10 54 2A 03 54
"""
WITHOUT_VALUE = RECOVERED.replace("1C 14 03 10", "1C 10 03 14").replace(
    "02 1E 70 02 11 10 00 10 54 2A 00 43 4E 59 30 30 31 2B 30 31 02 41 43 42 41 00 00 00 03 4F",
    "02 0B 20 11 10 00 10 54 2A 03 44",
)


@pytest.mark.parametrize("policy", [RECOVERED, WITHOUT_VALUE])
def test_a_credit_after_a_power_cut(policy: str) -> None:
    """By policy B with its value, by policy A without: CRATE, the power-up policies of the omnibus command."""
    transcript = Transcript()
    transcript.play(POWER_UP, TABLE, INTO_ESCROW, STACKED.partition("900 ms")[0])
    transcript.mechanism.power_off()
    transcript.simulator.pass_time(transcript.now_ms)
    transcript.mechanism.power_on()
    transcript.simulator.pass_time(transcript.now_ms)
    transcript.play(policy)
    assert transcript.mechanism.box == [Money(1000, "CNY")]
