"""What is particular to CCNET: each state and code, each refusal, and what the line can do to it."""

from random import Random

import pytest

from devices.ccnet import wire
from devices.ccnet.driver import FAILURES, REASONS, REFUSALS_MAX, RESET_AGAIN_S, TRIES, CcnetDriver
from devices.ccnet.sim import BILLS, WHO
from devices.ccnet.wire import Bill, Command, Decoder, Frame, State, encode
from devices.driver import DeviceGone, HostStopped, Setting
from devices.link import LineSettings, LinkLost
from devices.simulator import Simulator
from kiosk.amount import Money
from kiosk.ports.acceptor import BoxInserted, BoxRemoved, CloseAcceptor, DeviceFailed, DeviceReady, OpenAcceptor
from kiosk.ports.bill_validator import (
    NoteEscrowed,
    NoteHeld,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    ReturnNote,
    StackNote,
    TellNote,
)
from kiosk.ports.fault import Fault
from kiosk.ports.message import Fact
from tests.devices.rig import Line, Patience
from tests.kiosk.flow.stage import yuan

ALL = tuple(yuan(amount) for amount in (5, 10, 20, 50, 100))
TEN, FIFTY = 3, 5  # bill types of BILLS
DISABLED, IDLING = bytes((State.DISABLED,)), bytes((State.IDLING,))


class Puppet(Simulator):
    """A device that says what a test wants it to say."""

    def __init__(self) -> None:
        super().__init__()
        self.state = DISABLED  # what it answers to a poll
        self.soon: list[bytes] = []  # what it answers to the next ones
        self.answers: dict[int, bytes] = {
            Command.IDENTIFICATION: wire.identification_body(WHO),
            Command.BILL_TABLE: wire.bill_table_body(BILLS),
        }
        self.address = wire.VALIDATOR
        self.heard: list[bytes] = []  # the bodies of what the host has sent
        self.obeys = True  # when it is enabled or disabled, it is
        self.raw: dict[int, list[bytes]] = {}  # bytes instead of the next answers to that command
        self._decoder = Decoder()

    def receive(self, data: bytes, now_ms: int) -> None:
        """As promised by Simulator."""
        self.pass_time(now_ms)
        for frame in self._decoder.feed(data):
            self.heard.append(frame.body)
            if frame.address == self.address and frame.body != wire.ACK:
                raw = self.raw.get(frame.body[0])
                self.send(raw.pop(0) if raw else self._framed(self._answer(frame.body)))

    def pass_time(self, now_ms: int) -> None:
        """As promised by Simulator."""

    def next_ms(self) -> int | None:
        """As promised by Simulator."""
        return None

    def _framed(self, body: bytes) -> bytes:
        return encode(Frame(self.address, body)) if body else b""

    def _answer(self, body: bytes) -> bytes:
        if body[0] == Command.POLL:
            return self.soon.pop(0) if self.soon else self.state
        if body[0] == Command.ENABLE and self.obeys and self.state in {IDLING, DISABLED}:
            self.state = IDLING if any(body[1:]) else DISABLED
        return self.answers.get(body[0], wire.ACK)

    def commands(self) -> list[int]:
        """What it has heard, without polls and acknowledgements."""
        return [body[0] for body in self.heard if body not in {wire.ACK, bytes((Command.POLL,))}]


