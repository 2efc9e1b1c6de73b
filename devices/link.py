"""A line to a device: bytes out, bytes in until a deadline, and one exception for a line that is gone.

A link belongs to the thread that opened it. Which protocol runs over it is not known here.
"""

import contextlib
import errno
import os
import select
import socket
import termios
import threading
import time
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Literal, Protocol

import serial
from msgspec import Struct

from kiosk.ports.fault import Fault

CHUNK_BYTES = 4096  # read at most at a time; a frame has 255 at most
WRITE_TIMEOUT_S = 1.0  # a line that takes no bytes for that long is gone
CONNECT_TIMEOUT_S = 1.0
TCP = "tcp://"
NOWHERE = "\0"  # a name that nothing has
PORT_MAX = 65535

WHY_NOT_OPEN = {
    errno.EAGAIN: Fault.PORT_TAKEN,  # another program holds the lock
    errno.EBUSY: Fault.PORT_TAKEN,
    errno.EACCES: Fault.PORT_FORBIDDEN,
    errno.EPERM: Fault.PORT_FORBIDDEN,
}


class LinkLost(Exception):  # noqa: N818 - a state that the line is in
    """The line is not there, or not there any more."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault, detail)
        self.fault = fault
        self.detail = detail


class LineSettings(Struct, frozen=True):
    """Speed and shape of a byte on a serial line."""

    baud: int = 9600
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E"] = "N"
    stop_bits: Literal[1, 2] = 1

    def __str__(self) -> str:
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


class Link(Protocol):
    """What a driver sees of its line."""

    def write(self, data: bytes) -> None:
        """Send all of it, or raise LinkLost."""
        ...

    def read(self, within_s: float) -> bytes:
        """Wait for bytes and return what is there; nothing when the time is up."""
        ...

    def close(self) -> None:
        """Let the line go."""
        ...


class NoLink:
    """No line at all: whoever uses it hears that."""

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        raise LinkLost(Fault.UNPLUGGED, f"{len(data)} bytes were not sent")

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        raise LinkLost(Fault.UNPLUGGED, f"nothing was waited for, for {within_s} s")

    def close(self) -> None:
        """As promised by Link."""


class SerialLink:
    """A serial port, or the pty of a simulator."""

    def __init__(self, path: str, settings: LineSettings) -> None:
        try:
            pty = os.path.realpath(path).startswith("/dev/pts/")  # it has no parity, and fails when asked for it twice
            self._port = serial.Serial(
                path,
                settings.baud,
                8 if pty else settings.data_bits,
                "N" if pty else settings.parity,
                settings.stop_bits,
                timeout=0,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
            if settings.parity != "N" and not pty:
                check_parity(self._port.fileno())
        except (OSError, ValueError, termios.error) as error:
            number = error.errno if isinstance(error, OSError) else None
            otherwise = Fault.NOT_SERIAL if Path(path or NOWHERE).exists() else Fault.PORT_MISSING
            raise LinkLost(WHY_NOT_OPEN.get(number or 0, otherwise), str(error)) from error

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        try:
            self._port.write(data)
        except (OSError, termios.error) as error:
            raise LinkLost(Fault.UNPLUGGED, str(error)) from error

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        if not self._port.is_open:
            raise LinkLost(Fault.UNPLUGGED, "it was closed here")
        return _read(self._port.fileno(), within_s)

    def close(self) -> None:
        """As promised by Link."""
        with contextlib.suppress(OSError, termios.error):
            self._port.close()


def check_parity(handle: int) -> None:
    """Let a byte that came to harm be read as zero, which is no word of any protocol; pyserial leaves it as it came."""
    attributes = termios.tcgetattr(handle)
    attributes[0] = (attributes[0] | termios.INPCK) & ~(termios.IGNPAR | termios.PARMRK)
    termios.tcsetattr(handle, termios.TCSANOW, attributes)


class TcpLink:
    """A serial line that a converter offers on the network."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
        except (OSError, ValueError) as error:  # ValueError: a name that no server could have
            raise LinkLost(Fault.PORT_MISSING, f"{host}, port {port}: {error}") from error
        self._socket.settimeout(WRITE_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LinkLost(Fault.UNPLUGGED, str(error)) from error

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        return _read(self._socket.fileno(), within_s)

    def close(self) -> None:
        """As promised by Link."""
        self._socket.close()


class MemoryLink:
    """One end of a line within this process."""

    def __init__(
        self, arrived: bytearray, departed: bytearray, line: threading.Condition, cut: threading.Event
    ) -> None:
        self._arrived = arrived
        self._departed = departed
        self._line = line
        self._cut = cut

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        with self._line:
            if self._cut.is_set():
                raise LinkLost(Fault.UNPLUGGED)
            self._departed += data
            self._line.notify_all()

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        with self._line:
            self._line.wait_for(lambda: self._arrived or self._cut.is_set(), within_s)
            if not self._arrived and self._cut.is_set():
                raise LinkLost(Fault.UNPLUGGED)
            data = bytes(self._arrived)
            self._arrived.clear()
            return data

    def close(self) -> None:
        """Cut the line: both ends notice."""
        with self._line:
            self._cut.set()
            self._line.notify_all()


def memory_pair() -> tuple[MemoryLink, MemoryLink]:
    """The two ends of one line."""
    there, back, line, cut = bytearray(), bytearray(), threading.Condition(), threading.Event()
    return MemoryLink(back, there, line, cut), MemoryLink(there, back, line, cut)


def open_link(port: str, settings: LineSettings) -> Link:
    """Open "/dev/ttyUSB0", or "tcp://host:port"."""
    if port.startswith(TCP):
        return TcpLink(*_tcp_address(port))
    return SerialLink(port, settings)


def _tcp_address(port: str) -> tuple[str, int]:
    """Host and number; the host may be "[::1]"."""
    host, _, number = port.removeprefix(TCP).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (number.isascii() and number.isdecimal() and 0 < int(number) <= PORT_MAX):
        raise LinkLost(Fault.PORT_MISSING, f"{port!r} is no address: write it like {TCP}192.168.1.20:4001")
    return host, int(number)


def _read(handle: int, within_s: float) -> bytes:
    """A line that can be read and has no bytes was hung up."""
    try:
        line = select.poll()  # unlike select, it takes handles of any number
        line.register(handle, select.POLLIN)
        ready = line.poll(max(ceil(within_s * 1000), 0))
        data = os.read(handle, CHUNK_BYTES) if ready else b""
    except BlockingIOError:  # it could be read a moment ago
        return b""
    except (OSError, ValueError) as error:  # the handle of a closed one is -1
        raise LinkLost(Fault.UNPLUGGED, str(error)) from error
    if ready and not data:
        raise LinkLost(Fault.UNPLUGGED, os.strerror(errno.EIO))
    return data


# The traffic log -----------------------------------------------------------------------------------------------------


class Traffic(Struct, frozen=True):
    """Bytes that went over the line."""

    at_s: float  # since 1970
    sent: bool
    data: bytes

    def __str__(self) -> str:
        seconds, thousandths = divmod(round(self.at_s * 1000), 1000)
        moment = time.strftime("%H:%M:%S", time.localtime(seconds))
        return f"{moment}.{thousandths:03d} {'→' if self.sent else '←'} {self.data.hex(' ').upper()}"


class LoggedLink:
    """A link whose traffic somebody reads along."""

    def __init__(self, link: Link, log: Callable[[Traffic], None], clock: Callable[[], float] = time.time) -> None:
        self._link = link
        self._log = log
        self._clock = clock

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        self._link.write(data)
        self._log(Traffic(self._clock(), sent=True, data=data))

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        data = self._link.read(within_s)
        if data:
            self._log(Traffic(self._clock(), sent=False, data=data))
        return data

    def close(self) -> None:
        """As promised by Link."""
        self._link.close()
