"""ccTalk coin acceptors: what their events mean, and what is sent to them.

A coin that is reported is in the box. Each event bears a number; the host hears it under that number and ignores what
it knows, so nothing has to be acknowledged to the device. What the device cannot tell any more is recorded as lost:
events that it has forgotten, and those that the power may have taken with it while it was open.
"""

from collections.abc import Callable

from devices.cctalk import codes
from devices.cctalk.peripheral import COINS, Peripheral
from devices.cctalk.positions import Event, EventLog, Gap
from devices.cctalk.wire import Reading
from devices.driver import DeviceGone, Driver, Host, Inbox, Setting
from devices.link import LineSettings
from kiosk.ports.acceptor import CloseAcceptor, DeviceFailed, DeviceIdle, DeviceReady, OpenAcceptor
from kiosk.ports.coin_acceptor import CoinInserted, CoinsLost
from kiosk.ports.fault import Fault

SETTLED_S = 1.0  # after it was closed, the last coin has passed its sensors or come out
CHECK_S, CHECK_FAULTY_S = 15.0, 2.0  # between two self-checks; while it is open it is not disturbed
UNTOLD_MAX = 3  # events that the journal need not know of: after a start, five are remembered at most


class CctalkCoinDriver(Driver):
    """One coin acceptor."""

    line = LineSettings(9600, 8, "N", 1)

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._device = Peripheral(COINS, setting, clock)
        self._log = EventLog(setting.position)
        self._durable = setting.position  # as far as the journal knows
        self._serial = setting.serial  # of the device that the log is about
        self._met = bool(setting.serial or setting.position)
        self._newcomer = False  # it is not the device that the log is about
        self._quiet = setting.at_rest  # nothing can have fallen in since the log was last complete
        self._closed_at_s: float | None = None  # None: it may be open
        self._ready = False  # the host knows it, and may open it
        self._idle_owed = False
        self._fault: Fault | None = None
        self._check_at_s = 0.0

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver."""
        self._ready = False
        self._device.begin(self.link)
        self._closed_at_s = self.clock()
        identity = self._device.interview()
        self.check_table(identity.denominations)
        if not self._met or identity.serial not in {"", self._serial}:
            self._newcomer, self._log = True, EventLog(self._durable)
            self._log.exchange()
        self.identity = identity
        self._fault = None
        self._check()

    def turn(self) -> None:
        """As promised by Driver."""
        self._obey()
        self._poll()
        self._obey()  # what the host decided on this very report need not wait for the next one

    def lost(self, fault: Fault, vendor_code: str = "") -> None:
        """As promised by Driver."""
        self._fail(fault, vendor_code)

    def rest(self) -> None:
        """As promised by Driver."""
        self._close()

    # What the host wants ----------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        while (command := self.inbox.take()) is not None:
            match command:
                case OpenAcceptor():
                    self._idle_owed = False
                    self._open(self.identity.channels(command.denominations))
                case CloseAcceptor():
                    self._idle_owed = True
                    self._close()
                case _:
                    pass  # there is nothing to decide on a coin

    def _open(self, channels: frozenset[int]) -> None:
        """Until the host has heard that it is ready, it stays closed; then it is told again."""
        if not channels:
            self._close()
        elif self._ready:
            self._quiet, self._closed_at_s = False, None
            self._device.open(channels)

    def _close(self) -> None:
        self._device.close()
        if self._closed_at_s is None:
            self._closed_at_s = self.clock()

    # What it says -----------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        settled = self._closed_at_s is not None and self.clock() - self._closed_at_s >= SETTLED_S
        reading = self._device.reading()
        if reading is None:
            return
        if self._newcomer:
            self._log.meet(reading)
        else:
            self._catch_up(reading)
        if settled:
            self._at_rest()
        elif self._fault and self.clock() >= self._check_at_s:
            self._check()

    def _catch_up(self, reading: Reading) -> None:
        """Tell what is new, and record what nobody can tell."""
        gap = self._log.gap(reading, fresh=self._device.fresh)
        if gap.reset:
            self._ready = False
            self._close()
            self._pass_over(gap)
        else:
            if gap.missed:
                self._lose(gap.begin)
            self._log.take(gap.begin)
            for event in gap.events:
                self._happened(event)
        self._log.caught_up(reading)
        self._device.known(anew=gap.reset)
        if self._ready and self._log.position - self._durable >= UNTOLD_MAX:
            self._tell_ready()

    def _pass_over(self, gap: Gap) -> None:
        """Whatever it has counted since it has power, it was not opened before: a coin among it is nobody's we know."""
        end = gap.begin + len(gap.events)
        if not self._quiet or any(event.a for event in gap.events):
            self._lose(end)
        self._log.take(end)

    def _happened(self, event: Event) -> None:
        if event.a:
            self._coin(event)
        elif event.b in codes.UNCREDITED_COINS:
            self._count_rejected(codes.UNCREDITED_COINS[event.b])
            self._lose(event.position)
        else:
            self._error(event)
        self._log.take(event.position)

    def _coin(self, event: Event) -> None:
        amount = self.identity.amount(event.a)
        if amount is None:
            self._lose(event.position)
            self._give_up(event, "a coin that its own table does not have")
        else:
            self.host.tell(CoinInserted(self.setting.name, event.position, amount))
            self._durable = event.position
            self.counters.recognised()
            self.counters.stacked += 1

    def _error(self, event: Event) -> None:
        match codes.COINS.get(event.b):
            case Fault() as fault:
                self._fail(fault, f"E{event.b}")
                self._close()
            case str() as reason:
                self._count_rejected(reason)
            case None:
                self._give_up(event, "an event that is in no table")

    def _give_up(self, event: Event, detail: str) -> None:
        """It is never heard of again, but not passed over in silence."""
        self._log.take(event.position)
        raise DeviceGone(Fault.UNKNOWN_EVENT, detail, f"E{event.a}.{event.b}" if event.a else f"E{event.b}")

    def _count_rejected(self, reason: str) -> None:
        self.counters.refused(reason)

    def _lose(self, position: int) -> None:
        self.host.tell(CoinsLost(self.setting.name, position))
        self._durable = position

    # What the host hears of it ----------------------------------------------------------------------------------------

    def _at_rest(self) -> None:
        """It is closed, nothing moves in it, and all that it has to say was heard."""
        self._quiet = self._quiet or not self._newcomer
        if self.clock() >= self._check_at_s:
            self._check()
        if self._fault:
            return
        if not self._ready:
            self._welcome()
        if self._idle_owed:
            self.host.tell(DeviceIdle(self.setting.name))
            self._idle_owed = False

    def _welcome(self) -> None:
        """What a newcomer has counted is where we begin, and durable before it takes anything."""
        if self._newcomer and self._met and not self._quiet:
            self._lose(self._log.position)  # what the one before it had not told yet, nobody will ever tell
        self._tell_ready()
        if self._newcomer:
            self._newcomer, self._met, self._quiet = False, True, True
            self._serial = self.identity.serial
            self._device.known(anew=True)
        self._ready = True

    def _tell_ready(self) -> None:
        self.host.tell(DeviceReady(self.setting.name, self.identity.serial, self._log.position))
        self._durable = self._log.position

    def _check(self) -> None:
        found = self._device.fault()
        self._check_at_s = self.clock() + (CHECK_FAULTY_S if found else CHECK_S)
        if found is None:
            self._fault = None
        elif self._fault is None:
            self._fail(*found)
            self._close()

    def _fail(self, fault: Fault, vendor_code: str) -> None:
        self._ready = False
        self._check_at_s = self.clock() + CHECK_FAULTY_S
        if self._fault != fault:
            self.host.tell(DeviceFailed(self.setting.name, fault, vendor_code))
            self._fault = fault
            self.counters.jams += fault is Fault.JAM
