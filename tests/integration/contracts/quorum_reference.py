"""Keys, proofs and signatures as py-ecc makes them, in EIP-2537 encoding: what the contracts are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeAlias

from py_ecc.bls.ciphersuites import G2ProofOfPossession
from py_ecc.bls.g2_primitives import G1_to_pubkey, G2_to_signature
from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.bls.point_compression import modular_squareroot_in_FQ2
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.optimized_bls12_381.optimized_curve import G1, b, b2, curve_order, field_modulus, multiply, normalize

G1Point: TypeAlias = tuple[FQ, FQ, FQ]
G2Point: TypeAlias = tuple[FQ2, FQ2, FQ2]

SIGNATURE_SUITE = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
PROOF_SUITE = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
NUL_SUITE = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_"
_SHA256: Any = sha256  # py-ecc's annotation names a hash object where it takes its constructor
P = field_modulus
ORDER = curve_order
G1_INFINITY = bytes(128)
G2_INFINITY = bytes(256)


def fields(*values: int) -> bytes:
    """64 bytes each, big-endian."""
    return b"".join(value.to_bytes(64, "big") for value in values)


def encode_g1(point: G1Point) -> bytes:
    x, y = normalize(point)
    return fields(int(x), int(y))


def encode_g2(point: G2Point) -> bytes:
    x, y = normalize(point)
    return fields(*(int(part) for part in (*x.coeffs, *y.coeffs)))


def decode_g2(point: bytes) -> G2Point:
    x0, x1, y0, y1 = (int.from_bytes(point[start : start + 64], "big") for start in range(0, 256, 64))
    return FQ2([x0, x1]), FQ2([y0, y1]), FQ2.one()


def sign(secret: int, message: bytes, suite: bytes = SIGNATURE_SUITE) -> bytes:
    return encode_g2(multiply(hash_to_G2(message, suite, _SHA256), secret % ORDER))


@dataclass(frozen=True)
class Validator:
    secret: int

    @cached_property
    def point(self) -> G1Point:
        return multiply(G1, self.secret % ORDER)

    @cached_property
    def key(self) -> bytes:
        return encode_g1(self.point)

    @cached_property
    def compressed(self) -> bytes:
        return bytes(G1_to_pubkey(self.point))

    @cached_property
    def proof(self) -> bytes:
        return sign(self.secret, self.compressed, PROOF_SUITE)


@dataclass(frozen=True)
class Committee:
    """Validators in the order of their keys."""

    validators: tuple[Validator, ...]

    @classmethod
    def of(cls, secrets: Iterable[int]) -> Committee:
        return cls(tuple(sorted(map(Validator, secrets), key=lambda validator: validator.key)))

    def __len__(self) -> int:
        return len(self.validators)

    @property
    def quorum(self) -> int:
        return len(self) - (len(self) - 1) // 3

    @property
    def keys(self) -> bytes:
        return b"".join(validator.key for validator in self.validators)

    @property
    def proofs(self) -> list[bytes]:
        return [validator.proof for validator in self.validators]

    def first(self, count: int) -> Committee:
        return Committee(self.validators[:count])

    def aggregate(self, signers: Sequence[int], message: bytes, suite: bytes = SIGNATURE_SUITE) -> bytes:
        """The sum of the signers' signatures, which is the signature of the sum of their secrets."""
        return sign(sum(self.validators[signer].secret for signer in signers), message, suite)

    def is_signed_by(self, signers: Sequence[int], message: bytes, signature: bytes) -> bool:
        """What py-ecc says of an aggregate signature (256 bytes) of these signers."""
        keys = [G1_to_pubkey(self.validators[signer].point) for signer in signers]
        return G2ProofOfPossession.FastAggregateVerify(keys, message, G2_to_signature(decode_g2(signature)))

    def quorum_signature(self, signers: Sequence[int], digest: bytes, suite: bytes = SIGNATURE_SUITE) -> bytes:
        return bitmap(signers) + self.aggregate(signers, digest, suite)


def bitmap(signers: Iterable[int]) -> bytes:
    return sum(1 << signer for signer in set(signers)).to_bytes(32, "big")


def g1_outside_subgroup() -> bytes:
    """The point of the curve with the smallest x whose order is not the subgroup's."""
    return encode_g1(_g1_outside_subgroup())


def g1_of_small_order() -> bytes:
    """The same point times the subgroup's order: its order divides the cofactor."""
    return encode_g1(multiply(_g1_outside_subgroup(), ORDER))


def _g1_outside_subgroup() -> G1Point:
    for x in range(1, 100):
        square = (pow(x, 3, P) + int(b)) % P
        y = pow(square, (P + 1) // 4, P)
        point = (FQ(x), FQ(y), FQ(1))
        if y * y % P == square and multiply(point, ORDER)[2] != FQ(0):
            return point
    raise AssertionError("no such point")


def g2_outside_subgroup() -> bytes:
    """The like of G2, x in the prime field."""
    for part in range(1, 100):
        x = FQ2([part, 0])
        y = modular_squareroot_in_FQ2(x * x * x + b2)
        if y is not None and multiply((x, y, FQ2.one()), ORDER)[2] != FQ2.zero():
            return encode_g2((x, y, FQ2.one()))
    raise AssertionError("no such point")


def shifted_by_p(point: bytes) -> bytes:
    """The same point with its first coordinate not reduced: p is added."""
    return fields(int.from_bytes(point[:64], "big") + P) + point[64:]


def off_curve(point: bytes) -> bytes:
    """The last coordinate one greater."""
    return point[:-64] + fields(int.from_bytes(point[-64:], "big") + 1)
