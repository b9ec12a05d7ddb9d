"""Merchants, receivers and keys on a real database: what is kept, what is recorded, what is never kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from gateway.merchants.keys import Caller, find_caller, hash_of, read_bearer
from gateway.merchants.service import (
    ReceiverTaken,
    UnknownMerchant,
    add_receiver,
    create_merchant,
    issue_key,
    merchant_id_of,
    revoke_key,
)
from kit.database.pool import connect
from kit.http.problems import Problem
from kit.ids import uuid7

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(gateway_database_url: str) -> Iterator[Connection]:
    with connect(gateway_database_url, autocommit=True) as opened:
        yield opened


def fresh_receiver() -> bytes:
    return hashlib.sha256(uuid7().bytes).digest()[:20]


def changes_of(connection: Connection, merchant_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Topics and payloads in order; each has its leaf."""
    rows = connection.execute(
        "SELECT topic, payload, leaf_id FROM outbox LEFT JOIN audit_leaves a ON a.leaf_id = event_id "
        "WHERE outbox.tenant_id = %s ORDER BY event_id",
        [merchant_id],
    ).fetchall()
    assert all(leaf is not None for _, _, leaf in rows)
    return [(topic, payload) for topic, payload, _ in rows]


def test_a_new_merchant_can_be_paid_and_can_ask(connection: Connection) -> None:
    receiver = fresh_receiver()
    made = create_merchant(connection, name="Müller & Söhne", receiver=receiver)
    assert find_caller(connection, hash_of(made.api_key)) == Caller(
        made.merchant_id, made.public_id, made.key_id, True
    )
    assert merchant_id_of(connection, made.public_id) == made.merchant_id
    assert changes_of(connection, made.merchant_id) == [
        (
            "merchant.receiver_added",
            {"kind": "merchant.receiver_added", "merchant": made.merchant_id, "receiver": "0x" + receiver.hex()},
        ),
        (
            "merchant.key_issued",
            {
                "kind": "merchant.key_issued",
                "merchant": made.merchant_id,
                "key_id": made.key_id,
                "can_write": True,
            },
        ),
    ]


def test_the_key_itself_is_kept_nowhere(connection: Connection) -> None:
    made = create_merchant(connection, name="m", receiver=fresh_receiver())
    secret = made.api_key.removeprefix("lg_live_")
    for table in ("api_keys", "outbox", "audit_leaves", "merchants"):
        query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s").format(sql.Identifier(table))
        found = connection.execute(query, [f"%{secret}%"])
        assert found.fetchone() == (0,), table
    stored = connection.execute("SELECT key_hash FROM api_keys WHERE key_id = %s", [made.key_id]).fetchone()
    assert stored == (hashlib.sha256(made.api_key.encode()).digest(),)


def test_a_receiver_belongs_to_one_merchant(connection: Connection) -> None:
    receiver = fresh_receiver()
    first = create_merchant(connection, name="first", receiver=receiver)
    with pytest.raises(ReceiverTaken), connection.transaction():
        create_merchant(connection, name="second", receiver=receiver)
    second = create_merchant(connection, name="second", receiver=fresh_receiver())
    for merchant in (first, second):
        with pytest.raises(ReceiverTaken), connection.transaction():
            add_receiver(connection, merchant_id=merchant.merchant_id, receiver=receiver)
    add_receiver(connection, merchant_id=second.merchant_id, receiver=fresh_receiver())
    assert [topic for topic, _ in changes_of(connection, second.merchant_id)].count("merchant.receiver_added") == 2


@pytest.mark.parametrize("receiver", [b"", bytes(19), bytes(21)])
def test_a_receiver_is_an_address(connection: Connection, receiver: bytes) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
        create_merchant(connection, name="m", receiver=receiver)


def test_keys_are_issued_read_only_and_revoked_once(connection: Connection) -> None:
    made = create_merchant(connection, name="m", receiver=fresh_receiver())
    reader, reader_id = issue_key(connection, merchant_id=made.merchant_id, label="reports", can_write=False)
    assert reader != made.api_key
    assert find_caller(connection, hash_of(reader)).can_write is False
    assert revoke_key(connection, merchant_id=made.merchant_id, key_id=reader_id) is True
    assert revoke_key(connection, merchant_id=made.merchant_id, key_id=reader_id) is False
    with pytest.raises(Problem) as refused:
        find_caller(connection, hash_of(reader))
    assert (refused.value.status, refused.value.code) == (401, "api_key_invalid")
    assert find_caller(connection, hash_of(made.api_key)).key_id == made.key_id, "the other one stays"
    topics = [topic for topic, _ in changes_of(connection, made.merchant_id)]
    assert topics.count("merchant.key_revoked") == 1


def test_nobody_revokes_another_merchant_s_key(connection: Connection) -> None:
    one = create_merchant(connection, name="one", receiver=fresh_receiver())
    two = create_merchant(connection, name="two", receiver=fresh_receiver())
    assert revoke_key(connection, merchant_id=two.merchant_id, key_id=one.key_id) is False
    assert find_caller(connection, hash_of(one.api_key)).merchant_id == one.merchant_id


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE merchant_id = %s",
        "UPDATE merchants SET suspended_at = now() WHERE merchant_id = %s",
    ],
)
def test_expired_keys_and_suspended_merchants(connection: Connection, change: str) -> None:
    made = create_merchant(connection, name="m", receiver=fresh_receiver())
    connection.execute("UPDATE api_keys SET expires_at = now() + interval '1 day'")
    assert find_caller(connection, hash_of(made.api_key)).merchant_id == made.merchant_id
    connection.execute(change.encode(), [made.merchant_id])
    with pytest.raises(Problem):
        find_caller(connection, hash_of(made.api_key))


def test_a_merchant_that_is_not_there(connection: Connection) -> None:
    with pytest.raises(UnknownMerchant):
        merchant_id_of(connection, "mer_0000000000000000")


def test_the_whole_of_a_merchant_or_nothing(connection: Connection) -> None:
    with pytest.raises(ZeroDivisionError), connection.transaction():
        made = create_merchant(connection, name="m", receiver=fresh_receiver())
        raise ZeroDivisionError
    with pytest.raises(UnknownMerchant):
        merchant_id_of(connection, made.public_id)
    assert changes_of(connection, made.merchant_id) == []


def test_a_header_s_hash_is_the_key_s(connection: Connection) -> None:
    made = create_merchant(connection, name="m", receiver=fresh_receiver())
    assert read_bearer(f"Bearer {made.api_key}") == hash_of(made.api_key)
