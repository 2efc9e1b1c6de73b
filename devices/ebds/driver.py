"""EBDS: what a validator's status means, and what is sent to it.

Every poll is an order: which notes to take, and what to do with the one in escrow. Every answer is the whole status.
How a note ended, only one answer says; the next message acknowledges it, and leaves after the host's commit.
"""

from collections.abc import Callable, Iterator

from devices.driver import BillDriver, DeviceGone, Host, Identity, Inbox, Setting
from devices.ebds import meaning, notes, wire
from devices.ebds.exchange import Exchange
from devices.ebds.interview import CLOSED, Interview, Question, Told, interview
from devices.ebds.wire import Answer, Aux, Configuration, Exceptional, Extended, Frame, Kind, Mode, State, Status
from devices.link import LineSettings
from devices.note_path import Broken, Escrowed, Moving, Rejected, Report, Returned, Stacked, StartedUp, Still
from kiosk.ports.fault import Fault

FRESH_S = 2.0  # so old may be what we know of a note in escrow that is to be stacked
STUCK_S = 30.0  # it moves, or starts up, for as long as that: it does not go on by itself
RESET_AGAIN_S = 60.0  # between two attempts to bring it back into service
DEAF_S = 1.0  # after a reset: whatever it sends is not meant for us
BACK_S = 15.0  # until it answers again, at most; usually after 5 to 8
INVALID_MAX = 10  # times running that it calls our order invalid
ALL = 0x7F  # the mask, where notes are enabled one by one: anything but nothing
CRC = Question(Kind.AUXILIARY, wire.auxiliary(Aux.SOFTWARE_CRC))
SERIAL = Question(Kind.AUXILIARY, wire.auxiliary(Aux.SERIAL_NUMBER))
NO_ANSWER = {Fault.SILENT, Fault.GARBLED}


