"""JSON-RPC to an Ethereum node: bounded in time and tries, and exact about what is known after a failure.

Source: JSON-RPC 2.0 and the Ethereum execution API. Quantities are ints here, data and hashes are bytes.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from kit.metrics import counter, histogram

CALLS = counter("lockgate_rpc_calls_total", "JSON-RPC requests by what came of them.", ["outcome"])
SECONDS = histogram("lockgate_rpc_seconds", "Time of one JSON-RPC request.")

TIMEOUT_SECONDS = 5.0
READ_TRIES = 3
RETRY_PAUSE_SECONDS = 0.05
MAX_BATCH = 100
# "limit exceeded" and "resource unavailable" (EIP-1474), and the node's own internal error: it has not answered.
_NO_ANSWER_CODES = frozenset({-32603, -32005, -32002})
_FAILED_EXECUTION = ("revert", "out of gas", "outofgas")


class RpcError(Exception):
    """A call did not give its result."""


class RpcUnavailable(RpcError):
    """No answer: what the node did with the call is unknown."""


class RpcRefused(RpcError):
    """The node answered with an error: the call had no effect. `data` holds revert data, if any."""

    def __init__(self, method: str, code: int, message: str, data: bytes = b"") -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.code = code
        self.message = message
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether the EVM ran the call and reverted it."""
        return bool(self.data) or self.code == 3 or "revert" in self.message.lower()


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header; `time` is in unix seconds, `base_fee` in wei a gas."""

    number: int
    hash: bytes
    parent_hash: bytes
    time: int
    base_fee: int
    bloom: bytes = b""


@dataclass(frozen=True, slots=True)
class Log:
    """One event of one block."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction; `gas_price` is what was paid, in wei a gas."""

    tx_hash: bytes
    block_hash: bytes
    block_number: int
    succeeded: bool
    gas_used: int
    gas_price: int
    logs: tuple[Log, ...]


class Rpc:
    """One endpoint. Reads are tried up to three times, anything else once. Safe to share between threads."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout)
        self._ids = itertools.count(1)

    def close(self) -> None:
        self._http.close()

    def read(self, method: str, *params: Any) -> Any:
        """The result of a call without effect. Raises RpcUnavailable, RpcRefused."""
        return self.read_many([(method, params)])[0]

    def read_many(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Several reads in one request, answers in order; the first refusal is raised."""
        if len(calls) > MAX_BATCH:
            raise ValueError(f"{len(calls)} calls in one request; {MAX_BATCH} are the most")
        for attempt in itertools.count(1):
            try:
                return self._ask(calls)
            except RpcUnavailable:
                if attempt >= READ_TRIES:
                    raise
                time.sleep(RETRY_PAUSE_SECONDS * attempt)
        raise AssertionError("not reached")

    def submit(self, method: str, *params: Any) -> Any:
        """A call with an effect, tried once. After RpcUnavailable the effect may or may not have happened."""
        return self._ask([(method, params)])[0]

    def chain_id(self) -> int:
        return _quantity(self.read("eth_chainId"))

    def block(self, at: int | str | bytes) -> Block | None:
        """A block's header by number, tag or hash; None when the node has none."""
        if isinstance(at, bytes):
            found = self.read("eth_getBlockByHash", hexed(at), False)
        else:
            found = self.read("eth_getBlockByNumber", hex(at) if isinstance(at, int) else at, False)
        return None if found is None else _block(found)

    def finalized(self) -> Block:
        """The last final block, or the first one on a chain that has finalized none."""
        found = self.block("finalized") or self.block(0)
        if found is None:
            raise RpcUnavailable("the node knows neither a finalized block nor the first one")
        return found

    def logs_of(self, block_hash: bytes, addresses: Sequence[bytes], topics: Sequence[Any] = ()) -> list[Log]:
        """Logs of the contracts in one block, in order (EIP-234). Raises RpcRefused for an unknown block."""
        return self._logs({"blockHash": hexed(block_hash)}, addresses, topics)

    def logs_between(
        self, first: int, last: int, addresses: Sequence[bytes], topics: Sequence[Any] = ()
    ) -> list[Log]:
        """Logs of the contracts from block `first` to block `last`, both included, in order."""
        return self._logs({"fromBlock": hex(first), "toBlock": hex(last)}, addresses, topics)

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        found = self.read("eth_getTransactionReceipt", hexed(tx_hash))
        return None if found is None or found.get("blockHash") is None else _receipt(found)

    def knows_transaction(self, tx_hash: bytes) -> bool:
        return self.read("eth_getTransactionByHash", hexed(tx_hash)) is not None

    def nonce_of(self, address: bytes, at: int | str = "latest") -> int:
        """How many transactions of `address` are in the chain up to `at`."""
        where = hex(at) if isinstance(at, int) else at
        return _quantity(self.read("eth_getTransactionCount", hexed(address), where))

    def call(self, to: bytes, data: bytes, *, sender: bytes | None = None, at: int | str = "latest") -> bytes:
        """eth_call. Raises RpcRefused when it reverts."""
        return unhexed(self.read("eth_call", *call_params(to, data, sender=sender, at=at)))

    def call_many(self, calls: Sequence[tuple[bytes, bytes]], *, at: int | str = "latest") -> list[bytes]:
        """eth_call for each (to, data), at most MAX_BATCH a request."""
        answers: list[bytes] = []
        for start in range(0, len(calls), MAX_BATCH):
            asked = [("eth_call", call_params(to, data, at=at)) for to, data in calls[start : start + MAX_BATCH]]
            answers += [unhexed(answer) for answer in self.read_many(asked)]
        return answers

    def _logs(self, where: dict[str, str], addresses: Sequence[bytes], topics: Sequence[Any]) -> list[Log]:
        query = {**where, "address": [hexed(address) for address in addresses], "topics": list(topics)}
        found = [log_from(item) for item in self.read("eth_getLogs", query)]
        return sorted(found, key=lambda log: (log.block_number, log.log_index))

    def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        asked = {next(self._ids): call for call in calls}
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in asked.items()
        ]
        answers = self._post(calls[0][0], body[0] if len(body) == 1 else body)
        return [_result(method, answers.get(number)) for number, (method, _) in asked.items()]

    def _post(self, method: str, body: Any) -> dict[Any, Any]:
        started = time.perf_counter()
        try:
            answer = self._http.post("", json=body).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            CALLS.labels("unavailable").inc()
            raise RpcUnavailable(f"{method}: no usable answer ({type(error).__name__})") from error
        finally:
            SECONDS.observe(time.perf_counter() - started)
        CALLS.labels("answered").inc()
        answers = answer if isinstance(answer, list) else [answer]
        return {item.get("id"): item for item in answers if isinstance(item, dict)}


