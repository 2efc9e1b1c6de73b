"""Each check against its published value, and against the polynomial divided bit by bit."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import crc

CHECKED = b"123456789"  # what the catalogues of checks give a value for: reveng.sourceforge.io/crc-catalogue


@pytest.mark.parametrize(("check", "value"), [
    pytest.param(crc.kermit, 0x2189, id="CRC-16/KERMIT"),
    pytest.param(crc.xmodem, 0x31C3, id="CRC-16/XMODEM"),
    pytest.param(crc.ssp, 0xAEE7, id="CRC-16/CMS"),
])  # fmt: skip
def test_published_values(check: Callable[[bytes], int], value: int) -> None:
    assert check(CHECKED) == value


def test_of_nothing_there_is_only_the_beginning() -> None:
    assert (crc.kermit(b""), crc.xmodem(b""), crc.ssp(b"")) == (0, 0, 0xFFFF)


def reflected(data: bytes, polynomial: int) -> int:
    """Low bit first, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
    return value


def straight(data: bytes, polynomial: int, value: int) -> int:
    """High bit first, bit by bit."""
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & 0x8000 else 0)) & 0xFFFF
    return value


@given(st.binary(max_size=300))
def test_the_tables_divide_as_the_polynomials_do(data: bytes) -> None:
    assert crc.kermit(data) == reflected(data, 0x8408)
    assert crc.xmodem(data) == straight(data, 0x1021, 0)
    assert crc.ssp(data) == straight(data, 0x8005, 0xFFFF)


@given(st.binary(max_size=300))
def test_data_with_its_own_check_behind_it_checks_to_nothing(data: bytes) -> None:
    assert crc.kermit(data + crc.kermit(data).to_bytes(2, "little")) == 0
    assert crc.xmodem(data + crc.xmodem(data).to_bytes(2, "big")) == 0
    assert crc.ssp(data + crc.ssp(data).to_bytes(2, "big")) == 0


@given(st.binary(min_size=1, max_size=60), st.data())
def test_one_wrong_bit_and_one_wrong_byte_are_always_noticed(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(data) - 1))
    wrong = data[:place] + bytes((data[place] ^ draw.draw(st.integers(1, 255)),)) + data[place + 1 :]
    for check in (crc.kermit, crc.xmodem, crc.ssp):
        assert check(wrong) != check(data)