class Bench:
    """A puppet, its driver, and a host that only listens."""

    def __init__(self, currency: str = "CNY", position: int = 0, address: int = 0) -> None:
        self.device = Puppet()
        self.line = Line(self.device, Random(1))
        self.inbox = Patience(self.line)
        self.facts: list[Fact] = []
        self.unheard: type[Fact] | None = None  # the host stops at such a fact
        setting = Setting("bill", currency, position=position, address=address)
        self.driver = CcnetDriver(self, self.inbox, setting, lambda: self.line.now_ms / 1000)

    def tell(self, fact: Fact) -> None:
        """As promised by Host."""
        if type(fact) is self.unheard:
            raise HostStopped
        self.facts.append(fact)

    def ready(self) -> "Bench":
        """It is identified, and takes everything."""
        self.driver.begin(self.line)
        self.turns(2)
        self.inbox.put(OpenAcceptor("bill", ALL))
        self.turns(2)
        assert self.device.state == IDLING
        self.facts.clear()
        self.device.heard.clear()
        return self

    def turns(self, count: int = 1) -> list[Fact]:
        """So many turns; all that the host has heard."""
        for _ in range(count):
            self.driver.turn()
            self.inbox.wait(self.driver.poll_interval_s)
        return self.facts

    def says(self, *bodies: str) -> list[Fact]:
        """One turn for each of these answers to a poll; all that the host has heard."""
        for body in bodies:
            self.device.state = bytes.fromhex(body)
            self.turns()
        return self.facts

    def gone(self) -> DeviceGone:
        """Why the next turn fails; the host is told as the supervisor does it."""
        with pytest.raises(DeviceGone) as gone:
            self.turns()
        self.driver.lost(gone.value.fault, gone.value.vendor_code)
        return gone.value


def escrowed(bench: Bench) -> Bench:
    """Note 1, of fifty, lies in escrow."""
    assert bench.says("15", "80 05") == [NoteEscrowed("bill", 1, yuan(50))]
    bench.facts.clear()
    return bench


def stacking(bench: Bench) -> Bench:
    """And is to be stacked."""
    escrowed(bench).inbox.put(StackNote("bill", 1))
    bench.turns()
    bench.facts.clear()
    return bench


# Who it is -----------------------------------------------------------------------------------------------------------


def test_its_line() -> None:
    assert CcnetDriver.line == LineSettings(9600, 8, "N", 1)


def test_it_is_asked_who_it_is_once_it_is_disabled() -> None:
    bench = Bench()
    bench.driver.begin(bench.line)
    assert bench.turns(3) == [BoxInserted("bill"), DeviceReady("bill", WHO.serial)]
    assert bench.device.commands() == [Command.ENABLE, Command.IDENTIFICATION, Command.BILL_TABLE]
    identity = bench.driver.identity
    assert (identity.model, identity.serial) == (WHO.part, WHO.serial)
    assert [(line.channel, line.amount) for line in identity.denominations] == [
        (2, yuan(5)), (3, yuan(10)), (4, yuan(20)), (5, yuan(50)), (6, yuan(100)),
    ]  # fmt: skip


def test_one_that_is_open_is_closed_first() -> None:
    bench = Bench()
    bench.device.obeys, bench.device.state = False, IDLING
    bench.driver.begin(bench.line)
    assert bench.turns(3) == [], "it may take a note, and is neither ready nor idle"
    bench.device.obeys = True
    bench.turns(3)
    assert bench.facts == [BoxInserted("bill"), DeviceReady("bill", WHO.serial)]


def test_only_what_the_host_wants_is_enabled_by_way_of_escrow() -> None:
    bench = Bench().ready()
    bench.inbox.put(OpenAcceptor("bill", (yuan(10), yuan(50), yuan(1))))
    bench.turns()
    assert bench.device.heard[0] == bytes.fromhex("34 00 00 28 00 00 28")
    bench.inbox.put(CloseAcceptor("bill"))
    bench.turns()
    assert bytes.fromhex("34 00 00 00 00 00 00") in bench.device.heard


