"""What the Python side votes and encodes, the contracts accept; what it refuses, they refuse for the same reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.chain.anvil import Anvil
from kit.chain.artifacts import find_artifacts
from tests.integration.contracts.channels import calldata
from tests.integration.contracts.quorum_chain import ACCEPTED, Quorum, create, registry_creation
from tests.support.committee import Committee
from verification.quorum import QuorumRefused, QuorumSignature, ValidatorSet
from verification.signatures.bls import BLS
from verification.signatures.messages import Veto

COMMITTEE = Committee.of(7)
SET = COMMITTEE.validator_set
MESSAGE, OTHER = Veto(7), Veto(8)
DIGEST = COMMITTEE.digest(MESSAGE)
SUMS = {
    name: QuorumSignature.decode(COMMITTEE.quorum_signature(message, signers)).signature
    for name, message, signers in (
        ("quorum", MESSAGE, range(5)),
        ("all", MESSAGE, range(7)),
        ("too few", MESSAGE, range(4)),
        ("another digest", OTHER, range(5)),
    )
}
SUMS["negated"] = bytes([SUMS["quorum"][0] ^ 0x20]) + SUMS["quorum"][1:]
SUMS["a proof"] = BLS.prove_possession(COMMITTEE.validators[0].secret)
NAMES = {
    "UnknownValidator": "unknown_validator",
    "BelowQuorum": "below_quorum",
    "InvalidSignature": "invalid_signature",
}


@pytest.fixture(scope="module")
def quorum(node_url: str, artifacts_folder: Path) -> Iterator[Quorum]:
    artifacts = find_artifacts(artifacts_folder, None)
    with Anvil(node_url) as anvil:
        proofs = [validator.proof for validator in COMMITTEE.validators]
        registry = create(anvil, registry_creation(artifacts, SET.evm_keys, proofs))
        verifier = create(anvil, artifacts.creation("CertificateVerifier", ["address"], [registry]))
        yield Quorum(anvil, registry, verifier)


def test_keys_proofs_and_quorum_signatures_are_accepted(quorum: Quorum) -> None:
    for signers in (range(5), range(2, 7), range(7)):
        assert quorum.verify(DIGEST, COMMITTEE.quorum_signature(MESSAGE, signers)) == ACCEPTED
    assert quorum.prove(COMMITTEE.validators[3].evm_key, COMMITTEE.validators[3].proof) == ACCEPTED
    assert quorum.prove(COMMITTEE.validators[3].evm_key, COMMITTEE.validators[2].proof) == "InvalidProof"


def test_both_sides_say_the_same(quorum: Quorum) -> None:
    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(0, 2**7 - 1) | st.sampled_from([0b11111, 0b1111111, 0b1111]) | st.integers(0, 2**256 - 1),
        st.sampled_from(sorted(SUMS)),
        st.sampled_from([MESSAGE, OTHER]),
    )
    def compare(bitmap: int, name: str, message: Veto) -> None:
        signature = QuorumSignature(bitmap, SUMS[name])
        digest = COMMITTEE.digest(message)
        said = quorum.verify(digest, signature.encode())
        assert said_by_python(signature, SET, digest) == NAMES.get(said, said)

    compare()


def said_by_python(signature: QuorumSignature, validators: ValidatorSet, digest: bytes) -> str:
    try:
        signature.check(validators, digest)
    except QuorumRefused as refused:
        return refused.reason.value
    return ACCEPTED


def test_set_of_the_chain_is_read_back(quorum: Quorum) -> None:
    raw = quorum.anvil.call(quorum.registry, calldata("keysOf(uint64)", ["uint64"], [1]))
    assert ValidatorSet.from_evm(1, raw[64 : 64 + 7 * 128]) == SET
