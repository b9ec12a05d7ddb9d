"""Fixtures of the deferred work's tests: a real database, a whole local stack where a broker is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from kit.database.pool import open_pool
from kit.stack.stack import Options, Stack, launch
from tests.integration.chain.parts import Databases, databases


@pytest.fixture(scope="session")
def pg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with databases(tmp_path_factory.mktemp("pg") / "run") as running:
        yield running


@pytest.fixture
def pool(pg: Databases) -> Iterator[ConnectionPool]:
    with open_pool(pg.new(), max_size=8) as opened:
        yield opened


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Stack]:
    """PostgreSQL, Valkey, Anvil and the contracts; no process of ours yet."""
    with launch(tmp_path / "run", Options(gateway=False)) as stack:
        yield stack
