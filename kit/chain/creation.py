"""Where contracts will stand, known before they do."""

from __future__ import annotations

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak


def created_by(creator: str, nonce: int) -> str:
    """The address of what a contract creates with a nonce from 1 to 127."""
    return _address(b"\xd6\x94" + bytes.fromhex(creator[2:]) + bytes([nonce]))


def created_by_salt(creator: str, salt: bytes, init_code: bytes) -> str:
    """CREATE2 (EIP-1014)."""
    return _address(b"\xff" + bytes.fromhex(creator[2:]) + salt + keccak(init_code))


def _address(origin: bytes) -> str:
    return str(to_checksum_address(keccak(origin)[12:]))
