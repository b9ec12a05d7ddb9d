"""Fees: never above the cap, and a replacement is never below what nodes take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kit.chain.fees import GWEI, FeePolicy, Fees, bounded, raised

WEI = st.integers(0, 10_000 * GWEI)


@given(WEI, WEI, st.integers(1, 1_000 * GWEI))
def test_no_fee_exceeds_the_cap(base: int, tip: int, cap: int) -> None:
    fees = bounded(base, tip, FeePolicy(cap=cap))
    assert 0 <= fees.priority_fee <= fees.max_fee <= cap


@given(WEI, WEI, WEI, st.integers(1, 20_000 * GWEI))
def test_a_replacement_is_an_eighth_above_or_does_not_happen(old: int, wanted: int, tip: int, cap: int) -> None:
    policy = FeePolicy(cap=cap)
    before = Fees(old, min(tip, old))
    after = raised(before, Fees(wanted, min(wanted, policy.tip_cap)), policy)
    if after is None:
        assert before.max_fee * 1125 // 1000 + 2 > cap or before.priority_fee * 1125 // 1000 + 2 > cap
        return
    assert after.max_fee * 1000 >= before.max_fee * 1125
    assert after.priority_fee * 1000 >= before.priority_fee * 1125
    assert after.priority_fee <= after.max_fee <= cap


def test_a_replacement_asks_for_what_the_market_asks() -> None:
    after = raised(Fees(10, 1), Fees(100, 2), FeePolicy(cap=1_000))
    assert after == Fees(100, 3)
