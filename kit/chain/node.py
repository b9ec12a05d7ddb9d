"""JSON-RPC to an Ethereum node for set-up programs: what stands on a chain, and what code would leave there."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from kit.chain.creation import created_by
from kit.chain.rpc import hexed

_REQUEST_SECONDS = 30.0
_MINED_SECONDS = 60.0
_POLL_SECONDS = 0.05
_CHILDREN = 4

T = TypeVar("T")


class ChainError(Exception):
    """The node refused, failed or did not answer; the text says what was asked."""


class CallRefused(ChainError):
    """The node answered with an error; `data` is what a revert gave, if it was one."""

    def __init__(self, text: str, data: bytes = b"") -> None:
        super().__init__(text)
        self.data = data


class Node:
    """One endpoint, without any powers. Raises ChainError at construction when it does not answer."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_REQUEST_SECONDS)
        try:
            self.chain_id = self._find_chain_id()
        except BaseException:
            self._http.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _find_chain_id(self) -> int:
        return int(self.request("eth_chainId"), 16)

    @property
    def is_anvil(self) -> bool:
        version = self.request("web3_clientVersion")
        return isinstance(version, str) and version.lower().startswith("anvil/")

    def request(self, method: str, *params: Any) -> Any:
        """One call; returns its `result`. Raises ChainError."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            answer = self._http.post("", json=body).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ChainError(f"{method}: no usable answer from the RPC ({type(error).__name__})") from error
        if not isinstance(answer, dict):
            raise ChainError(f"{method}: the answer is not a JSON-RPC object")
        if answer.get("error") is not None:
            raise _refusal(method, answer["error"])
        return answer.get("result")

    def head(self) -> int:
        """The last block's number."""
        return int(self.request("eth_blockNumber"), 16)

    def time_of(self, block: str) -> int:
        """Unix seconds of a block."""
        found = self.request("eth_getBlockByNumber", block, False)
        if not isinstance(found, dict):
            raise ChainError(f"the node has no block {block}")
        return int(found["timestamp"], 16)

    def first_log_block(self, address: str, topic: bytes) -> int:
        """The block of the contract's first log with that topic. Raises ChainError when there is none."""
        logs = self.logs(address, [hexed(topic)], 0, self.head())
        if not logs:
            raise ChainError(f"{address} has no log {hexed(topic)}")
        return min(int(log["blockNumber"], 16) for log in logs)

    def logs(self, address: str, topics: list[str | None], first: int, last: int) -> list[dict[str, Any]]:
        """Logs of a contract from block `first` to `last`, in halves where the node finds that too many."""
        query = {"fromBlock": hex(first), "toBlock": hex(last), "address": address, "topics": topics}
        try:
            return list(self.request("eth_getLogs", query))
        except CallRefused:
            if first >= last:
                raise
        middle = (first + last) // 2
        return self.logs(address, topics, first, middle) + self.logs(address, topics, middle + 1, last)

    def code(self, address: str, block: str = "latest") -> bytes:
        return unhexed(self.request("eth_getCode", address, block))

    def call(self, to: str, data: bytes, block: str = "latest") -> bytes:
        return unhexed(self.request("eth_call", {"to": to, "data": hexed(data)}, block))

    def runtime_code(self, init_code: bytes) -> bytes:
        """What `init_code` would leave on chain, immutables filled in, without leaving it there."""
        return unhexed(self.request("eth_call", {"data": hexed(init_code)}, "latest"))

    def runtime_code_at(self, address: str, init_code: bytes, block: str = "latest") -> bytes:
        """What `init_code` would leave at just that address, whatever is there now.

        What it creates itself in doing so counts as not there yet, up to `_CHILDREN` contracts. Needs a node whose
        eth_call takes state overrides.
        """
        override: dict[str, dict[str, str]] = {
            created_by(address, nonce): {"code": "0x", "nonce": "0x0"} for nonce in range(1, _CHILDREN + 1)
        }
        override[address] = {"code": hexed(init_code), "nonce": "0x1"}
        return unhexed(self.request("eth_call", {"to": address}, block, override))

    def wait_mined(self, transaction: str) -> None:
        """Wait for success. Raises ChainError when it reverted or was not mined in time."""
        status = self.wait_for(f"transaction {transaction}", lambda: self._status(transaction))
        if status != "0x1":
            raise ChainError(f"transaction {transaction} reverted")

    def _status(self, transaction: str) -> str | None:
        receipt = self.request("eth_getTransactionReceipt", transaction)
        return None if receipt is None else str(receipt["status"])

    def wait_for(self, what: str, look: Callable[[], T | None]) -> T:
        """Look again until there is something. Raises ChainError at the deadline."""
        deadline = time.monotonic() + _MINED_SECONDS
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise ChainError(f"{what}: not on chain after {_MINED_SECONDS:.0f} s (does the chain mine blocks?)")
            time.sleep(_POLL_SECONDS)


def _refusal(method: str, error: Any) -> CallRefused:
    """The node's message, with the revert's data where it gives some."""
    if not isinstance(error, dict):
        return CallRefused(f"{method}: {error}")
    data = error.get("data")
    shown = f" ({data})" if isinstance(data, str) and data != "0x" else ""
    try:
        raw = bytes.fromhex(str(data or "").removeprefix("0x"))
    except ValueError:
        raw = b""
    return CallRefused(f"{method}: {error.get('message', error)}{shown}", raw)


def unhexed(answer: object) -> bytes:
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise ChainError(f"the RPC answered {answer!r} where hexadecimal data was due")
    return bytes.fromhex(answer[2:])
