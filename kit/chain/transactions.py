"""What we want to send, and what has become of it.

    requested -> signed -> broadcast -> mined | reverted | replaced | lapsed

An unknown outcome stays signed or broadcast. `mined` and `reverted` may go back to `broadcast` when a reorganisation
removes their block; nothing moves once a transaction is final.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from kit.chain.rpc import Receipt
from kit.database.queries import load
from kit.ids import uuid7
from kit.ledger.changes import PLATFORM, record

_QUERIES = load("kit.chain")


class TransactionState(IntEnum):
    REQUESTED = 1
    SIGNED = 2
    BROADCAST = 3
    MINED = 4
    REVERTED = 5
    REPLACED = 6
    LAPSED = 7


PENDING = frozenset({TransactionState.REQUESTED, TransactionState.SIGNED, TransactionState.BROADCAST})
_MINED_ANYHOW = frozenset({TransactionState.MINED, TransactionState.REVERTED, TransactionState.LAPSED})
ALLOWED: Mapping[TransactionState, frozenset[TransactionState]] = {
    TransactionState.REQUESTED: frozenset({TransactionState.SIGNED, TransactionState.LAPSED}),
    TransactionState.SIGNED: _MINED_ANYHOW | {TransactionState.BROADCAST, TransactionState.REPLACED},
    TransactionState.BROADCAST: _MINED_ANYHOW | {TransactionState.BROADCAST, TransactionState.REPLACED},
    # Only a reorganisation leads out of these, and only while they are not final.
    TransactionState.MINED: _MINED_ANYHOW | {TransactionState.BROADCAST, TransactionState.REPLACED},
    TransactionState.REVERTED: _MINED_ANYHOW | {TransactionState.BROADCAST, TransactionState.REPLACED},
    # Final at once when never signed; by an emptied nonce it can still be reorganised away. Reopened on request.
    TransactionState.LAPSED: _MINED_ANYHOW
    | {TransactionState.BROADCAST, TransactionState.REPLACED, TransactionState.REQUESTED},
    TransactionState.REPLACED: frozenset({TransactionState.REQUESTED}),
}


class DedupConflict(Exception):
    """The deduplication key is taken by a transaction that does something else."""


class ForbiddenTransition(Exception):
    """A state cannot follow another; a programming error."""


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """One row of chain_transactions; `value` in wei, `gas_price` in wei a gas."""

    transaction_id: UUID
    lane: str
    dedup_key: str
    purpose: str
    to_address: bytes
    value: Decimal
    data: bytes
    gas_limit: int | None
    gas_most: int | None
    valid_until: datetime | None
    state: int
    is_final: bool
    nonce: int | None
    mined_hash: bytes | None
    block_hash: bytes | None
    block_number: int | None
    gas_used: int | None
    gas_price: Decimal | None
    reason: str | None

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a transaction. `receipt` is there when it is in a block.

    `tx_hash` is the hash to tell others while it is pending: the newest attempt's. `is_final` says that no
    reorganisation will change the state any more.
    """

    transaction_id: UUID
    state: TransactionState
    tx_hash: bytes | None
    receipt: Receipt | None
    is_final: bool
    reason: str | None

    @property
    def is_pending(self) -> bool:
        """Not known yet: never to be told as a failure."""
        return self.state in PENDING


