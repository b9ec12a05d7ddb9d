"""JSON-RPC to a local Anvil, with powers that only Anvil gives. For set-up and tests, never for services."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import httpx
from eth_utils.crypto import keccak

LOCAL_CHAIN_IDS = frozenset({31337, 84532})
_REQUEST_SECONDS = 30.0
_MINED_SECONDS = 60.0
_POLL_SECONDS = 0.05
_CHILDREN = 4

T = TypeVar("T")


class ChainError(Exception):
    """The node refused, failed or did not answer; the text says what was asked."""


class NotLocalChainError(ChainError):
    """The RPC is not an Anvil on a local chain id, so its state must not be written."""


class Anvil:
    """One Anvil, checked at construction to be one.

    Raises NotLocalChainError unless `web3_clientVersion` is Anvil's and the chain id is 31337 or 84532.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_REQUEST_SECONDS)
        try:
            self.chain_id = self._check_local()
        except BaseException:
            self._http.close()
            raise

    def __enter__(self) -> Anvil:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _check_local(self) -> int:
        version = self.request("web3_clientVersion")
        if not isinstance(version, str) or not version.lower().startswith("anvil/"):
            raise NotLocalChainError(f"the RPC is {version!r}, not Anvil: contracts are placed on local chains only")
        chain_id = int(self.request("eth_chainId"), 16)
        if chain_id not in LOCAL_CHAIN_IDS:
            raise NotLocalChainError(f"chain id {chain_id} is not a local one: only 31337 and a local 84532 are")
        return chain_id

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
            raise ChainError(f"{method}: {_reason(answer['error'])}")
        return answer.get("result")

    def first_log_block(self, address: str, topic: bytes) -> int:
        """The block of the contract's first log with that topic. Raises ChainError when there is none."""
        query = {"fromBlock": "earliest", "toBlock": "latest", "address": address, "topics": [_hex(topic)]}
        logs = self.request("eth_getLogs", query)
        if not logs:
            raise ChainError(f"{address} has no log {_hex(topic)}")
        return min(int(log["blockNumber"], 16) for log in logs)

    def code(self, address: str, block: str = "latest") -> bytes:
        return _bytes(self.request("eth_getCode", address, block))

    def call(self, to: str, data: bytes, block: str = "latest") -> bytes:
        return _bytes(self.request("eth_call", {"to": to, "data": _hex(data)}, block))

    def runtime_code(self, init_code: bytes) -> bytes:
        """What `init_code` would leave on chain, immutables filled in, without leaving it there."""
        return _bytes(self.request("eth_call", {"data": _hex(init_code)}, "latest"))

    def runtime_code_at(self, address: str, init_code: bytes) -> bytes:
        """What `init_code` would leave at just that address, whatever is there now.

        What it creates itself in doing so counts as not there yet, up to `_CHILDREN` contracts.
        """
        override: dict[str, dict[str, str]] = {
            _created_by(address, nonce): {"code": "0x", "nonce": "0x0"} for nonce in range(1, _CHILDREN + 1)
        }
        override[address] = {"code": _hex(init_code), "nonce": "0x1"}
        return _bytes(self.request("eth_call", {"to": address}, "latest", override))

    def place(self, address: str, code: bytes) -> None:
        """Make `code` the code at `address`; storage stays as it is."""
        if self.code(address) != code:
            self.request("anvil_setCode", address, _hex(code))

    def store(self, address: str, slot: int, value: int) -> None:
        """Write one storage slot."""
        self.request("anvil_setStorageAt", address, hex(slot), _hex(value.to_bytes(32, "big")))

    def fund(self, address: str, wei: int) -> None:
        """Raise the native balance to at least `wei`; a higher one stays."""
        if int(self.request("eth_getBalance", address, "latest"), 16) < wei:
            self.request("anvil_setBalance", address, hex(wei))

    def send_as(self, sender: str, to: str, data: bytes) -> str:
        """Send a transaction from any account, without its key; returns the hash."""
        self.request("anvil_impersonateAccount", sender)
        return str(self.request("eth_sendTransaction", {"from": sender, "to": to, "data": _hex(data)}))

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


def _reason(error: Any) -> str:
    """The node's message, with the revert's data where it gives some."""
    if not isinstance(error, dict):
        return str(error)
    data = error.get("data")
    return f"{error.get('message', error)}" + (f" ({data})" if isinstance(data, str) and data != "0x" else "")


def _created_by(address: str, nonce: int) -> str:
    """The address of what a contract creates with a nonce below 128."""
    return "0x" + keccak(b"\xd6\x94" + bytes.fromhex(address[2:]) + bytes([nonce]))[12:].hex()


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _bytes(answer: object) -> bytes:
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise ChainError(f"the RPC answered {answer!r} where hexadecimal data was due")
    return bytes.fromhex(answer[2:])
