"""A right file becomes typed values; a wrong one tells every mistake with its line, its key and its remedy."""

import re
import tomllib
from datetime import time
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from kiosk import config
from kiosk.amount import Money
from kiosk.money.database import FILE_NAME

EXAMPLE = Path(__file__).parents[2] / "deploy" / "kiosk.example.toml"
SECTIONS = {
    **{field.name: cast("type[config.Terminal]", field.type) for field in fields(config.Config)},
    "devices": config.Device,
}


def complete(example: str) -> str:
    """The example with its optional keys written out."""
    return re.sub(r"^# (?=[a-z_]+ = )", "", example, flags=re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A copy of the example, with the secret that it names."""
    (tmp_path / "machine.key").write_text("5a" * 32 + "\n")
    (tmp_path / "machine.key").chmod(0o600)
    copy = tmp_path / "kiosk.toml"
    copy.write_bytes(EXAMPLE.read_bytes())
    return copy


def change(file: Path, key: str, line: str) -> int:
    """Write another line in place of this key's; return its number."""
    lines = file.read_text().split("\n")
    number = next(n for n, old in enumerate(lines) if old.removeprefix("# ").startswith(f"{key} = "))
    lines[number] = line
    file.write_text("\n".join(lines))
    return number + 1


def mistakes(file: Path) -> list[config.Mistake]:
    with pytest.raises(config.ConfigError) as caught:
        config.read(file)
    return caught.value.mistakes


def the_mistake(file: Path) -> config.Mistake:
    found = mistakes(file)
    assert len(found) == 1, found
    return found[0]


def section_of(found: config.Config, name: str) -> object:
    """A section; of the devices, the one of the example."""
    return found.devices["bill"] if name == "devices" else getattr(found, name)


def test_example_becomes_typed_values(file: Path) -> None:
    found = config.read(file)
    assert found.terminal == config.Terminal(
        id="demo-0001",
        place="Entrance hall",
        mode="bench",
        currency="CNY",
        timezone=ZoneInfo("Asia/Shanghai"),
        cutoff=time(4, 0),
        languages=("zh-Hans", "zh-Hant", "en"),
    )
    assert found.journal == config.Journal(data=file.parent / "data", machine_key=file.parent / "machine.key")
    assert found.cash.limit == Money(100000, "CNY")
    assert found.cash.accept == tuple(Money(minor, "CNY") for minor in (100, 500, 1000, 2000, 5000, 10000))
    assert found.claims == config.Claims(expire_days=None, code_attempts_per_hour=10)


def test_example_names_every_key_and_no_other(file: Path) -> None:
    text = complete(EXAMPLE.read_text())
    tree = tomllib.loads(text)
    documented = {section: set(keys) for section, keys in {**tree, "devices": tree["devices"]["bill"]}.items()}
    assert documented == {name: {field.name for field in fields(struct)} for name, struct in SECTIONS.items()}
    file.write_text(re.sub(r"^key = .*\n", "", text, flags=re.MULTILINE))  # a key is for an encrypted device alone
    assert config.read(file).claims.expire_days == 365


def test_example_explains_every_key_and_shows_its_default(file: Path) -> None:
    lines = complete(EXAMPLE.read_text()).split("\n")
    found = config.read(file)
    for name, struct in SECTIONS.items():
        for field in fields(struct):
            number = next(n for n, line in enumerate(lines) if line.startswith(f"{field.name} = "))
            assert lines[number - 1].startswith("# "), f"nothing explains {field.name}"
            if not field.required:
                assert getattr(section_of(found, name), field.name) == field.default
                assert "Default: " in lines[number - 1], f"nothing names the default of {field.name}"


DEVICES = [
    # what stands in place of the example's device, the path, the problem, the remedy
    ("devices = 5", "devices", "this is no section", "write [devices.NAME]"),
    ("[devices]\nbill = 5", "devices.bill", "this is no section", "write [devices.bill] once"),
    (
        '[devices.Bill]\nprotocol = "ccnet"\nport = "/dev/x"',
        "devices.Bill",
        "is not 1 to 16 small letters",
        "write 1 to",
    ),
    (
        '[devices.bill]\nprotocol = "ccnet"\nport = "/dev/x"\nkey = "bill.key"',
        "devices.bill.key",
        "ccnet is not encrypted, and knows no key",
        'write protocol = "essp"',
    ),
    (
        '[devices.bill]\nprotocol = "essp"\nport = "/dev/x"\nkey = "bill.key"',
        "devices.bill.key",
        "there is no file",
        "16 hexadecimal digits as its supplier set them",
    ),
    (
        '[devices.bill]\nprotocol = "ict"\nport = "/dev/x"\nmodel = "ict99"',
        "devices.bill.model",
        'ict has no particular model "ict99"',
        'write one of "ict104", "ict106"',
    ),
    ('[devices.bill]\nport = "/dev/x"', "devices.bill.protocol", "the key is missing", 'write "ccnet"'),
    ('[devices.bill]\nprotocol = "ccnt"\nport = "/dev/x"', "devices.bill.protocol", "is not a choice", '"ccnet"'),
    (
        '[devices.bill]\nprotocol = "ccnet"\nport = "COM1"',
        "devices.bill.port",
        "is not a serial port",
        "tcp://host:port",
    ),
    (
        '[devices.bill]\nprotocol = "ccnet"\nprt = "/dev/x"',
        "devices.bill.prt",
        "nothing of this name",
        'did you mean "port"',
    ),
]
TWO_ON_ONE_PORT = """
[devices.bill]
protocol = "ccnet"
port = "/dev/x"
[devices.spare]
protocol = "ccnet"
port = "/dev/x"
"""


def with_devices(file: Path, written: str) -> None:
    """Write something else in place of the example's device."""
    text = file.read_text()
    head = text[: text.index("[devices.bill]")]
    file.write_text(f"{written}\n{head}" if written.startswith("devices") else f"{head}{written}\n")


@pytest.mark.parametrize(("written", "path", "problem", "remedy"), DEVICES)
def test_device_is_read_like_everything_else(file: Path, written: str, path: str, problem: str, remedy: str) -> None:
    with_devices(file, written)
    mistake = the_mistake(file)
    assert mistake.path == path
    assert problem in mistake.problem
    assert remedy in mistake.remedy
    assert mistake.line is not None


def test_devices_are_known_by_the_names_that_the_person_gave_them(file: Path) -> None:
    with_devices(file, TWO_ON_ONE_PORT.replace('port = "/dev/x"\n[', 'port = "/dev/y"\n['))
    found = config.read(file).devices
    assert {name: device.port for name, device in found.items()} == {"bill": "/dev/y", "spare": "/dev/x"}
    with_devices(file, "")
    assert config.read(file).devices == {}


def test_two_devices_on_one_port(file: Path) -> None:
    with_devices(file, TWO_ON_ONE_PORT)
    mistake = the_mistake(file)
    assert (mistake.path, mistake.problem) == ("devices.spare.port", "/dev/x is the port of bill as well")


WRONG = [
    # key, the line in its place, the path, the problem, the remedy
    ("id", 'id = "no spaces"', "terminal.id", '"no spaces" is not 1 to 32 letters', "write 1 to 32 letters"),
    ("id", f'id = "{"x" * 33}"', "terminal.id", "is not 1 to 32 letters", "write 1 to 32 letters"),
    ("id", "id = 7", "terminal.id", "7 is a whole number, not text in quotes", "write 1 to 32 letters"),
    ("place", 'place = " "', "terminal.place", "the text is empty", "write a short text"),
    ("place", 'place = "a\\u001b[31m"', "terminal.place", '"a\\u001b[31m" holds a character that cannot', "write"),
    ("mode", 'mode = "test"', "terminal.mode", '"test" is not a choice', 'write "live" or "bench"'),
    ("currency", 'currency = "cny"', "terminal.currency", '"cny" is no currency', 'did you mean "CNY"?'),
    ("currency", "currency = []", "terminal.currency", "a list is not text in quotes", "ISO 4217"),
    ("timezone", 'timezone = "Asia/Shangai"', "terminal.timezone", "is no time zone", 'did you mean "Asia/Shanghai"?'),
    ("timezone", 'timezone = "../../etc/passwd"', "terminal.timezone", "is no time zone", "IANA"),
    ("timezone", 'timezone = "Asia"', "terminal.timezone", "is no time zone", 'did you mean "Asia/'),
    ("cutoff", "cutoff = 04:00:00", "terminal.cutoff", "is a time outside quotes", '"00:00" to "23:59"'),
    ("cutoff", 'cutoff = "24:00"', "terminal.cutoff", '"24:00" is no time of day', '"00:00" to "23:59"'),
    ("languages", "languages = []", "terminal.languages", "the list has 0 elements", "write a list of languages"),
    ("languages", 'languages = ["en", "tlh-x"]', "terminal.languages[1]", '"tlh-x" is no language', "its tag"),
    ("languages", 'languages = ["zh-hans"]', "terminal.languages[0]", '"zh-hans" is no language', 'as "zh-Hans"'),
    ("languages", 'languages = ["en.UTF-8"]', "terminal.languages[0]", '"en.UTF-8" is no language', "its tag"),
    ("languages", 'languages = ["en", "en"]', "terminal.languages[1]", '"en" is listed twice', "remove one"),
    ("data", 'data = "kiosk.toml"', "journal.data", "kiosk.toml is not a folder", "name another folder"),
    ("data", 'data = "kiosk.toml/data"', "journal.data", "kiosk.toml/data cannot be used: Not a directory", "another"),
    ("data", 'data = "not/there"', "journal.data", "/not to make there in", "mkdir -p /"),
    ("data", "data = true", "journal.data", "true is a yes or no, not text in quotes", "the path of a folder"),
    ("head_copy", 'head_copy = "data/copy"', "journal.head_copy", "it lies inside the data folder", "another disk"),
    ("head_copy", 'head_copy = "/dev/null"', "journal.head_copy", "/dev/null is not a file", "name a file"),
    ("head_copy", 'head_copy = "."', "journal.head_copy", "is not a file", "name a file"),
    ("head_copy", 'head_copy = "machine.key"', "journal.head_copy", "would be overwritten", "another disk"),
    ("head_copy", 'head_copy = "machine.key.pub"', "journal.head_copy", "would be overwritten", "another disk"),
    ("head_copy", 'head_copy = "kiosk.toml"', "journal.head_copy", "would be overwritten", "another disk"),
    (
        "keep_personal_days",
        "keep_personal_days = 0",
        "journal.keep_personal_days",
        "0 is less than 1",
        "from 1 to 3650",
    ),
    ("keep_personal_days", "keep_personal_days = 3651", "journal.keep_personal_days", "more than 3650", "to 3650"),
    ("keep_personal_days", "keep_personal_days = true", "journal.keep_personal_days", "true is a yes or no", "whole"),
    ("keep_personal_days", f"keep_personal_days = 0x{'f' * 9999}", "journal.keep_personal_days", "beyond", "whole"),
    ("limit", "limit = 1000.00", "cash.limit", "1000.00 is a number with a decimal point", 'write "1000.00"'),
    ("limit", "limit = nan", "cash.limit", "NaN is a number with a decimal point, not an amount", "in quotes"),
    ("limit", 'limit = "1,000.00"', "cash.limit", "is no amount", 'such as "100.00"'),
    ("limit", 'limit = "0.99"', "cash.limit", "no cash could ever be taken: 1.00 CNY is the least", "raise the limit"),
    ("limit", "limit = 1e3", "cash.limit", "1E+3 is a number with a decimal point", 'write "1000.00"'),
    ("limit", "limit = 1e999999999999", "cash.limit", "is a number with a decimal point", 'such as "100.00"'),
    ("limit", 'limit = "0.00"', "cash.limit", "is not more than zero", "write an amount"),
    ("limit", f"limit = 0x{'f' * 9999}", "cash.limit", "beyond all reason", "write an amount"),
    ("overpay_limit", "overpay_limit = -1", "cash.overpay_limit", "-1 is not zero or more", "write an amount"),
    ("overpay_limit", "overpay_limit = 2020-02-02", "cash.overpay_limit", "is a date outside quotes", "an amount"),
    ("accept", 'accept = ["10", "0.001"]', "cash.accept[1]", "has more decimals than CNY knows", "an amount"),
    ("accept", 'accept = ["10", 10]', "cash.accept[1]", "10 is listed twice", "remove one"),
    ("accept", "accept = [10, 1001]", "cash.accept[1]", "1001.00 CNY could never be taken", "the limit"),
    ("accept", f"accept = [{', '.join(map(str, range(1, 66)))}]", "cash.accept", "the list has 65 elements", "64"),
    ("excess", 'excess = "keep"', "cash.excess", '"keep" is not a choice', '"owed" or "added"'),
    ("excess_choices", 'excess_choices = ["added"]', "cash.excess", '"owed" is not among excess_choices', "add it"),
    ("walk_away", "walk_away = { a = 1 }", "cash.walk_away", "a section is not text in quotes", '"deliver" or "owed"'),
    ("expire_days", "expire_days = 1.5", "claims.expire_days", "1.5 is a number with a decimal point", "whole number"),
    (
        "code_attempts_per_hour",
        "code_attempts_per_hour = 1001",
        "claims.code_attempts_per_hour",
        "more than 1000",
        "1000",
    ),
    ("place", 'plcae = "Hall"', "terminal.plcae", "nothing of this name", 'did you mean "place"?'),
    ("walk_away", "expire_days = 3", "cash.expire_days", "nothing of this name", "it belongs under [claims]"),
    ("walk_away", '"\u200b" = 3', 'cash."\\u200b"', "nothing of this name", "remove it; known here are"),
]


@pytest.mark.parametrize("row", WRONG, ids=[row[1][:40] for row in WRONG])
def test_wrong_value_is_named_with_its_remedy(file: Path, row: tuple[str, str, str, str, str]) -> None:
    key, line, path, problem, remedy = row
    number = change(file, key, line)
    found = the_mistake(file)
    assert found.path == path
    assert problem in found.problem
    assert remedy in found.remedy
    assert found.line == (number if key != "excess_choices" else number - 2)  # there the default has become wrong


def test_all_mistakes_come_at_once_in_the_order_of_the_file(file: Path) -> None:
    lines = [
        change(file, "mode", 'mode = "real"'),
        change(file, "machine_key", 'machine_key = "lost.key"'),
        change(file, "accept", 'accept = ["1.00", 2.5,\n "x"]'),
        change(file, "excess", 'excess_choice = "owed"'),
    ]
    found = mistakes(file)
    assert [(m.line, m.path) for m in found] == [
        (lines[0], "terminal.mode"),
        (lines[1], "journal.machine_key"),
        (lines[2], "cash.accept[1]"),
        (lines[2] + 1, "cash.accept[2]"),
        (lines[3], "cash.excess_choice"),
    ]


def test_amounts_are_not_judged_while_their_currency_is_unknown(file: Path) -> None:
    change(file, "currency", 'currency = "ZZZ"')
    change(file, "overpay_limit", "overpay_limit = 1.5")
    assert [m.path for m in mistakes(file)] == ["terminal.currency", "cash.overpay_limit"]


WITHOUT_DECIMALS = [
    # the line in the place of cash.limit, the problem, the remedy
    ('limit = "1000.00"', "'1000.00' has more decimals than JPY knows (0)", 'write an amount in quotes, such as "100"'),
    ('limit = "1,000"', "'1,000' is no amount", 'write an amount in quotes, such as "100"'),
    ("limit = 1000.00", "1000.00 is a number with a decimal point outside quotes", 'write "1000"'),
    ("limit = 1000.5", "1000.5 is a number with a decimal point outside quotes", 'such as "100"'),
    ("limit = true", "true is a yes or no, not an amount", 'write an amount in quotes, such as "100"'),
    ("", "the key is missing", 'write an amount in quotes, such as "100"'),
]


@pytest.mark.parametrize(("line", "problem", "remedy"), WITHOUT_DECIMALS, ids=[row[0] for row in WITHOUT_DECIMALS])
def test_remedies_fit_a_currency_without_decimals(file: Path, line: str, problem: str, remedy: str) -> None:
    change(file, "currency", 'currency = "JPY"')
    change(file, "accept", 'accept = ["100", 50, "10"]')
    change(file, "overpay_limit", "overpay_limit = 100")
    change(file, "limit", 'limit = "1000"')
    assert config.read(file).cash.accept == (Money(100, "JPY"), Money(50, "JPY"), Money(10, "JPY"))
    change(file, "limit", line)
    found = the_mistake(file)
    assert (found.path, found.problem) == ("cash.limit", problem)
    assert found.remedy.endswith(remedy)


def test_least_piece_may_be_the_limit_and_no_cash_has_none(file: Path) -> None:
    change(file, "accept", "accept = [5, 10]")
    change(file, "limit", "limit = 5")
    assert the_mistake(file).path == "cash.accept[1]"
    change(file, "limit", "limit = 4")
    assert the_mistake(file).path == "cash.limit"
    change(file, "accept", "accept = []")
    assert config.read(file).cash.accept == ()


def test_missing_key_is_told_at_its_section(file: Path) -> None:
    number = change(file, "cutoff", "")
    found = the_mistake(file)
    assert (found.path, found.problem) == ("terminal.cutoff", "the key is missing")
    assert found.line == file.read_text().split("\n").index("[terminal]") + 1 < number


def test_missing_section_is_one_mistake_and_a_section_of_defaults_none(file: Path) -> None:
    text = file.read_text()
    file.write_text(text[: text.index("[cash]")])
    found = the_mistake(file)
    assert (found.path, found.line, found.problem) == ("cash", None, "the section is missing")
    assert found.remedy == "write [cash] and below it limit, overpay_limit, accept"


def test_misspelt_section_is_one_mistake(file: Path) -> None:
    file.write_text(file.read_text().replace("[cash]", "[cahs]"))
    found = the_mistake(file)
    assert (found.path, found.remedy) == ("cahs", 'did you mean "cash"?')


@pytest.mark.parametrize("written", ["claims = 3\n", "[[claims]]\n"])
def test_what_is_no_section_is_named(file: Path, written: str) -> None:
    text = file.read_text()
    rest = text[: text.index("[claims]")]
    file.write_text(written + rest if "=" in written else rest + written)
    found = the_mistake(file)
    assert (found.path, found.problem) == ("claims", "this is no section")


SYNTAX = [
    # the text, the line, the problem, the remedy
    ("[a]\nb = 'x\nc = 1\n", 3, 'Expected "\'"', "close the quotation mark that was opened here or above"),
    ("[a]\nb = yes\n", 2, "Invalid value", "write text in quotes"),
    ("[a]\nb = 1\nb = 2\nc = 3\n", 3, "Cannot overwrite a value", "remove the second one"),
    ("[a]\n[b]\n[a]\n", 3, "Cannot declare", "remove the second one"),
    ("[a]\nb = 1 2\n", 2, "Expected newline", "put text in quotes"),
    ("a b = 1\n", 1, "Expected '='", "write key = value"),
    ('a = "x\nb = 1\n', 1, "Illegal character '\\n'", "close the quotation mark"),
    ('a = "C:\\Kiosk"\n', 1, "Unescaped", "write the backslash twice"),
    ("a = 1\n\nb = [1,\n\n", 3, "Invalid value", "write text in quotes"),
    (f"a = {'9' * 5000}\n", None, "Exceeds the limit", "write a shorter number"),
]


@pytest.mark.parametrize(("text", "line", "problem", "remedy"), SYNTAX, ids=[row[0][:20] for row in SYNTAX])
def test_what_is_no_toml_is_named_with_its_line(
    tmp_path: Path, text: str, line: int | None, problem: str, remedy: str
) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(text)
    found = the_mistake(file)
    assert found.problem.startswith(f"this is not TOML: {problem}")
    assert (found.line, found.path) == (line, "")
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"a = 1\nb = '\xff'\n", 2, "these bytes are not UTF-8"),
        (b"#" * ((1 << 20) + 1), None, "it is larger than 1 MiB"),
        (b"a = " + b"[" * 100_000, None, "its lists are nested too deep"),
    ],
    ids=["bytes", "size", "depth"],
)
def test_what_cannot_be_a_configuration_is_refused(
    tmp_path: Path, content: bytes, line: int | None, problem: str
) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_bytes(content)
    assert (the_mistake(file).line, the_mistake(file).problem) == (line, problem)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert the_mistake(tmp_path / "absent.toml").problem == "it cannot be read: No such file or directory"
    for place, what in ((tmp_path, "a folder"), (Path("/dev/null"), "a pipe, a socket or a device")):
        found = the_mistake(place)
        assert found.problem == f"this is {what}, not a file"
        assert found.remedy == "name the configuration itself"


