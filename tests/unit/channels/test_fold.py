"""Chain events folded into a channel's state: any sequence, taken back in reverse, leaves what was there before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.fold import (
    ChannelState,
    Claimed,
    Deposited,
    Event,
    OutOfOrder,
    Refunded,
    Settled,
    WithdrawFinalized,
    WithdrawInitiated,
    apply,
    undo,
)

AMOUNTS = st.integers(1, 2**128 - 1)
EVENTS = st.one_of(
    st.builds(Deposited, AMOUNTS),
    st.builds(Claimed, AMOUNTS),
    st.just(Settled()),
    st.builds(Refunded, AMOUNTS),
    st.builds(WithdrawInitiated, AMOUNTS, st.integers(1, 2**40 - 1)),
    st.builds(WithdrawFinalized, st.integers(0, 2**128 - 1)),
)


def possible(state: ChannelState, event: Event) -> bool:
    """What the contract lets happen."""
    free = state.credited - state.claimed
    match event:
        case Claimed(amount) | Refunded(amount):
            return amount <= free
        case WithdrawInitiated(amount, _):
            return amount <= free and state.withdraw_requested_at == 0
        case WithdrawFinalized(amount):
            return amount <= free and state.withdraw_requested_at != 0 and amount <= state.withdraw_amount
        case _:
            return True


def smaller(state: ChannelState, event: Event) -> Event:
    """The event cut down to what is possible, so that sequences get somewhere."""
    free = state.credited - state.claimed
    if isinstance(event, Claimed | Refunded | WithdrawInitiated) and event.amount > free > 0:
        return replace(event, amount=1 + event.amount % free)
    if isinstance(event, WithdrawFinalized):
        return replace(event, amount=min(event.amount, free, state.withdraw_amount))
    return event


@given(st.lists(EVENTS, max_size=30), st.data())
def test_undoing_in_reverse_restores_every_state(events: list[Event], data: st.DataObject) -> None:
    state, done = ChannelState(), []
    for drawn in events:
        event = smaller(state, drawn)
        if possible(state, event):
            before = state
            state, effect = apply(state, event)
            done.append((before, event, effect))
    back_to = data.draw(st.integers(0, len(done)))
    for before, event, effect in reversed(done[back_to:]):
        state = undo(state, event, effect)
        assert state == before


@given(st.lists(EVENTS, max_size=20), AMOUNTS)
def test_payments_in_between_survive_an_undo(events: list[Event], paid: int) -> None:
    state = ChannelState(credited=2**127)
    for drawn in events:
        event = smaller(state, drawn)
        if possible(state, event):
            after, effect = apply(state, event)
            charged = replace(after, charged=after.charged + paid)
            assert undo(charged, event, effect) == replace(state, charged=state.charged + paid)
            state = after


@given(st.lists(EVENTS, max_size=30))
def test_nothing_ever_falls_below_zero_and_claims_are_charged(events: list[Event]) -> None:
    state = ChannelState()
    for drawn in events:
        event = smaller(state, drawn)
        if possible(state, event):
            state, _ = apply(state, event)
            assert min(state.credited, state.charged, state.claimed, state.settled, state.withheld) >= 0
            assert state.settled <= state.claimed <= state.charged
            assert state.deficit == max(0, state.charged - state.credited)
            assert state.withheld == state.withdraw_amount


def test_a_refund_ends_a_withdrawal_that_it_covers_and_shrinks_another() -> None:
    state = ChannelState(credited=100)
    state, _ = apply(state, WithdrawInitiated(60, 1_700_000_000))
    shrunk, _ = apply(state, Refunded(20))
    assert (shrunk.withdraw_amount, shrunk.withheld, shrunk.withdraw_requested_at) == (40, 40, 1_700_000_000)
    ended, _ = apply(state, Refunded(60))
    assert (ended.withdraw_amount, ended.withheld, ended.withdraw_requested_at) == (0, 0, 0)
    assert ended.refund_nonce == 1


def test_a_late_claim_leaves_a_deficit_not_an_error() -> None:
    """A6 gone wrong: the withdrawal was finalized before the claim."""
    state = ChannelState(credited=100, charged=80, withheld=50, withdraw_amount=50, withdraw_requested_at=1)
    state, _ = apply(state, WithdrawFinalized(50))
    assert state.deficit == 30


def test_more_than_there_is_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        apply(ChannelState(credited=5), Refunded(6))
