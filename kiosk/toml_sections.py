"""A TOML file is read section by section; every mistake is kept with its line, and told at the end all at once."""

import re
import stat
import tomllib
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar, cast, get_args

from msgspec import UNSET, Struct
from msgspec.structs import FieldInfo, fields

from kiosk import toml_lines
from kiosk.counted import counted
from kiosk.errors import UsageError
from kiosk.toml_values import Fault, Reader, Surroundings, WrongError, shown

FILE_MAX = 1 << 20  # bytes; a configuration has a few thousand

S = TypeVar("S", bound=Struct)


class Mistake(Struct, frozen=True):
    """One thing to correct: the path of its key, its line where it has one, what is wrong, what to do."""

    path: str
    line: int | None
    problem: str
    remedy: str


class ConfigError(UsageError):
    """The file cannot be used until these mistakes are corrected; they come in the order of the file."""

    def __init__(self, file: Path, mistakes: list[Mistake]) -> None:
        super().__init__(f"{file} has {counted(len(mistakes), 'mistake')}", "correct them and run kiosk check again")
        self.file = file
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "\n".join(
            f"kiosk: {':'.join(map(str, filter(None, (self.file, m.line, m.path))))}: {m.problem}\n  remedy: {m.remedy}"
            for m in self.mistakes
        )


class TomlFile:
    """One file while it is being read."""

    def __init__(self, path: Path, text: str, tree: dict[str, object]) -> None:
        self.currency: str | None = None  # known once its section was read; amounts need it
        self._path = path
        self._tree = tree
        self._lines = toml_lines.find(text)
        self._sections: dict[str, tuple[type[Struct], dict[str, object] | None]] = {}
        self._groups: set[str] = set()  # of sections that the person names
        self._wrong: set[str] = set()
        self._mistakes: list[Mistake] = []

    @classmethod
    def open(cls, path: Path) -> "TomlFile":
        """Read the whole file; what is no TOML ends here."""
        text = _text(path)
        try:
            tree = tomllib.loads(text, parse_float=Decimal)
            return cls(path, text, tree)
        except RecursionError as error:
            mistake = Mistake("", None, "its lists are nested too deep", "no key wants a list within a list")
            raise ConfigError(path, [mistake]) from error
        except ValueError as error:
            raise ConfigError(path, [_syntax_mistake(error, text)]) from error

    def section(self, name: str, struct: type[S]) -> S:
        """Read one section. Fields that are wrong stay unset: nobody uses the struct before `close` has returned."""
        return self._section(name, struct, self._tree.get(name, {}))

    def sections(self, group: str, struct: type[S], names: Reader) -> dict[str, S]:
        """Read all sections of a group, such as [devices.bill]; the names are the person's own."""
        self._groups.add(group)
        tables = self._tree.get(group, {})
        if not isinstance(tables, dict):
            self._report((group,), "this is no section", f"write [{group}.NAME], and its keys below it")
            return {}
        found: dict[str, S] = {}
        for name, table in cast("dict[str, object]", tables).items():
            try:
                names.read(name, self._around)
            except WrongError as wrong:
                for fault in wrong.faults:
                    self._report((group, name), fault.problem, names.remedy(self._around))
            else:
                found[name] = self._section(f"{group}.{name}", struct, table)
        return found

    def _section(self, name: str, struct: type[S], table: object) -> S:
        if isinstance(table, dict):
            self._sections[name] = (struct, cast("dict[str, object]", table))
        else:
            self._sections[name] = (struct, None)
            self._report(_path(name), "this is no section", f"write [{name}] once, and its keys below it")
        values: dict[str, object] = {}
        for field in fields(struct):
            values[field.name] = self._value(name, field)
        return struct(**values)

    def _value(self, section: str, field: FieldInfo) -> object:
        table = self._sections[section][1]
        path = f"{section}.{field.name}"
        if table is not None and field.name in table:
            reader = _reader(field)
            try:
                return reader.read(table[field.name], self._around)
            except WrongError as wrong:
                self._wrong.add(path)
                for fault in wrong.faults:
                    self.fault(path, fault)
        elif field.required:
            self._wrong.add(path)  # it is reported at the end: a misspelt key is one mistake, not two
        else:
            return field.default
        return UNSET

    @property
    def _around(self) -> Surroundings:
        return Surroundings(self._path, self.currency)

    def fault(self, path: str, fault: Fault) -> None:
        """Keep what is wrong with "section.key"."""
        section, _, key = path.rpartition(".")
        where = _path(path) if fault.index is None else (*_path(path), fault.index)
        struct, _ = self._sections[section]
        reader = next(_reader(field) for field in fields(struct) if field.name == key)
        self._report(where, fault.problem, fault.remedy or reader.remedy(self._around))

    def is_right(self, *paths: str) -> bool:
        """Tell whether these keys have values that can be used."""
        return self._wrong.isdisjoint(paths)

    def close(self) -> None:
        """Name what is unknown and what is missing, and raise ConfigError if there was any mistake at all."""
        close_to = self._unknown((), self._tree, [*(name for name in self._sections if "." not in name), *self._groups])
        for name, (struct, table) in self._sections.items():
            required = [field for field in fields(struct) if field.required]
            if "." not in name and name not in self._tree:
                if required and name not in close_to:
                    keys = ", ".join(field.name for field in required)
                    self._report((name,), "the section is missing", f"write [{name}] and below it {keys}")
            elif table is not None:
                misspelt = self._unknown(_path(name), table, [field.name for field in fields(struct)])
                for field in required:
                    if field.name not in table and field.name not in misspelt:
                        where = (*_path(name), field.name)
                        self._report(where, "the key is missing", _reader(field).remedy(self._around))
        if self._mistakes:
            raise ConfigError(self._path, sorted(self._mistakes, key=lambda mistake: mistake.line or FILE_MAX))

    def _unknown(self, path: tuple[str, ...], table: dict[str, object], known: list[str]) -> set[str]:
        """Report the keys that nobody reads; return the absent ones that they were probably meant to be."""
        absent = [key for key in known if key not in table]
        meant: set[str] = set()
        for key in table:
            if key in known:
                continue
            homes = [name for name, (struct, _) in self._sections.items() if key in struct.__struct_fields__]
            close = get_close_matches(key, absent, n=1)
            if homes:
                remedy = f"it belongs under [{homes[0]}]"
            elif close:
                remedy = f'did you mean "{close[0]}"?'
                meant.add(close[0])
            else:
                remedy = f"remove it; known here are {', '.join(known)}"
            self._report((*path, key), "nothing of this name is known here", remedy)
        return meant

    def _report(self, path: toml_lines.KeyPath, problem: str, remedy: str) -> None:
        places = (path[:length] for length in range(len(path), 0, -1))  # where a key is missing, its section's line
        line = next((self._lines[place] for place in places if place in self._lines), None)
        self._mistakes.append(Mistake(_written(path), line, problem, remedy))


