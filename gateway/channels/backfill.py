"""The escrow's history, read again when a receiver is registered after its channels were opened."""

from __future__ import annotations

from gateway.channels.escrow import Escrow
from kit.chain.rpc import Log, Rpc

BLOCKS_A_QUERY = 2_000


def history(rpc: Rpc, escrow: Escrow, head: int) -> list[Log]:
    """All logs of the escrow from its first block to `head`, in order. Raises RpcError."""
    found: list[Log] = []
    for first in range(escrow.start_block, head + 1, BLOCKS_A_QUERY):
        found += rpc.logs_between(first, min(head, first + BLOCKS_A_QUERY - 1), [escrow.escrow])
    return found
