"""The frame holds: packages, contracts, pins, the wheel, and the scripts that a stranger runs first."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling.build import build_wheel

from kiosk import cli

ROOT = Path(__file__).parents[1]
PACKAGES = ("carriers", "devices", "kiosk", "screens")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = {name: (ROOT / "deploy" / name).read_text() for name in ("requirements.txt", "requirements-dev.txt")}


@pytest.mark.parametrize("name", PACKAGES)
def test_package_opens_with_its_law(name: str) -> None:
    law = importlib.import_module(name).__doc__
    assert law
    assert law.endswith(".")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_can_be_asked_for_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: kiosk {name} ")


LAYERS = "Layers: app, simulation, edges, flow, money, ports, amount"
EDGES = "Drivers, carriers and payments know only ports, amount and cards of ours"
SCREENS = "Screens know only view, texts and amount"
PURE = "Flow and money touch no pixels, no network and no wire"
DATABASE = "Only money opens a database, and only through APSW"
SIMULATOR = "No driver imports a simulator"
WIRE = "A wire module neither waits nor reads nor looks at the clock"
SHIPPED = "Nothing that ships imports the tests"

# A module, what it would import, and the contracts that this breaks.
IMPORTS: list[tuple[str, str, set[str]]] = [
    ("kiosk.amount", "kiosk.ports", {LAYERS}),
    ("kiosk.ports.extra", "kiosk.money", {LAYERS}),
    ("kiosk.money.extra", "kiosk.flow", {LAYERS}),
    ("kiosk.flow.extra", "devices", {LAYERS}),
    ("kiosk.flow.extra", "kiosk.app", {LAYERS}),
    ("kiosk.flow.extra", "kiosk.config", {LAYERS}),
    ("kiosk.payments.extra", "carriers", {LAYERS}),
    ("devices.extra", "screens", {LAYERS, EDGES}),
    ("devices.extra", "kiosk.errors", {EDGES}),
    ("devices.ccnet.driver", "kiosk.money", {EDGES}),
    ("carriers.extra", "kiosk.flow", {EDGES}),
    ("kiosk.payments.extra", "kiosk.receipts", {EDGES}),
    ("screens.extra", "kiosk.flow", {SCREENS}),
    ("screens.extra", "kiosk.ports", {SCREENS}),
    ("kiosk.flow.extra", "httpx", {PURE}),
    ("kiosk.money.extra", "kivy.app", {PURE}),
    ("kiosk.money.extra", "serial", {PURE}),
    ("kiosk.flow.extra", "apsw", {DATABASE}),
    ("carriers.extra", "apsw", {DATABASE}),
    ("kiosk.money.extra", "sqlite3", {DATABASE}),
    ("devices.ccnet.driver", "devices.ccnet.sim", {SIMULATOR}),
    ("devices.ccnet.driver", "devices.bench.machine", {SIMULATOR}),
    ("devices.ccnet.wire", "time", {WIRE}),
    ("devices.ccnet.wire", "asyncio", {WIRE}),
    ("kiosk.extra", "tests.figures", {SHIPPED}),
    # and what is allowed
    ("devices.ccnet.driver", "kiosk.ports", set()),
    ("devices.bench.machine", "carriers.sandbox", set()),
    ("carriers.extra", "kiosk.cards", set()),
    ("screens.extra", "kiosk.texts", set()),
    ("kiosk.money.extra", "apsw", set()),
    ("kiosk.simulate.extra", "kiosk.flow", set()),
]


def write_module(root: Path, name: str, line: str) -> None:
    """Put a module, and the packages around it, where nothing of the kind stands yet."""
    *packages, last = name.split(".")
    folder = root
    for package in packages:
        folder /= package
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    if not (folder / last).is_dir():
        with (folder / f"{last}.py").open("a") as file:
            file.write(line)


@pytest.fixture
def bare_tree(tmp_path: Path) -> Path:
    """The packages and their contracts, but none of their code: only what a test writes can break anything."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in (*PACKAGES, "kiosk.flow", "kiosk.money", "kiosk.payments"):
        write_module(tmp_path, f"{name}.__init__", "")
    return tmp_path


@pytest.mark.parametrize(("importer", "imported", "broken"), IMPORTS, ids=[f"{row[0]} {row[1]}" for row in IMPORTS])
def test_contract_bites(bare_tree: Path, importer: str, imported: str, broken: set[str]) -> None:
    if imported.split(".", maxsplit=1)[0] in PACKAGES:
        write_module(bare_tree, imported, "")
    write_module(bare_tree, importer, f"import {imported}\n")
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache", "--no-logo"], cwd=bare_tree, capture_output=True, text=True, check=False)
    assert set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)) == broken, done.stdout
    assert "Contracts: " in done.stdout
    assert done.returncode == bool(broken)


@pytest.mark.parametrize("name", PINS)
def test_pins_carry_hashes_and_name_no_place(name: str) -> None:
    lines = [line for line in PINS[name].splitlines() if not line.lstrip().startswith("#")]
    pinned = re.compile(r"[a-z0-9-]+==[\w.]+( ; [^\\]+)? \\")
    hashed = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not pinned.fullmatch(line) and not hashed.fullmatch(line)] == []
    assert not re.search(r"://|index|find-links|(?<![\w.])/\w", PINS[name])


def test_every_declared_package_is_pinned() -> None:
    pinned = {name: set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)) for name, text in PINS.items()}
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    run_time = {*project["dependencies"], *project["optional-dependencies"]["bench"], *groups["build"]}
    assert run_time <= pinned["requirements.txt"]
    assert set(groups["dev"]) <= pinned["requirements-dev.txt"]
    assert set(PROJECT["build-system"]["requires"]) == set(groups["build"])


def test_pins_agree_with_each_other() -> None:
    both = [dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)) for text in PINS.values()]
    assert {
        name: (both[0][name], both[1][name])
        for name in both[0].keys() & both[1].keys()
        if both[0][name] != both[1][name]
    } == {}


def test_wheel_holds_everything_that_the_packages_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    packed = set(zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))).namelist())
    kept = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept - packed == set()
    assert {name for name in packed if not name.startswith("kiosk-")} - kept == set()
    assert "kiosk/money/schema/0001.sql" in packed


@pytest.mark.parametrize("script", ["deploy/test", "deploy/demo", "deploy/setup.sh", ".ci/run"])
def test_script_is_plain_shell(script: str) -> None:
    done = subprocess.run(["/bin/sh", "-n", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_console_command_is_the_dispatcher() -> None:
    assert PROJECT["project"]["scripts"] == {"kiosk": "kiosk.cli:main"}
    command = Path(sys.executable).with_name("kiosk")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: kiosk ")
