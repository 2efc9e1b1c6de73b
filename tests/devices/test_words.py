"""What goes over each protocol's wire, told in words while a real driver works with a real simulator."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from devices.ccnet import wire as ccnet
from devices.cctalk import wire as cctalk
from devices.ebds import notes as ebds_notes
from devices.ebds import wire as ebds
from devices.id003 import wire as id003
from devices.registry import PROTOCOLS
from devices.ssp import dataset
from devices.ssp import wire as ssp
from devices.words import NOISE_MAX, Said, Words
from kiosk.flow.facts import CancelAsked, CashChosen
from kiosk.ports.fault import Fault
from tests.devices.coin_rig import CoinRig
from tests.devices.rig import DeviceRig, Rig
from tests.kiosk.flow.stage import yuan

ALL = sorted(PROTOCOLS)
FRAMED = sorted(set(PROTOCOLS) - {"ict"})
Heard = list[tuple[bool, bytes]]


class Overheard:
    """A line between a driver and its simulator, and what is told of it."""

    def __init__(self, rig: DeviceRig, words: Words) -> None:
        self.said: list[Said] = []
        self.heard: Heard = []
        self._words = words
        write, read = rig.line.write, rig.line.read

        def overheard_write(data: bytes) -> None:
            self._hear(from_host=True, data=data)
            write(data)

        def overheard_read(within_s: float) -> bytes:
            data = read(within_s)
            self._hear(from_host=False, data=data)
            return data

        rig.line.write, rig.line.read = overheard_write, overheard_read

    def _hear(self, *, from_host: bool, data: bytes) -> None:
        self.heard.append((from_host, data))
        self.said += self._words.hear(from_host, data)

    def news(self) -> list[str]:
        """What is not routine: what the host says as it is, what the device says behind a dash."""
        return [said.text if said.from_host else f"- {said.text}" for said in self.said if not said.routine]


def lived(protocol: str) -> Overheard:
    """A whole life: it starts, takes money, gives some back, is closed, and jams."""
    return lived_with_coins() if protocol == "cctalk" else lived_with_notes(protocol)


def lived_with_notes(protocol: str) -> Overheard:
    """A note of 50 is stacked, one of 20 is more than the sale wants, and is given back."""
    rig = Rig(protocol)
    overheard = Overheard(rig, PROTOCOLS[protocol].words())
    rig.ready()
    sale = rig.stage.sale(price=yuan(100), cash_price=yuan(100), face=yuan(100), cash_limit=yuan(60))
    rig.say(CashChosen(sale, ("bill",)))
    rig.run(lambda: bool(rig.mechanism.accepted))
    rig.mechanism.insert(yuan(50))
    rig.run(lambda: rig.mechanism.box == [yuan(50)])
    rig.settle(2)
    rig.mechanism.insert(yuan(20))
    rig.run(lambda: rig.mechanism.hand == [yuan(20)])
    rig.settle(2)
    rig.say(CancelAsked(sale))
    rig.settle()
    rig.mechanism.faults.add(Fault.JAM)
    rig.settle()
    rig.mechanism.clear(Fault.JAM)
    rig.settle()
    return overheard


def lived_with_coins() -> Overheard:
    """Coins of 5 and 1 are taken, and something else falls through."""
    rig = CoinRig("cctalk")
    overheard = Overheard(rig, PROTOCOLS["cctalk"].words())
    rig.ready()
    rig.open_sale()
    rig.drop(5)
    rig.fallen()
    rig.settle(1)
    rig.drop(1)
    rig.fallen()
    rig.settle(1)
    rig.drop(3)
    rig.fallen()
    rig.settle()
    rig.mechanism.faults.add(Fault.JAM)
    rig.settle()
    rig.mechanism.clear(Fault.JAM)
    rig.settle()
    return overheard


# Whole stories -------------------------------------------------------------------------------------------------------

STORIES: dict[str, list[str]] = {
    "ccnet": [
        "take nothing",
        "- not now",
        "- has just got power",
        "begin anew",
        "- starts up",
        "who are you?",
        "- I am SM-CN1234, serial number 21K7C0012345",
        "which notes do you know?",
        "- notes of 5.00, 10.00, 20.00, 50.00, 100.00",
        "take nothing",
        "take 5.00, 10.00, 20.00, 50.00, 100.00",
        "- draws it in",
        "- a note of 50.00 waits in escrow",
        "put it into the box",
        "- moves it into the box",
        "- a note of 50.00 is in the box",
        "- draws it in",
        "- a note of 20.00 waits in escrow",
        "give it back",
        "- gives it back",
        "- a note of 20.00 was given back",
        "take nothing",
        "- jam in the acceptor (code 43)",
        "begin anew",
        "- nothing is wrong any more: is closed",
        "take nothing",
    ],
    "ebds": [
        "take nothing",
        "- has just got power",
        "what are you?",
        "- I am SCN8307R",
        "which serial number have you?",
        "- serial number 30220417115",
        "which program have you?",
        "- program 286612142",
        "which boot program have you?",
        "- boot program 286601105",
        "which notes are you made for?",
        "- made for CNY",
        "which data set have you?",
        "- data set 490986210",
        "give a note back after 10 seconds",
        "- note type 1 is worth 1.00",
        "- note type 2 is worth 5.00",
        "- note type 3 is worth 10.00",
        "- note type 4 is worth 20.00",
        "- note type 5 is worth 50.00",
        "- note type 6 is worth 100.00",
        "- note type 7 is worth 100.00",
        "by notes, mean 1.00, 5.00, 10.00, 20.00, 50.00, 100.00, 100.00",
        "take notes",
        "- draws it in",
        "- a note of 50.00 waits in escrow",
        "put it into the box",
        "- moves it into the box",
        "- a note of 50.00 is in the box",
        "- draws it in",
        "- a note of 20.00 waits in escrow",
        "give it back",
        "- gives it back",
        "- a note of 20.00 was given back",
        "take nothing",
        "- jam in the acceptor (code 1:04)",
        "begin anew",
        "- has just got power",
    ],
    "ict": [
        "take nothing",
        "- has just got power",
        "- waits for a yes",
        "yes, go on",
        "take nothing",
        "take nothing",
        "take notes",
        "- note type 5 waits in escrow",
        "put it into the box",
        "- note type 5 is in the box",
        "- note type 4 waits in escrow",
        "give it back",
        "- note type 4 was given back",
        "take nothing",
        "- jam in the acceptor (code 22)",
        "- nothing is wrong any more",
        "take nothing",
    ],
    "ssp": [
        "give it back",
        "- not now (code F5)",
        "let us speak version 8",
        "by notes, mean none",
        "take nothing",
        "which notes do you know?",
        "- I am 0414, notes of 5.00, 10.00, 20.00, 50.00, 100.00",
        "which serial number have you?",
        "- serial number 4880564",
        "which firmware have you?",
        "- firmware NV02004141498000",
        "which data set have you?",
        "- data set CNY01610",
        "- that is not known here (code F2)",
        "- has just got power",
        "let us speak version 8",
        "by notes, mean none",
        "take nothing",
        "by notes, mean 5.00, 10.00, 20.00, 50.00, 100.00",
        "take notes",
        "- draws it in",
        "- a note of 50.00 waits in escrow",
        "- moves it into the box",
        "- a note of 50.00 is money now, it is in the box",
        "- draws it in",
        "- a note of 20.00 waits in escrow",
        "give it back",
        "- gives it back",
        "- a note of 20.00 was given back",
        "why was it rejected?",
        "- it was told to (code 08)",
        "by notes, mean none",
        "take nothing",
        "- jam in the acceptor (code E9)",
        "by notes, mean none",
        "take nothing",
    ],
    "essp": [
        "here is the first number of our key",
        "here is the second number of our key",
        "here is my part of our key",
        "- here is mine",
    ],
    "id003": [
        "who are you?",
        "- I am U(CHN)-10-SS, firmware V216-12",
        "which notes do you know?",
        "- notes of 5.00, 10.00, 20.00, 50.00, 100.00",
        "- has just got power",
        "begin anew",
        "- starts up",
        "be set like this",
        "take notes this way round",
        "take nothing",
        "by notes, mean 5.00, 10.00, 20.00, 50.00, 100.00",
        "take notes",
        "- draws it in",
        "- a note of 50.00 waits in escrow",
        "put it into the box",
        "- moves it into the box",
        "- a note of 50.00 is money now",
        "- has moved it into the box",
        "- draws it in",
        "- a note of 20.00 waits in escrow",
        "give it back",
        "- gives it back",
        "take nothing",
        "- jam in the acceptor (code 45)",
        "begin anew",
        "- nothing is wrong any more: is closed",
        "take nothing",
    ],
    "cctalk": [
        "take nothing",
        "what are you?",
        "- I am a Coin Acceptor",
        "who made you?",
        "- made by AZK",
        "which model are you?",
        "- model X6",
        "which serial number have you?",
        "- serial number 123456",
        "which firmware have you?",
        "- firmware V1.2",
        "- coin type 1 is 0.10",
        "- coin type 2 is 0.50",
        "- coin type 3 is 1.00",
        "- coin type 4 is 5.00",
        "- coin type 5 is 10.00",
        "- coin type 7 is 1.00",
        "take nothing",
        "by coins, mean 1.00, 5.00, 10.00, 1.00",
        "take coins",
        "- a coin of 5.00 is in the box",
        "- a coin of 1.00 is in the box",
        "- a coin falls through: rejected (code 1)",
        "- jam in the acceptor (code 14)",
        "take nothing",
        "- a sensor fails (code 3)",
        "- nothing is wrong any more: all is well",
        "by coins, mean 1.00, 5.00, 10.00, 1.00",
        "take coins",
    ],
    "cctalk-bills": [
        "take nothing",
        "what are you?",
        "- I am a Bill Validator",
        "who made you?",
        "- made by ITL",
        "which model are you?",
        "- model NV9",
        "which serial number have you?",
        "- serial number 654321",
        "which firmware have you?",
        "- firmware CC-1.06",
        "- note type 2 is CN0005A",
        "- note type 3 is CN0010A",
        "- note type 4 is CN0020A",
        "- note type 5 is CN0050A",
        "- note type 6 is CN0100A",
        "- money of CN by 100, with 2 decimals: notes of 5.00, 10.00, 20.00, 50.00, 100.00",
        "use your escrow",
        "take nothing",
        "by notes, mean 5.00, 10.00, 20.00, 50.00, 100.00",
        "take notes",
        "- a note of 50.00 waits in escrow",
        "put it into the box",
        "- a note of 50.00 is in the box",
        "- a note of 20.00 waits in escrow",
        "give it back",
        "- a note of 20.00 was given back",
        "take nothing",
        "- jam in the acceptor (code 16)",
        "take nothing",
        "- jam in the acceptor (code 39)",
        "- nothing is wrong any more: all is well",
        "take nothing",
    ],
}


def test_every_protocol_has_words() -> None:
    assert STORIES.keys() == PROTOCOLS.keys()
    for protocol in PROTOCOLS:
        assert PROTOCOLS[protocol].words().hear(True, b"") == []  # noqa: FBT003 - the direction


@pytest.mark.parametrize("protocol", ALL)
def test_a_whole_life_is_told(protocol: str) -> None:
    assert lived(protocol).news() == STORIES[protocol]


@pytest.mark.parametrize("protocol", ALL)
def test_bytes_one_by_one_say_the_same(protocol: str) -> None:
    overheard = lived(protocol)
    words = PROTOCOLS[protocol].words()
    apart = [
        said for from_host, data in overheard.heard for byte in data for said in words.hear(from_host, bytes((byte,)))
    ]
    assert apart == overheard.said


@pytest.mark.parametrize("protocol", ALL)
def test_whatever_one_side_says_in_a_row_may_come_at_once(protocol: str) -> None:
    together: Heard = []
    overheard = lived(protocol)
    for from_host, data in overheard.heard:
        if together and together[-1][0] is from_host:
            together[-1] = from_host, together[-1][1] + data
        elif data:
            together.append((from_host, data))
    words = PROTOCOLS[protocol].words()
    assert [said for from_host, data in together for said in words.hear(from_host, data)] == overheard.said


@pytest.mark.parametrize("protocol", ALL)
def test_a_device_that_waits_makes_no_news(protocol: str) -> None:
    rig = CoinRig(protocol) if protocol == "cctalk" else Rig(protocol)
    overheard = Overheard(rig, PROTOCOLS[protocol].words())
    rig.ready()
    rig.settle(10)
    before = len(overheard.news())
    rig.settle(20)
    assert overheard.news()[before:] == []


def test_what_is_encrypted_is_told_by_its_length_alone() -> None:
    encrypted = {said.text for said in lived("essp").said if "encrypted" in said.text}
    assert "something encrypted (16 bytes)" in encrypted
    assert all(said.routine for said in lived("essp").said if "encrypted" in said.text)


# What comes to harm --------------------------------------------------------------------------------------------------


def told(protocol: str, *heard: tuple[bool, bytes]) -> list[str]:
    """What is told of it."""
    words = PROTOCOLS[protocol].words()
    return [said.text for from_host, data in heard for said in words.hear(from_host, data)]


POLL = ccnet.encode(ccnet.Frame(ccnet.VALIDATOR, bytes((ccnet.Command.POLL,))))
JAMMED = ccnet.encode(ccnet.Frame(ccnet.VALIDATOR, bytes((ccnet.State.JAMMED,))))


def test_a_wrong_checksum_is_told_where_it_came() -> None:
    wrong = JAMMED[:-1] + b"\x00"
    assert told("ccnet", (True, POLL), (False, wrong), (True, POLL), (False, JAMMED)) == [
        "how are you?",
        f"bytes that are no frame: {wrong.hex(' ').upper()}",
        "how are you?",
        "jam in the acceptor (code 43)",
    ]


def test_half_a_frame_is_none_when_the_other_side_begins() -> None:
    assert told("ccnet", (True, POLL), (False, JAMMED[:4]), (True, POLL), (False, JAMMED)) == [
        "how are you?",
        "bytes that are no frame: 02 03 06 43",
        "how are you?",
        "jam in the acceptor (code 43)",
    ]


def test_noise_before_a_frame_is_told_before_it() -> None:
    assert told("ccnet", (True, POLL), (False, b"\xaa\xbb" + JAMMED))[1:] == [
        "bytes that are no frame: AA BB",
        "jam in the acceptor (code 43)",
    ]


def test_noise_without_end_is_told_in_parts() -> None:
    assert len(told("ccnet", (False, b"\xaa" * 10 * NOISE_MAX))) == 10


@pytest.mark.parametrize("protocol", FRAMED)
def test_noise_is_told_for_every_protocol_that_has_frames(protocol: str) -> None:
    assert (
        told(protocol, (False, b"\xaa\xbb\xcc\xdd\xee"), (True, b"\xaa"))[0]
        == "bytes that are no frame: AA BB CC DD EE"
    )


def test_where_there_are_no_frames_a_byte_may_say_nothing() -> None:
    assert told("ict", (False, b"\xaa")) == ["a byte that says nothing (AA)"]


@pytest.mark.parametrize("protocol", ["cctalk", "cctalk-bills", "ssp", "ebds"])
def test_a_line_that_echoes_tells_no_answer_twice(protocol: str) -> None:
    """On the others, a question has the same bytes as one of the answers."""
    heard = lived(protocol).heard
    question = next(data for from_host, data in heard if from_host)
    assert told(protocol, (True, question), (False, question))[1:] == ["the question comes back"]


def test_the_cyclic_form_of_cctalk_is_understood() -> None:
    poll = cctalk.encode(cctalk.Frame(2, cctalk.Header.SIMPLE_POLL), cctalk.Check.CRC)
    answer = cctalk.encode(cctalk.Frame(cctalk.HOST, cctalk.Header.REPLY), cctalk.Check.CRC)
    assert told("cctalk", (True, poll), (False, answer)) == ["are you there?", "yes"]


# Money that nobody knows ---------------------------------------------------------------------------------------------


def of_ccnet(question: int, body: bytes) -> Heard:
    """A question and its answer."""
    return [
        (True, ccnet.encode(ccnet.Frame(ccnet.VALIDATOR, bytes((question,))))),
        (False, ccnet.encode(ccnet.Frame(ccnet.VALIDATOR, body))),
    ]


def of_ssp(question: int, data: bytes) -> Heard:
    """A question and its answer."""
    return [
        (True, ssp.encode(ssp.Frame(0, sequence=True, data=bytes((question,))))),
        (False, ssp.encode(ssp.Frame(0, sequence=True, data=bytes((ssp.Status.OK,)) + data))),
    ]


def of_cctalk(header: int, asked: bytes, data: bytes) -> Heard:
    """A question and its answer."""
    return [
        (True, cctalk.encode(cctalk.Frame(2, header, asked, cctalk.HOST))),
        (False, cctalk.encode(cctalk.Frame(cctalk.HOST, cctalk.Header.REPLY, data, 2))),
    ]


NOBODY_KNOWS: dict[str, Heard] = {
    "ccnet": of_ccnet(ccnet.Command.BILL_TABLE, ccnet.bill_table_body({2: ccnet.Bill(5, "ZZZ", 0)})),
    "id003": [
        (
            False,
            id003.encode(
                id003.Frame(id003.Command.CURRENCY_ASSIGN, id003.currency_table_data((id003.Note(0x61, 0xFE, 5, 0),)))
            ),
        )
    ],
    "ebds": [
        (
            False,
            ebds.encode(
                ebds.Frame(
                    ebds.Kind.EXTENDED,
                    ack=True,
                    data=bytes((ebds.Extended.NOTE_SPECIFICATION, 1, 0x10, 0, 0, 0, 0))
                    + ebds_notes.line_bytes(ebds_notes.Line(1, "ZZZ", 5, 0))
                    + bytes(8),
                )
            ),
        )
    ],
    "ssp": of_ssp(
        ssp.Command.SETUP_REQUEST,
        dataset.setup_data(dataset.Setup(0, "0414", "ZZZ", 100, 7, (dataset.Channel(5, "ZZZ"),))),
    ),
    "cctalk": of_cctalk(cctalk.Header.REQUEST_COIN_ID, b"\x01", b"ZZ005A"),
}


@pytest.mark.parametrize("protocol", sorted(NOBODY_KNOWS))
def test_money_of_an_unknown_currency_is_told_with_its_name(protocol: str) -> None:
    assert any(" 5 " in text for text in told(protocol, *NOBODY_KNOWS[protocol])), told(
        protocol, *NOBODY_KNOWS[protocol]
    )


# Anything at all -----------------------------------------------------------------------------------------------------

Encode = Callable[[bool, int, bytes], bytes]
FRAMES: dict[str, Encode] = {
    "ccnet": lambda _, code, data: ccnet.encode(ccnet.Frame(ccnet.VALIDATOR, bytes((code,)) + data)),
    "id003": lambda _, code, data: id003.encode(id003.Frame(code, data)),
    "ebds": lambda _, code, data: ebds.encode(
        ebds.Frame(ebds.Kind(max(code & ebds.KIND, 0x10)), bool(code & 1), bytes(byte & 0x7F for byte in data))
    ),
    "ssp": lambda _, code, data: ssp.encode(ssp.Frame(0, sequence=False, data=bytes((code,)) + data)),
    "cctalk": lambda from_host, code, data: cctalk.encode(
        cctalk.Frame(2, max(code, 7), data[:64], 1) if from_host else cctalk.Frame(1, 5 * (code == 5), data[:64], 2)
    ),
    "ict": lambda _, code, data: bytes((code,)) + data,
}
Change = Callable[[bytes], bytes]
CHANGED: dict[str, Callable[[bytes, Change], bytes]] = {
    "ccnet": lambda data, change: b"".join(
        ccnet.encode(replace(frame, body=change(frame.body))) for frame in ccnet.Decoder().feed(data)
    ),
    "id003": lambda data, change: b"".join(
        id003.encode(replace(frame, data=change(frame.data))) for frame in id003.Decoder().feed(data)
    ),
    "ebds": lambda data, change: b"".join(
        ebds.encode(replace(frame, data=bytes(byte & ebds.BYTE_MAX for byte in change(frame.data))))
        for frame in ebds.Decoder().feed(data)
    ),
    "ssp": lambda data, change: b"".join(
        ssp.encode(replace(frame, data=change(frame.data))) for frame in ssp.Decoder().feed(data)
    ),
    "cctalk": lambda data, change: b"".join(
        cctalk.encode(replace(frame, data=change(frame.data))) for frame in cctalk.Decoder().feed(data)
    ),
}
SAME = {"essp": "ssp", "cctalk-bills": "cctalk"}
CODES = st.one_of(
    st.integers(0, 255),
    st.sampled_from([
        code.value
        for codes in (ccnet.Command, id003.Command, ssp.Command, ssp.Status, cctalk.Header, ebds.Kind)
        for code in codes
    ]),
)  # fmt: skip
DATA = st.one_of(*(st.binary(min_size=size, max_size=size) for size in (0, 1, 2, 3, 6, 7, 11, 13, 16, 34, 50, 77, 119)))


@pytest.mark.parametrize("protocol", ALL)
@given(heard=st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=20))
def test_nothing_that_a_line_holds_upsets_it(protocol: str, heard: Heard) -> None:
    assert all(text.strip() for text in told(protocol, *heard))


@pytest.mark.parametrize("protocol", ALL)
@given(heard=st.lists(st.tuples(st.booleans(), CODES, DATA), max_size=20))
def test_no_frame_that_is_right_upsets_it(protocol: str, heard: list[tuple[bool, int, bytes]]) -> None:
    encode = FRAMES[SAME.get(protocol, protocol)]
    frames = [(from_host, encode(from_host, code, data)) for from_host, code, data in heard]
    assert all(text.strip() for text in told(protocol, *frames))


@pytest.mark.parametrize("protocol", ALL)
@given(heard=st.lists(st.tuples(st.booleans(), CODES, DATA, st.integers(0, 4)), max_size=12))
def test_noise_and_frames_one_by_one_say_the_same(protocol: str, heard: list[tuple[bool, int, bytes, int]]) -> None:
    encode = FRAMES[SAME.get(protocol, protocol)]
    pieces = [(from_host, bytes(noise) + encode(from_host, code, data)) for from_host, code, data, noise in heard]
    apart = [(from_host, bytes((byte,))) for from_host, data in pieces for byte in data]
    assert told(protocol, *apart) == told(protocol, *pieces)


@pytest.mark.parametrize("protocol", FRAMED)
def test_a_life_of_right_frames_with_other_contents_upsets_it_as_little(protocol: str) -> None:
    """Now and then, a byte of what a frame says is another one, or the end is missing."""
    random = Random(1)

    def change(said: bytes) -> bytes:
        at = random.randrange(4 * len(said) + 1)
        other = bytes((random.randrange(256),)) if random.random() < 0.8 else b""
        return said[:at] + other + said[at + 1 :] if at < len(said) and (other or at) else said

    encode, heard = CHANGED[SAME.get(protocol, protocol)], lived(protocol).heard
    for _ in range(10):
        assert all(text.strip() for text in told(protocol, *((host, encode(data, change)) for host, data in heard)))


@pytest.mark.parametrize("protocol", ALL)
def test_a_life_with_every_byte_in_turn_harmed_upsets_it_as_little(protocol: str) -> None:
    words = PROTOCOLS[protocol].words()
    for place, (from_host, data) in enumerate(lived(protocol).heard):
        harmed = bytearray(data)
        if harmed:
            harmed[place % len(harmed)] ^= 1 << place % 8
        words.hear(from_host, bytes(harmed))
