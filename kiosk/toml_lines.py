"""Every key and every element of a TOML file has a line; its path leads there."""

import re
import tomllib
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

# A text that tomllib has accepted consists of these and of nothing else.
_TOKEN = re.compile(
    r'''
      (?P<text>    """ (?: [^\\] | \\. )*? """ "{0,2}  |  \'\'\' .*? \'\'\' \'{0,2}
                |  "   (?: [^"\\] | \\. )* "           |  '   [^']*     ' )
    | (?P<mark>    [\[\]{},=.\n] )
    | (?P<gap>     [ \t\r]+ | \#[^\n]* )
    | (?P<bare>    [^\s\[\]{},=."'\#]+ )
    ''',
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def find(text: str) -> dict[KeyPath, int]:
    """Map the paths of all sections, keys and array elements to their lines; the text is known to be TOML."""
    return _Scanner(text).found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, int] = {}
        self._latest: dict[KeyPath, int] = {}  # [[array]] → the index of its element that is being written
        self._tokens = list(_tokens(text))
        self._next = 0
        section: KeyPath = ()
        while self._skip("\n").kind != "end":
            if self._is("["):
                section = self._header()
            else:
                self._pair(section)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _is(self, *marks: str) -> bool:
        token = self._peek()
        return token.kind == "mark" and token.text in marks

    def _skip(self, *marks: str) -> _Token:
        while self._is(*marks):
            self._take()
        return self._peek()

    def _keys(self) -> list[_Token]:
        """Take `a."b c".d` up to the mark behind it."""
        keys: list[_Token] = []
        while not self._is("=", "]"):
            token = self._take()
            if token.kind == "text":
                token = token._replace(text=tomllib.loads(f"key = {token.text}")["key"])
            if token.kind != "mark":
                keys.append(token)
        return keys

    def _enter(self, section: KeyPath, keys: list[_Token]) -> KeyPath:
        """Walk down from a section, always into the element of an array that is being written."""
        path = section
        for key in keys:
            path = (*path, key.text)
            self.found.setdefault(path, key.line)
            if path in self._latest:
                path = (*path, self._latest[path])
        return path

    def _header(self) -> KeyPath:
        self._take()
        is_array = self._is("[")
        self._skip("[")
        keys = self._keys()
        self._skip("]")
        if not is_array:
            return self._enter((), keys)
        array = (*self._enter((), keys[:-1]), keys[-1].text)
        self.found.setdefault(array, keys[-1].line)
        self._latest[array] = self._latest.get(array, -1) + 1
        element = (*array, self._latest[array])
        self.found[element] = keys[-1].line
        return element

    def _pair(self, section: KeyPath) -> None:
        path = self._enter(section, self._keys())
        self._take()  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._is("["):
            self._take()
            index = 0
            self._skip("\n")
            while not self._is("]"):
                self.found[*path, index] = self._peek().line
                self._value((*path, index))
                index += 1
                self._skip(",", "\n")
            self._take()
        elif self._is("{"):
            self._take()
            self._skip("\n")
            while not self._is("}"):
                self._pair(path)
                self._skip(",", "\n")
            self._take()
        else:
            while not self._is(",", "]", "}", "\n") and self._peek().kind != "end":
                self._take()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup not in (None, "gap"):
            tokens.append(_Token(match.lastgroup, match[0], line))
        line += match[0].count("\n")
    tokens.append(_Token("end", "", line))
    return tokens