def test_file_of_another_editor_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert config.read(file).terminal.id == "demo-0001"


def test_missing_secret_names_the_command_that_makes_it(file: Path) -> None:
    (file.parent / "machine.key").unlink()
    found = the_mistake(file)
    assert found.problem == f"there is no file {file.parent}/machine.key"
    assert found.remedy == f"run: kiosk init --config {file}"
    assert config.read(file, key_required=False).journal.machine_key == file.parent / "machine.key"


def test_secret_lost_beside_its_journal_is_not_made_anew(file: Path) -> None:
    (file.parent / "machine.key").unlink()
    (file.parent / "data").mkdir()
    assert the_mistake(file).remedy == f"run: kiosk init --config {file}"
    (file.parent / "data" / FILE_NAME).touch()
    assert the_mistake(file).remedy.startswith(
        f"put its saved copy back: the journal in {file.parent}/data needs this very key"
    )


def test_a_secret_inside_the_data_folder_is_given_away_with_it(file: Path) -> None:
    (file.parent / "data").mkdir()
    (file.parent / "machine.key").rename(file.parent / "data" / "machine.key")
    file.write_text(file.read_text("utf-8").replace('"machine.key"', '"data/machine.key"'), "utf-8")
    assert the_mistake(file).problem == "it lies inside the data folder"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610])
