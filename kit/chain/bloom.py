"""The logs bloom of a block header: it may say "perhaps", but its "no" is certain (Ethereum yellow paper, 4.3.1)."""

from __future__ import annotations

from eth_utils.crypto import keccak

BYTES = 256
BITS = BYTES * 8


def may_contain(bloom: bytes, item: bytes) -> bool:
    """Whether a block with this bloom may hold a log with the address or topic `item`."""
    if len(bloom) != BYTES:
        return True  # A node that gives no bloom proves nothing.
    digest = keccak(item)
    number = int.from_bytes(bloom, "big")
    return all(number >> (int.from_bytes(digest[at : at + 2], "big") % BITS) & 1 for at in (0, 2, 4))
