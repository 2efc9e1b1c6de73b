"""Lines as they really are: ptys, TCP on this machine, and the pair of ends in memory."""

import os
import select
import socket
import struct
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from devices import link as links
from devices.link import (
    LineSettings,
    Link,
    LinkLost,
    LoggedLink,
    MemoryLink,
    NoLink,
    SerialLink,
    TcpLink,
    Traffic,
    memory_pair,
    open_link,
)
from kiosk.ports.fault import Fault

LONG_S = 3600  # a test that waited so long would be ended by whoever runs it
NOBODY = 65534  # a user who may open nothing of ours
PLAIN = LineSettings()
EVEN = LineSettings(9600, 8, "E", 1)


class Pty:
    """The far end of a pty."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)

    def write(self, data: bytes) -> None:
        """Send it."""
        os.write(self._ours, data)

    def arrived(self) -> bool:
        """Is it there? Nobody has read it yet."""
        return bool(select.select([self._theirs], [], [], LONG_S)[0])

    def read(self) -> bytes:
        """Wait for bytes."""
        return os.read(self._ours, 4096)

    def close(self) -> None:
        """Pull the cable."""
        for handle in (self._ours, self._theirs):
            if handle >= 0:
                os.close(handle)
        self._ours = self._theirs = -1


class Converter:
    """The far end of a TCP connection."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = f"tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        self._line: socket.socket | None = None

    def line(self) -> socket.socket:
        """The connection that the near end has made."""
        if self._line is None:
            self._line = self._listening.accept()[0]
        return self._line

    def write(self, data: bytes) -> None:
        """Send it."""
        self.line().sendall(data)

    def read(self) -> bytes:
        """Wait for bytes."""
        return self.line().recv(4096)

    def close(self) -> None:
        """Hang up."""
        if self._listening.fileno() >= 0:
            self.line().close()
            self._listening.close()

    def break_off(self) -> None:
        """Close it as a converter does that lost its power and came back: with a reset."""
        self.line().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class Memory:
    """The far end of a line in memory."""

    def __init__(self) -> None:
        self.near, self._far = memory_pair()

    def write(self, data: bytes) -> None:
        """Send it."""
        self._far.write(data)

    def read(self) -> bytes:
        """Wait for bytes."""
        return self._far.read(LONG_S)

    def close(self) -> None:
        """Cut the line."""
        self._far.close()


class Ends(Struct):
    """Both ends of one line."""

    near: Link
    far: Pty | Converter | Memory


def open_pty() -> Ends:
    far = Pty()
    return Ends(open_link(far.port, PLAIN), far)


def open_tcp() -> Ends:
    far = Converter()
    return Ends(open_link(far.port, PLAIN), far)


def open_memory() -> Ends:
    far = Memory()
    return Ends(far.near, far)


@pytest.fixture(params=[open_pty, open_tcp, open_memory])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """One line of each kind."""
    opened: Ends = request.param()
    yield opened
    opened.near.close()
    opened.far.close()


def fault_of(action: Callable[[], object]) -> Fault:
    """The fault that an action ends in."""
    with pytest.raises(LinkLost) as lost:
        action()
    return lost.value.fault


# Bytes and deadlines -------------------------------------------------------------------------------------------------


def test_bytes_go_over_the_line_both_ways(ends: Ends) -> None:
    ends.near.write(bytes(range(256)))
    assert ends.far.read() == bytes(range(256))
    ends.far.write(b"\x02\x03\x00\xff\r\n")
    assert ends.near.read(LONG_S) == b"\x02\x03\x00\xff\r\n"


@pytest.mark.parametrize("within_s", [-1, 0, 0.001, 0.05])
def test_when_nothing_comes_a_read_ends_with_nothing(ends: Ends, within_s: float) -> None:
    assert ends.near.read(within_s) == b""


def test_what_is_there_is_read_at_once_and_no_more_is_waited_for(ends: Ends) -> None:
    ends.far.write(b"one")
    assert ends.near.read(LONG_S) == b"one"
    assert ends.near.read(0) == b""
    ends.far.write(b"two")
    assert ends.near.read(LONG_S) == b"two"


