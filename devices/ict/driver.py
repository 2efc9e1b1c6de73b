"""ICT: what a validator's bytes mean, and what is sent to it.

No byte is checked, so nothing is believed that was said once, except where the device says it once only; that is then
believed of a note of which it can be true. How a note ended is such a thing. It is not acknowledged either: what of it
is lost is in doubt.
"""

from collections.abc import Callable

from devices.driver import BillDriver, DeviceGone, Host, Identity, Inbox, Setting
from devices.ict import configured
from devices.ict.configured import Configured
from devices.ict.wire import ICT106, Command, Decoder, Heard, Message, Noise, Word
from devices.link import LineSettings
from devices.note_path import Broken, Escrowed, Rejected, Returned, Stacked, StartedUp, Still
from kiosk.ports.fault import Fault

REPLY_S = 0.3
UNANSWERED_MAX, UNANSWERED_104_MAX = 8, 24  # polls running; ICT104 need not answer while a note moves
QUIET_S, QUIET_104_S = 2.0, 8.0  # until rest is believed; ICT104 says that it is enabled or disabled while a note moves
DECIDE_S = 4.0  # after 5 s the device gives the note back, and an ACCEPT would meet another note
GAP_S = 1.2  # a note that is said again within it is the same: none goes out and another one in so fast
REPEAT_S = 1.0  # between two ACCEPTs for the same thing
NOISE_MAX = 3  # times that the same unknown byte is said running
DISOBEYED_RESET, DISOBEYED_MAX = 5, 15  # times that it is enabled or disabled against our will

FAULTS = {
    Word.MOTOR_FAILURE: Fault.MOTOR,
    Word.CHECKSUM_ERROR: Fault.FIRMWARE,
    Word.BILL_JAM: Fault.JAM,
    Word.STACKER_OPEN: Fault.BOX_REMOVED,
    Word.SENSOR_PROBLEM: Fault.SENSOR,
    Word.COMMUNICATION_FAILED: Fault.FAILURE,
    Word.BILL_FISH: Fault.CHEATED,
    Word.STACKER_PROBLEM: Fault.STACKER_JAM,
}
SAID_ONCE = {Word.STACKED, Word.FAILED, Word.BILL_REMOVE, Word.BILL_REJECT, Word.EXCLUDED, Word.BUSY}
GONE_BACK = {Word.FAILED, Word.BILL_REMOVE, Word.BILL_REJECT}
AT_REST = {Word.ENABLED, Word.DISABLED}
WAITS = {Word.POWER_UP, Word.WAITING, Word.COMMUNICATION_FAILED}  # for an ACCEPT, before it does anything else


