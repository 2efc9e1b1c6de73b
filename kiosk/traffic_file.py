"""What goes over the lines of the devices, byte by byte and in plain words, for a technician to read."""

import threading
from pathlib import Path
from typing import TextIO

from devices.link import Link, LoggedLink, Traffic
from devices.registry import PROTOCOLS
from kiosk.errors import UsageError


class TrafficFile:
    """One file for all devices; each of them has a thread of its own."""

    def __init__(self, path: Path) -> None:
        try:
            self._file: TextIO = path.open("x", encoding="utf-8")
        except OSError as error:
            problem = f"{path} cannot be written: {error.strerror}"
            raise UsageError(problem, "name a file that is not there yet, in a folder that is") from error
        self._writing = threading.Lock()

    def overhear(self, name: str, protocol: str, link: Link) -> Link:
        """The same line, with everything that goes over it written down."""
        words = PROTOCOLS[protocol].words()

        def write(traffic: Traffic) -> None:
            told = words.hear(traffic.sent, traffic.data)
            before = "".join(f"{name} {said.text}\n" for said in told if said.from_host != traffic.sent)
            meant = "; ".join(said.text for said in told if said.from_host == traffic.sent)
            with self._writing:
                self._file.write(f"{before}{name} {traffic}{f'  {meant}' if meant else ''}\n")

        return LoggedLink(link, write)

    def close(self) -> None:
        """Write the rest."""
        self._file.close()
