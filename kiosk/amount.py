"""Money is a whole number of minor units in one currency; it is read and written here and nowhere else."""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

MINOR_UNITS_MAX = 10**15  # ten trillion yuan: beyond it is a mistake, not money
_TEXT = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,16})(?:\.(?P<part>\d{1,4}))?", re.ASCII)


class AmountError(ValueError):
    """What was given is no amount, or amounts of two currencies met."""


class Money(Struct, frozen=True, array_like=True):
    """An amount: `Money(5000, "CNY")` is fifty yuan."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            msg = f"an amount is a whole number of minor units, not {self.minor!r}"
            raise AmountError(msg)

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor > other.minor

    def __ge__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor >= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{plain(self)} {self.currency}"

    def split(self, parts: int) -> tuple["Money", ...]:
        """Share it out so that nothing is lost: the first shares carry the remainder."""
        if type(parts) is not int or parts < 1:
            msg = f"an amount is split into one part or more, not {parts!r}"
            raise AmountError(msg)
        share, rest = divmod(self.minor, parts)
        return tuple(Money(share + (n < rest), self.currency) for n in range(parts))

    def _same(self, other: object) -> None:
        # Whatever is no Money (a float above all) is refused here, at the boundary.
        if not isinstance(other, Money) or other.currency != self.currency:
            msg = f"{self} cannot be reckoned with {other}"
            raise AmountError(msg)


def zero(currency: str) -> Money:
    """Nothing, in this currency."""
    return Money(0, currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """All of them together; nothing at all is zero."""
    result = zero(currency)
    for amount in amounts:
        result += amount
    return result


def parse(text: str, currency: str) -> Money:
    """Read "49.85" strictly: no sign but a leading minus, no grouping, no more decimals than the currency has."""
    match = _TEXT.fullmatch(text) if isinstance(text, str) else None  # pyright: ignore[reportUnnecessaryIsInstance] - callers hand over what files held
    if match is None:
        msg = f'{text!r} is no amount: write it like "49.85"'
        raise AmountError(msg)
    places = decimals(currency)
    part = match["part"] or ""
    if len(part) > places:
        msg = f"{text!r} has more decimals than {currency} knows ({places})"
        raise AmountError(msg)
    minor = int(match["whole"] + part.ljust(places, "0"))
    if minor > MINOR_UNITS_MAX:
        msg = f"{text!r} is more than any terminal handles"
        raise AmountError(msg)
    return Money(-minor if match["sign"] else minor, currency)


def plain(money: Money) -> str:
    """Write it for machines and tables: "49.85"."""
    places = decimals(money.currency)
    sign = "-" if money.minor < 0 else ""
    digits = str(abs(money.minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def format_amount(money: Money, language: str) -> str:
    """Write it for people, by the rules of their language: "¥49.85"."""
    from babel.numbers import format_currency  # noqa: PLC0415 - Babel takes 50 ms to load and most runs never need it

    return format_currency(Decimal(plain(money)), money.currency, locale=language.replace("-", "_"))


@lru_cache(maxsize=64)
def decimals(currency: str) -> int:
    """How many decimals the currency has: 2 for CNY, 0 for JPY."""
    known = _DECIMALS.get(currency)
    if known is not None:
        return known
    from babel.core import get_global  # noqa: PLC0415 - as above

    if currency not in get_global("all_currencies"):
        msg = f"{currency!r} is no currency: write its ISO 4217 code, such as CNY"
        raise AmountError(msg)
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - as above

    return get_currency_precision(currency)


# The currencies that the terminals meet daily, so that no locale data is loaded for them.
_DECIMALS = {"CNY": 2, "HKD": 2, "MOP": 2, "USD": 2, "EUR": 2, "THB": 2, "JPY": 0}