class EbdsDriver(BillDriver):
    """One validator."""

    line = LineSettings(9600, 7, "E", 1)
    poll_interval_s = 0.1

    def __init__(self, host: Host, inbox: Inbox, setting: Setting, clock: Callable[[], float]) -> None:
        super().__init__(host, inbox, setting, clock)
        self._exchange = Exchange(clock)
        self._extended = True  # it says which line of its table a note is; otherwise, which of seven values
        self._wanted: frozenset[int] = frozenset()
        self._enabled: frozenset[int] | None = None  # the lines that it was told to take
        self._action = Mode.NONE  # for the next poll
        self._heard: int | None = None  # the mask of the last poll that it answered
        self._settled = False  # it had heard that mask before it said how it is
        self._quiet = False  # nothing is in the path, and nothing will come in
        self._rejected = False  # it says so several times
        self._model: tuple[int, int] | None = None  # and its revision, as its answers have them
        self._interview: Interview | None = None
        self._question = CRC
        self._started = False  # it starts up, or has not come to rest since
        self._hearing = False  # something of its last answer is perhaps not durable
        self._understood = True
        self._escrow_s: float | None = None  # when a note was last seen there
        self._moving_s: float | None = None  # since when it moves
        self._invalid = 0
        self._reset_due = False
        self._reset_s = -RESET_AGAIN_S

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver. What could not be understood is acknowledged, so that it does not come again."""
        self._forget()
        self._extended, self._started, self._invalid, self._reset_due = True, False, 0, False
        self._exchange.begin(self.link)
        if not self._understood:
            self._ask(CRC)
            self._understood = True
        self._hearing = False
        self._last_words(self._exchange.poll(self._order()))

    def poll(self) -> None:
        """As promised by BillDriver; and ask who it is, as long as nothing else happens."""
        self._poll_once()
        while self._interview is not None and self._quiet:
            self._poll_once()

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver, with the next poll; new lines of the table when the path is quiet."""
        self._wanted = channels

    def stack(self) -> None:
        """As promised by BillDriver, with the next poll; a note that was seen too long ago is looked at again first."""
        if self._escrow_s is not None and self.clock() - self._escrow_s <= FRESH_S:
            self._action = Mode.STACK

    def give_back(self) -> None:
        """As promised by BillDriver, with the next poll."""
        self._action = Mode.RETURN

    def rest(self) -> None:
        """As promised by Driver. An answer that is perhaps not durable must be heard again: then nothing is sent."""
        if self._hearing:
            return
        self._forget()
        if self._exchange.polled:
            self._exchange.ask(CRC.kind, CRC.data)
        self._exchange.poll(self._order())

    # What is sent -----------------------------------------------------------------------------------------------------

    def _poll_once(self) -> None:
        since_reset_s = self.clock() - self._reset_s
        if since_reset_s < DEAF_S:
            return
        try:
            if self._exchange.polled and not self._between():
                return
            mask = self._mask()
            frame = self._exchange.poll(self._order())
        except DeviceGone as gone:
            if gone.fault in NO_ANSWER and since_reset_s < BACK_S:
                return
            raise
        self._action = Mode.NONE
        self._settled, self._heard = self._heard == mask, mask
        self._hear(frame)

    def _between(self) -> bool:
        """Acknowledge the last answer by a question, whichever is due; False: no poll is due now."""
        if self._reset_due:
            self._reset()
            return False
        if self._interview is not None and self._quiet:
            self._go_on(self._interview)
        elif self._extended and self._wanted and self._wanted != self._enabled and self._quiet:
            self._tell_lines()
        else:
            self._recognise()
        return True

    def _order(self) -> bytes:
        configuration = Configuration.EXTENDED_NOTES if self._extended else Configuration.NONE
        return wire.order(self._mask(), CLOSED | self._action, configuration | Configuration.POLICY_B)

    def _mask(self) -> int:
        if self._extended:
            return ALL if self._wanted and self._wanted == self._enabled else 0
        return sum(1 << channel - 1 for channel in self._wanted)

    def _tell_lines(self) -> None:
        highest = max(line.channel for line in self.identity.denominations)
        data = bytes((Extended.NOTE_INHIBITS,)) + self._order() + notes.enables(self._wanted, highest)
        answer = self._ask(Question(Kind.EXTENDED, data))
        if wire.answer(answer) is None:
            raise DeviceGone(Fault.REFUSED, "it does not take single notes", answer.data.hex().upper())
        self._enabled = self._wanted

    def _reset(self) -> None:
        self._exchange.reset()
        self._reset_due, self._reset_s = False, self.clock()
        self._forget()

    def _forget(self) -> None:
        """It is to be closed, and who it is must be asked anew."""
        self.identity, self._interview = Identity(""), None
        self._wanted, self._enabled, self._action = frozenset(), None, Mode.NONE
        self._heard, self._settled, self._quiet, self._escrow_s, self._moving_s = None, False, False, None, None
        self._rejected, self._model = False, None

    # Who it is --------------------------------------------------------------------------------------------------------

    def _ask(self, question: Question) -> Frame:
        """No note ends while nothing is in the path; should one all the same, it is not passed over."""
        frame = self._exchange.ask(question.kind, question.data)
        answer = wire.answer(frame)
        if answer is not None and answer.state & meaning.ENDS:
            self._hear(frame)
        return frame

    def _recognise(self) -> None:
        """Is it still the same one? One that takes polls and no questions cannot tell what a note is worth."""
        try:
            answer = self._ask(SERIAL if self.identity.serial else CRC)
        except DeviceGone as gone:
            if self.identity.model or self._started or gone.fault is not Fault.SILENT:
                raise
            self._exchange.poll(self._order())
            raise DeviceGone(Fault.NO_DENOMINATIONS, "it answers polls, and no questions") from gone
        serial = wire.text(answer.data) if answer.kind is Kind.AUXILIARY else ""
        if self.identity.serial and serial and serial != self.identity.serial:
            raise DeviceGone(Fault.UNPLUGGED, f"another device answers: {serial}")

    def _go_on(self, asking: Interview) -> None:
        answer = self._try(self._question)
        try:
            self._question = asking.send(answer)
        except StopIteration as stop:
            told: Told = stop.value
            self.check_table(told.identity.denominations)
            self.identity, self._extended, self._interview = told.identity, told.extended, None
            self.path.identified(told.identity.serial)

    def _try(self, question: Question) -> Frame | None:
        """Ask what it perhaps does not know. It may be silent then, and answers the next poll all the same."""
        try:
            return self._ask(question)
        except DeviceGone as gone:
            if gone.fault is not Fault.SILENT:
                raise
            return None

    # What it says -----------------------------------------------------------------------------------------------------

    def _last_words(self, frame: Frame) -> None:
        """The first answer may be an old one, to the host before us: how a note ended, that one has perhaps not heard.

        Everything else is said again, or has passed.
        """
        answer = wire.answer(frame)
        if answer is not None and answer.state & meaning.ENDS:
            self._hear(frame)

    def _hear(self, frame: Frame) -> None:
        answer = wire.answer(frame)
        self._hearing, self._quiet = True, False
        if answer is not None and self._is_from_another(answer):
            raise DeviceGone(Fault.GARBLED, vendor_code=_code(frame))
        self._understood = False
        if answer is None or not meaning.agrees(answer):
            raise DeviceGone(Fault.UNKNOWN_EVENT, vendor_code=_code(frame))
        self._obeys(answer)
        for report in self._reports(answer):
            self.take(report)
        self._rejected = Status.REJECTED in answer.status
        self._hearing, self._understood = False, True

    def _is_from_another(self, answer: Answer) -> bool:
        """The end of a note bears the same model and revision as everything before, or came to harm on the line."""
        before, self._model = self._model, (answer.model, answer.revision)
        return bool(answer.state & meaning.ENDS) and before not in {None, self._model}

    def _obeys(self, answer: Answer) -> None:
        self._invalid = self._invalid + 1 if Exceptional.INVALID_COMMAND in answer.exceptional else 0
        if self._invalid > INVALID_MAX:
            raise DeviceGone(Fault.REFUSED, vendor_code=f"2:{Exceptional.INVALID_COMMAND:02X}")

    def _reports(self, answer: Answer) -> Iterator[Report]:
        """The end of a note comes first, and alone: whatever else there is will be said again."""
        starting = Exceptional.POWER_UP in answer.exceptional
        if starting:
            self._starts_up()
        if State.STACKED in answer.state:
            yield self._stacked(answer)
            return
        if State.RETURNED in answer.state:
            yield Returned()
            return
        if Status.REJECTED in answer.status and not self._rejected:
            yield Rejected("rejected")  # why, the protocol does not say
        broken = meaning.broken(answer, starting=starting, started=self._started)
        if broken is None:
            yield self._works(answer, starting=starting)
        else:
            self._moving_s = None
            yield self._breaks(broken, heals=broken in meaning.HEALED_BY_RESET)

    def _starts_up(self) -> None:
        self._started = True
        moving_s = self._moving_s
        self._forget()
        self._moving_s = moving_s

    def _breaks(self, broken: Broken, *, heals: bool) -> Report:
        self._wanted = frozenset()
        if heals and self.clock() - self._reset_s >= RESET_AGAIN_S:
            self._reset_due = True
        return broken

    def _works(self, answer: Answer, *, starting: bool) -> Report:
        if State.ESCROWED in answer.state and not self._started:
            self._moving_s = None
            self._escrow_s = self.clock()
            return Escrowed(meaning.worth(answer, self.identity, self.setting.currency, extended=self._extended))
        if State.IDLING in answer.state and not starting:
            self._moving_s = None
            return self._idles(answer)
        self._moving_s = self.clock() if self._moving_s is None else self._moving_s
        if self.clock() - self._moving_s >= STUCK_S:
            place = f"2:{Exceptional.POWER_UP:02X}" if starting else f"0:{answer.state:02X}"
            return self._breaks(Broken(Fault.FAILURE, place), heals=True)
        if State.ESCROWED in answer.state:  # a note that it kept there without power, until it is told what to do
            self.give_back()
            return StartedUp("validator")
        return Moving()

    def _idles(self, answer: Answer) -> Report:
        if not self._settled:
            return Moving()  # it may have taken a note before it heard that it is closed
        self._quiet = True
        if self._started:
            self._started = False
            return StartedUp("none")
        if self.identity.model:
            return Still()
        if self._interview is None:
            self._interview = interview(f"EBDS model {answer.model:02X} revision {answer.revision:02X}")
            self._question = next(self._interview)
        return Moving()

    def _stacked(self, answer: Answer) -> Report:
        """Where notes are told by the line, the value is perhaps cleared by now: the host knows it from escrow."""
        if notes.is_empty(answer.details) and (self._extended or not self.identity.model):
            return Stacked(None)
        worth = meaning.worth(answer, self.identity, self.setting.currency, extended=self._extended)
        if worth is None:
            raise DeviceGone(Fault.UNKNOWN_EVENT, "stacked, and of no value in its table", f"0:{answer.state:02X}")
        return Stacked(worth)


def _code(frame: Frame) -> str:
    return f"{frame.kind:02X}{frame.data.hex().upper()}"
