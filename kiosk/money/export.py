"""Every row leaves as one line of JSON: its exact bytes, its hash, and what is still known of the customers in it.

Who has the hash of the row before can hash the bytes under "row" and see that nothing was changed on the way.
"""

from collections.abc import Iterator
from typing import cast

import apsw
import msgspec
from msgspec import Raw, Struct

from kiosk.money.entry import Commitment
from kiosk.money.personal import known, shown
from kiosk.texts import text

SLICE_ROWS = 1_000  # read in one statement, so that no export holds up the terminal's checkpoints
ROWS = "SELECT seq, body, hash FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"


class Shown(Struct, frozen=True):
    """What is known of the customer of one sale, under one label."""

    sale: int
    label: str
    value: str


class ExportLine(Struct, frozen=True, omit_defaults=True):
    """One line."""

    hash: str
    row: Raw
    personal: list[Shown] = []


class _Committed(Struct):
    personal: list[Commitment] = []


_ENCODER = msgspec.json.Encoder()
_COMMITTED = msgspec.json.Decoder(_Committed)


def lines(connection: apsw.Connection, *, unmasked: bool = False) -> Iterator[bytes]:
    """All rows up to the one that is the last at the beginning."""
    last: int = connection.execute("SELECT coalesce(max(seq), 0) FROM entry").get
    done = 0
    while done < last:
        rows = cast("list[tuple[int, bytes, bytes]]", connection.execute(ROWS, (done, last, SLICE_ROWS)).fetchall())
        if not rows:
            return
        for seq, body, digest in rows:
            personal = [
                Shown(kept.sale, kept.label, _shown(known(connection, kept.sale, kept.label, seq), unmasked=unmasked))
                for kept in (_COMMITTED.decode(body).personal if b'"personal":[' in body else ())
            ]
            yield _ENCODER.encode(ExportLine(digest.hex(), Raw(body), personal))
        done = rows[-1][0]


def _shown(value: bytes | None, *, unmasked: bool) -> str:
    return text("personal.gone") if value is None else shown(value, unmasked=unmasked)