def test_a_read_that_waits_ends_with_the_first_bytes(ends: Ends) -> None:
    order: list[str] = []

    def far_end() -> None:
        order.append(f"far end heard {ends.far.read()!r}")
        ends.far.write(b"answer")

    thread = threading.Thread(target=far_end)
    thread.start()
    ends.near.write(b"question")
    answer = ends.near.read(LONG_S)
    order.append(f"near end heard {answer!r}")
    thread.join()
    assert order == ["far end heard b'question'", "near end heard b'answer'"]


# Unplugged -----------------------------------------------------------------------------------------------------------


def test_unplugged_is_seen_by_a_read(ends: Ends) -> None:
    ends.far.close()
    assert fault_of(lambda: ends.near.read(LONG_S)) is Fault.UNPLUGGED
    assert fault_of(lambda: ends.near.read(0)) is Fault.UNPLUGGED, "and it stays so"


def test_unplugged_is_seen_by_a_read_that_waits(ends: Ends) -> None:
    ends.near.write(b"question")

    def far_end() -> None:
        ends.far.read()
        ends.far.close()

    thread = threading.Thread(target=far_end)
    thread.start()
    assert fault_of(lambda: ends.near.read(LONG_S)) is Fault.UNPLUGGED
    thread.join()


def write_on(link: Link) -> None:
    """TCP says of the first bytes after a cut that they were sent."""
    for _ in range(100):
        link.write(b"\x02\x03\x06\x33\xda\x81")


def test_unplugged_is_seen_by_a_write(ends: Ends) -> None:
    ends.far.close()
    assert fault_of(lambda: write_on(ends.near)) is Fault.UNPLUGGED


def test_a_converter_that_breaks_off_is_seen_by_read_and_write() -> None:
    def read(link: Link) -> None:
        link.read(LONG_S)

    for use in (read, write_on):
        far = Converter()
        near = open_link(far.port, PLAIN)
        far.break_off()
        assert fault_of(lambda near=near, use=use: use(near)) is Fault.UNPLUGGED
        near.close()


def test_what_was_sent_before_the_line_was_cut_still_arrives() -> None:
    for opened in (open_tcp(), open_memory()):
        opened.far.write(b"last words")
        opened.far.close()
        assert opened.near.read(LONG_S) == b"last words"
        assert fault_of(lambda near=opened.near: near.read(LONG_S)) is Fault.UNPLUGGED
        opened.near.close()


def test_a_line_that_takes_no_bytes_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "WRITE_TIMEOUT_S", 0.05)
    for opened in (open_pty(), open_tcp()):
        assert fault_of(lambda near=opened.near: near.write(bytes(50_000_000))) is Fault.UNPLUGGED
        opened.near.close()
        opened.far.close()


def test_a_line_that_was_closed_here_is_lost(ends: Ends) -> None:
    ends.near.close()
    assert fault_of(lambda: ends.near.read(LONG_S)) is Fault.UNPLUGGED
    assert fault_of(lambda: ends.near.write(b"x")) is Fault.UNPLUGGED
    ends.near.close()


def test_without_a_line_everything_is_lost() -> None:
    assert fault_of(lambda: NoLink().read(0)) is Fault.UNPLUGGED
    assert fault_of(lambda: NoLink().write(b"x")) is Fault.UNPLUGGED
    NoLink().close()


# Not opened ----------------------------------------------------------------------------------------------------------


def test_a_port_that_does_not_exist_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LinkLost) as lost:
        open_link(str(tmp_path / "ttyUSB0"), PLAIN)
    assert lost.value.fault is Fault.PORT_MISSING
    assert "ttyUSB0" in lost.value.detail


@pytest.mark.parametrize("port", ["", "\0"])
def test_what_is_no_name_of_anything_is_missing(port: str) -> None:
    assert fault_of(lambda: open_link(port, PLAIN)) is Fault.PORT_MISSING


@pytest.mark.parametrize("port", ["/", "/dev/null", __file__])
def test_what_is_there_and_no_serial_port_is_called_that(port: str) -> None:
    assert fault_of(lambda: open_link(port, PLAIN)) is Fault.NOT_SERIAL


