"""ID-003 frames as they stand in public sources, read and written byte for byte; each says where it is from.

- FACTS: our notes on the vendors' manuals, "ID-003"
- UBA: a public Java driver of a UBA (`ubaReset`, `ubaSetEnable` …), its constants
- JCMBV: a public C# driver for JCM on Android (`class JCMBVAndroid`), its arrays
- UNITY: a public C# driver for a UBA with RC (`StartUBAThread`), its arrays
- IVI: a public converter from CCNET to ID-003, by pdewit: its notes on bill types and its `crc_test.c`, both recorded
  from an iVIZION; and its notes on escrow, "ID003 ESCROW Flows", tried out on the same
- OURS: made with the check that all of the above verify
"""

import pytest

from devices.id003 import wire
from devices.id003.sim import Id003Simulator
from devices.id003.wire import BARCODE, Command, Decoder, Frame, Note, Reply, State, Status, Version, encode
from devices.mechanism import Mechanism, Timings
from devices.simulator import Simulator
from kiosk.amount import Money

COMMANDS = [
    ("FC 05 11 27 56", Frame(Command.STATUS_REQUEST)),  # FACTS, UBA, JCMBV
    ("FC 05 40 2B 15", Frame(Command.RESET)),  # FACTS, UBA, JCMBV
    ("FC 05 41 A2 04", Frame(Command.STACK_1)),  # FACTS, UBA
    ("FC 05 42 39 36", Frame(Command.STACK_2)),  # JCMBV, UNITY
    ("FC 05 43 B0 27", Frame(Command.RETURN)),  # FACTS, UNITY
    ("FC 06 44 FF B8 18", Frame(Command.HOLD, b"\xff")),  # UNITY: HOLD may say for how long
    ("FC 05 50 AA 05", Frame(Command.ACK)),  # FACTS, UBA, JCMBV
    ("FC 05 88 6F 5F", Frame(Command.VERSION)),  # JCMBV, UNITY
    ("FC 05 8A 7D 7C", Frame(Command.CURRENCY_ASSIGN)),  # FACTS, UNITY, IVI
    ("FC 07 C0 00 00 2D B5", Frame(Command.SET_ENABLE, bytes(2))),  # UBA, JCMBV: everything
    ("FC 07 C0 82 00 51 0A", Frame(Command.SET_ENABLE, b"\x82\x00")),  # JCMBV: all but the second and the eighth
    ("FC 07 C1 00 00 F1 EF", Frame(Command.SET_SECURITY, bytes(2))),  # UBA
    ("FC 06 C2 00 DC CF", Frame(Command.SET_MODE, b"\x00")),  # UNITY: polled
    ("FC 06 C3 00 04 D6", Frame(Command.SET_INHIBIT, b"\x00")),  # UBA, JCMBV, UNITY: takes notes
    ("FC 06 C3 01 8D C7", Frame(Command.SET_INHIBIT, b"\x01")),  # FACTS, UBA, JCMBV, UNITY: takes nothing
    ("FC 06 C4 00 0C 9B", Frame(Command.SET_DIRECTION, b"\x00")),  # OURS
    ("FC 05 83 BC E1", Frame(Command.INHIBITED)),  # OURS
]
FOREIGN = [  # settings that we never send, and whose frames are frames
    ("FC 07 C5 00 00 90 8C", Frame(0xC5, bytes(2))),  # UBA: optional functions
    ("FC 07 C5 03 00 F8 A6", Frame(0xC5, b"\x03\x00")),  # UNITY
    ("FC 07 C6 01 12 BF 49", Frame(0xC6, b"\x01\x12")),  # UNITY: barcodes
    ("FC 06 C7 FC 87 8C", Frame(0xC7, b"\xfc")),  # UNITY
]
SAID = [
    ("FC 05 11 27 56", Status(State.IDLE)),  # FACTS
    ("FC 05 12 BC 64", Status(State.ACCEPTING)),  # UNITY
    ("FC 06 13 63 A2 D8", Status(State.ESCROW, 0x63)),  # FACTS
    ("FC 05 14 8A 01", Status(State.STACKING)),  # OURS, and so are all without another source
    ("FC 05 15 03 10", Status(State.VEND_VALID)),  # FACTS
    ("FC 06 15 63 72 8C", Status(State.VEND_VALID, 0x63)),  # laid out as in IVI
    ("FC 05 16 98 22", Status(State.STACKED)),
    ("FC 06 16 01 0E E6", Status(State.STACKED, 1)),
    ("FC 06 17 79 19 00", Status(State.REJECTING, 0x79)),
    ("FC 05 18 E6 CB", Status(State.RETURNING)),
    ("FC 05 19 6F DA", Status(State.HOLDING)),
    ("FC 05 1A F4 E8", Status(State.DISABLED)),
    ("FC 05 1B 7D F9", Status(State.INITIALISE)),
    ("FC 05 40 2B 15", Status(State.POWER_UP)),  # FACTS
    ("FC 05 41 A2 04", Status(State.POWER_UP_IN_ACCEPTOR)),
    ("FC 05 42 39 36", Status(State.POWER_UP_IN_STACKER)),
    ("FC 05 43 B0 27", Status(State.STACKER_FULL)),
    ("FC 05 44 0F 53", Status(State.STACKER_OPEN)),
    ("FC 05 45 86 42", Status(State.ACCEPTOR_JAM)),
    ("FC 05 46 1D 70", Status(State.STACKER_JAM)),
    ("FC 05 47 94 61", Status(State.PAUSE)),
    ("FC 05 48 63 99", Status(State.CHEATED)),
    ("FC 06 49 A2 A0 21", Status(State.FAILURE, 0xA2)),
    ("FC 18 13 6F 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 D2 F9", Status(State.ESCROW, BARCODE)),
]
REPLIES = [
    ("FC 05 05 82 00", Frame(Reply.ENQ)),  # OURS, like the next two
    ("FC 05 4A 71 BA", Frame(Reply.COMMUNICATION_ERROR)),
    ("FC 05 4B F8 AB", Frame(Reply.INVALID_COMMAND)),
    ("FC 05 50 AA 05", Frame(Reply.ACK)),  # FACTS
]
TABLE = (  # IVI: 5 to 500 euros
    "FC 25 8A 61 00 00 00 62 E0 05 00 63 E0 0A 00 64 E0 14 00 65 E0 32 00 66 E0 0A 01 67 E0 14 01 68 E0 32 01 05 C1"
)
VERSION = (  # IVI, of which the source has all but the check
    "FC 2F 88 69 28 45 55 52 35 29 31 30 30 2D 53 53 20 49 44 30 30 33 2D 30 35 56 33 30 30 2D 34 35"
    " 20 32 38 4A 55 4E 32 33 20 37 46 32 33 2D 6D"
)
WRONG = [
    "FC 07 C1 82 00 51 0A",  # JCMBV: with the check of C0
    "FC 05 11 27 57",
    "FC 06 15 63 A2 D8",  # VEND VALID with the check of ESCROW
]
WRITTEN = [text for text, _ in COMMANDS + FOREIGN + REPLIES] + [text for text, _ in SAID] + [TABLE, VERSION]
ALL = list(dict.fromkeys(WRITTEN))  # some are a command and a status
NOISE = bytes.fromhex(
    "00 FF 02 03 06 33 DA 81 FC 05 15 03 11 FC 04 7F 80 01 F0 FC 00 81"
)  # no frame, nor the start of one


