"""Claim codes are money to whoever holds them: eleven characters of secret and one that checks them.

The code is derived from the machine's secret, so that it need not be kept; the journal and staff see a keyed hash of it
and its last group.
"""

import hashlib

from msgspec import Struct

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: they are taken for 1, 1, 0 and V
LENGTH = 12
_READ_AS = str.maketrans("ILOU", "110V")


class Code(Struct, frozen=True):
    """What the journal may know of a code."""

    digest: str
    tail: str


class CodeError(ValueError):
    """What was typed is no code."""


class CodeBook:
    """Makes and recognises the codes of one incarnation of one machine."""

    def __init__(self, secret: bytes, incarnation: str) -> None:
        self._secret = secret
        self._incarnation = incarnation

    def text(self, claim: int, renewals: int = 0) -> str:
        """The code of a claim, renewed so many times, in full: for the customer's eyes alone."""
        seed = hashlib.blake2b(
            f"{self._incarnation}/{claim}/{renewals}".encode(), key=self._secret, person=b"claim code", digest_size=8
        ).digest()
        bits = int.from_bytes(seed, "big")
        symbols = [bits >> 5 * place & 31 for place in range(LENGTH - 1)]
        return "".join(ALPHABET[symbol] for symbol in (*symbols, _check(symbols)))

    def code(self, claim: int, renewals: int = 0) -> Code:
        """What is kept of it."""
        return self.recognise(self.text(claim, renewals))

    def recognise(self, typed: str) -> Code:
        """Read a typed code, forgiving look-alikes; the check character catches any one mistake and any swap."""
        text = normal(typed)
        symbols = [ALPHABET.find(char) for char in text]
        if len(symbols) != LENGTH or -1 in symbols:
            msg = f"a code has {LENGTH} letters and digits"
            raise CodeError(msg)
        if _check(symbols[:-1]) != symbols[-1]:
            msg = "the last character does not agree with the others"
            raise CodeError(msg)
        digest = hashlib.blake2b(text.encode(), key=self._secret, person=b"claim digest", digest_size=16)
        return Code(digest.hexdigest(), text[-4:])


def normal(typed: str) -> str:
    """A code, or a part of one, as it was most likely meant."""
    return typed.upper().replace("-", "").replace(" ", "").translate(_READ_AS)


def grouped(text: str) -> str:
    """Three groups of four, as it is printed and shown."""
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def _times(left: int, right: int) -> int:
    """Multiply in the field of 32 elements, modulo x^5 + x^2 + 1."""
    product = 0
    for bit in range(5):
        if right >> bit & 1:
            product ^= left << bit
    for bit in range(9, 4, -1):
        if product >> bit & 1:
            product ^= 0b100101 << (bit - 5)
    return product


def _weighed() -> tuple[tuple[int, ...], ...]:
    """Per place, what each symbol adds to the sum: each place has a weight of its own, so any one slip shows."""
    places: list[tuple[int, ...]] = []
    weight = 2
    for _ in range(LENGTH - 1):
        places.append(tuple(_times(symbol, weight) for symbol in range(len(ALPHABET))))
        weight = _times(weight, 2)
    return tuple(places)


_WEIGHED = _weighed()


def _check(symbols: list[int]) -> int:
    """The last symbol: a weighted sum of all the others."""
    total = 0
    for place, symbol in zip(_WEIGHED, symbols, strict=True):
        total ^= place[symbol]
    return total