def test_a_port_that_may_not_be_opened_is_forbidden() -> None:
    far = Pty()
    Path(far.port).chmod(0)
    as_root = os.geteuid() == 0
    try:
        if as_root:  # root may open anything: for a moment we are somebody else
            os.seteuid(NOBODY)
        fault = fault_of(lambda: open_link(far.port, PLAIN))
    finally:
        if as_root:
            os.seteuid(0)
        far.close()
    assert fault is Fault.PORT_FORBIDDEN


HOLDS_THE_PORT = """
import sys
import serial
port = serial.Serial(sys.argv[1], exclusive=True)
print("mine", flush=True)
sys.stdin.read()
"""


def test_a_port_that_another_program_uses_is_taken() -> None:
    far = Pty()
    command = [sys.executable, "-c", HOLDS_THE_PORT, far.port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        fault = fault_of(lambda: open_link(far.port, PLAIN))
        other.communicate()
    assert fault is Fault.PORT_TAKEN
    open_link(far.port, PLAIN).close()
    far.close()


def test_our_own_port_is_taken_while_we_have_it() -> None:
    far = Pty()
    near = open_link(far.port, PLAIN)
    assert fault_of(lambda: open_link(far.port, PLAIN)) is Fault.PORT_TAKEN
    near.close()
    open_link(far.port, PLAIN).close()
    far.close()


def test_a_converter_that_nobody_offers_is_missing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(LinkLost) as lost:
        open_link(f"tcp://127.0.0.1:{number}", PLAIN)
    assert lost.value.fault is Fault.PORT_MISSING
    assert f"127.0.0.1, port {number}" in lost.value.detail


@pytest.mark.parametrize("port", [
    "tcp://", "tcp://host", "tcp://:4001", "tcp://host:", "tcp://host:abc", "tcp://host:0", "tcp://host:65536",
    "tcp://host:-1", "tcp://host:4001/", "tcp://host: 4001", "tcp://host:٤٠٠١", "tcp://[]:4001",
])  # fmt: skip
def test_a_bad_address_is_named(port: str) -> None:
    with pytest.raises(LinkLost) as lost:
        open_link(port, PLAIN)
    assert lost.value.fault is Fault.PORT_MISSING
    assert repr(port) in lost.value.detail
    assert "tcp://192.168.1.20:4001" in lost.value.detail, "and how it is written"


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "a\0b"])
def test_a_name_that_no_server_could_have_is_missing(host: str) -> None:
    assert fault_of(lambda: TcpLink(host, 4001)) is Fault.PORT_MISSING


def test_an_address_of_six_may_stand_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    for port in ("tcp://[::1]:4001", "tcp://moxa.local:4001"):
        assert fault_of(lambda port=port: open_link(port, PLAIN)) is Fault.PORT_MISSING
    assert called == [("::1", 4001), ("moxa.local", 4001)]


