"""What it costs to verify a certificate: execution of `verify`, every address and slot cold."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from kit.chain.anvil import Anvil
from kit.chain.artifacts import Artifacts, find_artifacts
from tests.integration.contracts.quorum_chain import Quorum, deploy_quorum, gas_used, verify_call
from tests.integration.contracts.quorum_reference import Committee

SIZES = (4, 7, 19, 67)
MOST_GAS_AT_SEVEN = 175_000
MOST_GAS_A_FURTHER_VALIDATOR = 800
COLD_ACCOUNT = (
    2_600 - 100
)  # EIP-2929: a calling contract pays it for the verifier, a transaction does not for its receiver


def execution_gas(quorum: Quorum, data: bytes) -> int:
    """As called by another contract: the receipt's gas less what EIP-2028 takes for the transaction itself."""
    zeros = data.count(0)
    own = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    return gas_used(quorum.anvil, quorum.verifier, data) - own + COLD_ACCOUNT


def gas_by_size(anvil: Anvil, artifacts: Artifacts) -> dict[int, int]:
    digest = keccak(text="a certificate")
    largest = Committee.of(int.from_bytes(keccak(text=f"validator {number}"), "big") for number in range(max(SIZES)))
    gas = {}
    for size in SIZES:
        committee = largest.first(size)
        quorum = deploy_quorum(anvil, artifacts, committee)
        signature = committee.quorum_signature(range(committee.quorum), digest)
        gas[size] = execution_gas(quorum, verify_call(digest, signature))
    return gas


def test_gas_of_a_certificate(node_url: str, artifacts_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Anvil(node_url) as anvil:
        gas = gas_by_size(anvil, find_artifacts(artifacts_folder, None))
    with capsys.disabled():
        print("\ngas of a certificate's verification, by a quorum of N:")
        for size, used in gas.items():
            print(f"  {used:>7,}  N = {size}")
    assert gas[7] <= MOST_GAS_AT_SEVEN
    for smaller, larger in pairwise(SIZES):
        assert gas[larger] - gas[smaller] <= MOST_GAS_A_FURTHER_VALIDATOR * (larger - smaller)
