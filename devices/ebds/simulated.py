"""What the simulated validator says of itself: its notes, its part numbers, and how long things take in it."""

from msgspec import Struct
from msgspec.structs import replace

from devices.ebds import notes
from devices.ebds.notes import Line
from devices.ebds.wire import DETAILS_BYTES, Aux
from devices.mechanism import Timings

YUAN = ((1, 0), (5, 0), (1, 1), (2, 1), (5, 1), (1, 2), (1, 2))  # digits and power of ten; there are two hundreds
LINES = tuple(Line(index, "CNY", digits, power) for index, (digits, power) in enumerate(YUAN, 1))
TIMINGS = Timings(initialise_ms=5_000, escrow_max_ms=30_000, silence_max_ms=8_000)
BOOT_MS = 2_000  # of silence, when it gets power
FOREVER_MS = 10**9
MODEL, REVISION = 0x54, 0x2A
CRC = bytes((0x03, 0x0F, 0x02, 0x0A, 0, 0))
WAY = 0x02  # left edge first, face up
LENGTHS = {Aux.ACCEPTOR_TYPE: 20, Aux.SERIAL_NUMBER: 20, Aux.VARIANT_NAME: 32}
PART_BYTES = 9  # of all others: part numbers


class Who(Struct, frozen=True):
    """What it says to auxiliary commands, as text; an empty one it does not know."""

    acceptor_type: str = "SCN8307R"
    serial_number: str = "30220417115"
    boot_part_number: str = "286601105"
    application_part_number: str = "286612142"
    variant_name: str = "CNY"
    variant_part_number: str = "490986210"

    def says(self, command: int) -> bytes:
        """The data of its answer. One that it does not know is answered like a question for its CRC."""
        known = {Aux[name.upper()]: name for name in self.__struct_fields__}
        said = str(getattr(self, known[Aux(command)])) if command in known else ""
        return said.encode("ascii").ljust(LENGTHS.get(Aux(command), PART_BYTES), b"\0") if said else CRC


def details(line: Line, index: int) -> bytes:
    """A line as an extended answer has it, under that index: 0 for a note in the path."""
    series = b"A" + bytes((ord("@") + line.index,)) + b"BA"  # type, series, compatibility and version
    return (notes.line_bytes(replace(line, index=index)) + bytes((WAY,)) + series).ljust(DETAILS_BYTES, b"\0")
