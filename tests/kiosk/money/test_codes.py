"""A code is secret, and one slip in typing it is noticed at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.money.codes import ALPHABET, LENGTH, CodeBook, CodeError, grouped

BOOK = CodeBook(bytes(32), "incarnation")
CLAIMS = st.integers(1, 10**9)


@given(CLAIMS)
def test_a_code_is_recognised_as_its_claim_s_own(claim: int) -> None:
    text = BOOK.text(claim)
    assert len(text) == LENGTH
    assert BOOK.recognise(text) == BOOK.code(claim)
    assert BOOK.recognise(grouped(text).lower()) == BOOK.code(claim)
    assert BOOK.code(claim).tail == text[-4:]


@given(CLAIMS, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_any_one_wrong_character_is_noticed(claim: int, place: int, typed: str) -> None:
    text = BOOK.text(claim)
    wrong = text[:place] + typed + text[place + 1 :]
    if wrong == text:
        return
    with pytest.raises(CodeError, match="last character"):
        BOOK.recognise(wrong)


@given(CLAIMS, st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1))
def test_any_two_exchanged_characters_are_noticed(claim: int, one: int, other: int) -> None:
    symbols = list(BOOK.text(claim))
    if symbols[one] == symbols[other]:
        return
    symbols[one], symbols[other] = symbols[other], symbols[one]
    with pytest.raises(CodeError):
        BOOK.recognise("".join(symbols))


def test_look_alikes_are_forgiven() -> None:
    text = next(BOOK.text(claim) for claim in range(1, 1000) if "0" in BOOK.text(claim) and "1" in BOOK.text(claim))
    assert BOOK.recognise(text.replace("0", "O").replace("1", "l")) == BOOK.recognise(text)


@pytest.mark.parametrize("typed", ["", "1234", "0" * 13, "ABCD-EFGH-JKM?", "\uff10" * 12])
def test_what_is_no_code_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(CodeError, match="12 letters"):
        BOOK.recognise(typed)


def test_codes_tell_nothing_of_each_other_or_of_other_machines() -> None:
    assert len({BOOK.text(claim) for claim in range(20_000)}) == 20_000
    assert CodeBook(b"another" * 4, "incarnation").text(1) != BOOK.text(1)
    assert CodeBook(bytes(32), "adopted").text(1) != BOOK.text(1)
    # The digest belongs to the code alone: a slip printed before the journal was adopted is still recognised.
    assert CodeBook(bytes(32), "adopted").recognise(BOOK.text(1)) == BOOK.code(1)
