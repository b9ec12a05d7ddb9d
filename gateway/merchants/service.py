"""Register merchants, their receivers and keys."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import psycopg

from gateway.merchants.keys import new_key
from kit.database.queries import load
from kit.ledger.changes import record

_QUERIES = load("gateway.merchants")


class ReceiverTaken(Exception):
    """The receiver's address belongs to another merchant."""


class UnknownMerchant(Exception):
    """No merchant has this id."""


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """`api_key` is shown here and never again."""

    merchant_id: int
    public_id: str
    api_key: str
    key_id: int


def create_merchant(connection: psycopg.Connection[Any], *, name: str, receiver: bytes) -> NewMerchant:
    """Register a merchant paid at `receiver` (20 bytes). Raises ReceiverTaken."""
    public_id = "mer_" + secrets.token_hex(8)
    row = connection.execute(_QUERIES.sql("create_merchant"), {"public_id": public_id, "name": name}).fetchone()
    assert row is not None
    add_receiver(connection, merchant_id=row[0], receiver=receiver)
    api_key, key_id = issue_key(connection, merchant_id=row[0], label="first")
    return NewMerchant(row[0], public_id, api_key, key_id)


def add_receiver(connection: psycopg.Connection[Any], *, merchant_id: int, receiver: bytes) -> None:
    """Let a merchant be paid at one more address; channels to the old ones drain. Raises ReceiverTaken."""
    added = connection.execute(
        _QUERIES.sql("add_receiver"), {"merchant_id": merchant_id, "receiver": receiver}
    ).fetchone()
    if added is None:
        raise ReceiverTaken(f"0x{receiver.hex()} is registered already")
    record(
        connection,
        tenant_id=merchant_id,
        topic="merchant.receiver_added",
        payload={"merchant": merchant_id, "receiver": "0x" + receiver.hex()},
    )


def issue_key(
    connection: psycopg.Connection[Any], *, merchant_id: int, label: str, can_write: bool = True
) -> tuple[str, int]:
    """A new API key and its id; only its hash is kept."""
    api_key, key_hash = new_key()
    row = connection.execute(
        _QUERIES.sql("create_key"),
        {"merchant_id": merchant_id, "key_hash": key_hash, "label": label, "can_write": can_write},
    ).fetchone()
    assert row is not None
    record(
        connection,
        tenant_id=merchant_id,
        topic="merchant.key_issued",
        payload={"merchant": merchant_id, "key_id": row[0], "can_write": can_write},
    )
    return api_key, row[0]


def revoke_key(connection: psycopg.Connection[Any], *, merchant_id: int, key_id: int) -> bool:
    """Revoke a key; False when it is not there or revoked already."""
    row = connection.execute(_QUERIES.sql("revoke_key"), {"merchant_id": merchant_id, "key_id": key_id}).fetchone()
    if row is None:
        return False
    record(
        connection,
        tenant_id=merchant_id,
        topic="merchant.key_revoked",
        payload={"merchant": merchant_id, "key_id": key_id},
    )
    return True


def require_x402_key(connection: psycopg.Connection[Any], *, merchant_id: int, required: bool) -> None:
    """Whether the facilitator binds this merchant's channels (refunds, charges) only with its API key.

    A merchant whose own server keeps the running totals wants this: otherwise a payer may ask us for a refund of
    vouchers that only that server has seen.
    """
    connection.execute(_QUERIES.sql("require_x402_key"), {"merchant_id": merchant_id, "required": required})
    record(
        connection,
        tenant_id=merchant_id,
        topic="merchant.x402_key_required",
        payload={"merchant": merchant_id, "required": required},
    )


def merchant_id_of(connection: psycopg.Connection[Any], public_id: str) -> int:
    """Raises UnknownMerchant."""
    row = connection.execute(_QUERIES.sql("find_merchant"), {"public_id": public_id}).fetchone()
    if row is None:
        raise UnknownMerchant(public_id)
    return int(row[0])
