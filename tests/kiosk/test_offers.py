"""Prices that cash can pay exactly, ladders for whoever walks away, and terms that the books can bear."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk.amount import Money, zero
from kiosk.config import Cash
from kiosk.flow.facts import WalkedAway
from kiosk.flow.terms import Excess, Route, Rung
from kiosk.offers import Choices, Fixed, Free, Offer, OfferError, cash_price, excess_choices, judge, saving, terms
from tests.kiosk.flow.stage import Stage


def cny(text: str) -> Money:
    """So many yuan and fen."""
    whole, _, part = text.partition(".")
    return Money(int(whole) * 100 + int(part or "0"), "CNY")


def all_of(*texts: str) -> tuple[Money, ...]:
    return tuple(map(cny, texts))


CASH = Cash(
    limit=cny("1000"),
    overpay_limit=cny("100"),
    accept=all_of("1", "5", "10", "20", "50", "100"),
)
ROUTES = (Route("cmcc", resend_safe=True), Route("reseller", resend_safe=False))
FIFTY = Offer("fifty", ("sim",), ROUTES, Fixed(cny("50"), cny("49.85"), cny("100")), cny("0"), "arrives_at_once")
THIRTY = replace(FIFTY, key="thirty", amount=Fixed(cny("30"), cny("29.95")))
TEN = replace(FIFTY, key="ten", amount=Fixed(cny("10"), cny("9.99")))
ANY = replace(FIFTY, key="any", amount=Free(cny("10"), cny("500"), cny("10"), 30))
SIM = Choices("sim")


# The cash price ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "accept", "expected"),
    [
        ("49.85", ("1", "5", "10", "20", "50", "100"), "49"),
        ("49.85", ("0.10", "1", "5"), "49.80"),
        ("49.85", ("20", "50"), "40"),
        ("50", ("20", "50"), "50"),
        ("30", ("20", "50"), "20"),
        ("110", ("20", "50"), "110"),
        ("19.99", ("20", "50"), "0"),
        ("49.85", (), "0"),
        ("0.29", ("0.06", "0.10", "0.15"), "0.28"),
        ("0.29", ("0.10", "0.15"), "0.25"),
        ("9999999999999.99", ("0.06", "0.10", "0.15"), "9999999999999.99"),
    ],
)
def test_what_cash_pays(price: str, accept: Sequence[str], expected: str) -> None:
    assert cash_price(cny(price), all_of(*accept)) == cny(expected)


def payable(price: int, worths: frozenset[int]) -> set[int]:
    """Every amount up to the price that these pieces can make, by trying all of them."""
    reached = {0}
    for amount in range(1, price + 1):
        if any(amount - worth in reached for worth in worths):
            reached.add(amount)
    return reached


@given(st.integers(0, 600), st.frozensets(st.integers(1, 120), max_size=5))
@settings(max_examples=400)
def test_the_cash_price_is_the_most_that_can_be_paid_exactly(price: int, worths: frozenset[int]) -> None:
    found = cash_price(Money(price, "CNY"), [Money(worth, "CNY") for worth in worths])
    assert found == Money(max(payable(price, worths)), "CNY")


@given(st.integers(0, 10**15), st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_it_stays_exact_however_high_the_price(price: int, worths: list[int]) -> None:
    """Beyond the product of two pieces every amount repeats with the smallest one, so it may be taken off again."""
    smallest, beyond = min(worths), max(worths) * min(worths)
    found = cash_price(Money(price, "CNY"), [Money(worth, "CNY") for worth in worths])
    lower = price - max(price - beyond, 0) // smallest * smallest
    assert price - found.minor == lower - max(payable(lower, frozenset(worths)))


def test_denominations_that_cannot_be_are_refused() -> None:
    for accept in ([cny("1"), cny("0")], [Money(-100, "CNY")]):
        with pytest.raises(OfferError, match="is no note and no coin"):
            cash_price(cny("50"), accept)
    with pytest.raises(OfferError, match="so little in common"):
        cash_price(cny("99999"), [Money(100_003, "CNY"), Money(100_019, "CNY")])


# The ladder ----------------------------------------------------------------------------------------------------------


def rungs(*pairs: tuple[str, str]) -> tuple[Rung, ...]:
    return tuple(Rung(cny(price), cny(face)) for price, face in pairs)


def test_smaller_offers_are_rungs_at_their_cash_price() -> None:
    assert terms(FIFTY, SIM, CASH, [FIFTY, TEN, THIRTY]).ladder == rungs(("9", "10"), ("29", "30"))
    assert terms(TEN, SIM, CASH, [FIFTY, TEN, THIRTY]).ladder == ()


@pytest.mark.parametrize(
    "other",
    [
        replace(TEN, cards=("data",)),
        replace(TEN, routes=ROUTES[1:]),
        replace(TEN, fee=cny("1")),
        replace(TEN, walk_away=False),
        replace(TEN, amount=Fixed(cny("50"), cny("40"))),
    ],
    ids=["another card", "another way", "another fee", "not for leavers", "not less"],
)
def test_what_cannot_be_had_the_same_way_is_no_rung(other: Offer) -> None:
    assert terms(FIFTY, SIM, CASH, [other]).ladder == ()


def test_a_dearer_rung_never_gives_less() -> None:
    poor = replace(TEN, key="poor", amount=Fixed(cny("8"), cny("8")))
    dear = replace(TEN, key="dear", amount=Fixed(cny("20"), cny("20")), fee=cny("0"))
    cheap = replace(TEN, key="cheap", amount=Fixed(cny("25"), cny("15")))
    assert terms(FIFTY, SIM, CASH, [poor, dear, cheap]).ladder == rungs(("8", "8"), ("15", "25"))


def test_a_free_amount_is_climbed_in_its_steps() -> None:
    found = terms(ANY, replace(SIM, face=cny("40")), CASH, [ANY])
    assert found.price == cny("39.88")
    assert found.cash_price == cny("39")
    assert found.ladder == rungs(("9", "10"), ("19", "20"), ("29", "30"))


def test_a_long_range_has_a_limited_ladder_from_its_lower_end() -> None:
    wide = replace(ANY, amount=Free(cny("1"), cny("10000"), cny("1")))
    found = terms(wide, replace(SIM, face=cny("10000")), CASH, [wide]).ladder
    assert found[0] == Rung(cny("1"), cny("1"))
    assert 25 <= len(found) <= 51
    assert found[-1].price >= cny("9000")


def test_nobody_gets_what_they_left_where_config_or_offer_forbids_it() -> None:
    assert terms(FIFTY, SIM, replace(CASH, walk_away="owed"), [TEN]).ladder == ()
    assert terms(replace(FIFTY, walk_away=False), SIM, CASH, [TEN]).ladder == ()


# Terms ---------------------------------------------------------------------------------------------------------------


def test_terms_say_all_that_is_agreed() -> None:
    found = terms(FIFTY, SIM, CASH)
    assert (found.face, found.price, found.cash_price, found.fee) == (cny("50"), cny("49.85"), cny("49"), cny("0"))
    assert (found.routes, found.accept) == (ROUTES, CASH.accept)
    assert (found.cash_limit, found.overpay_limit, found.face_max) == (cny("1000"), cny("100"), cny("100"))
    assert (found.excess, found.slip) == ("owed", True)
    assert saving(FIFTY, cny("50")) == cny("0.15")


def test_where_no_note_is_small_enough_cash_is_not_offered() -> None:
    found = terms(TEN, SIM, replace(CASH, accept=all_of("20", "50")), [TEN])
    assert (found.accept, found.cash_price, found.ladder) == ((), cny("9.99"), ())


def test_the_fee_is_not_for_sale_alone() -> None:
    """Ten yuan and a fee of two, where only tens are taken: ten in cash covers both, and the operator bears two."""
    with_fee = replace(TEN, fee=cny("2"), amount=Fixed(cny("10"), cny("12")))
    assert terms(with_fee, SIM, replace(CASH, accept=all_of("10"))).cash_price == cny("10")
    dear = replace(TEN, fee=cny("10"), amount=Fixed(cny("10"), cny("19")))
    assert terms(dear, SIM, replace(CASH, accept=all_of("10"))).accept == ()


@pytest.mark.parametrize(
    ("offer", "config", "chosen", "expected"),
    [
        (FIFTY, CASH, None, "owed"),
        (FIFTY, CASH, "added", "added"),
        (FIFTY, replace(CASH, excess="added"), None, "added"),
        (replace(FIFTY, excess=("owed",)), replace(CASH, excess="added"), None, "owed"),
        (THIRTY, replace(CASH, excess="added"), None, "owed"),
        (replace(FIFTY, excess=("owed",)), replace(CASH, excess="added", excess_choices=("added",)), None, "owed"),
    ],
    ids=["default", "chosen", "default added", "offer forbids", "nothing to add to", "nothing allowed"],
)
def test_excess_is_what_config_and_offer_allow(
    offer: Offer, config: Cash, chosen: Excess | None, expected: Excess
) -> None:
    found = terms(offer, replace(SIM, excess=chosen), config)
    assert found.excess == expected
    assert found.excess in found.excess_choices


def test_excess_that_is_not_allowed_is_refused() -> None:
    assert excess_choices(THIRTY, CASH, None) == ["owed"]
    with pytest.raises(OfferError, match='thirty: cash beyond the price cannot be "added"\n  remedy: choose owed'):
        terms(THIRTY, replace(SIM, excess="added"), CASH)


@pytest.mark.parametrize(
    ("offer", "problem"),
    [
        (replace(FIFTY, fee=cny("49.85")), "49.85 CNY is not above the fee of 49.85 CNY"),
        (replace(FIFTY, fee=Money(-1, "CNY")), "a fee of -0.01 CNY is none"),
        (replace(FIFTY, fee=Money(0, "USD")), "it mixes CNY and USD"),
        (replace(FIFTY, routes=()), "nobody delivers it"),
        (replace(FIFTY, amount=Fixed(cny("50"), cny("51"))), "51.00 CNY is more than 50.00 CNY and the fee"),
        (replace(FIFTY, amount=Fixed(cny("50"), cny("50"), cny("49"))), "no more than 49.00 CNY can be added"),
        (replace(FIFTY, amount=Fixed(zero("CNY"), zero("CNY"))), "0.00 CNY is nothing to top up"),
        (replace(FIFTY, amount=Free(cny("50"), cny("20"), cny("10"))), "from 50.00 CNY to 20.00 CNY"),
        (
            replace(FIFTY, amount=Free(cny("10"), cny("20"), cny("0"))),
            "from 10.00 CNY to 20.00 CNY in steps of 0.00 CNY",
        ),
        (replace(FIFTY, amount=Free(cny("10"), cny("20"), cny("10"), 10_000)), "a discount of 10000"),
        (replace(FIFTY, amount=Free(cny("10"), Money(2000, "HKD"), cny("10"))), "it mixes CNY and HKD"),
    ],
)
def test_a_line_that_would_harm_the_books_is_refused(offer: Offer, problem: str) -> None:
    for sold, listed in ((offer, ()), (FIFTY, (offer,))):
        with pytest.raises(OfferError) as caught:
            terms(sold, SIM, CASH, listed)
        assert caught.value.problem.startswith(f"fifty: {problem}")
        assert caught.value.remedy


@pytest.mark.parametrize("face", ["5", "15", "510", "10.01"])
def test_a_free_amount_outside_its_range_is_refused(face: str) -> None:
    with pytest.raises(OfferError, match=r"any cannot be had for .*\n.*from 10.00 CNY to 500.00 CNY in steps of 10.00"):
        terms(ANY, replace(SIM, face=cny(face)), CASH)


def test_a_free_amount_in_another_currency_is_refused() -> None:
    with pytest.raises(OfferError, match=r"any cannot be had for 40\.00 HKD"):
        terms(ANY, replace(SIM, face=Money(4000, "HKD")), CASH)


def test_an_offer_is_for_its_own_kinds_of_card() -> None:
    with pytest.raises(OfferError, match="fifty is not for a card of the kind esim"):
        terms(FIFTY, Choices("esim"), CASH)


MINOR = st.integers(1, 20_000).map(lambda minor: Money(minor, "CNY"))
FEES = st.sampled_from([cny("0"), cny("0.50"), cny("3")])
FIXED = st.tuples(MINOR, MINOR, FEES, st.booleans()).map(
    lambda drawn: replace(FIFTY, amount=Fixed(drawn[0], drawn[1]), fee=drawn[2], walk_away=drawn[3])
)
FREE = st.tuples(MINOR, MINOR, MINOR, st.integers(0, 9_999), FEES).map(
    lambda drawn: replace(ANY, amount=Free(*drawn[:4]), fee=drawn[4])
)


@given(st.lists(FIXED | FREE, min_size=1, max_size=6), st.sets(st.sampled_from(all_of("0.01", "0.30", "1", "5", "20"))))
@settings(max_examples=400)
def test_terms_that_come_out_can_be_booked(offers: list[Offer], accept: set[Money]) -> None:
    config = replace(CASH, accept=tuple(accept))
    sound: list[Offer] = []
    for offer in offers:
        try:
            judge(offer, config)
        except OfferError:
            continue
        sound.append(offer)
    for offer in sound:
        found = terms(offer, SIM, config, sound)
        assert found.fee < found.cash_price <= found.price <= found.face + found.fee
        assert found.face_max is None or found.face <= found.face_max
        assert not found.accept or found.cash_price == cash_price(found.price, accept)
        prices = [rung.price for rung in found.ladder]
        faces = [rung.face for rung in found.ladder]
        assert prices == sorted(set(prices))
        assert faces == sorted(set(faces))
        for rung in found.ladder:
            assert found.fee < rung.price < found.cash_price
            assert rung.price <= rung.face + found.fee
            assert rung.face < found.face
            assert rung.price == cash_price(rung.price, accept)


# On the books --------------------------------------------------------------------------------------------------------


def test_the_cash_price_is_paid_exactly_and_nothing_is_owed() -> None:
    stage = Stage()
    sale = stage.cash_sale(terms(FIFTY, SIM, CASH))
    stage.insert(20, 20, 5, 1, 1, 1, 1)
    assert stage.state(sale) == "delivering"
    assert stage.counted("owed/issued") == 0


def test_whoever_walks_away_gets_the_best_rung_that_is_covered() -> None:
    stage = Stage()
    sale = stage.cash_sale(terms(FIFTY, SIM, CASH, [FIFTY, TEN, THIRTY]))
    stage.insert(20, 20)
    stage.say(WalkedAway(sale))
    assert stage.state(sale) == "delivering"
    assert stage.counted("sale/delivered_after_leaving") == cny("29").minor
    assert stage.counted("owed/issued") == cny("11").minor