def test_secret_that_others_can_open_names_the_remedy(file: Path, mode: int) -> None:
    (file.parent / "machine.key").chmod(mode)
    found = the_mistake(file)
    assert found.problem == f"{file.parent}/machine.key is open to others (mode {mode:04o})"
    assert found.remedy == f"chmod 600 {file.parent}/machine.key"


@pytest.mark.parametrize("content", ["", "5a" * 31, "5a" * 33, "zz" * 32, "5a" * 32 + "\n\nmore"])
def test_secret_of_another_form_is_refused_and_never_shown(file: Path, content: str) -> None:
    (file.parent / "machine.key").write_text(content)
    found = the_mistake(file)
    assert found.problem == f"{file.parent}/machine.key does not hold 32 bytes as 64 hexadecimal characters"
    assert "5a5a" not in f"{found.problem} {found.remedy}"


def test_secret_that_is_no_file_is_refused(file: Path) -> None:
    change(file, "machine_key", 'machine_key = "."')
    assert the_mistake(file).remedy == "name the secret file itself"


JUNK = ["", "-1", "1e9", "true", "''", '"\\u0000"', "[]", "[[1], {}]", "{ a = {} }", "1979-05-27", '"x"', "[", '"""']


@given(st.data())
def test_no_file_whatever_ends_in_anything_but_mistakes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = complete(EXAMPLE.read_text()).split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(lines) - 1))
        key = lines[number].partition("=")[0]
        junk = st.sampled_from(JUNK) | st.text(max_size=8)
        lines[number] = data.draw(st.just("") | junk.map(f"{key}= ".__add__) | st.text(max_size=12))
    file = tmp_path_factory.mktemp("junk") / "kiosk.toml"
    file.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    found = mistakes(file)  # there is no secret, so that one mistake at least is there
    assert all(m.line is None or 1 <= m.line <= file.read_text().count("\n") + 1 for m in found)
    assert all(m.problem and m.remedy and (m.problem + m.remedy + m.path).isprintable() for m in found)
