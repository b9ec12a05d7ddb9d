"""`lockgate committee`, `contracts deploy-settlement` and `create-safe` on a real node, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from kit.chain.addresses import SAFE_SINGLETON
from kit.chain.anvil import Anvil
from kit.chain.artifacts import find_artifacts
from kit.chain.circle import Circle, PlanError, read_plan
from kit.chain.deploy import deploy
from kit.chain.guarded_safe import FACTORY, address_of, read_safe_plan
from kit.chain.settlement import DEPLOYER, NEIGHBOURS
from kit.cli import main
from tests.integration.contracts.channels import calldata
from tests.integration.contracts.conftest import account, anvil_node, plan

OWNERS = [account(f"treasury owner {number}").address for number in range(3)]


class Set:
    """A node with the payments' contracts and the set of a fresh committee."""

    def __init__(self, url: str, anvil: Anvil, folder: Path, artifacts_folder: Path) -> None:
        self.url, self.anvil, self.folder, self.artifacts_folder = url, anvil, folder, artifacts_folder
        self.artifacts = find_artifacts(artifacts_folder, None)

    def run(self, *words: str) -> int:
        return main([*words, "--artifacts", str(self.artifacts_folder)])

    def contracts(self, verb: str, *words: str) -> int:
        return self.run("contracts", verb, "--rpc", self.url, "--plan", str(self.folder / "plan.json"), *words)

    def create(self, safe_file: Path | None = None) -> int:
        return self.contracts("create-safe", "--safe", str(safe_file or self.folder / "treasury.json"))

    @property
    def circle(self) -> Circle:
        return Circle(self.anvil, self.artifacts, read_plan(self.folder / "plan.json", NEIGHBOURS), DEPLOYER)

    def foretold(self, safe_file: Path | None = None) -> str:
        safe_plan = read_safe_plan(safe_file or self.folder / "treasury.json")
        return address_of(safe_plan, self.circle.addresses[FACTORY], self.artifacts)

    def sent(self) -> int:
        return int(self.anvil.request("eth_getTransactionCount", DEPLOYER, "latest"), 16)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, artifacts_folder: Path) -> Iterator[Set]:
    folder = tmp_path_factory.mktemp("set")
    with anvil_node(folder / "log") as url, Anvil(url) as anvil:
        made = Set(url, anvil, folder / "committee", artifacts_folder)
        words = ("--out", str(made.folder), "--chain-id", "31337", "--owners", ",".join(OWNERS))
        assert made.run("committee", *words) == 0
        assert made.create() == 1, "there is no factory yet"
        brake = made.circle.addresses["EmergencyBrake"]
        deploy(made.anvil, made.artifacts, replace(plan(), brake=brake, treasury=made.foretold()))
        assert made.contracts("deploy-settlement", "--out", str(folder / "settlement.json")) == 0
        yield made


def test_the_committees_plan_is_what_stands(deployed: Set, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployed.contracts("verify") == 0
    assert capsys.readouterr().err == ""


def test_the_proxys_code_is_known_without_a_chain(deployed: Set) -> None:
    creation = deployed.artifacts.safe_creation("proxies/SafeProxy") + bytes(12) + bytes.fromhex(SAFE_SINGLETON[2:])
    assert deployed.artifacts.safe_runtime("proxies/SafeProxy") == deployed.anvil.runtime_code(creation)


def test_a_safe_is_made_once_at_the_foretold_address(deployed: Set, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployed.create() == 0
    safe = capsys.readouterr().out.strip()
    assert safe == deployed.foretold()
    before = deployed.sent()
    assert deployed.create() == 0
    assert capsys.readouterr().out.strip() == safe
    assert deployed.sent() == before, "the second run sent a transaction"


def test_it_is_guarded_and_its_owners_and_limits_are_the_files(deployed: Set) -> None:
    assert deployed.create() == 0
    safe, guard = deployed.foretold(), deployed.circle.addresses["TransferGuard"]
    (owners,) = decode(["address[]"], deployed.anvil.call(safe, calldata("getOwners()", [], [])))
    assert {owner.lower() for owner in owners} == {owner.lower() for owner in OWNERS}
    assert int.from_bytes(deployed.anvil.call(safe, calldata("getThreshold()", [], [])), "big") == 2
    for name in ("guard_manager.guard.address", "module_manager.module_guard.address"):
        slot = deployed.anvil.request("eth_getStorageAt", safe, "0x" + keccak(text=name).hex(), "latest")
        assert slot[-40:] == guard[2:].lower(), name
    group = deployed.anvil.call(guard, calldata("groupOf(address)", ["address"], [safe]))
    assert group[-20:].hex() == safe[2:].lower(), "a group of its own"
    told = json.loads((deployed.folder / "treasury.json").read_text())
    for token, limits in told["tokens"].items():
        asked = calldata("limitsOf(bytes32,address)", ["bytes32", "address"], [group, token])
        found = decode(["uint256", "uint256", "uint256"], deployed.anvil.call(guard, asked))
        assert [str(each) for each in found] == [limits[name] for name in ("daily", "certifiedFrom", "noticeFrom")]


def test_other_limits_make_another_safe(deployed: Set, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads((deployed.folder / "treasury.json").read_text())
    (token,) = told["tokens"]
    told["tokens"][token]["daily"] = "1"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(told))
    assert deployed.create(other) == 0
    assert capsys.readouterr().out.strip() == deployed.foretold(other) != deployed.foretold()


@pytest.mark.parametrize(
    "change",
    [{"threshold": 4}, {"threshold": 0}, {"owners": [OWNERS[0], OWNERS[0]]}, {"owners": ["0x12"]}, {"group": "0x00"},
     {"tokens": {"0x12": {}}}, {"salt": "-1"}, {"salt": None}],
)  # fmt: skip
def test_a_file_that_states_no_safe_changes_nothing(
    deployed: Set, tmp_path: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((deployed.folder / "treasury.json").read_text())
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({**told, **change}))
    before = deployed.sent()
    assert deployed.create(bad) == 1
    assert "lockgate contracts create-safe: " in capsys.readouterr().err
    assert deployed.sent() == before


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="states no guarded Safe"):
        read_safe_plan(tmp_path / "none.json")
