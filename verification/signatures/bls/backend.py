"""What a BLS backend does. Both of ours give the same bytes, and refuse the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from verification.signatures.bls.keys import SecretKey

SIGNATURE_SUITE = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
PROOF_SUITE = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"


class Backend(Protocol):
    """BLS12-381, keys in G1 and signatures in G2, proof-of-possession scheme (draft-irtf-cfrg-bls-signature).

    Keys are 48 bytes and signatures 96, compressed. The point at infinity is refused everywhere, also where the draft
    lets it pass: no honest secret makes it, and a key and a signature that are both infinity satisfy the pairing.
    """

    def public_key(self, secret: SecretKey) -> bytes: ...

    def sign(self, secret: SecretKey, message: bytes) -> bytes: ...

    def prove_possession(self, secret: SecretKey) -> bytes:
        """A signature over the compressed key, in the proof's own suite."""

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """False also when key or signature is malformed."""

    def verify_possession(self, key: bytes, proof: bytes) -> bool: ...

    def verify_aggregate(self, keys: Sequence[bytes], message: bytes, signature: bytes) -> bool:
        """FastAggregateVerify: every key signed this message. The caller knows a proof of possession of each key;
        without it a rogue key forges. False for no keys, and when the keys cancel each other out."""

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        """The sum. Raises MalformedPoint for no signatures, one that is malformed, or a sum of infinity."""

    def check_key(self, key: bytes) -> None:
        """Raises MalformedPoint unless it is a point of the subgroup, canonically encoded, and not infinity."""

    def check_signature(self, signature: bytes) -> None:
        """The like of a signature."""

    def hash_to_curve(self, message: bytes, suite: bytes) -> bytes:
        """RFC 9380 hash_to_curve onto G2, 96 bytes compressed. Raises ValueError for a suite above 255 bytes."""
