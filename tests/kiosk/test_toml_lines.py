"""The line of a key is the line that an editor shows."""

import tomllib
from typing import cast

from hypothesis import given, reject
from hypothesis import strategies as st

from kiosk.toml_lines import KeyPath, find

FILE = '''\
# a comment with [brackets] and "quotes
plain = 1
"quo.ted".dotted = { x = [1, 2.5,
  3], y = """
not = [ a key
"quoted" """ , z."w" = 'a"]' }
[section.below]
when = 2024-01-01 10:00:00 # [not] = a header
[[array]]
n = 1
[[array.inner]]
empty = []
[[array.inner]]
lists = [
  [1], # a comment ]
  { r = \'\'\'
x\'\'\'\'\' },
]
[[array]]
[array.table]
last = "\\"]"
'''

LINES = {
    ("plain",): 2,
    ("quo.ted",): 3,
    ("quo.ted", "dotted"): 3,
    ("quo.ted", "dotted", "x"): 3,
    ("quo.ted", "dotted", "x", 0): 3,
    ("quo.ted", "dotted", "x", 1): 3,
    ("quo.ted", "dotted", "x", 2): 4,
    ("quo.ted", "dotted", "y"): 4,
    ("quo.ted", "dotted", "z"): 6,
    ("quo.ted", "dotted", "z", "w"): 6,
    ("section",): 7,
    ("section", "below"): 7,
    ("section", "below", "when"): 8,
    ("array",): 9,
    ("array", 0): 9,
    ("array", 0, "n"): 10,
    ("array", 0, "inner"): 11,
    ("array", 0, "inner", 0): 11,
    ("array", 0, "inner", 0, "empty"): 12,
    ("array", 0, "inner", 1): 13,
    ("array", 0, "inner", 1, "lists"): 14,
    ("array", 0, "inner", 1, "lists", 0): 15,
    ("array", 0, "inner", 1, "lists", 0, 0): 15,
    ("array", 0, "inner", 1, "lists", 1): 16,
    ("array", 0, "inner", 1, "lists", 1, "r"): 16,
    ("array", 1): 19,
    ("array", 1, "table"): 20,
    ("array", 1, "table", "last"): 21,
}


def test_each_path_of_a_tricky_file_has_its_line() -> None:
    assert find(FILE) == LINES


def paths(value: object, path: KeyPath = ()) -> set[KeyPath]:
    """All paths below a parsed value, itself included."""
    below: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        below = list(cast("dict[str | int, object]", value).items())
    elif isinstance(value, list):
        below = list(enumerate(cast("list[object]", value)))
    return {path}.union(*(paths(part, (*path, key)) for key, part in below))


SPACE = st.sampled_from(["", " ", "\t"])
BREAK = st.sampled_from(["", " ", "\n", " # ] } [x]\n", "\r\n"])
BARE_KEY = st.text("abcdefgh_-12", min_size=1, max_size=3)
QUOTED_KEY = st.builds(
    "{0}{1}{0}".format, st.sampled_from("\"'"), st.sampled_from(["", " ", ".", "]", "=", "a.b", "#"])
)
KEY = st.lists(BARE_KEY | QUOTED_KEY, min_size=1, max_size=3).map(" . ".join)
SCALAR = st.sampled_from(
    [
        *("1", "-1.5", "true", "0x1f", "inf", "2024-01-01", "1979-05-27T07:32:00Z", "2024-01-01 10:00:00", "07:32:00"),
        *('""', "''", '"]"', "'}'", '"\\""', "'\\'", '"#"', '"a, b"'),
        *("''''''", '"""\nx = [\n"" \\""""""', "'''a\n[b]\n''''", '"""\\\n   y"""'),
    ]
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A list over several lines, or an inline table on one."""
    element = st.builds("{}{}{}".format, BREAK, inner, BREAK)
    pair = st.builds("{}{}={} {}".format, SPACE, KEY, SPACE, inner)
    tail = st.sampled_from(["", ",", ",\n", "\n# ]\n"])
    lists = st.builds("[{}{}]".format, st.lists(element, max_size=3).map(",".join), tail).filter(lambda x: x[1] != ",")
    return lists | st.lists(pair, max_size=3).map(",".join).map("{{{}}}".format)


PAIR = st.builds("{}{}{}= {}{}\n".format, SPACE, KEY, SPACE, st.recursive(SCALAR, nested, max_leaves=5), SPACE)
SECTION = st.builds("{}[ {} ] # [x]\n".format, SPACE, KEY)
ARRAY = st.builds("[[{}]]\n".format, st.sampled_from(["x", "x.y", "x.y.z", "'x'.w"]))


@given(st.lists(PAIR | SECTION | ARRAY, max_size=7).map("".join))
def test_whatever_tomllib_reads_has_lines_for_all_its_paths(text: str) -> None:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        reject()  # a key written twice, mostly
    found = find(text)
    assert set(found) == paths(tree) - {()}
    assert all(1 <= line <= text.count("\n") for line in found.values())
