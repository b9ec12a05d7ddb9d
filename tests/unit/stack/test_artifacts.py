"""What is kept of a build: ABI and bytecode of the contracts that are named, and nothing stale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.stack import contracts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(contracts, "CONTRACTS", tmp_path)
    built = {"abi": [1], "bytecode": {"object": "0x60"}, "deployedBytecode": {"object": "0x61"}, "id": 5}
    (tmp_path / "out" / "Token.sol").mkdir(parents=True)
    (tmp_path / "out" / "Token.sol" / "Token.json").write_text(json.dumps(built))
    return tmp_path


def test_named_contracts_are_kept_and_stale_ones_go(folder: Path) -> None:
    (folder / "artifacts.txt").write_text("Token.sol:Token\n")
    (folder / "artifacts").mkdir()
    (folder / "artifacts" / "Old.json").write_text("{}")
    assert contracts.extract() == ["Token"]
    assert [path.name for path in (folder / "artifacts").iterdir()] == ["Token.json"]
    kept = json.loads((folder / "artifacts" / "Token.json").read_text())
    assert kept == {"abi": [1], "bytecode": "0x60", "deployedBytecode": "0x61"}


def test_a_name_without_a_contract_is_an_error(folder: Path) -> None:
    (folder / "artifacts.txt").write_text("Token.sol:Token\nToken.sol:Absent\n")
    with pytest.raises(contracts.BuildError, match=r"Token\.sol:Absent"):
        contracts.extract()
