"""The constants in test/support/QuorumVectors.sol are py-ecc's.

`python -m tests.integration.contracts.test_quorum_vectors` writes the file anew.
"""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from kit.stack.paths import CONTRACTS
from tests.integration.contracts.quorum_reference import (
    NUL_SUITE,
    ORDER,
    Committee,
    g1_outside_subgroup,
    g2_outside_subgroup,
)

FILE = CONTRACTS / "test" / "support" / "QuorumVectors.sol"
DIGEST = keccak(text="lockgate")
SIGNERS = (0, 1, 3)


def secret(generation: int, number: int) -> int:
    """As Committee.sol makes it."""
    return int.from_bytes(keccak(encode(["uint256", "uint256"], [generation, number])), "big") % ORDER


def vectors() -> dict[str, tuple[str, bytes]]:
    """Name in Solidity: what it is, and its bytes."""
    committee = Committee.of(secret(1, number) for number in range(4))
    return {
        "KEYS": (
            "The keys of the first four validators of generation 1 in Committee.sol, in order of x.",
            committee.keys,
        ),
        "PROOFS": ("Their proofs of possession, in the same order.", b"".join(committee.proofs)),
        "QUORUM_SIGNATURE": (
            "Of the first, second and fourth over DIGEST.",
            committee.quorum_signature(SIGNERS, DIGEST),
        ),
        "NUL_SIGNATURE": (
            "The same in the suite without proofs of possession.",
            committee.quorum_signature(SIGNERS, DIGEST, NUL_SUITE),
        ),
        "G1_OUTSIDE": ("On the curve of G1, outside the subgroup.", g1_outside_subgroup()),
        "G2_OUTSIDE": ("On the curve of G2, outside the subgroup.", g2_outside_subgroup()),
    }


def source() -> str:
    constants = [
        f"    /// @dev {what}\n    bytes internal constant {name} = {literal(value)};\n"
        for name, (what, value) in vectors().items()
    ]
    return (
        "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.28;\n\n"
        "/// @notice Made by py-ecc: `python -m tests.integration.contracts.test_quorum_vectors` writes this file,\n"
        "///         and a test says when it is not what py-ecc makes.\n"
        'library QuorumVectors {\n    /// @dev keccak256("lockgate").\n'
        f"    bytes32 internal constant DIGEST = 0x{DIGEST.hex()};\n" + "".join(constants) + "}\n"
    )


def literal(value: bytes) -> str:
    """A hex literal of 32 bytes a line."""
    return "\n        ".join(f'hex"{value[start : start + 32].hex()}"' for start in range(0, len(value), 32))


def test_committed_vectors_are_those_of_py_ecc() -> None:
    assert FILE.read_text() == source()


if __name__ == "__main__":
    FILE.write_text(source())
