"""From an authorization to one transaction: recorded, sent, waited for, and found again by whoever asks again.

An outcome that is not known is pending, never failed: only a reverted transaction, or one that can never be mined any
more, is a failure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from gateway.channels.claims import LANE
from gateway.x402 import wire
from gateway.x402.codes import Code
from gateway.x402.facilitator import QUERIES, ChainLost, Facilitator, Request
from gateway.x402.messages import Refusal
from kit.chain import transactions
from kit.chain.guard import ChainMismatch
from kit.chain.rpc import RpcUnavailable
from kit.chain.sender import Outcome, TransactionState
from kit.chain.sender import request as ask_for
from kit.chain.transactions import DedupConflict
from kit.ledger.changes import record

# Later than any PostgreSQL timestamp needs to be; clients sign windows of minutes.
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
GAS_MOST = 600_000
GAS_OF_A_CLAIM_ROW_MOST = 100_000
_NEVER_MINED = frozenset({TransactionState.LAPSED, TransactionState.REPLACED})


class Kind(IntEnum):
    DEPOSIT = 1
    EXACT = 2
    REFUND = 3
    CLAIM = 4
    SETTLE = 5

    @property
    def over_when(self) -> frozenset[TransactionState]:
        """The outcomes after which the same may be asked for again.

        A payer's authorization is over once its transaction reverted. What we ordered ourselves is tried again: the
        escrow sees to it that it happens once.
        """
        if self in (Kind.DEPOSIT, Kind.EXACT):
            return _NEVER_MINED
        return _NEVER_MINED | {TransactionState.REVERTED}


@dataclass(frozen=True, slots=True)
class Identity:
    """What can happen once only, and the hash of all that was authorized under it."""

    merchant_id: int
    key: bytes
    kind: Kind
    fingerprint: bytes


def gas_most(claim_rows: int = 0) -> int:
    """What we pay for, several times what it usually takes. Payers may be contracts, with code of their own."""
    return GAS_MOST + claim_rows * GAS_OF_A_CLAIM_ROW_MOST


@dataclass(frozen=True, slots=True)
class Order:
    """A transaction to send. `valid_until` is in unix seconds; `withheld` is kept from spending on `channel_no`."""

    to: bytes
    data: bytes
    subject: bytes
    valid_until: int | None = None
    channel_no: int | None = None
    withheld: int = 0
    gas_most: int = gas_most()


@dataclass(frozen=True, slots=True)
class Settlement:
    """A row of x402_settlements."""

    merchant_id: int
    settlement_key: bytes
    kind: int
    fingerprint: bytes
    request_hash: bytes
    transaction_id: UUID
    channel_no: int | None
    withheld: Decimal
    answer: dict[str, Any] | None


Reserve = Callable[[psycopg.Connection[Any]], None]


def hash_of(*parts: bytes | int) -> bytes:
    """SHA-256 over parts that cannot run into each other."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.to_bytes(32, "big")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.digest()


def find(connection: psycopg.Connection[Any], merchant_id: int, key: bytes) -> Settlement | None:
    cursor = connection.cursor(row_factory=class_row(Settlement))
    facts = {"merchant_id": merchant_id, "settlement_key": key}
    return cursor.execute(QUERIES.sql("find_settlement"), facts).fetchone()


def find_under_way(f: Facilitator, identity: Identity) -> Settlement | None:
    """The settlement of this identity that was sent or may still be; None when none was, or it never happened."""
    with f.pool.connection() as connection:
        stored = find(connection, identity.merchant_id, identity.key)
        return None if stored is None or _is_over(connection, identity, stored) else stored


def _is_over(connection: psycopg.Connection[Any], identity: Identity, stored: Settlement) -> bool:
    known = transactions.find(connection, stored.transaction_id)
    return known is None or known.state in identity.kind.over_when


def check_budget(f: Facilitator, connection: psycopg.Connection[Any], subject: bytes) -> None:
    """Raises Refusal when the subject has used up the gas that we pay for within an hour."""
    row = connection.execute(QUERIES.sql("spent_budget"), {"subject": subject}).fetchone()
    assert row is not None
    if row[0] >= f.settings.relayed_an_hour_most:
        raise Refusal(Code.GAS_BUDGET_EXHAUSTED, "too much was relayed for this address; try again later")


