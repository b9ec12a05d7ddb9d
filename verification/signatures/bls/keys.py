"""A validator's secret, and how it is made: KeyGen of draft-irtf-cfrg-bls-signature (as EIP-2333 has it)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from verification.signatures.bls.points import ORDER

LEAST_KEY_MATERIAL = 32
_OUTPUT_LENGTH = 48  # ceil(1.5 * ceil(log2(order)) / 8): the bias of the reduction is negligible


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A scalar in [1, order). It never shows itself."""

    scalar: int = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.scalar < ORDER:
            raise ValueError("a BLS secret is a scalar between 1 and the group's order")

    @classmethod
    def from_bytes(cls, secret: bytes) -> SecretKey:
        """From its 32 bytes, big-endian. Raises ValueError, which does not show them."""
        if len(secret) != 32:
            raise ValueError(f"a BLS secret is 32 bytes, not {len(secret)}")
        return cls(int.from_bytes(secret, "big"))

    def to_bytes(self) -> bytes:
        return self.scalar.to_bytes(32, "big")


def generate(key_material: bytes, key_info: bytes = b"") -> SecretKey:
    """KeyGen: the secret of at least 32 secret random bytes. Raises ValueError when there are fewer."""
    if len(key_material) < LEAST_KEY_MATERIAL:
        raise ValueError(f"a BLS secret is made of at least {LEAST_KEY_MATERIAL} bytes, not {len(key_material)}")
    salt = b"BLS-SIG-KEYGEN-SALT-"
    while True:
        salt = hashlib.sha256(salt).digest()
        extracted = hmac.digest(salt, key_material + b"\0", "sha256")
        scalar = int.from_bytes(_expand(extracted, key_info + _OUTPUT_LENGTH.to_bytes(2, "big")), "big") % ORDER
        if scalar:
            return SecretKey(scalar)


def _expand(extracted: bytes, info: bytes) -> bytes:
    """HKDF-Expand (RFC 5869) to 48 bytes, which are two blocks."""
    first = hmac.digest(extracted, info + b"\x01", "sha256")
    return (first + hmac.digest(extracted, first + info + b"\x02", "sha256"))[:_OUTPUT_LENGTH]
