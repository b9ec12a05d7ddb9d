"""What the database holds of channels and payments, and whether all of it belongs together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row, namedtuple_row

from gateway.payments.outcomes import CaptureRequest
from gateway.payments.statement import commitment_of
from tests.support.seed import SeededChannel

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class State:
    credited: int
    charged: int
    claimed: int
    withheld: int
    voucher_max: int
    voucher_signature: bytes | None
    kept: bool
    dated: bool


def state_of(connection: Connection, channel: SeededChannel) -> State:
    row = connection.cursor(row_factory=class_row(State)).execute(
        """
        SELECT credited::text::int8 AS credited, charged::int8, claimed::int8, withheld::int8, voucher_max::int8,
               voucher_signature, kept, first_unclaimed_at IS NOT NULL AND last_payment_at IS NOT NULL AS dated
        FROM channel_states WHERE merchant_id = %s AND channel_no = %s""",
        [channel.merchant_id, channel.channel_no],
    )
    found = row.fetchone()
    assert found is not None
    return found


def payments_of(connection: Connection, channel: SeededChannel) -> list[Any]:
    """In the order of their maxima."""
    return (
        connection.cursor(row_factory=namedtuple_row)
        .execute(
            "SELECT * FROM payments WHERE merchant_id = %s AND channel_no = %s ORDER BY voucher_max",
            [channel.merchant_id, channel.channel_no],
        )
        .fetchall()
    )


def level_of(connection: Connection, channel: SeededChannel, *, most: int, seconds: int) -> float:
    """The level of the payer's window now, as it drains by `most` in `seconds`."""
    row = connection.execute(
        """
        SELECT GREATEST(0, level - %s * extract(epoch FROM now() - level_at) / %s)::float8
        FROM velocity_windows WHERE tenant_id = 0 AND subject = %s AND asset_id = %s""",
        [most, seconds, channel.payer.config.payer, channel.asset_id],
    ).fetchone()
    assert row is not None
    return float(row[0])


def pass_time(connection: Connection, channel: SeededChannel, seconds: float) -> None:
    """Let the payer's window believe that it was last touched so much earlier."""
    connection.execute(
        "UPDATE velocity_windows SET level_at = level_at - make_interval(secs => %s) WHERE subject = %s",
        [seconds, channel.payer.config.payer],
    )


