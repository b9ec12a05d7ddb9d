"""One voucher from JSON: read exactly, or refused naming the member."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.payments import views
from gateway.payments.outcomes import Outcome
from gateway.payments.service import _BOOK_REFUSALS, PaymentRequest, parse_payment
from gateway.payments.states import PaymentState, Scheme
from kit.http.problems import Problem
from kit.ids import uuid7

AMOUNT = st.integers(1, (1 << 128) - 1)
REFERENCE = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=128),
)
REQUESTS = st.builds(
    PaymentRequest,
    st.binary(min_size=32, max_size=32),
    AMOUNT,
    st.binary(min_size=65, max_size=65),
    AMOUNT,
    REFERENCE,
)


def document_of(request: PaymentRequest) -> dict[str, Any]:
    voucher = {
        "channelId": "0x" + request.channel_id.hex(),
        "maxClaimableAmount": str(request.max_claimable),
        "signature": "0x" + request.signature.hex(),
    }
    document = {"voucher": voucher, "amount": str(request.amount)}
    return document if request.reference is None else document | {"reference": request.reference}


@given(REQUESTS)
def test_what_is_written_is_read(request: PaymentRequest) -> None:
    assert parse_payment(json.loads(json.dumps(document_of(request)))) == request


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["voucher", "amount", "reference", "channelId", "x"]), inner, max_size=4),
    ),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_any_json_is_read_or_refused(document: object) -> None:
    try:
        parsed = parse_payment(document)
    except Problem as problem:
        assert (problem.status, problem.code) == (400, "invalid_request")
        assert problem.members["member"]
    else:
        assert document_of(parsed) == document


@given(REQUESTS, REQUESTS)
def test_hashes_tell_requests_apart(one: PaymentRequest, other: PaymentRequest) -> None:
    def identity(request: PaymentRequest) -> tuple[object, ...]:
        return request.channel_id, request.max_claimable, request.amount, request.reference

    assert (one.request_hash() == other.request_hash()) is (identity(one) == identity(other))


def test_hashes_tell_small_differences_apart() -> None:
    base = PaymentRequest(bytes(32), 5, bytes(65), 5, None)
    others = [
        PaymentRequest(bytes(31) + b"\x01", 5, bytes(65), 5, None),
        PaymentRequest(bytes(32), 6, bytes(65), 5, None),
        PaymentRequest(bytes(32), 5, bytes(65), 6, None),
        PaymentRequest(bytes(32), 5, bytes(65), 5, "\x01"),
        PaymentRequest(bytes(32), 5, bytes(65), 5, "a"),
        PaymentRequest(bytes(32), 5, bytes(65), 5, "ab"),
    ]
    assert len({request.request_hash() for request in [base, *others]}) == 7
    assert PaymentRequest(bytes(32), 5, b"\x01" * 65, 5, None).request_hash() == base.request_hash(), (
        "the same voucher signed again is the same request"
    )


def test_every_outcome_that_refuses_has_words() -> None:
    said = {Outcome.CAPTURED, Outcome.REPLAY, Outcome.KEY_UNUSABLE, Outcome.IDEMPOTENCY_CONFLICT}
    assert set(_BOOK_REFUSALS) == set(Outcome) - said


@given(st.uuids())
def test_public_ids(identifier: UUID) -> None:
    assert views.parse_public_id(views.public_id(identifier)) == identifier


@given(st.one_of(st.text(), st.text().map("pay_".__add__), st.text(min_size=32, max_size=32).map("pay_".__add__)))
def test_public_ids_have_one_spelling(text: str) -> None:
    parsed = views.parse_public_id(text)
    assert parsed is None or views.public_id(parsed) == text


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("state", PaymentState)
def test_every_scheme_and_state_can_be_shown(scheme: Scheme, state: PaymentState) -> None:
    shown = views.document(
        uuid7(),
        scheme=scheme,
        state=state,
        amount=(1 << 128) - 1,
        chain_id=1,
        token=bytes(20),
        payer=bytes(20),
        channel_id=None,
        cumulative=None,
        reference=None,
    )
    assert shown["amount"] == str((1 << 128) - 1)
    assert shown["state"] == state.name.lower()
    assert json.loads(json.dumps(shown)) == shown
