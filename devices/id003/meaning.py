"""What ID-003's codes mean: which fault, which reason, and which money."""

from devices.driver import Denomination
from devices.id003.wire import Note, State, Status
from kiosk.amount import MINOR_UNITS_MAX, Money, decimals
from kiosk.ports.fault import Fault

FAULTS = {
    State.STACKER_FULL: Fault.STACKER_FULL,
    State.STACKER_OPEN: Fault.BOX_REMOVED,
    State.ACCEPTOR_JAM: Fault.JAM,
    State.STACKER_JAM: Fault.STACKER_JAM,
    State.PAUSE: Fault.PAUSED,
    State.CHEATED: Fault.CHEATED,
    State.FAILURE: Fault.FAILURE,
}
FAILURES = {
    0xA2: Fault.MOTOR,  # stack motor
    0xA5: Fault.MOTOR,  # transport motor, speed
    0xA6: Fault.MOTOR,  # transport motor
    0xA7: Fault.MOTOR,  # aligning motor
    0xA8: Fault.MOTOR,  # solenoid
    0xA9: Fault.FAILURE,  # PB unit
    0xAB: Fault.OPEN,  # cash box not ready
    0xAC: Fault.SENSOR,  # optical
    0xAD: Fault.SENSOR,  # magnetic
    0xAF: Fault.OPEN,  # validator head removed
    0xB0: Fault.FIRMWARE,  # boot ROM
    0xB1: Fault.FIRMWARE,  # external ROM
    0xB2: Fault.FIRMWARE,  # RAM; ROM in some lists
    0xB3: Fault.FIRMWARE,  # external ROM, writing
}
REASONS = {
    0x71: "insertion",
    0x72: "magnetic",
    0x73: "remaining_in_acceptor",
    0x74: "compensation",
    0x75: "conveying",
    0x76: "denomination",
    0x77: "photo_pattern",
    0x78: "photo_level",
    0x79: "inhibited",  # or nobody decided on it while it lay in escrow
    0x7A: "reserved",
    0x7B: "operation",
    0x7C: "remaining_in_stacker",
    0x7D: "length",
    0x7E: "photo_pattern_2",
    0x7F: "true_bill_feature",
    0x98: "several_notes",
    0x9B: "ticket_upside_down",
}
GIVEN_BACK = "given_back"  # the device returns it, and nobody told it to
CURRENCIES = {  # by the country in the currency table
    0x01: "USD", 0x02: "AUD", 0x05: "SEK", 0x06: "ZAR", 0x08: "CAD", 0x09: "MXN", 0x0A: "JPY", 0x0C: "BRL", 0x0D: "NZD",
    0x0E: "ARS", 0x16: "CHF", 0x17: "GBP", 0x19: "COP", 0x1A: "PLN", 0x1C: "AED", 0x22: "SGD", 0x27: "RUB", 0x2C: "CZK",
    0x2D: "CNY", 0x2F: "PEN", 0x30: "HUF", 0x31: "UYU", 0x3A: "DKK", 0x48: "CAD", 0x4A: "PHP", 0x4D: "CRC", 0x4E: "CLP",
    0x51: "KZT", 0x56: "ILS", 0x5C: "UAH", 0x63: "INR", 0x78: "IRR", 0x7E: "MDL", 0x86: "UZS", 0xE0: "EUR",
}  # fmt: skip


def code(status: Status) -> str:
    """The device's own words, in hexadecimal."""
    return f"{status.state:02X}" if status.detail is None else f"{status.state:02X}{status.detail:02X}"


def fault(status: Status) -> Fault | None:
    """Why it takes nothing, if it is broken."""
    if status.state is State.FAILURE and status.detail is not None:
        return FAILURES.get(status.detail, Fault.FAILURE)
    return FAULTS.get(status.state)


def reason(status: Status) -> str:
    """Why it does not take the note."""
    return REASONS.get(status.detail or 0, code(status))


def denominations(notes: tuple[Note, ...]) -> tuple[Denomination, ...]:
    """What the lines of a table are worth; what no money can be worth is left out."""
    return tuple(Denomination(note.denomination, money) for note in notes if (money := _money(note)))


def _money(note: Note) -> Money | None:
    """A country that we do not know has a currency that is not ours."""
    currency = CURRENCIES.get(note.country)
    if currency is None:
        return Money(note.value, f"country {note.country:02X}")
    worth = note.value * 10 ** (decimals(currency) + note.exponent)
    return Money(worth, currency) if worth <= MINOR_UNITS_MAX else None
