"""ICT bytes as they stand in manuals and public sources, read and written byte for byte; each says where it is from.

- FACTS: our notes on the vendors' manuals, "ICT 104/106"
- 002U: "ICT002U General Protocol" of 2007/11/05, actions 1 to 3
- 106: "ICT106 General Protocol For RS232", after ICT006 of 2006/4/7, actions 1 to 4
- TC: AlexObukhoff/TerminalClient, 3.0/src/modules/Hardware/CashAcceptors/src/ICT/ICTCashAcceptorConstants.h
- GO: caiguanhao/ict, bill_acceptor.go
"""

import pytest

from devices.ict.sim import IctSimulator
from devices.ict.wire import ICT104, Command, Decoder, Heard, Message, Noise, Word, encode

SPOKEN = [
    ("80 8F", Message(Word.POWER_UP)),  # FACTS, 002U action 1, TC `PowerUp`
    ("81 40", Message(Word.ESCROW, 1)),  # FACTS, 002U action 2: the first kind of bill
    ("81 44", Message(Word.ESCROW, 5)),  # 002U action 2, 106 action 4: bill type 5
    ("81 4F", Message(Word.ESCROW, 16)),  # the last one of ICT106U V0.2
    ("10", Message(Word.STACKED)),  # FACTS, TC `Stacked`
    ("11", Message(Word.FAILED)),  # FACTS, 106 action 2: bill accept failed
    ("20", Message(Word.MOTOR_FAILURE)),  # from here to 2F: FACTS, TC, GO
    ("21", Message(Word.CHECKSUM_ERROR)),
    ("22", Message(Word.BILL_JAM)),
    ("23", Message(Word.BILL_REMOVE)),
    ("24", Message(Word.STACKER_OPEN)),
    ("25", Message(Word.SENSOR_PROBLEM)),
    ("26", Message(Word.COMMUNICATION_FAILED)),  # 106 action 2, after three notes without an answer
    ("27", Message(Word.BILL_FISH)),
    ("28", Message(Word.STACKER_PROBLEM)),
    ("29", Message(Word.BILL_REJECT)),
    ("2A", Message(Word.INVALID_COMMAND)),
    ("2F", Message(Word.EXCLUDED)),
    ("3E", Message(Word.ENABLED)),  # FACTS, 106 action 4
    ("5E", Message(Word.DISABLED)),
    ("71", Message(Word.BUSY)),  # FACTS, 106 action 4
    ("A1", Message(Word.WAITING)),
]
MARKED = [
    ("81 8F 40", Message(Word.ESCROW, 1)),  # GO: how ICT106U says it by itself
    ("81 8F 45", Message(Word.ESCROW, 6)),
]
COMMANDS = [
    ("02", Command.ACCEPT),  # FACTS, 002U actions 1 and 2
    ("0C", Command.POLL),
    ("0F", Command.REJECT),
    ("18", Command.HOLD),
    ("30", Command.RESET),
    ("3E", Command.ENABLE),
    ("5E", Command.DISABLE),
]
NOISE = bytes.fromhex("00 42 8F 2E 77 80 81")  # no message, together or alone: the last two begin one and break it off


@pytest.mark.parametrize(("text", "message"), SPOKEN)
def test_a_message_is_read_and_written_byte_for_byte(text: str, message: Message) -> None:
    data = bytes.fromhex(text)
    assert Decoder().feed(data) == [message]
    assert encode(message) == data


@pytest.mark.parametrize(("text", "message"), MARKED)
def test_an_escrow_that_is_said_unasked_has_a_byte_more(text: str, message: Message) -> None:
    data = bytes.fromhex(text)
    assert Decoder().feed(data) == [message]
    assert encode(message, marked=True) == data


@pytest.mark.parametrize(("text", "command"), COMMANDS)
def test_a_command_is_one_byte(text: str, command: Command) -> None:
    assert bytes((command,)) == bytes.fromhex(text)


@pytest.mark.parametrize(("text", "message"), SPOKEN + MARKED)
def test_it_comes_one_byte_at_a_time(text: str, message: Message) -> None:
    decoder = Decoder()
    *start, last = bytes.fromhex(text)
    for byte in start:
        assert decoder.feed(bytes((byte,))) == []
    assert decoder.feed(bytes((last,))) == [message]
    assert decoder.drop() == []


def test_all_of_them_glued_together_with_noise_between() -> None:
    decoder, expected = Decoder(), list[Heard]()
    heard: list[Heard] = []
    for text, message in SPOKEN + MARKED:
        heard += decoder.feed(NOISE + bytes.fromhex(text))
        expected += [*(Noise(byte) for byte in NOISE), message]
    assert heard == expected


@pytest.mark.parametrize(("text", "heard"), [
    ("80 80 8F", [Noise(0x80), Message(Word.POWER_UP)]),
    ("80 10", [Noise(0x80), Message(Word.STACKED)]),
    ("81 10", [Noise(0x81), Message(Word.STACKED)]),
    ("81 3F", [Noise(0x81), Noise(0x3F)]),  # no type of note has that number
    ("81 50", [Noise(0x81), Noise(0x50)]),
    ("81 8F 3E", [Noise(0x81), Noise(0x8F), Message(Word.ENABLED)]),
    ("81 81 42", [Noise(0x81), Message(Word.ESCROW, 3)]),
    ("42", [Noise(0x42)]),
])  # fmt: skip
def test_what_is_broken_off_takes_nothing_along(text: str, heard: list[Heard]) -> None:
    assert Decoder().feed(bytes.fromhex(text)) == heard


def test_what_will_not_come_any_more_is_noise() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex("81 8F")) == []
    assert decoder.drop() == [Noise(0x81), Noise(0x8F)]
    assert decoder.feed(bytes.fromhex("42 3E")) == [Noise(0x42), Message(Word.ENABLED)]


def test_no_one_wrong_bit_makes_a_power_up_of_anything_that_ict104_says() -> None:
    plain = [bytes.fromhex(text) for text, message in SPOKEN if message.word is not Word.POWER_UP]
    flipped = [
        data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]
        for data in plain
        for at in range(len(data))
        for bit in range(8)
    ]
    assert not [data.hex(" ") for data in flipped if Message(Word.POWER_UP) in Decoder().feed(data)]


def test_the_conversation_by_which_terminal_client_recognises_a_validator() -> None:
    """TC `Commands::Identification` and `Answers::Identification`, after the power-up of one that does not say busy."""

    class Older(IctSimulator):
        generation = ICT104

    validator = Older()
    validator.mechanism.power_off()
    validator.mechanism.power_on()
    validator.pass_time(100)
    assert validator.take_sent().hex(" ") == "80 8f"
    validator.receive(bytes.fromhex("02"), 200)
    validator.pass_time(3000)
    assert validator.take_sent() == b""
    validator.receive(bytes.fromhex("02 5E 0C 3E 0C 5E 0C"), 3100)
    assert validator.take_sent().hex(" ") == "5e 3e 5e"