@pytest.mark.parametrize(("table", "fault", "detail"), [
    (wire.bill_table_body({0: Bill(5, "UKR", 1)}), Fault.FOREIGN_CURRENCY, "UAH"),
    (wire.bill_table_body({0: Bill(1, "CHN", 1), 1: Bill(1, "HKG", 1)}), Fault.FOREIGN_CURRENCY, "HKD"),
    (wire.bill_table_body({0: Bill(1, "???", 1)}), Fault.FOREIGN_CURRENCY, "???"),
    (wire.bill_table_body({0: Bill(1, "   ", 1)}), Fault.FOREIGN_CURRENCY, "   "),
    (wire.bill_table_body({}), Fault.NO_DENOMINATIONS, ""),
    (wire.bill_table_body({0: Bill(1, "CHN", 100)}), Fault.NO_DENOMINATIONS, ""),
    (wire.bill_table_body({0: Bill(1, "CHN", -3)}), Fault.NO_DENOMINATIONS, ""),
    (wire.bill_table_body(BILLS)[:-1], Fault.NO_DENOMINATIONS, ""),
    (wire.bill_table_body(BILLS) + b"\0", Fault.NO_DENOMINATIONS, ""),
    (b"\x05", Fault.NO_DENOMINATIONS, ""),
    (wire.ILLEGAL, Fault.NO_DENOMINATIONS, ""),
])  # fmt: skip
def test_a_table_that_is_none_of_ours_is_refused(table: bytes, fault: Fault, detail: str) -> None:
    bench = Bench()
    bench.device.answers[Command.BILL_TABLE] = table
    bench.driver.begin(bench.line)
    gone = bench.gone()
    assert (gone.fault, gone.detail) == (fault, detail)
    assert bench.facts == [DeviceFailed("bill", fault)]
    assert bench.driver.identity.denominations == ()


def test_a_table_in_another_currency_is_ours_where_the_terminal_takes_that() -> None:
    bench = Bench("UAH")
    bench.device.answers[Command.BILL_TABLE] = wire.bill_table_body({0: Bill(5, "UKR", 1), 23: Bill(50, "UAH", -2)})
    bench.driver.begin(bench.line)
    bench.turns()
    assert [line.amount for line in bench.driver.identity.denominations] == [Money(5000, "UAH"), Money(50, "UAH")]


@pytest.mark.parametrize("identification", [wire.ILLEGAL, b"\x01", wire.identification_body(WHO)[:-1], bytes(109)])
def test_what_does_not_say_who_it_is_is_something_else(identification: bytes) -> None:
    bench = Bench()
    bench.device.answers[Command.IDENTIFICATION] = identification
    bench.driver.begin(bench.line)
    assert bench.gone().fault is Fault.WRONG_KIND
    acknowledged = bench.device.heard[-1] == wire.ACK
    assert acknowledged is (identification != wire.ILLEGAL)


def test_one_without_a_name_is_known_by_its_protocol() -> None:
    bench = Bench()
    bench.device.answers[Command.IDENTIFICATION] = bytes(34)
    bench.driver.begin(bench.line)
    bench.turns(3)
    assert (bench.driver.identity.model, bench.driver.identity.serial) == ("CCNET", "")
    assert bench.device.commands().count(Command.IDENTIFICATION) == 1


def test_a_long_frame_says_the_same() -> None:
    bench = Bench()
    body = wire.identification_body(WHO)
    start = bytes((wire.SYNC, wire.VALIDATOR, 0)) + body[:2] + (len(body) + 7).to_bytes(2, "big") + body[2:]
    bench.device.raw[Command.IDENTIFICATION] = [start + wire.kermit(start).to_bytes(2, "little")]
    bench.driver.begin(bench.line)
    bench.turns()
    assert bench.driver.identity.serial == WHO.serial


def test_another_address_may_be_set_and_only_that_one_is_heard() -> None:
    bench = Bench(address=1)
    bench.device.address = 1
    bench.driver.begin(bench.line)
    bench.turns()
    assert bench.driver.identity.model
    bench.device.raw[Command.POLL] = [encode(Frame(wire.VALIDATOR, b"\x43"))] * TRIES
    assert bench.gone().fault is Fault.SILENT


# Every state ---------------------------------------------------------------------------------------------------------

NO_NEWS = ["13", "15", "17", "18", "1A", "1A 05", "1B", "1B 0A"]
FAULTS = {
    "41": Fault.STACKER_FULL,
    "43": Fault.JAM,
    "44": Fault.STACKER_JAM,
    "45": Fault.CHEATED,
    "46": Fault.PAUSED,
    "47": Fault.FAILURE,
    **{f"47{code:02X}": fault for code, fault in FAILURES.items()},
    "4799": Fault.FAILURE,
}
KNOWN = {int(state) for state in State}