def _path(name: str) -> tuple[str, ...]:
    """The path of "section", of "section.key", or of either within a group: no name of ours has a dot in it."""
    return tuple(name.split("."))


def _reader(field: FieldInfo) -> Reader:
    return next(part for part in get_args(field.type) if isinstance(part, Reader))


def _written(path: toml_lines.KeyPath) -> str:
    """Write a path as in `cash.accept[2]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else shown(part))
    return text


def _text(path: Path) -> str:
    try:
        _check_file(path)  # before it is opened: to open a pipe is to wait for its writer
        with path.open("rb") as file:
            content = file.read(FILE_MAX + 1)
    except OSError as error:
        remedy = "name the configuration with --config FILE, and let this account read it"
        raise ConfigError(path, [Mistake("", None, f"it cannot be read: {error.strerror}", remedy)]) from error
    if len(content) > FILE_MAX:
        raise ConfigError(
            path, [Mistake("", None, "it is larger than 1 MiB", "name the configuration, not some other file")]
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, [Mistake("", line, "these bytes are not UTF-8", "save the file as UTF-8")]) from error


def _check_file(path: Path) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise ConfigError(path, [Mistake("", None, f"this is {what}, not a file", "name the configuration itself")])


_SYNTAX_REMEDIES = {
    "Invalid value": "write text in quotes, numbers bare, true and false in small letters",
    "Cannot": "a key or section stands once: remove the second one",
    "Expected newline": "put text in quotes, and nothing behind the value",
    "Expected '='": "write key = value; sections stand in brackets",
    "Illegal character '\\n'": "close the quotation mark",
    'Expected "\'"': "close the quotation mark that was opened here or above",
    "Unterminated": "close the quotation mark that was opened here or above",
    "Unescaped": "write the backslash twice, or the text in single quotes",
    "Exceeds the limit": "write a shorter number",
}


def _syntax_mistake(error: ValueError, text: str) -> Mistake:
    message = str(error)
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = None if place is None else int(place[1] or text.rstrip().count("\n") + 1)
    remedies = (remedy for start, remedy in _SYNTAX_REMEDIES.items() if message.startswith(start))
    return Mistake(
        "",
        line,
        f"this is not TOML: {message[: place.start()] if place else message}",
        next(remedies, "compare the line with deploy/kiosk.example.toml"),
    )
