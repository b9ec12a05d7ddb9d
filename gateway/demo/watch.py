"""What the demo looks up to print it: rows of the database and receipts of the chain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from kit.database.pool import connect

RECEIPT_SECONDS = 20.0
_BALANCE_OF = "0x70a08231"
_MINED = 4


@dataclass(frozen=True, slots=True)
class Sent:
    tx_hash: str
    gas_used: int


@dataclass(frozen=True, slots=True)
class Stored:
    count: int
    amount: int


class Watch:
    """Reads only."""

    def __init__(self, database_url: str, rpc_url: str) -> None:
        self._connection = connect(database_url, autocommit=True)
        self._rpc = httpx.Client(base_url=rpc_url, timeout=10.0)

    def close(self) -> None:
        self._connection.close()
        self._rpc.close()

    def gas_used(self, tx_hash: str) -> int:
        """Raises TimeoutError when the transaction is not mined in time."""
        return int(self._receipt(tx_hash)["gasUsed"], 16)

    def block_of(self, tx_hash: str) -> int:
        """Raises TimeoutError when the transaction is not mined in time."""
        return int(self._receipt(tx_hash)["blockNumber"], 16)

    def token_balance(self, token: str, holder: str) -> int:
        data = _BALANCE_OF + holder.removeprefix("0x").lower().rjust(64, "0")
        return int(self._call("eth_call", {"to": token, "data": data}, "latest"), 16)

    def payments(self, *, scheme: int) -> Stored:
        row = self._connection.execute(
            "SELECT count(*), coalesce(sum(amount), 0) FROM payments WHERE scheme = %s", [scheme]
        ).fetchone()
        assert row is not None
        return Stored(row[0], int(row[1]))

    def transaction_of(self, purpose: str) -> Sent | None:
        """The first mined transaction that was sent for this purpose."""
        row = self._connection.execute(
            "SELECT mined_hash, gas_used FROM chain_transactions"
            " WHERE purpose = %s AND state = %s ORDER BY transaction_id LIMIT 1",
            [purpose, _MINED],
        ).fetchone()
        return None if row is None else Sent("0x" + bytes(row[0]).hex(), row[1])

    def all_settled(self) -> bool:
        row = self._connection.execute(
            "SELECT bool_and(settled >= charged) FROM channel_states WHERE charged > 0"
        ).fetchone()
        return row is not None and row[0] is True

    def _receipt(self, tx_hash: str) -> dict[str, str]:
        deadline = time.monotonic() + RECEIPT_SECONDS
        while time.monotonic() < deadline:
            receipt: dict[str, str] | None = self._call("eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                return receipt
            time.sleep(0.05)
        raise TimeoutError(f"{tx_hash} has no receipt")

    def _call(self, method: str, *parameters: Any) -> Any:
        answer = self._rpc.post("", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).json()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]
