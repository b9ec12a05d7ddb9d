"""The table of states: every pair is either allowed or refused, and what is final never moves."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.chain.transactions import ALLOWED, PENDING, TransactionState

S = TransactionState
EXPECTED = {
    S.REQUESTED: {S.SIGNED, S.LAPSED},
    S.SIGNED: {S.BROADCAST, S.MINED, S.REVERTED, S.REPLACED, S.LAPSED},
    S.BROADCAST: {S.BROADCAST, S.MINED, S.REVERTED, S.REPLACED, S.LAPSED},
    S.MINED: {S.BROADCAST, S.MINED, S.REVERTED, S.REPLACED, S.LAPSED},
    S.REVERTED: {S.BROADCAST, S.MINED, S.REVERTED, S.REPLACED, S.LAPSED},
    S.LAPSED: {S.BROADCAST, S.MINED, S.REVERTED, S.REPLACED, S.LAPSED, S.REQUESTED},
    S.REPLACED: {S.REQUESTED},
}


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_every_pair(before: TransactionState, after: TransactionState) -> None:
    assert (after in ALLOWED[before]) == (after in EXPECTED[before])


def test_a_signed_transaction_is_never_asked_for_again_while_it_may_be_mined() -> None:
    """Going back to requested would give it a second nonce."""
    for state in (S.SIGNED, S.BROADCAST, S.MINED, S.REVERTED):
        assert S.REQUESTED not in ALLOWED[state]


@given(st.lists(st.sampled_from(S), max_size=30))
def test_no_walk_signs_twice_without_an_end_in_between(walk: list[TransactionState]) -> None:
    at, signatures_open = S.REQUESTED, 0
    for wanted in walk:
        if wanted not in ALLOWED[at]:
            continue
        at = wanted
        if at is S.SIGNED:
            signatures_open += 1
        if at is S.REQUESTED:
            signatures_open = 0
        assert signatures_open <= 1


def test_unknown_outcomes_are_pending() -> None:
    assert {S.REQUESTED, S.SIGNED, S.BROADCAST} == PENDING
