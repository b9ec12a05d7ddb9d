"""One world a test run; each test takes back what it did. Every test says what its thief may do at worst."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.chain.anvil import Anvil
from kit.chain.artifacts import Artifacts, find_artifacts
from kit.stack.paths import CONTRACTS
from tests.integration.contracts.conftest import anvil_node
from tests.system.theft import hostile, world
from tests.system.theft.admitted import Stolen
from tests.system.theft.hostile import Hostile
from tests.system.theft.world import THIEF, World

OTHER_CHAIN = 84532


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "admits(stolen): the keys that the thief of this test holds")


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """The built contracts; THEFT_ARTIFACTS names others, to see these tests fail on them."""
    folder = os.environ.get("THEFT_ARTIFACTS")
    return find_artifacts(
        Path(folder) if folder else CONTRACTS / "artifacts", find_artifacts(CONTRACTS / "artifacts", None).safe
    )


@pytest.fixture(scope="session")
def built(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    log = tmp_path_factory.mktemp("theft") / "anvil.log"
    with anvil_node(log) as url, Anvil(url) as anvil:
        yield world.build(anvil, artifacts)


@pytest.fixture(scope="session")
def elsewhere(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same people, contracts and Safe at the same addresses of another chain."""
    log = tmp_path_factory.mktemp("theft elsewhere") / "anvil.log"
    with anvil_node(log, "--chain-id", str(OTHER_CHAIN)) as url, Anvil(url) as anvil:
        yield world.build(anvil, artifacts)


@pytest.fixture
def guarded(built: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """The same world for each test: what a test does is rolled back. Whatever it did, the thief has got nothing."""
    marker = request.node.get_closest_marker("admits")
    assert marker is not None and isinstance(marker.args[0], Stolen), "which keys does the thief of this test hold?"
    snapshot = built.anvil.request("evm_snapshot")
    yield built
    stolen = built.balance(THIEF.address)
    assert built.anvil.request("evm_revert", snapshot)
    assert stolen == 0


@pytest.fixture(scope="session")
def hostile_code(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return hostile.compiled(tmp_path_factory.mktemp("forge"))


@pytest.fixture
def trap(guarded: World, hostile_code: dict[str, bytes]) -> Hostile:
    return hostile.setting(guarded, hostile_code)
