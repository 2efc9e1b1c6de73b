"""The fuzzer bites: each planted mistake is found, and so is a decoder that checks nothing or keeps everything."""

import pytest
from msgspec.structs import replace

from devices.ccnet import wire
from devices.cctalk import wire as cctalk
from devices.registry import PROTOCOLS
from tests.fuzz import campaign, test_decoders
from tests.fuzz.campaign import fuzz

FRAMES = 20_000


def findings(monkeypatch: pytest.MonkeyPatch, driver_at: str, of: str = "ccnet") -> str:
    """What is found in the driver, with a device that speaks that protocol."""
    planted = replace(PROTOCOLS[of], driver_at=driver_at)
    monkeypatch.setitem(PROTOCOLS, "planted", planted)
    for report in fuzz("planted", FRAMES, seed=1):
        if report.findings:
            return str(report.findings[0])
    return ""


@pytest.mark.parametrize(("of", "mistake", "found"), [
    ("ccnet", "BreaksDown", "ValueError: invalid literal for int()"),
    ("ccnet", "NeverEnds", "20001 reads in "),
    ("ccnet", "Waits", "a life of 0.5 s"),
    ("ccnet", "CreditsTooSoon", "beyond ["),
    ("ccnet", "CreditsTwice", "WrongCreditError"),
    ("ccnet", "ForgetsACredit", "are in the box; of {"),
    ("ccnet", "NeverComesBack", "no rest"),
    ("cctalk", "CreditsACoinTwice", "beyond ["),
    ("cctalk", "ForgetsACoin", "are in the box; of {"),
    ("cctalk", "ForgetsWhereItWas", "are in the box; of {"),
    ("cctalk-bills", "StacksWhatIsGivenBack", "WrongCreditError"),
])  # fmt: skip
def test_a_planted_mistake_is_found(of: str, mistake: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mistake == "Waits":
        monkeypatch.setattr(campaign, "LIFE_MAX_S", 0.5)
    finding = findings(monkeypatch, f"tests.fuzz.planted:{mistake}", of)
    assert found in finding
    assert "again: python -m tests.fuzz --protocol planted --seed " in finding


def test_a_decoder_that_checks_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def frame(data: bytes) -> wire.Frame:
        return wire.Frame(data[1], data[3:-2])

    monkeypatch.setattr(wire, "_frame", frame)
    assert "nothing is checked" in findings(monkeypatch, "devices.ccnet.driver:CcnetDriver")


@pytest.mark.parametrize("of", ["cctalk", "cctalk-bills"])
def test_a_ccTalk_driver_that_believes_a_wrong_check_is_found(  # noqa: N802 - so it is written
    of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frame(_: cctalk.Decoder, said: bytes) -> cctalk.Frame:
        return cctalk.Frame(said[0], said[cctalk.HEADER_AT], said[cctalk.HEADER_AT + 1 : -1], said[cctalk.SOURCE_AT])

    monkeypatch.setattr(cctalk.Decoder, "_read", frame)
    assert "nothing is checked" in findings(monkeypatch, PROTOCOLS[of].driver_at, of)


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
