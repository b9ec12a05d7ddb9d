"""One audit: a snapshot of the book, checked by itself and against one pinned block of the chain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import namedtuple_row

from gateway.books.chain import ChainTotals, compare, later_than
from gateway.books.ledger import AssetTotals, Difference, read_ledger
from gateway.channels.escrow import Escrow, current_escrow
from kit.chain.follower import find_mirror
from kit.chain.guard import EndpointGuard
from kit.chain.rpc import Log, Rpc
from kit.database.pool import connect
from kit.database.queries import load

_QUERIES = load("gateway.books")
POLL_SECONDS = 0.2


class NotComparable(Exception):
    """The book cannot be compared at that block: it is not there yet, or on another branch."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found at block `number`."""

    number: int
    block_hash: bytes
    assets: list[AssetTotals]
    chain: list[ChainTotals]
    channels: int
    differences: list[Difference]

    @property
    def balances(self) -> bool:
        return not self.differences


def audit(database_url: str, rpc: Rpc, *, number: int | None = None, wait_seconds: float = 30.0) -> Audit:
    """Audit at block `number`, by default the last final one.

    Raises NotComparable, RpcError, ChainMismatch, EscrowNotRegistered.
    """
    with connect(database_url, autocommit=True) as connection:
        escrow = current_escrow(connection)
        EndpointGuard(rpc, escrow.chain_id).check(connection)
        pinned = rpc.finalized().number if number is None else number
        pinned = max(pinned, escrow.start_block)
        _await_follower(connection, escrow, pinned, wait_seconds)
    with connect(database_url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return _audit(connection, rpc, escrow, pinned)


def _audit(connection: psycopg.Connection[Any], rpc: Rpc, escrow: Escrow, number: int) -> Audit:
    connection.execute("SET LOCAL statement_timeout = 0")
    ledger = read_ledger(connection, escrow.chain_id)
    facts = {"chain_id": escrow.chain_id, "number": number}
    known = connection.execute(_QUERIES.sql("block_hash"), facts).fetchone()
    rows: list[Any] = (
        connection.cursor(row_factory=namedtuple_row).execute(_QUERIES.sql("logs_after"), facts).fetchall()
    )
    logs = [
        Log(r.address, tuple(r.topics), r.data, r.block_number, r.block_hash, r.tx_hash, r.log_index) for r in rows
    ]
    block = rpc.block(number)
    if block is None or (known is not None and bytes(known[0]) != block.hash):
        raise NotComparable(f"the node's block {number} is not the one that the book has followed")
    differences, totals = compare(ledger, later_than(logs, escrow.escrow), rpc, escrow, number)
    again = rpc.block(number)
    if again is None or again.hash != block.hash:
        raise NotComparable(f"block {number} left the chain while it was compared")
    return Audit(number, block.hash, ledger.assets, totals, len(ledger.channels), ledger.differences + differences)


def _await_follower(connection: psycopg.Connection[Any], escrow: Escrow, number: int, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        mirror = find_mirror(connection, escrow.chain_id)
        if mirror is not None and mirror.head_number >= number:
            return
        if time.monotonic() >= deadline:
            at = "nowhere" if mirror is None else str(mirror.head_number)
            raise NotComparable(f"the book has followed the chain to {at}, not yet to {number}")
        time.sleep(POLL_SECONDS)
