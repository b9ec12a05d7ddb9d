"""What was kept back for an outcome, and is free now that there is one."""

from __future__ import annotations

from typing import Any

import psycopg

from kit.database.queries import load
from kit.ledger.changes import record

_QUERIES = load("gateway.channels", "claims.sql")
AT_ONCE_MOST = 500


def release_what_is_over(connection: psycopg.Connection[Any]) -> int:
    """Release what refunds withheld whose transaction is final; how many channels have more to spend now."""
    rows = connection.execute(_QUERIES.sql("release_what_is_over"), {"limit": AT_ONCE_MOST}).fetchall()
    for merchant_id, channel_no, amount in rows:
        payload = {"channel_no": channel_no, "amount": str(int(amount))}
        record(connection, tenant_id=merchant_id, topic="channel.withheld_released", payload=payload)
    return len(rows)
