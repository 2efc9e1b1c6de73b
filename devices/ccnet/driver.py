"""CCNET: what a validator's answers mean, and what is sent to it.

An answer with data is acknowledged by us once the host has made durable what follows from it; an acknowledged or
refused command is not acknowledged again.
"""

from collections.abc import Callable

from devices.ccnet import wire
from devices.ccnet.wire import Command, Decoder, Frame, State
from devices.driver import BillDriver, Denomination, DeviceGone, Host, Identity, Inbox, Setting
from devices.link import LineSettings
from devices.note_path import Broken, Escrowed, Moving, Rejected, Report, Returned, Stacked, StartedUp, Still
from kiosk.amount import Money, decimals
from kiosk.ports.fault import Fault

TRIES = 3
REPLY_S = 0.3  # in the field an answer takes up to 200 ms
TABLE_REPLY_S = 1.5  # identification and bill table take longer
RESET_AGAIN_S = 10.0  # between two attempts to bring a failed device back
COUNTRIES = {"CHN": "CNY", "RMB": "CNY", "CNY": "CNY", "HKG": "HKD", "HKD": "HKD", "MAC": "MOP", "USA": "USD",
             "EUR": "EUR", "THA": "THB", "KHM": "KHR", "JPN": "JPY", "RUS": "RUB"}  # fmt: skip

FAULTS = {
    State.CASSETTE_FULL: Fault.STACKER_FULL,
    State.CASSETTE_OUT: Fault.BOX_REMOVED,
    State.JAMMED: Fault.JAM,
    State.CASSETTE_JAMMED: Fault.STACKER_JAM,
    State.CHEATED: Fault.CHEATED,
    State.PAUSE: Fault.PAUSED,
}
FAILURES = {
    0x50: Fault.MOTOR,  # stack motor
    0x51: Fault.MOTOR,  # transport motor, speed
    0x52: Fault.MOTOR,  # transport motor
    0x53: Fault.SENSOR,  # aligning motor
    0x54: Fault.OPEN,  # initial cassette status
    0x55: Fault.SENSOR,  # optic canal
    0x56: Fault.SENSOR,  # magnetic canal
    0x5F: Fault.SENSOR,  # capacitance canal
}
REASONS = {
    0x60: "insertion",
    0x61: "magnetic",
    0x62: "bill_left_in_head",
    0x63: "multiplying",
    0x64: "conveying",
    0x65: "identification",
    0x66: "verification",
    0x67: "optic",
    0x68: "inhibited",
    0x69: "capacity",
    0x6A: "operation",
    0x6C: "length",
    0x6D: "uv",
    0x92: "barcode_unidentified",
    0x93: "barcode_start",
    0x94: "barcode_length",
    0x95: "barcode_ending",
}
NO_DETAIL = 0xFF  # no bill type, no reason and no failure has that number
STARTING = {
    State.POWER_UP: StartedUp("none"),
    State.POWER_UP_IN_VALIDATOR: StartedUp("validator"),
    State.POWER_UP_IN_STACKER: StartedUp("stacker"),
}
HEALED_BY_RESET = {State.JAMMED, State.CASSETTE_JAMMED, State.CHEATED, State.FAILURE}