def frame_of(text: str) -> Frame:
    """The one frame in these bytes."""
    (frame,) = Decoder().feed(bytes.fromhex(text))
    return frame


# Byte for byte -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "frame"), COMMANDS + FOREIGN + REPLIES)
def test_a_frame_is_written_and_read_byte_for_byte(text: str, frame: Frame) -> None:
    assert encode(frame) == bytes.fromhex(text)
    assert frame_of(text) == frame


@pytest.mark.parametrize(("text", "status"), SAID)
def test_a_status_is_read_and_written_byte_for_byte(text: str, status: Status) -> None:
    frame = frame_of(text)
    assert wire.status(frame) == status
    assert encode(frame) == bytes.fromhex(text)


def test_a_currency_table() -> None:
    frame = frame_of(TABLE)
    notes = wire.currency_table(frame.data)
    assert notes is not None
    assert notes == (
        Note(0x62, 0xE0, 5, 0),
        Note(0x63, 0xE0, 10, 0),
        Note(0x64, 0xE0, 20, 0),
        Note(0x65, 0xE0, 50, 0),
        Note(0x66, 0xE0, 10, 1),
        Note(0x67, 0xE0, 20, 1),
        Note(0x68, 0xE0, 50, 1),
    )
    assert encode(Frame(Command.CURRENCY_ASSIGN, wire.currency_table_data(notes))) == bytes.fromhex(TABLE)


