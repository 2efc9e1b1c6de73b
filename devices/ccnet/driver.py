"""CCNET: what a validator's answers mean, and what is sent to it.

An answer with data is acknowledged by us: what became of a note, not before the host has made it durable. What
acknowledges or refuses a command is not acknowledged again.
"""

from collections.abc import Callable

from devices.ccnet import wire
from devices.ccnet.wire import Answer, Command, Decoder, Frame, State
from devices.driver import BillDriver, Denomination, DeviceGone, Host, Identity, Inbox, Setting
from devices.link import LineSettings
from devices.note_path import Broken, Escrowed, Moving, Rejected, Report, Returned, Stacked, StartedUp, Still
from kiosk.amount import MINOR_UNITS_MAX, Money, decimals
from kiosk.ports.fault import Fault

TRIES = 3
REPLY_S = 0.3  # in the field an answer takes up to 200 ms
TABLE_REPLY_S = 1.5  # identification and bill table take longer
RESET_TAKES_S = 3.0  # until a device that has just got power shows that it heard
RESET_AGAIN_S = 10.0  # between two attempts to bring a failed device back
REFUSALS_MAX = 10  # so often in a row may it be open or closed against our will
COUNTRIES = {
    "CHN": "CNY", "CNY": "CNY", "RMB": "CNY", "HKG": "HKD", "HKD": "HKD", "MAC": "MOP", "MOP": "MOP", "TWN": "TWD",
    "TWD": "TWD", "JPN": "JPY", "JPY": "JPY", "KOR": "KRW", "KRW": "KRW", "THA": "THB", "THB": "THB", "KHM": "KHR",
    "KHR": "KHR", "VNM": "VND", "VND": "VND", "MYS": "MYR", "MYR": "MYR", "SGP": "SGD", "SGD": "SGD", "IDN": "IDR",
    "PHL": "PHP", "USA": "USD", "USD": "USD", "EUR": "EUR", "GBR": "GBP", "GBP": "GBP", "RUS": "RUB", "RUB": "RUB",
    "UKR": "UAH", "UAH": "UAH", "KAZ": "KZT", "KZT": "KZT", "QAT": "QAR",
}  # fmt: skip

FAULTS = {
    State.CASSETTE_FULL: Fault.STACKER_FULL,
    State.CASSETTE_OUT: Fault.BOX_REMOVED,
    State.JAMMED: Fault.JAM,
    State.CASSETTE_JAMMED: Fault.STACKER_JAM,
    State.CHEATED: Fault.CHEATED,
    State.PAUSE: Fault.PAUSED,
    State.FAILURE: Fault.FAILURE,
}
FAILURES = {
    0x15: Fault.FIRMWARE,  # memory
    0x22: Fault.FIRMWARE,  # recovery mode
    0x23: Fault.SENSOR,  # calibration
    0x30: Fault.FIRMWARE,  # boot
    0x50: Fault.MOTOR,  # stack motor
    0x51: Fault.MOTOR,  # transport motor, speed
    0x52: Fault.MOTOR,  # transport motor
    0x53: Fault.MOTOR,  # aligning motor
    0x54: Fault.OPEN,  # initial cassette status
    0x55: Fault.SENSOR,  # optic canal
    0x56: Fault.SENSOR,  # magnetic canal
    0x57: Fault.SENSOR,  # upper optical board
    0x58: Fault.SENSOR,  # lower optical board
    0x59: Fault.SENSOR,  # upper peripheral board
    0x5F: Fault.SENSOR,  # capacitance canal
    0x60: Fault.SENSOR,  # lower peripheral board
    0xF4: Fault.FAILURE,  # stacker, unknown
    0xFE: Fault.OPEN,  # cover
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
    0x93: "barcode_digits",
    0x94: "barcode_start",
    0x95: "barcode_stop",
}
STARTING = {
    State.POWER_UP: StartedUp("none"),
    State.POWER_UP_IN_VALIDATOR: StartedUp("validator"),
    State.POWER_UP_IN_STACKER: StartedUp("stacker"),
}
LAST_WORDS = {State.STACKED, State.RETURNED}  # acknowledged when they are durable, and repeated until then
RESTING = {State.IDLING, State.DISABLED}
HEALED_BY_RESET = {State.JAMMED, State.CASSETTE_JAMMED, State.CHEATED, State.FAILURE}


