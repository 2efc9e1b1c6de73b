"""SSP: what a validator's events mean, and what is sent to it.

Once the device has told us of a note in escrow, the next poll lets the note through. So there is no poll then until the
host has decided: HOLD keeps the note, REJECT returns it, and only a StackNote makes us poll again. When a contact
begins, nobody knows what is in escrow and what the last host was told: it is given back before the first poll.
"""

import os
from collections.abc import Callable
from typing import ClassVar

from devices.driver import BillDriver, DeviceGone, Host, Identity, Inbox, Setting
from devices.link import LineSettings
from devices.note_path import Broken, Escrowed, Moving, Rejected, Stacked, StartedUp, Still
from devices.ssp import cipher, wire
from devices.ssp.cipher import Entropy
from devices.ssp.dataset import denominations, model, printed, setup
from devices.ssp.exchange import Exchange
from devices.ssp.meaning import AT_POWER_UP, FAULTS, HEALING, LASTING, QUIET, REASONS, REFUSALS, REPORTS, STARTS
from devices.ssp.wire import Command, Event, Happened, Status
from kiosk.ports.fault import Fault

VERSIONS = (8, 7, 6)  # of the protocol, best first; below 6 no channel names its currency
VALIDATORS = frozenset({0x00, 0x06, 0x07})  # unit types: alone, with SMART Payout, with Note Float
HOLD_MAX_S = 10.0  # without a decision; other validators give a note back by themselves then
SETTLE_S = 10.0  # a note of which no end was told is given up after so much quiet; starting up takes less
RESET_AGAIN_S = 60.0  # between two attempts to bring it back into service
START_S = 3.0  # so long is a device quiet at most that starts up and has not said so yet
SMALL_MASK_CHANNELS = 16
HOST_REJECT = 0x08  # the reject code of a note that we gave back