def place(f: Facilitator, identity: Identity, order: Order, request: Request, reserve: Reserve) -> Settlement:
    """Record the order, all it reserves and its transaction, in one database transaction; or find who was first.

    Raises Refusal (gas budget, or from `reserve`).
    """
    facts = {
        "merchant_id": identity.merchant_id,
        "settlement_key": identity.key,
        "kind": identity.kind,
        "fingerprint": identity.fingerprint,
        "request_hash": request.request_hash,
        "subject": order.subject,
        "channel_no": order.channel_no,
        "withheld": Decimal(order.withheld),
    }
    with f.pool.connection() as connection:
        connection.execute(QUERIES.sql("lock_budget"), {"subject": order.subject})
        stored = find(connection, identity.merchant_id, identity.key)
        if stored is not None and not _is_over(connection, identity, stored):
            return stored
        check_budget(f, connection, order.subject)
        reserve(connection)
        try:
            transaction_id = ask_for(
                connection,
                lane=LANE,
                to=order.to,
                data=order.data,
                purpose=f"x402 {identity.kind.name.lower()}",
                dedup_key=_dedup_key(connection, identity, stored, order),
                gas_most=order.gas_most,
                valid_until=None if order.valid_until is None else _instant(order.valid_until),
            )
        except DedupConflict as conflict:
            raise Refusal(Code.SETTLEMENT_PENDING, "another use of this authorization is open") from conflict
        connection.execute(QUERIES.sql("store_settlement"), {**facts, "transaction_id": transaction_id})
        record(
            connection,
            tenant_id=identity.merchant_id,
            topic=f"x402.{identity.kind.name.lower()}_requested",
            payload={"settlement": identity.key.hex(), "transaction": str(transaction_id)},
        )
        stored = find(connection, identity.merchant_id, identity.key)
    assert stored is not None
    return stored


def _dedup_key(
    connection: psycopg.Connection[Any], identity: Identity, stored: Settlement | None, order: Order
) -> str:
    """The sender opens what never happened again under its old key; a new one is needed after a revert, and when what
    finally never happened is asked for in other words (another signature, other claims first).
    """
    key = f"x402:{identity.merchant_id}:{identity.key.hex()}"
    before = None if stored is None else transactions.find(connection, stored.transaction_id)
    if before is None:
        return key
    never = before.is_final and before.state in _NEVER_MINED
    if before.state == TransactionState.REVERTED or (never and before.data != order.data):
        return f"{key}:{before.transaction_id.hex}"
    return before.dedup_key


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) if seconds < _LATEST.timestamp() else _LATEST


def carry_out(f: Facilitator, settlement: Settlement) -> Outcome:
    """Send what is to be sent and wait for it, as long as the settings say.

    Raises ChainLost when it is not even known by which hash it will be found.
    """
    try:
        f.sender.push(f.pool, settlement.transaction_id)
    except (RpcUnavailable, ChainMismatch) as error:
        known = f.sender.load(f.pool, settlement.transaction_id)
        if known.state == TransactionState.REQUESTED:
            raise ChainLost("the chain does not answer; what was asked for is kept and goes on by itself") from error
    outcome = f.sender.await_outcome(f.pool, settlement.transaction_id, float(f.settings.receipt_wait_seconds))
    if outcome.is_pending and outcome.tx_hash is None:
        raise ChainLost("the transaction is not signed yet; it is kept and goes on by itself")
    return outcome


def require_mined(outcome: Outcome, payer: bytes | None, failed: Code, unfeasible: Code) -> str:
    """The hash of a transaction that succeeded.

    Raises Refusal: `settlement_pending` with its hash while that is open, `failed` when it reverted, `unfeasible`
    when it was never sent.
    """
    tx_hash = "" if outcome.tx_hash is None else wire.hexadecimal(outcome.tx_hash)
    if outcome.is_pending:
        raise Refusal(Code.SETTLEMENT_PENDING, "sent and not mined yet; ask again", payer, transaction=tx_hash)
    if outcome.state is TransactionState.MINED:
        return tx_hash
    if outcome.state is TransactionState.REVERTED:
        raise Refusal(failed, "the transaction reverted", payer, transaction=tx_hash)
    raise Refusal(unfeasible, outcome.reason or "the transaction was not sent", payer)


def release(connection: psycopg.Connection[Any], settlement: Settlement) -> None:
    """Free what the settlement kept back. Once, however often it is called."""
    facts = {"merchant_id": settlement.merchant_id, "settlement_key": settlement.settlement_key}
    row = connection.execute(QUERIES.sql("release_withheld"), facts).fetchone()
    if row is not None:
        payload = {"channel_no": row[0], "amount": str(int(row[1]))}
        record(connection, tenant_id=settlement.merchant_id, topic="channel.withheld_released", payload=payload)


def store_answer(f: Facilitator, settlement: Settlement, answer: dict[str, Any]) -> None:
    """Keep what was said of a settlement, for the client that did not hear it."""
    facts = {
        "merchant_id": settlement.merchant_id,
        "settlement_key": settlement.settlement_key,
        "answer": Jsonb(answer),
    }
    with f.pool.connection() as connection:
        connection.execute(QUERIES.sql("store_answer"), facts)
