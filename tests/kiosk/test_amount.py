"""Amounts: read strictly, written without loss, shared out without a remainder, and never mixed with anything."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.amount import (
    MINOR_UNITS_MAX,
    AmountError,
    Money,
    decimals,
    format_amount,
    parse,
    plain,
    total,
    zero,
)

CURRENCIES = ("CNY", "USD", "JPY", "KWD")  # two decimals, two, none, three
minor_units = st.integers(-MINOR_UNITS_MAX, MINOR_UNITS_MAX)
money = st.builds(Money, minor_units, st.sampled_from(CURRENCIES))


# Whole numbers of minor units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [49.85, 5000.0, True, False, "5000", None, Decimal(5000)], ids=repr)
def test_an_amount_is_a_whole_number_and_nothing_that_looks_like_one(minor: Any) -> None:  # noqa: ANN401 - whatever a caller may hand over
    with pytest.raises(AmountError):
        Money(minor, "CNY")


@given(minor_units, minor_units)
def test_it_adds_and_compares_as_its_minor_units_do(left: int, right: int) -> None:
    ours, theirs = Money(left, "CNY"), Money(right, "CNY")
    assert ours + theirs == Money(left + right, "CNY")
    assert ours - theirs == ours + -theirs
    assert (ours < theirs, ours <= theirs, ours > theirs, ours >= theirs) == (
        left < right,
        left <= right,
        left > right,
        left >= right,
    )
    assert bool(ours) == bool(left)


OPERATIONS: dict[str, Callable[[Any, Any], object]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("other", [Money(5000, "USD"), 5000, 50.0, Decimal(50), "50", None], ids=repr)
def test_it_is_reckoned_with_its_own_currency_alone(operation: str, other: object) -> None:
    with pytest.raises(AmountError):
        OPERATIONS[operation](Money(5000, "CNY"), other)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_not_even_when_the_other_comes_first(operation: str) -> None:
    with pytest.raises((AmountError, TypeError)):
        OPERATIONS[operation](50.0, Money(5000, "CNY"))


def test_the_same_number_in_another_currency_is_another_amount() -> None:
    assert Money(5000, "CNY") != Money(5000, "USD")


@given(st.lists(minor_units, max_size=10))
def test_the_total_of_many(amounts: list[int]) -> None:
    assert total((Money(minor, "CNY") for minor in amounts), "CNY") == Money(sum(amounts), "CNY")


def test_the_total_of_nothing_is_nothing_and_of_two_currencies_there_is_none() -> None:
    assert total([], "CNY") == zero("CNY") == Money(0, "CNY")
    with pytest.raises(AmountError):
        total([Money(1, "CNY"), Money(1, "USD")], "CNY")


# Shared out ----------------------------------------------------------------------------------------------------------


@given(money, st.integers(1, 200))
def test_sharing_out_loses_nothing_and_is_fair_to_one_minor_unit(whole: Money, parts: int) -> None:
    shares = whole.split(parts)
    assert len(shares) == parts
    assert total(shares, whole.currency) == whole
    assert max(shares) - min(shares) <= Money(1, whole.currency)
    assert list(shares) == sorted(shares, key=lambda share: -share.minor)  # the first ones carry the remainder


@pytest.mark.parametrize("parts", [0, -1, 1.5, True, "2"], ids=repr)
def test_it_is_shared_out_among_one_or_more(parts: Any) -> None:  # noqa: ANN401 - whatever a caller may hand over
    with pytest.raises(AmountError):
        Money(5000, "CNY").split(parts)


# Read and written ----------------------------------------------------------------------------------------------------


@given(money)
def test_what_is_written_is_read_back(amount: Money) -> None:
    assert parse(plain(amount), amount.currency) == amount


@given(money)
def test_what_is_written_is_what_the_decimals_say(amount: Money) -> None:
    assert Decimal(plain(amount)).scaleb(decimals(amount.currency)) == amount.minor


@pytest.mark.parametrize(("text", "currency", "minor"), [
    ("49.85", "CNY", 4985),
    ("49.8", "CNY", 4980),
    ("49", "CNY", 4900),
    ("0", "CNY", 0),
    ("0.05", "CNY", 5),
    ("-0.05", "CNY", -5),
    ("007", "CNY", 700),
    ("500", "JPY", 500),
    ("1.234", "KWD", 1234),
    ("1000000000000000", "JPY", MINOR_UNITS_MAX),
    ("10000000000000.00", "CNY", MINOR_UNITS_MAX),
])  # fmt: skip
def test_amounts_that_are_read(text: str, currency: str, minor: int) -> None:
    assert parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("text", [
    "", " ", "49,85", "1,000", "1 000", "1_000", "+5", "--5", "5-", ".5", "5.", "1e3", "NaN", "inf", "0x10", "¥5",
    "5\n", " 5", "\N{FULLWIDTH DIGIT FIVE}", "\N{ARABIC-INDIC DIGIT FIVE}",
], ids=repr)  # fmt: skip
def test_what_is_not_an_amount_says_so(text: str) -> None:
    with pytest.raises(AmountError, match="is no amount"):
        parse(text, "CNY")


@pytest.mark.parametrize("text", ["10000000000000.01", "99999999999999"])
def test_more_than_any_terminal_handles(text: str) -> None:
    with pytest.raises(AmountError, match="more than any terminal"):
        parse(text, "CNY")


@pytest.mark.parametrize("value", [49.85, 4985, None, True, b"49.85"], ids=repr)
def test_only_text_is_read(value: Any) -> None:  # noqa: ANN401 - what a file held
    with pytest.raises(AmountError):
        parse(value, "CNY")


@pytest.mark.parametrize("currency", ["JPY", "CNY", "KWD"])
def test_no_more_decimals_than_the_currency_has(currency: str) -> None:
    with pytest.raises(AmountError, match="more decimals"):
        parse("1." + "0" * (decimals(currency) + 1), currency)


@pytest.mark.parametrize("currency", ["XYZ", "cny", "", "RMB"])
def test_what_is_no_currency_says_so(currency: str) -> None:
    with pytest.raises(AmountError, match="no currency"):
        decimals(currency)


def test_the_currencies_that_are_known_by_heart_agree_with_the_worlds_list() -> None:
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - only this test asks the world

    for currency in ("CNY", "HKD", "MOP", "USD", "EUR", "THB", "JPY"):
        assert decimals(currency) == get_currency_precision(currency)


@pytest.mark.parametrize(("amount", "language", "text"), [
    (Money(4985, "CNY"), "zh-Hans", "¥49.85"),
    (Money(4985, "CNY"), "en", "CN¥49.85"),
    (Money(123456789, "CNY"), "zh-Hans", "¥1,234,567.89"),
    (Money(123456789, "EUR"), "de", "1.234.567,89\xa0€"),
    (Money(-500, "USD"), "en", "-$5.00"),
    (Money(500, "JPY"), "ja", "\N{FULLWIDTH YEN SIGN}500"),
    (Money(500, "THB"), "th", "฿5.00"),
])  # fmt: skip
def test_written_for_people_by_the_rules_of_their_language(amount: Money, language: str, text: str) -> None:
    assert format_amount(amount, language) == text


def test_written_for_a_log() -> None:
    assert str(Money(-5, "CNY")) == "-0.05 CNY"
    assert str(Money(500, "JPY")) == "500 JPY"
