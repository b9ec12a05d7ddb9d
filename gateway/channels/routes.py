"""GET /v1/channels and GET /v1/channels/{id}."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from psycopg.rows import namedtuple_row

from gateway.channels.schemas import Channel, ChannelList
from gateway.deps import Gateway, authenticated, gateway_of
from gateway.merchants.keys import Caller
from gateway.payments.routes import Refusals
from kit.database.queries import load
from kit.http import cursors
from kit.http.problems import Problem

_QUERIES = load("gateway.channels", "views.sql")
router = APIRouter(prefix="/v1/channels", tags=["channels"])


@router.get("", response_model=ChannelList, responses=Refusals)
def list_channels(
    caller: Annotated[Caller, Depends(authenticated)],
    gateway: Annotated[Gateway, Depends(gateway_of)],
    limit: Annotated[int, Query(ge=1, le=cursors.LIMIT_MOST)] = cursors.LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    payer: Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{40}$")] = None,
    withdrawing: bool | None = None,
) -> dict[str, Any]:
    """Your channels, newest first."""
    with gateway.pool.connection() as connection, connection.cursor(row_factory=namedtuple_row) as database:
        rows: list[Any] = database.execute(
            _QUERIES.sql("list_channels"),
            {
                "merchant_id": caller.merchant_id,
                "before": None if cursor is None else _number_at(cursor),
                "payer": None if payer is None else bytes.fromhex(payer[2:]),
                "withdrawing": withdrawing,
                "limit": limit + 1,
            },
        ).fetchall()
    page = cursors.page_of(rows, limit, lambda row: row.channel_no.to_bytes(8, "big"))
    return {"object": "list", **page.document(document_of_row)}


@router.get("/{channel_id}", response_model=Channel, responses=Refusals)
def get_channel(
    channel_id: str,
    caller: Annotated[Caller, Depends(authenticated)],
    gateway: Annotated[Gateway, Depends(gateway_of)],
) -> dict[str, Any]:
    """One channel of yours, by its 0x id in any case."""
    row: Any = None
    identifier = _parse_id(channel_id)
    if identifier is not None:
        with gateway.pool.connection() as connection, connection.cursor(row_factory=namedtuple_row) as database:
            row = database.execute(
                _QUERIES.sql("get_channel"), {"merchant_id": caller.merchant_id, "channel_id": identifier}
            ).fetchone()
    if row is None:
        raise Problem(404, "channel_not_found", "No channel of yours has this id.")
    return document_of_row(row)


def document_of_row(row: Any) -> dict[str, Any]:
    """A channel as the API shows it."""
    spendable = max(0, int(row.credited - row.withheld - row.charged))
    return {
        "id": "0x" + row.channel_id.hex(),
        "object": "channel",
        "state": "in_deficit" if row.deficit > 0 else "withdrawing" if row.withdraw_requested_at else "open",
        "network": f"eip155:{row.chain_id}",
        "asset": "0x" + row.token.hex(),
        "payer": "0x" + row.payer.hex(),
        "payer_authorizer": "0x" + row.payer_authorizer.hex(),
        "receiver": "0x" + row.receiver.hex(),
        "receiver_authorizer": "0x" + row.receiver_authorizer.hex(),
        "withdraw_delay": row.withdraw_delay,
        "balance": str(row.credited),
        "charged": str(row.charged),
        "claimed": str(row.claimed),
        "settled": str(row.settled),
        "spendable": str(spendable),
        "withdrawal": _withdrawal(row),
        "created_at": _time(row.created_at),
        "last_payment_at": None if row.last_payment_at is None else _time(row.last_payment_at),
    }


def _withdrawal(row: Any) -> dict[str, Any] | None:
    if not row.withdraw_requested_at:
        return None
    return {
        "amount": str(row.withdraw_amount),
        "requested_at": row.withdraw_requested_at,
        "final_from": row.withdraw_requested_at + row.withdraw_delay,
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number_at(cursor: str) -> int:
    """Raises Problem 400 `invalid_cursor`."""
    number = int.from_bytes(cursors.decode(cursor, length=8), "big", signed=True)
    if number < 0:
        raise cursors.invalid()
    return number


def _parse_id(text: str) -> bytes | None:
    if len(text) != 66 or not text.startswith("0x"):
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None
