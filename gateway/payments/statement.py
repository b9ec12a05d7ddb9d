"""The `capture_batch` statement: its parameters packed, its rows read, its refusals explained."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq.abc import PGresult

from gateway.payments.outcomes import CaptureRequest, CaptureResult, Outcome
from kit.database import binary
from kit.database.queries import load

_QUERIES = load("gateway.payments")
SQL, _NAMES = binary.positional(_QUERIES.sql("capture_batch"))
_OUTCOMES: dict[bytes | None, Outcome] = {binary.int2(outcome): outcome for outcome in Outcome}
# Limits repeat from payment to payment.
_limit = lru_cache(maxsize=4096)(binary.numeric)


def commitment_of(request: CaptureRequest) -> bytes:
    """What the batch's audit leaf holds of one payment: SHA-256 over its id, channel, maximum, amount and request."""
    return hashlib.sha256(
        request.payment_id.bytes
        + request.channel_id
        + request.voucher_max.to_bytes(32, "big")
        + request.amount.to_bytes(32, "big")
        + request.request_hash
    ).digest()


def pack(requests: Sequence[CaptureRequest], *, batch_id: UUID, shard: int, window_seconds: int) -> list[bytes]:
    """The statement's parameters in the order of its placeholders."""
    values = {
        "payment_id": binary.uuid_array([r.payment_id.bytes for r in requests]),
        "merchant_id": binary.int4_array([r.merchant_id for r in requests]),
        "channel_no": binary.int8_array([r.channel_no for r in requests]),
        "amount": binary.numeric_array([_limit(r.amount) for r in requests]),
        "voucher_max": binary.numeric_array([binary.numeric(r.voucher_max) for r in requests]),
        "signature": binary.bytea_array([r.signature for r in requests]),
        "request_hash": binary.bytea_array([r.request_hash for r in requests]),
        "commitment": binary.bytea_array([commitment_of(r) for r in requests]),
        "idempotency_key": binary.text_array([r.idempotency_key for r in requests]),
        "key_id": binary.int8_array([r.key_id for r in requests]),
        "window_limit": binary.numeric_array([_limit(r.window_most) for r in requests]),
        "exposure_limit": binary.numeric_array([_limit(r.exposure_most) for r in requests]),
        "reference": binary.text_array([r.reference for r in requests]),
        "window_seconds": binary.int4(window_seconds),
        "batch_id": batch_id.bytes,
        "shard": binary.int2(shard),
        "salt": os.urandom(16),
    }
    return [values[name] for name in _NAMES]


def unpack(result: PGresult, requests: Sequence[CaptureRequest]) -> list[CaptureResult]:
    """One result a request, in order. A refused one still lacks its explanation."""
    if result.ntuples != len(requests):
        raise RuntimeError(f"{len(requests)} payments went in and {result.ntuples} outcomes came back")
    results = []
    for row, request in enumerate(requests):
        outcome = _OUTCOMES[result.get_value(row, 0)]
        credited = int(result.get_value(row, 2) or 0)
        if outcome is Outcome.CAPTURED:
            results.append(CaptureResult(outcome, request.voucher_max, credited, request.payment_id))
        else:
            results.append(CaptureResult(outcome, int(result.get_value(row, 1) or 0), credited))
    return results


def explain(
    connection: psycopg.Connection[Any], requests: Sequence[CaptureRequest], results: Sequence[CaptureResult]
) -> list[CaptureResult]:
    """Say of each refused request whether it is a replay, and what the book holds instead.

    A request whose own payment is in the book was captured: by a first try whose answer was lost.
    """
    rows = connection.execute(
        _QUERIES.sql("explain_refused"),
        {
            "merchant_id": [r.merchant_id for r in requests],
            "channel_no": [r.channel_no for r in requests],
            "voucher_max": [Decimal(r.voucher_max) for r in requests],
            "idempotency_key": [r.idempotency_key for r in requests],
        },
    ).fetchall()
    return [_explained(*triple) for triple in zip(requests, results, rows, strict=True)]


def _explained(request: CaptureRequest, result: CaptureResult, row: tuple[Any, ...]) -> CaptureResult:
    (_, charged, credited, held_max, held_signature, payment_id, request_hash, amount) = row[:8]
    (key_payment_id, key_channel_no, key_voucher_max, key_request_hash) = row[8:]
    if charged is None:
        return result
    totals = int(charged), int(credited)
    if payment_id == request.payment_id:
        return CaptureResult(Outcome.CAPTURED, request.voucher_max, int(credited), payment_id)
    if result.outcome in (Outcome.KEY_UNUSABLE, Outcome.UNKNOWN_CHANNEL):
        return result
    if key_payment_id is not None and (
        key_channel_no != request.channel_no
        or key_voucher_max != request.voucher_max
        or bytes(key_request_hash) != request.request_hash
    ):
        return CaptureResult(Outcome.IDEMPOTENCY_CONFLICT, *totals, key_payment_id)
    if payment_id is not None and bytes(request_hash) == request.request_hash and amount == request.amount:
        return CaptureResult(Outcome.REPLAY, *totals, payment_id)
    held = int(held_max), None if held_signature is None else bytes(held_signature)
    return CaptureResult(result.outcome, *totals, None, *held)
