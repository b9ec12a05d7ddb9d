"""One facilitator for all tests here; each brings payers and channels of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.chain.parts import Databases, databases, node
from tests.integration.x402.world import World
from tests.integration.x402.world import world as running_world


@pytest.fixture(scope="session")
def pg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with databases(tmp_path_factory.mktemp("pg") / "run") as running:
        yield running


@pytest.fixture(scope="module")
def world(pg: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("x402")
    with node(folder) as chain, running_world(chain, pg.new(), folder) as running:
        yield running