def request(
    connection: psycopg.Connection[Any],
    *,
    lane: str,
    to: bytes,
    data: bytes,
    purpose: str,
    dedup_key: str,
    value: int = 0,
    gas_limit: int | None = None,
    gas_most: int | None = None,
    valid_until: datetime | None = None,
) -> UUID:
    """Ask for a transaction in the caller's own database transaction; nothing is sent before that commits.

    The same `dedup_key` gives the same transaction, so that asking again joins it. One that finally never happened
    (replaced or lapsed) is opened again. The caller has simulated it. It lapses if the node estimates more than
    `gas_most`; `gas_limit` leaves the estimate out. Raises DedupConflict.
    """
    facts = {
        "transaction_id": uuid7(),
        "lane": lane,
        "dedup_key": dedup_key,
        "purpose": purpose,
        "to_address": to,
        "value": Decimal(value),
        "data": data,
        "gas_limit": gas_limit,
        "gas_most": gas_most,
        "valid_until": valid_until,
    }
    inserted = connection.execute(_QUERIES.sql("request"), facts).fetchone()
    if inserted is not None:
        found: UUID = inserted[0]
        return found
    row = connection.execute(_QUERIES.sql("find_by_dedup_key"), facts).fetchone()
    assert row is not None
    found, known_to, known_value, known_data, state, is_final = row
    if (bytes(known_to), int(known_value), bytes(known_data)) != (to, value, data):
        raise DedupConflict(f"{dedup_key} names a transaction with another recipient, value or data")
    if is_final and state in (TransactionState.REPLACED, TransactionState.LAPSED):
        connection.execute(_QUERIES.sql("reopen"), {"transaction_id": found, "valid_until": valid_until})
    return found


def find(
    connection: psycopg.Connection[Any], transaction_id: UUID, *, lock: bool = False
) -> StoredTransaction | None:
    cursor = connection.cursor(row_factory=class_row(StoredTransaction))
    name = "find_for_update" if lock else "find"
    return cursor.execute(_QUERIES.sql(name), {"transaction_id": transaction_id}).fetchone()


def open_of_lane(connection: psycopg.Connection[Any], lane: str, limit: int) -> list[StoredTransaction]:
    """What of a lane is not final, lowest nonce first."""
    cursor = connection.cursor(row_factory=class_row(StoredTransaction))
    return cursor.execute(_QUERIES.sql("open_of_lane"), {"lane": lane, "limit": limit}).fetchall()


def hashes_of(connection: psycopg.Connection[Any], transaction_id: UUID) -> list[bytes]:
    """Hashes of all attempts, oldest first: any of them may be the one that is mined."""
    rows = connection.execute(_QUERIES.sql("hashes_of"), {"transaction_id": transaction_id}).fetchall()
    return [bytes(row[0]) for row in rows]


def move(
    connection: psycopg.Connection[Any],
    known: StoredTransaction,
    state: TransactionState,
    *,
    receipt: Receipt | None = None,
    is_final: bool = False,
    reason: str | None = None,
) -> bool:
    """Compare and set: from the state in `known` to another, with its change record.

    False when somebody else moved it first. Raises ForbiddenTransition.
    """
    before = TransactionState(known.state)
    if state is not before and state not in ALLOWED[before]:
        raise ForbiddenTransition(f"{before.name} is never followed by {state.name}")
    facts = {
        "transaction_id": known.transaction_id,
        "from_state": known.state,
        "state": state,
        "is_final": is_final,
        "mined_hash": receipt.tx_hash if receipt else None,
        "block_hash": receipt.block_hash if receipt else None,
        "block_number": receipt.block_number if receipt else None,
        "gas_used": receipt.gas_used if receipt else None,
        "gas_price": Decimal(receipt.gas_price) if receipt else None,
        "reason": reason,
    }
    row = connection.execute(_QUERIES.sql("settle_state"), facts).fetchone()
    if row is None:
        return False
    if state is not before:
        record_state(connection, known, state, receipt.tx_hash if receipt else None, reason)
    return True


def record_state(
    connection: psycopg.Connection[Any],
    transaction: StoredTransaction,
    state: TransactionState,
    tx_hash: bytes | None,
    reason: str | None = None,
) -> None:
    """The outbox row and audit leaf of a transaction's new state."""
    payload: dict[str, Any] = {
        "transaction_id": str(transaction.transaction_id),
        "purpose": transaction.purpose,
        "tx_hash": None if tx_hash is None else "0x" + tx_hash.hex(),
    }
    if reason is not None:
        payload["reason"] = reason
    record(connection, tenant_id=PLATFORM, topic=f"transaction.{state.name.lower()}", payload=payload)
