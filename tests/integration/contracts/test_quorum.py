"""Certificate verifier and registry on a real node, against py-ecc and known forgeries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
from eth_utils.crypto import keccak
from py_ecc.optimized_bls12_381.optimized_curve import add, neg

from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import Artifacts, find_artifacts
from tests.integration.contracts.conftest import anvil_node
from tests.integration.contracts.quorum_chain import (
    ACCEPTED,
    Quorum,
    deploy_quorum,
    error_name,
    registry_creation,
)
from tests.integration.contracts.quorum_reference import (
    G1_INFINITY,
    G2_INFINITY,
    NUL_SUITE,
    ORDER,
    PROOF_SUITE,
    Committee,
    Validator,
    bitmap,
    decode_g2,
    encode_g1,
    encode_g2,
    g1_of_small_order,
    g1_outside_subgroup,
    g2_outside_subgroup,
    off_curve,
    shifted_by_p,
    sign,
)

DIGEST = keccak(text="what the quorum signs")
COMMITTEE = Committee.of(range(901, 905))
ENOUGH = (0, 1, 3)


@pytest.fixture(scope="module")
def anvil(node_url: str) -> Iterator[Anvil]:
    with Anvil(node_url) as node:
        yield node


@pytest.fixture(scope="module")
def artifacts(artifacts_folder: Path) -> Artifacts:
    return find_artifacts(artifacts_folder, None)


@pytest.fixture(scope="module")
def quorum(anvil: Anvil, artifacts: Artifacts) -> Quorum:
    return deploy_quorum(anvil, artifacts, COMMITTEE)


@pytest.mark.parametrize("seed", range(6))
def test_verifier_says_what_py_ecc_says(seed: int, anvil: Anvil, artifacts: Artifacts) -> None:
    """Random validators, digests, signers and bitmaps; the bitmap is sometimes not the signers'."""
    random = Random(seed)  # noqa: S311 - repeatable, and no secret
    size = random.randint(4, 10)
    committee = Committee.of(random.randrange(1, ORDER) for _ in range(size))
    quorum = deploy_quorum(anvil, artifacts, committee)
    for honest in (True, True, False):
        digest = random.randbytes(32)
        signers = random.sample(range(size), random.randint(committee.quorum - 1, size))
        named = signers if honest else random.sample(range(size), random.randint(committee.quorum, size))
        signature = committee.aggregate(signers, digest)
        if len(named) < committee.quorum:
            expected = "BelowQuorum"
        else:
            expected = ACCEPTED if committee.is_signed_by(named, digest, signature) else "InvalidSignature"
        assert quorum.verify(digest, bitmap(named) + signature) == expected
        assert quorum.verify(random.randbytes(32), bitmap(named) + signature) in ("BelowQuorum", "InvalidSignature")


def negated(signature: bytes) -> bytes:
    return encode_g2(neg(decode_g2(signature)))


@cache
def forgeries() -> dict[str, tuple[bytes, str]]:
    """Quorum signatures that must not count over DIGEST, and the error's name."""
    good = COMMITTEE.aggregate(ENOUGH, DIGEST)
    named = bitmap(ENOUGH)
    lone = COMMITTEE.validators[0]
    return {
        "empty bitmap with infinity": (bitmap(()) + G2_INFINITY, "BelowQuorum"),
        "infinity for a quorum": (named + G2_INFINITY, "InfinityPoint"),
        "outside the subgroup": (named + g2_outside_subgroup(), "InvalidSignature"),
        "moved out of the subgroup": (
            named + encode_g2(add(decode_g2(good), decode_g2(g2_outside_subgroup()))),
            "InvalidSignature",
        ),
        "off the curve": (named + off_curve(good), "InvalidSignature"),
        "coordinate not below p": (named + shifted_by_p(good), "InvalidSignature"),
        "bytes over a coordinate": (named + b"\x01" + good[1:], "InvalidSignature"),
        "negated": (named + negated(good), "InvalidSignature"),
        "bit of the fifth of four": (bitmap((*ENOUGH, 4)) + good, "UnknownValidator"),
        "bit 255": (bitmap((*ENOUGH, 255)) + good, "UnknownValidator"),
        "below the quorum": (COMMITTEE.quorum_signature((0, 1), DIGEST), "BelowQuorum"),
        "one signs for three": (named + sign(lone.secret, DIGEST), "InvalidSignature"),
        "one signs three times": (named + sign(3 * lone.secret, DIGEST), "InvalidSignature"),
        "one is missing": (named + COMMITTEE.aggregate((0, 1), DIGEST), "InvalidSignature"),
        "suite without proofs": (COMMITTEE.quorum_signature(ENOUGH, DIGEST, NUL_SUITE), "InvalidSignature"),
        "suite of the proofs": (COMMITTEE.quorum_signature(ENOUGH, DIGEST, PROOF_SUITE), "InvalidSignature"),
        "a byte short": ((named + good)[:-1], "MalformedSignature"),
        "a byte long": (named + good + b"\x00", "MalformedSignature"),
        "no bytes": (b"", "MalformedSignature"),
    }