def test_a_version() -> None:
    frame = frame_of(VERSION)
    assert frame.data == b"i(EUR5)100-SS ID003-05V300-45 28JUN23 7F23"
    assert wire.version(frame.data) == Version("i(EUR5)100-SS", "V300-45")
    assert encode(frame) == bytes.fromhex(VERSION)


@pytest.mark.parametrize(("text", "model", "firmware"), [
    (b"U(USA)-10-SS ID003-05 V101-12 05MAR07 A1B2", "U(USA)-10-SS", "V101-12"),  # as TerminalClient takes it apart
    (b"S(RUS)-SM-FL (ID003-03)v1.03-4 01JAN05", "S(RUS)-SM-FL", "v1.03-4"),
    (b"F(RUS)-77 ID003 0123\x00", "F(RUS)-77", "0123"),
    (b"GPT Aurora", "GPT", "Aurora"),  # it does not say which protocol
    (b"UBA", "UBA", ""),
])  # fmt: skip
def test_versions_are_written_in_many_ways(text: bytes, model: str, firmware: str) -> None:
    assert wire.version(text) == Version(model, firmware)


@pytest.mark.parametrize("text", [b"", b"   ", b"\x00\x00"])
def test_no_version(text: bytes) -> None:
    assert wire.version(text) is None


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_check_is_no_frame(text: str) -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(text)) == []
    decoder.drop()
    assert decoder.garbled == len(bytes.fromhex(text))


def test_what_a_command_is_and_what_a_status_only_the_direction_tells() -> None:
    assert frame_of("FC 05 42 39 36") == Frame(Command.STACK_2)
    assert wire.status(frame_of("FC 05 42 39 36")) == Status(State.POWER_UP_IN_STACKER)


# In pieces, glued together, amid noise -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ALL)
def test_it_comes_one_byte_at_a_time(text: str) -> None:
    decoder = Decoder()
    *start, last = bytes.fromhex(text)
    for byte in start:
        assert decoder.feed(bytes((byte,))) == []
    assert decoder.feed(bytes((last,))) == [frame_of(text)]
    assert decoder.garbled == 0


def test_frames_come_glued_together_with_noise_between() -> None:
    expected = [frame_of(text) for text in ALL]
    stream = NOISE.join(bytes.fromhex(text) for text in ["", *ALL, ""])
    whole = Decoder()
    assert whole.feed(stream) == expected
    assert whole.garbled == len(NOISE) * (len(ALL) + 1)
    in_pieces = Decoder()
    assert [frame for byte in stream for frame in in_pieces.feed(bytes((byte,)))] == expected


def test_a_frame_after_half_a_frame_is_found_once_the_rest_is_given_up() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(TABLE)[:20]) == []
    decoder.drop()
    assert decoder.feed(bytes.fromhex("FC 05 1A F4 E8")) == [Frame(State.DISABLED)]


