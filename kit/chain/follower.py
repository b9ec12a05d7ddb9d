"""Follows the chain block by block, by hash, and takes back what leaves it.

A block's events, their effects and the cursor are one database transaction: the cursor never passes what is not
committed. A block that cannot be read whole stops the cursor, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from kit.chain.bloom import may_contain
from kit.chain.events import (
    Changes,
    Effect,
    Handler,
    LogFilter,
    Mirror,
    StoredLog,
    apply_early,
    apply_one,
    find_mirror,
    logs_to_undo,
    undo_all,
)
from kit.chain.guard import ChainMismatch, EndpointGuard
from kit.chain.rpc import Block, Log, Rpc, RpcError, RpcRefused, RpcUnavailable, hexed, log_from
from kit.database.queries import load
from kit.logging import get_logger
from kit.metrics import counter, gauge

__all__ = [
    "Changes",
    "Effect",
    "Follower",
    "Handler",
    "LogFilter",
    "Mirror",
    "Progress",
    "ReorgTooDeep",
    "apply_early",
    "apply_one",
    "find_mirror",
]
_QUERIES = load("kit.chain")
_log = get_logger(__name__)
LAG = gauge("lockgate_chain_lag_blocks", "Blocks that the node has and the book has not followed.")
HEAD = gauge("lockgate_chain_head", "The last block that the book has followed.", mode="max")
FOLLOWED = counter("lockgate_chain_blocks_followed_total", "Blocks whose events were committed.")
REORGANISED = counter("lockgate_chain_blocks_undone_total", "Blocks that left the chain and were taken back.")
GAPS = counter("lockgate_chain_gaps_total", "Times a block could not be followed.", ["cause"])

MAX_BLOCKS_A_STEP = 100
DEFAULT_MAX_DEPTH = 128


class ReorgTooDeep(Exception):
    """More blocks left the chain than we may take back by ourselves."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did."""

    followed: int
    undone: int
    caught_up: bool


