"""The book against itself: debits and credits, legs and balances, channels and their payments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kit.database.queries import load

_QUERIES = load("gateway.books")
NAMED_MOST = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be: where, what it should be, what it is."""

    where: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class AssetTotals:
    """Sums over all legs of an asset, in its smallest unit."""

    asset_id: int
    debits: int
    credits: int
    legs: int


@dataclass(slots=True)
class Ledger:
    """What was read of the book in one snapshot."""

    assets: list[AssetTotals]
    channels: list[Any]
    by_kind: dict[tuple[int, str, str, int], int]
    differences: list[Difference] = field(default_factory=list)

    def account(self, merchant_id: int, kind: str, reference: str, asset_id: int) -> int:
        """Sum of an account's legs."""
        return self.by_kind.get((merchant_id, kind, reference, asset_id), 0)


def read_ledger(connection: psycopg.Connection[Any], chain_id: int) -> Ledger:
    """Read and check the book; the caller holds one snapshot (repeatable read)."""
    cursor = connection.cursor(row_factory=namedtuple_row)

    def rows(name: str, **facts: Any) -> list[Any]:
        return cursor.execute(_QUERIES.sql(name), facts).fetchall()

    assets = [AssetTotals(r.asset_id, int(r.debits), int(r.credits), r.legs) for r in rows("legs_by_asset")]
    ledger = Ledger(assets, rows("channels", chain_id=chain_id), {})
    found = ledger.differences
    for total in assets:
        if total.debits != total.credits:
            found.append(Difference(f"asset {total.asset_id}", "debits = credits", total.credits, total.debits))
    for tenant_id, transfer_id, amount, _ in rows("unbalanced_transfers", limit=NAMED_MOST):
        found.append(Difference(f"merchant {tenant_id} transfer {transfer_id}", "sum of legs", 0, int(amount)))
    for row in rows("legs_without_account", limit=NAMED_MOST):
        found.append(
            Difference(f"merchant {row.tenant_id} account {row.account_id}", "an account of its asset", 1, 0)
        )
    for row in rows("accounts"):
        ledger.by_kind[row.tenant_id, row.kind, row.reference, row.asset_id] = int(row.legs)
        balance = 0 if row.balance is None else int(row.balance)
        if int(row.legs) != balance:
            found.append(Difference(_named(row), "legs = balance", int(row.legs), balance))
    paid = {(row[0], row[1]): int(row[2]) for row in rows("payments_by_channel")}
    exact = {(row[0], row[1]): int(row[2]) for row in rows("exact_payments")}
    _check_channels(ledger, paid)
    _check_income(ledger, exact)
    return ledger


def _check_channels(ledger: Ledger, paid: dict[tuple[int, int], int]) -> None:
    captured: dict[tuple[int, str, int], int] = defaultdict(int)
    for row in ledger.channels:
        name, charged = f"channel 0x{row.channel_id.hex()}", int(row.charged)
        key = (row.merchant_id, "0x" + row.receiver.hex(), row.asset_id)
        captured[key] += charged - int(row.claimed)
        payments = paid.get((row.merchant_id, row.channel_no), 0)
        if payments != charged:
            ledger.differences.append(Difference(name, "sum of payments = charged", charged, payments))
        deficit = max(0, charged - int(row.credited))
        if deficit != int(row.deficit):
            ledger.differences.append(Difference(name, "deficit", deficit, int(row.deficit)))
    for (merchant_id, kind, receiver, asset_id), legs in ledger.by_kind.items():
        if kind == "captured":
            expected = captured.pop((merchant_id, receiver, asset_id), 0)
            if legs != expected:
                where = f"merchant {merchant_id} captured {receiver}"
                ledger.differences.append(Difference(where, "charged and not claimed", expected, legs))


def _check_income(ledger: Ledger, exact: dict[tuple[int, int], int]) -> None:
    income: dict[tuple[int, int], int] = defaultdict(int)
    for (merchant_id, kind, _, asset_id), legs in ledger.by_kind.items():
        if kind == "income":
            income[merchant_id, asset_id] += legs
    for key in income.keys() | exact.keys():
        if income.get(key, 0) != exact.get(key, 0):
            where = f"merchant {key[0]} income of asset {key[1]}"
            ledger.differences.append(
                Difference(where, "sum of exact payments", exact.get(key, 0), income.get(key, 0))
            )


def _named(row: Any) -> str:
    return f"merchant {row.tenant_id} account {row.account_id} ({row.kind} {row.reference})"
