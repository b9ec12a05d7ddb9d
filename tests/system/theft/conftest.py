"""One world a test module; each test takes back what it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.chain.anvil import Anvil
from kit.chain.artifacts import find_artifacts
from kit.stack.paths import CONTRACTS
from tests.integration.contracts.conftest import anvil_node
from tests.system.theft import world
from tests.system.theft.world import World


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    log = tmp_path_factory.mktemp("theft") / "anvil.log"
    with anvil_node(log) as url, Anvil(url) as anvil:
        yield world.build(anvil, find_artifacts(CONTRACTS / "artifacts", None))


@pytest.fixture
def guarded(built: World) -> Iterator[World]:
    """The same world for each test: what a test does is rolled back."""
    snapshot = built.anvil.request("evm_snapshot")
    yield built
    assert built.anvil.request("evm_revert", snapshot)
