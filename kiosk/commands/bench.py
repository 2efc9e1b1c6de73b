"""`kiosk bench` is the machine without metal: each configured device simulated on its line, with a page to use it."""

import asyncio
import signal
import socket
from argparse import Namespace
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn

from devices.bench.api import Api
from devices.bench.machine import Machine, Place, RefusedError
from devices.link import TCP
from kiosk import config
from kiosk.commands import Subparsers
from kiosk.config import Config
from kiosk.counted import counted
from kiosk.device_settings import setting
from kiosk.errors import UsageError

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # by all of which its lines are taken away
HOST = "127.0.0.1"  # the bench is for this computer alone


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk bench --config FILE [--port N]`."""
    parser = subparsers.add_parser(
        "bench",
        description="Simulate every configured device on the line that the configuration names, and offer a page to"
        " insert cash, set faults, unplug and cut the power. Whoever opens those lines finds real devices there.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file of a bench terminal")
    parser.add_argument("--port", type=int, metavar="N", help="of the page, instead of the configured one; 0: any")


def run(args: Namespace) -> int:
    """Be the machine until somebody ends it."""
    found = config.read(args.config, key_required=False)
    _judge(found)
    port = found.bench.page_port if args.port is None else args.port
    with closing(_listen(port)) as listener:
        asyncio.run(_serve(found, listener))
    return 0


def _judge(found: Config) -> None:
    """What is simulated must never pass for the real thing, nor stand in its place."""
    if found.terminal.mode != "bench":
        problem = f'terminal {found.terminal.id} is of mode "{found.terminal.mode}", and takes real money'
        raise UsageError(problem, 'use the configuration of a terminal with mode = "bench"')
    if not found.devices:
        problem = "the configuration names no device"
        raise UsageError(problem, "write a section [devices.NAME] for each")
    for name, device in found.devices.items():
        if device.port.startswith(TCP):
            problem = f"devices.{name}.port is {device.port}, and the bench simulates serial ports alone"
            raise UsageError(problem, "write the path of a file that is not there, such as /tmp/kiosk-bench/bill")
    if found.terminal.currency != "CNY":
        problem = f"the simulated devices know yuan alone, and the terminal takes {found.terminal.currency}"
        raise UsageError(problem, 'use a configuration with currency = "CNY"')


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        problem = f"the page cannot be offered on port {port}: {why}"
        raise UsageError(problem, "end the other bench, or name another port with --port") from error


async def _serve(found: Config, listener: socket.socket) -> None:
    places = {
        name: Place(device.protocol, device.port, setting(name, device, found.terminal.currency).key)
        for name, device in found.devices.items()
    }
    machine = Machine(found.terminal.id, found.terminal.currency, places, asyncio.get_running_loop())
    server = _Server(uvicorn.Config(Api(machine).app(), log_level="warning", timeout_graceful_shutdown=1))
    with server.ended_by_signals(), closing(machine):  # from the first line on that it offers, it takes them away again
        try:
            machine.begin()
        except RefusedError as refused:
            raise UsageError(refused.problem, refused.remedy) from refused
        print(f"The simulated machine has {counted(len(places), 'device')}: {', '.join(places)}.")
        print(f"Open http://{HOST}:{listener.getsockname()[1]} to handle it; Ctrl-C ends it.", flush=True)
        await server.serve([listener])


class _Server(uvicorn.Server):
    """Ends quietly: uvicorn would raise the signal again when it is done."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    @contextmanager
    def ended_by_signals(self) -> Generator[None]:
        """Leave when asked to, whichever way."""
        loop = asyncio.get_running_loop()
        for number in ENDINGS:
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in ENDINGS:
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        self.should_exit = True
