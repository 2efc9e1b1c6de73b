"""ccTalk bill validators: what their events mean, and what is sent to them.

An event says what became of a note, and none says how the device is: that nothing is in its path follows from the last
one. A note bears the number of the event that announced it; so after a start, the numbers of the events tell which of
them are about the note that the journal knows.
"""

from collections.abc import Callable

from devices.cctalk import codes
from devices.cctalk.peripheral import BILLS, Peripheral
from devices.cctalk.positions import TURN, Event, EventLog
from devices.cctalk.wire import Header, Reading, Result
from devices.driver import BillDriver, DeviceGone, Host, Inbox, Setting
from devices.link import LineSettings
from devices.note_path import STRANDING, Broken, Escrowed, Moving, Report, Returned, Stacked, StartedUp, Still
from kiosk.amount import Money
from kiosk.ports.fault import Fault

STACKER_AND_ESCROW = b"\x03"
ESCROW = 0x02
INTO_BOX, BACK = b"\x01", b"\x00"
STACKED, ESCROWED = 0, 1  # what became of a bill that was recognised
ENDS = {codes.BILL_RETURNED, codes.UNKNOWN_BILL_STACKED} | {
    code for code, meaning in codes.BILLS.items() if meaning in STRANDING
}  # after which nothing is in escrow
ROUTE_FAILED = b"\xff"
ROUTES_MAX = 5  # attempts to move a note
ESCROW_MAX_S = 60.0  # every validator gives a note back long before; so it is not there any more
MOVES_WITHIN_S = 20.0  # until a note that was routed has arrived
STARTS_WITHIN_S = 6.0  # after a power-up, until it has told what became of a note in its path
RESET_TAKES_S = 4.0  # until it hears again
RESET_AGAIN_S = 15.0  # between two attempts to bring a failed device back
CHECK_S, CHECK_FAULTY_S = 15.0, 2.0  # between two self-checks; with a note in the path there is none
SETTLED_S = 3.0  # after it was closed, a note that was on its way in has come to escrow or out again
WATCHDOG_S = 4.0  # one that is not asked for five seconds closes itself

ENDED_BY_EVENT = {Fault.BOX_REMOVED, Fault.STACKER_FULL}  # where there is no self-check


