"""ID-003: what a validator's answers mean, and what is sent to it.

VEND VALID is the credit: the device says it again and again, and neither goes on nor forgets it before our ACK, which
leaves once the host has made it durable. So a note that was to be stacked, and of which nothing is said when the path
is still, was given back; unless the device was reset or without power in between. A reset erases what a power-up had
to say, so the host hears that first.
"""

from collections.abc import Callable

from devices.driver import BillDriver, DeviceGone, Host, Identity, Inbox, Setting
from devices.id003 import meaning, wire
from devices.id003.exchange import Exchange
from devices.id003.wire import Command, Frame, State, Status
from devices.link import LineSettings
from devices.note_path import Broken, Escrowed, Moving, Rejected, Report, Returned, Stacked, StartedUp, Still
from kiosk.amount import Money
from kiosk.ports.fault import Fault

RESET_TAKES_S = 3.0  # until a device that has just got power shows that it heard
RESET_AGAIN_S = 10.0  # between two attempts to bring a failed device back
MUTE_S = 65.0  # after a minute without an ACK for its VEND VALID a device says nothing more, and hears only RESET
REFUSALS_MAX = 10  # so often in a row may it be open or closed against our will

POWER_UPS = {
    State.POWER_UP: StartedUp("none"),
    State.POWER_UP_IN_ACCEPTOR: StartedUp("validator"),
    State.POWER_UP_IN_STACKER: StartedUp("stacker"),
}
STARTING = {*POWER_UPS, State.INITIALISE}
ACKNOWLEDGED = {State.VEND_VALID, State.POWER_UP}  # nothing answers our ACK; only some units want it for a power-up
RESTING = {State.IDLE, State.DISABLED}
HEALED_BY_RESET = {State.ACCEPTOR_JAM, State.STACKER_JAM, State.CHEATED, State.FAILURE}
POLLED = Frame(Command.SET_MODE, b"\x00")
ALL_DIRECTIONS = Frame(Command.SET_DIRECTION, b"\x00")
TAKE_NOTHING, TAKE_NOTES = Frame(Command.SET_INHIBIT, b"\x01"), Frame(Command.SET_INHIBIT, b"\x00")


