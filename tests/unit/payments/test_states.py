"""The table of a payment's states, whole."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.payments.states import TRANSITIONS, PaymentState, TransitionNotAllowed, transition

S = PaymentState
ALLOWED = {
    (S.REQUIRES_PAYMENT, S.AUTHORIZED),
    (S.REQUIRES_PAYMENT, S.CAPTURED),
    (S.REQUIRES_PAYMENT, S.EXPIRED),
    (S.REQUIRES_PAYMENT, S.FAILED),
    (S.AUTHORIZED, S.CAPTURED),
    (S.AUTHORIZED, S.EXPIRED),
    (S.AUTHORIZED, S.FAILED),
    (S.CAPTURED, S.SETTLED),
    (S.CAPTURED, S.REFUNDED),
    (S.CAPTURED, S.PARTIALLY_REFUNDED),
    (S.CAPTURED, S.AUTHORIZED),  # a reorganisation removed the block of an exact payment
    (S.CAPTURED, S.FAILED),
    (S.SETTLED, S.REFUNDED),
    (S.SETTLED, S.PARTIALLY_REFUNDED),
    (S.SETTLED, S.CAPTURED),  # a reorganisation removed the settle
    (S.PARTIALLY_REFUNDED, S.REFUNDED),
}
STORED = {
    "REQUIRES_PAYMENT": 1,
    "AUTHORIZED": 2,
    "CAPTURED": 3,
    "SETTLED": 4,
    "EXPIRED": 5,
    "FAILED": 6,
    "REFUNDED": 7,
    "PARTIALLY_REFUNDED": 8,
}


@pytest.mark.parametrize(("current", "target"), list(product(S, S)), ids=lambda state: state.name.lower())
def test_every_pair(current: PaymentState, target: PaymentState) -> None:
    if (current, target) in ALLOWED:
        assert transition(current, target) is target
    else:
        with pytest.raises(TransitionNotAllowed, match=f"from {current.name.lower()} to {target.name.lower()}"):
            transition(current, target)


def test_the_table_speaks_of_every_state() -> None:
    assert set(TRANSITIONS) == set(S)


def test_the_numbers_that_rows_hold_never_change() -> None:
    assert {state.name: state.value for state in S} == STORED


def test_money_that_ended_does_not_come_back() -> None:
    for final in (S.EXPIRED, S.FAILED, S.REFUNDED):
        assert not TRANSITIONS[final]