# Settings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("settings", "written"), [
    (LineSettings(9600, 8, "N", 1), "9600 8N1"),
    (LineSettings(9600, 8, "E", 1), "9600 8E1"),
    (LineSettings(9600, 7, "E", 1), "9600 7E1"),
    (LineSettings(9600, 8, "N", 2), "9600 8N2"),
    (LineSettings(19200, 8, "N", 1), "19200 8N1"),
])  # fmt: skip
def test_the_settings_are_asked_of_the_port(
    settings: LineSettings, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pty shows neither parity nor the size of a byte, so what is asked for is read where it is asked."""
    asked: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    checked: list[int] = []

    class Port:
        def __init__(self, *args: object, **named: object) -> None:
            asked.append((args, named))

        def fileno(self) -> int:
            return 7

    monkeypatch.setattr(links.serial, "Serial", Port)
    monkeypatch.setattr(links, "check_parity", checked.append)
    SerialLink("/dev/ttyS0", settings)
    assert checked == ([7] if settings.parity == "E" else [])
    baud, shape = written.split()
    bits, parity, stop = shape
    assert str(settings) == written
    assert asked == [
        (
            ("/dev/ttyS0", int(baud), int(bits), parity, int(stop)),
            {"timeout": 0, "write_timeout": links.WRITE_TIMEOUT_S, "exclusive": True},
        )
    ]


@pytest.mark.parametrize("settings", [EVEN, LineSettings(9600, 7, "E", 1), LineSettings(9600, 8, "N", 2)])
def test_a_pty_is_opened_again_and_again_whatever_its_settings(settings: LineSettings) -> None:
    far = Pty()
    for _ in range(3):
        near = open_link(far.port, settings)
        near.write(b"\xff\x80\x7f")
        assert far.read() == b"\xff\x80\x7f", "eight bits pass"
        near.close()
    far.close()


def test_a_pty_behind_a_stable_name_is_one_too(tmp_path: Path) -> None:
    far = Pty()
    name = tmp_path / "bill"
    name.symlink_to(far.port)
    for _ in range(2):
        open_link(str(name), EVEN).close()
    far.close()


def test_what_came_before_the_port_was_opened_is_not_read() -> None:
    far = Pty()
    open_link(far.port, PLAIN).close()
    far.write(b"stale")
    assert far.arrived()
    near = open_link(far.port, PLAIN)
    assert near.read(0) == b""
    near.close()
    far.close()


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    far, converter = Pty(), Converter()
    holder = open_link(far.port, PLAIN)
    other = Pty()
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - as many names as there are descriptors
    for _ in range(200):
        open_link(other.port, EVEN).close()
        for port in (far.port, str(tmp_path / "none"), "/dev/null", "tcp://127.0.0.1:1", "tcp://nonsense"):
            with pytest.raises(LinkLost):
                open_link(port, PLAIN)
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as server:
            open_link(f"tcp://127.0.0.1:{server.getsockname()[1]}", PLAIN).close()
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208 - as above
    holder.close()
    open_link(converter.port, PLAIN).close()
    for end in (far, other, converter):
        end.close()


# The traffic log -----------------------------------------------------------------------------------------------------


def test_traffic_is_written_as_time_direction_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    links.time.tzset()
    try:
        assert str(Traffic(45_296.789, sent=True, data=b"\x02\x03\x06\x33\xda\x81")) == (
            "12:34:56.789 → 02 03 06 33 DA 81"
        )
        assert str(Traffic(1_700_000_000.123, sent=False, data=b"\xff")) == "22:13:20.123 ← FF"
        assert str(Traffic(59.9996, sent=False, data=b"")) == "00:01:00.000 ← "
    finally:
        monkeypatch.undo()
        links.time.tzset()


def test_somebody_reads_along() -> None:
    log: list[Traffic] = []
    near, far = memory_pair()
    logged = LoggedLink(near, log.append, clock=iter((1.0, 2.0)).__next__)
    logged.write(b"question")
    assert far.read(0) == b"question"
    assert logged.read(0) == b"", "nothing came, and nothing is written down"
    far.write(b"answer")
    assert logged.read(0) == b"answer"
    assert log == [Traffic(1.0, sent=True, data=b"question"), Traffic(2.0, sent=False, data=b"answer")]
    logged.close()
    assert fault_of(lambda: far.read(0)) is Fault.UNPLUGGED


def test_what_could_not_be_sent_is_not_written_down() -> None:
    log: list[Traffic] = []
    with pytest.raises(LinkLost):
        LoggedLink(NoLink(), log.append).write(b"question")
    assert log == []


def test_both_ends_of_a_line_in_memory_notice_a_cut() -> None:
    for first in (0, 1):
        pair: tuple[MemoryLink, MemoryLink] = memory_pair()
        pair[first].close()
        for end in pair:
            assert fault_of(lambda end=end: end.read(LONG_S)) is Fault.UNPLUGGED
            assert fault_of(lambda end=end: end.write(b"x")) is Fault.UNPLUGGED


def test_a_byte_that_came_to_harm_is_read_as_zero() -> None:
    """So the line is told; that a real one then does it, no pty can show."""
    ours, theirs = os.openpty()
    links.check_parity(theirs)
    flags = termios.tcgetattr(theirs)[0]
    os.close(ours)
    os.close(theirs)
    assert flags & termios.INPCK
    assert not flags & (termios.IGNPAR | termios.PARMRK)
