"""Everything that the bench offers over HTTP, asked of the command itself; drivers find real devices on its lines."""

import json
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from kiosk import cli
from tests.bench.running import PATIENCE_S, Bench, bench, write_config


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as started:
        yield started


@pytest.fixture(autouse=True)
def healthy(running: Bench) -> None:
    """Each test begins with a machine in order."""
    running.ask("PUT", "/machine/power", {"on": True})
    for name in ("bill", "coins"):
        running.ask("PUT", f"/devices/{name}/plug", {"on": True})
        running.ask("PUT", f"/devices/{name}/line", {})
        running.ask("DELETE", f"/devices/{name}/faults")


def diagnose(running: Bench, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    status = cli.main(["diagnose", "--config", str(running.config), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_the_picture_names_every_device(running: Bench) -> None:
    status, picture = running.ask("GET", "/machine")
    assert status == 200
    assert (picture["terminal"], picture["currency"]) == ("bench-0001", "CNY")
    assert [(each["name"], each["protocol"], each["kind"]) for each in picture["devices"]] == [
        ("bill", "ccnet", "notes"),
        ("coins", "cctalk", "coins"),
    ]
    assert all(Path(each["port"]).is_symlink() for each in picture["devices"])


def test_a_healthy_machine_and_three_faults_as_diagnose_finds_them(
    running: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    status, healthy = diagnose(running, capsys)
    assert (status, [each["ready"] for each in healthy.values()]) == (0, [True, True])

    running.ask("PUT", "/devices/bill/faults/jam")
    running.ask("PUT", "/devices/coins/faults/sensor")
    status, broken = diagnose(running, capsys)
    assert (status, [each["fault"] for each in broken.values()]) == (1, ["jam", "sensor"])

    running.ask("PUT", "/devices/bill/plug", {"on": False})
    status, broken = diagnose(running, capsys)
    assert (status, [each["fault"] for each in broken.values()]) == (1, ["port_missing", "sensor"])
    assert all(each["says"] and each["remedy"] for each in broken.values())


def test_a_note_without_a_host_is_not_drawn_in(running: Bench) -> None:
    status, said = running.ask("POST", "/devices/bill/insert", {"amount": "50.00"})
    assert (status, said["done"], said["device"]["in_path"]) == (200, False, "")


def test_a_coin_without_a_host_comes_out_again(running: Bench) -> None:
    before = running.device("coins")["hand"]["count"]
    status, said = running.ask("POST", "/devices/coins/insert", {"amount": "1.00"})
    assert (status, said["done"]) == (200, False)
    running.until(lambda: running.device("coins")["hand"]["count"] > before)
    assert running.ask("POST", "/devices/coins/take")[1]["device"]["hand"] == {"count": 0, "sum": "0", "pieces": []}


def test_faults_are_set_for_now_or_for_the_next_and_seen_to(running: Bench) -> None:
    running.ask("PUT", "/devices/bill/faults/jam", {"at_next": True})
    running.ask("PUT", "/devices/bill/faults/motor")
    device = running.device("bill")
    assert (device["faults"], device["next_faults"]) == (["motor"], ["jam"])
    running.ask("DELETE", "/devices/bill/faults/motor")
    running.ask("DELETE", "/devices/bill/faults")
    device = running.device("bill")
    assert (device["faults"], device["next_faults"]) == ([], [])


def test_the_box_goes_out_and_in(running: Bench) -> None:
    running.ask("PUT", "/devices/bill/box", {"on": False})
    assert running.device("bill")["faults"] == ["box_removed"]
    running.ask("DELETE", "/devices/bill/faults/box_removed")
    assert running.device("bill")["box_in"] is True


def test_power_is_cut_now_or_in_a_phase(running: Bench) -> None:
    assert running.ask("PUT", "/devices/bill/power", {"on": False})[1]["device"]["powered"] is False
    running.ask("PUT", "/machine/power", {"on": True})
    assert running.device("bill")["phase"] == "start"
    assert running.ask("PUT", "/devices/bill/power", {"cut_in": "stacking"})[0] == 200
    assert running.ask("PUT", "/devices/coins/power", {"cut_in": "stacking"})[0] == 400


def test_a_bad_line_is_data(running: Bench) -> None:
    line = {"dropped": 0.2, "corrupted": 0.1, "repeated": 0.0, "delayed_ms": 50}
    assert running.ask("PUT", "/devices/bill/line", line)[1]["device"]["line"] == line


def test_the_log_tells_what_hands_did_and_what_the_wires_said(
    running: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    last = max((line["number"] for line in running.ask("GET", "/log")[1]), default=0)
    running.ask("PUT", "/devices/bill/faults/jam")
    diagnose(running, capsys)
    lines = running.ask("GET", f"/log?after={last}")[1]
    assert {line["who"] for line in lines} == {"hand", "host", "device"}
    assert lines[0]["says"] == "fault: jam"
    assert any("jam" in line["says"] for line in lines if line["who"] == "device")


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "/devices/nobody/insert", {"amount": "5.00"}, "use one of: bill, coins"),
        ("POST", "/devices/bill/insert", {"amount": "3.00"}, "use one of: 5.00, 10.00"),
        ("POST", "/devices/bill/insert", {"amount": 5}, "send a JSON object with amount"),
        ("POST", "/devices/bill/insert", {"amount": "5.00", "x": 1}, "send a JSON object with amount"),
        ("POST", "/devices/bill/insert", [], "send a JSON object with amount"),
        ("POST", "/devices/coins/withdraw", {}, "only a note can be pulled back"),
        ("PUT", "/devices/bill/faults/broken_heart", {}, "use one of: box_removed"),
        ("PUT", "/devices/coins/faults/stacker_full", {}, "use one of: cheated"),
        ("PUT", "/devices/coins/box", {"on": False}, "its box cannot be taken out"),
        ("PUT", "/devices/bill/line", {"dropped": 1.5}, "send a JSON object with dropped, corrupted"),
        ("PUT", "/devices/bill/power", {"cut_in": "dreaming"}, "send a JSON object with on, cut_in"),
        ("PUT", "/devices/bill/plug", {"on": "maybe"}, "send a JSON object with on"),
        ("PUT", "/devices/bill/plug", {"on": "x" * 5000}, "send a small JSON object"),
        ("PUT", "/devices/bill/power", {"cut_in": "idle"}, "use one of: accepting"),
        ("GET", "/log?after=yesterday", None, "the number of the last line"),
        ("GET", f"/log?after={'9' * 5000}", None, "the number of the last line"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(
    running: Bench, method: str, path: str, body: object, says: str
) -> None:
    status, said = running.ask(method, path, body)
    assert (status, says in said["remedy"]) == (400, True), said


def test_an_unknown_request_is_named(running: Bench) -> None:
    assert running.ask("GET", "/nothing")[0] == 404
    assert running.ask("DELETE", "/machine")[0] == 405


def test_another_page_cannot_ask(running: Bench) -> None:
    """Nor one that calls itself by a name that leads here, nor one that sends a form."""
    assert running.ask("GET", "/machine", Host="kiosk.example.com")[0] == 400
    status, said = running.ask("POST", "/devices/bill/take", {}, Content_Type="text/plain")
    assert (status, said["problem"]) == (400, "the request does not say that it is JSON")


def test_a_live_terminal_is_not_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_config(tmp_path)
    file.write_text(file.read_text().replace('mode = "bench"', 'mode = "live"'))
    assert cli.main(["bench", "--config", str(file)]) == 2
    assert "takes real money" in capsys.readouterr().err


def test_a_name_that_is_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_config(tmp_path)
    there = tmp_path / "kiosk-bench" / "bill"
    there.parent.mkdir()
    there.write_text("a file")
    assert cli.main(["bench", "--config", str(file), "--port", "0"]) == 2
    assert "is not a simulated line" in capsys.readouterr().err
    assert there.read_text() == "a file"


def test_a_port_that_is_taken_is_named(running: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = running.address.rpartition(":")[2]
    assert cli.main(["bench", "--config", str(write_config(tmp_path)), "--port", port]) == 2
    assert f"cannot be offered on port {port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('currency = "CNY"', 'currency = "EUR"', "know yuan alone"),
        ('port = "', 'port = "tcp://127.0.0.1:4001" #', "the bench simulates serial ports alone"),
    ],
)
def test_what_it_cannot_simulate_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    file = write_config(tmp_path)
    file.write_text(file.read_text().replace(old, new, 1))
    assert cli.main(["bench", "--config", str(file)]) == 2
    assert says in capsys.readouterr().err


def test_a_second_bench_leaves_the_lines_of_the_first_alone(running: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--config", str(running.config), "--port", "0"]) == 2
    assert "another bench has it" in capsys.readouterr().err
    assert diagnose(running, capsys)[0] == 0


def test_what_a_bench_that_was_killed_left_behind_is_taken_over(tmp_path: Path) -> None:
    with bench(tmp_path):
        pass
    link = tmp_path / "kiosk-bench" / "bill"
    link.symlink_to("/dev/pts/9999")
    neighbour = tmp_path / "kiosk-bench" / "bill.new"
    neighbour.write_text("somebody's")
    with bench(tmp_path) as again:
        assert again.device("bill")["plugged"] is True
        assert link.readlink() != Path("/dev/pts/9999")
    assert neighbour.read_text() == "somebody's"


def test_a_terminal_window_that_is_closed_ends_it_like_a_signal(tmp_path: Path) -> None:
    with bench(tmp_path) as ended:
        ended.process.send_signal(signal.SIGHUP)
        ended.process.wait(PATIENCE_S)
        assert list((tmp_path / "kiosk-bench").iterdir()) == []
