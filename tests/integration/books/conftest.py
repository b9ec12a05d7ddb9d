"""Fixtures of the books tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from kit.database.pool import open_pool
from tests.integration.chain.parts import Databases, Node, databases, node
from tests.integration.channels.world import World, build


@pytest.fixture(scope="session")
def pg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with databases(tmp_path_factory.mktemp("pg") / "run") as running:
        yield running


@pytest.fixture
def database_url(pg: Databases) -> str:
    return pg.new()


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool]:
    with open_pool(database_url, max_size=6) as opened:
        yield opened


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Node]:
    with node(tmp_path) as running:
        yield running


@pytest.fixture
def world(chain: Node, pool: ConnectionPool) -> Iterator[World]:
    built = build(chain, pool)
    yield built
    built.rpc.close()
