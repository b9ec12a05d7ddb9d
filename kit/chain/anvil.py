"""JSON-RPC to a local Anvil, with powers that only Anvil gives. For set-up and tests, never for services."""

from __future__ import annotations

from kit.chain.node import CallRefused, ChainError, Node
from kit.chain.rpc import hexed

__all__ = ["LOCAL_CHAIN_IDS", "Anvil", "CallRefused", "ChainError", "NotLocalChainError"]

LOCAL_CHAIN_IDS = frozenset({31337, 84532})


class NotLocalChainError(ChainError):
    """The RPC is not an Anvil on a local chain id, so its state must not be written."""


class Anvil(Node):
    """One Anvil, checked at construction to be one.

    Raises NotLocalChainError unless `web3_clientVersion` is Anvil's and the chain id is 31337 or 84532.
    """

    def _find_chain_id(self) -> int:
        if not self.is_anvil:
            version = self.request("web3_clientVersion")
            raise NotLocalChainError(f"the RPC is {version!r}, not Anvil: contracts are placed on local chains only")
        chain_id = super()._find_chain_id()
        if chain_id not in LOCAL_CHAIN_IDS:
            raise NotLocalChainError(f"chain id {chain_id} is not a local one: only 31337 and a local 84532 are")
        return chain_id

    def place(self, address: str, code: bytes) -> None:
        """Make `code` the code at `address`; storage stays as it is."""
        if self.code(address) != code:
            self.request("anvil_setCode", address, hexed(code))

    def store(self, address: str, slot: int, value: int) -> None:
        """Write one storage slot."""
        self.request("anvil_setStorageAt", address, hex(slot), hexed(value.to_bytes(32, "big")))

    def fund(self, address: str, wei: int) -> None:
        """Raise the native balance to at least `wei`; a higher one stays."""
        if int(self.request("eth_getBalance", address, "latest"), 16) < wei:
            self.request("anvil_setBalance", address, hex(wei))

    def send_as(self, sender: str, to: str, data: bytes) -> str:
        """Send a transaction from any account, without its key; returns the hash."""
        self.request("anvil_impersonateAccount", sender)
        return str(self.request("eth_sendTransaction", {"from": sender, "to": to, "data": hexed(data)}))
