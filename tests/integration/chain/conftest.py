"""Fixtures of the chain's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from kit.chain.rpc import Rpc
from kit.chain.sender import Sender
from kit.chain.signer import LocalSigner
from kit.database.pool import open_pool
from tests.integration.chain.parts import CHAIN_ID, Databases, Node, account, databases, node


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
        running.anvil.fund(account("relay").address, 10**21)
        yield running


@pytest.fixture
def rpc(chain: Node) -> Iterator[Rpc]:
    opened = Rpc(chain.url)
    yield opened
    opened.close()


@pytest.fixture
def sender(rpc: Rpc) -> Sender:
    return Sender(rpc, CHAIN_ID, {"relay": LocalSigner(account("relay"))})