@pytest.mark.parametrize("body", NO_NEWS)
def test_what_moves_or_begins_is_no_news(body: str) -> None:
    assert Bench().ready().says(body, body) == []


@pytest.mark.parametrize(("body", "fault"), FAULTS.items())
def test_each_fault_is_told_once_with_the_device_s_own_code(body: str, fault: Fault) -> None:
    assert Bench().ready().says(body, body, "13", body) == [DeviceFailed("bill", fault, body)]


def test_every_code_of_the_manual_has_a_meaning() -> None:
    assert set(FAILURES) >= {0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x5F}
    assert set(REASONS) == {*range(0x60, 0x6B), 0x6C, 0x6D, *range(0x92, 0x96)}


def test_the_cassette_is_taken_out_and_put_back() -> None:
    bench = Bench().ready()
    assert bench.says("42", "42", "13") == [BoxRemoved("bill")]
    bench.facts.clear()
    assert bench.says("19") == [BoxInserted("bill"), DeviceReady("bill", WHO.serial)]


@pytest.mark.parametrize(("body", "reason"), [
    *((f"1C {code:02X}", reason) for code, reason in REASONS.items()),
    ("1C 77", "1C77"),
    ("1C", "1C"),
])  # fmt: skip
def test_each_reason_of_a_rejection_is_counted(body: str, reason: str) -> None:
    bench = Bench().ready()
    assert bench.says(body, "14") == []
    assert bench.driver.path.counters.rejected == {reason: 1}


@pytest.mark.parametrize("state", sorted(set(range(256)) - KNOWN - {0x00, 0xFF}))
def test_every_unknown_state_fails_closed(state: int) -> None:
    bench = stacking(Bench().ready())
    bench.device.state = bytes((state,))
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, f"{state:02X}")
    assert bench.facts == [DeviceFailed("bill", Fault.UNKNOWN_EVENT, f"{state:02X}")]


@pytest.mark.parametrize("body", ["80", "80 05 00", "81", "81 05 00", "82 05 00", "14 00", "19 19", "10 05", "43 01"])
def test_a_state_of_another_length_fails_closed(body: str) -> None:
    bench = stacking(Bench().ready())
    bench.device.state = bytes.fromhex(body)
    assert bench.gone().fault is Fault.UNKNOWN_EVENT
    assert bench.facts == [DeviceFailed("bill", Fault.UNKNOWN_EVENT, bytes.fromhex(body).hex().upper())]


def test_a_note_of_a_type_that_is_in_no_table_is_given_back() -> None:
    bench = Bench().ready()
    assert bench.says("80 17") == [NoteEscrowed("bill", 1, None)]
    bench.inbox.put(ReturnNote("bill", 1))
    bench.turns()
    assert Command.RETURN in bench.device.commands()


def test_a_stacked_note_of_a_type_that_is_in_no_table_credits_nothing() -> None:
    bench = stacking(Bench().ready())
    bench.device.state = bytes.fromhex("81 17")
    bench.device.heard.clear()
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.UNKNOWN_EVENT, "8117")
    assert wire.ACK not in bench.device.heard, "it will say it again"
    assert bench.facts == [DeviceFailed("bill", Fault.UNKNOWN_EVENT, "8117")]


# A note --------------------------------------------------------------------------------------------------------------


def test_a_credit_is_acknowledged_once_the_host_has_it() -> None:
    bench = stacking(Bench().ready())
    bench.device.heard.clear()
    bench.unheard = NoteStacked
    bench.device.state = bytes.fromhex("81 05")
    with pytest.raises(HostStopped):
        bench.turns()
    assert bench.device.heard == [bytes((Command.POLL,))]
    bench.unheard = None
    assert bench.says("81 05", "81 05") == [NoteStacked("bill", 1, yuan(50))]
    assert bench.device.heard[1:] == [bytes((Command.POLL,)), wire.ACK] * 2