# Lengths and tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 2, 18, 194, 195])
def test_data_of_any_size_comes_back(size: int) -> None:
    frame = Frame(Command.VERSION, bytes(n % 256 for n in range(size)))
    data = encode(frame)
    assert Decoder().feed(data) == [frame]
    assert data[1] == len(data)


@pytest.mark.parametrize("text", ["FC 00", "FC 04 11 27", "FC FC", "FC", "FC C9"])
def test_an_impossible_length_is_noise(text: str) -> None:
    assert Decoder().feed(bytes.fromhex(text + "FC 05 1A F4 E8")) == [Frame(State.DISABLED)]


@pytest.mark.parametrize("body", [
    "13", "13 63 00", "15 63 00", "11 00", "14 00", "17 79 00", "1A 01", "40 00", "42 63", "49 A2 00",
    "10", "1C", "20", "4A", "4B", "4C", "50", "FF",
])  # fmt: skip
def test_no_status_and_no_length_of_one(body: str) -> None:
    code, *data = bytes.fromhex(body)
    assert wire.status(Frame(code, bytes(data))) is None


@pytest.mark.parametrize(("data", "why"), [
    ("62 2D 05", "not a whole line"),
    ("62 2D 05 00 62 2D 0A 00", "one denomination, two values"),
])  # fmt: skip
def test_no_table(data: str, why: str) -> None:
    assert wire.currency_table(bytes.fromhex(data)) is None, why


@pytest.mark.parametrize(("wanted", "known", "data"), [
    (range(0x61, 0x69), range(0x61, 0x69), "00 00"),
    ((0x62, 0x63, 0x64, 0x65, 0x66), (0x62, 0x63, 0x64, 0x65, 0x66), "C1 00"),
    ((0x61, 0x63, 0x64, 0x65, 0x66, 0x67), (0x61, 0x63), "82 00"),  # JCMBV
    ((0x62,), (0x62, 0x69, 0x70), "FD 81"),  # sixteen denominations
    ((0x70,), (0x62, 0x69, 0x70), "FF 01"),
    ((), (0x62, 0x7F), "FF 00"),  # 7F has no bit, and is not enabled by one either
])  # fmt: skip
def test_one_is_disabled(wanted: tuple[int, ...], known: tuple[int, ...], data: str) -> None:
    mask = wire.enable_data(frozenset(wanted), frozenset(known))
    assert mask == bytes.fromhex(data)
    enabled = wire.enabled(mask)
    assert enabled is not None
    assert {code for code in enabled if code in known} == set(wanted) & set(known)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00"])
def test_no_mask(data: bytes) -> None:
    assert wire.enabled(data) is None


# Whole sequences -----------------------------------------------------------------------------------------------------

