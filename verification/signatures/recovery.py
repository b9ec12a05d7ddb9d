"""secp256k1 recovery of the signer's address, as strict as the contracts that will see the signature."""

from __future__ import annotations

from coincurve import PublicKey
from sha3 import keccak_256

SIGNATURE_LENGTH = 65
# Half the curve's order (SEC 2): EIP-2 and OpenZeppelin's ECDSA refuse an s above it, since (r, n-s) signs as well.
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0.to_bytes(32, "big")
_RECOVERY_ID = {0: b"\x00", 1: b"\x01", 27: b"\x00", 28: b"\x01"}


def recover_address(digest: bytes, signature: bytes) -> bytes | None:
    """The 20-byte address that signed `digest`, or None when the signature is malformed.

    65 bytes r || s || v only; s in the lower half; v of 0, 1, 27 or 28. Compact 64-byte signatures (EIP-2098) are
    refused, since the escrow refuses them.
    """
    if len(signature) != SIGNATURE_LENGTH or signature[32:64] > _HALF_ORDER:
        return None
    recovery_id = _RECOVERY_ID.get(signature[64])
    if recovery_id is None:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + recovery_id, digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises bare Exception when no point has this r
        return None
    address: bytes = keccak_256(key.format(compressed=False)[1:]).digest()[12:]
    return address


def canonical_signature(signature: bytes) -> bytes:
    """The same signature with v of 27 or 28: the only form that the chain's ecrecover accepts."""
    return signature[:64] + bytes([27 + signature[64] % 27])
