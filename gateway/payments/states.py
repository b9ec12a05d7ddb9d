"""The states of a payment and the only transitions between them (numbers are what the table stores)."""

from __future__ import annotations

from enum import IntEnum


class PaymentState(IntEnum):
    REQUIRES_PAYMENT = 1
    AUTHORIZED = 2
    CAPTURED = 3
    SETTLED = 4
    EXPIRED = 5
    FAILED = 6
    REFUNDED = 7
    PARTIALLY_REFUNDED = 8


class Scheme(IntEnum):
    VOUCHER = 1
    EXACT = 2
    CLAIMED_OUTSIDE = 3


_S = PaymentState

# Captured and settled go back when a reorganisation removes the block they stood on.
TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    _S.REQUIRES_PAYMENT: frozenset({_S.AUTHORIZED, _S.CAPTURED, _S.EXPIRED, _S.FAILED}),
    _S.AUTHORIZED: frozenset({_S.CAPTURED, _S.EXPIRED, _S.FAILED}),
    _S.CAPTURED: frozenset({_S.SETTLED, _S.REFUNDED, _S.PARTIALLY_REFUNDED, _S.AUTHORIZED, _S.FAILED}),
    _S.SETTLED: frozenset({_S.REFUNDED, _S.PARTIALLY_REFUNDED, _S.CAPTURED}),
    _S.EXPIRED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REFUNDED: frozenset(),
    _S.PARTIALLY_REFUNDED: frozenset({_S.REFUNDED}),
}


class TransitionNotAllowed(Exception):
    """A payment cannot go from the one state to the other."""


def transition(current: PaymentState, target: PaymentState) -> PaymentState:
    """`target`, when a payment may go there from `current`. Raises TransitionNotAllowed."""
    if target not in TRANSITIONS[current]:
        raise TransitionNotAllowed(f"a payment cannot go from {current.name.lower()} to {target.name.lower()}")
    return target