class CcnetDriver(BillDriver):
    """One validator."""

    line = LineSettings(9600, 8, "N", 1)

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._decoder = Decoder()
        self._address = setting.address or wire.VALIDATOR
        self._started: StartedUp | None = None  # what it said before it was reset
        self._reset_at_s = -RESET_AGAIN_S

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver. Who it is it only says when it is disabled, which a note in its path may delay."""
        self._decoder.drop()
        self.enable(frozenset())

    def poll(self) -> None:
        """As promised by BillDriver."""
        answer = self._ask(bytes((Command.POLL,)))
        if not answer or answer == wire.NAK:
            return
        if answer[0] == State.DISABLED and not self.identity.model:
            self._acknowledge()
            self._identify()
            self.take(self._still())
        else:
            self.take(self._meaning(answer))
            self._acknowledge()

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver."""
        self._order(wire.enable_body(channels))

    def stack(self) -> None:
        """As promised by BillDriver."""
        self._order(bytes((Command.STACK,)))

    def give_back(self) -> None:
        """As promised by BillDriver."""
        self._order(bytes((Command.RETURN,)))

    # What it says -----------------------------------------------------------------------------------------------------

    def _meaning(self, answer: bytes) -> Report:
        try:
            state = State(answer[0])
        except ValueError as error:
            raise DeviceGone(Fault.UNKNOWN_EVENT, vendor_code=answer.hex()) from error
        detail = answer[1] if len(answer) > 1 else NO_DETAIL
        if state in STARTING:
            self._started = STARTING[state]
            self._reset()
        elif state in HEALED_BY_RESET and self.clock() - self._reset_at_s >= RESET_AGAIN_S:
            self._reset()
        if state in {State.IDLING, State.DISABLED}:
            return self._still()
        return self._in_the_path(state, detail) or self._broken(state, detail) or Moving()

    def _still(self) -> Report:
        started, self._started = self._started, None
        return started or Still()

    def _in_the_path(self, state: State, detail: int) -> Report | None:
        match state:
            case State.ESCROW:
                return Escrowed(self.identity.amount(detail))
            case State.STACKED:
                return Stacked(self.identity.amount(detail))
            case State.RETURNED:
                return Returned()
            case State.REJECTING:
                return Rejected(REASONS.get(detail, f"{detail:02X}"))
            case _:
                return None

    def _broken(self, state: State, detail: int) -> Report | None:
        if state is State.FAILURE:
            return Broken(FAILURES.get(detail, Fault.FAILURE), f"{state:02X}{detail:02X}")
        return Broken(FAULTS[state], f"{state:02X}") if state in FAULTS else None

    # Who it is --------------------------------------------------------------------------------------------------------

    def _identify(self) -> None:
        who = wire.identification(self._data(Command.IDENTIFICATION))
        if who is None:
            raise DeviceGone(Fault.WRONG_KIND)
        bills = wire.bill_table(self._data(Command.BILL_TABLE))
        if bills is None:
            raise DeviceGone(Fault.NO_DENOMINATIONS)
        lines = tuple(Denomination(kind, money) for kind, bill in bills.items() if (money := _money(bill)))
        self.check_table(lines)
        self.identity = Identity(who.part, serial=who.serial, denominations=lines)
        self.path.identified(who.serial)

    def _data(self, command: Command) -> bytes:
        answer = self._ask(bytes((command,)), TABLE_REPLY_S)
        if answer in {wire.ILLEGAL, wire.NAK}:
            return b""
        self._acknowledge()
        return answer

    # The line ---------------------------------------------------------------------------------------------------------

    def _reset(self) -> None:
        self._reset_at_s = self.clock()
        self._order(bytes((Command.RESET,)))

    def _order(self, body: bytes) -> None:
        """Send a command that changes something. Whether it was heard, the next poll shows; what is refused, too."""
        self._ask(body)

    def _ask(self, body: bytes, within_s: float = REPLY_S) -> bytes:
        """Send it until it is answered; the answer's body."""
        garbled = self._decoder.garbled
        for _ in range(TRIES):
            self.link.write(wire.encode(Frame(self._address, body)))
            answer = self._answer(within_s)
            if answer is not None:
                return answer
        raise DeviceGone(Fault.GARBLED if self._decoder.garbled > garbled else Fault.SILENT)

    def _answer(self, within_s: float) -> bytes | None:
        until = self.clock() + within_s
        while (left := until - self.clock()) > 0:
            for frame in self._decoder.feed(self.link.read(left)):
                if frame.address == self._address and frame.body:
                    return frame.body
        self._decoder.drop()
        return None

    def _acknowledge(self) -> None:
        self.link.write(wire.encode(Frame(self._address, wire.ACK)))


def _money(bill: wire.Bill) -> Money | None:
    """What a line of the table is worth; a country that we do not know has a currency that is not ours."""
    currency = COUNTRIES.get(bill.country.upper(), bill.country.upper())
    try:
        places = decimals(currency) + bill.exponent
    except ValueError:
        return Money(bill.digit, currency)
    return Money(bill.digit * 10**places, currency) if places >= 0 else None
