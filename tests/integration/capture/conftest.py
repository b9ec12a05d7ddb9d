"""Group commit on a real server: a pool, a way into the book, and a connection that looks on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from gateway.payments.capture import Captures
from kit.database.pool import connect, open_pool
from tests.support.seed import Merchant, seed_merchant


@pytest.fixture(scope="module")
def pool(gateway_database_url: str) -> Iterator[ConnectionPool]:
    with open_pool(gateway_database_url, max_size=4) as opened:
        yield opened


@pytest.fixture
def connection(gateway_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(gateway_database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def merchant(connection: psycopg.Connection[Any]) -> Merchant:
    return seed_merchant(connection)


@pytest.fixture
async def captures(gateway_database_url: str, pool: ConnectionPool) -> AsyncIterator[Captures]:
    running = Captures(gateway_database_url, pool)
    await running.start()
    yield running
    await running.stop()
