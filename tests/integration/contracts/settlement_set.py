"""The whole set of high-value contracts as its file states it, with production values, and the command for it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from kit.chain.artifacts import Artifacts, find_artifacts
from kit.chain.deploy import command
from kit.chain.fees import FeePolicy
from kit.chain.keyed import KeyCarrier, Patience
from kit.chain.node import Node
from kit.chain.rpc import Rpc, hexed
from kit.chain.signer import LocalSigner
from kit.stack.paths import CONTRACTS
from tests.integration.contracts.conftest import account
from tests.support.committee import Account, Committee

DAY = 86_400
ARTIFACTS = find_artifacts(CONTRACTS / "artifacts", None)
STEPS = 13
"""Transactions of a deployment: the deployer contract and twelve more."""


def addresses(accounts: Sequence[Account]) -> list[str]:
    return [hexed(each.address) for each in accounts]


def stated_set(chain: Node, artifacts: Artifacts, people: Committee, singleton: str) -> dict[str, dict[str, Any]]:
    proxy = artifacts.safe_creation("proxies/SafeProxy")
    proxy_code = chain.runtime_code(proxy + encode(["address"], [singleton]))
    return {
        "CertificateVerifier": {},
        "ValidatorRegistry": {
            "delays": {"rotation": DAY, "recovery": 14 * DAY},
            "keys": hexed(b"".join(validator.evm_key for validator in people.validators)),
            "proofs": [hexed(validator.proof) for validator in people.validators],
        },
        "Actions": {"window": 7 * DAY},
        "Guardians": {"guardians": addresses(people.guardians), "threshold": people.guardian_threshold},
        "Governor": {"delays": {"change": 2 * DAY, "guardians": 14 * DAY}, "modelHash": "0x" + "33" * 32},
        "StandingRegistry": {
            "maxValidity": 7 * DAY,
            "attesters": addresses(people.attesters),
            "threshold": people.attester_threshold,
        },
        "EmergencyBrake": {
            "delays": {"sentinelPause": DAY // 4, "sentinelKey": 30 * DAY, "ending": 3600, "reduced": DAY},
            "sentinels": [{"key": hexed(people.sentinel.address), "expires": chain.time_of("latest") + 29 * DAY}],
        },
        "ColdVault": {
            "delays": {"owners": 2 * DAY, "guardians": 14 * DAY},
            "owners": addresses(people.vault_owners),
            "threshold": people.vault_threshold,
        },
        "TransferGuard": {
            "delays": {"notice": DAY, "exit": 14 * DAY},
            "code": {"singleton": singleton, "proxyCodehash": hexed(keccak(proxy_code))},
        },
        "PayoutModule": {"payeeDelay": DAY},
        "Evacuator": {},
        "GuardedSafeFactory": {"safeSingleton": singleton, "proxyCreationCode": hexed(proxy)},
    }


@dataclass(frozen=True)
class Run:
    """What the command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Network:
    """A chain that is nobody's local one, a file for it, and a key with money."""

    url: str
    node: Node
    folder: Path
    plan: dict[str, Any]
    key: LocalSigner

    @property
    def plan_file(self) -> Path:
        path = self.folder / "plan.json"
        path.write_text(json.dumps(self.plan))
        return path

    @property
    def out(self) -> Path:
        return self.folder / "addresses.json"

    def with_value(self, contract: str, name: str, value: Any) -> Network:
        contracts = {**self.plan["contracts"], contract: {**self.plan["contracts"][contract], name: value}}
        return replace(self, plan={**self.plan, "contracts": contracts})

    def key_file(self, mode: int = 0o600) -> Path:
        path = self.folder / "key"
        if not path.exists():
            path.write_text(hexed(bytes(account("network deployer").key)))
        path.chmod(mode)
        return path

    def words(self, *more: str) -> list[str]:
        """Of a deployment."""
        words = ["deploy-settlement", "--rpc", self.url, "--plan", str(self.plan_file), "--out", str(self.out)]
        words += ["--artifacts", str(CONTRACTS / "artifacts"), "--chain-id", str(self.node.chain_id)]
        return [*words, "--key-file", str(self.key_file()), "--confirmations", "2", *more]

    def deploy(self, capsys: pytest.CaptureFixture[str], *more: str) -> Run:
        return run(capsys, *self.words(*more))

    def verify(self, capsys: pytest.CaptureFixture[str], *more: str) -> Run:
        words = ["verify", "--rpc", self.url, "--plan", str(self.plan_file)]
        return run(capsys, *words, "--artifacts", str(CONTRACTS / "artifacts"), *(more or ("--chain-id", "10")))

    def nonce(self, tag: str = "latest") -> int:
        return int(self.node.request("eth_getTransactionCount", hexed(self.key.address), tag), 16)

    def carrier(self, **policy: Any) -> KeyCarrier:
        patience = Patience(mined_within=20, confirmations=1)
        return KeyCarrier(Rpc(self.url), self.node.chain_id, self.key, FeePolicy(**policy), patience)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Run:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    capsys.readouterr()
    code = command.run(parser.parse_args(words))
    said = capsys.readouterr()
    return Run(code, said.out, said.err)