def test_a_poll_is_acknowledged_before_the_next_command() -> None:
    bench = escrowed(Bench().ready())
    bench.inbox.put(StackNote("bill", 1))
    bench.device.heard.clear()
    bench.turns(2)
    stack, poll = bytes((Command.STACK,)), bytes((Command.POLL,))
    assert bench.device.heard == [stack, poll, wire.ACK, stack, poll, wire.ACK, stack], "it still lies in escrow"


def test_what_is_refused_is_decided_again_while_the_note_lies_there() -> None:
    bench = escrowed(Bench().ready())
    bench.device.answers[Command.RETURN] = wire.ILLEGAL
    bench.inbox.put(ReturnNote("bill", 1))
    bench.turns(3)
    assert bench.device.commands().count(Command.RETURN) == 4
    assert bench.says("18", "82 05", "82 05", "14") == [NoteReturned("bill", 1)]


def test_a_decision_on_a_note_that_has_gone_does_nothing() -> None:
    bench = escrowed(Bench().ready())
    bench.says("82 05", "14")
    bench.inbox.put(StackNote("bill", 1))
    bench.turns(2)
    assert Command.STACK not in bench.device.commands()


def test_a_note_rejected_on_its_way_is_returned_when_it_is_out() -> None:
    bench = stacking(Bench().ready())
    assert bench.says("1C 6A", "1C 6A") == []
    assert bench.says("14") == [NoteReturned("bill", 1)]


def test_five_in_the_box_are_not_fifty() -> None:
    bench = stacking(Bench().ready())
    assert bench.says("81 02") == [NoteUnaccounted("bill", 1, "exchanged"), NoteStacked("bill", 2, yuan(5))]


def test_after_the_line_was_lost_nothing_is_stacked_that_was_not_seen_before() -> None:
    bench = stacking(Bench().ready())
    bench.line.plugged = False
    with pytest.raises(LinkLost):
        bench.turns()
    bench.driver.lost(Fault.UNPLUGGED)
    bench.line.plugged = True
    bench.device.state = bytes.fromhex("80 02")  # five lie there now, and what five are is not known yet
    bench.device.heard.clear()
    bench.driver.begin(bench.line)
    bench.turns(3)
    assert bench.device.commands() == [Command.ENABLE]
    assert bench.facts[1:] == [NoteHeld("bill", 1)]


def test_a_host_that_begins_anew_hears_what_became_of_its_note() -> None:
    ends: list[tuple[str, Fact]] = [
        ("80 05", NoteHeld("bill", 7)),
        ("81 05", NoteStacked("bill", 7)),
        ("82 05", NoteReturned("bill", 7)),
        ("43", NoteUnaccounted("bill", 7, "jam")),
        ("19", NoteUnaccounted("bill", 7, "forgotten")),
    ]
    for body, fact in ends:
        bench = Bench(position=7)
        bench.device.state = bytes.fromhex("17")
        bench.driver.begin(bench.line)
        bench.inbox.put(TellNote("bill", 7, stacking=True))
        assert bench.says("17", body)[0] == fact, body


# Its power -----------------------------------------------------------------------------------------------------------


def test_it_is_reset_once_and_opened_when_the_host_says_so() -> None:
    bench = Bench().ready()
    assert bench.says("10", "10", "10", "13", "13") == []
    assert bench.device.commands() == [Command.RESET]
    bench.says("19", "19")
    assert bench.facts == [BoxInserted("bill"), DeviceReady("bill", WHO.serial)]
    assert Command.ENABLE not in bench.device.commands()


def test_a_reset_that_it_did_not_hear_is_sent_again() -> None:
    bench = Bench().ready()
    bench.says(*["10"] * 40)
    assert bench.device.commands() == [Command.RESET] * 3