class CctalkBillDriver(BillDriver):
    """One bill validator."""

    line = LineSettings(9600, 8, "N", 1)

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._device = Peripheral(BILLS, setting, clock)
        self._log = EventLog(setting.position)
        self._serial = setting.serial  # of the device that the log is about
        self._met = bool(setting.serial or setting.position)
        self._newcomer = False  # it is not the device that the log is about
        self._baseline = 0  # what lies before our time
        self._begun = False  # its events were read
        self._wanted: frozenset[int] = frozenset()  # the types that it is to take
        self._escrow: int | None = None  # the type of the bill that lies there
        self._escrow_until_s = 0.0
        self._routes = 0  # attempts to move it that failed
        self._moving_until_s: float | None = None  # by then a note has arrived
        self._starting_until_s: float | None = None  # it was without power: by then it has told all
        self._deaf_until_s = self._settled_at_s = self._polled_at_s = 0.0
        self._greeted = False  # it was found still since the line was opened
        self._fault: Broken | None = None
        self._check_at_s = self._reset_at_s = 0.0

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver."""
        self._wanted = frozenset()
        self._device.begin(self.link)
        identity = self._device.interview()
        self.check_table(identity.denominations)
        self._use_escrow()
        if not self._met or identity.serial not in {"", self._serial}:
            self._newcomer = True
            self._log.exchange()
        self._serial = identity.serial or self._serial
        self.path.identified(identity.serial, self._baseline)
        self.identity = identity
        self._fault, self._greeted = None, False
        self._check_at_s = self._polled_at_s = self.clock()
        self._settled_at_s = self.clock() + SETTLED_S

    def poll(self) -> None:
        """As promised by BillDriver."""
        if self.clock() < self._deaf_until_s:
            return
        reading = self._device.reading()
        if reading is None:
            return
        if self._newcomer:
            self._meet(reading)
        else:
            self._catch_up(reading)
        if self._wanted and self.clock() - self._polled_at_s >= WATCHDOG_S:
            self.enable(self._wanted)
        self._polled_at_s = self.clock()
        self._attend()
        self.take(self._state())

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver."""
        if self._wanted and not channels:
            self._settled_at_s = self.clock() + SETTLED_S
        self._wanted = channels
        if self.clock() < self._deaf_until_s:
            return  # it has just been reset, and takes nothing
        if channels and self._fault is None:
            self._device.open(channels)
        else:
            self._device.close()

    def stack(self) -> None:
        """As promised by BillDriver."""
        self._route(INTO_BOX)

    def give_back(self) -> None:
        """As promised by BillDriver."""
        self._route(BACK)

    def _use_escrow(self) -> None:
        """Some cannot change how they work; but without escrow it would take notes that nobody has decided on."""
        line = self._device.line
        if line.learn(Header.MODIFY_BILL_OPERATING_MODE, STACKER_AND_ESCROW, range(1)) is not None:
            return
        mode = line.learn(Header.REQUEST_BILL_OPERATING_MODE, sizes=range(1, 2))
        if not mode or not mode[0] & ESCROW:
            raise DeviceGone(Fault.REFUSED, "it does not use its escrow", "NAK153")

    # What it says -----------------------------------------------------------------------------------------------------

    def _meet(self, reading: Reading) -> None:
        """What it has counted lies before our time; the host keeps it in mind, unless it is nothing."""
        self._log.meet(reading)
        self._newcomer, self._met, self._begun = False, True, True
        self._baseline = self._log.position if reading.counter else 0
        self.path.identified(self.identity.serial, self._baseline)
        self._forget_path()
        self._device.known(anew=True)

    def _catch_up(self, reading: Reading) -> None:
        gap = self._log.gap(reading, fresh=self._device.fresh)
        if gap.reset:
            self._restarted()
        elif gap.missed:
            self._forget_path()
        elif not self._begun and self._finds_unknown_note(reading.results[len(gap.events) :]):
            self._log.take(self._log.position + TURN)
            gap = self._log.gap(reading, fresh=False)
        self._begun = True
        self._log.take(gap.begin)
        self._device.known(anew=gap.reset)  # before anything is told: whatever goes wrong then, it is told once
        for event in gap.events:
            self._happened(event)
            self._log.take(event.position)
        self._log.caught_up(reading)

    def _finds_unknown_note(self, results: tuple[Result, ...]) -> bool:
        """See whether a note was in escrow before what is new; the host may know the end of that one, and not this."""
        last = next((result for result in results if result.a or result.b in ENDS), None)
        if last is None or not last.a or last.b != ESCROWED:
            return False
        self._escrow, self._escrow_until_s = last.a, self.clock() + ESCROW_MAX_S
        if self.path.awaited:
            return False
        self.path.number_from(self._log.position + TURN)
        return True

    def _happened(self, event: Event) -> None:
        match event.a, event.b:
            case kind, what if kind and what == ESCROWED:
                self._announced(event)
            case kind, what if kind and what == STACKED:
                self._stacked(event)
            case 0, codes.BILL_RETURNED:
                self._forget_path()
                self.take(Returned())
            case 0, codes.UNKNOWN_BILL_STACKED:
                self._arrived(event, None)
            case 0, codes.BILL_MASTER_INHIBIT:
                self.enable(self._wanted)  # it was not asked for so long that it has closed itself
            case 0, codes.BARCODE:
                self.counters.refused("barcode")
                self._device.line.learn(Header.ROUTE_BILL, BACK, range(2))
            case 0, code if code in codes.BILLS:
                self._error(event.b)
            case _:
                self._give_up(event, "an event that is in no table")

    def _announced(self, event: Event) -> None:
        """Whatever was in the path before is not there any more."""
        self._empty_path()
        self._escrow, self._escrow_until_s = event.a, self.clock() + ESCROW_MAX_S
        self.path.number_from(event.position)
        self.take(Escrowed(self.identity.amount(event.a)))

    def _stacked(self, event: Event) -> None:
        amount = self.identity.amount(event.a)
        if amount is None:
            self._empty_path()  # it is none that we have announced
            self._arrived(event, None)
            self._give_up(event, "a bill that its own table does not have")
        self._arrived(event, amount)

    def _arrived(self, event: Event, amount: Money | None) -> None:
        self._forget_path()
        self.path.number_from(event.position)
        self.take(Stacked(amount))

    def _error(self, code: int) -> None:
        """What is rejected was never announced: it is not about a note that we know."""
        match codes.BILLS[code]:
            case Fault() as fault:
                self._broken(fault, f"E{code}")
            case str() as reason:
                self.counters.refused(reason)
            case None:
                self._check_at_s = self.clock()
                if self._fault is not None and self._fault.fault in ENDED_BY_EVENT:
                    self._fault = None

    def _give_up(self, event: Event, detail: str) -> None:
        """It is never heard of again, but not passed over in silence."""
        self._log.take(event.position)
        raise DeviceGone(Fault.UNKNOWN_EVENT, detail, f"E{event.a}.{event.b}")

    def _restarted(self) -> None:
        """It tells of a note in its path only as of something new; what it was told to take, it has forgotten."""
        self._wanted = frozenset()
        self._device.close()
        self._forget_path()
        self._starting_until_s = self.clock() + STARTS_WITHIN_S

    def _empty_path(self) -> None:
        """What became of the note that was in it, nobody has told."""
        self._forget_path()
        if self.path.awaited:
            self.take(Still())

    def _forget_path(self) -> None:
        self._escrow, self._routes, self._moving_until_s = None, 0, None

    # How it is --------------------------------------------------------------------------------------------------------

    def _state(self) -> Report:
        if self._fault is not None:
            return self._fault
        if self._escrow is not None:
            return Escrowed(self.identity.amount(self._escrow))
        now_s = self.clock()
        settled_at_s = self._settled_at_s if self._greeted else 0
        if now_s < max(self._moving_until_s or 0, self._starting_until_s or 0, settled_at_s):
            return Moving()
        self._moving_until_s = None
        if self._starting_until_s is not None:
            self._starting_until_s = None
            return StartedUp("none")
        self._greeted = True
        return Still()

    def _attend(self) -> None:
        """Look for what is wrong, or whether it still is, unless a note is in the path."""
        now_s = self.clock()
        if self._escrow is not None and now_s >= self._escrow_until_s:
            self._route(BACK)
        busy = self._escrow is not None or self._moving_until_s is not None
        if now_s < self._check_at_s or (busy and self._fault is None):
            return
        found = self._device.fault()
        self._check_at_s = now_s + (CHECK_FAULTY_S if found else CHECK_S)
        if found is None:
            lasts = self._fault is not None and self._fault.fault in ENDED_BY_EVENT
            self._fault = self._fault if lasts and not self._device.checks_itself else None
        elif self._fault is None:
            self._broken(*found)
        elif self._fault.fault in STRANDING and now_s - self._reset_at_s >= RESET_AGAIN_S:
            self._reset_at_s, self._deaf_until_s = now_s, now_s + RESET_TAKES_S
            self._device.line.order(Header.RESET_DEVICE)

    def _broken(self, fault: Fault, code: str) -> None:
        """The first cause stands; what the self-check says of it may be called otherwise."""
        if fault in STRANDING:
            self._forget_path()
        self._check_at_s = self.clock() + CHECK_FAULTY_S
        if self._fault is None:
            self._fault, self._wanted = Broken(fault, code), frozenset()
            self._reset_at_s = self.clock()
            self._device.close()
        self.take(self._fault)

    # What is sent -----------------------------------------------------------------------------------------------------

    def _route(self, way: bytes) -> None:
        """Move the note in escrow. If none is there any more, an event will tell what became of it."""
        if self._escrow is None:
            return
        answer = self._device.line.tell(Header.ROUTE_BILL, way, range(2))
        if answer != ROUTE_FAILED:
            self._forget_path()
            self._moving_until_s = self.clock() + MOVES_WITHIN_S
            return
        self._routes += 1
        if self._routes >= ROUTES_MAX:
            self._forget_path()
            self._broken(Fault.JAM, "R255")
