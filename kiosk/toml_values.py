"""A value of the configuration is read here: it comes out typed, or with what is wrong and what to write instead."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from msgspec import Struct

from kiosk.amount import AmountError, Money, decimals, parse, plain
from kiosk.counted import counted

TEXT_MAX = 64  # characters
LIST_MAX = 64  # elements
SHOWN_MAX = 60  # characters of a wrong value that are shown again
INTEGER_BITS_MAX = 63  # what TOML promises
DIGITS_MAX = 20  # before or behind the decimal point of an amount; no currency comes near

# The tag as files of texts are named: "en", "zh-Hans", "pt-BR".
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?", re.ASCII)


class Fault(Struct, frozen=True):
    """What is wrong with a value; `remedy` where it is not simply to write what is wanted."""

    problem: str
    remedy: str | None = None
    index: int | None = None


class WrongError(Exception):
    """The value cannot be used. Without a fault: another value has to be right first."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


class Surroundings(Struct, frozen=True):
    """What the meaning of a value can depend on."""

    file: Path
    currency: str | None = None  # unknown until its section was read, or where it is wrong


class Reader(Struct, frozen=True):
    """How one kind of value is read, and what the person should write."""

    wanted: str
    read: Callable[[object, Surroundings], object]
    example: Callable[[str], str] | None = None  # of an amount, in a currency

    def remedy(self, around: Surroundings) -> str:
        """Say what to write."""
        example = f", such as {self.example(around.currency)}" if self.example and around.currency else ""
        return f"write {self.wanted}{example}"


def shown(value: object) -> str:
    """Write a value as the file has it, shortened."""
    match value:
        case bool():
            text = str(value).lower()
        case int() if value.bit_length() > INTEGER_BITS_MAX:
            text = "a number beyond all reason"
        case str():
            text = '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in value) + '"'
        case list():
            text = "a list"
        case dict():
            text = "a section"
        case _:
            text = str(value)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"


_KINDS: dict[type, str] = {
    bool: "a yes or no",
    int: "a whole number",
    Decimal: "a number with a decimal point",
    str: "text in quotes",
    list: "a list",
    dict: "a section",
    datetime: "a date outside quotes",
    date: "a date outside quotes",
    time: "a time outside quotes",
}


def _other_kind(value: object, wanted: str) -> Fault:
    what, kind = shown(value), _KINDS[type(value)]
    return Fault(f"{what} is not {wanted}" if what == kind else f"{what} is {kind}, not {wanted}")


def quoted(value: object, most: int = TEXT_MAX) -> str:
    """Text in quotes that can be printed."""
    if not isinstance(value, str):
        raise WrongError(_other_kind(value, "text in quotes"))
    if not value.strip():
        raise WrongError(Fault("the text is empty"))
    if not value.isprintable():
        raise WrongError(Fault(f"{shown(value)} holds a character that cannot be printed"))
    if len(value) > most:
        raise WrongError(Fault(f"{shown(value)} has {len(value)} characters, and {most} is the most"))
    return value


def text(wanted: str, pattern: str = ".*", most: int = TEXT_MAX) -> Reader:
    """Text that matches a pattern as a whole."""

    def read(value: object, _: Surroundings) -> str:
        found = quoted(value, most)
        if not re.fullmatch(pattern, found, re.ASCII):
            raise WrongError(Fault(f"{shown(found)} is not {wanted}"))
        return found

    return Reader(f"{wanted}, in quotes", read)


def one_of(*choices: str) -> Reader:
    """One of a few words."""

    def read(value: object, _: Surroundings) -> str:
        found = quoted(value)
        if found not in choices:
            raise WrongError(Fault(f"{shown(found)} is not a choice"))
        return found

    return Reader(" or ".join(f'"{choice}"' for choice in choices), read)


def whole(unit: str, least: int, most: int) -> Reader:
    """A whole number between two limits."""

    def read(value: object, _: Surroundings) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise WrongError(_other_kind(value, "a whole number"))
        if not least <= value <= most:
            raise WrongError(
                Fault(f"{shown(value)} is {'less than ' + str(least) if value < least else 'more than ' + str(most)}")
            )
        return value

    return Reader(f"a whole number of {unit} from {least} to {most}", read)