POWER_UP = """
→ FC 05 11 27 56            status
← FC 05 40 2B 15            power up
→ FC 06 C3 00 04 D6         notes? Not before RESET
← FC 05 4B F8 AB            invalid command
→ FC 05 88 6F 5F            version
← FC 2E 88 55 28 43 48 4E 29 2D 31 30 2D 53 53 20 49 44 30 30 33 2D 30 35 56 32 31 36 2D 31 32 20 31 38 4D 41 59 32 30 20 41 31 42 32 87 82
→ FC 05 8A 7D 7C            currency table
← FC 25 8A 61 00 00 00 62 2D 05 00 63 2D 0A 00 64 2D 14 00 65 2D 32 00 66 2D 0A 01 67 00 00 00 68 00 00 00 75 82
→ FC 05 40 2B 15            reset
← FC 05 50 AA 05            ACK
→ FC 05 11 27 56
← FC 05 1B 7D F9            initialise
1500 ms
→ FC 05 11 27 56
← FC 05 1A F4 E8            disabled, and so it stays
→ FC 05 83 BC E1
← FC 06 83 01 EB 81         inhibited
"""  # noqa: E501 - frames as long as they are
OPEN = """
→ FC 06 C2 00 DC CF         polled
← FC 06 C2 00 DC CF         the same
→ FC 07 C0 C1 00 5F 66      62 to 66
← FC 07 C0 C1 00 5F 66
→ FC 06 C3 00 04 D6
← FC 06 C3 00 04 D6
→ FC 05 11 27 56
← FC 05 11 27 56            idle: the same bytes
"""
INTO_ESCROW = """
insert
→ FC 05 11 27 56
← FC 05 12 BC 64            accepting
600 ms
→ FC 05 11 27 56
← FC 06 13 63 A2 D8         escrow, 63
"""
STACK_1 = """
→ FC 05 41 A2 04            stack-1
← FC 05 50 AA 05
→ FC 05 11 27 56
← FC 05 14 8A 01            stacking
450 ms
→ FC 05 11 27 56            past the lever, and not in the box yet
← FC 06 15 63 72 8C         vend valid, 63
→ FC 05 50 AA 05            ACK: no response
→ FC 05 11 27 56
← FC 05 14 8A 01            stacking
450 ms
"""
STACK_2 = """
→ FC 05 42 39 36            stack-2
← FC 05 50 AA 05
→ FC 05 42 39 36            it was heard
← FC 05 4B F8 AB
450 ms
→ FC 05 11 27 56
← FC 05 14 8A 01            stacking
450 ms
→ FC 05 11 27 56            it is in the box
← FC 06 15 63 72 8C         vend valid, 63
→ FC 05 11 27 56            it is not acknowledged
← FC 06 15 63 72 8C         and says it again
→ FC 05 50 AA 05
"""
STACKED = """
→ FC 05 11 27 56
← FC 05 16 98 22            stacked
300 ms
→ FC 05 11 27 56
← FC 05 11 27 56
"""
RETURNED = """
→ FC 05 43 B0 27            return
← FC 05 50 AA 05
→ FC 05 11 27 56
← FC 05 18 E6 CB            returning
700 ms
→ FC 05 11 27 56            it sticks out of the mouth
← FC 05 18 E6 CB
1000 ms
→ FC 05 11 27 56            it was taken
← FC 05 11 27 56
"""
HELD = """
→ FC 06 44 FF B8 18         hold
← FC 05 50 AA 05
20000 ms
→ FC 05 11 27 56
← FC 05 19 6F DA            holding
"""
UNDECIDED = """  10 s in escrow, and somebody asks
9900 ms
→ FC 05 11 27 56
← FC 06 13 63 A2 D8
100 ms
→ FC 05 11 27 56
← FC 06 17 79 19 00         rejecting: nobody has decided
700 ms
1000 ms
→ FC 05 11 27 56
← FC 05 11 27 56
"""
UNASKED = """  3 s in escrow, and nobody asks
3001 ms
→ FC 05 11 27 56
← FC 05 18 E6 CB            returning
700 ms
1000 ms
→ FC 05 11 27 56
← FC 05 11 27 56
"""
REFUSED = """
→ FC 05 42 39 36            there is nothing to stack
← FC 05 4B F8 AB
→ FC 05 43 B0 27
← FC 05 4B F8 AB
→ FC 06 C2 01 55 DE         interrupt mode: not this one
← FC 05 4B F8 AB
→ FC 05 11 27 57            a wrong check: silence
→ FC 05 50 AA 05            nothing waits for an ACK
→ FC 06 C3 01 8D C7
← FC 06 C3 01 8D C7
→ FC 05 11 27 56
← FC 05 1A F4 E8
"""
TOO_LATE = """  the last part of STACK_2 without the ACK, and "sending ACK after one minute": IVI
60000 ms
→ FC 05 50 AA 05            no effect
→ FC 05 11 27 56            no response
→ FC 06 C3 01 8D C7
→ FC 05 40 2B 15            reset works
← FC 05 50 AA 05
1500 ms
→ FC 05 11 27 56
← FC 05 1A F4 E8            and nothing is said of the note
"""


