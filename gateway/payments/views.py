"""A payment as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from gateway.payments.states import PaymentState, Scheme
from kit.ids import made_at_millis

PREFIX = "pay_"
STATE_NAMES = {state: state.name.lower() for state in PaymentState}
SCHEME_NAMES = {
    Scheme.VOUCHER: "batch-settlement",
    Scheme.EXACT: "exact",
    Scheme.CLAIMED_OUTSIDE: "claimed-outside",
}


def public_id(payment_id: UUID) -> str:
    return PREFIX + payment_id.bytes.hex()


def parse_public_id(text: str) -> UUID | None:
    """The payment's id, or None when the text cannot be one."""
    if not text.startswith(PREFIX) or len(text) != len(PREFIX) + 32:
        return None
    try:
        parsed = UUID(hex=text[len(PREFIX) :])
    except ValueError:
        return None
    return parsed if public_id(parsed) == text else None


def created_at(payment_id: UUID) -> str:
    seconds, millis = divmod(made_at_millis(payment_id), 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    """Thousands of payments share one second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def document(
    payment_id: UUID,
    *,
    scheme: Scheme,
    state: PaymentState,
    amount: int,
    chain_id: int,
    token: bytes,
    payer: bytes,
    channel_id: bytes | None,
    cumulative: int | None,
    reference: str | None,
) -> dict[str, Any]:
    """Amounts are decimal strings in the smallest unit of `asset`."""
    return {
        "id": public_id(payment_id),
        "object": "payment",
        "state": STATE_NAMES[state],
        "scheme": SCHEME_NAMES[scheme],
        "network": f"eip155:{chain_id}",
        "asset": "0x" + token.hex(),
        "amount": str(amount),
        "payer": "0x" + payer.hex(),
        "channel_id": None if channel_id is None else "0x" + channel_id.hex(),
        "cumulative_amount": None if cumulative is None else str(cumulative),
        "reference": reference,
        "created_at": created_at(payment_id),
    }


def document_of_row(row: Any) -> dict[str, Any]:
    """A payment read from the database: a captured voucher is settled once its channel's settled total covers it."""
    state = PaymentState(row.state)
    covered = row.cumulative is not None and row.settled is not None and row.settled >= row.cumulative
    if state is PaymentState.CAPTURED and covered:
        state = PaymentState.SETTLED
    return document(
        row.payment_id,
        scheme=Scheme(row.scheme),
        state=state,
        amount=int(row.amount),
        chain_id=row.chain_id,
        token=bytes(row.token),
        payer=bytes(row.payer),
        channel_id=None if row.channel_id is None else bytes(row.channel_id),
        cumulative=None if row.cumulative is None else int(row.cumulative),
        reference=row.reference,
    )
