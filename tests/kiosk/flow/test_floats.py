"""No float comes near money: none is written, asked for, made by a division, or read out of somebody's JSON.

A line that speaks of seconds or of a clock is about time; everywhere else a float is one too many.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WHERE_MONEY_IS = (
    "kiosk/amount.py",
    "kiosk/offers.py",
    "kiosk/money",
    "kiosk/flow",
    "kiosk/ports",
    "kiosk/payments",
    "kiosk/receipts",
    "carriers",
)
READERS = {("json", "load"), ("json", "loads"), ("tomllib", "load"), ("tomllib", "loads")}
PATHS = re.compile(r"(path|folder|directory|root|parent|home|file|_name|^data)$", re.IGNORECASE)  # `/` joins these
TIME = re.compile(r"\b\w*(seconds|clock)\b")
WHOLE_NUMBERS = {"comb", "factorial", "gcd", "isqrt", "lcm", "perm", "prod"}  # the part of math that stays exact


def files() -> Iterator[Path]:
    """Every module that money passes through, as far as there is one."""
    for name in WHERE_MONEY_IS:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.exists()


def floats_in(source: str) -> list[str]:
    """Every place where a float is or may come from, as `line: what`."""
    lines = source.splitlines()
    found = [(node, what) for node in ast.walk(ast.parse(source)) if (what := _float_at(node))]
    return [
        f"{line}: {what}" for node, what in found if not TIME.search(lines[(line := getattr(node, "lineno", 1)) - 1])
    ]


def _float_at(node: ast.AST) -> str:
    return _written_float(node) or _made_float(node) or _read_float(node)


def _written_float(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=float() | complex() as value):
            return f"the float {value!r}"
        case ast.Constant(value=str(text)) if " " not in text and re.search(r"\bfloat\b", text):
            return f"the annotation {text!r}"
        case ast.Name(id="float") | ast.Attribute(attr="float"):
            return "float"
        case _:
            return ""


def _made_float(node: ast.AST) -> str:
    match node:
        case ast.BinOp(op=ast.Div()) if not (_is_path(node.left) or _is_path(node.right)):
            return f"the division {ast.unparse(node)}"
        case ast.AugAssign(op=ast.Div()) if not _is_path(node.target):
            return f"the division {ast.unparse(node)}"
        case ast.Import() if any(name.name == "math" for name in node.names):
            return "math reckons in floats"
        case ast.ImportFrom(module="math", names=names) if {name.name for name in names} - WHOLE_NUMBERS:
            return "math reckons in floats"
        case _:
            return ""


def _read_float(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and _reads_floats(node.func) and not _reads_decimals(node):
        return f"{ast.unparse(node.func)} without parse_float=Decimal"
    return ""


def _is_path(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(PATHS.search(name))
        case ast.Call(func=function):
            return bool(PATHS.search(ast.unparse(function)))
        case ast.BinOp(op=ast.Div()):
            return _is_path(node.left) or _is_path(node.right)
        case _:
            return False


def _reads_floats(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return (module, name) in READERS or name == "json"
        case ast.Attribute(attr="json"):
            return True
        case _:
            return False


def _reads_decimals(call: ast.Call) -> bool:
    return any(
        keyword.arg == "parse_float" and isinstance(keyword.value, ast.Name) and keyword.value.id == "Decimal"
        for keyword in call.keywords
    )


@pytest.mark.parametrize("path", list(files()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_float_where_money_is(path: Path) -> None:
    assert floats_in(path.read_text("utf-8")) == []


def test_the_core_of_the_money_is_among_the_files() -> None:
    names = {str(path.relative_to(ROOT)) for path in files()}
    assert {"kiosk/amount.py", "kiosk/money/ledger.py", "kiosk/flow/sale.py", "kiosk/ports/carrier.py"} <= names


@pytest.mark.parametrize("source", [
    "price = 49.85",
    "price = -1e3",
    "price = float(text)",
    "price = builtins.float(text)",
    "def pay(price: float) -> None: ...",
    "def pay(price: 'float') -> None: ...",
    "prices: list[float] = []",
    "rate: 'dict[str,float]' = {}",
    "isinstance(price, float)",
    "share = price / parts",
    "share = (price + fee) / 2",
    "price /= 2",
    "import math",
    "from math import ceil",
    "answer = json.loads(text)",
    "answer = json.load(file)",
    "answer = json.loads(text, parse_float=float)",
    "answer = json.loads(text, parse_float=str)",
    "offers = tomllib.loads(text)",
    "answer = response.json()",
    "answer = client.get(url).json()",
])  # fmt: skip
def test_the_walker_bites(source: str) -> None:
    assert floats_in(source) != []


@pytest.mark.parametrize("source", [
    "price = 4985",
    "price = '49.85'",
    "share = price // parts",
    "share, rest = divmod(price, parts)",
    "secret = folder / 'secret'",
    "secret = folder / name",
    "secret = Path(text) / name",
    "secret = '/etc' / name / other",
    "folder /= name",
    "answer = json.loads(text, parse_float=Decimal)",
    "offers = tomllib.load(file, parse_float=Decimal)",
    "answer = response.json(parse_float=Decimal)",
    "text = json.dumps(answer)",
    "msg = 'never a float near money'",
    "retry_seconds = 0.5",
    "clock: Callable[[], float] = time.monotonic",
    "from math import gcd, lcm",
    "copy = config.journal.data / heads.HEAD_NAME",
])  # fmt: skip
def test_and_lets_pass_what_is_none(source: str) -> None:
    assert floats_in(source) == []


def test_it_says_where() -> None:
    assert floats_in("price = 1\n\nshare = price / 2\n") == ["3: the division price / 2"]
