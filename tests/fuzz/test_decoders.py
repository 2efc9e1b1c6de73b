"""Any bytes at all, in chunks of any size: a decoder never raises, and never keeps more than a frame's worth."""

from collections import deque
from collections.abc import Iterator
from itertools import product
from random import Random
from unittest import mock

import pytest

from devices.registry import PROTOCOLS
from tests.fuzz.life import Life
from tests.fuzz.line import CALM
from tests.fuzz.mutation import Mutator
from tests.fuzz.witness import Decoder, decoder_of

KEPT_MAX = 2048  # bytes
CHUNKS = 3_000
BEGINNING = 7  # bytes that may say how long something is
BENT = (0x00, 0x01, 0x7F, 0xFF)
FILLERS = (b"\x00", b"\x7f\x00", b"\xff")
DECODERS = {decoder_of(protocol): protocol for protocol in PROTOCOLS}  # two protocols may share one
decoders = pytest.mark.parametrize("protocol", DECODERS.values())


def kept(thing: object) -> int:
    """How many bytes, or other things, it holds."""
    match thing:
        case bytes() | bytearray():
            return len(thing)
        case list() | deque() | tuple() | set() | frozenset():
            members: list[object] = [*thing]
            return sum(1 + kept(member) for member in members)
        case _:
            return 0


def check(decoder: Decoder) -> None:
    """It has room for a frame and no more."""
    size = sum(kept(value) for value in vars(decoder).values())
    assert size < KEPT_MAX, size


def genuine(protocol: str) -> list[bytes]:
    """What a device says in a life of fair weather."""
    life = Life(protocol, seed=1)
    life.line.weather = CALM
    said: list[bytes] = []
    with mock.patch.object(life.witness, "saw", said.append):
        assert life.live() is None
    return said


def chunks(protocol: str) -> Iterator[bytes]:
    """Noise, what a device says, what becomes of that on a bad line, and pieces of all of it."""
    random = Random(protocol)
    mutator = Mutator(random)
    said = genuine(protocol)
    for _ in range(CHUNKS):
        answer = random.choice(said)
        mutator.saw(answer)
        yield from random.choice(
            (
                lambda: [mutator.noise()],
                lambda answer=answer: [answer],
                lambda answer=answer: [mutator.harm(answer)],
                lambda answer=answer: mutator.pieces(answer),
                lambda answer=answer: mutator.pieces(mutator.harm(answer) or answer),
            )
        )()


@decoders
def test_it_takes_whatever_comes(protocol: str) -> None:
    decoder = decoder_of(protocol)()
    for chunk in chunks(protocol):
        decoder.feed(chunk)
        check(decoder)


@decoders
def test_no_beginning_makes_it_wait_for_ever(protocol: str) -> None:
    """Each byte of a beginning is bent, that of a length among them; then nothing of what was promised comes."""
    beginnings = {answer[0]: answer[:BEGINNING] for answer in sorted(genuine(protocol), key=len)}
    for beginning in beginnings.values():
        for place in range(len(beginning)):
            for bent, filler in product(BENT, FILLERS):
                decoder = decoder_of(protocol)()
                decoder.feed(beginning[:place] + bytes((bent,)))
                check(decoder)
                decoder.feed(filler * KEPT_MAX)
                check(decoder)


@decoders
def test_after_noise_it_still_hears(protocol: str) -> None:
    """Once what will not come any more is dropped, the next answer is found."""
    random = Random(protocol)
    said = [answer for answer in genuine(protocol) if decoder_of(protocol)().feed(answer)]
    for _ in range(300):
        decoder = decoder_of(protocol)()
        decoder.feed(random.randbytes(random.randint(1, 300)))
        decoder.drop()
        answer = random.choice(said)
        assert decoder.feed(answer) == decoder_of(protocol)().feed(answer)
