"""Who the device is and what its notes are worth: question by question, and what follows from its answers.

Nothing is assumed of a model. What its notes are worth, a device tells line by line (extended notes), or for its seven
value bits at once (value table); one that can tell neither is set up for a host that knows it by heart, and refused.
"""

from collections.abc import Generator

from msgspec import Struct

from devices.driver import TABLE_MAX, Denomination, DeviceGone, Identity
from devices.ebds import notes, wire
from devices.ebds.notes import Line
from devices.ebds.wire import Aux, Configuration, Extended, Frame, Kind, Mode
from kiosk.ports.fault import Fault

ESCROW_MAX_S = 10  # a note on which nobody decides goes back
CLOSED = Mode.ORIENTATION | Mode.ESCROW
SUBTYPE = 1  # byte of an extended answer, before the status


class Question(Struct, frozen=True):
    """What is asked; a device that does not know the question may be silent."""

    kind: Kind
    data: bytes


class Told(Struct, frozen=True):
    """What the device has told of itself."""

    identity: Identity
    extended: bool  # it reports notes by the line of its table, and not by value bits


Interview = Generator[Question, Frame | None, Told]
Lines = Generator[Question, Frame | None, tuple[Line, ...]]
Answered = Generator[Question, Frame | None, Frame | None]


def interview(unnamed: str) -> Interview:
    """Ask everything; `unnamed` is what to call a device that does not say its type."""
    asked = (Aux.ACCEPTOR_TYPE, Aux.SERIAL_NUMBER, Aux.APPLICATION_PART_NUMBER, Aux.BOOT_PART_NUMBER)
    texts: list[str] = []
    for command in (*asked, Aux.VARIANT_NAME, Aux.VARIANT_PART_NUMBER):
        answer = yield from _twice(Question(Kind.AUXILIARY, wire.auxiliary(command)))
        texts.append(wire.text(answer.data) if answer is not None and answer.kind is Kind.AUXILIARY else "")
    kind, serial, *parts = texts
    limits = bytes((ESCROW_MAX_S, ESCROW_MAX_S))
    yield from _twice(_extended(Extended.ESCROW_TIMEOUT, Configuration.EXTENDED_NOTES, limits))
    lines = yield from _specifications()
    extended = bool(lines)
    if not extended:
        lines = yield from _values()
    worth = tuple(Denomination(one.index, money) for one in lines if (money := notes.money(one)) is not None)
    return Told(Identity(kind or unnamed, " ".join(filter(None, parts)), serial, worth), extended)


def _specifications() -> Lines:
    """The lines of its table, until one is empty, or is answered in another way."""
    lines: list[Line] = []
    for index in range(1, TABLE_MAX + 2):
        question = _extended(Extended.NOTE_SPECIFICATION, Configuration.EXTENDED_NOTES, bytes((index,)))
        answer = yield from _twice(question)
        if answer is None and lines:
            raise DeviceGone(Fault.NO_DENOMINATIONS, f"note {index} is not told")
        said = _behind_the_status(answer, Extended.NOTE_SPECIFICATION)
        if len(said) != wire.DETAILS_BYTES or notes.is_empty(said):
            return tuple(lines)
        line = notes.line(said)
        if line is None or line.index != index:
            raise DeviceGone(Fault.NO_DENOMINATIONS, f"note {index} is not understood", said.hex().upper())
        lines.append(line)
    raise DeviceGone(Fault.NO_DENOMINATIONS, f"more than {TABLE_MAX} notes")


def _values() -> Lines:
    """What its value bits stand for; nothing, if it does not know that either."""
    answer = yield from _twice(_extended(Extended.VALUE_TABLE, Configuration.NONE))
    said = _behind_the_status(answer, Extended.VALUE_TABLE)
    if not said:
        return ()
    lines = notes.value_table(said)
    if lines is None:
        raise DeviceGone(Fault.NO_DENOMINATIONS, "a value table that is not understood", said.hex().upper())
    return lines


def _twice(question: Question) -> Answered:
    """Silence may have been the line."""
    answer = yield question
    if answer is None:
        answer = yield question
    return answer


def _extended(command: Extended, configuration: Configuration, data: bytes = b"") -> Question:
    """An extended command is an order too: to stay closed."""
    order = wire.order(0, CLOSED, configuration | Configuration.POLICY_B)
    return Question(Kind.EXTENDED, bytes((command,)) + order + data)


def _behind_the_status(answer: Frame | None, of: Extended) -> bytes:
    if answer is None or answer.kind is not Kind.EXTENDED or answer.data[:SUBTYPE] != bytes((of,)):
        return b""
    return answer.data[SUBTYPE + wire.STATUS_BYTES :]
