"""Contracts that name each other: deployed from one statement, resumed half-way, verified against the chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import Artifacts, find_artifacts
from kit.chain.circle import Circle, Plan, PlanError, read_plan
from kit.chain.deploy import DEPLOYER
from tests.integration.contracts.conftest import account, anvil_node
from tests.integration.contracts.quorum_reference import Committee

DAY = 86_400
NEIGHBOURS = {
    "registry": "ValidatorRegistry",
    "verifier": "CertificateVerifier",
    "actions": "Actions",
    "guardians": "Guardians",
    "governor": "Governor",
    "standing": "StandingRegistry",
    "vault": "ColdVault",
}
ABSENT = account("a contract that this set does not hold").address


def members(*names: str) -> list[str]:
    return sorted(account(name).address.lower() for name in names)


@pytest.fixture(scope="module")
def plan() -> Plan:
    committee = Committee.of(range(11, 15))
    values: dict[str, dict[str, Any]] = {
        "CertificateVerifier": {},
        "ValidatorRegistry": {
            "neighbours": {"guard": ABSENT},
            "delays": {"rotation": DAY, "recovery": 14 * DAY},
            "keys": "0x" + committee.keys.hex(),
            "proofs": ["0x" + validator.proof.hex() for validator in committee.validators],
        },
        "Actions": {"neighbours": {"guard": ABSENT}, "window": 7 * DAY},
        "Guardians": {"guardians": members("guardian 1", "guardian 2", "guardian 3"), "threshold": 2},
        "Governor": {
            "neighbours": {"guard": ABSENT, "payoutModule": ABSENT},
            "delays": {"change": 2 * DAY, "guardians": 14 * DAY},
            "modelHash": "0x" + "33" * 32,
        },
        "ColdVault": {
            "neighbours": {"guard": ABSENT, "evacuator": ABSENT},
            "delays": {"owners": 2 * DAY, "guardians": 14 * DAY},
            "owners": members("vault owner 1", "vault owner 2"),
            "threshold": 2,
        },
        "StandingRegistry": {
            "guard": ABSENT,
            "maxValidity": 7 * DAY,
            "attesters": members("attester 1", "attester 2"),
            "threshold": 2,
        },
    }
    return Plan(bytes(32), values, NEIGHBOURS)


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Anvil]:
    with anvil_node(tmp_path / "log") as url, Anvil(url) as chain:
        chain.fund(DEPLOYER, 10**21)
        yield chain


@pytest.fixture(scope="module")
def artifacts(artifacts_folder: Path) -> Artifacts:
    return find_artifacts(artifacts_folder, None)


def changed(plan: Plan, contract: str, **values: Any) -> Plan:
    return replace(plan, values={**plan.values, contract: {**plan.values[contract], **values}})


def test_a_circle_stands_where_it_was_foretold_and_is_verified(
    anvil: Anvil, artifacts: Artifacts, plan: Plan
) -> None:
    circle = Circle(anvil, artifacts, plan, DEPLOYER)
    assert {each.contract for each in circle.verify()} == set(plan.names)
    assert circle.deploy() == list(plan.names)
    assert circle.verify() == []
    verifier = anvil.call(circle.addresses["CertificateVerifier"], keccak(text="registry()")[:4])
    assert "0x" + verifier[12:].hex() == circle.addresses["ValidatorRegistry"].lower()


def test_again_changes_nothing(anvil: Anvil, artifacts: Artifacts, plan: Plan) -> None:
    Circle(anvil, artifacts, plan, DEPLOYER).deploy()
    block = anvil.request("eth_blockNumber")
    assert Circle(anvil, artifacts, plan, DEPLOYER).deploy() == []
    assert anvil.request("eth_blockNumber") == block


def test_a_run_that_was_stopped_is_finished_by_the_next(
    anvil: Anvil, artifacts: Artifacts, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = 0
    send = Anvil.send_as

    def three_only(self: Anvil, sender: str, to: str, data: bytes) -> str:
        nonlocal sent
        sent += 1
        if sent > 3:
            raise ChainError("cut")
        return send(self, sender, to, data)

    monkeypatch.setattr(Anvil, "send_as", three_only)
    with pytest.raises(ChainError, match="cut"):
        Circle(anvil, artifacts, plan, DEPLOYER).deploy()
    monkeypatch.undo()
    circle = Circle(anvil, artifacts, plan, DEPLOYER)
    assert circle.deploy() == list(plan.names)[2:]
    assert circle.verify() == []


def test_another_delay_or_key_is_named(anvil: Anvil, artifacts: Artifacts, plan: Plan) -> None:
    Circle(anvil, artifacts, plan, DEPLOYER).deploy()
    shorter = changed(plan, "Governor", delays={"change": 1, "guardians": 14 * DAY})
    assert [each.contract for each in Circle(anvil, artifacts, shorter, DEPLOYER).verify()] == ["Governor"]


def test_code_that_was_replaced_is_named(anvil: Anvil, artifacts: Artifacts, plan: Plan) -> None:
    circle = Circle(anvil, artifacts, plan, DEPLOYER)
    circle.deploy()
    anvil.request("anvil_setCode", circle.addresses["Actions"], "0x00")
    assert [each.contract for each in circle.verify()] == ["Actions"]


@pytest.mark.parametrize(
    ("contract", "values", "said"),
    [
        ("Actions", {"neighbours": {}, "window": 1}, "guard"),
        ("Actions", {"neighbours": {"guard": ABSENT, "brake": ABSENT}, "window": 1}, "brake"),
        ("Actions", {"neighbours": {"guard": ABSENT}, "window": -1}, "Actions"),
        ("Actions", {"neighbours": {"guard": ABSENT}, "window": 1, "owner": ABSENT}, "owner"),
        ("Actions", {"neighbours": [], "window": 1}, "object"),
    ],
)
def test_a_wrong_statement_is_refused_before_anything_is_sent(
    anvil: Anvil, artifacts: Artifacts, plan: Plan, contract: str, values: dict[str, Any], said: str
) -> None:
    wrong = replace(plan, values={**plan.values, contract: values})
    with pytest.raises(PlanError, match=said):
        Circle(anvil, artifacts, wrong, DEPLOYER).deploy()
    assert int(anvil.request("eth_blockNumber"), 16) == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"salt": "0x00", "contracts": {}}', '{"salt": 1, "contracts": {}}']
)
def test_a_file_that_is_none_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(PlanError, match=r"plan\.json"):
        read_plan(tmp_path / "plan.json", NEIGHBOURS)
