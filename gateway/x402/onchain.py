"""What the facilitator asks of the chain: channel states, wallets' signatures, simulations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gateway.x402 import abi
from kit.chain.rpc import Rpc, RpcRefused, call_params, unhexed
from verification.signatures.recovery import recover_address


@dataclass(frozen=True, slots=True)
class ChannelOnChain:
    """A channel as the escrow has it; times in unix seconds, 0 for none."""

    balance: int
    total_claimed: int
    withdraw_amount: int
    withdraw_requested_at: int
    refund_nonce: int


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What tells why a transfer fails. A member is None where the token does not answer."""

    balance: int | None
    name: str | None
    version: str | None
    nonce_used: bool | None


class WalletSignature(Enum):
    """How a payer's signature stands. A counterfactual wallet is undeployed and names its factory."""

    VALID = "valid"
    INVALID = "invalid"
    UNDEPLOYED = "undeployed"
    COUNTERFACTUAL = "counterfactual"


class OnChain:
    """Reads at the latest block. Every method raises RpcError or UnexpectedAnswer when there is no usable answer."""

    def __init__(self, rpc: Rpc, *, escrow: bytes, relay: bytes) -> None:
        self._rpc = rpc
        self.escrow = escrow
        self._relay = relay

    def channel(self, channel_id: bytes) -> ChannelOnChain:
        asked = (abi.channels(channel_id), abi.pending_withdrawals(channel_id), abi.refund_nonce(channel_id))
        state, pending, nonce = self._rpc.call_many([(self.escrow, data) for data in asked])
        return ChannelOnChain(*abi.read_pair(state), *abi.read_pair(pending), abi.read_uint(nonce))

    def receiver_totals(self, receiver: bytes, token: bytes) -> tuple[int, int]:
        """(claimed, settled)."""
        return abi.read_pair(self._rpc.call(self.escrow, abi.receivers(receiver, token)))

    def has_code(self, address: bytes) -> bool:
        return len(unhexed(self._rpc.read("eth_getCode", "0x" + address.hex(), "latest"))) > 0

    def token_balance(self, token: bytes, account: bytes) -> int:
        return abi.read_uint(self._rpc.call(token, abi.balance_of(account)))

    def token_facts(self, token: bytes, account: bytes, nonce: bytes) -> TokenFacts:
        balance = self._try_call(token, abi.balance_of(account))
        used = self._try_call(token, abi.authorization_state(account, nonce))
        return TokenFacts(
            balance=abi.read_uint(balance) if len(balance) == 32 else None,
            name=abi.read_string(self._try_call(token, abi.name())),
            version=abi.read_string(self._try_call(token, abi.version())),
            nonce_used=abi.read_uint(used) != 0 if len(used) == 32 else None,
        )

    def check_signature(self, signer: bytes, digest: bytes, signature: bytes) -> WalletSignature:
        """As tokens check it: where the signer has code (EIP-7702 too) by ERC-1271 alone, else by recovery alone."""
        unwrapped = abi.unwrap_signature(signature)
        if unwrapped is None:
            return WalletSignature.INVALID
        if self.has_code(signer):
            answer = self._try_call(signer, abi.is_valid_signature(digest, unwrapped.signature))
            accepted = len(answer) >= 32 and answer[:4] == abi.ERC1271_MAGIC
            return WalletSignature.VALID if accepted else WalletSignature.INVALID
        if unwrapped.factory is not None:
            return WalletSignature.COUNTERFACTUAL
        if len(signature) > 65:
            return WalletSignature.UNDEPLOYED
        recovered = recover_address(digest, signature)
        return WalletSignature.VALID if recovered == signer else WalletSignature.INVALID

    def simulate(self, to: bytes, data: bytes, gas: int) -> str | None:
        """Why a transaction of our relay with so much gas would revert now; None when it would not."""
        call, at = call_params(to, data, sender=self._relay)
        try:
            self._rpc.read("eth_call", {**call, "gas": hex(gas)}, at)
        except RpcRefused as refused:
            return abi.revert_reason(refused.data) if refused.data else refused.message[:200]
        return None

    def _try_call(self, to: bytes, data: bytes) -> bytes:
        try:
            return self._rpc.call(to, data)
        except RpcRefused:
            return b""
