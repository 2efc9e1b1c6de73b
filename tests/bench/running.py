"""A bench that runs as people start it: the command in a process of its own, asked over HTTP."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "deploy" / "bench.toml"
PATIENCE_S = 20


class Bench:
    """One that was started."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, config: Path) -> None:
        self.process = process
        self.address = address
        self.config = config

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """The status and what was said."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        request = urllib.request.Request(f"{self.address}/api{path}", data, headers, method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read()
            return error.code, json.loads(said) if said.startswith(b"{") else said.decode()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for that."""
        end_s = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end_s
            time.sleep(0.02)

    def device(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """How a device says it is."""
        status, said = self.ask("GET", f"/devices/{name}")
        assert status == 200, said
        return said["device"]


def write_config(folder: Path) -> Path:
    """The example with everything of it in this folder."""
    file = folder / "bench.toml"
    file.write_text(EXAMPLE.read_text().replace("/tmp/kiosk-bench", str(folder / "kiosk-bench")))  # noqa: S108 - as it is written there
    return file


@contextmanager
def bench(folder: Path) -> Generator[Bench]:
    """Start it on any port, and end it as Ctrl-C does."""
    config = write_config(folder)
    command = (sys.executable, "-m", "kiosk", "bench", "--config", str(config), "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline(), process.stdout.readline()]
            address = re.search(r"http://\S+", said[1])
            assert address, said
            yield Bench(process, address[0].rstrip("/"), config)
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=PATIENCE_S)
            assert (process.returncode, rest) == (0, "")