def list_of(item: Reader, what: str, least: int = 0) -> Reader:
    """Several values of one kind, none of them twice."""

    def read(value: object, around: Surroundings) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise WrongError(_other_kind(value, "a list"))
        elements = cast("list[object]", value)
        if not least <= len(elements) <= LIST_MAX:
            raise WrongError(Fault(f"the list has {counted(len(elements), 'element')}"))
        found: list[object] = []
        faults: list[Fault] = []
        blocked = False
        for index, element in enumerate(elements):
            try:
                one = item.read(element, around)
            except WrongError as wrong:
                blocked = True
                faults += [Fault(f.problem, f.remedy or item.remedy(around), index) for f in wrong.faults]
                continue
            if one in found:
                faults.append(Fault(f"{shown(element)} is listed twice", "remove one of them", index))
            found.append(one)
        if faults or blocked:
            raise WrongError(*faults)
        return tuple(found)

    return Reader(f"a list of {what}, {least} to {LIST_MAX} of them", read)


def _close(word: str, words: Sequence[str]) -> str | None:
    close = get_close_matches(word, words, n=1)
    return f'did you mean "{close[0]}"?' if close else None


def _currency(value: object, _: Surroundings) -> str:
    found = quoted(value)
    known: frozenset[str] = frozenset(get_global("all_currencies"))
    if found not in known:
        raise WrongError(Fault(f"{shown(found)} is no currency", _close(found.upper(), sorted(known))))
    return found


def _zone(value: object, _: Surroundings) -> ZoneInfo:
    found = quoted(value)
    try:
        return ZoneInfo(found)
    except (OSError, ValueError, KeyError) as error:  # it looks for a file of that name, and says so
        raise WrongError(
            Fault(f"{shown(found)} is no time zone", _close(found, sorted(available_timezones())))
        ) from error


def _time_of_day(value: object, _: Surroundings) -> time:
    found = quoted(value)
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", found, re.ASCII):
        raise WrongError(Fault(f"{shown(found)} is no time of day"))
    return time.fromisoformat(found)


def _language(value: object, _: Surroundings) -> str:
    found = quoted(value)
    try:
        known = bool(_LANGUAGE.fullmatch(found) and Locale.parse(found, sep="-"))
    except (UnknownLocaleError, ValueError):
        known = False
    if not known:
        raise WrongError(Fault(f"{shown(found)} is no language"))
    return found


CURRENCY = Reader('a currency by its ISO 4217 code, such as "HKD"', _currency)
ZONE = Reader('a time zone by its IANA name, such as "Asia/Hong_Kong"', _zone)
TIME_OF_DAY = Reader('hours and minutes in quotes, "00:00" to "23:59"', _time_of_day)
LANGUAGE = Reader('a language by its tag, such as "zh-Hans"', _language)


# Amounts -------------------------------------------------------------------------------------------------------------


def amount(*, zero_allowed: bool = False) -> Reader:
    """Money in the terminal's currency; never a number with a decimal point, which would be a float elsewhere."""
    least = "zero or more" if zero_allowed else "more than zero"

    def read(value: object, around: Surroundings) -> Money:
        if isinstance(value, Decimal) and value.is_finite():
            problem = f"{shown(value)} is a number with a decimal point outside quotes"
            raise WrongError(Fault(problem, _in_quotes(value, around.currency)))
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise WrongError(_other_kind(value, "an amount"))
        if isinstance(value, int) and value.bit_length() > INTEGER_BITS_MAX:
            raise WrongError(Fault(f"this is {shown(value)}"))
        written = str(value) if isinstance(value, int) else quoted(value)
        if around.currency is None:
            raise WrongError
        try:
            money = parse(written, around.currency)
        except AmountError as error:
            # Its own example need not fit the currency; the remedy's does.
            raise WrongError(Fault(str(error).removesuffix(': write it like "49.85"'))) from error
        if money.minor < 0 or (money.minor == 0 and not zero_allowed):
            raise WrongError(Fault(f"{shown(value)} is not {least}"))
        return money

    return Reader("an amount in quotes", read, _hundred)


def _hundred(currency: str) -> str:
    return f'"{plain(Money(100 * 10 ** decimals(currency), currency))}"'


def _in_quotes(value: Decimal, currency: str | None) -> str | None:
    """Tell how the same amount is written in the terminal's currency, if it can be."""
    if currency is None or abs(value.adjusted()) > DIGITS_MAX:
        return None
    digits = f"{value:f}"
    try:
        money = parse(digits.rstrip("0").rstrip(".") if "." in digits else digits, currency)
    except AmountError:
        return None
    return f'write "{plain(money)}"'
