"""A masked number tells its holder enough, and nobody else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards import mask


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812345678", "138 **** 5678"),
        ("138 1234 5678", "138 **** 5678"),
        ("+86 138-1234-5678", "138 **** 5678"),
        ("8986012345678901234", "8986 **** 1234"),
        ("89860123456789012345", "8986 **** 2345"),
        ("8986 0123 4567 8901 234f", "8986 **** 234F"),
        ("23812345678", "**** 5678"),  # eleven digits, and no mobile
        ("+852 9123 4567", "**** 4567"),
        ("91234567", "**** 567"),
        ("1234567", "**** 567"),
        ("123456", "****"),
        ("10086", "****"),
        ("", "****"),
    ],
)
def test_numbers_are_masked_by_their_kind(number: str, masked: str) -> None:
    assert mask(number) == masked


@given(st.from_regex(r"[0-9]{1,22}", fullmatch=True))
def test_at_least_four_digits_and_half_of_a_short_number_stay_hidden(number: str) -> None:
    told = len(re.findall(r"[0-9]", mask(number)))
    assert len(number) - told >= min(4, len(number))
    assert told <= 8
    assert told < len(number) / 2 or len(number) >= 10
