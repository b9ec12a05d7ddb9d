"""The backend that defines what is right: py-ecc's G2ProofOfPossession, the Ethereum specification's own.

Slow, and not constant time: it never signs with a secret that matters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from eth_typing import BLSPubkey, BLSSignature
from eth_utils.exceptions import ValidationError
from py_ecc.bls.ciphersuites import G2ProofOfPossession as Scheme
from py_ecc.bls.g2_primitives import G2_to_signature, signature_to_G2, subgroup_check
from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.optimized_bls12_381.optimized_curve import is_inf

from verification.signatures.bls.keys import SecretKey
from verification.signatures.bls.points import KEY_LENGTH, SIGNATURE_LENGTH, MalformedPoint

# py-ecc's annotation names a hash object where it takes its constructor.
_SHA256: Any = hashlib.sha256


class PyEccBackend:
    """See Backend."""

    def public_key(self, secret: SecretKey) -> bytes:
        return bytes(Scheme.SkToPk(secret.scalar))

    def sign(self, secret: SecretKey, message: bytes) -> bytes:
        return bytes(Scheme.Sign(secret.scalar, message))

    def prove_possession(self, secret: SecretKey) -> bytes:
        return bytes(Scheme.PopProve(secret.scalar))

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        return bool(Scheme.Verify(BLSPubkey(key), message, BLSSignature(signature)))

    def verify_possession(self, key: bytes, proof: bytes) -> bool:
        return bool(Scheme.PopVerify(BLSPubkey(key), BLSSignature(proof)))

    def verify_aggregate(self, keys: Sequence[bytes], message: bytes, signature: bytes) -> bool:
        pairs = [BLSPubkey(key) for key in keys]
        return bool(Scheme.FastAggregateVerify(pairs, message, BLSSignature(signature)))

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        for signature in signatures:
            self.check_signature(signature)
        try:
            total = bytes(Scheme.Aggregate([BLSSignature(signature) for signature in signatures]))
        except ValidationError as error:
            raise MalformedPoint(str(error)) from error
        self.check_signature(total)
        return total

    def check_key(self, key: bytes) -> None:
        if len(key) != KEY_LENGTH or not Scheme.KeyValidate(BLSPubkey(key)):
            raise MalformedPoint("py-ecc refuses this key")

    def check_signature(self, signature: bytes) -> None:
        if len(signature) != SIGNATURE_LENGTH:
            raise MalformedPoint(f"{len(signature)} bytes where a signature has {SIGNATURE_LENGTH}")
        try:
            point = signature_to_G2(BLSSignature(signature))
        except (ValueError, ValidationError) as error:
            raise MalformedPoint(str(error)) from error
        if is_inf(point) or not subgroup_check(point):
            raise MalformedPoint("infinity, or outside the subgroup")

    def hash_to_curve(self, message: bytes, suite: bytes) -> bytes:
        return bytes(G2_to_signature(hash_to_G2(message, suite, _SHA256)))