class Follower:
    """Follows one chain for one book."""

    def __init__(
        self,
        rpc: Rpc,
        chain_id: int,
        handler: Handler,
        *,
        start_block: int = 0,
        max_depth: int = DEFAULT_MAX_DEPTH,
    ) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self.handler = handler
        self.guard = EndpointGuard(rpc, chain_id)
        self._start_block = start_block
        self._max_depth = max_depth

    def step(self, pool: ConnectionPool) -> Progress:
        """Follow what there is now, at most MAX_BLOCKS_A_STEP blocks. Safe to run from several processes at once.

        Raises RpcError, ChainMismatch, ReorgTooDeep, each after noting it in chain_mirror.trouble.
        """
        try:
            return self._step(pool)
        except (RpcError, ChainMismatch, ReorgTooDeep) as error:
            GAPS.labels(type(error).__name__).inc()
            _log.error("the chain cannot be followed", cause=type(error).__name__, reason=str(error))
            with pool.connection() as connection:
                facts = {"chain_id": self.chain_id, "trouble": f"{type(error).__name__}: {error}"[:500]}
                connection.execute(_QUERIES.sql("note_trouble"), facts)
            raise

    def _step(self, pool: ConnectionPool) -> Progress:
        with pool.connection() as connection:
            self.guard.check(connection)
            mirror = self._mirror_or_start(connection)
        node_head = self._known_block("latest")
        final = self.rpc.finalized()
        followed = undone = 0
        caught_up = False
        for _ in range(MAX_BLOCKS_A_STEP):
            following = self._block_after(pool, mirror)
            if following is None:
                caught_up = node_head.number >= mirror.head_number
                break
            if following.parent_hash == mirror.head_hash:
                followed += self._follow(pool, following)
            else:
                undone += self._walk_back(pool, mirror)
            mirror = self._mirror(pool)
        self._note(pool, mirror, max(node_head.number, mirror.head_number), final.number, caught_up)
        return Progress(followed, undone, caught_up)

    def _block_after(self, pool: ConnectionPool, mirror: Mirror) -> Block | None:
        """The block to look at next: its parent tells whether our head is still in the chain. None: nothing new."""
        following = self.rpc.block(mirror.head_number + 1)
        if following is not None:
            return following
        same = self.rpc.block(mirror.head_number)
        if same is not None and same.hash != mirror.head_hash:
            return same  # Another block at our height: its parent is never our head.
        # The node has our head, or is behind it: it may lag, and a shorter branch shows when it grows.
        return None if same is not None else self._shorter_branch(pool, mirror)

    def _shorter_branch(self, pool: ConnectionPool, mirror: Mirror) -> Block | None:
        """The node's head when it lies below ours and not on our branch."""
        head = self._known_block("latest")
        if head.number >= mirror.head_number:
            return None
        with pool.connection() as connection:
            stored = self._stored_hash(connection, head.number)
        return head if stored is not None and stored != head.hash else None

    def _follow(self, pool: ConnectionPool, block: Block) -> int:
        with pool.connection() as connection:
            filters = self.handler.filters(connection)
        logs = self._logs(block, filters)
        with pool.connection() as connection:
            mirror = self._locked_mirror(connection)
            if mirror.head_hash != block.parent_hash:
                return 0  # Somebody else was here.
            self.handler.catch_up(connection, self.rpc, mirror.head_number)
            orphans = logs_to_undo(connection, self.chain_id, block.number, except_hash=block.hash)
            dead = [orphan.as_log() for orphan in orphans]
            changes = self.handler.begin(connection, [*dead, *logs], [orphan.effect for orphan in orphans])
            undo_all(connection, self.chain_id, changes, orphans)
            for log in logs:
                apply_one(connection, self.chain_id, changes, log)
            changes.finish(block.number)
            self._advance(connection, block)
        FOLLOWED.inc()
        return 1

    def _walk_back(self, pool: ConnectionPool, mirror: Mirror) -> int:
        """Take back, newest first and in one transaction, all blocks above the common ancestor."""
        ancestor = self._ancestor(pool, mirror)
        with pool.connection() as connection:
            if self._locked_mirror(connection).head_hash != mirror.head_hash:
                return 0
            orphans: list[StoredLog] = []
            for number in range(mirror.head_number, ancestor, -1):
                orphans += logs_to_undo(connection, self.chain_id, number)
            dead = [orphan.as_log() for orphan in orphans]
            changes = self.handler.begin(connection, dead, [orphan.effect for orphan in orphans])
            undo_all(connection, self.chain_id, changes, orphans)
            changes.finish(ancestor)
            for number in range(mirror.head_number, ancestor, -1):
                connection.execute(_QUERIES.sql("remove_block"), {"chain_id": self.chain_id, "number": number})
            row = connection.execute(
                _QUERIES.sql("find_block"), {"chain_id": self.chain_id, "number": ancestor}
            ).fetchone()
            assert row is not None
            facts = {"chain_id": self.chain_id, "number": ancestor, "hash": row[0], "time": row[2]}
            connection.execute(_QUERIES.sql("move_mirror"), facts)
        undone = mirror.head_number - ancestor
        REORGANISED.inc(undone)
        _log.warning("reorganisation taken back", blocks=undone, ancestor=ancestor, logs=len(orphans))
        return undone

    def _ancestor(self, pool: ConnectionPool, mirror: Mirror) -> int:
        """The highest block that the node and we share. Raises ReorgTooDeep."""
        with pool.connection() as connection:
            for number in range(mirror.head_number, mirror.head_number - self._max_depth - 1, -1):
                stored = self._stored_hash(connection, number)
                if stored is None:
                    break
                block = self.rpc.block(number)
                if block is not None and block.hash == stored:
                    return number
        raise ReorgTooDeep(f"no common block within {self._max_depth} below {mirror.head_number}")

    def _logs(self, block: Block, filters: Sequence[LogFilter]) -> list[Log]:
        """All logs of the block that match, in order; never fewer than there are. Raises RpcUnavailable."""
        found: dict[int, Log] = {}
        for one in filters:
            try:
                logs = self.rpc.logs_of(block.hash, one.addresses, one.topics)
            except RpcRefused as error:
                raise RpcUnavailable(f"block {block.number} has no logs now: {error.message}") from error
            if not logs and not one.topics and any(may_contain(block.bloom, address) for address in one.addresses):
                logs = self._logs_by_receipts(block, one)
            found |= {log.log_index: log for log in logs}
        return [found[index] for index in sorted(found)]

    def _logs_by_receipts(self, block: Block, one: LogFilter) -> list[Log]:
        """The block's bloom speaks of logs that the node did not give: its receipts decide."""
        try:
            receipts = self.rpc.read("eth_getBlockReceipts", hexed(block.hash))
        except RpcRefused as error:
            raise RpcUnavailable(f"block {block.number}: logs are missing, receipts too: {error.message}") from error
        if receipts is None or any(receipt is None for receipt in receipts):
            raise RpcUnavailable(f"block {block.number}: its receipts are not there yet")
        logs = [log_from(item) for receipt in receipts for item in receipt["logs"]]
        return [log for log in logs if log.address in one.addresses]

    def _advance(self, connection: psycopg.Connection[Any], block: Block) -> None:
        facts = {
            "chain_id": self.chain_id,
            "number": block.number,
            "hash": block.hash,
            "parent_hash": block.parent_hash,
            "time": block.time,
        }
        connection.execute(_QUERIES.sql("add_block"), facts)
        moved = facts | {"time": datetime.fromtimestamp(block.time, UTC)}
        connection.execute(_QUERIES.sql("move_mirror"), moved)
        pruned = {"chain_id": self.chain_id, "number": block.number - self._max_depth - 1}
        connection.execute(_QUERIES.sql("prune_blocks"), pruned)

    def _note(self, pool: ConnectionPool, mirror: Mirror, node_number: int, finalized: int, caught_up: bool) -> None:
        with pool.connection() as connection:
            facts = {
                "chain_id": self.chain_id,
                "node_number": node_number,
                "finalized_number": min(finalized, mirror.head_number),
                "caught_up": caught_up,
            }
            connection.execute(_QUERIES.sql("note_node"), facts)
            self.handler.finalize(connection, min(finalized, mirror.head_number))
        HEAD.set(mirror.head_number)
        LAG.set(node_number - mirror.head_number)

    def _known_block(self, at: int | str) -> Block:
        block = self.rpc.block(at)
        if block is None:
            raise RpcUnavailable(f"the node has no block {at}")
        return block

    def _mirror_or_start(self, connection: psycopg.Connection[Any]) -> Mirror:
        found = find_mirror(connection, self.chain_id)
        if found is not None:
            return found
        first = self._known_block(max(0, self._start_block - 1))
        facts = {
            "chain_id": self.chain_id,
            "number": first.number,
            "hash": first.hash,
            "parent_hash": first.parent_hash,
            "time": first.time,
        }
        if connection.execute(_QUERIES.sql("start_mirror"), facts).rowcount == 1:
            connection.execute(_QUERIES.sql("add_block"), facts)
        found = find_mirror(connection, self.chain_id)
        assert found is not None
        return found

    def _mirror(self, pool: ConnectionPool) -> Mirror:
        with pool.connection() as connection:
            found = find_mirror(connection, self.chain_id)
        assert found is not None
        return found

    def _locked_mirror(self, connection: psycopg.Connection[Any]) -> Mirror:
        cursor = connection.cursor(row_factory=class_row(Mirror))
        found = cursor.execute(_QUERIES.sql("lock_mirror"), {"chain_id": self.chain_id}).fetchone()
        assert found is not None
        return found

    def _stored_hash(self, connection: psycopg.Connection[Any], number: int) -> bytes | None:
        facts = {"chain_id": self.chain_id, "number": number}
        row = connection.execute(_QUERIES.sql("find_block"), facts).fetchone()
        return None if row is None else bytes(row[0])
