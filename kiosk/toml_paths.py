"""A path in the configuration is looked at where it leads: a folder, a secret, a file that may be replaced."""

import re
import shlex
import stat
from pathlib import Path

from kiosk.toml_values import Fault, Reader, Surroundings, WrongError, quoted

PATH_MAX = 1024  # characters
SECRET_MAX = 1024  # bytes that are looked at; a secret file has 65


def _path(value: object, around: Surroundings) -> Path:
    return around.file.absolute().parent / quoted(value, PATH_MAX)


def _folder(value: object, around: Surroundings) -> Path:
    """A folder, or one that can be made in the folder above it."""
    path = _path(value, around)
    mode = _mode(path)
    if mode is not None and not stat.S_ISDIR(mode):
        raise WrongError(Fault(f"{path} is not a folder", "name another folder, or move that file away"))
    if mode is None and _mode(path.parent) is None:
        remedy = f"mkdir -p {shlex.quote(str(path.parent))}, mount the disk that holds it, or name another folder"
        raise WrongError(Fault(f"there is no folder {path.parent} to make {path.name} in", remedy))
    return path


def secret_file(digits: int) -> Reader:
    """A secret of so many hexadecimal digits, if it is there; whether it has to be, the configuration decides."""

    def read(value: object, around: Surroundings) -> Path:
        path = _path(value, around)
        mode = _mode(path)
        if mode is None:
            return path
        if not stat.S_ISREG(mode):
            raise WrongError(Fault(f"{path} is not a file", "name the secret file itself"))
        faults: list[Fault] = []
        if mode & 0o077:
            remedy = f"chmod 600 {shlex.quote(str(path))}"
            faults.append(Fault(f"{path} is open to others (mode {stat.S_IMODE(mode):04o})", remedy))
        if not re.fullmatch(rb"[0-9a-fA-F]{%d}\s*" % digits, _content(path)):
            problem = f"{path} does not hold {digits // 2} bytes as {digits} hexadecimal characters"
            faults.append(Fault(problem, "put its saved copy back"))
        if faults:
            raise WrongError(*faults)
        return path

    return Reader("the path of the secret file, in quotes", read)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SECRET_MAX)
    except OSError as error:
        raise WrongError(Fault(f"{path} cannot be read: {error.strerror}", "let this account read it")) from error


def _replaceable_file(value: object, around: Surroundings) -> Path:
    path = _path(value, around)
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        raise WrongError(Fault(f"{path} is not a file", "name a file, which need not be there yet"))
    return path


def _mode(path: Path) -> int | None:
    """What is there, and who may use it; None if nothing is."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WrongError(Fault(f"{path} cannot be used: {error.strerror}", "name another path")) from error


FOLDER = Reader("the path of a folder, in quotes", _folder)
MACHINE_KEY_FILE = secret_file(64)
DEVICE_KEY_FILE = secret_file(16)
REPLACEABLE_FILE = Reader("the path of a file, in quotes", _replaceable_file)
