"""One effect a key, in the scope of tenant and route, also when two ask at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kit.database.pool import connect
from kit.http.idempotency import claim_key, release_key
from kit.http.problems import Problem

ROUTE = "POST /v1/refunds"
BODY, OTHER = b"a" * 32, b"b" * 32


@pytest.fixture
def connection(gateway_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(gateway_database_url, autocommit=True) as opened:
        opened.execute("TRUNCATE idempotency_keys")
        yield opened


def claim(connection: psycopg.Connection[Any], **changed: Any) -> bool:
    facts: dict[str, Any] = {"tenant_id": 1, "route": ROUTE, "key": "order-1", "body_hash": BODY} | changed
    return claim_key(connection, **facts)


def test_new_then_known(connection: psycopg.Connection[Any]) -> None:
    assert claim(connection) is True
    assert claim(connection) is False


def test_another_body_is_refused_and_changes_nothing(connection: psycopg.Connection[Any]) -> None:
    claim(connection)
    with pytest.raises(Problem) as refused:
        claim(connection, body_hash=OTHER)
    assert (refused.value.status, refused.value.code) == (409, "idempotency_key_reused")
    assert claim(connection) is False


@pytest.mark.parametrize("scope", [{"tenant_id": 2}, {"route": "POST /v1/payouts"}, {"key": "order-2"}])
def test_scope_is_tenant_and_route(connection: psycopg.Connection[Any], scope: dict[str, Any]) -> None:
    claim(connection)
    assert claim(connection, body_hash=OTHER, **scope) is True


def test_a_key_given_back_takes_a_corrected_body(connection: psycopg.Connection[Any]) -> None:
    claim(connection)
    claim(connection, tenant_id=2)
    release_key(connection, tenant_id=1, route=ROUTE, key="order-1")
    assert claim(connection, body_hash=OTHER) is True
    with pytest.raises(Problem):
        claim(connection, tenant_id=2, body_hash=OTHER)


def test_a_rolled_back_claim_burns_nothing(connection: psycopg.Connection[Any]) -> None:
    with connection.transaction(force_rollback=True):
        claim(connection)
    assert claim(connection, body_hash=OTHER) is True


def test_two_bodies_at_once_have_one_winner(gateway_database_url: str, connection: psycopg.Connection[Any]) -> None:
    ready = threading.Barrier(8)
    outcomes: list[bool | int] = []

    def run(body: bytes) -> None:
        with connect(gateway_database_url, autocommit=True) as mine:
            ready.wait()
            try:
                outcomes.append(claim(mine, body_hash=body))
            except Problem as problem:
                outcomes.append(problem.status)

    threads = [threading.Thread(target=run, args=(bytes([number]) * 32,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) == 1
    assert outcomes.count(409) == 7
