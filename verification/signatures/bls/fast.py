"""The backend that runs: blst by way of pyblst.

blst is the library of Ethereum's consensus clients: audited, formally verified in parts, constant time where a secret
is used. Of its bindings in the registry, pyblst (MIT, 2025) has wheels for every Python that we run on and is the
fastest. py-arkworks-bls12381 takes twice its time and makes no promise of constant time; milagro-bls-binding takes
more than three times; blspy is no longer kept, chia_rs has another suite.
pyblst is young and thin: it has curve operations only, no scheme. So the scheme stands here, every point goes through
`uncompress`, which checks curve and subgroup, and the tests hold each function to py-ecc's bytes and refusals.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from pyblst import BlstP1Element, BlstP2Element, final_verify, miller_loop

from verification.signatures.bls.backend import PROOF_SUITE, SIGNATURE_SUITE
from verification.signatures.bls.keys import SecretKey
from verification.signatures.bls.points import KEY_LENGTH, SIGNATURE_LENGTH, MalformedPoint, check_encoding

KeyPoint: TypeAlias = BlstP1Element
SignaturePoint: TypeAlias = BlstP2Element

# The generators of RFC 9380 section 8.8 and the draft, compressed.
_GENERATOR = BlstP1Element.uncompress(
    bytes.fromhex("97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb")
)
_INFINITY = BlstP1Element()
_SIGNATURE_INFINITY = BlstP2Element()
_REMEMBERED_KEYS = 1024


class BlstBackend:
    """See Backend. It holds the interpreter's lock while it works."""

    def public_key(self, secret: SecretKey) -> bytes:
        return bytes(_GENERATOR.scalar_mul(secret.scalar).compress())

    def sign(self, secret: SecretKey, message: bytes) -> bytes:
        return bytes(_hash(message, SIGNATURE_SUITE).scalar_mul(secret.scalar).compress())

    def prove_possession(self, secret: SecretKey) -> bytes:
        return bytes(_hash(self.public_key(secret), PROOF_SUITE).scalar_mul(secret.scalar).compress())

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        return _verify([key], message, signature, SIGNATURE_SUITE)

    def verify_possession(self, key: bytes, proof: bytes) -> bool:
        return _verify([key], key, proof, PROOF_SUITE)

    def verify_aggregate(self, keys: Sequence[bytes], message: bytes, signature: bytes) -> bool:
        return _verify(keys, message, signature, SIGNATURE_SUITE)

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        total = _SIGNATURE_INFINITY
        for signature in signatures:
            total = total + _signature_point(signature)
        if total == _SIGNATURE_INFINITY:
            raise MalformedPoint("there is no signature in it, or they cancel each other out")
        return bytes(total.compress())

    def check_key(self, key: bytes) -> None:
        _key_point(key)

    def check_signature(self, signature: bytes) -> None:
        _signature_point(signature)

    def hash_to_curve(self, message: bytes, suite: bytes) -> bytes:
        return bytes(_hash(message, suite).compress())


def _verify(keys: Sequence[bytes], message: bytes, signature: bytes, suite: bytes) -> bool:
    """e(G, signature) == e(sum of keys, hash of message)."""
    total = _INFINITY
    try:
        for key in keys:
            total = total + _key_point(key)
        point = _signature_point(signature)
    except MalformedPoint:
        return False
    # A second lock: a key of infinity satisfies the pairing only with a signature of infinity, refused above.
    if total == _INFINITY:
        return False
    return bool(final_verify(miller_loop(_GENERATOR, point), miller_loop(total, _hash(message, suite))))


def _hash(message: bytes, suite: bytes) -> SignaturePoint:
    return BlstP2Element.hash_to_group(message, suite)


@lru_cache(_REMEMBERED_KEYS)
def _key_point(key: bytes) -> KeyPoint:
    """A set of validators lives for weeks, and checking a key takes a tenth of a verification's time."""
    check_encoding(key, KEY_LENGTH)
    try:
        return BlstP1Element.uncompress(key)
    except ValueError as error:
        raise MalformedPoint(str(error)) from error


def _signature_point(signature: bytes) -> SignaturePoint:
    check_encoding(signature, SIGNATURE_LENGTH)
    try:
        return BlstP2Element.uncompress(signature)
    except ValueError as error:
        raise MalformedPoint(str(error)) from error
