"""What a guarded transfer may cost."""

from __future__ import annotations

from pathlib import Path

from kit.chain.anvil import Anvil
from kit.chain.artifacts import find_artifacts
from kit.stack.paths import CONTRACTS
from tests.integration.contracts.conftest import anvil_node
from tests.system.theft.gas import MOST_CERTIFIED, MOST_UNCERTIFIED, transfer_gas


def test_gas_of_a_guarded_transfer(tmp_path: Path) -> None:
    with anvil_node(tmp_path / "anvil.log") as url, Anvil(url) as anvil:
        gas = transfer_gas(anvil, find_artifacts(CONTRACTS / "artifacts", None))
    assert gas.uncertified - gas.plain <= MOST_UNCERTIFIED
    assert gas.certified - gas.plain <= MOST_CERTIFIED