@pytest.mark.parametrize(("bodies", "told"), [
    pytest.param(("10", "13", "19"), NoteUnaccounted("bill", 1, "forgotten"), id="it knows nothing"),
    pytest.param(("11", "13", "19"), NoteReturned("bill", 1), id="in the validator"),
    pytest.param(("11", "13", "82 05", "19"), NoteReturned("bill", 1), id="in the validator, and it says so"),
    pytest.param(("12", "13", "81 05", "19"), NoteStacked("bill", 1, yuan(50)), id="its credit is recovered"),
    pytest.param(("12", "13", "19"), NoteStacked("bill", 1), id="in the stacker, and it says no more"),
    pytest.param(("12", "13", "10", "13", "19"), NoteUnaccounted("bill", 1, "forgotten"), id="and then nothing"),
    pytest.param(("12", "13", "11", "13", "19"), NoteReturned("bill", 1), id="and then in the validator"),
    pytest.param(("11", "13", "12", "13", "19"), NoteStacked("bill", 1), id="and then in the stacker"),
    pytest.param(("11", "43", "13", "19"), NoteUnaccounted("bill", 1, "jam"), id="it jams on its way out"),
    pytest.param(("12", "44", "13", "19"), NoteUnaccounted("bill", 1, "stacker_jam"), id="it jams on its way in"),
])  # fmt: skip
def test_a_note_to_be_stacked_when_the_power_went(bodies: tuple[str, ...], told: Fact) -> None:
    bench = stacking(Bench().ready())
    bench.says(*bodies, "19", "19")
    notes = [fact for fact in bench.facts if isinstance(fact, NoteStacked | NoteReturned | NoteUnaccounted)]
    assert notes == [told]
    assert bench.facts[-1] == DeviceReady("bill", WHO.serial)


def test_a_note_in_the_stacker_that_nobody_knows_of_is_told_with_its_value() -> None:
    bench = Bench().ready()
    assert bench.says("12", "13", "81 05")[-1] == NoteStacked("bill", 1, yuan(50))


# Its faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["43", "44", "45", "47 50"])
def test_a_jam_is_met_with_a_reset_now_and_then(body: str) -> None:
    bench = Bench().ready()
    bench.says(*[body] * round(25 / bench.driver.poll_interval_s))
    assert bench.device.commands() == [Command.RESET] * (1 + 25 // round(RESET_AGAIN_S))


@pytest.mark.parametrize("body", ["41", "42", "46"])
def test_what_a_person_has_to_see_to_is_not_reset(body: str) -> None:
    bench = Bench().ready()
    bench.says(*[body] * 60)
    assert bench.device.commands() == []


def test_after_a_fault_it_is_closed_until_the_host_says_otherwise() -> None:
    bench = Bench().ready()
    bench.says("46")
    bench.facts.clear()
    assert bench.says("14") == [], "it is still open"
    assert bench.turns(2) == [BoxInserted("bill"), DeviceReady("bill", WHO.serial)]
    assert bench.device.commands() == [Command.ENABLE]
    assert bench.device.state == DISABLED


# It does not do as it is told ----------------------------------------------------------------------------------------


def test_a_device_that_closed_by_itself_is_opened_again() -> None:
    bench = Bench().ready()
    bench.device.state = DISABLED
    bench.turns(2)
    assert bench.device.state == IDLING
    assert bench.facts == []


def test_one_that_obeys_late_is_not_refused() -> None:
    bench = Bench().ready()
    for _ in range(3):
        bench.device.obeys, bench.device.state = False, DISABLED
        bench.turns(REFUSALS_MAX - 1)
        bench.device.obeys = True
        bench.turns(2)
    assert bench.device.state == IDLING


@pytest.mark.parametrize("answer", [wire.ILLEGAL, wire.ACK])
def test_a_device_that_will_not_be_opened_is_refused(answer: bytes) -> None:
    bench = Bench().ready()
    bench.device.obeys, bench.device.state = False, DISABLED
    bench.device.answers[Command.ENABLE] = answer
    bench.turns(REFUSALS_MAX)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "19")


def test_a_device_that_will_not_be_closed_is_refused_and_never_idle() -> None:
    bench = Bench().ready()
    bench.device.obeys = False
    bench.inbox.put(CloseAcceptor("bill"))
    bench.turns(REFUSALS_MAX)
    gone = bench.gone()
    assert (gone.fault, gone.vendor_code) == (Fault.REFUSED, "14")
    assert bench.facts == [DeviceFailed("bill", Fault.REFUSED, "14")]