def _result(method: str, answer: dict[str, Any] | None) -> Any:
    if answer is None:
        raise RpcUnavailable(f"{method}: the answer is not JSON-RPC")
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    code, message = int(error.get("code", 0)), str(error.get("message", "no message"))
    data = error.get("data")
    if code in _NO_ANSWER_CODES and not data and not any(word in message.lower() for word in _FAILED_EXECUTION):
        raise RpcUnavailable(f"{method}: {message} ({code})")
    raw = unhexed(data) if isinstance(data, str) and data.startswith("0x") else b""
    raise RpcRefused(method, code, message, raw)


def call_params(
    to: bytes, data: bytes, *, sender: bytes | None = None, at: int | str = "latest"
) -> tuple[dict[str, str], str]:
    """Parameters of eth_call and eth_estimateGas."""
    call = {"to": hexed(to), "data": hexed(data)}
    if sender is not None:
        call["from"] = hexed(sender)
    return call, hex(at) if isinstance(at, int) else at


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def unhexed(text: Any) -> bytes:
    """Raises RpcUnavailable when the node sent something else."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise RpcUnavailable("the answer is not hexadecimal data")
    return bytes.fromhex(text[2:])


def _quantity(text: Any) -> int:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise RpcUnavailable("the answer is not a quantity")
    return int(text, 16)


def _block(found: dict[str, Any]) -> Block:
    return Block(
        number=_quantity(found["number"]),
        hash=unhexed(found["hash"]),
        parent_hash=unhexed(found["parentHash"]),
        time=_quantity(found["timestamp"]),
        base_fee=_quantity(found.get("baseFeePerGas") or "0x0"),
        bloom=unhexed(found.get("logsBloom") or "0x"),
    )


def log_from(found: dict[str, Any]) -> Log:
    """A log as the execution API spells it."""
    return Log(
        address=unhexed(found["address"]),
        topics=tuple(unhexed(topic) for topic in found["topics"]),
        data=unhexed(found["data"]),
        block_number=_quantity(found["blockNumber"]),
        block_hash=unhexed(found["blockHash"]),
        tx_hash=unhexed(found["transactionHash"]),
        log_index=_quantity(found["logIndex"]),
    )


def _receipt(found: dict[str, Any]) -> Receipt:
    return Receipt(
        tx_hash=unhexed(found["transactionHash"]),
        block_hash=unhexed(found["blockHash"]),
        block_number=_quantity(found["blockNumber"]),
        succeeded=_quantity(found["status"]) == 1,
        gas_used=_quantity(found["gasUsed"]),
        gas_price=_quantity(found.get("effectiveGasPrice") or "0x0"),
        logs=tuple(log_from(item) for item in found["logs"]),
    )
