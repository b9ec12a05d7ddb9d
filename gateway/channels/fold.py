"""How a channel's state follows the chain's events: pure, and every step can be taken back.

Amounts are in the token's smallest unit. Undoing is the exact opposite of applying, also when other events or
payments came between, since every step only adds and subtracts what it changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Effect = Mapping[str, Any]


class OutOfOrder(Exception):
    """An event takes more than the channel has: one before it has not been seen."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The numbers of channel_states, as its migration explains them."""

    credited: int = 0
    charged: int = 0
    claimed: int = 0
    settled: int = 0
    withheld: int = 0
    withdraw_requested_at: int = 0
    withdraw_amount: int = 0
    refund_nonce: int = 0

    @property
    def deficit(self) -> int:
        """Captured, and no longer covered by what the chain holds."""
        return max(0, self.charged - self.credited)


@dataclass(frozen=True, slots=True)
class Deposited:
    amount: int


@dataclass(frozen=True, slots=True)
class Claimed:
    amount: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The receiver's whole claimed total was paid out."""


@dataclass(frozen=True, slots=True)
class Refunded:
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawInitiated:
    """`requested_at` in unix seconds."""

    amount: int
    requested_at: int


@dataclass(frozen=True, slots=True)
class WithdrawFinalized:
    amount: int


Event = Deposited | Claimed | Settled | Refunded | WithdrawInitiated | WithdrawFinalized


def apply(state: ChannelState, event: Event) -> tuple[ChannelState, Effect]:
    """The state after the event, and what `undo` needs. Raises OutOfOrder."""
    match event:
        case Deposited(amount):
            return replace(state, credited=state.credited + amount), {}
        case Claimed(amount):
            claimed = state.claimed + amount
            outside = max(0, claimed - state.charged)
            after = replace(state, claimed=claimed, charged=state.charged + outside)
            return after, {"outside": outside}
        case Settled():
            paid = state.claimed - state.settled
            return replace(state, settled=state.claimed), {"paid": paid}
        case Refunded(amount):
            after, effect = _lower_withdrawal(_debited(state, amount), amount)
            return replace(after, refund_nonce=state.refund_nonce + 1), effect
        case WithdrawInitiated(amount, requested_at):
            return _with_withdrawal(state, amount, requested_at), {}
        case WithdrawFinalized(amount):
            return _lower_withdrawal(_debited(state, amount), state.withdraw_amount)


def undo(state: ChannelState, event: Event, effect: Effect) -> ChannelState:
    """The state without the event."""
    match event:
        case Deposited(amount):
            # Captured payments may now stand on nothing: that is the deficit, which a later deposit fills.
            return replace(state, credited=state.credited - amount)
        case Claimed(amount):
            charged = state.charged - int(effect["outside"])
            return replace(state, claimed=state.claimed - amount, charged=charged)
        case Settled():
            return replace(state, settled=state.settled - int(effect["paid"]))
        case Refunded(amount):
            back = replace(state, credited=state.credited + amount, refund_nonce=state.refund_nonce - 1)
            return _restore_withdrawal(back, effect)
        case WithdrawInitiated(amount, _):
            return replace(state, withheld=state.withheld - amount, withdraw_amount=0, withdraw_requested_at=0)
        case WithdrawFinalized(amount):
            return _restore_withdrawal(replace(state, credited=state.credited + amount), effect)


def _debited(state: ChannelState, amount: int) -> ChannelState:
    if amount > state.credited:
        raise OutOfOrder(f"{amount} leave a channel that holds {state.credited}")
    return replace(state, credited=state.credited - amount)


def _with_withdrawal(state: ChannelState, amount: int, requested_at: int) -> ChannelState:
    withheld = state.withheld + amount
    return replace(state, withheld=withheld, withdraw_amount=amount, withdraw_requested_at=requested_at)


def _lower_withdrawal(state: ChannelState, amount: int) -> tuple[ChannelState, Effect]:
    """A refund shrinks a pending withdrawal, or ends it when it covers it whole."""
    lowered = min(amount, state.withdraw_amount)
    left = state.withdraw_amount - lowered
    effect = {"lowered": lowered, "requested_at": state.withdraw_requested_at}
    after = replace(
        state,
        withheld=state.withheld - lowered,
        withdraw_amount=left,
        withdraw_requested_at=state.withdraw_requested_at if left else 0,
    )
    return after, effect


def _restore_withdrawal(state: ChannelState, effect: Effect) -> ChannelState:
    lowered = int(effect["lowered"])
    return replace(
        state,
        withheld=state.withheld + lowered,
        withdraw_amount=state.withdraw_amount + lowered,
        withdraw_requested_at=int(effect["requested_at"]),
    )
