"""What is known of a customer is shown masked, or not at all, unless somebody asked by name to see it."""

import apsw
import msgspec

from kiosk.cards import mask
from kiosk.texts import text

NUMBERS = ("number", "iccid")  # what can be shown masked; everything else stays hidden


def known(connection: apsw.Connection, sale: int, label: str, seq: int) -> bytes | None:
    """What a row recorded of a customer, if it is still there."""
    sql = "SELECT value FROM personal WHERE sale = ? AND label = ? AND seq = ?"
    return connection.execute(sql, (sale, label, seq)).get


def shown(value: bytes, *, unmasked: bool, language: str = "en") -> str:
    """Write it so that it can be shown."""
    if unmasked:
        return printable(value.decode("utf-8", "backslashreplace"))
    try:
        fields = msgspec.json.decode(value, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        fields = {}
    numbers = [mask(number) for name in NUMBERS if isinstance(number := fields.get(name), str)]
    return ", ".join(numbers) or text("personal.kept", language)


def printable(written: str) -> str:
    """Nothing that came from outside moves a terminal's cursor."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in written)