class SspDriver(BillDriver):
    """One validator."""

    line = LineSettings(9600, 8, "N", 2)
    encrypted: ClassVar[bool] = False

    def __init__(
        self,
        host: Host,
        inbox: Inbox,
        setting: Setting,
        clock: Callable[[], float],
        entropy: Entropy = os.urandom,
    ) -> None:
        super().__init__(host, inbox, setting, clock)
        self._entropy = entropy
        self._exchange = Exchange(setting.address, clock)
        self._version = VERSIONS[0]
        self._who = Identity("")  # known to the host once the device is seen to be at rest
        self._acks: bool | None = None  # does it take POLL WITH ACK?
        self._mask_bytes = 2
        self._held_s: float | None = None  # since when it holds a note that the next poll would let through
        self._moved_s = 0.0  # when it last said anything but that nothing happens
        self._started = False  # it had no power, and has not come to rest since
        self._lasting: Broken | None = None
        self._hearing = False  # something of its last reply is perhaps not durable
        self._reset_s = -RESET_AGAIN_S

    # The device's life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """As promised by Driver. Whatever is said here, it is no poll."""
        self._acks, self._held_s, self._moved_s = None, None, self.clock()
        self._started, self._lasting, self._hearing = False, None, False
        self._exchange.begin(self.link, encrypted=self.encrypted)
        if self.encrypted:
            self._agree_on_a_key()
        self.give_back()
        self._agree_on_a_version()
        self.enable(frozenset())
        self._identify()
        self._exchange.gap = False

    def poll(self) -> None:
        """As promised by BillDriver."""
        if self._exchange.missed:
            self._hear(self._exchange.missed.pop(0), missed=True)
            return
        if self._exchange.gap:
            self._recognise()
        if self._held_s is None or self.path.decision == "stacking":
            self._hear(self._how_it_is())
        else:
            self._hold(self._held_s)

    def enable(self, channels: frozenset[int]) -> None:
        """As promised by BillDriver."""
        mask = sum(1 << channel - 1 for channel in channels)
        self._order(Command.SET_INHIBITS, mask.to_bytes(self._mask_bytes, "little"))
        self._order(Command.ENABLE if channels else Command.DISABLE)

    def stack(self) -> None:
        """As promised by BillDriver. There is nothing to send: the next poll lets the note through."""

    def give_back(self) -> None:
        """As promised by BillDriver. There may be no note any more: the polls that follow tell where it went."""
        self._order(Command.REJECT, or_else=Status.COMMAND_CANNOT_BE_PROCESSED)
        self._held_s = None

    def rest(self) -> None:
        """As promised by Driver. Nobody will decide on a note that it still holds.

        A device that says its last reply again, but no other one, is left alone with it until that is durable: it gives
        back by itself whatever is inserted without anybody polling.
        """
        if self._hearing and not self._acks:
            return
        if self._held_s is not None:
            self.give_back()
        super().rest()

    # What it says -----------------------------------------------------------------------------------------------------

    def _how_it_is(self) -> bytes:
        """Poll it. Whether it takes the better kind of poll, the first one shows: what is refused is not done."""
        if self._acks is not False:
            reply = self._exchange.ask(Command.POLL_WITH_ACK)
            self._acks = self._acks or reply[0] == Status.OK
            if self._acks:
                return reply
            if self.encrypted:  # what a host that died has not heard could then be repeated, but not be read
                raise DeviceGone(Fault.FIRMWARE, "encryption without POLL WITH ACK", reply[:1].hex().upper())
        return self._exchange.ask(Command.POLL)

    def _hold(self, since_s: float) -> None:
        if self.clock() - since_s >= HOLD_MAX_S:
            self.give_back()
        elif self._order(Command.HOLD, or_else=Status.COMMAND_CANNOT_BE_PROCESSED) != Status.OK:
            self._held_s = None  # the note has gone its own way: the next poll tells where

    def _hear(self, reply: bytes, *, missed: bool = False) -> None:
        """Take what an answer to a poll tells, and acknowledge it; if a part of it is not understood, nothing of it."""
        self._check(Command.POLL, reply)
        happened = wire.events(reply[1:], self._version)
        if happened is None or any(self._is_unknown(one) for one in happened):
            raise DeviceGone(Fault.UNKNOWN_EVENT, vendor_code=reply.hex().upper())
        self._held_s = None
        self._hearing = True
        for one in happened:
            self._hear_one(one, missed=missed)
        codes = {one.event for one in happened}
        if codes <= QUIET:
            self._quiet()
        else:
            self._moved_s = self.clock()
        self._hearing = False
        if self._acks and not missed and codes & wire.ACKNOWLEDGED:
            self._order(Command.EVENT_ACK, or_else=Status.COMMAND_CANNOT_BE_PROCESSED)
        if Event.SLAVE_RESET in codes:  # it is closed now; once it is ready, the host opens it again
            self._agree_on_a_version()
        if Event.REJECTED in codes:
            self._ask_why()

    def _is_unknown(self, one: Happened) -> bool:
        return one.event is Event.NOTE_CREDIT and self._who.amount(one.channel) is None

    def _hear_one(self, one: Happened, *, missed: bool) -> None:
        if one.event in HEALING:
            self._lasting = None
        if one.event in FAULTS:
            broken = Broken(FAULTS[one.event], (bytes((one.event,)) + one.data).hex().upper())
            self._lasting = broken if one.event in LASTING else self._lasting
            self.take(broken)
        elif one.event is Event.READ:
            self._read(one.channel, missed=missed)
        elif one.event is Event.NOTE_CREDIT:
            self.take(Stacked(self._who.amount(one.channel)))
        elif one.event in AT_POWER_UP:
            self._started = True
            amount = self._who.amount(one.channel)
            self.take(AT_POWER_UP[one.event] if amount is None else Stacked(amount))
        elif one.event not in QUIET:
            self._started |= one.event in STARTS
            self.take(REPORTS[one.event])

    def _read(self, channel: int, *, missed: bool) -> None:
        """A note is read, or lies in escrow. If this was missed, it was given back when the contact began."""
        if channel and not missed:
            self._held_s = self.clock()
            self.take(Escrowed(self._who.amount(channel)))
        else:
            self.take(Moving())

    def _quiet(self) -> None:
        """Nothing happens. While it starts up, this means nothing; that it does, it tells with POLL WITH ACK only."""
        new = not self.identity.model and not self._acks
        wait_s = SETTLE_S if self.path.awaited else START_S if new else 0.0
        if self.clock() - self._moved_s < wait_s:
            self.take(Moving())
            return
        self.identity = self._who
        if self._started:
            self._started = False
            self.take(StartedUp("none"))
        self.take(self._lasting or Still())

    def _ask_why(self) -> None:
        reply = self._exchange.ask(Command.LAST_REJECT_CODE)
        if reply[0] == Status.OK and len(reply) > 1 and reply[1] != HOST_REJECT:
            self.take(Rejected(REASONS.get(reply[1], f"{reply[1]:02X}")))

    # Who it is --------------------------------------------------------------------------------------------------------

    def _agree_on_a_key(self) -> None:
        fixed = cipher.fixed_key(self.setting.key)
        if fixed is None:
            raise DeviceGone(Fault.NO_KEY, "a key is written as 16 hexadecimal digits")
        offer = cipher.offer(self._entropy)
        reply = self._exchange.ask(Command.SET_GENERATOR, cipher.number_bytes(offer.generator))
        if reply[0] == Status.KEY_NOT_SET:
            self._reset()
        self._check(Command.SET_GENERATOR, reply, Fault.NO_KEY)
        self._order(Command.SET_MODULUS, cipher.number_bytes(offer.modulus), fault=Fault.NO_KEY)
        reply = self._exchange.ask(Command.REQUEST_KEY_EXCHANGE, cipher.number_bytes(offer.public))
        self._check(Command.REQUEST_KEY_EXCHANGE, reply, Fault.NO_KEY)
        agreed = offer.agreed(int.from_bytes(reply[1:], "little"))
        self._exchange.encrypt(cipher.Session(fixed, agreed, self._entropy))

    def _reset(self) -> None:
        """Another key than ours has put it out of service, until it is reset."""
        if self.clock() - self._reset_s >= RESET_AGAIN_S:
            self._reset_s = self.clock()
            self._exchange.ask(Command.RESET)

    def _agree_on_a_version(self) -> None:
        """The best version that both know: event lengths follow from it."""
        for version in VERSIONS:
            status = self._exchange.ask(Command.HOST_PROTOCOL_VERSION, bytes((version,)))[0]
            if status == Status.OK:
                self._version = version
                return
            if status not in {Status.FAIL, Status.PARAMETERS}:
                self._check(Command.HOST_PROTOCOL_VERSION, bytes((status,)))
        raise DeviceGone(Fault.FIRMWARE, f"it knows no protocol version of {VERSIONS}")

    def _identify(self) -> None:
        known = setup(self._told(Command.SETUP_REQUEST))
        if known is None or known.unit not in VALIDATORS:
            raise DeviceGone(Fault.WRONG_KIND)
        if known.version != self._version:
            raise DeviceGone(Fault.REFUSED, "it keeps another protocol version", f"{known.version:02X}")
        if known.unit:
            self._order(Command.DISABLE_PAYOUT)  # what it stored would be missed in the box
        serial = str(int.from_bytes(self._told(Command.GET_SERIAL_NUMBER), "big"))
        firmware = printed(self._told(Command.GET_FIRMWARE_VERSION))
        dataset = printed(self._told(Command.GET_DATASET_VERSION))
        lines = denominations(known)
        self.check_table(lines)
        self._mask_bytes = 2 if len(known.channels) <= SMALL_MASK_CHANNELS else 3
        self._who = Identity(model(firmware), f"{firmware} {dataset}".strip(), serial, lines)
        self.path.identified(serial)

    def _recognise(self) -> None:
        """In a gap somebody may have put another device there."""
        self._exchange.gap = False
        serial = str(int.from_bytes(self._told(Command.GET_SERIAL_NUMBER), "big"))
        if serial != self._who.serial:
            raise DeviceGone(Fault.UNPLUGGED, f"another device answers: {serial}")

    # Orders -----------------------------------------------------------------------------------------------------------

    def _order(
        self,
        command: Command,
        parameters: bytes = b"",
        *,
        or_else: Status = Status.OK,
        fault: Fault = Fault.REFUSED,
    ) -> Status:
        """Send a command that has to be obeyed, or refused in just that way."""
        reply = self._exchange.ask(command, parameters)
        if reply[0] == or_else:
            return or_else
        self._check(command, reply, fault)
        return Status.OK

    def _told(self, command: Command) -> bytes:
        reply = self._exchange.ask(command)
        self._check(command, reply)
        return reply[1:]

    def _check(self, command: Command, reply: bytes, fault: Fault = Fault.REFUSED) -> None:
        if reply[0] == Status.OK:
            return
        raise DeviceGone(REFUSALS.get(reply[0], fault), command.name, f"{command:02X}:{reply.hex().upper()}")


class EsspDriver(SspDriver):
    """The same, encrypted."""

    encrypted = True