class Transcript:
    """Plays the host's side of a transcript to a simulator, and compares its answers."""

    def __init__(self, *, patient: bool = True) -> None:
        self.mechanism = Mechanism(Timings(silence_max_ms=60_000 if patient else 3_000))
        self.simulator: Simulator = Id003Simulator(self.mechanism)
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
                    self._wait(int(line.split()[0]))
        assert self.simulator.take_sent() == b""

    def _wait(self, milliseconds: int) -> None:
        until_ms = self.now_ms + milliseconds
        while self.now_ms < until_ms:
            next_ms = self.simulator.next_ms()
            self.now_ms = until_ms if next_ms is None else min(max(next_ms, self.now_ms + 1), until_ms)
            self.simulator.pass_time(self.now_ms)


def test_a_note_after_the_other() -> None:
    transcript = Transcript()
    transcript.play(POWER_UP, OPEN, INTO_ESCROW, STACK_1, STACKED, INTO_ESCROW, STACK_2, STACKED, INTO_ESCROW, RETURNED)
    assert transcript.mechanism.box == [Money(1000, "CNY")] * 2
    assert transcript.mechanism.hand == [Money(1000, "CNY")]


def test_what_is_refused() -> None:
    Transcript().play(POWER_UP, OPEN, REFUSED)


def test_a_note_that_is_held_stays() -> None:
    Transcript().play(POWER_UP, OPEN, INTO_ESCROW, HELD, RETURNED)


def test_a_note_on_which_nobody_decides_is_rejected() -> None:
    Transcript().play(POWER_UP, OPEN, INTO_ESCROW, UNDECIDED)


def test_a_note_after_which_nobody_asks_is_returned() -> None:
    Transcript(patient=False).play(POWER_UP, OPEN, INTO_ESCROW, UNASKED)


def test_an_ack_that_comes_too_late_has_no_effect() -> None:
    transcript = Transcript()
    unacknowledged = STACK_2[: STACK_2.rindex("→")]
    transcript.play(POWER_UP, OPEN, INTO_ESCROW, unacknowledged, TOO_LATE)
    assert transcript.mechanism.box == [Money(1000, "CNY")]


def test_a_vend_valid_that_names_nothing() -> None:
    transcript = Transcript()
    transcript.simulator = Id003Simulator(transcript.mechanism, names_the_credit=False)
    silent = STACK_2.replace("FC 06 15 63 72 8C", "FC 05 15 03 10   ")
    transcript.play(POWER_UP, OPEN, INTO_ESCROW, silent, STACKED)


GREETED = """
→ FC 05 11 27 56
← FC 05 40 2B 15            power up
→ FC 05 40 2B 15            reset
← FC 05 4B F8 AB            not before its power-up is acknowledged
→ FC 05 50 AA 05
→ FC 05 40 2B 15
← FC 05 50 AA 05
"""


def test_some_units_want_their_power_up_acknowledged() -> None:
    transcript = Transcript()
    transcript.simulator = Id003Simulator(transcript.mechanism, greeted=True)
    transcript.play(GREETED)


@pytest.mark.parametrize(("when", "found"), [
    pytest.param(INTO_ESCROW, "FC 05 41 A2 04", id="in the acceptor"),
    pytest.param(INTO_ESCROW + "→ FC 05 42 39 36\n← FC 05 50 AA 05\n", "FC 05 42 39 36", id="in the stacker"),
    pytest.param(INTO_ESCROW + STACK_2, "FC 05 40 2B 15", id="in the box"),
])  # fmt: skip
def test_power_ups_are_told_apart_until_it_is_reset(when: str, found: str) -> None:
    transcript = Transcript()
    transcript.play(POWER_UP, OPEN, when)
    for _ in range(2):  # the power goes again before anybody asks
        transcript.mechanism.power_off()
        transcript.simulator.pass_time(transcript.now_ms)
        transcript.mechanism.power_on()
    says = f"→ FC 05 11 27 56\n← {found}\n"
    transcript.play(says, says, "→ FC 05 40 2B 15\n← FC 05 50 AA 05\n→ FC 05 11 27 56\n← FC 05 1B 7D F9\n")
