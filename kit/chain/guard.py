"""Which chain an endpoint must be: its chain id and one block hash that we know, asked again before it is trusted."""

from __future__ import annotations

from typing import Any

import psycopg

from kit.chain.rpc import Block, Rpc, RpcUnavailable
from kit.database.queries import load
from kit.logging import get_logger
from kit.metrics import counter

ANCHOR_DEPTH = 64
_QUERIES = load("kit.chain")
_log = get_logger(__name__)
MISMATCHES = counter("lockgate_chain_mismatch_total", "Times the endpoint turned out to be another chain.")


class ChainMismatch(Exception):
    """The endpoint is not the chain that our records are about. Nothing may be signed or read for it."""


class EndpointGuard:
    """Holds one endpoint to the chain of the first contact.

    The known block lay well below finality at the first contact of this database with the chain, so that no
    reorganisation removes it; a node that was started afresh behind the same URL and chain id does not have it.
    """

    def __init__(self, rpc: Rpc, chain_id: int) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self._anchor: tuple[int, bytes] | None = None

    def check(self, connection: psycopg.Connection[Any]) -> None:
        """Raises ChainMismatch, RpcUnavailable. Asks the node every time: failover and restarts are not announced."""
        found = self.rpc.chain_id()
        if found != self.chain_id:
            self._refuse(f"the endpoint serves chain {found}, not {self.chain_id}")
        number, known = self._anchor or self._load_or_set(connection)
        block: Block | None = self.rpc.block(number)
        if block is None or block.hash != known:
            self._refuse(f"the endpoint's block {number} is not 0x{known.hex()}: it is another chain {self.chain_id}")
        self._anchor = (number, known)

    def _load_or_set(self, connection: psycopg.Connection[Any]) -> tuple[int, bytes]:
        facts: dict[str, Any] = {"chain_id": self.chain_id}
        row = connection.execute(_QUERIES.sql("find_anchor"), facts).fetchone()
        if row is None:
            deep = self.rpc.block(max(0, self.rpc.finalized().number - ANCHOR_DEPTH))
            if deep is None:
                raise RpcUnavailable("the node does not have the block that would identify it")
            facts |= {"number": deep.number, "hash": deep.hash}
            connection.execute(_QUERIES.sql("set_anchor"), facts)
            row = connection.execute(_QUERIES.sql("find_anchor"), facts).fetchone()
        assert row is not None
        return int(row[0]), bytes(row[1])

    def _refuse(self, why: str) -> None:
        MISMATCHES.inc()
        _log.error("chain mismatch, nothing is signed", reason=why)
        raise ChainMismatch(why)