class Id003Driver(BillDriver):
    """One validator."""

    line = LineSettings(9600, 8, "E", 1)

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._line = Exchange(clock)
        self._known = Identity("")  # who it is, before it was at rest
        self._prepared = False
        self._wanted: frozenset[int] = frozenset()  # the denominations that it is to take
        self._opened: frozenset[int] = frozenset()  # those that it has agreed to take
        self._refusals = 0
        self._last: Status | None = None
        self._coming_out = False  # it found a note in its mouth at power-up
        self._remembers = False  # it would still tell us of a note that it has stacked
        self._reset_at_s = -RESET_AGAIN_S

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver. While it starts up, it takes no settings."""
        self._line.begin(self.link)
        self._known, self._prepared, self._last, self._refusals = Identity(""), False, None, 0
        self._wanted = self._opened = frozenset()
        self._introduce()
        try:
            status = self._line.status()
        except DeviceGone:
            self._wake()
            raise
        if status.state is State.IDLE:
            self._remembers = True  # a reset would have closed it, and it was not opened before what it found was told
        if status.state not in STARTING:
            self._close()

    def poll(self) -> None:
        """As promised by BillDriver."""
        status = self._line.status()
        state = status.state
        if state in STARTING:
            self._prepared, self._remembers, self._wanted = False, False, frozenset()
        elif state is State.DISABLED and not self._prepared:
            self._prepare()
        if state in RESTING and self._was_given_back():
            self.take(Returned())
        self.take(self._meaning(status))
        self._last = status
        if state in ACKNOWLEDGED:
            self._line.send(Command.ACK)
        self._attend(state)

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver. It is opened when it is at rest: until then what it found is not told."""
        self._wanted = channels
        if not channels:
            self._close()
        elif self._last is not None and self._last.state in RESTING:
            self._open()

    def stack(self) -> None:
        """As promised by BillDriver. With STACK-1 it would be money before it is in the box."""
        self._remembers = True
        self._line.order(Command.STACK_2)

    def give_back(self) -> None:
        """As promised by BillDriver."""
        self._line.order(Command.RETURN)

    # What it says -----------------------------------------------------------------------------------------------------

    def _meaning(self, status: Status) -> Report:
        state, news = status.state, status != self._last
        if state in RESTING:
            self._coming_out = False
            return Moving() if self._open_against_our_will(state) else Still()
        if state in POWER_UPS:
            self._coming_out = state is State.POWER_UP_IN_ACCEPTOR
            return POWER_UPS[state]
        return self._in_the_path(status, news=news) or self._broken(status) or Moving()

    def _in_the_path(self, status: Status, *, news: bool) -> Report | None:
        match status.state:
            case State.ESCROW | State.HOLDING:  # we never tell it to hold: whoever did is gone
                return Escrowed(self._worth(status))
            case State.VEND_VALID:
                return Stacked(self._known_worth(status))
            case State.STACKED if self._coming_out:
                return StartedUp("stacker")  # it went in
            case State.REJECTING if news:
                return Rejected(meaning.reason(status))
            case State.RETURNING if news and self.path.decision != "returning":
                return Rejected(meaning.GIVEN_BACK)
            case _:
                return None

    def _was_given_back(self) -> bool:
        """It was to be stacked; if it had been, the device would say so until we acknowledge it."""
        return self._remembers and (self.path.decision == "stacking" or self.path.wanted_before)

    def _worth(self, status: Status) -> Money | None:
        return None if status.detail is None else self._known.amount(status.detail)

    def _known_worth(self, status: Status) -> Money | None:
        """The host knows it from escrow; but what is in no table, nobody wanted to stack."""
        worth = self._worth(status)
        if worth is None and status.detail is not None and self._known.model:
            raise DeviceGone(
                Fault.UNKNOWN_EVENT, "a denomination that its own table does not have", meaning.code(status)
            )
        return worth

    def _broken(self, status: Status) -> Report | None:
        fault = meaning.fault(status)
        if fault is None:
            return None
        self._wanted = frozenset()
        return Broken(fault, meaning.code(status))

    # What it needs ----------------------------------------------------------------------------------------------------

    def _attend(self, state: State) -> None:
        if state in POWER_UPS:
            self._reset_after(RESET_TAKES_S)
        elif state in HEALED_BY_RESET:
            self._reset_after(RESET_AGAIN_S)
        elif state in RESTING:
            self._see_to_its_door(state)

    def _see_to_its_door(self, state: State) -> None:
        """It is to be open for what is wanted, and for nothing else."""
        if self._open_against_our_will(state):
            self._insist(state, self._close)
        elif self._wanted and (state is State.DISABLED or self._opened != self._wanted):
            self._insist(state, self._open)
        else:
            self._refusals = 0

    def _open_against_our_will(self, state: State) -> bool:
        """It would take a note: nobody wants one, or nobody knows yet who the device is."""
        return state is State.IDLE and not (self._wanted and self.identity.model)

    def _insist(self, state: State, settle: Callable[[], None]) -> None:
        self._refusals += 1
        if self._refusals > REFUSALS_MAX:
            raise DeviceGone(Fault.REFUSED, vendor_code=f"{state:02X}")
        settle()

    def _reset_after(self, seconds: float) -> None:
        if self.clock() - self._reset_at_s >= seconds:
            self._reset_at_s, self._remembers = self.clock(), False
            self._line.order(Command.RESET)

    def _wake(self) -> None:
        """Nothing was heard of it for so long that it may be waiting for this. A device without power hears nothing."""
        silent_from_s = self._line.silent_from_s
        if silent_from_s is not None and self.clock() - silent_from_s >= MUTE_S:
            self._line.silent_from_s, self._remembers = self.clock(), False
            self._line.send(Command.RESET)

    # Open and closed --------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        self._opened = frozenset()
        self._line.adjust(TAKE_NOTHING)

    def _open(self) -> None:
        known = frozenset(line.channel for line in self.identity.denominations)
        taken = self._line.adjust(Frame(Command.SET_ENABLE, wire.enable_data(self._wanted, known)))
        if taken and self._line.adjust(TAKE_NOTES):
            self._opened = self._wanted
        else:
            self._close()

    # Who it is --------------------------------------------------------------------------------------------------------

    def _introduce(self) -> None:
        """Ask who it is before anything is believed: on a line that echoes, our own commands would be money."""
        said = self._line.try_to_tell(Command.VERSION)
        if said is None:
            return
        if not said.data:
            raise DeviceGone(Fault.GARBLED, "the line sends back what we say")
        table = self._line.try_to_tell(Command.CURRENCY_ASSIGN)
        if table is not None:
            self._known = self._identity(said.data, table.data)

    def _prepare(self) -> None:
        """It is at rest, as it is after each reset: now it has to say who it is, and takes settings."""
        if not self._known.model:
            said = self._line.tell(Command.VERSION)
            self._known = self._identity(said, self._line.tell(Command.CURRENCY_ASSIGN))
        self.identity = self._known
        self.path.identified(self.identity.serial)
        self._line.adjust(POLLED)  # who knows no other mode refuses it
        self._line.adjust(ALL_DIRECTIONS)
        self._prepared = True

    def _identity(self, said: bytes, table: bytes) -> Identity:
        who = wire.version(said)
        if who is None:
            raise DeviceGone(Fault.WRONG_KIND)
        lines = meaning.denominations(wire.currency_table(table) or ())
        self.check_table(lines)
        return Identity(who.model, who.firmware, denominations=lines)
