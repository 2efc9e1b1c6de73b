"""What a status means: which bits are faults, which of them count when, which agree; and what a note is worth."""

from msgspec import Struct

from devices.driver import Identity
from devices.ebds import notes
from devices.ebds.wire import Answer, Exceptional, Misc, State, Status
from devices.note_path import Broken
from kiosk.amount import Money
from kiosk.ports.fault import Fault

MOVEMENTS = State.IDLING | State.ACCEPTING | State.ESCROWED | State.STACKING | State.RETURNING
ENDS = State.STACKED | State.RETURNED
BESIDE = {  # what may be said together with the end of a note
    State.STACKED: {State.NONE, State.IDLING, State.ACCEPTING, State.STACKING},
    State.RETURNED: {State.NONE, State.IDLING, State.ACCEPTING, State.RETURNING},
}


class Sign(Struct, frozen=True):
    """A bit, by the number of its data byte, and what is wrong when it is set."""

    byte: int
    bit: Status | Exceptional | Misc
    fault: Fault
    early: bool = False  # believed while it starts up, too
    alone: bool = False  # only while nothing moves: a customer may be too quick for the note before
    heals: bool = False  # a reset may bring it back

    @property
    def broken(self) -> Broken:
        """Reported with the vendor's place for it."""
        return Broken(self.fault, f"{self.byte}:{self.bit:02X}")


NO_CASSETTE = Broken(Fault.BOX_REMOVED, f"1:{Status.CASSETTE_ATTACHED:02X}")
SIGNS = (  # the gravest first: one of them is told
    Sign(1, Status.JAMMED, Fault.JAM, early=True, heals=True),
    Sign(3, Misc.STALLED, Fault.STACKER_JAM, early=True),
    Sign(2, Exceptional.FAILURE, Fault.FAILURE, early=True, heals=True),
    Sign(3, Misc.FLASH_DOWNLOAD, Fault.FIRMWARE, early=True),
    Sign(1, Status.CHEATED, Fault.CHEATED),
    Sign(1, Status.STACKER_FULL, Fault.STACKER_FULL),
    Sign(2, Exceptional.TRANSPORT_OPEN, Fault.OPEN),
    Sign(1, Status.CALIBRATION, Fault.FAILURE),
    Sign(1, Status.PAUSED, Fault.PAUSED, alone=True),
)
HEALED_BY_RESET = {sign.broken for sign in SIGNS if sign.heals}


def agrees(answer: Answer) -> bool:
    """Is there one movement at most, one end at most, and do they go together?"""
    movement, end = answer.state & MOVEMENTS, answer.state & ENDS
    if movement.bit_count() > 1 or end.bit_count() > 1:
        return False
    return not end or movement in BESIDE[end]


def broken(answer: Answer, *, starting: bool, started: bool) -> Broken | None:
    """What is wrong with it. `starting`: it says that it starts up; `started`: and has not come to rest since.

    Whether the cassette is there it does not know yet while it starts up; and an open path is then said once, if it was
    open at any time without power.
    """
    if not starting and Status.CASSETTE_ATTACHED not in answer.status:
        return NO_CASSETTE
    rests = answer.state & MOVEMENTS in {State.NONE, State.IDLING}
    for sign in SIGNS:
        if not _has(answer, sign) or (starting and not sign.early) or (sign.alone and not rests):
            continue
        if not (started and sign.fault is Fault.OPEN):
            return sign.broken
    return None


def _has(answer: Answer, sign: Sign) -> bool:
    byte = {1: answer.status, 2: answer.exceptional, 3: answer.misc}[sign.byte]
    return bool(byte & sign.bit)


def worth(answer: Answer, who: Identity, currency: str, *, extended: bool) -> Money | None:
    """What the note is worth, if that is in the device's table; until we have that, it has at least to be our money."""
    if not answer.details:
        return None if extended else who.amount(answer.value)
    line = notes.line(answer.details)
    money = None if line is None or notes.is_doubted(answer.details) else notes.money(line)
    known = {line.amount for line in who.denominations}
    if money is None or (money not in known if who.model else money.currency != currency):
        return None
    return money
