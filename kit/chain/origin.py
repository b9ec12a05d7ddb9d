"""Whether the contracts were created by the constructor calls that the file states.

Two creation codes can leave the same code and different storage: a constructor of somebody's own could register a
Safe or ready an exit that no function shows. A CREATE3 address is created once, so the transaction that did it says
all of it.
"""

from __future__ import annotations

from typing import Any

from kit.chain.circle import CREATED, Circle, Difference
from kit.chain.rpc import hexed


def differences(circle: Circle, last: int, from_block: int = 0) -> list[Difference]:
    """Of the contracts that are there at block `last`. Raises ChainError, PlanError, ArtifactError."""
    topics: list[str | None] = [hexed(CREATED), "0x" + circle.deployer[2:].lower().rjust(64, "0")]
    logs = {str(log["topics"][2]): log for log in circle.chain.logs(circle.factory, topics, from_block, last)}
    found = []
    for name, address in circle.addresses.items():
        if circle.has_code(address, hex(last)):
            log = logs.get(hexed(circle.salt_of(name)))
            why = (
                _foreign(circle, name, log)
                if log
                else f"no log of block {from_block} or later says how it was created"
            )
            if why:
                found.append(Difference(name, why))
    return found


def _foreign(circle: Circle, name: str, log: dict[str, Any]) -> str | None:
    tx_hash = str(log["transactionHash"])
    transaction = circle.chain.request("eth_getTransactionByHash", tx_hash)
    if not isinstance(transaction, dict):
        return f"the node does not have transaction {tx_hash}, which created it"
    sent = str(transaction.get("input", ""))
    is_direct = str(transaction.get("to")).lower() == circle.factory.lower()
    if not is_direct or sent.lower() != hexed(circle.creation_call(name)):
        return f"transaction {tx_hash} created it by another constructor call than the file's"
    return None
