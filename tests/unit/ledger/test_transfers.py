"""What a transfer has to be before it reaches the book, and what a recorded change may say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.ids import uuid7
from kit.ledger.book import MAX_LEGS_A_POSTING, Leg, Transfer, Unbalanced, post
from kit.ledger.changes import canonical


@pytest.mark.parametrize(
    "amounts", [(), (5,), (0,), (5, 5), (5, -4), (0, 0), (5, 0, -5), (1 << 128, -(1 << 128) + 1)]
)
def test_legs_that_do_not_balance_are_refused(amounts: tuple[int, ...]) -> None:
    with pytest.raises(Unbalanced):
        Transfer(1, uuid7(), 1, tuple(Leg(number, amount) for number, amount in enumerate(amounts)))


@given(st.lists(st.integers(-(1 << 128), 1 << 128).filter(bool), min_size=1, max_size=6))
def test_legs_that_balance_are_a_transfer(amounts: list[int]) -> None:
    rest = -sum(amounts)
    whole = [*amounts, rest] if rest else [*amounts, 1, -1]
    assert Transfer(1, uuid7(), 1, tuple(Leg(1, amount) for amount in whole)).legs


def test_one_posting_has_a_limit() -> None:
    legs = (Leg(1, 1), Leg(2, -1)) * (MAX_LEGS_A_POSTING // 2 + 1)
    with pytest.raises(ValueError, match="20000 are the most"):
        post(None, [Transfer(1, uuid7(), 1, legs)])  # type: ignore[arg-type]


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
def test_canonical_json_has_one_spelling(body: dict[str, object]) -> None:
    text = canonical(body)
    assert json.loads(text) == body
    assert canonical(dict(reversed(body.items()))) == text


def test_canonical_json_sorts_and_wastes_no_space() -> None:
    assert canonical({"b": ["é", 1], "a": {"d": None, "c": True}}) == '{"a":{"c":true,"d":null},"b":["é",1]}'


@pytest.mark.parametrize("value", [1.0, float("nan"), [1.5], {"a": [{"b": 0.1}]}, (2.0,), b"bytes", {1, 2}, object()])
def test_floats_and_strangers_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"amount": value})
