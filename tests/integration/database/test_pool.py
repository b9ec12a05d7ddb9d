"""The pool: one transaction a use, settings of our own, and no dead connection handed out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from kit.database.pool import STATEMENT_TIMEOUT_MS, connect, open_pool


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool]:
    with open_pool(database_url, max_size=2, min_size=2, timeout=2.0) as opened:
        yield opened


@pytest.fixture
def watcher(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, autocommit=True) as opened:
        yield opened


def test_one_use_is_one_transaction(pool: ConnectionPool, watcher: psycopg.Connection[Any]) -> None:
    watcher.execute("CREATE TABLE IF NOT EXISTS used (n int)")
    with pool.connection() as connection:
        connection.execute("INSERT INTO used VALUES (1)")
    with pytest.raises(ZeroDivisionError), pool.connection() as connection:
        connection.execute("INSERT INTO used VALUES (2)")
        raise ZeroDivisionError
    assert watcher.execute("SELECT n FROM used").fetchall() == [(1,)]


def test_nothing_depends_on_who_started_the_server(pool: ConnectionPool) -> None:
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT current_setting('TimeZone'), current_setting('statement_timeout')"
        ).fetchone()
    assert row == ("UTC", f"{STATEMENT_TIMEOUT_MS // 1000}s")


def test_dead_connections_are_not_handed_out(pool: ConnectionPool, watcher: psycopg.Connection[Any]) -> None:
    """As after a restart of the server: every connection of the pool is gone, and the next use succeeds."""
    pool.wait()
    for _ in range(3):
        killed = watcher.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        assert killed
        with pool.connection() as first, pool.connection() as second:
            assert first.execute("SELECT 1").fetchone() == second.execute("SELECT 1").fetchone() == (1,)


def test_a_full_pool_says_so_in_time(pool: ConnectionPool) -> None:
    with pool.connection(), pool.connection(), pytest.raises(PoolTimeout), pool.connection(timeout=0.1):
        pass
