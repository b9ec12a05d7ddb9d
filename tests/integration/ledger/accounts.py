"""The accounts that the book's tests move money between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from kit.ids import uuid7
from kit.ledger.book import Leg, Transfer, open_account, open_asset


@dataclass(frozen=True, slots=True)
class Accounts:
    tenant: int
    asset: int
    source: int
    sink: int
    floored: int
    overdraft: int
    elsewhere: int

    @property
    def all(self) -> tuple[int, ...]:
        return (self.source, self.sink, self.floored, self.overdraft, self.elsewhere)

    def transfer(self, *legs: tuple[int, int], transfer_id: UUID | None = None) -> Transfer:
        return Transfer(self.tenant, transfer_id or uuid7(), self.asset, tuple(Leg(*leg) for leg in legs))

    def move(self, debit: int, credit: int, amount: int, transfer_id: UUID | None = None) -> Transfer:
        return self.transfer((debit, -amount), (credit, amount), transfer_id=transfer_id)


def new_accounts(connection: psycopg.Connection[Any]) -> Accounts:
    """A tenant that nobody used before, with two open accounts, two floored ones and one held elsewhere."""
    row = connection.execute("SELECT COALESCE(max(tenant_id), 0) + 1 FROM ledger_accounts").fetchone()
    assert row is not None
    tenant = int(row[0])
    asset = open_asset(connection, chain_id=1, address=bytes(20), symbol="USDC", decimals=6).asset_id

    def opened(reference: str, floor: int | None = None) -> int:
        return open_account(connection, tenant, "test", reference, asset, floor)

    return Accounts(
        tenant,
        asset,
        source=opened("source"),
        sink=opened("sink"),
        floored=opened("floored", 0),
        overdraft=opened("overdraft", -50),
        elsewhere=opened("elsewhere"),
    )


def stored_legs(connection: psycopg.Connection[Any], tenant: int) -> dict[UUID, list[tuple[int, int]]]:
    """Every transfer of the tenant as the book holds it."""
    legs: dict[UUID, list[tuple[int, int]]] = {}
    for transfer_id, account, amount in connection.execute(
        "SELECT transfer_id, account_id, amount FROM ledger_legs WHERE tenant_id = %s ORDER BY transfer_id, leg",
        [tenant],
    ):
        legs.setdefault(transfer_id, []).append((account, int(amount)))
    return legs


def stored_balances(connection: psycopg.Connection[Any], tenant: int) -> dict[int, int]:
    """Balances that are not zero, over all shards."""
    rows = connection.execute(
        "SELECT account_id, sum(balance) FROM ledger_balances WHERE tenant_id = %s "
        "GROUP BY 1 HAVING sum(balance) <> 0",
        [tenant],
    )
    return {account: int(balance) for account, balance in rows}


def debits_equal_credits(connection: psycopg.Connection[Any]) -> bool:
    """Per tenant, transfer and asset, over the whole book."""
    row = connection.execute(
        "SELECT NOT EXISTS (SELECT FROM ledger_legs "
        "GROUP BY tenant_id, transfer_id, asset_id HAVING sum(amount) <> 0)"
    ).fetchone()
    return row == (True,)