def test_the_signature_that_the_forgeries_begin_with_counts(quorum: Quorum) -> None:
    assert quorum.verify(DIGEST, COMMITTEE.quorum_signature(ENOUGH, DIGEST)) == ACCEPTED


@pytest.mark.parametrize("name", forgeries())
def test_forged_signature(name: str, quorum: Quorum) -> None:
    forged, expected = forgeries()[name]
    assert quorum.verify(DIGEST, forged) == expected


@pytest.mark.parametrize("epoch", [0, 2, 2**64 - 1])
def test_another_epoch(epoch: int, quorum: Quorum) -> None:
    assert quorum.verify(DIGEST, COMMITTEE.quorum_signature(ENOUGH, DIGEST), epoch) == "WrongEpoch"


NEWCOMER = Validator(0xC0FFEE)


def test_proof_of_possession(quorum: Quorum) -> None:
    for validator in (NEWCOMER, Validator(ORDER - NEWCOMER.secret), Validator(1), Validator(ORDER - 1)):
        assert quorum.prove(validator.key, validator.proof) == ACCEPTED


def rogue_key() -> bytes:
    """The newcomer's key minus all others': with it the newcomer alone would sign for everybody."""
    point = NEWCOMER.point
    for validator in COMMITTEE.validators:
        point = add(point, neg(validator.point))
    return encode_g1(point)


@cache
def false_proofs() -> dict[str, tuple[bytes, bytes]]:
    """Key and proof that must not be accepted."""
    key, proof = NEWCOMER.key, NEWCOMER.proof
    negated_key = encode_g1(neg(NEWCOMER.point))
    return {
        "infinity for infinity": (G1_INFINITY, G2_INFINITY),
        "infinity as proof": (key, G2_INFINITY),
        "infinity as key": (G1_INFINITY, proof),
        "key outside the subgroup": (g1_outside_subgroup(), proof),
        "proof outside the subgroup": (key, g2_outside_subgroup()),
        "key off the curve": (off_curve(key), proof),
        "proof off the curve": (key, off_curve(proof)),
        "key's coordinate not below p": (shifted_by_p(key), proof),
        "proof's coordinate not below p": (key, shifted_by_p(proof)),
        "bytes over the key's coordinate": (b"\x01" + key[1:], proof),
        "another's proof": (COMMITTEE.validators[0].key, proof),
        "the negated key": (negated_key, proof),
        "proof of the key in the suite of signatures": (key, sign(NEWCOMER.secret, NEWCOMER.compressed)),
        "proof over the uncompressed key": (key, sign(NEWCOMER.secret, key, PROOF_SUITE)),
        "rogue key": (rogue_key(), proof),
        "proof a byte short": (key, proof[:-1]),
    }


@pytest.mark.parametrize("name", false_proofs())
def test_false_proof(name: str, quorum: Quorum) -> None:
    assert quorum.prove(*false_proofs()[name]) == "InvalidProof"


def test_key_of_small_order(quorum: Quorum) -> None:
    """A point that the subgroup's order does not annul, times that order: what a missing subgroup check lets in."""
    small = g1_of_small_order()
    assert quorum.prove(small, NEWCOMER.proof) == "InvalidProof"
    assert quorum.prove(small, G2_INFINITY) == "InvalidProof"


def test_same_key_twice(anvil: Anvil, artifacts: Artifacts) -> None:
    four = Committee((*COMMITTEE.validators[:3], COMMITTEE.validators[2]))
    creation = registry_creation(artifacts, four.keys, four.proofs)
    assert refusal(anvil, creation) == "KeysNotAscending"


def test_before_prague_no_key_is_proven(tmp_path: Path, artifacts: Artifacts) -> None:
    """There the precompiles' addresses answer success with nothing."""
    with anvil_node(tmp_path / "log", hardfork="cancun") as url, Anvil(url) as node:
        creation = registry_creation(artifacts, COMMITTEE.keys, COMMITTEE.proofs)
        assert refusal(node, creation) == "PrecompileFailed"


def refusal(anvil: Anvil, creation: bytes) -> str:
    """The name of the error with which a contract is not created."""
    with pytest.raises(ChainError) as refused:
        anvil.runtime_code(creation)
    return error_name(refused.value)
