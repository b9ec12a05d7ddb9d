"""Double-entry posting: integers, append-only legs, one asset a transfer, idempotent by transfer id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from kit.database.queries import load

_QUERIES = load("kit.ledger")
MAX_LEGS_A_POSTING = 20_000


class Unbalanced(ValueError):
    """The legs of a transfer do not sum to zero, or are too few."""


class UnequalReplay(Exception):
    """A transfer id is in the book already, with other legs."""


class BelowFloor(Exception):
    """A posting would take an account below its floor. Nothing of the batch was posted."""


class Posted(Enum):
    NEW = "new"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Asset:
    """A token of one chain. Amounts of it are integers in its smallest unit."""

    asset_id: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Leg:
    """amount > 0 credits the account, amount < 0 debits it."""

    account_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Legs that sum to zero in one asset, all of one tenant."""

    tenant_id: int
    transfer_id: UUID
    asset_id: int
    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        if len(self.legs) < 2:
            raise Unbalanced(f"transfer {self.transfer_id} has {len(self.legs)} legs; two are the least")
        if any(leg.amount == 0 for leg in self.legs):
            raise Unbalanced(f"transfer {self.transfer_id} has a leg of zero")
        if sum(leg.amount for leg in self.legs) != 0:
            raise Unbalanced(f"the legs of transfer {self.transfer_id} do not sum to zero")


def open_asset(
    connection: psycopg.Connection[Any], *, chain_id: int, address: bytes, symbol: str, decimals: int
) -> Asset:
    """Register an asset, or find it. Raises ValueError when it is known with other decimals."""
    row = connection.execute(
        _QUERIES.sql("open_asset"),
        {"chain_id": chain_id, "address": address, "symbol": symbol, "decimals": decimals},
    ).fetchone()
    assert row is not None
    if row[1] != decimals:
        raise ValueError(f"asset 0x{address.hex()} of chain {chain_id} has {row[1]} decimals, not {decimals}")
    return Asset(row[0], row[1])


def open_account(
    connection: psycopg.Connection[Any],
    tenant_id: int,
    kind: str,
    reference: str,
    asset_id: int,
    floor: int | None = None,
) -> int:
    """The account's id; opens it when there is none. `floor` counts only when it is opened here."""
    facts = {"tenant_id": tenant_id, "kind": kind, "reference": reference, "asset_id": asset_id, "floor": floor}
    # The insert can lose a race and then return nothing: the second look sees the winner's row.
    row = connection.execute(_QUERIES.sql("find_account"), facts).fetchone()
    row = row or connection.execute(_QUERIES.sql("open_account"), facts).fetchone()
    row = row or connection.execute(_QUERIES.sql("find_account"), facts).fetchone()
    assert row is not None
    return int(row[0])


def post(
    connection: psycopg.Connection[Any],
    transfers: Sequence[Transfer],
    *,
    shard: int = 0,
    held_elsewhere: Collection[int] = (),
) -> list[Posted]:
    """Post transfers in one statement; the answers come in their order.

    `shard` is the writer's own row of each unfloored balance. `held_elsewhere` names accounts whose balance is kept
    by another row (a channel's, by channel_states), which the caller moves in the same transaction.
    Raises BelowFloor, UnequalReplay (both before anything stands: the caller's transaction is to be rolled back).
    """
    if not transfers:
        return []
    rows = [(t, number, leg) for t in transfers for number, leg in enumerate(t.legs)]
    if len(rows) > MAX_LEGS_A_POSTING:
        raise ValueError(f"{len(rows)} legs in one posting; {MAX_LEGS_A_POSTING} are the most")
    parameters = {
        "tenant_id": [t.tenant_id for t, _, _ in rows],
        "transfer_id": [t.transfer_id for t, _, _ in rows],
        "leg": [number for _, number, _ in rows],
        "account_id": [leg.account_id for _, _, leg in rows],
        "asset_id": [t.asset_id for t, _, _ in rows],
        "amount": [Decimal(leg.amount) for _, _, leg in rows],
        "held_elsewhere": list(held_elsewhere),
        "shard": shard,
    }
    try:
        written = connection.execute(_QUERIES.sql("post"), parameters, prepare=True).fetchall()
    except errors.CheckViolation as error:
        if error.diag.constraint_name == "ledger_balance_not_below_floor":
            raise BelowFloor(error.diag.message_detail or "an account would fall below its floor") from error
        raise
    return _answers(connection, transfers, {(tenant, identifier) for tenant, identifier, _ in written})


def balance(connection: psycopg.Connection[Any], tenant_id: int, account_id: int) -> int:
    """Credits less debits, over all shards."""
    row = connection.execute(_QUERIES.sql("balance"), {"tenant_id": tenant_id, "account_id": account_id}).fetchone()
    assert row is not None
    return int(row[0])


def _answers(
    connection: psycopg.Connection[Any], transfers: Sequence[Transfer], written: set[tuple[int, UUID]]
) -> list[Posted]:
    answers: list[Posted] = []
    for transfer in transfers:
        if (transfer.tenant_id, transfer.transfer_id) in written:
            answers.append(Posted.NEW)
            written.discard((transfer.tenant_id, transfer.transfer_id))
            continue
        stored = connection.execute(
            _QUERIES.sql("legs_of"), {"tenant_id": transfer.tenant_id, "transfer_id": transfer.transfer_id}
        ).fetchall()
        if [(row[1], row[2], int(row[3])) for row in stored] != [
            (leg.account_id, transfer.asset_id, leg.amount) for leg in transfer.legs
        ]:
            raise UnequalReplay(f"transfer {transfer.transfer_id} is in the book with other legs")
        answers.append(Posted.REPLAY)
    return answers
