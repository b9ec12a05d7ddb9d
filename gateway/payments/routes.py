"""GET /v1/payments and GET /v1/payments/{id}. The two POST routes are in hot.py; their documentation is here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from psycopg.rows import namedtuple_row

from gateway.deps import Gateway, authenticated, gateway_of
from gateway.merchants.keys import Caller
from gateway.payments import views
from gateway.payments.schemas import Batch, BatchAnswer, Payment, PaymentList, VoucherPayment
from kit.database.queries import load
from kit.http import cursors
from kit.http.problems import Problem

_QUERIES = load("gateway.payments")
router = APIRouter(prefix="/v1/payments", tags=["payments"])
_SCHEMES = {name: scheme for scheme, name in views.SCHEME_NAMES.items()}


def problems(descriptions: dict[int | str, str]) -> dict[int | str, dict[str, Any]]:
    """Answers of a route that are problem documents, for the OpenAPI document."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": text, "content": content} for status, text in descriptions.items()}


# Any route of ours: FastAPI would otherwise add an answer 422 of its own, which is never given.
Refusals = problems(
    {
        400: "The request is not well formed",
        401: "No valid API key",
        404: "No such thing of yours",
        "default": "Not now, or a fault of ours: see Retry-After",
    }
)


@router.get("", response_model=PaymentList, responses=Refusals)
def list_payments(
    caller: Annotated[Caller, Depends(authenticated)],
    gateway: Annotated[Gateway, Depends(gateway_of)],
    limit: Annotated[int, Query(ge=1, le=cursors.LIMIT_MOST)] = cursors.LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    channel_id: Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{64}$")] = None,
    payer: Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{40}$")] = None,
    scheme: Annotated[str | None, Query(pattern="^(batch-settlement|exact|claimed-outside)$")] = None,
    reference: Annotated[str | None, Query(max_length=128, pattern="^[^\\x00]*$")] = None,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
) -> dict[str, Any]:
    """Your payments, newest first."""
    with gateway.pool.connection() as connection, connection.cursor(row_factory=namedtuple_row) as database:
        rows: list[Any] = database.execute(
            _QUERIES.sql("list_payments"),
            {
                "merchant_id": caller.merchant_id,
                "before": None if cursor is None else UUID(bytes=cursors.decode(cursor, length=16)),
                "since": _first_id_at(created_from),
                "until": _first_id_at(created_before),
                "channel_id": _bytes(channel_id),
                "payer": _bytes(payer),
                "scheme": None if scheme is None else int(_SCHEMES[scheme]),
                "reference": reference,
                "limit": limit + 1,
            },
        ).fetchall()
    page = cursors.page_of(rows, limit, lambda row: row.payment_id.bytes)
    return {"object": "list", **page.document(views.document_of_row)}


@router.get("/{payment_id}", response_model=Payment, responses=Refusals)
def get_payment(
    payment_id: str,
    caller: Annotated[Caller, Depends(authenticated)],
    gateway: Annotated[Gateway, Depends(gateway_of)],
) -> dict[str, Any]:
    """One payment of yours."""
    identifier = views.parse_public_id(payment_id)
    row: Any = None
    if identifier is not None:
        with gateway.pool.connection() as connection, connection.cursor(row_factory=namedtuple_row) as database:
            row = database.execute(
                _QUERIES.sql("get_payment"), {"merchant_id": caller.merchant_id, "payment_id": identifier}
            ).fetchone()
    if row is None:
        raise Problem(404, "payment_not_found", "No payment of yours has this id.")
    return views.document_of_row(row)


_CAPTURE_REFUSALS = Refusals | problems(
    {
        403: "The API key may read only",
        408: "The body did not come in time",
        409: "The book refuses: wrong running total, balance, window, reused key",
        413: "The body is too large",
        422: "A check refuses: signature, sanctions, tier",
        503: "Not now: see Retry-After. The same request again is safe",
    }
)
_REPLAYED: dict[int | str, dict[str, Any]] = {
    200: {"model": Payment, "description": "Captured before by this very request (Idempotent-Replay: true)"}
}


# Served by gateway.payments.hot in front of this application; these two functions exist for the OpenAPI document.
@router.post("", status_code=201, response_model=Payment, responses=_REPLAYED | _CAPTURE_REFUSALS)
def capture_payment(payment: VoucherPayment) -> None:
    """Capture one voucher. Durable when answered. The same request again is answered 200 and charged once."""
    raise Problem(500, "not_served_here", "This route is served in front of the application.")


@router.post("/batch", response_model=BatchAnswer, responses=_CAPTURE_REFUSALS)
def capture_batch(batch: Batch) -> None:
    """Capture up to 1,000 vouchers; an answer each, in order. A refused one changes nothing for the others."""
    raise Problem(500, "not_served_here", "This route is served in front of the application.")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])


def _first_id_at(moment: datetime | None) -> UUID | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Problem(400, "invalid_request", "A time needs a zone, for example 2026-01-31T12:00:00Z.")
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)
