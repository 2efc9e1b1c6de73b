"""What a name of a coin or a bill is worth; a name that says nothing is worth nothing."""

import pytest

from devices.cctalk.denominations import bill, coin
from devices.cctalk.wire import Scaling
from devices.driver import Denomination
from kiosk.amount import Money


@pytest.mark.parametrize(("name", "minor", "currency"), [
    ("CN010A", 10, "CNY"),  # one jiao
    ("CN100B", 100, "CNY"),
    ("CN1K0A", 1_000, "CNY"),
    ("EU200A", 200, "EUR"),
    ("EU001A", 1, "EUR"),
    ("GB010A", 10, "GBP"),
    ("HK2K5A", 2_500, "HKD"),
    ("JP500A", 500, "JPY"),
    ("ID10KA", 10_000, "IDR"),
    ("VNM10A", 100_000, "VND"),
    ("VN2M5A", 2_500_000, "VND"),
    ("VNG10A", 100_000_000, "VND"),
    ("CN010 ", 10, "CNY"),  # an issue that is not written
    ("XX100A", 100, "XX"),  # a country that we do not know: a currency that is not ours
])  # fmt: skip
def test_a_coin_counts_minor_units(name: str, minor: int, currency: str) -> None:
    assert coin(3, name, None) == Denomination(3, Money(minor, currency))


@pytest.mark.parametrize(("name", "scaling", "minor"), [
    ("CN100A", Scaling(1, 2), 100),
    ("CN001A", Scaling(1, 0), 100),  # it counts yuan
    ("CN.50A", Scaling(1, 0), 50),
    ("CN5m0A", Scaling(100, 1), 5),
    ("JP001A", Scaling(100, 0), 100),
])  # fmt: skip
def test_a_coin_of_a_device_that_knows_of_scaling(name: str, scaling: Scaling, minor: int) -> None:
    found = coin(1, name, scaling)
    assert found is not None
    assert found.amount.minor == minor


@pytest.mark.parametrize("name", [
    "", "......", "      ", "------", "TK001A", "CN000A", "CN....", "CN1..A", "CN.1KA", "CN5m0A", "CN.01A", "cn100A",
    "CN1x0A", "CN1000A", "C1100A", "\xff" * 6,
])  # fmt: skip
def test_no_coin(name: str) -> None:
    assert coin(1, name, None) is None


@pytest.mark.parametrize(("name", "scaling", "minor", "currency"), [
    ("CN0100A", Scaling(100, 2), 10_000, "CNY"),
    ("CN0010A", Scaling(1, 0), 1_000, "CNY"),
    ("EU0005A", Scaling(100, 2), 500, "EUR"),
    ("XO0010A", Scaling(1000, 0), 10, "XO"),
    ("JP0010A", Scaling(100, 0), 1_000, "JPY"),
    ("JP0010A", Scaling(10_000, 2), 1_000, "JPY"),
])  # fmt: skip
def test_a_bill_is_worth_what_the_scaling_says(name: str, scaling: Scaling, minor: int, currency: str) -> None:
    assert bill(5, name, scaling) == Denomination(5, Money(minor, currency))


@pytest.mark.parametrize(("name", "scaling"), [
    ("CN0100A", None),  # nobody knows what it is worth
    (".......", Scaling(100, 2)),
    ("CN0000A", Scaling(100, 2)),
    ("CN01.0A", Scaling(100, 2)),
    ("CN100A", Scaling(100, 2)),
    ("JP0001A", Scaling(1, 2)),  # a hundredth of a yen
])  # fmt: skip
def test_no_bill(name: str, scaling: Scaling | None) -> None:
    assert bill(1, name, scaling) is None
