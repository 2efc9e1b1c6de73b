"""The fuzzer bites: each planted mistake is found, and so is a decoder that checks nothing or keeps everything."""

import pytest

from devices.ccnet import wire
from devices.registry import PROTOCOLS, Protocol
from tests.fuzz import campaign, test_decoders
from tests.fuzz.campaign import fuzz

FRAMES = 20_000


def findings(monkeypatch: pytest.MonkeyPatch, driver_at: str) -> str:
    """What is found in the driver."""
    planted = Protocol("Planted", "notes", driver_at, "devices.ccnet.sim:CcnetSimulator")
    monkeypatch.setitem(PROTOCOLS, "planted", planted)
    for report in fuzz("planted", FRAMES, seed=1):
        if report.findings:
            return str(report.findings[0])
    return ""


@pytest.mark.parametrize(("mistake", "found"), [
    ("BreaksDown", "ValueError: invalid literal for int()"),
    ("NeverEnds", "20001 reads in 0 ms of one turn"),
    ("Waits", "a life of 0.5 s"),
    ("CreditsTooSoon", "beyond ["),
    ("CreditsTwice", "WrongCreditError"),
    ("ForgetsACredit", "are in the box; of {"),
    ("NeverComesBack", "no rest"),
])  # fmt: skip
def test_a_planted_mistake_is_found(mistake: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mistake == "Waits":
        monkeypatch.setattr(campaign, "LIFE_MAX_S", 0.5)
    finding = findings(monkeypatch, f"tests.fuzz.planted:{mistake}")
    assert found in finding
    assert "again: python -m tests.fuzz --protocol planted --seed " in finding


def test_a_decoder_that_checks_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def frame(data: bytes) -> wire.Frame:
        return wire.Frame(data[1], data[3:-2])

    monkeypatch.setattr(wire, "_frame", frame)
    assert "nothing is checked" in findings(monkeypatch, "devices.ccnet.driver:CcnetDriver")


def test_a_decoder_that_waits_for_ever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FRAME_MAX", 65_535)
    with pytest.raises(AssertionError):
        test_decoders.test_no_beginning_makes_it_wait_for_ever("ccnet")


def test_a_decoder_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def length(start: bytearray) -> int:
        return start[2] if start[0] == wire.SYNC else -1

    monkeypatch.setattr(wire, "_length", length)
    with pytest.raises(IndexError):
        test_decoders.test_it_takes_whatever_comes("ccnet")
