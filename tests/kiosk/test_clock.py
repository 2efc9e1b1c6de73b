"""The clock is believed where the kernel says that somebody keeps it in step."""

import ctypes
from types import SimpleNamespace

import pytest

from kiosk.clock import is_in_step as real_is_in_step


@pytest.mark.parametrize(("state", "in_step"), [(0, True), (1, True), (4, True), (5, False), (-1, False)])
def test_the_kernel_is_asked(monkeypatch: pytest.MonkeyPatch, state: int, *, in_step: bool) -> None:
    def adjtimex(buffer: ctypes.Array[ctypes.c_char]) -> int:
        assert not any(bytes(buffer))  # nothing is to be set
        return state

    def library(_: None) -> SimpleNamespace:
        return SimpleNamespace(adjtimex=adjtimex)

    monkeypatch.setattr(ctypes, "CDLL", library)
    assert real_is_in_step() is in_step


def test_a_kernel_that_cannot_be_asked_vouches_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def library(_: None) -> SimpleNamespace:
        return SimpleNamespace()

    monkeypatch.setattr(ctypes, "CDLL", library)
    assert real_is_in_step() is False


def test_the_real_one_answers() -> None:
    assert real_is_in_step() in {True, False}
