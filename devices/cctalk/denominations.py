"""What a coin or a bill is worth, from the name that the device has for it.

`CN100A` is a coin: a country, a value in three characters and an issue. `CN0100A` is a bill: its value has four digits
and is meant as the device's scaling factor for that country says. A coin's value counts minor units.
"""

import re

from devices.cctalk.wire import Scaling
from devices.driver import Denomination
from kiosk.amount import MINOR_UNITS_MAX, Money, decimals

COUNTRIES = {
    "CN": "CNY", "HK": "HKD", "MO": "MOP", "TW": "TWD", "JP": "JPY", "KR": "KRW", "TH": "THB", "KH": "KHR", "VN": "VND",
    "MY": "MYR", "SG": "SGD", "ID": "IDR", "PH": "PHP", "US": "USD", "EU": "EUR", "GB": "GBP", "CH": "CHF", "RU": "RUB",
    "UA": "UAH", "KZ": "KZT", "GE": "GEL", "QA": "QAR", "PL": "PLN", "CZ": "CZK", "HU": "HUF", "SE": "SEK", "NO": "NOK",
    "DK": "DKK", "AU": "AUD", "CA": "CAD",
}  # fmt: skip
TOKEN = "TK"  # noqa: S105 - no password: a coin that is no money
POWERS = {"m": -3, ".": 0, "K": 3, "M": 6, "G": 9}  # such a letter stands where the point is
COIN = re.compile(r"(?P<country>[A-Z]{2})(?P<value>[0-9.mKMG]{3}).", re.ASCII | re.DOTALL)
BILL = re.compile(r"(?P<country>[A-Z]{2})(?P<value>\d{4}).", re.ASCII | re.DOTALL)


def country_of(name: str) -> str:
    """Whose money it is; nothing: nobody's."""
    match = COIN.fullmatch(name) or BILL.fullmatch(name)
    return match["country"] if match and match["country"] != TOKEN else ""


def coin(channel: int, name: str, scaling: Scaling | None) -> Denomination | None:
    """One line of the table, if a coin is programmed there that is money. Few coin acceptors know of scaling."""
    match = COIN.fullmatch(name)
    value = _value(match["value"]) if match else None
    return _line(channel, name, *value, scaling) if value else None


def bill(channel: int, name: str, scaling: Scaling | None) -> Denomination | None:
    """One line of the table, if a bill is programmed there; without scaling nobody knows what it is worth."""
    match = BILL.fullmatch(name)
    return _line(channel, name, int(match["value"]), 0, scaling) if match and scaling else None


def _value(text: str) -> tuple[int, int] | None:
    """Three characters as digits and the power of ten that they are to be taken by."""
    letters = [letter for letter in text if letter in POWERS]
    if len(letters) > 1:
        return None
    if not letters:
        return int(text), 0
    before, after = text.split(letters[0])
    return int(before + after), POWERS[letters[0]] - len(after)


def _line(channel: int, name: str, digits: int, power: int, scaling: Scaling | None) -> Denomination | None:
    """A country that we do not know has a currency that is not ours."""
    country = country_of(name)
    currency = COUNTRIES.get(country, country)
    if not country or not digits:
        return None
    try:
        places = decimals(currency)
    except ValueError:
        return Denomination(channel, Money(digits, currency))
    if scaling is not None:
        digits, power = digits * scaling.factor, power + places - scaling.decimals
    whole, rest = divmod(digits * 10 ** max(power, 0), 10 ** max(-power, 0))
    return Denomination(channel, Money(whole, currency)) if not rest and 0 < whole <= MINOR_UNITS_MAX else None