class IctDriver(BillDriver):
    """One validator."""

    line = LineSettings(9600, 8, "E", 1)

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._decoder = Decoder()
        self._known = Configured(ICT106, Identity(""))
        self._wanted = Word.DISABLED  # how the device is to be
        self._disobeyed = 0
        self._before: Heard | None = None  # the last thing that was said; said again, it is believed
        self._waits: Word | None = None  # in which word it said that it waits for us, if it still does
        self._unanswered = 0  # polls running
        self._noises = 0  # the same one running
        self._escrow: Message | None = None  # the note in the path, until its end is told
        self._seen_at_s = self._said_at_s = 0.0  # when it was said first, and last
        self._moved = False  # something else was said since
        self._accepted_at_s: float | None = None  # when ACCEPT left for the note that was in escrow last
        self._still_from_s = 0.0  # what is said of stillness before that is not believed
        self._started = False  # it was without power, which the host does not know yet
        self._greeted_at_s = -REPEAT_S  # when its power-up was answered

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver. Who it is the device cannot say; that it is there, its answers show."""
        self._known = configured.read(self.setting)
        self.check_table(self._known.identity.denominations)
        self._decoder.drop()
        self._before = self._waits = None
        self._noises = self._disobeyed = self._unanswered = 0
        self._stirred()
        self.enable(frozenset())

    def poll(self) -> None:
        """As promised by BillDriver. What it has said by itself comes before the answer that we ask for."""
        self._weigh(self._decoder.feed(self.link.read(0)))
        self._send(Command.POLL)
        self._unanswered += 1
        self._weigh(self._answer())
        if self._unanswered > (UNANSWERED_MAX if self._known.generation.explicit else UNANSWERED_104_MAX):
            raise DeviceGone(Fault.GARBLED if isinstance(self._before, Noise) else Fault.SILENT)

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver. There is one switch for all notes: what else comes, the host gives back."""
        self._wanted = Word.ENABLED if channels else Word.DISABLED
        self._switch()

    def stack(self) -> None:
        """As promised by BillDriver; in time, or not at all."""
        now_s = self.clock()
        again = self._accepted_at_s is not None and now_s - self._accepted_at_s < REPEAT_S
        if self._escrow is not None and now_s - self._seen_at_s <= DECIDE_S and not again:
            self._accepted_at_s = now_s
            self._stirred()
            self._send(Command.ACCEPT)

    def give_back(self) -> None:
        """As promised by BillDriver."""
        if self._escrow is not None:
            self._stirred()
            self._send(Command.REJECT)

    # What is believed -------------------------------------------------------------------------------------------------

    def _weigh(self, said: list[Heard]) -> None:
        """Believe what was also the last thing said before; a byte that the line repeats counts once."""
        before, waited = self._before, self._waits
        for place, thing in enumerate(said, 1):
            self._before = thing
            if isinstance(thing, Noise):
                self._waits = None  # the type of a note, after what was an escrow before a bit of it was wrong?
                self._wonder(thing, again=thing == before)
                continue
            word = thing.word
            self._unanswered = self._noises = 0
            self._moved = self._moved or word in AT_REST or word is Word.BUSY
            if word in WAITS:
                self._waits = self._waits or word
            elif word is not Word.DISABLED:
                self._waits = None
            if word in SAID_ONCE:
                self._happened(word)
            elif word in WAITS:
                if (waited or self._at_once(word)) and _still_waits(said[place:]):
                    self._let_it_begin()
            elif thing == before or self._at_once(word):
                self._is(thing)

    def _wonder(self, noise: Noise, *, again: bool) -> None:
        """A byte that no table knows, again and again, is no disturbance of the line."""
        self._noises = self._noises + 1 if again else 1
        if self._noises >= NOISE_MAX:
            fault = Fault.UNKNOWN_EVENT if noise.byte else Fault.GARBLED  # a wrong parity is read as 00
            raise DeviceGone(fault, vendor_code=f"{noise.byte:02X}")

    def _at_once(self, word: Word) -> bool:
        """ICT104 says an escrow once, and a power-up not before two seconds again; no one bit makes that of another."""
        once = word is Word.ESCROW or (word is Word.POWER_UP and self._escrow is None)
        return once and not self._known.generation.explicit

    def _happened(self, word: Word) -> None:
        """Something that is not said again."""
        if word is Word.STACKED:
            self._stacked()
        elif word in GONE_BACK:
            self._moved, self._still_from_s = True, self.clock()
            if not self._may_be_in_the_box():  # FAILED is one bit from STACKED: such a note will be in doubt
                self.take(Rejected(f"{word:02X}") if word is Word.BILL_REJECT else Returned())

    def _may_be_in_the_box(self) -> bool:
        """Did ACCEPT leave for it? Of the driver before this one that is not known."""
        return self._accepted_at_s is not None or (self._escrow is None and self.path.wanted_before)

    def _stacked(self) -> None:
        if not self._may_be_in_the_box():
            raise DeviceGone(Fault.UNKNOWN_EVENT, "stacked, and nothing was to be", f"{Word.STACKED:02X}")
        self._accepted_at_s = self.clock()  # the line may say it twice
        self._escrow, self._still_from_s = None, self.clock()
        self.take(Stacked())

    def _is(self, message: Message) -> None:
        """How the device is, now that it is believed."""
        word = message.word
        if word is Word.ESCROW:
            self._in_escrow(message)
        elif word in AT_REST:
            self._at_rest(word)
        elif word is Word.INVALID_COMMAND:
            raise DeviceGone(Fault.REFUSED, vendor_code=f"{word:02X}")
        else:
            self.take(Broken(FAULTS[word], f"{word:02X}"))

    # The note in the path ---------------------------------------------------------------------------------------------

    def _in_escrow(self, message: Message) -> None:
        now_s = self.clock()
        self.identity = self._known.identity
        same = self._escrow == message and not self._moved and now_s - self._said_at_s < GAP_S
        if not same:
            if self._escrow is not None or self._started or self.path.wanted_before:
                self._empty()
            self._escrow, self._seen_at_s, self._accepted_at_s = message, now_s, None
        self._said_at_s, self._moved = now_s, False
        self._stirred()
        self.take(Escrowed(self.identity.amount(message.kind)))

    def _at_rest(self, word: Word) -> None:
        if self.clock() < self._still_from_s:
            return
        self.identity = self._known.identity
        if word is Word.DISABLED or self._wanted is Word.ENABLED:
            self._empty()
        if word is self._wanted:
            self._disobeyed = 0
        else:
            self._insist(word)

    def _empty(self) -> None:
        """Nothing is in the path; what was accepted and has not ended in our hearing is in doubt."""
        if self._escrow is not None and self._accepted_at_s is None:
            self.take(Returned())
        self._escrow = self._accepted_at_s = None
        if self._started:
            self._started = False
            self.take(StartedUp("none"))
        self.take(Still())

    def _stirred(self) -> None:
        """Something is on its way."""
        self._still_from_s = self.clock() + (QUIET_S if self._known.generation.explicit else QUIET_104_S)

    # What is sent -----------------------------------------------------------------------------------------------------

    def _let_it_begin(self) -> None:
        """Answer its power-up, and close it at once: with the same byte a note in escrow would be accepted."""
        now_s = self.clock()
        if now_s - self._greeted_at_s < REPEAT_S:
            return
        self._greeted_at_s = self._still_from_s = now_s
        self._wanted = Word.DISABLED  # the host hears that it has started or failed, and opens it again
        self._send(Command.ACCEPT, Command.DISABLE)
        waits, self._waits = self._waits, None
        if waits is Word.COMMUNICATION_FAILED:
            self.take(Broken(FAULTS[waits], f"{waits:02X}"))
        else:
            self._started = True

    def _insist(self, word: Word) -> None:
        self._disobeyed += 1
        if self._disobeyed > DISOBEYED_MAX:
            raise DeviceGone(Fault.REFUSED, vendor_code=f"{word:02X}")
        if self._disobeyed % DISOBEYED_RESET == 0:
            self._send(Command.RESET)  # it may have missed our answer to its power-up, and says it again now
        else:
            self._switch()

    def _switch(self) -> None:
        self._send(Command.ENABLE if self._wanted is Word.ENABLED else Command.DISABLE)

    def _send(self, *commands: Command) -> None:
        self.link.write(bytes(commands))

    def _answer(self) -> list[Heard]:
        until = self.clock() + REPLY_S
        while (left := until - self.clock()) > 0:
            if said := self._decoder.feed(self.link.read(left)):
                return said
        return self._decoder.drop()


def _still_waits(said_since: list[Heard]) -> bool:
    """Or may it have a note in escrow by now? While it waits it is disabled, and says nothing else."""
    return all(isinstance(thing, Message) and thing.word in WAITS | {Word.DISABLED} for thing in said_since)
