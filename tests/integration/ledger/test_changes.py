"""A recorded change: one outbox row, one leaf that commits to its words, both or neither."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import psycopg
import pytest

from kit.ids import uuid7
from kit.ledger.changes import PLATFORM, record

Connection = psycopg.Connection[Any]


def test_one_row_and_one_leaf(connection: Connection) -> None:
    made = record(connection, tenant_id=7, topic="refund.made", payload={"amount": "5", "to": "é"})
    event = connection.execute("SELECT tenant_id, topic, payload FROM outbox WHERE event_id = %s", [made]).fetchone()
    assert event == (7, "refund.made", {"amount": "5", "to": "é", "kind": "refund.made"})
    leaf = connection.execute(
        "SELECT tenant_id, kind, salt, body, leaf_hash FROM audit_leaves WHERE leaf_id = %s", [made]
    ).fetchone()
    assert leaf is not None
    tenant, kind, salt, body, leaf_hash = leaf
    assert (tenant, kind) == (7, "refund.made")
    assert json.loads(body) == event[2]
    assert leaf_hash == hashlib.sha256(salt + body.encode()).digest()


def test_salts_differ(connection: Connection) -> None:
    ids = [record(connection, tenant_id=PLATFORM, topic="t", payload={}) for _ in range(2)]
    rows = connection.execute("SELECT DISTINCT salt, leaf_hash FROM audit_leaves WHERE leaf_id = ANY (%s)", [ids])
    assert len(rows.fetchall()) == 2


def test_nothing_stands_of_a_transaction_that_failed(connection: Connection) -> None:
    made = uuid7()
    with pytest.raises(ZeroDivisionError), connection.transaction():
        record(connection, tenant_id=1, topic="t", payload={}, change_id=made)
        raise ZeroDivisionError
    for table in (b"outbox WHERE event_id", b"audit_leaves WHERE leaf_id"):
        assert connection.execute(b"SELECT FROM " + table + b" = %s", [made]).fetchone() is None


def test_a_change_id_is_recorded_once(connection: Connection) -> None:
    made = record(connection, tenant_id=1, topic="t", payload={})
    with pytest.raises(psycopg.errors.UniqueViolation):
        record(connection, tenant_id=1, topic="t", payload={}, change_id=made)


def test_a_float_is_recorded_nowhere(connection: Connection) -> None:
    made = uuid7()
    with pytest.raises(TypeError):
        record(connection, tenant_id=1, topic="t", payload={"amount": 0.1}, change_id=made)
    assert connection.execute("SELECT FROM outbox WHERE event_id = %s", [made]).fetchone() is None
