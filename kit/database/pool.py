"""Connections to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

# Never a value that depends on who started the server: time zone and search path are ours.
_OPTIONS: Mapping[str, Any] = {"options": "-c timezone=UTC -c jit=off", "connect_timeout": 5}
STATEMENT_TIMEOUT_MS = 30_000
# psycopg_pool doubles the pause between its attempts, so a long patience means a long wait after the server's return.
# Given up early, the next request for a connection starts anew.
RECONNECT_SECONDS = 2.0


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
    connection.commit()


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """One connection outside any pool. Raises psycopg.OperationalError when the server cannot be reached."""
    return psycopg.connect(url, autocommit=autocommit, **_OPTIONS)


def open_pool(url: str, *, max_size: int = 8, min_size: int = 1, timeout: float = 5.0) -> ConnectionPool:
    """A pool whose `connection()` is one transaction: committed on success, rolled back on an exception.

    Every connection is checked when it is handed out, so that after a restart of the server the first request
    succeeds (psycopg/psycopg#701). `timeout` is in seconds; a full pool raises psycopg_pool.PoolTimeout.
    """
    return ConnectionPool(
        url,
        min_size=min_size,
        max_size=max_size,
        timeout=timeout,
        max_waiting=max_size * 16,
        kwargs=dict(_OPTIONS),
        configure=_configure,
        check=ConnectionPool.check_connection,
        reconnect_timeout=RECONNECT_SECONDS,
        open=True,
    )
