"""Double-entry posting: integers, append-only legs, one asset a transfer, idempotent by transfer id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import nullcontext
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


class UnknownAccount(Exception):
    """A leg names an account that the tenant has not, or that holds another asset. Nothing was posted."""


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
    facts = {"chain_id": chain_id, "address": address, "symbol": symbol, "decimals": decimals}
    # Looked up first: an insert that finds its row there has used up a number all the same.
    row = connection.execute(_QUERIES.sql("find_asset"), facts).fetchone()
    row = row or connection.execute(_QUERIES.sql("open_asset"), facts).fetchone()
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
    Raises BelowFloor, UnknownAccount, UnequalReplay; nothing of the batch stands then, once the caller's transaction
    is rolled back.
    """
    once = _without_repeats(transfers)
    rows = [(t, number, leg) for t in once for number, leg in enumerate(t.legs)]
    if len(rows) > MAX_LEGS_A_POSTING:
        raise ValueError(f"{len(rows)} legs in one posting; {MAX_LEGS_A_POSTING} are the most")
    if not rows:
        return []
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
    # What is found out only afterwards must undo the statement too.
    with connection.transaction() if connection.autocommit else nullcontext():
        return _answers(connection, transfers, _write(connection, parameters))


def balance(connection: psycopg.Connection[Any], tenant_id: int, account_id: int) -> int:
    """Credits less debits, over all shards."""
    row = connection.execute(_QUERIES.sql("balance"), {"tenant_id": tenant_id, "account_id": account_id}).fetchone()
    assert row is not None
    return int(row[0])


def _without_repeats(transfers: Sequence[Transfer]) -> list[Transfer]:
    """Each transfer once. Raises UnequalReplay when two share an id and differ."""
    once: dict[tuple[int, UUID], Transfer] = {}
    for transfer in transfers:
        if once.setdefault((transfer.tenant_id, transfer.transfer_id), transfer) != transfer:
            raise UnequalReplay(f"transfer {transfer.transfer_id} stands twice in one posting, with other legs")
    return list(once.values())


def _write(connection: psycopg.Connection[Any], parameters: dict[str, Any]) -> Counter[tuple[int, UUID]]:
    """How many legs of each transfer are new."""
    try:
        written = connection.execute(_QUERIES.sql("post"), parameters, prepare=True).fetchall()
    except errors.CheckViolation as error:
        if error.diag.constraint_name == "ledger_balance_not_below_floor":
            raise BelowFloor(error.diag.message_detail or "an account would fall below its floor") from error
        raise
    except errors.NotNullViolation as error:
        raise UnknownAccount(error.diag.message_detail or "a leg's account is not in the book") from error
    return Counter((tenant, identifier) for tenant, identifier, _ in written)


def _answers(
    connection: psycopg.Connection[Any], transfers: Sequence[Transfer], written: Counter[tuple[int, UUID]]
) -> list[Posted]:
    answers: list[Posted] = []
    for transfer in transfers:
        legs_written = written.pop((transfer.tenant_id, transfer.transfer_id), 0)
        if legs_written == len(transfer.legs):
            answers.append(Posted.NEW)
            continue
        stored = connection.execute(
            _QUERIES.sql("legs_of"), {"tenant_id": transfer.tenant_id, "transfer_id": transfer.transfer_id}
        ).fetchall()
        # Some legs but not all were written: the others stood already, so this transfer has more of them.
        if legs_written or [(row[1], row[2], int(row[3])) for row in stored] != [
            (leg.account_id, transfer.asset_id, leg.amount) for leg in transfer.legs
        ]:
            raise UnequalReplay(f"transfer {transfer.transfer_id} is in the book with other legs")
        answers.append(Posted.REPLAY)
    return answers
