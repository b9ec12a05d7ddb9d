"""One spelling of a number, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.amounts import UINT128_MAX, UINT256_MAX, InvalidAmount, parse_positive, parse_uint


@given(st.integers(0, UINT128_MAX))
def test_the_one_spelling(value: int) -> None:
    assert parse_uint(str(value)) == value


@pytest.mark.parametrize("value", [0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, UINT128_MAX])
def test_edges(value: int) -> None:
    assert parse_uint(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "-0",
        "+1",
        "1e3",
        "1E3",
        "1.0",
        ".1",
        "1.",
        "0.0000001",
        "00",
        "01",
        "0x10",
        "0b1",
        "1_000",
        "1,000",
        " 1",
        "1 ",
        "1\n",
        "\n1",
        "1\x00",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "null",
        "true",
        "١٢٣",
        "1٢",
        "１２",
        "²",
        "Ⅷ",
        "१",
        str(UINT128_MAX + 1),
        "9" * 78,
        "9" * 100_000,
    ],
)
def test_every_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        parse_uint(text)


@pytest.mark.parametrize("value", [1, 0, 1.0, True, None, b"1", ["1"], {"1": 1}, float("nan")])
def test_only_text(value: object) -> None:
    with pytest.raises(InvalidAmount):
        parse_uint(value)


@given(st.text())
def test_any_text_parses_to_what_spells_it(text: str) -> None:
    try:
        value = parse_uint(text)
    except InvalidAmount:
        return
    assert str(value) == text


def test_wider_numbers_where_they_are_allowed() -> None:
    assert parse_uint(str(UINT256_MAX), most=UINT256_MAX) == UINT256_MAX
    with pytest.raises(InvalidAmount):
        parse_uint(str(UINT256_MAX + 1), most=UINT256_MAX)
    with pytest.raises(InvalidAmount):
        parse_uint("11", most=10)


def test_positive_is_at_least_one() -> None:
    assert parse_positive("1") == 1
    with pytest.raises(InvalidAmount):
        parse_positive("0")
