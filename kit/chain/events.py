"""Events and their effects: what a handler is, and how a log is applied once and taken back exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from kit.chain.rpc import Log, Rpc
from kit.database.queries import load

_QUERIES = load("kit.chain")
Effect = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Logs of any of the addresses, with topics as eth_getLogs takes them."""

    addresses: tuple[bytes, ...]
    topics: tuple[Any, ...] = ()


class Changes(Protocol):
    """The effects of one database transaction."""

    def apply(self, log: Log, round_: int) -> Effect | None:
        """Do what the log means; what `undo` needs to know, or None when it means nothing to us.

        `round_` counts how often this very log was applied, since a block may leave the chain and return.
        """

    def undo(self, log: Log, effect: Effect, round_: int) -> None:
        """Take back exactly what `apply` did."""

    def finish(self, head: int) -> None:
        """All logs of the transaction are through; `head` is the block that the book then stands at."""


class Handler(Protocol):
    """What events mean."""

    def filters(self, connection: psycopg.Connection[Any]) -> Sequence[LogFilter]: ...

    def begin(self, connection: psycopg.Connection[Any], logs: Sequence[Log], effects: Sequence[Effect]) -> Changes:
        """Take the row locks that these logs need, in one order, so that nobody can deadlock."""

    def catch_up(self, connection: psycopg.Connection[Any], rpc: Rpc, head: int) -> None:
        """Before a block is followed: read history up to `head` that matters only since lately."""

    def finalize(self, connection: psycopg.Connection[Any], number: int) -> None:
        """No block up to `number` can leave the chain any more."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """How far the book has followed the chain. `seen_at`: when it last had nothing left to follow."""

    head_number: int
    head_hash: bytes
    head_time: datetime
    node_number: int
    finalized_number: int
    seen_at: datetime
    trouble: str | None

    def age(self, now: datetime) -> float:
        """Seconds since the book was level with the node."""
        return (now - self.seen_at).total_seconds()


@dataclass(frozen=True, slots=True)
class StoredLog:
    """An applied log with what its effect was."""

    block_hash: bytes
    log_index: int
    block_number: int
    tx_hash: bytes
    address: bytes
    topics: list[bytes]
    data: bytes
    effect: dict[str, Any]
    round: int

    def as_log(self) -> Log:
        return Log(
            self.address,
            tuple(self.topics),
            self.data,
            self.block_number,
            self.block_hash,
            self.tx_hash,
            self.log_index,
        )


def find_mirror(connection: psycopg.Connection[Any], chain_id: int) -> Mirror | None:
    """Where the book stands on the chain; None before it has ever followed it."""
    cursor = connection.cursor(row_factory=class_row(Mirror))
    return cursor.execute(_QUERIES.sql("find_mirror"), {"chain_id": chain_id}).fetchone()


def apply_early(
    connection: psycopg.Connection[Any], chain_id: int, handler: Handler, logs: Sequence[Log]
) -> list[Effect]:
    """Apply logs of a receipt before the follower gets to their block; their effects, without those done already.

    When the follower then meets another block at that height, it takes them back. Logs of a block that it has already
    passed on another branch are left out.
    """
    cursor = connection.cursor(row_factory=class_row(Mirror))
    mirror = cursor.execute(_QUERIES.sql("share_mirror"), {"chain_id": chain_id}).fetchone()
    living = [log for log in logs if mirror is None or _may_live(connection, chain_id, mirror, log)]
    changes = handler.begin(connection, living, [])
    effects = [apply_one(connection, chain_id, changes, log) for log in living]
    changes.finish(mirror.head_number if mirror is not None else 0)
    return [effect for effect in effects if effect is not None]


def apply_one(connection: psycopg.Connection[Any], chain_id: int, changes: Changes, log: Log) -> Effect | None:
    """Apply a log unless it is applied; whoever stores it first has the effect."""
    facts = {
        "chain_id": chain_id,
        "block_hash": log.block_hash,
        "log_index": log.log_index,
        "block_number": log.block_number,
        "tx_hash": log.tx_hash,
        "address": log.address,
        "topics": list(log.topics),
        "data": log.data,
    }
    row = connection.execute(_QUERIES.sql("store_log"), facts).fetchone()
    row = row or connection.execute(_QUERIES.sql("apply_log_again"), facts).fetchone()
    if row is None:
        return None
    round_ = int(row[0])
    effect = changes.apply(log, round_)
    if effect is None:
        connection.execute(_QUERIES.sql("forget_log" if round_ == 1 else "undone_log"), facts)
        return None
    connection.execute(_QUERIES.sql("set_effect"), facts | {"effect": Jsonb(dict(effect))})
    return effect


def _may_live(connection: psycopg.Connection[Any], chain_id: int, mirror: Mirror, log: Log) -> bool:
    if log.block_number > mirror.head_number:
        return True
    facts = {"chain_id": chain_id, "number": log.block_number}
    row = connection.execute(_QUERIES.sql("find_block"), facts).fetchone()
    return row is not None and bytes(row[0]) == log.block_hash


def logs_to_undo(
    connection: psycopg.Connection[Any], chain_id: int, number: int, *, except_hash: bytes | None = None
) -> list[StoredLog]:
    """Applied logs at a height, newest first, but for those of one block."""
    cursor = connection.cursor(row_factory=class_row(StoredLog))
    facts = {"chain_id": chain_id, "number": number, "except_hash": except_hash}
    return cursor.execute(_QUERIES.sql("logs_to_undo"), facts).fetchall()


def undo_all(
    connection: psycopg.Connection[Any], chain_id: int, changes: Changes, orphans: Sequence[StoredLog]
) -> None:
    for orphan in orphans:
        changes.undo(orphan.as_log(), orphan.effect, orphan.round)
        facts = {"chain_id": chain_id, "block_hash": orphan.block_hash, "log_index": orphan.log_index}
        connection.execute(_QUERIES.sql("undone_log"), facts)
