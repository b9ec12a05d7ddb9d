"""What the escrow's and tokens' logs do to the book, whoever sent the transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from gateway.channels import logs as wire
from gateway.channels.backfill import history
from gateway.channels.changes import ChannelChanges
from gateway.channels.escrow import Escrow
from kit.chain.follower import Effect, LogFilter, apply_one
from kit.chain.rpc import Log, Rpc, hexed
from kit.database.queries import load
from kit.ledger.changes import record
from kit.logging import get_logger

_QUERIES = load("gateway.channels")
_log = get_logger(__name__)
RECEIVERS_A_FILTER = 500
# What a receipt may book ahead of the follower: these commute with whatever the follower has yet to do.
_EARLY = frozenset({wire.CHANNEL_CREATED, wire.DEPOSITED, wire.REFUNDED, wire.TRANSFER})


class ChannelEvents:
    """The handler (kit.chain.follower.Handler) of one escrow."""

    def __init__(self, escrow: Escrow, *, early: bool = False) -> None:
        self.escrow = escrow
        self.chain_id = escrow.chain_id
        self._early = early

    def filters(self, connection: psycopg.Connection[Any]) -> list[LogFilter]:
        """Everything of the escrow, and transfers of listed tokens to registered receivers."""
        found = [LogFilter((self.escrow.escrow,))]
        rows = connection.execute(_QUERIES.sql("assets_of_chain"), {"chain_id": self.chain_id}).fetchall()
        tokens = tuple(bytes(row[0]) for row in rows)
        receivers = [
            hexed(bytes(12) + bytes(row[0])) for row in connection.execute(_QUERIES.sql("all_receivers")).fetchall()
        ]
        for start in range(0, len(receivers) if tokens else 0, RECEIVERS_A_FILTER):
            some = receivers[start : start + RECEIVERS_A_FILTER]
            found.append(LogFilter(tokens, (hexed(wire.TRANSFER), None, some)))
        return found

    def begin(
        self, connection: psycopg.Connection[Any], logs: Sequence[Log], effects: Sequence[Effect]
    ) -> ChannelChanges:
        """Lock every channel that these logs move, and those whose deposits may fall due, in channel order."""
        ours = [log for log in logs if log.address == self.escrow.escrow and len(log.topics) > 1]
        numbers = [int(no) for effect in effects for no in effect.get("paid", {})]
        if self.escrow.confirmations > 1:
            rows = connection.execute(_QUERIES.sql("pending_channels"), {"chain_id": self.chain_id}).fetchall()
            numbers += [row[0] for row in rows]
        facts = {
            "channel_ids": [log.topics[1] for log in ours if log.topics[0] in wire.OF_A_CHANNEL],
            "receivers": [log.topics[1][12:] for log in ours if log.topics[0] == wire.SETTLED],
            "channel_nos": numbers,
        }
        connection.execute(_QUERIES.sql("lock_channels"), facts)
        return ChannelChanges(connection, self.escrow, kinds=_EARLY if self._early else None)

    def catch_up(self, connection: psycopg.Connection[Any], rpc: Rpc, head: int) -> None:
        """A receiver registered since the last block brings its channels' history with it."""
        rows = connection.execute(_QUERIES.sql("unfollowed_receivers"), {"chain_id": self.chain_id}).fetchall()
        if not rows:
            return
        logs = history(rpc, self.escrow, head)
        changes = self.begin(connection, logs, [])
        for log in logs:
            apply_one(connection, self.chain_id, changes, log)
        changes.finish(head)
        for merchant_id, receiver in rows:
            facts = {"merchant_id": merchant_id, "receiver": receiver, "chain_id": self.chain_id, "number": head}
            connection.execute(_QUERIES.sql("follow_receiver"), facts)
        _log.info("receivers followed", receivers=len(rows), head=head, logs=len(logs))

    def finalize(self, connection: psycopg.Connection[Any], number: int) -> None:
        """Payments by transfer are settled once their block is final."""
        facts = {"chain_id": self.chain_id, "number": number}
        for merchant_id, payment_id in connection.execute(_QUERIES.sql("finalize_exact_payments"), facts).fetchall():
            payload = {"payment_id": str(payment_id)}
            record(connection, tenant_id=merchant_id, topic="payment.settled", payload=payload)
