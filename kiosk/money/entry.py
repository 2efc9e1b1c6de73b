"""One row of the journal: a fact, all that was decided on it, and the hash that chains it to the row before."""

import hashlib

import msgspec
from msgspec import Raw, Struct

from kiosk.money.ledger import Transfer

GENESIS = bytes(32)  # what the first row is chained to


class Change(Struct, frozen=True, array_like=True):
    """A thing as it is after this row: the very bytes that the derived table keeps."""

    number: int
    data: Raw


class Tally(Struct, frozen=True, array_like=True):
    """One more of something, for the day's totals: `paid/cash`, 1, 5000."""

    line: str
    count: int
    amount: int


class Commitment(Struct, frozen=True, array_like=True):
    """What the chain says of personal data: that it was this, and nothing more."""

    sale: int
    label: str
    digest: str


class Entry(Struct, frozen=True, omit_defaults=True):
    """What is hashed. Commands are the intents: none leaves the machine before its row is durable."""

    seq: int
    at: int  # milliseconds since 1970, as the terminal's clock said
    day: str
    fact: Raw
    changes: list[Change] = []
    transfers: list[Transfer] = []
    tallies: list[Tally] = []
    commands: list[Raw] = []
    personal: list[Commitment] = []
    sales: list[int] = []
    doubtful_clock: bool = False


ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(Entry)


def chain(previous: bytes, body: bytes) -> bytes:
    """The hash of a row: of the hash before it and of its own bytes."""
    return hashlib.sha256(previous + body).digest()


def commit_to(salt: bytes, value: bytes) -> str:
    """The commitment to one piece of personal data: it tells nothing once the salt is gone."""
    return hashlib.blake2b(value, key=salt, digest_size=16).hexdigest()