class CcnetDriver(BillDriver):
    """One validator."""

    line = LineSettings(9600, 8, "N", 1)

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._decoder = Decoder()
        self._address = setting.address or wire.VALIDATOR
        self._wanted: frozenset[int] = frozenset()  # the types that it is to take
        self._refusals = 0
        self._started: StartedUp | None = None  # what it said before it was reset
        self._reset_at_s = -RESET_AGAIN_S

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver. Who it is it only says when it is disabled, which a note in its path may delay."""
        self._decoder.drop()
        self._refusals = 0
        self.enable(frozenset())

    def poll(self) -> None:
        """As promised by BillDriver."""
        body = self._ask(bytes((Command.POLL,)))
        answer = wire.answer(body)
        if answer is None:
            raise DeviceGone(Fault.UNKNOWN_EVENT, vendor_code=body.hex().upper())
        if answer.state in LAST_WORDS:
            self.take(self._meaning(answer))
            self._acknowledge()
            return
        self._acknowledge()
        if answer.state is State.DISABLED and not self.identity.model:
            self._identify()
        self.take(self._meaning(answer))
        self._attend(answer.state)

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver."""
        self._wanted = channels
        self._order(wire.enable_body(channels))

    def stack(self) -> None:
        """As promised by BillDriver."""
        self._order(bytes((Command.STACK,)))

    def give_back(self) -> None:
        """As promised by BillDriver."""
        self._order(bytes((Command.RETURN,)))

    # What it says -----------------------------------------------------------------------------------------------------

    def _meaning(self, answer: Answer) -> Report:
        state = answer.state
        if state in RESTING:
            return Moving() if self._open_against_our_will(state) else self._still()
        if state in STARTING:
            self._started, self._wanted = STARTING[state], frozenset()
        return self._in_the_path(answer) or self._broken(answer) or Moving()

    def _still(self) -> Report:
        started, self._started = self._started, None
        return started or Still()

    def _in_the_path(self, answer: Answer) -> Report | None:
        match answer.state:
            case State.ESCROW:
                return Escrowed(self._worth(answer))
            case State.STACKED:
                return Stacked(self._known_worth(answer))
            case State.RETURNED:
                return Returned()
            case State.REJECTING:
                return Rejected(REASONS.get(answer.detail or 0, _code(answer)))
            case _:
                return None

    def _worth(self, answer: Answer) -> Money | None:
        return None if answer.detail is None else self.identity.amount(answer.detail)

    def _known_worth(self, answer: Answer) -> Money | None:
        """Before the device is identified the host knows better; after that, nobody stacks what is in no table."""
        worth = self._worth(answer)
        if worth is None and self.identity.model:
            raise DeviceGone(Fault.UNKNOWN_EVENT, "a bill type that its own table does not have", _code(answer))
        return worth

    def _broken(self, answer: Answer) -> Report | None:
        fault = FAULTS.get(answer.state)
        if fault is None:
            return None
        self._wanted = frozenset()
        if answer.state in HEALED_BY_RESET and self._started is not None:
            self._started = StartedUp("none")  # nobody knows any more where the note is that it had found
        if answer.state is State.FAILURE and answer.detail is not None:
            fault = FAILURES.get(answer.detail, fault)
        return Broken(fault, _code(answer))

    # What it needs ----------------------------------------------------------------------------------------------------

    def _attend(self, state: State) -> None:
        if state in STARTING:
            self._reset_after(RESET_TAKES_S)
        elif state in HEALED_BY_RESET:
            self._reset_after(RESET_AGAIN_S)
        elif self._open_against_our_will(state) or (state is State.DISABLED and self._wanted):
            self._refusals += 1
            if self._refusals > REFUSALS_MAX:
                raise DeviceGone(Fault.REFUSED, vendor_code=f"{state:02X}")
            self._order(wire.enable_body(self._wanted))
        elif state in RESTING:
            self._refusals = 0

    def _open_against_our_will(self, state: State) -> bool:
        """It would take a note, and nobody wants one."""
        return state is State.IDLING and not self._wanted

    def _reset_after(self, seconds: float) -> None:
        if self.clock() - self._reset_at_s >= seconds:
            self._reset_at_s = self.clock()
            self._order(bytes((Command.RESET,)))

    # Who it is --------------------------------------------------------------------------------------------------------

    def _identify(self) -> None:
        who = wire.identification(self._data(Command.IDENTIFICATION))
        if who is None:
            raise DeviceGone(Fault.WRONG_KIND)
        bills = wire.bill_table(self._data(Command.BILL_TABLE))
        if bills is None:
            raise DeviceGone(Fault.NO_DENOMINATIONS)
        lines = tuple(Denomination(kind, worth) for kind, bill in bills.items() if (worth := worth_of(bill)))
        self.check_table(lines)
        self.identity = Identity(who.part or "CCNET", serial=who.serial, denominations=lines)
        self.path.identified(who.serial)

    def _data(self, command: Command) -> bytes:
        answer = self._ask(bytes((command,)), TABLE_REPLY_S)
        if answer != wire.ILLEGAL:
            self._acknowledge()
        return answer

    # The line ---------------------------------------------------------------------------------------------------------

    def _order(self, body: bytes) -> None:
        """Send a command that changes something. Whether it was obeyed, the next poll shows."""
        self._ask(body)

    def _ask(self, body: bytes, within_s: float = REPLY_S) -> bytes:
        """Send it until it is answered; the answer's body."""
        self._decoder.feed(self.link.read(0))
        self._decoder.drop()  # what comes unasked is a late answer to something else
        garbled = self._decoder.garbled
        refused = False
        for _ in range(TRIES):
            self.link.write(wire.encode(Frame(self._address, body)))
            answer = self._answer(within_s)
            if answer is not None and not _is_no_answer(answer, body):
                return answer
            refused |= answer is not None
        raise DeviceGone(Fault.GARBLED if refused or self._decoder.garbled > garbled else Fault.SILENT)

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


def _is_no_answer(answer: bytes, to: bytes) -> bool:
    """It did not understand us; or a poll met the answer to an earlier command."""
    return answer == wire.NAK or (answer == wire.ACK and to[0] == Command.POLL)


def _code(answer: Answer) -> str:
    return f"{answer.state:02X}" if answer.detail is None else f"{answer.state:02X}{answer.detail:02X}"


def worth_of(bill: wire.Bill) -> Money | None:
    """What a line of the table is worth; a country that we do not know has a currency that is not ours."""
    currency = COUNTRIES.get(bill.country.upper(), bill.country.upper())
    try:
        places = decimals(currency) + bill.exponent
    except ValueError:
        return Money(bill.digit, currency)
    worth = bill.digit * 10**places if places >= 0 else 0
    return Money(worth, currency) if 0 < worth <= MINOR_UNITS_MAX else None
