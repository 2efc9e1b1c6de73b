"""A simulated peripheral on a real line: a pty whose name stays the same, plugged in and out like a cable."""

import asyncio
import contextlib
import hashlib
import os
import socket
import tty
from collections.abc import Callable
from pathlib import Path
from random import Random

from devices.bench.line_faults import LineFaults, carried
from devices.simulator import Simulator

CHUNK_BYTES = 4096
PTYS = Path("/dev/pts")


class PortInUse(Exception):  # noqa: N818 - a state that the name is in
    """Something else has the name; it is not replaced."""


class Plug:
    """One peripheral and its line, in the time of an event loop."""

    def __init__(
        self,
        simulator: Simulator,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        watch: Callable[[bool, bytes], None] = lambda _from_host, _data: None,
    ) -> None:
        self.simulator = simulator
        self.path = path
        self.faults = LineFaults()
        self._random = Random()  # noqa: S311 - a bad line is no secret
        self._loop = loop
        self._watch = watch
        self._ours = -1
        self._theirs = -1  # kept open, so that a host that comes and goes is no hang-up
        self._claim: socket.socket | None = None  # on the name, for as long as this process lives
        self._timer: asyncio.TimerHandle | None = None
        self._clear_at_s = 0.0  # when the last delayed answer is out: none overtakes another

    @property
    def plugged(self) -> bool:
        """Is there a line?"""
        return self._ours >= 0

    def now_ms(self) -> int:
        """The peripheral's time."""
        return int(self._loop.time() * 1000)

    def plug_in(self) -> None:
        """Offer the line under its name, or raise PortInUse if that is something else's."""
        if self.plugged:
            return
        if os.path.lexists(self.path) and not _is_of_a_bench(self.path):
            raise PortInUse
        self._claim = self._claim or _claimed(self.path)
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.path.symlink_to(os.ttyname(self._theirs))
        self._loop.add_reader(self._ours, self._arrived)
        self.live()

    def unplug(self) -> None:
        """Pull the cable: whoever has the line open notices."""
        if not self.plugged:
            return
        self._loop.remove_reader(self._ours)
        self.path.unlink(missing_ok=True)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def close(self) -> None:
        """Unplug it, and let its time stand still."""
        self.unplug()
        if self._timer is not None:
            self._timer.cancel()
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def live(self) -> None:
        """Let time pass for the peripheral, send what it has to say, and be here when something happens in it."""
        self.simulator.pass_time(self.now_ms())
        sent = self.simulator.take_sent()
        if sent and self.plugged:
            self._watch(False, sent)  # noqa: FBT003 - the direction, by place
            self._carry(carried(sent, self.faults, self._random))
        if self._timer is not None:
            self._timer.cancel()
        next_ms = self.simulator.next_ms()
        if next_ms is not None:
            self._timer = self._loop.call_at(next_ms / 1000 + 0.001, self.live)

    def _carry(self, data: bytes) -> None:
        """Send it now, or when the line is that slow."""
        now_s = self._loop.time()
        self._clear_at_s = max(self._clear_at_s, now_s + self.faults.delayed_ms / 1000)
        if self._clear_at_s <= now_s:
            self._send(data, self._ours)
        elif data:
            self._loop.call_at(self._clear_at_s, self._send, data, self._ours)

    def _send(self, data: bytes, line: int) -> None:
        if data and line == self._ours:  # a cable that was pulled meanwhile carries nothing
            with contextlib.suppress(BlockingIOError):  # nobody reads: a real line loses it as well
                os.write(line, data)

    def _arrived(self) -> None:
        try:
            data = os.read(self._ours, CHUNK_BYTES)
        except (BlockingIOError, OSError):
            return
        if data:
            self._watch(True, data)  # noqa: FBT003 - as above
            self.simulator.receive(data, self.now_ms())
            self.live()


def _claimed(path: Path) -> socket.socket:
    """Nobody else has that name while this socket lives, and none is left behind by whoever dies."""
    claim = socket.socket(socket.AF_UNIX)
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()
    try:
        claim.bind(f"\0kiosk bench {name}")
    except OSError as error:
        claim.close()
        raise PortInUse from error
    return claim


def _is_of_a_bench(path: Path) -> bool:
    """A link to a pty; where no bench lives that has the name, it was left behind by one that died."""
    return path.is_symlink() and path.readlink().parent == PTYS