def counts(connection: Connection) -> dict[str, int]:
    """Rows of every table that a payment writes, and what is charged in all."""
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            SELECT (SELECT count(*) FROM payments) AS payments, (SELECT count(*) FROM ledger_legs) AS ledger_legs,
                   (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM audit_leaves) AS audit_leaves,
                   (SELECT count(*) FROM idempotency_keys) AS idempotency_keys,
                   (SELECT count(*) FROM ledger_balances) AS ledger_balances,
                   (SELECT COALESCE(sum(charged), 0) FROM channel_states) AS charged"""
        )
        .fetchone()
    )
    assert row is not None
    return {name: int(value) for name, value in row.items()}


def is_capturing(connection: Connection, *, waiting_for_a_lock: bool) -> int | None:
    """The process that serves the group commit of this database, or None while it is not (so)."""
    row = connection.execute(
        """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND query LIKE '-- One statement, one fsync, many payments.%%'
          AND (wait_event_type IS NOT DISTINCT FROM 'Lock') = %s""",
        [waiting_for_a_lock],
    ).fetchone()
    return None if row is None else int(row[0])


def check_books(connection: Connection) -> None:
    """Everything that must hold of any book of payments, whatever was tried."""
    for problem, query in _CHECKS.items():
        rows = connection.execute(query.encode()).fetchall()
        assert not rows, (problem, rows[:5])


_CHECKS = {
    "debits are not credits": """
        SELECT tenant_id, transfer_id FROM ledger_legs GROUP BY 1, 2, asset_id HAVING sum(amount) <> 0""",
    "a balance is not the sum of its legs": """
        SELECT tenant_id, account_id, b.balance, l.amount
        FROM (SELECT tenant_id, account_id, sum(balance) AS balance FROM ledger_balances GROUP BY 1, 2) b
        FULL JOIN (SELECT tenant_id, account_id, sum(amount) AS amount FROM ledger_legs g
                   WHERE account_id NOT IN (SELECT channel_account FROM channels) GROUP BY 1, 2) l
             USING (tenant_id, account_id)
        WHERE COALESCE(b.balance, 0) <> COALESCE(l.amount, 0)""",
    "a channel's account is not credited - charged": """
        SELECT c.channel_no, s.credited, s.charged, COALESCE(sum(l.amount), 0)
        FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
        LEFT JOIN ledger_legs l ON l.tenant_id = c.merchant_id AND l.account_id = c.channel_account
        GROUP BY 1, 2, 3 HAVING COALESCE(sum(l.amount), 0) <> s.credited - s.charged""",
    "a channel's charge is not the sum of its payments": """
        SELECT s.channel_no, s.charged, COALESCE(sum(p.amount), 0)
        FROM channel_states s LEFT JOIN payments p USING (merchant_id, channel_no)
        GROUP BY 1, 2 HAVING COALESCE(sum(p.amount), 0) <> s.charged""",
    "payments of a channel do not follow one another": """
        SELECT * FROM (SELECT channel_no, voucher_max, cumulative, amount,
                              lag(voucher_max, 1, 0) OVER (PARTITION BY channel_no ORDER BY voucher_max) AS before
                       FROM payments WHERE scheme = 1) p
        WHERE voucher_max - amount <> before OR cumulative <> voucher_max""",
    "a payment has not its two legs": """
        SELECT p.payment_id FROM payments p
        JOIN channels c USING (merchant_id, channel_no)
        LEFT JOIN ledger_legs l ON l.tenant_id = p.merchant_id AND l.transfer_id = p.payment_id
        GROUP BY 1, p.amount, c.channel_account, c.captured_account
        HAVING COALESCE(array_agg((l.account_id, l.amount) ORDER BY l.leg)
                        <> ARRAY[(c.channel_account, -p.amount), (c.captured_account, p.amount)], true)""",
    "batches, leaves and events are not the same": """
        SELECT batch_id, leaf_id, event_id
        FROM (SELECT DISTINCT batch_id FROM payments) p
        FULL JOIN (SELECT * FROM audit_leaves WHERE kind = 'payments.captured') a ON leaf_id = batch_id
        FULL JOIN (SELECT * FROM outbox WHERE topic = 'payments.captured') o ON event_id = COALESCE(leaf_id, batch_id)
        WHERE batch_id IS NULL OR leaf_id IS NULL OR event_id IS NULL""",
}


def check_leaf(connection: Connection, batch_id: UUID, captured: Sequence[CaptureRequest]) -> None:
    """The batch's leaf commits to these payments, in this order, and to nothing else."""
    row = connection.execute(
        "SELECT tenant_id, kind, salt, body, leaf_hash FROM audit_leaves WHERE leaf_id = %s", [batch_id]
    ).fetchone()
    assert row is not None
    tenant, kind, salt, body, leaf_hash = row
    assert (tenant, kind) == (0, "payments.captured")
    assert leaf_hash == hashlib.sha256(salt + body.encode()).digest()
    expected = {
        "batch": str(batch_id),
        "count": len(captured),
        "kind": "payments.captured",
        "members": b"".join(commitment_of(request) for request in captured).hex(),
    }
    assert body == json.dumps(expected, sort_keys=True, separators=(",", ":"))
    event = connection.execute("SELECT tenant_id, topic, payload FROM outbox WHERE event_id = %s", [batch_id])
    assert event.fetchone() == (0, "payments.captured", {"batch": str(batch_id), "count": len(captured)})