def test_when_the_host_stops_it_is_closed() -> None:
    bench = Bench().ready()
    bench.driver.rest()
    assert bench.device.state == DISABLED


# The line ------------------------------------------------------------------------------------------------------------

WRONG_CHECK = bytes.fromhex("02 03 07 81 05 00 00")
GOOD = encode(Frame(wire.VALIDATOR, DISABLED))


def test_silence_is_told_after_three_tries() -> None:
    bench = stacking(Bench().ready())
    bench.device.heard.clear()
    bench.device.raw[Command.POLL] = [b""] * TRIES
    assert bench.gone().fault is Fault.SILENT
    assert bench.device.heard == [bytes((Command.POLL,))] * TRIES


def test_two_lost_answers_are_asked_for_again() -> None:
    bench = stacking(Bench().ready())
    bench.device.raw[Command.POLL] = [b"", b""]
    assert bench.says("81 05") == [NoteStacked("bill", 1, yuan(50))]


@pytest.mark.parametrize("noise", [
    WRONG_CHECK,
    bytes.fromhex("FC 05 11 27 56"),  # ID-003
    bytes.fromhex("7F 80 01 F0 23 80"),  # SSP
    bytes.fromhex("02 0B 21 10 10 08 00 01 02 03 31"),  # EBDS, with a note stacked
    bytes.fromhex("01 00 02 00 FD"),  # ccTalk
    bytes.fromhex("80 8F"),  # ICT
    bytes(40),
    b"\xff" * 40,
])  # fmt: skip
def test_another_protocol_or_another_speed_is_garbled(noise: bytes) -> None:
    bench = stacking(Bench().ready())
    bench.device.raw[Command.POLL] = [noise] * TRIES
    assert bench.gone().fault is Fault.GARBLED
    assert bench.facts == [DeviceFailed("bill", Fault.GARBLED)]


def test_an_answer_amid_noise_is_heard() -> None:
    bench = Bench()
    bench.device.raw[Command.POLL] = [b"\x00\x02\x03" + WRONG_CHECK + GOOD + b"\x02"]
    bench.driver.begin(bench.line)
    bench.turns(2)
    assert bench.driver.identity.model


def test_what_the_device_did_not_understand_is_sent_again() -> None:
    nak = encode(Frame(wire.VALIDATOR, wire.NAK))
    bench = stacking(Bench().ready())
    bench.device.raw = {Command.POLL: [nak, nak], Command.ENABLE: [nak]}
    assert bench.says("81 05") == [NoteStacked("bill", 1, yuan(50))]
    bench.device.state = IDLING
    bench.inbox.put(CloseAcceptor("bill"))
    bench.turns(2)
    assert bench.device.state == DISABLED
    bench.device.raw = {Command.POLL: [nak] * TRIES}
    assert bench.gone().fault is Fault.GARBLED


def test_a_late_answer_is_not_taken_for_another_one() -> None:
    bench = stacking(Bench().ready())
    bench.device.send(encode(Frame(wire.VALIDATOR, IDLING)))
    bench.line.wait_until(bench.line.now_ms + 1)
    assert bench.says("17") == []


def test_a_poll_that_is_only_acknowledged_was_not_answered() -> None:
    ack = encode(Frame(wire.VALIDATOR, wire.ACK))
    bench = stacking(Bench().ready())
    bench.device.raw[Command.POLL] = [ack]
    assert bench.says("81 05") == [NoteStacked("bill", 1, yuan(50))]
    bench.device.raw[Command.POLL] = [ack] * TRIES
    assert bench.gone().fault is Fault.GARBLED


def test_a_note_in_the_path_of_an_unknown_device_has_no_value() -> None:
    bench = Bench()
    bench.device.state = bytes.fromhex("80 05")
    bench.driver.begin(bench.line)
    assert bench.turns() == [NoteEscrowed("bill", 1, None)]
